import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from watchkeep.adapters.sources import open_source, parquet
from watchkeep.adapters.sources.files import File
from watchkeep.core.errors import DuplicateColumnError, MissingColumnError, UnreadableSourceError
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import WINDOW, Ask

Read = Callable[..., Any]


def stored(folder: Path, table: pa.Table, **options: Any) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(table, path, **options)
    return path


def batches(path: Path, ask: Ask | None = None) -> list[Batch]:
    return list(parquet.Parquet().batches(File.local(path), ask or Ask()))


def test_every_type_of_column_comes_through(tmp_path: Path, read: Read) -> None:
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int8()),
            "s": ["x", None],
            "b": pa.array([b"x", None]),
            "t": pa.array([datetime(2024, 1, 1), None], pa.timestamp("ms")),  # noqa: DTZ001
            "d": pa.array([date(2024, 1, 1), None]),
            "l": [[1.5, 2.5], None],
            "f": pa.array([[1, 2], None], pa.list_(pa.float32(), 2)),
            "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "n": pa.nulls(2),
            "c": pa.array(["x", None]).dictionary_encode(),
            "e": pa.array([b"0" * 16, None], pa.binary(16)),
        }
    )

    assert read(stored(tmp_path, table)).rows == table.to_pylist()


def test_nested_columns_are_flattened_whatever_their_names(tmp_path: Path, read: Read) -> None:
    table = pa.table(
        {
            "a.b": [1, 2],
            "a": [3, 4],
            "u": [{"x": 1, "l": [{"q": 1, "w": 2}], "s": {"t": "z"}}, None],
            "l": [[{"p": 1}], []],
            "z": [5, 6],
        }
    )

    assert read(stored(tmp_path, table)).rows == [
        {"a.b": 1, "a": 3, "u.x": 1, "u.l": [{"q": 1, "w": 2}], "u.s.t": "z", "l": [{"p": 1}], "z": 5},
        {"a.b": 2, "a": 4, "u.x": None, "u.l": None, "u.s.t": None, "l": [], "z": 6},
    ]


