import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pytest

from watchkeep.adapters.sources import open_source
from watchkeep.core.errors import (
    DuplicateColumnError,
    MissingSourceError,
    OptionError,
    UnreadableSourceError,
)
from watchkeep.core.window import Window
from watchkeep.service.ports import Ask

Read = Callable[..., Any]
TABLE = pa.table({"n": [1, None, 3], "s": ["x", "y", None], "u": [{"a": 1}, None, {"a": 2}]})
ROWS = [{"n": 1, "s": "x", "u.a": 1}, {"n": None, "s": "y", "u.a": None}, {"n": 3, "s": None, "u.a": 2}]


@pytest.mark.parametrize(
    "frame",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        pl.DataFrame(TABLE),
        pl.DataFrame(TABLE).lazy(),
    ],
    ids=["table", "record batch", "reader", "polars", "lazy polars"],
)
def test_rows_in_memory_can_be_read_twice(read: Read, frame: object) -> None:
    frame = TABLE.to_reader() if isinstance(frame, pa.RecordBatchReader) else frame
    source = open_source(frame)

    assert source.schema(Ask()).names == ["n", "s", "u.a"]
    assert read(source).rows == ROWS
    assert read(source).rows == ROWS
    assert read(source, Ask(columns=["u.a"])).rows == [{"u.a": 1}, {"u.a": None}, {"u.a": 2}]
    assert read(source, Ask(columns=[])).rows == [{}, {}, {}]


def test_a_duckdb_relation_is_run_once_and_kept(read: Read) -> None:
    source = open_source(duckdb.connect().sql("select random() r, 'x' s from range(100)"))

    first = read(source).rows

    assert len(first) == 100
    assert read(source).rows == first
    assert source.name == "a DuckDB relation"


def test_anything_that_speaks_the_arrow_protocol_is_a_source(read: Read) -> None:
    class Frame:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return TABLE.__arrow_c_stream__(requested_schema)

    assert read(Frame()).rows == ROWS
    assert open_source(Frame()).name == "a Frame"


def test_a_stream_that_breaks_is_an_error() -> None:
    def records() -> Iterator[pa.RecordBatch]:
        yield TABLE.to_batches()[0]
        raise OSError(errno.EIO, "Input/output error")

    source = open_source(pa.RecordBatchReader.from_batches(TABLE.schema, records()))

    with pytest.raises(UnreadableSourceError, match="an Arrow stream: "):
        next(source.batches(Ask()))


def test_a_full_disk_is_an_error_that_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pa, "OSFile", full)
    with pytest.raises(UnreadableSourceError, match=r"could not be kept in .*: No space left on device"):
        next(open_source(TABLE.to_reader()).batches(Ask()))


def test_foreign_layouts_become_plain_ones() -> None:
    frame = pl.DataFrame({"s": ["x", None], "c": pl.Series(["p", "q"], dtype=pl.Categorical)})
    encoded = pa.table(
        {
            "r": pa.RunEndEncodedArray.from_arrays(pa.array([1, 3], pa.int32()), pa.array(["a", "b"])),
            "x": pa.ExtensionArray.from_storage(
                pa.uuid(), pa.array([b"0" * 16, None, b"1" * 16], pa.binary(16))
            ),
            "b": pa.array([b"x", None, b"y"]).cast(pa.binary_view()),
        }
    )

    (polars,), (arrow,) = (list(open_source(what).batches(Ask())) for what in (frame, encoded))

    assert polars.column("s").type == pa.large_string()
    assert polars.column("c").type == pa.dictionary(pa.int32(), pa.large_string())
    assert polars.column("c").to_pylist() == ["p", "q"]
    assert arrow.column("r").to_pylist() == ["a", "b", "b"]
    assert arrow.column("x").type == pa.binary(16)
    assert arrow.column("b").type == pa.large_binary()
    for source, batch in ((frame, polars), (encoded, arrow)):
        schema = open_source(source).schema(Ask())
        assert schema.types == [batch.column(name).type for name in schema.names]


def test_batches_are_neither_tiny_nor_huge(read: Read) -> None:
    tiny = pa.concat_tables([pa.table({"n": [at]}) for at in range(500)])
    huge = pa.table({"n": pa.nulls(2_500_000, pa.int64())})
    uneven = pa.concat_tables([tiny, huge.slice(0, 1_048_500), tiny])

    assert read(tiny).sizes == [500]
    assert read(tiny).rows == tiny.to_pylist()
    assert [batch.rows for batch in open_source(huge).batches(Ask())] == [1_048_576, 1_048_576, 402_848]
    assert [batch.rows for batch in open_source(uneven).batches(Ask())] == [500, 1_048_500, 500]


