"""The benchmark of overload: its disk is as slow as it is told to be, and full when it is told to."""

import os
import time
from pathlib import Path

import pytest
from bench.capture.overload import Memory, slow_disk
from tests.unit.capture.records import inference

from watchkeep.capture.segment import Segment


def test_a_disk_takes_so_much_a_second_and_is_full_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    now = [100.0]
    monkeypatch.setattr(Segment, "append", Segment.append)  # it is put back afterwards
    monkeypatch.setattr("bench.capture.overload.time.monotonic", lambda: now[0])
    monkeypatch.setattr("bench.capture.overload.time.sleep", slept.append)
    slow_disk(0.5, (10, 20))
    segment = Segment.new(tmp_path)

    segment.append([inference(b"x" * 1000)])
    assert slept == [segment.size / (1 << 19)]
    now[0] = 110
    with pytest.raises(OSError, match="No space left"):
        segment.append([inference(b"x")])
    now[0] = 120
    segment.append([inference(b"x")])
    assert len(slept) == 2


def test_memory_is_read_until_it_ends() -> None:
    memory = Memory(os.getpid(), every=0.01)
    memory.start()
    while not memory.bytes:
        time.sleep(0.01)

    assert min(memory.end()) > 1 << 20
