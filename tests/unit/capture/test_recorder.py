"""Whatever happens to the disk, every record is stored once, or counted as lost."""

import errno
import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from watchkeep.capture import recorder as recording
from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.recorder import ENDED, FULL, SPOOLED, Recorder, Settings
from watchkeep.capture.segment import Segment, blocks_of, complete
from watchkeep.capture.traffic import Tallies


def inference(number: int, body: bytes = b"41") -> Inference:
    return Inference(
        "churn", "A", "", f"i{number}", number, 250, 3, 200, 1.0, "", "", "text/csv", "", body, None
    )


def stored(folder: Path) -> list[Inference]:
    return [one for path in complete(folder) for block in blocks_of(path)[0] for one in records_of(block)]


def tallied(folder: Path) -> Tallies:
    tallies = Tallies()
    for path in complete(folder):
        for block in blocks_of(path)[0]:
            tallies.merge(Tallies.read(block.tallies))
    return tallies


def lost(folder: Path) -> Counter[str]:
    return sum((traffic.lost for traffic in tallied(folder).of.values()), Counter[str]())


def until(done: Any) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Disk:
    """A disk that fails when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fails: int | None = None
        self.torn = False
        append = Segment.append

        def attempt(segment: Segment, *what: Any, given: bool) -> None:
            if self.fails is not None:
                segment.broken = self.torn
                raise OSError(self.fails, os.strerror(self.fails))
            append(segment, *what, given=given)

        monkeypatch.setattr(Segment, "append", attempt)
        monkeypatch.setattr(recording, "_AGAIN", 0.01)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_records_are_there_in_order_and_have_ids_of_their_own(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=0.01))
    for number in range(2000):
        recorder.record(inference(number))
    recorder.close()

    found = stored(tmp_path)
    assert [one.inference_id for one in found] == [f"i{number}" for number in range(2000)]
    assert len({one.event_id for one in found}) == 2000
    assert recorder.counts.document() == {"stored": 2000, "left_out": 0, "lost": {}}


def test_an_id_that_is_there_is_kept(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path))
    recorder.record(inference(1)._replace(event_id="mine"))
    recorder.close()

    assert [one.event_id for one in stored(tmp_path)] == ["mine"]


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=0.005, size=20_000))

    def run(first: int) -> None:
        for number in range(first, first + 500):
            recorder.record(inference(number))

    threads = [threading.Thread(target=run, args=(500 * at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()

    assert sorted(one.time for one in stored(tmp_path)) == list(range(4000))
    assert len(complete(tmp_path)) > 1


def test_what_memory_does_not_hold_is_counted(tmp_path: Path, disk: Disk) -> None:
    disk.fails = errno.ENOSPC
    recorder = Recorder(Settings(folder=tmp_path, memory=100_000))
    recorder.record(inference(0))
    until(lambda: recorder._failing)
    for number in range(1, 1000):
        recorder.record(inference(number))
    disk.fails = None
    recorder.close()

    kept = len(stored(tmp_path))
    assert 0 < kept < 1000
    assert lost(tmp_path) == recorder.counts.lost == {"disk is full": 1000 - kept}
    assert sum(one.invocations for one in tallied(tmp_path).of.values()) == 1000


def test_more_than_memory_holds(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, memory=1000))
    recorder.record(inference(0, body=bytes(2000)))
    recorder.close()

    assert lost(tmp_path) == {FULL: 1}


@pytest.mark.parametrize("torn", [False, True])
def test_what_a_failing_disk_held_up_is_written_once_when_it_is_back(
    tmp_path: Path, disk: Disk, torn: bool
) -> None:
    disk.fails, disk.torn = errno.EIO, torn
    recorder = Recorder(Settings(folder=tmp_path, delay=0.005))
    for number in range(100):
        recorder.record(inference(number))
    until(lambda: recorder._failing)
    disk.fails = None
    recorder.close()

    assert [one.time for one in stored(tmp_path)] == list(range(100))
    assert sum(one.invocations for one in tallied(tmp_path).of.values()) == 100
    assert recorder.counts.lost == {}


def test_who_waits_is_told_when_a_record_is_there_and_when_it_may_never_be(
    tmp_path: Path, disk: Disk
) -> None:
    told: list[str | None] = []
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    recorder.record(inference(0), told.append)
    until(lambda: len(told) == 1)
    assert len([block for path in tmp_path.iterdir() for block in blocks_of(path)[0]]) == 1

    disk.fails = errno.EROFS
    recorder.record(inference(1), told.append)
    until(lambda: len(told) == 2)
    disk.fails = None
    recorder.close()
    recorder.record(inference(2), told.append)

    assert told == [None, "disk is read-only", ENDED]


def test_what_cannot_be_written_at_the_end_is_counted(tmp_path: Path, disk: Disk) -> None:
    told: list[str | None] = []
    disk.fails = errno.ENOSPC
    recorder = Recorder(Settings(folder=tmp_path))
    recorder.record(inference(0))
    recorder.record(inference(1), told.append)
    recorder.close(patience=0.05)

    assert recorder.counts.lost == {"disk is full": 2}
    assert told == ["disk is full"]


def test_a_spool_that_is_full_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "old.segment").write_bytes(bytes(2000))
    recorder = Recorder(Settings(folder=tmp_path, spool=1000))
    recorder.record(inference(0))
    recorder.close(patience=0.05)

    assert recorder.counts.lost == {SPOOLED: 1}


def test_large_bodies_are_written_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    append = Segment.append

    def seen(segment: Segment, records: Any, *what: Any, given: bool) -> None:
        sizes.append(sum(map(len, records.values[-2])))
        append(segment, records, *what, given=given)

    monkeypatch.setattr(Segment, "append", seen)
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    for number in range(30):
        recorder.record(inference(number, bytes(1 << 20)))
    recorder.close()

    assert recorder.counts.stored == 30
    assert max(sizes) <= 5 << 20  # what is written is copied, and that is memory, too


def test_a_step_may_leave_records_out_and_count_them(tmp_path: Path) -> None:
    def half(records: Any, tallies: Tallies) -> list[Inference]:
        for one in records[1::2]:
            tallies.leave_out(one, "odd")
        return list(records[::2])

    recorder = Recorder(Settings(folder=tmp_path, delay=60, steps=(half,)))
    for number in range(10):
        recorder.record(inference(number))
    recorder.close()

    assert [one.time for one in stored(tmp_path)] == [0, 2, 4, 6, 8]
    assert (recorder.counts.stored, recorder.counts.left_out) == (5, 5)
    assert lost(tmp_path) == {"odd": 5}


def test_a_forked_process_has_records_of_its_own(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    recorder.record(inference(0))
    child = os.fork()
    if child == 0:
        recorder.record(inference(1))
        recorder.close()
        os._exit(0)
    os.waitpid(child, 0)
    recorder.close()

    found = stored(tmp_path)
    assert sorted(one.time for one in found) == [0, 1]
    assert len({one.event_id for one in found}) == 2


def test_flushing_completes_a_segment_and_goes_on(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    recorder.record(inference(0))
    assert recorder.flush()
    assert [one.time for one in stored(tmp_path)] == [0]

    recorder.record(inference(1))
    recorder.close()

    assert [one.time for one in stored(tmp_path)] == [0, 1]
    assert len(complete(tmp_path)) == 2


def test_a_segment_that_is_written_is_left_alone_and_one_that_was_left_is_taken(tmp_path: Path) -> None:
    segment = Segment.new(tmp_path)
    segment.append([inference(0)])
    assert complete(tmp_path) == []

    segment.abandon()
    with segment.path.open("ab") as file:
        file.write(b"WKB1 and then the power went")

    (left,) = complete(tmp_path)
    blocks, torn = blocks_of(left)
    assert [one.time for block in blocks for one in records_of(block)] == [0]
    assert torn == 28


def test_what_was_lost_while_a_batch_waited_is_told_after_it(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, spool=1, delay=0.01, memory=3000))
    recorder.record(inference(0))
    assert recorder.flush()
    for number in range(1, 10):
        recorder.record(inference(number))
    assert not recorder.flush(patience=0.5)
    for number in range(10, 15):
        recorder.record(inference(number))
    (sealed,) = complete(tmp_path)
    sealed.unlink()

    recorder.close()

    blocks = [block for path in complete(tmp_path) for block in blocks_of(path)[0]]
    told = Tallies()
    for block in blocks:
        told.merge(Tallies.read(block.tallies))
    (traffic,) = told.totals().of.values()
    assert traffic.invocations == 14
    assert sum(traffic.lost.values()) + sum(block.rows for block in blocks) == 14
    assert SPOOLED in traffic.lost