def test_a_pandas_frame_is_read_without_its_index(read: Read) -> None:
    frame = pd.DataFrame(
        {
            "n": [1.5, float("nan")],
            "s": ["x", None],
            "t": pd.to_datetime(["2024-01-01", "2024-01-02"], utc=True),
            "c": pd.Categorical(["p", "q"]),
            5: [1, 2],
        },
        index=[7, 9],
    )

    answer = read(frame, Ask(columns=["n", "s", "c", "5"]))

    assert answer.rows == [
        {"n": 1.5, "s": "x", "c": "p", "5": 1},
        {"n": None, "s": None, "c": "q", "5": 2},
    ]
    assert answer.textual == set()
    assert open_source(frame).schema(Ask()).names == ["n", "s", "t", "c", "5"]
    window = Window.between("2024-01-02", None)
    assert len(read(frame, Ask(timestamp="t", columns=["n"], window=window)).rows) == 1


def test_a_pandas_column_that_mixes_types_is_textual(read: Read) -> None:
    frame = pd.DataFrame({"o": [1, "x", None, 2.5], "p": pd.Series([True, None, "y", "z"], dtype=object)})

    answer = read(frame)

    assert [row["o"] for row in answer.rows] == ["1", "x", None, "2.5"]
    assert answer.textual == {"o", "p"}
    assert open_source(frame).schema(Ask()).field("o").metadata == {b"textual": b"1"}


def test_two_columns_of_one_name_are_an_error(read: Read) -> None:
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])

    for source in (frame, table, table.to_reader(), table.slice(0, 0)):
        with pytest.raises(DuplicateColumnError, match="two columns are named 'a'"):
            read(source)


@pytest.mark.parametrize("make", ["file", "stream", "feather", "compressed"])
def test_arrow_files_and_streams_are_read(tmp_path: Path, read: Read, make: str) -> None:
    path = tmp_path / "rows.arrow"
    if make == "feather":
        feather.write_feather(TABLE, path)
    else:
        options = pa.ipc.IpcWriteOptions(compression="zstd" if make == "compressed" else None)
        open_writer = pa.ipc.new_stream if make == "stream" else pa.ipc.new_file
        with pa.OSFile(str(path), "wb") as sink, open_writer(sink, TABLE.schema, options=options) as writer:
            writer.write_table(TABLE)

    assert read(path).rows == ROWS
    assert read(path, Ask(columns=["s"])).rows == [{"s": "x"}, {"s": "y"}, {"s": None}]
    assert read(path, Ask(columns=[])).rows == [{}, {}, {}]
    assert open_source(path).schema(Ask()).names == ["n", "s", "u.a"]


@pytest.mark.parametrize("cut", [3, 60, 300])
def test_a_broken_arrow_file_is_an_error(tmp_path: Path, read: Read, cut: int) -> None:
    path = tmp_path / "rows.arrow"
    feather.write_feather(TABLE, path, compression="uncompressed")
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(UnreadableSourceError, match=r"rows\.arrow"):
        read(path)


def test_a_query_of_a_duckdb_file_is_a_source(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "shop.db"
    with duckdb.connect(str(path)) as connection:
        connection.sql("create table sales as select range n, 'é' city from range(3)")
    url = f"duckdb:///{path}?query=select%20n,%20city%20from%20sales%20where%20n%20>%200"

    assert read(url).rows == [{"n": 1, "city": "é"}, {"n": 2, "city": "é"}]
    assert read("duckdb://?query=select 42 as n").rows == [{"n": 42}]


def test_a_query_that_cannot_run_is_an_error(tmp_path: Path, read: Read) -> None:
    for url, error, why in (
        (f"duckdb:///{tmp_path}/none.db?query=select 1", MissingSourceError, "no such source"),
        ("duckdb:///x.db", OptionError, "query="),
        ("duckdb://?query=selec 1", UnreadableSourceError, "Parser Error"),
        ("duckdb://?query=create table t(n int)", UnreadableSourceError, "not one SELECT"),
        ("duckdb://?query=select 1; select 2", UnreadableSourceError, "not one SELECT"),
        ("duckdb://?query=select error('bad')", UnreadableSourceError, "bad"),
        ("duckdb://?query=select error('late') from range(10)", UnreadableSourceError, "late"),
    ):
        with pytest.raises(error, match=why):
            read(url)
