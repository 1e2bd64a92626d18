"""`--explain` tells how data would be read, and reads none of it."""

from pathlib import Path

import pytest
from tests.scenarios.world import baseline, rows, watchkeep, write

from watchkeep.adapters.sources import file_source


def test_a_plan_tells_parts_columns_and_what_the_window_spares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = baseline(tmp_path, rows(2000, seed=1), "--timestamp", "at")
    for at in range(6):
        table = rows(300, seed=at).append_column("note", rows(300, seed=at)["color"])
        write(table.sort_by("at"), tmp_path / "data" / f"{at}.parquet")
    monkeypatch.setattr(file_source, "PART", 1)
    words = ("check", known, tmp_path / "data", "--explain", "--threads", 2)

    plan = watchkeep(*words, "--json").document
    spared = watchkeep(*words, "--start", "2030-01-01", "--json").document
    told = watchkeep(*words)

    assert (plan["parts"], plan["at_a_time"], plan["files"], plan["rows"]) == (6, 2, 6, 1800)
    assert plan["columns"]["baseline"]["not_decoded"] == ["note"]
    assert spared["row_groups"] == {"all": 6, "outside": 6, "rows_outside": 1800}
    assert "5 of 6 columns decoded; not decoded: note" in told.out
    assert told.code == 0


def test_files_that_are_left_out_are_counted_and_few_parts_are_read_by_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = baseline(tmp_path, rows(500, seed=1))
    for at in range(3):
        write(rows(100, seed=at), tmp_path / "data" / f"{at}.parquet")
    (tmp_path / "data" / "1.parquet").write_bytes(b"PAR1 and then nothing PAR1")
    monkeypatch.setattr(file_source, "PART", 1)
    words = ("check", known, tmp_path / "data", "--explain", "--threads", 4)

    refused, told = watchkeep(*words), watchkeep(*words, "--damaged", "skip")

    assert refused.is_one_sentence
    assert "1.parquet" in refused.err
    assert told.code == 0, told.err
    assert "1 file cannot be read, and would be left out." in told.out
    assert "local, in this process" in told.out
    assert "Parts are fewer than 4: to start processes for them would take longer." in told.out
    assert "3, less than 1 MB each" in told.out
    assert "merged" not in told.out


def test_a_query_is_not_run_to_explain_it(tmp_path: Path) -> None:
    known = baseline(tmp_path, rows(500, seed=1))

    answer = watchkeep("check", known, "duckdb://?query=select error('it ran') as age", "--explain")

    assert answer.code == 0, answer.err
    assert "read only once" in answer.out


def test_a_folder_of_damaged_baselines_is_told(tmp_path: Path) -> None:
    known = baseline(tmp_path / "all", rows(500, seed=1))
    (known / "baseline.arrow").write_bytes(b"broken")
    data = write(rows(100, seed=2), tmp_path / "w.parquet")

    answer = watchkeep("check", tmp_path / "all", data, "--explain")

    assert answer.is_one_sentence
    assert "baseline.arrow" in answer.err
