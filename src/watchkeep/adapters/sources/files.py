"""Finds the files of a source, wherever they lie, and opens them."""

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from math import inf
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs as pafs

from watchkeep.adapters.sources.known import Known
from watchkeep.core.errors import (
    EmptySourceError,
    MissingSourceError,
    OptionError,
    UnreadableSourceError,
    WatchkeepError,
)

_HELD: Final = 0.75
"""Of memory, which the kernel may fill with files that were read."""
_COMPRESSIONS: Final = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bz2"))
DELTA_LOG: Final = "_delta_log"
"""The folder by which a Delta table is known."""
_OF_ENCRYPTION: Final = ("Failed decryption", "Serialized ciphertext")
"""How Arrow begins to say that its key does not authenticate a part of a Parquet file."""
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a source.

    Args:
        name: what people call it.
        filesystem: where it lies.
        path: its path there.
        keys: hive partition keys (`key=value` folders) between the root of the source and the file; a value
            of None stands for a null.
        size: its bytes, where they are known.
        groups: which row groups of it are meant, [first, last); None for all that there is.
        known: what the log of its table tells of it; None where there is no log.
        aside: its path once others have put it aside, where they may do so while it is read.
        passing: whether it is one of more than memory holds, so that the kernel need not keep it after it was read.
    """

    name: str
    filesystem: pafs.FileSystem
    path: str
    keys: tuple[tuple[str, str | None], ...] = ()
    size: int | None = None
    groups: tuple[int, int] | None = None
    known: Known | None = None
    aside: str | None = None
    passing: bool = False

    @classmethod
    def local(cls, path: Path, *, name: str | None = None) -> "File":
        """A file of this machine."""
        return cls(name or str(path), pafs.LocalFileSystem(), str(path))

    def open(self) -> pa.NativeFile:
        """The file's bytes, to be read in any order."""
        try:
            return self.filesystem.open_input_file(self.path)
        except FileNotFoundError:
            if self.aside is None:
                raise
            return self.filesystem.open_input_file(self.aside)

    def passed(self) -> None:
        """Have the kernel's cache forget it, if that would have to make room for what is read next.

        Where it must make room, reading takes a quarter more of the processor in all.
        """
        if self.passing and self.groups is None and hasattr(os, "posix_fadvise"):
            with suppress(OSError):
                opened = os.open(self.path, os.O_RDONLY)
                try:
                    os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(opened)

    def stream(self) -> pa.NativeFile:
        """The file's bytes in order, decompressed when they begin like gzip, zstd or bzip2."""
        opened = self.open()
        start = opened.read(4)
        opened.seek(0)
        for magic, compression in _COMPRESSIONS:
            if start.startswith(magic):
                return pa.CompressedInputStream(opened, compression)
        return opened

    def head(self, size: int) -> bytes:
        """The first bytes, decompressed; fewer than `size` only when the file has no more."""
        with self.stream() as stream:
            return read_fully(stream, size)


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a source, sorted by path.

    Args:
        name: what people call the source.
        members: at least one.
    """

    name: str
    members: Sequence[File]


def read_fully(stream: pa.NativeFile, size: int) -> bytes:
    """Up to `size` bytes of a stream; fewer only at its end (a compressed stream gives them in pieces)."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turns what a library says about a broken file into our error about that file."""
    try:
        yield
    except WatchkeepError:
        raise
    except FileNotFoundError as error:
        raise MissingSourceError(name) from error
    except PermissionError as error:
        raise UnreadableSourceError(name, why="permission to read it is denied") from error
    except (pa.ArrowException, OSError, EOFError, UnicodeError) as error:
        raise UnreadableSourceError(name, why=sentence(error)) from error


def find(source: str) -> Files:
    """The files that a path, folder, glob or URL stands for.

    Below a folder, names that begin with `_` or `.` and checksum files (`.crc`) are left out, as Hadoop does.

    Raises:
        MissingSourceError: nothing is there.
        EmptySourceError: a folder holds no files.
    """
    with reading(source):
        if "://" in source:
            filesystem, path = _of_url(source)
            return _sorted(source, _remote(source, filesystem, path))
        path = str(Path(source).expanduser()) if source.startswith("~") else source
        return _sorted(source, _local(source, path))


def _sorted(source: str, members: Iterator[File]) -> Files:
    found = sorted(members, key=lambda file: file.path)
    if not found:
        raise EmptySourceError(source, why="the folder holds no data files")
    local = isinstance(found[0].filesystem, pafs.LocalFileSystem)
    if local and sum(file.size or 0 for file in found) > _HELD * _memory():
        found = [replace(file, passing=True) for file in found]
    return Files(source, found)


