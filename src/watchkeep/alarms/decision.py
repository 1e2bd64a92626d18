"""What a watch says of a window."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

COLUMNS: Final = "columns"
MEASURES: Final = "measures"
GROUPS: Final = "groups"
FEATURES: Final = "features"


class Outcome(StrEnum):
    """The answer in words."""

    CHANGED = "changed"
    UNCHANGED = "not changed"
    TOO_LITTLE = "too little data to tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a watch says of one window.

    Args:
        key: what tells the window from others.
        digest: what tells its rows from others'.
        number: its place among the windows of this watch, from 0.
        start, end: its bounds; None when it has none.
        rows: its rows.
        outcome: the answer in words.
        level: the evidence over what it takes to ring: the watch rings at 1 and above. While an alarm is open,
            evidence of a change beyond the one that is known.
        alarm: whether the watch rings.
        warning: whether the window is worth a look: a budget ten times as large would ring.
        open: the key of the window whose alarm is still open, this one's included; None when none is.
        evidence: each subject's share of the evidence, largest first; they sum to 1.
        changes: what kind of change each subject of `named` shows most, as `Change` spells it.
        named: subjects that changed; some are wrong in at most 5 % of alarms.
        since: the start of the first window that seems changed, or its key when windows have no bounds.
        windows: how many windows, up to this one, that is.
        detectable: for each subject the smallest change that this window alone would show: of a mean in baseline
            standard deviations, of a category in share of rows.
        shift: the smallest shift of a mean, in baseline standard deviations, that the last `lasting` windows taken
            together would have shown in any column of numbers; 0 when nothing was judged.
        lasting: those windows.
        within: as `detectable`, if a change lasts for so many windows.
        why: why there is no answer; empty when there is one.
        about: what its subjects are: columns, measures of answers, groups of people, or features by what answers
            rest on.
        parts: columns of which the sizes in `detectable` are shares of rows; those of others are standard deviations.
            None where it is not about columns, and of decisions made before this was told.
    """

    key: str
    digest: str
    number: int
    start: datetime | None
    end: datetime | None
    rows: int
    outcome: Outcome
    level: float
    alarm: bool
    warning: bool
    open: str | None
    evidence: Mapping[str, float] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    since: datetime | str | None = None
    windows: int = 0
    detectable: Mapping[str, float] = field(default_factory=dict)
    shift: float = 0.0
    lasting: int = 1
    within: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    why: str = ""
    about: str = COLUMNS
    parts: tuple[str, ...] | None = None
