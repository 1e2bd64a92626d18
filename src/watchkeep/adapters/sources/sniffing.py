"""Tells what format files are in."""

import codecs
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from watchkeep.adapters.sources.files import File, Files, reading
from watchkeep.adapters.sources.ipc import FILE_MAGIC
from watchkeep.adapters.sources.json_lines import loads
from watchkeep.adapters.sources.parquet_files import MAGIC
from watchkeep.core.errors import EmptySourceError, UnreadableSourceError

FORMATS: Final = ("parquet", "csv", "jsonl", "arrow", "capture")
"""The names of formats, as `open_source(format=...)` takes them."""

_BY_SUFFIX: Final = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_COMPRESSED: Final = (".gz", ".zst", ".bz2")
_STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
_HEAD: Final = 4096
_RECORD: Final = 4 * 1024 * 1024


def format_of(files: Files) -> str:
    """The one format of all the files.

    A name tells the format by its suffix (`.csv.gz` counts as `.csv`); a file with another suffix, or none,
    tells it by its first bytes: the magic of Parquet or Arrow, `{` or `[` for JSON, anything else that is
    text for CSV. The first file's bytes are looked at in any case, and its magic outweighs its name. JSON
    Lines whose first record holds `captureData` are captures.

    Raises:
        UnreadableSourceError: two formats are mixed, or a file is in none of them.
    """
    first = files.members[0]
    found = _by_magic(_head(first)) or _by_name(first)
    for file in files.members[1:]:
        other = _by_name(file)
        if other != found:
            why = f"it mixes formats: {file.name} is {other}, {first.name} is {found}; name the files of one"
            raise UnreadableSourceError(files.name, why=why)
    return "capture" if found == "jsonl" and any_capture(files.members) else found


def any_capture(files: Sequence[File]) -> bool:
    """Whether the first record there is holds `captureData`."""
    for file in files:
        with reading(file.name):
            head = file.head(_HEAD).strip()
            if head and b"\n" not in head:
                head = file.head(_RECORD).strip()
        if head:
            first = head.removeprefix(codecs.BOM_UTF8).split(b"\n", 1)[0]
            record, broken = loads(first)
            # A record that is longer than what we looked at is broken off.
            return (
                b'"captureData"' in first if broken else isinstance(record, dict) and "captureData" in record
            )
    return False


def _by_name(file: File) -> str:
    suffixes = [suffix.lower() for suffix in PurePosixPath(file.path).suffixes]
    while suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    known = _BY_SUFFIX.get(suffixes[-1]) if suffixes else None
    return known or _by_content(file)


def _by_content(file: File) -> str:
    head = _head(file)
    found = _by_magic(head)
    if found:
        return found
    if not head:
        raise EmptySourceError(file.name, why="it is empty")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return "jsonl"
    if b"\x00" in head:
        raise UnreadableSourceError(
            file.name, why="it is in no format we know; expected Parquet, CSV, JSON Lines or Arrow IPC"
        )
    return "csv"


def _by_magic(head: bytes) -> str | None:
    if head.startswith((b"PAR1", MAGIC)):
        return "parquet"
    return "arrow" if head.startswith((FILE_MAGIC, _STREAM_MAGIC)) else None


def _head(file: File) -> bytes:
    with reading(file.name):
        return file.head(_HEAD)
