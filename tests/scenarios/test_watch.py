"""`check --watch`: a cron job and a folder are enough."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.world import baseline, rows, watchkeep, write

KNOWN = ("number", "outcome", "level", "alarm", "named", "open", "since")


def window(seed: int, *, shifted: bool = False) -> pa.Table:
    table = rows(300, seed=seed)
    if shifted:
        table = table.set_column(1, "income", pa.array(1.7 * np.asarray(table["income"])))
    return table


def observed(at: Path, file: Path, *options: object) -> dict[str, Any]:
    answer = watchkeep("check", at, file, "--out", at.parent / "report", "--json", *options)
    assert answer.code in (0, 1), answer.err
    decision: dict[str, Any] = answer.document["decision"]
    return {name: decision[name] for name in KNOWN} | {"code": answer.code}


def test_evidence_is_kept_from_call_to_call_and_an_alarm_is_exit_code_one(tmp_path: Path) -> None:
    at, watch = baseline(tmp_path, rows(3_000, seed=1)), tmp_path / "w.watch"
    files = [write(window(10 + day, shifted=day == 3), tmp_path / f"{day}.parquet") for day in range(5)]

    said = [observed(at, file, "--watch", watch) for file in files]

    assert [one["number"] for one in said] == [0, 1, 2, 3, 4]
    assert [one["alarm"] for one in said] == [False, False, False, True, False]
    assert said[3]["code"] == 1
    assert said[3]["named"][0] == "income"
    assert said[4]["open"] is not None
    document = json.loads((tmp_path / "report" / "report.json").read_text())["decision"]
    assert [one["alarm"] for one in document["history"]] == [False, False, False, True, False]

    assert watchkeep("acknowledge", watch, "--by", "ada", "--note", "prices rose").code == 0
    shown = watchkeep("show", watch, "--json").document
    assert shown["decision"]["notes"][0]["by"] == "ada"
    assert shown["decision"]["number"] == 4


def test_without_a_watch_the_window_is_judged_by_itself(tmp_path: Path) -> None:
    at = baseline(tmp_path, rows(3_000, seed=1))
    said = [
        observed(at, write(window(20, shifted=shifted), tmp_path / "w.parquet")) for shifted in (False, True)
    ]

    assert [one["outcome"] for one in said] == ["not changed", "changed"]


@pytest.mark.slow
def test_thirty_windows_killed_at_random_give_the_decisions_of_one_process(tmp_path: Path) -> None:
    at = baseline(tmp_path, rows(3_000, seed=1))
    files = [write(window(30 + day, shifted=day >= 22), tmp_path / f"{day}.parquet") for day in range(30)]
    expected = [observed(at, file, "--watch", tmp_path / "whole.watch") for file in files]
    moments = random.Random(7)

    said = []
    for at_window, file in enumerate(files):
        command = [sys.executable, "-m", "watchkeep", "check", str(at), str(file)]
        command += ["--out", str(tmp_path / "killed"), "--watch", str(tmp_path / "killed.watch")]
        if at_window % 3 == 0:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(moments.uniform(0.2, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait()
        said.append(observed(at, file, "--watch", tmp_path / "killed.watch"))

    assert said == expected
    assert [one["alarm"] for one in said].index(True) == 22


def test_two_at_once_wait_for_each_other(tmp_path: Path) -> None:
    at, watch = baseline(tmp_path, rows(2_000, seed=1)), tmp_path / "w.watch"
    files = [write(window(60 + day), tmp_path / f"{day}.parquet") for day in range(4)]

    command = [sys.executable, "-m", "watchkeep", "check", str(at)]
    processes = [
        subprocess.Popen(
            [*command, str(file), "--out", str(tmp_path / f"r{place}"), "--watch", str(watch)],
            stdout=subprocess.DEVNULL,
        )
        for place, file in enumerate(files)
    ]

    assert [process.wait() for process in processes] == [0] * 4
    shown = watchkeep("show", watch, "--json").document
    assert sorted(one["number"] for one in shown["decision"]["history"]) == [0, 1, 2, 3]


def test_a_watch_of_another_baseline_is_refused_in_one_sentence(tmp_path: Path) -> None:
    at, watch = baseline(tmp_path / "one", rows(2_000, seed=1)), tmp_path / "w.watch"
    other = baseline(tmp_path / "other", rows(2_000, seed=2))
    file = write(window(70), tmp_path / "w.parquet")
    observed(at, file, "--watch", watch)

    answer = watchkeep("check", other, file, "--out", tmp_path / "r", "--watch", watch)

    assert answer.is_one_sentence
    assert "watches over baseline" in answer.err
    assert not (tmp_path / "r").exists()


def test_windows_out_of_order_are_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    at, watch = baseline(tmp_path, rows(2_000, seed=1), "--timestamp", "at"), tmp_path / "w.watch"
    file = write(rows(4_000, seed=80), tmp_path / "w.parquet")
    days = {day: ("--start", f"2024-03-0{day}", "--end", f"2024-03-0{day + 1}") for day in (2, 4)}
    observed(at, file, "--watch", watch, *days[4])
    before = watch.read_bytes()

    answer = watchkeep("check", at, file, "--out", tmp_path / "r", "--watch", watch, *days[2])

    assert answer.is_one_sentence
    assert "must come in order" in answer.err
    assert watch.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"watchkeep watch\n" + bytes(range(64))], ids=["empty", "junk", "damaged"]
)
def test_a_file_that_is_no_watch_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    at, watch = baseline(tmp_path, rows(2_000, seed=1)), tmp_path / "w.watch"
    file = write(window(90), tmp_path / "w.parquet")
    watch.write_bytes(content)

    answer = watchkeep("check", at, file, "--out", tmp_path / "r", "--watch", watch)

    assert answer.is_one_sentence
    assert watch.read_bytes() == content
