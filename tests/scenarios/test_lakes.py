"""Lake tables are checked like files: the same rows give the same report."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.scenarios.world import essence, program, rows, watchkeep, write
from tests.unit.sources import delta_tables, iceberg_tables

TRAIN, MOVED = rows(3000, seed=1), rows(2000, seed=2, income=10.6)
WINDOW = ("--start", "2024-03-03", "--end", "2024-03-06")


def days(table: pa.Table) -> list[pa.Table]:
    """The rows in as many files as there are days, about."""
    step = -(-table.num_rows // 7)
    return [table.slice(at, step) for at in range(0, table.num_rows, step)]


def in_delta(table: pa.Table, folder: Path) -> str:
    return f"delta:{delta_tables.made(folder, *days(table), partition_by=['color'])}"


def in_iceberg(table: pa.Table, folder: Path) -> str:
    """With a column that was renamed in the middle, and rows that were deleted."""
    old, new = days(table)[:3], days(table)[3:]
    extra = old[0].slice(0, 50)
    names = ["pay" if name == "income" else name for name in table.column_names]
    lake = iceberg_tables.made(
        folder, *(part.rename_columns(names) for part in (pa.concat_tables([extra, old[0]]), *old[1:]))
    )
    first = next(
        one.file for one in lake.scan().plan_files() if one.file.record_count == old[0].num_rows + 50
    )
    with lake.update_schema() as schema:
        schema.rename_column("pay", "income")
    for part in new:
        lake.append(part)
    return f"iceberg:{iceberg_tables.delete_by_position(lake, {first.file_path: range(50)})}"


LAKES: Mapping[str, Callable[[pa.Table, Path], str]] = {"delta": in_delta, "iceberg": in_iceberg}


def report_of(source: object, learned_from: object, out: Path, *options: object) -> Any:
    """What a check says of a source, by a baseline learned from another."""
    learned = watchkeep(
        "baseline", "data-quality", learned_from, "--out", out / "baseline", "--timestamp", "at"
    )
    assert (learned.code, learned.err) == (0, "")
    checked = watchkeep("check", out / "baseline", source, "--out", out / "report", "--json", *options)
    assert checked.code == 1, checked.err
    return checked.document


def assert_same(report: Any, expected: Any) -> None:
    told, known = essence(report), essence(expected)
    numbers, others = numbers_of(told.pop("measures")), numbers_of(known.pop("measures"))
    assert told == known
    assert numbers == pytest.approx(others, rel=1e-9, abs=1e-12)


def numbers_of(measures: Any) -> dict[tuple[str, str], float]:
    return {key: value for key, value in measures.items() if isinstance(value, float)}


@pytest.mark.parametrize("lake", LAKES)
@pytest.mark.parametrize("window", [(), WINDOW])
def test_a_lake_table_gives_the_report_of_the_same_rows_in_a_file(
    tmp_path: Path, lake: str, window: tuple[str, ...]
) -> None:
    train, moved = LAKES[lake](TRAIN, tmp_path / "train"), LAKES[lake](MOVED, tmp_path / "moved")
    files = write(TRAIN, tmp_path / "train.parquet"), write(MOVED, tmp_path / "moved.parquet")

    report = report_of(moved, train, tmp_path / "lake", *window)

    expected = report_of(files[1], files[0], tmp_path / "files", *window)
    assert_same(report, expected)
    assert (report["rows"]["analysed"] < 1000) is bool(window)
    statistics = [
        json.loads((tmp_path / name / "baseline" / "statistics.json").read_text())
        for name in ("lake", "files")
    ]
    assert statistics[0]["dataset"] == statistics[1]["dataset"]


def test_a_table_of_a_catalog_is_read_by_a_program_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iceberg_tables.made(tmp_path / "lake", *days(TRAIN))
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__TYPE", "sql")
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", f"sqlite:///{tmp_path / 'lake' / 'catalog.db'}")

    learned = program("baseline", "data-quality", "iceberg:lake.db.rides", "--out", "known", cwd=tmp_path)
    unknown = program("check", "known", "iceberg:lake.db.ride", "--out", "r", cwd=tmp_path)

    assert (learned.code, learned.err) == (0, "")
    assert "3,000 rows" in learned.out
    assert unknown.is_one_sentence
    assert "did you mean 'lake.db.rides'?" in unknown.err


def test_a_delta_table_is_read_by_a_program_of_its_own(tmp_path: Path) -> None:
    in_delta(TRAIN, tmp_path / "lake")

    learned = program("baseline", "data-quality", "delta:lake", "--out", "known", cwd=tmp_path)
    unknown = program("check", "known", "delta:lake?version=70", "--out", "r", cwd=tmp_path)

    assert (learned.code, learned.err) == (0, "")
    assert "3,000 rows" in learned.out
    assert unknown.is_one_sentence
    assert "the table has no version 70; its newest is 6" in unknown.err
