import json
import os
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.unit.sources.delta_tables import (
    actions,
    commit,
    commits,
    delta_rows,
    made,
    with_deletions,
    with_features,
)
from tests.unit.sources.lakes import (
    days,
    outside,
    rows_of,
    rows_of_parts,
    sorted_rows,
    within,
)

from watchkeep.adapters.sources import file_source, open_source
from watchkeep.adapters.sources.delta import of_delta
from watchkeep.core.errors import (
    UnreadableSourceError,
)
from watchkeep.service.ports import Ask


def test_the_rows_are_those_of_the_table_with_its_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": [1, 2, 3],
            "x": [1.5, None, 2.5],
            "money": pa.array([Decimal("1.50"), None, Decimal("2.00")], pa.decimal128(10, 2)),
            "at": days(1, 2, None),
            "user": [{"age": 41, "name": "Ada"}, None, {"age": None, "name": ""}],
            "day": [date(2024, 1, 1), date(2024, 1, 2), None],
            "place": ["a b/c=%", "é", None],
            "code": pa.array([7, 7, None], pa.int32()),
        }
    )
    lake = made(tmp_path / "la ke", table, partition_by=["place", "day", "code"])

    source = open_source(f"delta:{lake}")

    assert sorted_rows(rows_of(source)) == sorted_rows(
        {
            **{key: value for key, value in row.items() if key != "user"},
            "user.age": (row["user"] or {}).get("age"),
            "user.name": (row["user"] or {}).get("name"),
        }
        for row in table.to_pylist()
    )
    schema = source.schema(Ask())
    assert schema.field("day").type == pa.date32()
    assert schema.field("code").type == pa.int32()
    assert schema.field("user.age").type == pa.int64()
    assert not any(batch.textual for batch in source.batches(Ask()))


def test_files_that_the_table_no_longer_holds_are_not_read(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1, 2, 3]}), pa.table({"n": [4]}))
    DeltaTable(lake).delete("n = 2")

    assert sorted(row["n"] for row in rows_of(open_source(f"delta:{lake}"))) == [1, 3, 4]
    assert sorted(row["n"] for row in rows_of(open_source(f"delta:{lake}?version=1"))) == [1, 2, 3, 4]
    assert [row["n"] for row in rows_of(open_source(f"delta:{lake}?version=0"))] == [1, 2, 3]


def test_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    lake = made(tmp_path, *(pa.table({"n": [at]}) for at in range(6)))

    paths = [file.path for file in of_delta(f"delta:{lake}").files.members]

    assert paths == sorted(paths)
    assert len(paths) == 6


def test_a_time_stands_for_the_version_of_that_time(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1]}), pa.table({"n": [2]}))
    for at, file in enumerate(commits(lake)):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        seconds = datetime(2024, 1, 1 + at, tzinfo=UTC).timestamp()
        for line in lines:
            if "commitInfo" in line:
                line["commitInfo"]["timestamp"] = int(seconds * 1000)
        file.write_text("\n".join(map(json.dumps, lines)))
        os.utime(file, (seconds, seconds))

    assert len(rows_of(open_source(f"delta:{lake}?timestamp=2024-01-01T12:00:00Z"))) == 1
    assert len(rows_of(open_source(f"delta:{lake}?timestamp=2024-01-02T01:00:00%2B01:00"))) == 2
    assert len(rows_of(open_source(f"delta:{lake}?timestamp=2024-01-02T01:00:00+01:00"))) == 2
    with pytest.raises(UnreadableSourceError, match="no version of 2023-12-31T00:00:00"):
        open_source(f"delta:{lake}?timestamp=2023-12-31")


def test_partitions_are_those_of_the_log_whatever_the_folders_are_called(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1], "g": ["a"]}), partition_by=["g"])
    (add,) = actions(lake, "add")
    shutil.move(lake / add["path"], lake / "g=wrong.parquet")
    removed = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
    kept = {key: value for key, value in add.items() if value is not None}
    commit(lake, {"remove": removed}, {"add": {**kept, "path": "g=wrong.parquet"}})

    assert rows_of(open_source(f"delta:{lake}")) == [{"n": 1, "g": "a"}]


def test_partitions_are_those_of_the_log_whatever_the_files_hold(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1], "g": ["a"]}), partition_by=["g"])
    (add,) = actions(lake, "add")
    pq.write_table(pa.table({"n": [1], "g": ["wrong"]}), lake / add["path"])

    assert rows_of(open_source(f"delta:{lake}")) == [{"n": 1, "g": "a"}]


def test_files_may_lie_elsewhere_as_those_of_shallow_clones_do(tmp_path: Path) -> None:
    lake = made(tmp_path / "original folder", pa.table({"n": [1]}))
    (add,) = actions(lake, "add")
    clone = made(tmp_path / "clone", pa.table({"n": [2]}))
    far = (lake / add["path"]).as_uri()
    commit(
        clone, {"add": {**{k: v for k, v in add.items() if v is not None}, "path": far.replace("///", "/")}}
    )

    assert sorted(row["n"] for row in rows_of(open_source(f"delta:{clone}"))) == [1, 2]


