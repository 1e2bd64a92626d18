"""No fault, of ours or of others, ends the recording of what comes after it or breaks what is recorded."""

import asyncio
import fcntl
import json
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.capture.records import inference

from watchkeep.capture.exchange import Capturing
from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.recorder import NO_THREAD, Recorder, Settings
from watchkeep.capture.segment import Segment, blocks_of, complete
from watchkeep.capture.steps import after
from watchkeep.capture.traffic import Tallies
from watchkeep.capture.watching import watched


def stored(folder: Path) -> list[str]:
    return [
        one.inference_id
        for path in complete(folder)
        for block in blocks_of(path)[0]
        for one in records_of(block)
    ]


def lost(folder: Path) -> dict[str, int]:
    tallies = Tallies()
    for path in complete(folder):
        for block in blocks_of(path)[0]:
            tallies.merge(Tallies.read(block.tallies))
    return {reason: count for one in tallies.of.values() for reason, count in one.lost.items()}


def test_a_record_that_cannot_be_written_is_counted_and_later_ones_are_stored(tmp_path: Path) -> None:
    told: list[str | None] = []
    recorder = Recorder(Settings(folder=tmp_path, delay=0.005))
    recorder.record(inference(name="a", latency=2**70), told.append)
    assert recorder.flush()
    recorder.record(inference(name="b"), told.append)
    recorder.close()

    assert stored(tmp_path) == ["b"]
    assert told == ["it cannot be written: OverflowError", None]
    assert lost(tmp_path) == {"it cannot be written: OverflowError": 1}


def test_a_record_that_cannot_be_made_is_counted_and_later_ones_are_stored(tmp_path: Path) -> None:
    def make(what: Any, event_id: str) -> Inference:
        raise ZeroDivisionError

    told: list[str | None] = []
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    recorder.take(make, None, 0, told.append)
    assert recorder.flush()
    recorder.record(inference(name="b"))
    recorder.close()

    assert stored(tmp_path) == ["b"]
    assert told == [*recorder.counts.lost] == ["it cannot be made: ZeroDivisionError"]
    assert recorder._held == 0


def test_whoever_waited_may_be_gone(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    recorder = Recorder(Settings(folder=tmp_path, delay=60))

    def told(why: str | None) -> None:
        loop.call_soon_threadsafe(print, why)

    recorder.record(inference(name="a"), told)
    assert recorder.flush()
    recorder.record(inference(name="b"))
    recorder.close()

    assert stored(tmp_path) == ["a", "b"]


def test_a_folder_may_be_gone(tmp_path: Path) -> None:
    folder = tmp_path / "segments"
    recorder = Recorder(Settings(folder=folder, delay=60))
    recorder.record(inference(name="a"), lambda _: None)
    assert recorder.flush()
    recorder.record(inference(name="b"), lambda _: shutil.rmtree(folder))
    assert recorder.flush()
    recorder.record(inference(name="c"))
    recorder.close()

    assert stored(folder) == ["c"]


def test_without_a_thread_records_are_counted_as_lost_and_nobody_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    recorder = Recorder(Settings(folder=tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        recorder.record(inference(name="a"))
    recorder.record(inference(name="b"))
    recorder.close()

    assert recorder.counts.lost == {NO_THREAD: 1}
    assert stored(tmp_path) == ["b"]


def test_a_sealer_that_cannot_be_started_keeps_no_record_from_the_disk(tmp_path: Path) -> None:
    def opened() -> None:
        raise OSError("no process can be started")

    told: list[str | None] = []
    recorder = Recorder(Settings(folder=tmp_path, opened=opened))
    recorder.record(inference(name="a"), told.append)
    recorder.close()

    assert (stored(tmp_path), told) == (["a"], [None])


def test_a_segment_that_is_taken_for_one_left_behind_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    seen: list[int] = []

    def late(file: int, how: int) -> None:
        if how == fcntl.LOCK_EX and not seen:  # whoever seals is quicker
            seen.append(file)
            assert complete(tmp_path) == []
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    segment = Segment.new(tmp_path)
    segment.append([inference(name="a")])
    segment.close()

    assert seen
    assert stored(tmp_path) == ["a"]


def test_what_is_recorded_before_a_flush_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread has looked at the queue for the last time, and not yet whether it is to complete the segment."""
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    recorder.record(inference(name="a"))
    assert recorder.flush()
    rotate, flushed = recorder._rotate, threading.Event()

    def between() -> None:
        rotate()
        if not flushed.is_set():
            recorder.record(inference(name="b"))
            recorder._completed.clear()  # as `flush` does
            recorder._to_complete.set()
            recorder._wake.set()
            flushed.set()

    monkeypatch.setattr(recorder, "_rotate", between)
    recorder._wake.set()
    assert flushed.wait(20)
    assert recorder._completed.wait(20)

    assert stored(tmp_path) == ["a", "b"]
    recorder.close()


class FailsAt:
    """Fails at records of one name, and counts the others as flagged."""

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:
        for one in records:
            if one.inference_id == "bad":
                raise RecursionError
            tallies.flag(one, [("age", "range")])
        return list(records)


def test_a_record_at_which_a_step_fails_takes_no_others_with_it() -> None:
    tallies = Tallies()
    records = [inference(name=name) for name in ("a", "b", "bad", "c")]

    kept = after(records, [object()] * 4, [FailsAt()], tallies)

    assert [one.inference_id for one in kept] == ["a", "b", "c"]
    (traffic,) = tallies.of.values()
    assert traffic.lost == {"FailsAt failed: RecursionError": 1}
    assert traffic.flagged == {("age", "range"): 3}


class Odd:
    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({np.int64(3): 0.5, (1, 2): [{"x": np.float64(1)}]}, {"3": 0.5, "(1, 2)": [{"x": 1.0}]}),
        ({"odd": Odd()}, None),
    ],
)
def test_a_function_is_called_whatever_its_arguments_are(
    tmp_path: Path, given: dict[Any, Any], told: Any
) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    function = watched(lambda row: row, Capturing(recorder=recorder, endpoint="churn"))

    assert function(given) is given
    recorder.close()

    (one,) = (one for path in complete(tmp_path) for block in blocks_of(path)[0] for one in records_of(block))
    found = [json.loads(body) if body else None for body in (one.input, one.output)]
    assert found == [told, told]


def test_a_function_that_is_called_wrongly_says_so_itself(tmp_path: Path) -> None:
    def predict(row: object) -> object:
        return row

    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    function: Any = watched(predict, Capturing(recorder=recorder, endpoint="churn"))
    with pytest.raises(TypeError, match=r"predict\(\) missing 1 required positional argument"):
        function()
    recorder.close()
