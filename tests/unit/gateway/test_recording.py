"""What a worker hands on to be recorded."""

from pathlib import Path
from typing import Any

import pytest

from watchkeep.gateway import recording as recordings
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.recording import recording
from watchkeep.gateway.turns import Turn


class Recorder:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def take(self, make: Any, what: Any, size: int, told: Any = None) -> None:
        self.sizes.append(size)

    def flush(self) -> bool:
        return True


def test_a_record_takes_the_memory_of_what_is_kept_of_its_bodies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    monkeypatch.setattr(recordings, "recorder_of", lambda home: recorder)
    turn = Turn()
    turn.watched, turn.collects = True, 100
    for _ in range(10):
        turn.take(bytes(1000))
        turn.give(bytes(1000))

    with recording(tmp_path, False, 100, {}, 0, Counters()) as watch:
        watch(turn)

    assert (turn.input_size, turn.output_size) == (10_000, 10_000)
    assert recorder.sizes == [200]
