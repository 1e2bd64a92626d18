"""Others read the store without us, whatever became of its columns from hour to hour."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from tests.scenarios.world import watchkeep
from tests.unit.capture.stores import queried, record, sealed, seen

from watchkeep.adapters.sources.stored.source import of_captures
from watchkeep.service.ports import Ask

HOURS: list[dict[str, Any]] = [
    {"age": 41, "city": "Ulm", "code": 7, "gone": True, "note": None},
    {"age": 41.5, "city": None, "code": "A7", "new": "x", "note": None},
    {"age": None, "city": "Bonn", "code": True, "new": "y", "note": None},
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three hours, a file each: columns that are new, missing, without a value, and of another type."""
    return sealed(tmp_path, *[[record(f"e{hour}", [row], hour=hour)] for hour, row in enumerate(HOURS)])


def test_duckdb_reads_them_by_name(store: Path) -> None:
    everything = f"read_parquet('{store}/**/*.parquet', union_by_name = true, hive_partitioning = true)"

    assert queried(f"SELECT age, city, code, gone, new FROM {everything} ORDER BY capture_time") == [
        (41.0, "Ulm", "7", True, None),
        (41.5, None, "A7", None, "x"),
        (None, "Bonn", "true", None, "y"),
    ]
    assert queried(f"SELECT count(*) FROM {everything} WHERE capture_hour = '23'") == [(1,)]


def test_duckdb_copies_them_as_files_of_one_schema(store: Path, tmp_path: Path) -> None:
    queried(
        f"COPY (SELECT * FROM read_parquet('{store}/**/*.parquet', union_by_name = true, hive_partitioning = true))"
        f" TO '{tmp_path}/copy' (FORMAT parquet, PARTITION_BY (capture_date))"
    )

    (first, *others) = [pq.read_schema(path) for path in (tmp_path / "copy").rglob("*.parquet")]
    assert others == [first]
    assert (str(first.field("age").type), str(first.field("code").type)) == ("double", "string")


def test_pandas_reads_the_columns_it_wants_as_the_types_it_wants(store: Path) -> None:
    wanted = pa.schema(
        [
            ("age", pa.float64()),
            ("city", pa.string()),
            ("code", pa.string()),
            ("new", pa.string()),
            ("capture_endpoint", pa.string()),
        ]
    )
    table = ds.dataset(store, schema=wanted, partitioning="hive").to_table()
    frame = table.sort_by("age").to_pandas()

    assert frame["age"].tolist()[:2] == [41.0, 41.5]
    assert frame["code"].tolist() == ["7", "A7", "true"]
    assert frame["city"].dropna().tolist() == ["Ulm", "Bonn"]
    assert set(frame["capture_endpoint"]) == {"churn"}


@pytest.mark.parametrize("compacted", [False, True])
def test_a_column_without_a_value_stands_in_no_file_and_is_known_all_the_same(
    store: Path, tmp_path: Path, compacted: bool
) -> None:
    if compacted:
        sealed(tmp_path, [record("late", [HOURS[1]], hour=1)])
        assert watchkeep("captures", "compact", "--older", "0", "--home", tmp_path).code == 0
    files = list(store.rglob("*.parquet"))
    assert not any(pa.types.is_null(part.type) for path in files for part in pq.read_schema(path))

    schema = of_captures(f"captures:{store}#churn").schema(Ask())
    assert {"age", "city", "code", "gone", "new", "note"} <= set(schema.names)
    assert seen(store, ["city", "note"])[:3] == [
        ("e0", 0, "Ulm", None),
        ("e1", 0, None, None),
        ("e2", 0, "Bonn", None),
    ]

    known, report = tmp_path / "known", tmp_path / "report"
    answer = watchkeep("baseline", "data-quality", f"captures:{store}#churn", "--out", known)
    assert answer.code == 0, answer.err
    assert watchkeep("check", known, f"captures:{store}#churn", "--out", report).code in (0, 1)
