"""The commands as a new user meets them, on files of every format."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from tests.scenarios.world import baseline, check, essence, found, program, rows, violated, watchkeep, write

import watchkeep as wk

TRAIN, TODAY, MOVED = rows(3000, seed=1), rows(1000, seed=2), rows(1000, seed=3, income=11.0)
KEYS = (
    "version",
    "monitor",
    "kind",
    "status",
    "window",
    "baseline",
    "rows",
    "outcomes",
    "verdicts",
    "measures",
    "causes",
    "timing",
)

MEASURES = set(
    "completeness type_match distinct mean std skewness kurtosis min max outliers ks linf linf_robust psi js"  # noqa: SIM905
    " hellinger tv wasserstein".split()
)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return baseline(tmp_path_factory.mktemp("known"), TRAIN, "--timestamp", "at")


def report_of(known: Path, tmp_path: Path, *sources: object) -> dict[str, object]:
    answer = watchkeep("check", known, *sources, "--out", tmp_path / "report", "--json")
    assert answer.code in (0, 1), answer.err
    return essence(answer.document)


@pytest.mark.parametrize("name", ["w.csv", "w.csv.gz", "bare.csv", "w.arrow", "w.jsonl"])
def test_every_format_of_the_same_rows_gives_the_same_report(known: Path, tmp_path: Path, name: str) -> None:
    plain = report_of(known, tmp_path, write(MOVED, tmp_path / "w.parquet"))

    assert report_of(known, tmp_path, write(MOVED, tmp_path / name)) == plain


@pytest.mark.parametrize("name", ["train.csv", "train.jsonl"])
def test_text_learns_the_types_that_typed_files_tell(tmp_path: Path, name: str) -> None:
    table = TRAIN.append_column("whole", pa.array([float(i) + 0.5 for i in range(TRAIN.num_rows)]))

    learned = [
        watchkeep(
            "baseline",
            "data-quality",
            write(table, tmp_path / each),
            "--out",
            tmp_path / "b",
            "--json",
            "--timestamp",
            "at",
        )
        for each in (name, "train.parquet")
    ]

    types = [{one["name"]: one["type"] for one in answer.document["columns"]} for answer in learned]
    assert types[0] == types[1]


@pytest.mark.parametrize("frame", ["pandas", "polars", "arrow", "duckdb", "list"])
def test_frames_of_any_library_give_the_report_of_the_file(known: Path, tmp_path: Path, frame: str) -> None:
    made: dict[str, Callable[[], object]] = {
        "pandas": lambda: pd.DataFrame(MOVED.to_pandas()),
        "polars": lambda: pl.DataFrame(MOVED),
        "arrow": lambda: MOVED,
        "duckdb": lambda: duckdb.connect().from_arrow(MOVED),
        "list": lambda: [MOVED.slice(0, 300), MOVED.slice(300)],
    }
    window = made[frame]()

    from_frame = wk.load(known).check(window)

    assert essence(from_frame.document()) == report_of(known, tmp_path, write(MOVED, tmp_path / "w.parquet"))


@pytest.mark.parametrize("pieces", [7, pytest.param(300, marks=pytest.mark.slow)])
def test_the_same_rows_in_any_number_of_files_and_any_order_give_the_same_report(
    known: Path, tmp_path: Path, pieces: int
) -> None:
    plain = report_of(known, tmp_path, write(MOVED, tmp_path / "w.parquet"))
    starts = [MOVED.num_rows * at // pieces for at in range(pieces + 1)]
    order = list(range(pieces))
    random.Random(5).shuffle(order)
    for at in order:
        piece = MOVED.slice(starts[at], starts[at + 1] - starts[at])
        write(piece, tmp_path / "many" / f"{order[at]:04d}.parquet")

    assert report_of(known, tmp_path, tmp_path / "many") == plain
    assert report_of(known, tmp_path, tmp_path / "many" / "*.parquet") == plain


def test_a_hive_tree_is_read_with_its_partition_column(tmp_path: Path) -> None:
    for name, table in (("ref", TRAIN), ("now", TODAY)):
        days = pa.array([f"{time:%Y-%m-%d}" for time in table["at"].to_pylist()])
        ds.write_dataset(
            table.append_column("day", days),
            tmp_path / name,
            format="parquet",
            partitioning=["day"],
            partitioning_flavor="hive",
        )

    learned = watchkeep("baseline", "data-quality", tmp_path / "ref", "--out", tmp_path / "b", "--json")
    report = watchkeep("check", tmp_path / "b", tmp_path / "now", "--out", tmp_path / "r", "--json")

    assert [one["name"] for one in learned.document["columns"]] == [*TRAIN.column_names, "day"]
    assert (report.code, report.document["rows"]["analysed"]) == (0, TODAY.num_rows)


def test_the_first_five_minutes_as_programs(tmp_path: Path) -> None:
    write(TRAIN, tmp_path / "train.parquet")
    write(MOVED, tmp_path / "moved.csv")

    learned = program(
        "baseline", "data-quality", "train.parquet", "--out", "b", "--timestamp", "at", cwd=tmp_path
    )
    report = program("check", "b", "moved.csv", "--out", "r", cwd=tmp_path)
    piped = program(
        "check", "b", "-", "--out", "r2", "--json", cwd=tmp_path, given=(tmp_path / "moved.csv").read_bytes()
    )

    assert (learned.code, learned.err) == (0, "")
    assert sorted(entry.name for entry in (tmp_path / "b").iterdir()) == [
        "baseline.arrow",
        "constraints.json",
        "statistics.json",
    ]
    assert (report.code, report.err) == (1, "")
    assert "income: the distribution moved by" in report.out
    assert max(map(len, report.out.splitlines())) <= 80
    assert sorted(entry.name for entry in (tmp_path / "r").iterdir()) == [
        "constraint_violations.json",
        "constraints.json",
        "report.html",
        "report.json",
        "statistics.json",
    ]
    assert (piped.code, piped.err) == (1, "")
    assert essence(piped.document) == essence(json.loads((tmp_path / "r" / "report.json").read_text()))


def test_the_report_document_has_every_key_of_the_contract(known: Path) -> None:
    report = check(known, MOVED, "--start", "2024-03-02", "--end", "2024-03-05T00:00:00Z")

    assert set(KEYS) <= set(report)
    assert report["window"] == {"start": "2024-03-02T00:00:00Z", "end": "2024-03-05T00:00:00Z"}
    assert {"id", "created", "rows"} <= set(report["baseline"])
    assert set(report["rows"]) == {"read", "analysed", "unmatched", "rejected", "outside"}
    assert set(report["outcomes"]) == {"kept", "violated", "undecided", "failed"}
    assert sum(report["outcomes"].values()) == len(report["verdicts"])
    for verdict in report["verdicts"]:
        assert {"measure", "subject", "value", "limit", "outcome", "sentence", "evidence"} <= set(verdict)
    for measure in report["measures"]:
        assert isinstance(measure["value"], int | float) or list(measure["value"]) == ["undefined"]
    measured = {one["measure"] for one in report["measures"] if one["subject"] == "income"}
    assert measured >= MEASURES
    assert {one["measure"] for one in report["measures"] if one["subject"] == "dataset"} >= {
        "mmd",
        "row_count",
        "missing_columns",
        "extra_columns",
    }


def test_only_rows_of_the_time_window_are_analysed(known: Path) -> None:
    day = [time for time in TODAY["at"].to_pylist() if (time.month, time.day) == (3, 4)]

    report = check(known, TODAY, "--start", "2024-03-04", "--end", "2024-03-05")
    abroad = check(known, TODAY, "--start", "2024-03-04T02:00:00+02:00", "--end", "2024-03-05T00:00:00Z")

    outside = {"window": TODAY.num_rows - len(day)}
    assert report["rows"] == {
        "read": len(day),
        "analysed": len(day),
        "unmatched": 0,
        "rejected": {},
        "outside": outside,
    }
    assert essence(abroad) == essence(report)


def test_rows_without_a_time_are_rejected_and_counted_when_a_window_is_asked_for(known: Path) -> None:
    times = TODAY["at"].to_pylist()
    table = TODAY.set_column(4, "at", pa.array([None] * 9 + times[9:], TODAY.schema.field("at").type))

    report = check(known, table, "--start", "2024-03-01")

    assert report["rows"]["rejected"] == {"timestamp is missing": 9}
    assert report["rows"]["read"] == TODAY.num_rows


@pytest.mark.parametrize(
    ("table", "options", "code"),
    [
        (TODAY, ("--ignore", "at", "--start", "2024-03-01"), 2),
        (TODAY, ("--start", "2024-03-01", "--end", "2024-03-08"), 1),  # a third of the rows a day
        (TODAY, (), 0),
        (TODAY, ("--strict",), 0),  # freshness is about a window, and nobody named one
        (TODAY.slice(0, 10), (), 0),
        (TODAY.slice(0, 10), ("--strict",), 1),  # ten rows are too few to compare distributions
        (MOVED, (), 1),
        (MOVED, ("--strict",), 1),
    ],
)
def test_exit_codes_tell_what_was_found(
    known: Path, tmp_path: Path, table: pa.Table, options: tuple[str, ...], code: int
) -> None:
    data = write(table, tmp_path / "w.parquet")

    assert watchkeep("check", known, data, "--out", tmp_path / "r", *options).code == code


def test_a_bug_of_ours_is_exit_code_three_and_one_sentence(
    known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchkeep.service.checking.evaluate", lambda *_, **__: 1 / 0)

    answer = watchkeep("check", known, write(TODAY, tmp_path / "w.parquet"), "--out", tmp_path / "r")

    assert (answer.code, answer.out) == (3, "")
    assert answer.err.count("\n") == 1
    assert "ZeroDivisionError" in answer.err
    assert not (tmp_path / "r").exists()


def test_columns_that_vanish_appear_or_move_are_told(known: Path) -> None:
    reordered = TODAY.select(list(reversed(TODAY.column_names)))
    other = TODAY.drop_columns(["color"]).append_column("colour", TODAY["color"])

    assert violated(check(known, reordered)) == set()
    assert violated(check(known, other)) == {
        ("missing_column_check", "color"),
        ("extra_column_check", "colour"),
    }


def test_text_in_a_numeric_column_is_a_counted_mismatch(known: Path, tmp_path: Path) -> None:
    ages = ["abc" if at < 120 else str(age) for at, age in enumerate(TODAY["age"].to_pylist())]
    data = write(TODAY.set_column(0, "age", pa.array(ages)), tmp_path / "w.csv")

    report = watchkeep("check", known, data, "--out", tmp_path / "r", "--json").document

    verdict = next(
        one for one in report["verdicts"] if one["check"] == "data_type_check" and one["subject"] == "age"
    )
    assert (verdict["outcome"], verdict["value"]) == ("violated", 0.88)
    assert "120 string" in verdict["sentence"]


def test_compare_saves_nothing(tmp_path: Path) -> None:
    one, other = write(TRAIN, tmp_path / "a.parquet"), write(MOVED, tmp_path / "b.csv")

    drawn, told = watchkeep("compare", one, other), watchkeep("compare", one, other, "--json")

    assert (drawn.code, told.code) == (1, 1)
    assert found(told.document)["baseline_drift_check", "income"] == "violated"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.parquet", "b.csv"]


def test_show_draws_what_was_saved(known: Path, tmp_path: Path) -> None:
    said = watchkeep("check", known, write(MOVED, tmp_path / "w.parquet"), "--out", tmp_path / "r")

    shown = watchkeep("show", tmp_path / "r")
    document = watchkeep("show", tmp_path / "r", "--json")
    page = watchkeep("show", tmp_path / "r", "--html", tmp_path / "again.html")
    of_baseline = watchkeep("show", known, "--html", tmp_path / "baseline.html")

    assert said.out.startswith(shown.out)
    assert (shown.code, page.code, of_baseline.code) == (1, 0, 0)
    assert document.document == json.loads((tmp_path / "r" / "report.json").read_text())
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "r" / "report.html").read_bytes()
    for name in ("again.html", "baseline.html"):
        text = (tmp_path / name).read_text()
        assert "income" in text
        assert not re.search(r'(src|href)="https?:', text)


def test_the_doctor_finds_this_installation_well() -> None:
    plain, told = watchkeep("doctor"), watchkeep("doctor", "--json")

    assert (plain.code, told.code) == (0, 0)
    assert all(one["well"] for one in told.document["findings"])
    assert "self-check" in plain.out
