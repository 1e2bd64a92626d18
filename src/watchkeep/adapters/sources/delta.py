"""Opens Delta tables: `delta:PATH-or-URL`, `...?version=12`, `...?timestamp=2024-01-19T05:00:00Z`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.fs as pafs

from watchkeep.adapters.sources.delta_log import Places, listed
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.json_lines import loads
from watchkeep.adapters.sources.lake import ELSEWHERE, asked
from watchkeep.core.errors import (
    MissingExtraError,
    MissingSourceError,
    OptionError,
    UnreadableSourceError,
    WatchkeepError,
)
from watchkeep.core.window import instant

PREFIX: Final = "delta:"
_WHAT: Final = "a delta source"
_FORM: Final = "delta:PATH-or-URL, and ?version=NUMBER or ?timestamp=TIME behind it for an older version"
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LAYERS: Final = re.compile(r"^((Kernel|Generic delta kernel|External|Json) error: )+")
_DRAWN: Final = re.compile(r"\x1b\[[0-9;]*m|↳|:? \w+ \{.*")
_TRACE: Final = re.compile(r"\s*(\d+: |at( |$)|$)")
_LACKING: Final = re.compile(r"Unsupported|Feature .* not supported")
_LONGEST: Final = 300
_HEAD: Final = 1024 * 1024


def of_delta(source: str) -> FileSource:
    """The rows of a Delta table: of its newest version, unless the name says which.

    The log is read now. The files are read when rows are asked for, one by one, by our own reader of Parquet, with the
    columns and the values of partitions that the log gives them, and without the rows that it says are deleted.

    Raises:
        MissingExtraError: the library is not installed.
        OptionError: the name is spelled otherwise.
        MissingSourceError: there is no Delta table.
        UnreadableSourceError: there is no such version, the log is damaged, or the table uses what we cannot read.
        EmptySourceError: the version holds no rows.
    """
    location, state = asked(source, PREFIX, ("version", "timestamp"), what=_WHAT, form=_FORM)
    try:
        import deltalake  # noqa: F401 (is it there?)
    except ImportError as error:
        raise MissingExtraError(_WHAT, extra="delta") from error

    if not _URL.match(location):
        location = str(Path(location).expanduser().absolute())
    with _telling(source):
        table = _opened(location) if state is None else _as_it_was(source, location, *state)
        return listed(table, location, source=source)


def _opened(location: str, version: int | None = None) -> Any:
    from deltalake import DeltaTable

    return DeltaTable(location, version=version)


def _as_it_was(source: str, location: str, option: str, value: str) -> Any:
    """The table in an older state."""
    from deltalake.exceptions import DeltaError

    if option == "timestamp":
        return _at(source, location, instant(value, option="timestamp"))
    if not value.isdecimal():
        raise OptionError("version", got=value, expected="the number of a version, such as 12")
    try:
        return _opened(location, int(value))
    except DeltaError as error:
        newest = _opened(location).version()
        if int(value) <= newest:
            raise
        why = f"the table has no version {value}; its newest is {newest}"
        raise UnreadableSourceError(source, why=why) from error


def _at(source: str, location: str, moment: datetime) -> Any:
    table = _opened(location)
    table.load_as_version(moment)
    # The library takes the first version where a time lies before all of them.
    written = _written(Places(location).file(f"_delta_log/{table.version():020}.json"))
    if written is not None and written > moment:
        raise UnreadableSourceError(source, why=f"the table has no version of {moment.isoformat()} or before")
    return table


def _written(commit: File) -> datetime | None:
    """When a version was written, by the earliest that tells; None where its file of the log was tidied away."""
    info = commit.filesystem.get_file_info(commit.path)
    if info.type == pafs.FileType.NotFound:
        return None
    first = loads(commit.head(_HEAD).split(b"\n", 1)[0])[0]
    told = first.get("commitInfo", {}) if isinstance(first, dict) else {}
    stamps = [
        told[key] / 1000 for key in ("inCommitTimestamp", "timestamp") if isinstance(told.get(key), int)
    ]
    return datetime.fromtimestamp(min([info.mtime.timestamp(), *stamps]), UTC)


@contextmanager
def _telling(source: str) -> Iterator[None]:
    """Turns what the library says into our errors."""
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        yield
    except WatchkeepError:
        raise
    except TableNotFoundError as error:
        raise MissingSourceError(
            source, looked_for="a Delta table, which is a folder that holds a _delta_log"
        ) from error
    except (DeltaError, OSError, ValueError, OverflowError) as error:
        said = _said(error)
        advice = f". {ELSEWHERE}" if _LACKING.search(said) else ""
        raise UnreadableSourceError(source, why=f"its log cannot be read: {said}{advice}") from error


def _said(error: BaseException) -> str:
    """What the library says in several lines, as one, without the frames of its stack."""
    lines = (_DRAWN.sub("", line) for line in str(error).splitlines())
    said = _LAYERS.sub("", ": ".join(line.strip() for line in lines if not _TRACE.match(line)))
    return said.rstrip(".") if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
