"""Opens Iceberg tables: `iceberg:CATALOG.NAMESPACE.TABLE`, `iceberg:PATH-or-URL` of a table or its metadata file."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow.fs as pafs

from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import sentence
from watchkeep.adapters.sources.iceberg_files import planned
from watchkeep.adapters.sources.lake import ELSEWHERE, asked, bucket
from watchkeep.core.errors import (
    MissingExtraError,
    MissingSourceError,
    OptionError,
    UnreadableSourceError,
    WatchkeepError,
)

PREFIX: Final = "iceberg:"
_WHAT: Final = "an iceberg source"
_FORM: Final = (
    "iceberg:CATALOG.NAMESPACE.TABLE, or iceberg:PATH-or-URL of the folder of a table or of its .metadata.json,"
    " and ?snapshot=ID behind it for an older snapshot"
)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_METADATA: Final = re.compile(r"v?(\d+)(-[^/]*)?(\.gz)?\.metadata\.json")
_SHOWN: Final = 5


def of_iceberg(source: str) -> FileSource:
    """The rows of an Iceberg table: of its current snapshot, unless the name says which.

    A name without a slash is that of a catalog which the library's own settings describe (`~/.pyiceberg.yaml`, or
    `PYICEBERG_CATALOG__...` in the environment), and of a table in it. A folder stands for the newest metadata file
    of the table in it.

    The metadata is read now. The files are read when rows are asked for, one by one, by our own reader of Parquet,
    which finds columns by their ids and leaves deleted rows out, as the format wants it.

    Raises:
        MissingExtraError: the library is not installed.
        OptionError: the name is spelled otherwise.
        MissingSourceError: there is no such table.
        UnreadableSourceError: there is no such snapshot, the metadata is damaged, or we lack what the table asks for.
        EmptySourceError: the snapshot holds no rows.
    """
    location, state = asked(source, PREFIX, ("snapshot",), what=_WHAT, form=_FORM)
    try:
        import pyiceberg.io.pyarrow  # noqa: F401 (is it there?)
    except ImportError as error:
        raise MissingExtraError(_WHAT, extra="iceberg") from error

    with _telling(source):
        is_place = "/" in location or location.endswith(".json") or Path(location).is_dir()
        table = _at(source, location) if is_place else _in_catalog(source, location)
        with closing(table.catalog):
            return planned(
                table, None if state is None else _snapshot(source, table, state[1]), source=source
            )


def _in_catalog(source: str, name: str) -> Any:
    from pyiceberg.catalog import list_catalogs, load_catalog
    from pyiceberg.exceptions import NoSuchTableError

    catalog, _, table = name.partition(".")
    namespace = table.rpartition(".")[0]
    if not catalog or not namespace:
        raise OptionError(_WHAT, got=source, expected=_FORM)
    known = list_catalogs()
    if catalog not in known:
        looked_for = f"a catalog that pyiceberg's settings describe{_near(catalog, known)}"
        raise MissingSourceError(source, looked_for=looked_for)
    opened = load_catalog(catalog)
    try:
        return opened.load_table(table)
    except NoSuchTableError as error:
        with closing(opened):
            there = [".".join((catalog, *one)) for one in opened.list_tables(namespace)]
        looked_for = f"a table of the catalog {catalog!r}{_near(name, there)}"
        raise MissingSourceError(source, looked_for=looked_for) from error


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _at(source: str, location: str) -> Any:
    """The table of a metadata file, or of the newest one of a folder."""
    from pyiceberg.catalog.noop import NoopCatalog
    from pyiceberg.serializers import FromInputFile
    from pyiceberg.table import StaticTable

    if not _URL.match(location):
        location = str(Path(location).expanduser().absolute())
    location, io = location.rstrip("/"), _io()
    try:
        file = location if location.endswith(".metadata.json") else _newest(location, io)
        metadata = FromInputFile.table_metadata(io.new_input(file))
    except FileNotFoundError as error:
        looked_for = "an Iceberg table, which is a folder that holds metadata/*.metadata.json"
        raise MissingSourceError(source, looked_for=looked_for) from error
    return StaticTable(("table", file), metadata, file, io, NoopCatalog("none"))


def _io() -> Any:
    """What opens files, with buckets as all our sources find them: by the settings of the machine."""
    from pyiceberg.io.pyarrow import PyArrowFileIO

    io = PyArrowFileIO()
    others = io.fs_by_scheme

    def filesystem(scheme: str, host: str | None) -> pafs.FileSystem:
        found = bucket(scheme, host or "")
        return others(scheme, host) if found is None else found

    io.fs_by_scheme = cache(filesystem)
    return io


def _newest(folder: str, io: Any) -> str:
    scheme, host, path = io.parse_location(folder)
    inner = pafs.FileSelector(f"{path}/metadata", allow_not_found=True)
    # Writers that failed may have left two files of one number.
    found = [
        (int(told[1]), entry.mtime_ns or 0, entry.base_name)
        for entry in io.fs_by_scheme(scheme, host).get_file_info(inner)
        if (told := _METADATA.fullmatch(entry.base_name))
    ]
    if not found:
        raise FileNotFoundError(folder)
    return f"{folder}/metadata/{max(found)[2]}"


def _snapshot(source: str, table: Any, value: str) -> int:
    if not value.isdecimal():
        raise OptionError("snapshot", got=value, expected="the id of a snapshot, which is a number")
    known = [one.snapshot_id for one in table.snapshots()]
    if int(value) not in known:
        newest = ", ".join(str(one) for one in known[: -_SHOWN - 1 : -1])
        more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        why = f"the table has no snapshot {value}; it has {newest or 'none at all'}{more}"
        raise UnreadableSourceError(source, why=why)
    return int(value)


@contextmanager
def _telling(source: str) -> Iterator[None]:
    """Turns what the library says into our errors."""
    from pyiceberg.exceptions import NoSuchNamespaceError

    try:
        yield
    except WatchkeepError:
        raise
    except NoSuchNamespaceError as error:
        raise MissingSourceError(source, looked_for="a namespace that the catalog has") from error
    except Exception as error:  # each kind of catalog has errors of its own
        if "equality deletes" in str(error):
            why = f"rows of it are deleted by the values they hold, which cannot be read here. {ELSEWHERE}"
        else:
            why = f"its metadata cannot be read: {_said(error)}"
        raise UnreadableSourceError(source, why=why) from error


def _said(error: Exception) -> str:
    """What the library says; of a document that is not as it should be, the first thing that is wrong with it."""
    lines = str(error).splitlines()
    if len(lines) > 1 and "validation error" in lines[0]:
        return lines[1].partition(" [type=")[0].strip()
    return sentence(error)
