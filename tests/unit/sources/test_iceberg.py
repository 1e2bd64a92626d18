import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg import catalog as catalogs
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import StaticTable
from pyiceberg.types import DoubleType, LongType, StringType
from pyiceberg.utils.config import Config
from tests.unit.sources.iceberg_tables import (
    catalog,
    files_of,
    folder_of,
    made,
    with_deletions,
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
from watchkeep.adapters.sources.iceberg import of_iceberg
from watchkeep.core.errors import (
    MissingSourceError,
    UnreadableSourceError,
)
from watchkeep.service.ports import Ask


def flat(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the fields of `user` as columns."""
    return [
        {key: value for key, value in row.items() if key != "user"}
        | {f"user.{key}": value for key, value in (row["user"] or dict.fromkeys(("age", "name"))).items()}
        for row in rows
    ]


def test_the_rows_are_those_of_the_table_with_its_types(tmp_path: Path) -> None:
    rows = pa.table(
        {
            "n": [1, 2, 3],
            "money": pa.array([Decimal("1.50"), None, Decimal("2.00")], pa.decimal128(10, 2)),
            "at": days(1, 2, None),
            "user": [{"age": 41, "name": "Ada"}, None, {"age": None, "name": ""}],
            "place": ["a b/c=%", "é", None],
            "day": [date(2024, 1, 1), date(2024, 1, 2), None],
        }
    )
    table = made(tmp_path / "la ke", rows, by="place")

    source = open_source(f"iceberg:{folder_of(table)}")

    assert sorted_rows(rows_of(source)) == sorted_rows(flat(rows.to_pylist()))
    assert source.schema(Ask()).names == ["n", "money", "at", "user.age", "user.name", "place", "day"]
    assert source.schema(Ask()).field("day").type == pa.date32()
    assert not any(batch.textual for batch in source.batches(Ask()))


def test_a_table_is_named_by_catalog_or_folder_or_metadata_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = made(tmp_path, pa.table({"n": [1]}), pa.table({"n": [2]}))
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__TYPE", "sql")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", f"sqlite:///{tmp_path / 'catalog.db'}")
    monkeypatch.setattr(catalogs, "_ENV_CONFIG", Config())
    folder = folder_of(table)
    older = min((folder / "metadata").glob("00001-*.json"))

    for name in ("lake.db.rides", folder, f"file://{folder}", table.metadata_location):
        assert sorted(row["n"] for row in rows_of(open_source(f"iceberg:{name}"))) == [1, 2]
    assert [row["n"] for row in rows_of(open_source(f"iceberg:{older}"))] == [1]

    with pytest.raises(
        MissingSourceError, match=r"a table of the catalog 'lake'; did you mean 'lake.db.rides'\?"
    ):
        open_source("iceberg:lake.db.ride")
    with pytest.raises(MissingSourceError, match="expected a namespace that the catalog has"):
        open_source("iceberg:lake.none.rides")
    with pytest.raises(
        MissingSourceError, match=r"a catalog that pyiceberg's settings describe; did you mean 'lake'\?"
    ):
        open_source("iceberg:lakes.db.rides")


def test_the_newest_metadata_file_has_the_greatest_number(tmp_path: Path) -> None:
    table = made(tmp_path, *(pa.table({"n": [at]}) for at in range(11)))
    folder = folder_of(table) / "metadata"
    for file in folder.glob("*.metadata.json"):  # as tables of Hadoop call them
        file.rename(folder / f"v{int(file.name[:5])}.metadata.json")

    assert len(rows_of(open_source(f"iceberg:{folder_of(table)}"))) == 11


def test_an_older_snapshot_has_the_rows_and_the_columns_of_its_time(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1, 2]}))
    with table.update_schema() as schema:
        schema.rename_column("n", "count")
        schema.add_column("late", StringType())
    table.append(pa.table({"count": [3], "late": ["x"]}))
    first = table.snapshots()[0].snapshot_id

    assert rows_of(open_source(f"iceberg:{folder_of(table)}?snapshot={first}")) == [{"n": 1}, {"n": 2}]
    with pytest.raises(UnreadableSourceError, match=f"the table has no snapshot 7; it has [0-9]+, {first}$"):
        open_source(f"iceberg:{folder_of(table)}?snapshot=7")


def test_columns_are_found_by_their_ids_whatever_became_of_their_names(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"a": [1], "b": [2], "user": [{"age": 3, "name": "x"}], "at": days(1)}))
    with table.update_schema() as schema:
        schema.rename_column("a", "was a")
        schema.rename_column("user.age", "years")
        schema.rename_column("at", "when")
        schema.delete_column("b")
    with table.update_schema() as schema:
        schema.rename_column("was a", "b")
        schema.add_column("a", LongType())
    late = schema_to_pyarrow(table.schema())
    row = {"b": 10, "a": 20, "user": {"years": 30, "name": "y"}, "when": datetime(2024, 1, 2, tzinfo=UTC)}
    table.append(pa.Table.from_pylist([row], late))

    source = open_source(f"iceberg:{folder_of(table)}")

    told = table.scan().to_arrow().to_pylist()
    assert {(row["b"], row["a"]) for row in told} == {(1, None), (10, 20)}
    flattened = [
        {
            "b": row["b"],
            "user.years": row["user"]["years"],
            "user.name": row["user"]["name"],
            "when": row["when"],
            "a": row["a"],
        }
        for row in told
    ]
    assert sorted_rows(rows_of(source)) == sorted_rows(flattened)
    assert rows_of(source, within("2024-01-02", None, timestamp="when", columns=["b"])) == [{"b": 10}]
    assert outside(source, within("2024-01-02", None, timestamp="when")) == 1


def test_numbers_are_of_the_type_that_the_table_has_promoted_them_to(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": pa.array([1], pa.int32()), "x": pa.array([0.5], pa.float32())}))
    with table.update_schema() as schema:
        schema.update_column("n", LongType())
        schema.update_column("x", DoubleType())
    table.append(pa.table({"n": [2**40], "x": [0.1]}))

    source = open_source(f"iceberg:{folder_of(table)}")

    assert sorted_rows(rows_of(source)) == sorted_rows([{"n": 1, "x": 0.5}, {"n": 2**40, "x": 0.1}])
    assert source.schema(Ask()).types == [pa.int64(), pa.float64()]


def test_files_without_ids_are_read_by_the_tables_mapping_of_names(tmp_path: Path) -> None:
    theirs = pa.table({"old": [1], "s": ["x"]})
    pq.write_table(theirs, tmp_path / "theirs.parquet")
    with catalog(tmp_path) as opened:
        table = opened.create_table("db.rides", theirs.schema)
        table.add_files([f"file://{tmp_path}/theirs.parquet"])
        with table.update_schema() as schema:
            schema.rename_column("old", "n")

    rows = rows_of(open_source(f"iceberg:{folder_of(table)}"))

    assert rows == table.scan().to_arrow().to_pylist() == [{"n": 1, "s": "x"}]


def test_columns_that_only_the_partition_tells_are_filled_with_it(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1, 2], "day": [date(2024, 1, 1)] * 2}), by="day")
    (file,) = files_of(table)
    path = file.removeprefix("file://")
    pq.write_table(
        pq.read_table(path, partitioning=None).drop_columns(["day"]), path
    )  # as tables of Hive have them

    source = open_source(f"iceberg:{folder_of(table)}")

    assert rows_of(source) == [{"n": 1, "day": date(2024, 1, 1)}, {"n": 2, "day": date(2024, 1, 1)}]
    assert rows_of(source) == table.scan().to_arrow().to_pylist()


def test_rows_written_before_a_column_hold_what_the_table_says(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1, 2]}))
    file = Path(table.metadata_location.removeprefix("file://"))
    document = json.loads(file.read_text()) | {"format-version": 3, "next-row-id": 0}
    for number, (kind, value) in enumerate(
        [("date", "2024-01-01"), ("boolean", True), ("string", "x"), ("double", 0.5)]
    ):
        told = {"id": 10 + number, "name": kind, "required": False, "type": kind, "initial-default": value}
        document["schemas"][-1]["fields"].append(told)
    document["last-column-id"] = 20
    file.write_text(json.dumps(document))

    rows = rows_of(open_source(f"iceberg:{file}"))

    assert rows[0] == {"n": 1, "date": date(2024, 1, 1), "boolean": True, "string": "x", "double": 0.5}
    assert rows == StaticTable.from_metadata(str(file)).scan().to_arrow().to_pylist()


@pytest.mark.parametrize("form", ["PARQUET", "PUFFIN"])
def test_rows_deleted_by_position_are_left_out(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata, told = with_deletions(tmp_path, form)
    source = of_iceberg(f"iceberg:{metadata}")

    rows = rows_of(source)

    assert len(rows) == 76
    assert sorted_rows(rows) == sorted_rows(told)
    for ask in (within("2024-01-03", None), within("2024-01-04", None), within("2025-01-01", None)):
        kept = [row for row in rows if ask.window.start and row["at"] >= ask.window.start]
        assert rows_of(source, ask) == kept
        assert outside(source, ask) == 76 - len(kept)
    monkeypatch.setattr(file_source, "PART", 300)
    parts = source.parts(Ask())
    assert len(parts) > 4
    assert rows_of_parts(source) == rows
    assert sum(one.reader.told(file, Ask()).rows for one in parts for file in one.files.members) == 76  # type: ignore[attr-defined]
