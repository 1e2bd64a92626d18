"""Opens whatever people name as a source."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.sources import delta, iceberg, postgres
from watchkeep.adapters.sources.capture import Capture
from watchkeep.adapters.sources.delimited import Delimited
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import Files, find, reading
from watchkeep.adapters.sources.ipc import Ipc
from watchkeep.adapters.sources.json_lines import JsonLines
from watchkeep.adapters.sources.memory import PandasFrame, Tables
from watchkeep.adapters.sources.parquet import Parquet
from watchkeep.adapters.sources.readers import Reader
from watchkeep.adapters.sources.several import Several
from watchkeep.adapters.sources.sniffing import FORMATS, format_of
from watchkeep.adapters.sources.spark_table import SCHEME as SPARK_TABLE
from watchkeep.adapters.sources.spark_table import SparkTable
from watchkeep.adapters.sources.spool import Kept, Once, Spool
from watchkeep.adapters.sources.sql import SCHEME, of_duckdb
from watchkeep.adapters.sources.stored.labels import PREFIX as LABELS
from watchkeep.adapters.sources.stored.labels import of_labels
from watchkeep.adapters.sources.stored.source import PREFIX as CAPTURES
from watchkeep.adapters.sources.stored.source import of_captures
from watchkeep.core.errors import OptionError
from watchkeep.service.ports import Source

_EXPECTED: Final = (
    "a path, folder, glob or URL, '-', a list of these, or rows in memory (pandas, Polars, Arrow, DuckDB)"
)
_READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {"parquet": Parquet(), "jsonl": JsonLines(), "arrow": Ipc(), "capture": Capture()}
)


def open_source(
    what: object,
    *,
    format: str | None = None,  # noqa: A002
    header: bool | None = None,
) -> Source:
    """Opens a source of rows. Files are looked for and told apart now, and read when rows are asked for.

    Args:
        what: a path, folder, glob or URL (`s3://`, `gs://`, `abfs://`, `file://`) of Parquet, CSV, JSON Lines
            or Arrow IPC files or of a SageMaker capture tree; `-` for standard input;
            `duckdb:///file.db?query=...` and `postgresql://...?query=...`; a lake table, `delta:...` or
            `iceberg:...` (see `of_delta` and `of_iceberg`); rows in memory, which are anything that speaks the
            Arrow PyCapsule protocol, or a pandas frame; or a list of these, which are then one source. What can be
            read only once is kept in a temporary file while it is used.
        format: one of `FORMATS`; None to tell it by names and first bytes.
        header: whether CSV has a first row of names; None to tell it by the data, see `Delimited`.

    Raises:
        OptionError: `what` is no source, or `format` is none of ours.
        SourceError: it cannot be read.

    >>> open_source({"age": [41, None]}).name
    Traceback (most recent call last):
    ...
    watchkeep.core.errors.OptionError: source: got 'dict', expected a path, ...
    >>> open_source(pa.table({"age": [41, None]})).name
    'an Arrow table'
    """
    if format is not None and format not in FORMATS:
        raise OptionError("--format", got=format, expected=f"one of {', '.join(FORMATS)}", choices=FORMATS)
    if isinstance(what, list | tuple):
        return _several(what, format, header)
    if isinstance(what, str | Path):
        return _of_text(str(what), format, header)
    return _of_memory(what)


def _several(
    members: "list[object] | tuple[object, ...]", format_: str | None, header: bool | None
) -> Source:
    if not members:
        raise OptionError("source", got="an empty list", expected=_EXPECTED)
    if len(members) == 1:
        return open_source(members[0], format=format_, header=header)
    return Several([open_source(member, format=format_, header=header) for member in members])


def _of_text(source: str, format_: str | None, header: bool | None) -> Source:
    if not source:
        raise OptionError("source", got="", expected=_EXPECTED)
    if source.startswith(SCHEME):
        return of_duckdb(source)
    if source.startswith(SPARK_TABLE):
        return SparkTable(source.removeprefix(SPARK_TABLE))
    if source.startswith(delta.PREFIX):
        return delta.of_delta(source)
    if source.startswith(iceberg.PREFIX):
        return iceberg.of_iceberg(source)
    if source.startswith(postgres.SCHEMES):
        return postgres.of_postgres(source)
    if source.startswith(CAPTURES):
        return of_captures(source)
    if source.startswith(LABELS):
        return of_labels(source)
    if source != "-":
        return _of_files(find(source), format_, header)
    spool = Spool("standard input")
    spool.keep_bytes(sys.stdin.buffer)
    return Kept(_of_files(Files(spool.file.name, [spool.file]), format_, header), spool)


def _of_files(files: Files, format_: str | None, header: bool | None) -> FileSource:
    found = format_ or format_of(files)
    return FileSource(files, Delimited(header=header) if found == "csv" else _READERS[found])


def _of_memory(what: Any) -> Source:
    if isinstance(what, pa.Table):
        return Tables("an Arrow table", what.schema, what.to_batches)
    if isinstance(what, pa.RecordBatch):
        return Tables("an Arrow record batch", what.schema, lambda: [what])
    if isinstance(what, pa.RecordBatchReader):
        return Once("an Arrow stream", lambda: what)
    library = type(what).__module__.split(".", 1)[0]
    if library == "pandas" and hasattr(what, "iloc") and hasattr(what, "columns"):
        return PandasFrame(what)
    if library == "polars" and hasattr(what, "collect"):
        what = what.collect(engine="streaming")
    if library == "polars" and hasattr(what, "columns"):
        with reading("a Polars frame"):
            schema = pa.RecordBatchReader.from_stream(what).schema
        return Tables("a Polars frame", schema, lambda: pa.RecordBatchReader.from_stream(what))
    name = "a DuckDB relation" if "duckdb" in library else f"a {type(what).__name__}"
    if hasattr(what, "__arrow_c_stream__"):
        return Once(name, lambda: pa.RecordBatchReader.from_stream(what))
    raise OptionError("source", got=type(what).__name__, expected=_EXPECTED)
