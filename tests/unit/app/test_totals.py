"""Counts of a home never go down, whatever is sealed while they are read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.capture.records import inference

from watchkeep.adapters.captures.sealing import tallies_of
from watchkeep.app import traffic
from watchkeep.app.traffic import Totals
from watchkeep.capture.home import SEGMENTS
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.segment import blocks_of, complete, pending


def test_a_segment_that_is_sealed_meanwhile_is_counted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(Settings(folder=tmp_path / SEGMENTS, delay=60))
    for name in "abc":
        recorder.record(inference(name=name))
    recorder.close()
    totals = Totals(tmp_path)

    def looked_at(folder: Path) -> Iterator[tuple[Path, int]]:
        for path in complete(folder):  # whoever seals is quicker
            monkeypatch.undo()
            totals.add(path.stem, tallies_of(blocks_of(path)[0]))
            path.unlink()
        return pending(folder)

    monkeypatch.setattr(traffic, "pending", looked_at)

    for _ in range(2):
        assert [one.invocations for one in totals.now().of.values()] == [3]