def test_repeated_texts_come_as_dictionaries_and_others_as_they_are(tmp_path: Path) -> None:
    rows = 200_000
    table = pa.table({"city": ["Oslo", "Rome"] * (rows // 2), "id": [f"row {at:09d}" for at in range(rows)]})

    (batch,) = batches(stored(tmp_path, table))

    assert batch.column("city").type == pa.dictionary(pa.int32(), pa.string())
    assert batch.column("id").type == pa.string()
    assert open_source(tmp_path).schema(Ask()).types == [pa.string(), pa.string()]


def test_nothing_is_decoded_before_it_is_asked_for(tmp_path: Path) -> None:
    path = stored(
        tmp_path, pa.table({"a": [1.0] * 1000, "b": [2.0] * 1000}), compression="none", use_dictionary=False
    )
    content = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(0).column(0).data_page_offset
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(content)

    (batch,) = batches(path)

    assert batch.column("b").to_pylist() == [2.0] * 1000
    with pytest.raises(UnreadableSourceError, match=r"rows\.parquet, column 'a'"):
        batch.column("a")


def test_a_batch_can_be_read_after_the_next_one_was_asked_for(tmp_path: Path) -> None:
    table = pa.table({"a": range(300_000)})

    read = batches(stored(tmp_path, table, row_group_size=100_000))

    assert [batch.column("a")[0].as_py() for batch in reversed(read)] == [200_000, 100_000, 0]


def test_small_row_groups_are_read_together(tmp_path: Path, read: Read) -> None:
    table = pa.table({"a": range(100_000), "s": [f"{at % 7}" for at in range(100_000)]})

    answer = read(stored(tmp_path, table, row_group_size=10_000))

    assert answer.sizes == [70_000, 30_000]
    assert answer.rows == table.to_pylist()


@pytest.mark.parametrize(("limit", "value"), [("_MOST_ROWS", 2500), ("MOST_BYTES", 100_000)])
def test_a_big_row_group_is_read_in_slices(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(parquet, limit, value)
    monkeypatch.setattr(parquet, "_STREAMED_ROWS", 1500)
    table = pa.table(
        {"a": range(6000), "u": [{"s": f"{at:050d}", "t": "x"} for at in range(6000)], "z": ["q"] * 6000}
    )
    path = stored(tmp_path, table, row_group_size=3000)

    answer = read(path)

    assert max(answer.sizes) <= 1500
    assert answer.rows[4321] == {"a": 4321, "u.s": f"{4321:050d}", "u.t": "x", "z": "q"}
    assert len(answer.rows) == 6000
    assert read(path, Ask(columns=["u.s"])).rows[5999] == {"u.s": f"{5999:050d}"}


def test_slices_get_shorter_as_rows_get_wider(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_BYTES", 2_000_000)
    monkeypatch.setattr(parquet, "_STREAMED_BYTES", 2_000_000)
    texts = [f"{at:05d}" * 200 for at in range(4096)]  # 1 kB each

    answer = read(stored(tmp_path, pa.table({"s": texts}), use_dictionary=False))

    assert answer.sizes[0] < 2500
    assert [row["s"] for row in answer.rows] == texts


def test_only_the_columns_asked_for_are_there(tmp_path: Path, read: Read) -> None:
    path = stored(tmp_path, pa.table({"a": [1], "b": [2]}))

    assert read(path, Ask(columns=["b", "nowhere"])).rows == [{"b": 2}]
    assert read(path, Ask(columns=[])).rows == [{}]
    with pytest.raises(MissingColumnError, match="has"):
        batches(path, Ask(columns=["b"]))[0].column("a")


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ms"), pa.timestamp("us", "UTC"), pa.timestamp("ns", "Asia/Tokyo"), pa.date32()]
)
def test_row_groups_outside_the_window_are_not_read(tmp_path: Path, kind: pa.DataType) -> None:
    days = pa.array([datetime(2024, 1, 1 + day) for day in range(4)], pa.timestamp("us"))  # noqa: DTZ001
    at = pa.chunked_array(
        [
            days.cast(kind)
            if pa.types.is_date(kind)
            else days.cast(pa.int64()).cast(pa.timestamp("us", "UTC")).cast(kind)
        ]
    )
    path = stored(tmp_path, pa.table({"at": at, "n": range(4)}), row_group_size=1)
    ask = Ask(timestamp="at", window=Window.between("2024-01-02", "2024-01-04"))

    found = batches(path, ask)

    assert [batch.column("n").to_pylist() for batch in found if batch.rows] == [[1, 2]]
    assert [dict(batch.outside) for batch in found if not batch.rows] == [{WINDOW: 1}, {WINDOW: 1}]


def test_a_row_group_with_a_missing_time_is_read_because_it_must_be_counted(
    tmp_path: Path, read: Read
) -> None:
    at = pa.array([datetime(2024, 1, 1), None], pa.timestamp("ms"))  # noqa: DTZ001
    ask = Ask(timestamp="at", window=Window.between("2025-01-01", None))

    answer = read(stored(tmp_path, pa.table({"at": at})), ask)

    assert answer.rows == []
    assert answer.rejected == {"timestamp is missing": 1}


def test_numbers_and_texts_as_times_are_filtered_without_statistics(tmp_path: Path, read: Read) -> None:
    table = pa.table({"epoch": [1704067200, 1704153600], "text": ["2024-01-01", "2024-01-02"]})
    path = stored(tmp_path, table)

    for name in table.column_names:
        answer = read(path, Ask(timestamp=name, window=Window.between("2024-01-02", None)))
        assert answer.rows == [{"epoch": 1704153600, "text": "2024-01-02"}]


def test_two_columns_of_one_name_are_an_error(tmp_path: Path, read: Read) -> None:
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    nested = pa.table({"a.b": [1], "a": [{"b": 2}]})

    for table, name in ((twice, "a"), (nested, "a.b")):
        with pytest.raises(DuplicateColumnError, match=f"two columns are named '{name}'"):
            read(stored(tmp_path, table))


@pytest.mark.parametrize("cut", [4, 100, -3])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path: Path, read: Read, cut: int) -> None:
    path = stored(tmp_path, pa.table({"a": range(1000)}))
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(UnreadableSourceError, match=r"rows\.parquet: "):
        read(path)


def test_a_file_without_rows_has_columns(tmp_path: Path, read: Read) -> None:
    path = stored(tmp_path, pa.table({"a": pa.array([], pa.string())}))

    assert read(path).sizes == []
    assert open_source(path).schema(Ask()).names == ["a"]


def test_extension_types_and_texts_without_dictionary_are_read(tmp_path: Path, read: Read) -> None:
    ids = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16, None], pa.binary(16)))
    table = pa.table({"u": ids, "s": ["x", "y"], "after": [1, 2]})

    answer = read(stored(tmp_path, table, use_dictionary=False))

    assert answer.rows == [{"u": b"0" * 16, "s": "x", "after": 1}, {"u": None, "s": "y", "after": 2}]


PEAK = """
import sys
import pyarrow as pa
from watchkeep.adapters.sources import open_source
from watchkeep.service.ports import WINDOW, Ask

for batch in open_source(sys.argv[1]).batches(Ask()):
    for name in batch.names:
        batch.column(name)
print(pa.default_memory_pool().max_memory())
"""


def test_memory_does_not_grow_with_a_row_group(tmp_path: Path) -> None:
    texts = pa.array([f"{at:01000d}" for at in range(1000)])
    table = pa.table({"s": pa.concat_arrays([texts] * 120)})  # 120 MB in one row group
    path = stored(tmp_path, table, use_dictionary=False, compression="none")

    done = subprocess.run([sys.executable, "-c", PEAK, str(path)], check=True, capture_output=True, text=True)

    assert int(done.stdout) < path.stat().st_size / 2
