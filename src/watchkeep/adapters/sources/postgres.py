"""Reads the answer of a query to PostgreSQL: `postgresql://user@host/database?query=select ...`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa

from watchkeep.adapters.sources.spool import Once
from watchkeep.adapters.sources.tables import settled
from watchkeep.core.errors import MissingExtraError, OptionError, UnreadableSourceError

SCHEMES: Final = ("postgresql://", "postgres://")
_WHAT: Final = "a postgresql source"
_FORM: Final = "postgresql://user@host:port/database?query=select ..."
_SECRET: Final = re.compile(r"(//[^:/@]*:).*(@)")
_OPTION: Final = re.compile(r"([?&]password=)[^&]*")
_TYPE: Final = b"ADBC:postgresql:typname"
_LAYERS: Final = re.compile(r"^([A-Z_]+: )?(\[libpq\] )?(.*ERROR:\s+|Failed to connect: )?", re.DOTALL)


def of_postgres(url: str) -> Once:
    """The rows of one query, which may read and nothing else: it runs in a transaction that is read-only.

    The URL is that of libpq, and so are its defaults: `PGPASSWORD`, `~/.pgpass`, the service file. What stands
    behind `query=` is the query, percent-encoded where it holds `&` or `%`. The answer is kept on disk while
    it is used. Values of type `numeric` become doubles: cast them in the query to have them otherwise.

    Raises:
        MissingExtraError: the library is not installed.
        OptionError: the URL holds no query, or several.
    """
    address, _, tail = url.partition("?")
    options = [one for one in tail.split("&") if one]
    queries = [one.removeprefix("query=") for one in options if one.startswith("query=")]
    if len(queries) != 1 or not queries[0].strip():
        raise OptionError(_WHAT, got=_masked(url), expected=_FORM)
    try:
        import adbc_driver_postgresql  # noqa: F401 (is it there?)
    except ImportError as error:
        raise MissingExtraError(_WHAT, extra="postgres") from error

    others = "&".join(one for one in options if not one.startswith("query="))
    name, connected = _masked(url), f"{address}?{others}" if others else address
    return Once(name, lambda: _answer(name, connected, unquote(queries[0])))


def _masked(url: str) -> str:
    """The URL as it may be told: without its password.

    >>> _masked("postgresql://ada:secret@host/db?query=select 1")
    'postgresql://ada:***@host/db?query=select 1'
    """
    address, mark, query = url.partition("query=")
    shown = _SECRET.sub(r"\1***\2", address) + mark + query
    return _OPTION.sub(r"\1***", shown)


def _answer(name: str, url: str, query: str) -> pa.RecordBatchReader:
    from adbc_driver_postgresql import dbapi

    with _telling(name):
        connection = dbapi.connect(url)
    try:
        with _telling(name):
            cursor = connection.cursor()
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(query)
            reader = cursor.fetch_record_batch()
    except UnreadableSourceError:
        connection.close()
        raise
    return pa.RecordBatchReader.from_batches(
        pa.schema([_plain(field) for field in reader.schema]), _rows(name, reader, cursor, connection)
    )


def _rows(name: str, reader: pa.RecordBatchReader, cursor: Any, connection: Any) -> Iterator[pa.RecordBatch]:
    """The answer's record batches; nothing stays open behind them."""
    with _telling(name), connection, cursor:
        for record in reader:
            fields = [_plain(field) for field in record.schema]
            columns = [
                column if column.type.equals(field.type) else settled(column).cast(field.type)
                for column, field in zip(record.columns, fields, strict=True)
            ]
            yield pa.record_batch(columns, schema=pa.schema(fields))


def _plain(field: pa.Field) -> pa.Field:
    """A field as we keep it: numbers of any precision come as texts."""
    is_numeric = (field.metadata or {}).get(_TYPE) == b"numeric"
    return pa.field(field.name, pa.float64() if is_numeric else field.type)


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Turns what the server says into our error."""
    from adbc_driver_manager import Error

    try:
        yield
    except (Error, pa.ArrowException, OSError) as error:  # the last two for rows on their way
        said = _LAYERS.sub("", str(error)).partition("\n")[0]
        raise UnreadableSourceError(name, why=f"the server says: {said.rstrip('.')}") from error
