"""Names and values that mean harm, and numbers at the edges."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.world import baseline, check, found, program, violated, watchkeep, write

NAMES = [
    '"q"',
    "new\nline",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "",
    "a" * 10_000,
    "a,b",
    "[red]x[/red]",
    "\x1b[31mred",
    "ключ",
    "\u202ertl",
    "$(rm)",
    "{{7*7}}",
    "dataset",
]
VALUES = ["<img src=x onerror=alert(1)>", "\x1b[2J", "a\nb", "é" * 20, "z" * 10_000, "'; DROP TABLE x"]


def hostile(n: int) -> pa.Table:
    return pa.table(
        {name: pa.array([VALUES[(at + len(name)) % len(VALUES)] for at in range(n)]) for name in NAMES}
    )


def test_hostile_names_and_values_go_through_everything_unharmed(tmp_path: Path) -> None:
    known = baseline(tmp_path, hostile(600))
    broken = hostile(600).set_column(2, NAMES[2], pa.array([None] * 600, pa.string()))

    quiet, loud = check(known, hostile(300)), check(known, broken)
    drawn, listed = watchkeep("show", tmp_path / "report"), watchkeep("show", known)
    page = (tmp_path / "report" / "report.html").read_text()

    assert violated(quiet) == set()
    assert quiet["outcomes"]["undecided"] == 0
    assert [one["name"] for one in quiet["columns"]] == NAMES
    assert ("completeness_check", NAMES[2]) in violated(loud)
    assert "\x1b" not in drawn.out + listed.out
    assert "\u202e" not in drawn.out + listed.out + page
    assert not re.search(r"<script>alert|<img", page)
    assert "{{7*7}}" in page
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "baseline",
        "report",
        "train.parquet",
        "window.parquet",
    ]


def test_a_column_called_dataset_is_a_column_like_any_other(tmp_path: Path) -> None:
    table = pa.table(
        {"dataset": pa.array(["a", "b"] * 300), "x": pa.array(range(600)), "y": pa.array(range(600))}
    )
    known = baseline(tmp_path, table)

    same, empty = (
        check(known, table),
        check(known, table.set_column(0, "dataset", pa.nulls(600, pa.string()))),
    )
    gone = check(known, table.drop_columns(["dataset"]))

    assert violated(same) == set()
    assert ("completeness_check", "dataset") in violated(empty)
    assert violated(gone) == {("missing_column_check", "dataset")}
    assert found(gone)["joint_drift_check", "dataset"] == "kept"
    measured = [(one["measure"], one["subject"]) for one in same["measures"]]
    assert len(measured) == len(set(measured))
    assert {("row_count", "dataset"), ("completeness", "dataset")} <= set(measured)


def numbers(n: int) -> pa.Table:
    edges = [np.inf, -np.inf, np.nan, 1e308, -1e308, 5e-324]
    big = [2**53 + at for at in range(n // 2)] + [-(2**63), 2**63 - 1] * (n // 4)
    return pa.table(
        {
            "edges": pa.array(edges * (n // 6)),
            "huge": pa.array([1.7e308, -1.7e308] * (n // 2)),
            "null": pa.nulls(n, pa.float64()),
            "nothing": pa.nulls(n),
            "big": pa.array(big, pa.int64()),
            "unsigned": pa.array([2**64 - 1] * n, pa.uint64()),
            "constant": pa.array([7] * n),
            "blank": pa.array([""] * n),
        }
    )


def test_numbers_at_the_edges_are_told_without_warnings_or_infinities(tmp_path: Path) -> None:
    write(numbers(600), tmp_path / "n.parquet")

    learned = program("baseline", "data-quality", "n.parquet", "--out", "b", "--json", cwd=tmp_path)
    report = program("check", "b", "n.parquet", "--out", "r", "--json", cwd=tmp_path)

    assert (learned.code, learned.err, report.code, report.err) == (0, "", 0, "")
    types = {one["name"]: one["type"] for one in learned.document["columns"]}
    assert (types["null"], types["nothing"], types["big"], types["unsigned"]) == (
        "Unknown",
        "Unknown",
        "Integral",
        "Integral",
    )
    assert violated(report.document) == set()
    for path in (*(tmp_path / "b").glob("*.json"), *(tmp_path / "r").glob("*.json")):
        json.loads(path.read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("column", "values", "check_type"),
    [
        ("x", [np.inf] * 300, "finite_check"),
        ("x", [-5.0] * 300, "non_negative_check"),
        ("x", [1e308] * 300, "range_check"),
        ("x", [np.nan] * 300, "completeness_check"),
        ("x", [3.0] * 300, "constant_check"),
        ("k", [8] * 300, "range_check"),
        ("empty", [1.0] * 300, None),
    ],
)
def test_each_kind_of_bad_number_has_its_check(
    tmp_path: Path, column: str, values: list[float], check_type: str | None
) -> None:
    random = np.random.default_rng(4)
    table = pa.table({"x": random.random(600), "k": [7] * 600, "empty": pa.nulls(600, pa.float64())})
    known = baseline(tmp_path, table)
    window = table.slice(0, 300)

    report = check(known, window.set_column(window.column_names.index(column), column, pa.array(values)))

    assert ((check_type, column) in violated(report)) == (check_type is not None)
    assert {subject for _, subject in violated(report)} <= {column, "dataset"}


def test_a_constant_column_that_stays_is_kept(tmp_path: Path) -> None:
    table = pa.table({"k": [7] * 600, "s": ["same"] * 600})

    assert violated(check(baseline(tmp_path, table), table.slice(0, 100))) == set()


def test_integers_beyond_the_doubles_keep_their_type_match(tmp_path: Path) -> None:
    table = pa.table({"i": pa.array([2**53 + at for at in range(600)])})
    data = write(table, tmp_path / "i.csv")

    assert watchkeep("baseline", "data-quality", data, "--out", tmp_path / "b").code == 0
    report = watchkeep("check", tmp_path / "b", data, "--out", tmp_path / "r", "--json").document

    assert found(report)["data_type_check", "i"] == "kept"
    assert report["columns"][0]["type"] == "Integral"


@pytest.mark.slow
def test_hundreds_of_columns_are_no_matter(tmp_path: Path) -> None:
    # Work per column that looked at every column took minutes on wide tables.
    table = pa.table({f"c{at}": np.arange(40.0) + at for at in range(800)})
    known = baseline(tmp_path, table)

    report = check(known, table.drop_columns(["c3"]))

    assert violated(report) == {("missing_column_check", "c3")}
    assert len(report["columns"]) == 800
    assert (tmp_path / "report" / "report.html").stat().st_size < 5_000_000


@pytest.mark.slow
def test_texts_of_many_megabytes_are_read_in_pieces(tmp_path: Path) -> None:
    texts = pa.array([f"{at % 1000:04d}" + "x" * 10_000 for at in range(3000)])
    table = pa.table({"body": texts, "n": range(3000)})
    known = baseline(tmp_path, table)

    report = check(known, table)

    assert violated(report) == set()
    assert (tmp_path / "report" / "report.json").stat().st_size < 1_000_000
    assert (known / "baseline.arrow").stat().st_size < 5_000_000