def test_columns_that_came_later_are_null_in_older_files(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1]}), pa.table({"n": [2], "late": ["x"], "user": [{"age": 3}]}))

    rows = rows_of(open_source(f"delta:{lake}"))

    assert sorted_rows(rows) == sorted_rows(
        [{"n": 1, "late": None, "user.age": None}, {"n": 2, "late": "x", "user.age": 3}]
    )


def test_numbers_are_of_the_type_that_the_table_has_widened_them_to(tmp_path: Path) -> None:
    old = pa.table({"n": pa.array([1, None], pa.int32()), "money": pa.array([3, 4], pa.int64())})
    lake = made(tmp_path, old)
    (metadata,) = actions(lake, "metaData")
    widened = metadata["schemaString"].replace('"integer"', '"double"').replace('"long"', '"decimal(12,2)"')
    commit(lake, with_features("typeWidening"), {"metaData": {**metadata, "schemaString": widened}})

    batches = list(open_source(f"delta:{lake}").batches(Ask()))

    assert [batch.column("n").type for batch in batches] == [pa.float64()]
    assert batches[0].column("n").to_pylist() == [1.0, None]
    assert batches[0].column("money").to_pylist() == [Decimal(3), Decimal(4)]


@pytest.mark.parametrize("mode", ["name", "id"])
def test_renamed_columns_have_their_new_names(tmp_path: Path, mode: str) -> None:
    table = pa.table({"n": [1, 2], "g": ["a", "b"], "user": [{"age": 3}, None], "at": days(1, 2)})
    configuration = {"delta.columnMapping.mode": mode}
    lake = made(tmp_path, table, partition_by=["g"], configuration=configuration)
    (metadata,) = actions(lake, "metaData")
    schema = json.loads(metadata["schemaString"])
    schema["fields"][0]["name"] = "count"
    schema["fields"][2]["type"]["fields"][0]["name"] = "years"
    commit(lake, {"metaData": {**metadata, "schemaString": json.dumps(schema)}})

    source = open_source(f"delta:{lake}")

    told = [
        {
            "count": row["count"],
            "g": row["g"],
            "user.years": (row["user"] or {}).get("years"),
            "at": row["at"],
        }
        for row in delta_rows(lake)
    ]
    assert sorted_rows(rows_of(source)) == sorted_rows(told)
    assert rows_of(source, Ask(columns={"count", "g"}))[0].keys() == {"count", "g"}
    late = within("2024-01-02", None)
    assert [row["count"] for row in rows_of(source, late)] == [2]
    assert outside(source, late) == 1


def test_files_that_number_their_fields_are_read_by_number(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1]}), configuration={"delta.columnMapping.mode": "id"})
    (add,) = actions(lake, "add")
    number = pa.field("whatever", pa.int64(), metadata={"PARQUET:field_id": "1"})
    pq.write_table(pa.table([[5]], schema=pa.schema([number])), lake / add["path"])

    assert rows_of(open_source(f"delta:{lake}")) == [{"n": 5}]


def test_rows_deleted_by_vectors_are_left_out(tmp_path: Path) -> None:
    lake = with_deletions(tmp_path)
    source = of_delta(f"delta:{lake}")

    rows = rows_of(source)

    assert sorted_rows(rows) == sorted_rows(delta_rows(lake))
    assert len(rows) == 76
    assert [file.known.rows for file in source.files.members if file.known] == [37, 39]


def test_deleted_rows_are_neither_in_a_window_nor_outside(tmp_path: Path) -> None:
    source = open_source(f"delta:{with_deletions(tmp_path)}")
    for ask in (within("2024-01-03", None), within("2024-01-04", None), within(None, "2024-01-01")):
        kept = [row for row in rows_of(source) if ask.window.start is None or row["at"] >= ask.window.start]
        kept = kept if ask.window.end is None else []

        assert rows_of(source, ask) == kept
        assert outside(source, ask) == 76 - len(kept)


def test_parts_of_a_file_leave_out_the_rows_that_are_deleted_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = with_deletions(tmp_path)
    for add in actions(lake, "add"):
        pq.write_table(pq.read_table(lake / add["path"]), lake / add["path"], row_group_size=7)
    source = of_delta(f"delta:{lake}")
    whole = rows_of(source)

    monkeypatch.setattr(file_source, "PART", 300)
    parts = source.parts(Ask())

    assert len(parts) > 4
    assert rows_of_parts(source) == whole
    counted = [one.reader.told(file, Ask()).rows for one in parts for file in one.files.members]  # type: ignore[attr-defined]
    assert sum(counted) == 76
