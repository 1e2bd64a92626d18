"""The least one can do with the columns: decode them, or have DuckDB aggregate them; a process each.

python -m bench.floors WAY FILE
"""

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

_PLAIN = frozenset({"id"})  # nearly all values differ: a dictionary costs more than they do


def decode_columns(path: str) -> int:
    """Row group by row group, column by column: the least memory."""
    return _column_by_column(_open(path))


def decode_mapped(path: str) -> int:
    """The same of a file mapped into memory: less copying, but the file's pages count as the process's."""
    return _column_by_column(_open(path, mapped=True))


def decode_groups(path: str) -> int:
    """Row group by row group, all columns of one together."""
    file = _open(path)
    for index in range(file.num_row_groups):
        file.read_row_group(index, use_threads=False)
    return int(file.metadata.num_rows)


def decode_threads(path: str) -> int:
    """Row group by row group, all columns of one together, on all cores."""
    file = _open(path)
    for index in range(file.num_row_groups):
        file.read_row_group(index, use_threads=True)
    return int(file.metadata.num_rows)


def decode_batches(path: str) -> int:
    """In batches of 65,536 rows."""
    return sum(batch.num_rows for batch in _open(path).iter_batches(65_536, use_threads=False))


def decode_csv(path: str) -> int:
    """A CSV file, block by block, strings plain."""
    return sum(batch.num_rows for batch in pa.csv.open_csv(path))


def duckdb_aggregate(path: str) -> int:
    """DuckDB: count, min and max of every column, mean and standard deviation of every number."""
    import duckdb  # heavy, and only two of the ways need it

    terms = ["count(*)"]
    for field in pq.read_schema(path):
        quoted = f'"{field.name}"'
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        # As a number, a time needs no further library to come out as a Python value.
        value = f"epoch_us({quoted})" if pa.types.is_timestamp(field.type) else quoted
        functions = ("count", "min", "max", "avg", "stddev") if number else ("count", "min", "max")
        terms += [f"{function}({value})" for function in functions]
    with duckdb.connect() as connection:
        found = connection.execute(f"select {', '.join(terms)} from read_parquet(?)", [path]).fetchall()
    return int(found[0][0])


def duckdb_summarize(path: str) -> int:
    """DuckDB: SUMMARIZE, which has approximate distinct counts and quartiles too."""
    import duckdb  # heavy, and only two of the ways need it

    with duckdb.connect() as connection:
        return len(connection.execute("summarize select * from read_parquet(?)", [path]).fetchall())


WAYS: Final[Mapping[str, Callable[[str], int]]] = MappingProxyType(
    {
        "decode_columns": decode_columns,
        "decode_mapped": decode_mapped,
        "decode_groups": decode_groups,
        "decode_threads": decode_threads,
        "decode_batches": decode_batches,
        "decode_csv": decode_csv,
        "duckdb_aggregate": duckdb_aggregate,
        "duckdb_summarize": duckdb_summarize,
    }
)
"""Every way, by the name the command line knows it by."""


def _column_by_column(file: pq.ParquetFile) -> int:
    names = file.schema_arrow.names
    for index in range(file.num_row_groups):
        for name in names:
            file.read_row_group(index, columns=[name], use_threads=False)
    return int(file.metadata.num_rows)


def _open(path: str, *, mapped: bool = False) -> pq.ParquetFile:
    schema = pq.read_schema(path)
    strings = [field.name for field in schema if pa.types.is_string(field.type) and field.name not in _PLAIN]
    return pq.ParquetFile(path, read_dictionary=strings, memory_map=mapped)


def main(way: str, path: str) -> int:
    """Do it and say how many rows were seen."""
    print(WAYS[way](path))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