def _memory() -> float:
    """Bytes of this machine's memory, where that can be told."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return inf


def _local(source: str, path: str) -> Iterator[File]:
    if os.path.lexists(path):  # a name may hold the characters of a glob
        return _below(path)
    if not glob.has_magic(path):
        raise MissingSourceError(source, looked_for=f"a file, folder or glob{_near(path)}")
    # Path.glob takes no absolute pattern. A hidden name is meant only by a glob that says so.
    matches = glob.glob(path, recursive=True)  # noqa: PTH207
    if not _is_hidden(PurePosixPath(path).name):
        matches = [match for match in matches if not _is_hidden(PurePosixPath(match).name)]
    if not matches:
        raise MissingSourceError(source, looked_for="a file that matches the glob")
    root = _fixed_part(path)
    # `**` matches a folder and also what is in it.
    files = {file.path: file for match in matches for file in _below(match, root=root)}
    return iter(files.values())


def _below(path: str, *, root: str | None = None) -> Iterator[File]:
    filesystem = pafs.LocalFileSystem()
    if Path(path, DELTA_LOG).is_dir():
        raise _a_delta_table(path)
    if not Path(path).is_dir():
        keys = _keys(path, root) if root is not None else ()
        yield File(path, filesystem, os.path.abspath(path), keys, Path(path).stat().st_size)  # noqa: PTH100
        return
    for folder, folders, names in os.walk(path, onerror=_fail):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in names:
            if not _is_hidden(name):
                full = str(Path(folder, name))
                keys = _keys(full, path if root is None else root)
                # Whoever reads it may be in another folder.
                yield File(full, filesystem, os.path.abspath(full), keys, Path(full).stat().st_size)  # noqa: PTH100


def _remote(source: str, filesystem: pafs.FileSystem, path: str) -> Iterator[File]:
    info = filesystem.get_file_info(path)
    if info.type == pafs.FileType.File:
        yield File(source, filesystem, path, size=info.size)
        return
    is_glob = info.type == pafs.FileType.NotFound and glob.has_magic(path)
    root = _fixed_part(path) if is_glob else path
    if filesystem.get_file_info(f"{root.rstrip('/')}/{DELTA_LOG}").type == pafs.FileType.Directory:
        raise _a_delta_table(source)
    if info.type == pafs.FileType.NotFound and not is_glob:
        raise MissingSourceError(source)
    scheme = source.split("://", 1)[0]
    found = False
    for entry in filesystem.get_file_info(pafs.FileSelector(root, recursive=True, allow_not_found=True)):
        inner = PurePosixPath(entry.path).relative_to(root).parts
        if entry.type != pafs.FileType.File or any(_is_hidden(part) for part in inner):
            continue
        if is_glob and not _matches(entry.path, path):
            continue
        found = True
        keys = _keys(entry.path, root)
        yield File(f"{scheme}://{entry.path}", filesystem, entry.path, keys, entry.size)
    if is_glob and not found:
        raise MissingSourceError(source, looked_for="a file that matches the glob")


def _a_delta_table(path: str) -> OptionError:
    """Its files hold rows that the table does not, or no longer."""
    return OptionError("source", got=path, expected=f"delta:{path}, as it is a Delta table")


def _of_url(url: str) -> tuple[Any, str]:
    try:
        filesystem, path = pafs.FileSystem.from_uri(url)
    except pa.ArrowInvalid as error:
        raise MissingSourceError(
            url, looked_for="a URL such as s3://bucket/folder, gs:// or abfs://"
        ) from error
    return filesystem, path


def _matches(path: str, pattern: str) -> bool:
    """Whether a path matches a glob part by part; `**` stands for any number of parts."""
    return _match_parts(PurePosixPath(path).parts, PurePosixPath(pattern).parts)


def _match_parts(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return True  # the glob named a folder above the file
    if patterns[0] == "**":
        return any(_match_parts(parts[skip:], patterns[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _match_parts(parts[1:], patterns[1:])


def _fixed_part(pattern: str) -> str:
    """The folder above the first part of a glob that is not fixed."""
    fixed: list[str] = []
    for part in PurePosixPath(pattern).parts:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return str(PurePosixPath(*fixed)) if fixed else ""


def _keys(path: str, root: str) -> tuple[tuple[str, str | None], ...]:
    folders = PurePosixPath(path).parent
    inner = folders.relative_to(root).parts if root and folders.is_relative_to(root) else folders.parts
    pairs = (part.partition("=") for part in inner)
    return tuple((unquote(key), _value(text)) for key, equals, text in pairs if equals and key)


def _value(text: str) -> str | None:
    return None if text == _NO_VALUE else unquote(text)


def _is_hidden(name: str) -> bool:
    return name.startswith(("_", ".")) or name.endswith(".crc")


def _fail(error: OSError) -> None:
    raise error


def _near(path: str) -> str:
    missing = Path(path)
    try:
        siblings = [entry.name for entry in missing.parent.iterdir()]
    except OSError:
        return ""
    near = get_close_matches(missing.name, siblings, n=1)
    return f"; did you mean {str(missing.with_name(near[0]))!r}?" if near else ""


def sentence(error: BaseException) -> str:
    """The first line of what a library says about an error; for an error of the system, its words."""
    if isinstance(error, OSError) and error.errno and error.strerror:
        return error.strerror
    if any(word in str(error) for word in _OF_ENCRYPTION):
        return "it is encrypted, and was changed since"
    said = str(error).strip().splitlines()
    return said[0].rstrip(".") if said else type(error).__name__
