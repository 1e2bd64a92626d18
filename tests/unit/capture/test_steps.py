"""Records go through what their maker says, and no fault in it ends the recording or lets anything slip through."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.unit.capture.records import inference

from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.segment import blocks_of, complete
from watchkeep.capture.steps import Step, after
from watchkeep.capture.traffic import Tallies


class Mark:
    """Adds a mark to each record."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:
        return [one._replace(flags=one.flags + self.mark) for one in records]


class Fails:
    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:
        raise ZeroDivisionError("41 is told to nobody")


class Maker:
    def __init__(self, *steps: Step) -> None:
        self.steps = steps

    def __call__(self, what: str, event_id: str) -> Inference:
        return inference(name=what, event=event_id)


def test_those_of_the_maker_come_first_and_then_those_of_all() -> None:
    plain, one, two = object(), Maker(Mark("a"), Mark("b")), Maker(Mark("c"))
    makers = [one, plain, two, one]
    records = [inference(name=str(at)) for at in range(4)]

    found = after(records, makers, [Mark("z")], Tallies())

    assert {one.inference_id: one.flags for one in found} == {"0": "abz", "1": "z", "2": "cz", "3": "abz"}
    assert [one.inference_id for one in found if one.flags == "abz"] == ["0", "3"]
    assert after(records[:1], [one], (), Tallies())[0].flags == "ab"
    assert after(records, [plain] * 4, (), Tallies()) == records


def test_records_of_a_step_that_fails_are_counted_as_lost_and_the_others_are_stored(tmp_path: Path) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=60))
    for at in range(10):
        recorder.take(Maker(Mark("x"), Fails()) if at % 5 == 0 else Maker(Mark("y")), f"i{at}", 0)
    recorder.flush()
    recorder.take(Maker(), "later", 0)
    recorder.close()

    blocks = [block for path in complete(tmp_path) for block in blocks_of(path)[0]]
    stored = [one for block in blocks for one in records_of(block)]
    tallies = Tallies()
    for block in blocks:
        tallies.merge(Tallies.read(block.tallies))
    lost = sum((one.lost for one in tallies.of.values()), Counter[str]())
    assert Counter(one.flags for one in stored) == {"y": 8, "": 1}
    assert lost == {"Fails failed: ZeroDivisionError": 2}
    assert recorder.counts.document() == {"stored": 9, "left_out": 2, "lost": {}}
