"""Laws of every source: the format does not change the rows, and nor does how they are split over files."""

import csv
import gzip
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.adapters.sources import open_source
from watchkeep.core.errors import BadInputError
from watchkeep.service.ports import Ask, Source

Rows = list[dict[str, Any]]
Write = Callable[[pa.Table, Path], None]
SCHEMA = pa.schema([("n", pa.int64()), ("x", pa.float64()), ("s", pa.string()), ("at.time", pa.string())])


def rows_of(source: Source, ask: Ask | None = None) -> Rows:
    found: Rows = []
    for batch in source.batches(ask or Ask()):
        assert not batch.rejected
        columns = [batch.column(name).to_pylist() for name in batch.names]
        assert all(len(column) == batch.rows for column in columns)
        found += [dict(zip(batch.names, row, strict=True)) for row in zip(*columns, strict=True)]
    return found


def canonical(rows: Sequence[Mapping[str, Any]]) -> Counter[tuple[tuple[str, str], ...]]:
    """Rows as a multiset that tells no number from its text, and no null from a column that is not there."""
    return Counter(
        tuple(sorted((name, _spelled(value)) for name, value in row.items() if value is not None))
        for row in rows
    )


def _spelled(value: object) -> str:
    try:
        return repr(float(str(value)))
    except ValueError:
        return str(value)


def write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path.with_suffix(".parquet"))


def write_csv(table: pa.Table, path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table.column_names)
    writer.writerows(row.values() for row in table.to_pylist())
    path.with_suffix(".csv").write_bytes(text.getvalue().encode())


def write_csv_gz(table: pa.Table, path: Path) -> None:
    write_csv(table, path)
    plain = path.with_suffix(".csv")
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()


def write_json_lines(table: pa.Table, path: Path) -> None:
    lines = [json.dumps(row) + "\n" for row in table.to_pylist()]
    path.with_suffix(".jsonl").write_text("".join(lines) or "\n")


def write_json_array(table: pa.Table, path: Path) -> None:
    path.with_suffix(".json").write_text(json.dumps(table.to_pylist()))


def write_arrow(table: pa.Table, path: Path) -> None:
    with (
        pa.OSFile(str(path.with_suffix(".arrow")), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)


def write_capture(table: pa.Table, path: Path) -> None:
    side = {"observedContentType": "application/json", "mode": "INPUT", "encoding": "JSON"}
    records = [
        json.dumps({"captureData": {"endpointInput": {**side, "data": json.dumps(row)}}})
        for row in table.to_pylist()
    ]
    path.with_suffix(".jsonl").write_text("\n".join(records) + "\n")


FORMATS: Mapping[str, Write] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "csv.gz": write_csv_gz,
    "json lines": write_json_lines,
    "json array": write_json_array,
    "arrow": write_arrow,
    "capture": write_capture,
}

# A text of CSV cannot be told from a null when it is empty, and Arrow ends lines at a lone carriage return.
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), min_size=1, max_size=12
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
rows = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**53), 2**53),
        "x": st.none() | numbers,
        "s": st.none() | texts,
        "at.time": st.sampled_from(["2024-01-19", "2024-01-19T18:20:48Z", "soon"]),
    }
)
tables = st.lists(rows, min_size=1, max_size=30).map(lambda found: pa.Table.from_pylist(found, SCHEMA))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30)
@given(table=tables, cuts=st.lists(st.integers(0, 30), max_size=3))
def test_any_split_into_files_gives_the_rows_of_the_whole(
    name: str, table: pa.Table, cuts: list[int]
) -> None:
    bounds = [0, *sorted(min(cut, table.num_rows) for cut in cuts), table.num_rows]
    with TemporaryDirectory() as home:
        for at, (start, end) in enumerate(pairwise(bounds)):
            FORMATS[name](table.slice(start, end - start), Path(home, f"part{at}"))

        source = open_source(home, header=True if name.startswith("csv") else None)
        found = rows_of(source)

        assert canonical(found) == canonical(table.to_pylist())
        assert canonical(rows_of(source)) == canonical(found)
        assert set(source.schema(Ask()).names) >= {column for row in found for column in row}


@given(table=tables)
def test_rows_in_memory_are_the_rows_of_any_frame(table: pa.Table) -> None:
    frames = [table, table.to_reader(), pl.DataFrame(table), pd.DataFrame(table.to_pylist())]

    for frame in frames:
        assert canonical(rows_of(open_source(frame))) == canonical(table.to_pylist())


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30)
@given(table=tables, wanted=st.sets(st.sampled_from(["n", "x", "s", "at.time", "nowhere"])))
def test_asking_for_columns_gives_those_columns_of_every_row(
    name: str, table: pa.Table, wanted: set[str]
) -> None:
    with TemporaryDirectory() as home:
        FORMATS[name](table, Path(home, "part"))
        ask = Ask(columns=wanted)

        batches = list(open_source(home, header=True if name.startswith("csv") else None).batches(ask))

        assert sum(batch.rows for batch in batches) == table.num_rows
        assert {column for batch in batches for column in batch.names} <= wanted
        expected = [{column: row[column] for column in row if column in wanted} for row in table.to_pylist()]
        if wanted - {"nowhere"}:
            found = [
                dict(zip(batch.names, row, strict=True))
                for batch in batches
                for row in zip(*(batch.column(column).to_pylist() for column in batch.names), strict=True)
            ]
            assert canonical(found) == canonical(expected)


@settings(max_examples=30)
@given(st.lists(texts, min_size=1, max_size=6, unique=True))
def test_names_of_columns_may_be_anything(names: list[str]) -> None:
    table = pa.table({name: [float(at)] for at, name in enumerate(names)})
    for write in (write_parquet, write_arrow, write_json_lines, write_json_array, write_csv):
        with TemporaryDirectory() as home:
            write(table, Path(home, "part"))
            (row,) = rows_of(open_source(home, header=True if write is write_csv else None))
        assert {name: float(value) for name, value in row.items()} == table.to_pylist()[0]


@settings(max_examples=40)
@given(st.binary(max_size=300), st.sampled_from(["x.csv", "x.jsonl", "x.parquet", "x.arrow", "x"]))
def test_any_bytes_are_rows_or_one_clear_error(content: bytes, name: str) -> None:
    with TemporaryDirectory() as home:
        path = Path(home, name)
        path.write_bytes(content)

        with suppress(BadInputError):  # and nothing else
            for batch in open_source(path).batches(Ask()):
                assert all(len(batch.column(column)) == batch.rows for column in batch.names)


# Importing pandas costs a second, and reading files has no use for it.
WITHOUT_PANDAS = """
import sys
from watchkeep.adapters.sources import open_source
from watchkeep.core.window import Window
from watchkeep.service.ports import Ask

for window in (Window(), Window.between("2024-01-01", None)):
    for batch in open_source(sys.argv[1]).batches(Ask(timestamp="day", window=window)):
        # A filtered batch is the business of its own class.
        columns = [batch.load(name) for name in batch.names]
assert "pandas" not in sys.modules, "reading imports pandas"
"""


@pytest.mark.parametrize("name", ["parquet", "csv", "json lines", "arrow"])
def test_reading_does_not_pay_for_pandas(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "day=2024-01-19"
    folder.mkdir()
    table = pa.table({"n": [1, 2], "s": ["x", "y"], "at.time": ["2024-01-19", "2024-01-20"]})
    FORMATS[name](table, folder / "part")

    read = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert (read.returncode, read.stderr) == (0, "")
