"""No command takes away what it did not make: `--out` replaces a folder of its own kind, and nothing else."""

from pathlib import Path

import pytest
from tests.scenarios.world import baseline, rows, watchkeep, write

TRAIN = rows(2000, seed=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("archive", "why"), [(True, "this one holds 'baseline.arrow'"), (False, "this one lacks 'report.json'")]
)
def test_a_report_does_not_take_the_place_of_a_baseline(tmp_path: Path, archive: bool, why: str) -> None:
    known, data = baseline(tmp_path, TRAIN), write(TRAIN, tmp_path / "w.parquet")
    if not archive:  # as SageMaker leaves it: two JSON files
        (known / "baseline.arrow").unlink()
    old = contents(known)

    answer = watchkeep("check", known, data, "--out", known)

    assert answer.is_one_sentence
    assert f"one that holds a report and nothing else; {why}" in answer.err
    assert contents(known) == old


def test_a_report_is_no_baseline(tmp_path: Path) -> None:
    known, data, report = (
        baseline(tmp_path, TRAIN),
        write(TRAIN, tmp_path / "w.parquet"),
        tmp_path / "r",
    )
    watchkeep("check", known, data, "--out", report)

    answer = watchkeep("check", report, data, "--out", tmp_path / "r2")

    assert answer.is_one_sentence
    assert "it holds a report, not a baseline" in answer.err


@pytest.mark.parametrize("command", ["baseline", "check"])
@pytest.mark.parametrize("theirs", ["analysis.md", "reports/d0/report.json", "src/code.py"])
def test_a_folder_that_also_holds_something_else_is_left_as_it_is(
    tmp_path: Path, command: str, theirs: str
) -> None:
    known, data = baseline(tmp_path, TRAIN), write(TRAIN, tmp_path / "w.parquet")
    words: list[object] = ["check", known, data] if command == "check" else ["baseline", "data-quality", data]
    out = tmp_path / "out"
    assert watchkeep(*words, "--out", out).code == 0
    (out / theirs).parent.mkdir(parents=True, exist_ok=True)
    (out / theirs).write_text("precious")
    old = contents(out)

    answer = watchkeep(*words, "--out", out)

    assert answer.is_one_sentence
    assert f"this one holds {theirs.partition('/')[0]!r}" in answer.err
    assert contents(out) == old
