"""A recording process is killed at any moment: what it had recorded longer ago than it promises is on the disk."""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.scenarios.world import watchkeep
from tests.unit.capture.stores import queried

from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.segment import blocks_of, complete

DELAY = 0.02
RECORDING = f"""
import sys, time
from pathlib import Path
from watchkeep.capture.record import Inference
from watchkeep.capture.recorder import Recorder, Settings

recorder = Recorder(Settings(folder=Path(sys.argv[1]) / "segments", delay={DELAY}, size=20_000))
number = 0
while True:
    for _ in range(20):
        body = b'{{"age": %d}}' % number
        now = time.time_ns() // 1000
        one = Inference("churn", "A", "", str(number), now, 1, 1, 200, 1.0, "", "", "", "", body, b"0.5")
        recorder.record(one)
        number += 1
    print(number, time.time_ns() // 1000, flush=True)
    time.sleep(0.0005)
"""


def killed(home: Path, after: float) -> list[tuple[int, int]]:
    """How many records there were, and when, as a process told until it was killed."""
    words = [sys.executable, "-c", RECORDING, str(home)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(after)
        process.kill()
        lines = (first + process.stdout.read()).decode().splitlines()
    told = [re.fullmatch(r"(\d+) (\d+)", line) for line in lines]
    return [(int(one[1]), int(one[2])) for one in told if one is not None]


def test_fifty_kills_lose_no_more_than_is_promised(tmp_path: Path) -> None:
    chance = random.Random(11)
    for kill in range(50):
        home = tmp_path / str(kill)
        told = killed(home, chance.uniform(0, 0.25))
        found = [
            one
            for path in complete(home / "segments")
            for block in blocks_of(path)[0]
            for one in records_of(block)
        ]
        numbers = [int(one.inference_id) for one in found]

        # What is there is the beginning of what was recorded, each record once.
        assert numbers == list(range(len(numbers)))
        assert len({one.event_id for one in found}) == len(found)
        # What is missing is younger than the delay; the rest is for a machine that does other things too.
        end = told[-1][1]
        old = [count for count, at in told if at < end - (DELAY + 1) * 1e6]
        assert len(numbers) >= max(old, default=0)
        shutil.rmtree(home, ignore_errors=True)


def test_what_a_killed_process_left_is_sealed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path))
    for _ in range(4):
        killed(tmp_path, 0.1)
    sealed = watchkeep("captures", "seal", "--json").document
    again = watchkeep("captures", "seal", "--json").document

    rows = queried(f"SELECT capture_event_id FROM read_parquet('{tmp_path}/captures/**/*.parquet')")
    assert len(rows) == len(set(rows)) == sealed["records"] > 0
    assert again == {"version": 1, "segments": 0, "records": 0, "files": 0, "torn_bytes": 0, "labels": 0}
    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert listed["Invocations"] == len(rows)


def test_a_disk_that_is_full_costs_records_that_are_counted(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        recorder = Recorder(Settings(folder=disk, memory=2_000_000, delay=0.01))
        one = Inference("churn", "A", "", "", 0, 1, 1, 200, 1.0, "", "", "", "", os.urandom(10_000), None)
        for number in range(400):
            recorder.record(one._replace(time=number))
            time.sleep(0.001)
        deadline = time.monotonic() + 20
        while not recorder.counts.lost and time.monotonic() < deadline:
            recorder.record(one)
            time.sleep(0.001)
        lost = dict(recorder.counts.lost)
        room = complete(disk)
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        recorder.close(patience=20)
        found = [one for path in complete(disk) for block in blocks_of(path)[0] for one in records_of(block)]
        taken = len(found) + sum(recorder.counts.lost.values())
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)

    assert lost.keys() == {"disk is full"}
    assert recorder.counts.stored == len(found)
    assert taken >= 400
    assert room == []
    assert len({one.event_id for one in found}) == len(found)
