"""What is done with records between their making and their writing: admission, privacy, sampling."""

from collections.abc import Sequence
from typing import Protocol

from watchkeep.capture.record import Inference
from watchkeep.capture.traffic import Tallies


class Step(Protocol):
    """What is done with records before they are written."""

    def __call__(self, records: Sequence[Inference], tallies: Tallies) -> list[Inference]:
        """Those that are to be written, as they are to be written; what is lost is counted in `tallies`."""
        ...


def after(
    records: list[Inference], makers: Sequence[object], steps: Sequence[Step], tallies: Tallies
) -> list[Inference]:
    """Records after all steps: first those that their makers have as `steps`, then those of all records.

    Where a step fails at a record, which is a fault of ours, that record is counted as lost: what the step would have
    taken out of it must not be written.

    Args:
        records: as they were made.
        makers: what made each of them.
        steps: for all records.
        tallies: take what is counted.
    """
    different = {id(maker): maker for maker in makers}
    own = {key: found for key, maker in different.items() if (found := getattr(maker, "steps", ()))}
    if len(different) == 1 or not own:
        return _through(records, (*next(iter(own.values()), ()), *steps), tallies)
    groups: dict[int, list[Inference]] = {}
    for one, maker in zip(records, makers, strict=True):
        groups.setdefault(id(maker), []).append(one)
    kept: list[Inference] = []
    for key, several in groups.items():
        kept += _through(several, (*own.get(key, ()), *steps), tallies)
    return kept


def _through(records: list[Inference], steps: Sequence[Step], tallies: Tallies) -> list[Inference]:
    for step in steps:
        records = _through_one(records, step, tallies)
    return records


def _through_one(records: list[Inference], step: Step, tallies: Tallies) -> list[Inference]:
    own = Tallies()
    try:
        kept = step(records, own)
    except Exception as error:  # noqa: BLE001 (one fault must not end the recording of everything else)
        if len(records) > 1:  # one of them it was
            return [kept for one in records for kept in _through_one([one], step, tallies)]
        for one in records:
            tallies.leave_out(one, f"{type(step).__name__} failed: {type(error).__name__}")
        return []
    tallies.merge(own)
    return kept
