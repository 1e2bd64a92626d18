"""Reads the answer of a query: `duckdb:///file.db?query=select ...`."""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa

from watchkeep.adapters.sources.files import reading
from watchkeep.adapters.sources.spool import Once
from watchkeep.core.errors import (
    MissingSourceError,
    OptionError,
    UnreadableSourceError,
)

SCHEME: Final = "duckdb://"
_FORM: Final = "duckdb:///file.db?query=select ..., with one slash more for an absolute path"


def of_duckdb(url: str) -> Once:
    """The rows of a query over a DuckDB file, which is opened read-only.

    The answer is kept on disk while it is used. The path is relative after three slashes, absolute after
    four; none at all (`duckdb://?query=...`) is an empty database in memory, from which files can be queried.

    Raises:
        OptionError: the URL holds no query.
        MissingSourceError: there is no such file.
    """
    parts = urlsplit(url)
    queries = parse_qs(parts.query).get("query", [])
    if parts.netloc or len(queries) != 1:
        raise OptionError("a duckdb source", got=url, expected=_FORM)
    path = unquote(parts.path).removeprefix("/")
    if path and not Path(path).is_file():
        raise MissingSourceError(url, looked_for=f"a DuckDB file {path!r}")
    return Once(url, lambda: _answer(url, path, queries[0]))


def _answer(url: str, path: str, query: str) -> pa.RecordBatchReader:
    import duckdb  # a quarter of a second that most commands do not need

    try:
        connection = duckdb.connect(path or ":memory:", read_only=bool(path))
        kinds = [statement.type for statement in connection.extract_statements(query)]
        if kinds == [duckdb.StatementType.SELECT]:
            with reading(url):
                return pa.RecordBatchReader.from_stream(connection.sql(query))
    except duckdb.Error as error:
        raise UnreadableSourceError(url, why=str(error).strip().splitlines()[0]) from error
    raise UnreadableSourceError(url, why="its query is not one SELECT")
