"""Files that cannot be read, and row groups that need not be: nothing is counted twice, nothing in silence."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scenarios.people import ROLES, people
from tests.scenarios.world import rows, watchkeep, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, of which the second has no footer any more."""
    for at in range(3):
        write(rows(500, seed=at), tmp_path / "data" / f"{at}.parquet")
    (tmp_path / "data" / "1.parquet").write_bytes(b"PAR1 and then nothing PAR1")
    return tmp_path / "data"


def test_a_baseline_is_learned_of_the_files_that_can_be_read(folder: Path, tmp_path: Path) -> None:
    refused = watchkeep("baseline", "data-quality", folder, "--out", tmp_path / "b")
    learned = watchkeep(
        "baseline", "data-quality", folder, "--damaged", "skip", "--out", tmp_path / "b", "--json"
    )

    assert refused.is_one_sentence
    assert "1.parquet" in refused.err
    assert learned.code == 0, learned.err
    assert learned.document["rows"] == 1000
    assert learned.err == (
        f"watchkeep: {folder}: 1 of 3 files could not be read, and were left out: {folder / '1.parquet'}\n"
    )


def test_a_report_tells_on_every_page_what_was_left_out(folder: Path, tmp_path: Path) -> None:
    assert watchkeep("baseline", "data-quality", folder / "0.parquet", "--out", tmp_path / "b").code == 0

    answer = watchkeep("check", tmp_path / "b", folder, "--damaged", "skip", "--out", tmp_path / "r")

    assert "1 of 3 files (33.3 %) left out, as it cannot be read" in answer.out
    assert "1 of 3 files" in (tmp_path / "r" / "report.html").read_text()


def test_of_too_few_files_nothing_is_said_of_the_whole(folder: Path, tmp_path: Path) -> None:
    """Three files of which one cannot be read: no tick, an undecided check, a watch that does not learn from it."""
    known, watch = tmp_path / "b", tmp_path / "b.watch"
    assert watchkeep("baseline", "data-quality", folder / "0.parquet", "--out", known).code == 0
    check = ("check", known, folder, "--damaged", "skip", "--out", tmp_path / "r")

    told = watchkeep(*check, "--json", "--watch", watch)
    drawn = watchkeep(*check).out

    why = "1 of 3 files (33.3 %) could not be read, where at most 10 % may be missing"
    assert told.code == 0
    assert told.document["rows"]["files"] == {"met": 3, "left_out": 1} | {
        key: size for key, size in told.document["rows"]["files"].items() if key.startswith("bytes")
    }
    assert told.document["decision"]["sentence"] == f"Too little data to tell: {why}."
    assert told.document["outcomes"]["undecided"] == 1
    assert watchkeep(*check, "--strict").code == 1
    assert f"◌ Completed: {why}: this is told of the rest." in " ".join(drawn.split())
    assert "◌ Too little data to tell" in drawn
    assert f"Too little data to tell: {why}" in " ".join(watchkeep("show", watch).out.split())


def test_of_the_rows_of_a_window_those_of_its_files_count(folder: Path, tmp_path: Path) -> None:
    """Files whose rows all lie outside the window are not among them; one that is damaged may lie inside."""
    for day in range(8):
        late = rows(200, seed=9).set_column(
            4, "at", pa.array([day * 86_400_000_000] * 200, pa.timestamp("us", "UTC"))
        )
        write(late, folder / f"day{day}.parquet")
    known = tmp_path / "b"
    assert (
        watchkeep("baseline", "data-quality", folder / "0.parquet", "--timestamp", "at", "--out", known).code
        == 0
    )

    window = ("--start", "1970-01-03", "--end", "1970-01-04")
    answer = watchkeep(
        "check", known, folder, *window, "--damaged", "skip", "--out", tmp_path / "r", "--json"
    )

    assert answer.document["rows"]["analysed"] == 200
    assert {key: answer.document["rows"]["files"][key] for key in ("met", "left_out")} == {
        "met": 2,
        "left_out": 1,
    }


def quality(tmp_path: Path) -> tuple[Path, Path]:
    """A baseline of answers, and a window in many row groups, with times."""
    table = people(2000, 1)
    times = pa.array(range(2000), pa.timestamp("s", "UTC"))
    path = tmp_path / "w.parquet"
    pq.write_table(table.append_column("at", times), path, row_group_size=100)
    known = tmp_path / "b"
    assert watchkeep("baseline", "model-quality", path, *ROLES, "--timestamp", "at", "--out", known).code == 0
    return known, path


def test_lists_of_rows_pass_over_row_groups_outside_the_window(tmp_path: Path) -> None:
    known, path = quality(tmp_path)
    window: tuple[Any, ...] = ("--start", "1970-01-01T00:10:00Z", "--end", "1970-01-01T00:20:00Z")

    review = watchkeep(
        "check",
        known,
        path,
        *window,
        "--review",
        tmp_path / "l.csv",
        "--review-below",
        1,
        "--out",
        tmp_path / "r",
    )
    plan = watchkeep("label-plan", known, path, *window, "--out", tmp_path / "plan.csv")

    assert review.code in (0, 1), review.err
    assert len((tmp_path / "l.csv").read_text().splitlines()) <= 601
    assert plan.code == 0, plan.err


def test_a_list_of_rows_is_not_made_of_files_that_may_be_left_out(tmp_path: Path) -> None:
    known, path = quality(tmp_path)

    answer = watchkeep(
        "check", known, path, "--review", tmp_path / "l.csv", "--damaged", "skip", "--out", tmp_path / "r"
    )

    assert answer.is_one_sentence
    assert "--review" in answer.err
