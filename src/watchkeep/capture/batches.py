"""What a recorder takes, and the batches in which it is written."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from watchkeep.capture.record import Columns, Inference
from watchkeep.capture.steps import Step, after
from watchkeep.capture.traffic import Tallies

_PAUSE: Final = 1e-4
"""Seconds between pieces of work, so that the model's threads get to run: who gives the interpreter away for less takes
it back before they woke up."""

Make = Callable[[Any, str], Inference]
"""Makes a record. One that has `steps` says what is done with the records it makes, before what is done with all."""


@runtime_checkable
class ColumnMaker(Protocol):
    """What makes records column by column, too; they have ids of their own."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done with its records before what is done with all."""
        ...

    def columns(self, several: Sequence[Any], event_ids: Sequence[str]) -> Columns:
        """The records of what was taken."""
        ...


Told = Callable[[str | None], None]
"""Told that a record is on the disk (None), or why it never will be."""
Waiting = tuple[Make, Any, int, Told | None]
"""What is to be written: what makes the record, of what, its bytes, and who waits for it."""


@dataclass(slots=True)
class Batch:
    """Records that are being written.

    Args:
        taken: of which they were made.
        kept: they.
        tallies: what was counted.
        given: whether some of their ids come from elsewhere.
    """

    taken: list[Waiting]
    kept: Columns
    tallies: Tallies
    given: bool

    def give_up(self, why: str) -> None:
        """Count all records as lost; what was counted is written without them."""
        for row in zip(*self.kept.values, strict=True):
            self.tallies.leave_out(Inference(*row), why)
        self.kept = Columns.of([])
        tell(self.taken, why)
        self.nobody_waits()

    def nobody_waits(self) -> None:
        """Forget who waits for them: they were told."""
        self.taken = [(make, what, size, None) for make, what, size, _ in self.taken]


def batch_of(
    taken: list[Waiting], prefix: str, first: int, *, steps: Sequence[Step], tallies: Tallies
) -> Batch:
    """The records of what was taken, after all steps.

    Args:
        taken: what.
        prefix, first: event ids are this text and a number, from the first one on.
        steps: what is done with all records.
        tallies: take what is counted.
    """
    ids = [f"{prefix}{number:012x}" for number in range(first, first + len(taken))]
    plain = _plain(taken, steps)
    if plain is not None:
        columns = plain.columns([what for _, what, _, _ in taken], ids)
        rest(taken)
        tallies.count(columns)
        rest(taken)
        return Batch(taken, columns, tallies, given=False)
    kept = [make(what, own) for (make, what, _, _), own in zip(taken, ids, strict=True)]
    tallies.count(kept)
    kept = after(kept, [make for make, _, _, _ in taken], steps, tallies)
    return Batch(taken, Columns.of(kept), tallies, not all(one.event_id.startswith(prefix) for one in kept))


def _plain(taken: Sequence[Waiting], steps: Sequence[Step]) -> ColumnMaker | None:
    """What makes all of some records, where it makes columns of them and nothing is to be done with them."""
    if steps or len({id(make) for make, _, _, _ in taken}) != 1:
        return None
    maker: object = taken[0][0]
    return maker if isinstance(maker, ColumnMaker) and not maker.steps else None


def tell(several: Iterable[Waiting], why: str | None) -> None:
    """Tell those who wait that their records are on the disk (None), or why they never will be."""
    for _, _, _, told in several:
        if told is not None:
            with suppress(Exception):  # whoever waited has gone, and the loop with it
                told(why)


def rest(taken: Iterable[Waiting]) -> None:
    """Let the model's threads run for a moment, unless somebody waits for what was taken."""
    if all(told is None for _, _, _, told in taken):
        time.sleep(_PAUSE)
