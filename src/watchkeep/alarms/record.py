"""A watch through time: windows in order, each once, and what people did about its alarms."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from watchkeep.alarms.decision import Decision
from watchkeep.alarms.track import Outturn
from watchkeep.alarms.watch import History, Panel, Sighting
from watchkeep.core.errors import WatchError
from watchkeep.core.window import iso

REOPENED: Final = 24
"""Windows back to which late rows are taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody did.

    Args:
        what: "acknowledged" or "new baseline".
        at: when.
        by: who.
        text: why.
        after: how many windows there were by then.
    """

    what: str
    at: datetime
    by: str
    text: str
    after: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Record:
    """All there is to a watch: a value. It can be saved, and going through the windows again gives the same.

    Args:
        baseline: the identity of the baseline.
        false_alarms: the budget: unchanged windows that may ring, as a share.
        margin: what is too little to matter, in standard deviations of a row.
        closed: the history up to the last window that late rows cannot change any more.
        history: the history up to the last window.
        decisions: what was said of every window, in order.
        notes: what people did.
        outturns: how the estimates of windows whose labels have come turned out.
    """

    baseline: str
    false_alarms: float
    margin: float
    closed: History
    history: History
    decisions: tuple[Decision, ...] = ()
    notes: tuple[Note, ...] = ()
    outturns: tuple[Outturn, ...] = ()

    def observe(
        self, panel: Panel, sighting: Sighting, *, name: str = "this watch"
    ) -> tuple["Record", Decision]:
        """What a window says, and the record with it.

        A window seen before, with the same rows, changes nothing. With other rows (late ones) it is judged again,
        and so are the windows after it.

        Raises:
            WatchError: the window begins before the end of the last one, or is too old to be judged again.
        """
        known = next((one for one in reversed(self.decisions) if one.key == sighting.key), None)
        if known is not None:
            return (
                (self, known)
                if known.digest == sighting.digest
                else self._again(panel, sighting, known, name)
            )
        last = self.decisions[-1] if self.decisions else None
        if (
            last is not None
            and sighting.start is not None
            and last.end is not None
            and sighting.start < last.end
        ):
            raise WatchError(
                name,
                why=f"the window from {iso(sighting.start)} begins before the last one ended, at {iso(last.end)}; "
                "windows must come in order",
            )
        history, decision = panel.observe(self.history, sighting)
        return _closing(
            replace(self, history=history, decisions=(*self.decisions, decision)), panel
        ), decision

    def turned_out(self, key: str, outturns: Sequence[Outturn]) -> "Record":
        """The record with what became of a window's estimates, in place of what was known of it before."""
        others = tuple(one for one in self.outturns if one.key != key)
        mine = tuple(one for one in self.outturns if one.key == key)
        return self if mine == tuple(outturns) else replace(self, outturns=(*others, *outturns))

    def acknowledged(self, *, by: str, text: str, at: datetime) -> "Record":
        """The record with the open alarm ended: evidence starts again, and the baseline stays as it was."""
        note = Note(what="acknowledged", at=at, by=by, text=text, after=self.history.count)
        history = replace(self.history, alarm=None, fresh=self.history.count)
        return replace(self, history=history, closed=history, notes=(*self.notes, note))

    def rebased(self, baseline: str, panel: Panel, *, by: str, text: str, at: datetime) -> "Record":
        """The record with another baseline: all evidence starts again, past decisions stay on record."""
        note = Note(what="new baseline", at=at, by=by, text=text, after=self.history.count)
        count = self.history.count
        history = replace(panel.start(), count=count, fresh=count)
        return replace(
            self, baseline=baseline, history=history, closed=history, notes=(*self.notes, note), outturns=()
        )

    def _again(
        self, panel: Panel, sighting: Sighting, known: Decision, name: str
    ) -> tuple["Record", Decision]:
        if known.number < self.closed.count:
            raise WatchError(
                name,
                why=f"the window {sighting.key} came again with other rows, and is too old to be judged again: "
                f"there is no way back beyond {REOPENED} windows, an acknowledgement or a new baseline",
            )
        windows = [sighting if one.key == sighting.key else one for one in _open(self)]
        history, decisions = self.closed, list(self.decisions[: self.closed.count])
        for one in windows:
            history, decision = panel.observe(history, replace(one, learnable=True))
            decisions.append(decision)
        record = replace(self, history=history, decisions=tuple(decisions))
        return record, decisions[known.number]


def _open(record: Record) -> Sequence[Sighting]:
    """The windows that late rows may still change."""
    count = record.history.count - record.closed.count
    return record.history.sightings[len(record.history.sightings) - count :]


def _closing(record: Record, panel: Panel) -> Record:
    closed = record.closed
    for one in _open(record)[: max(0, record.history.count - closed.count - REOPENED)]:
        closed, _ = panel.observe(closed, replace(one, learnable=True))
    return replace(record, closed=closed)


def started(baseline: str, panel: Panel) -> Record:
    """A watch that has seen nothing."""
    history = panel.start()
    return Record(
        baseline=baseline,
        false_alarms=panel.budget,
        margin=panel.margin,
        closed=history,
        history=history,
    )
