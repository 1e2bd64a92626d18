"""A forest plot: intervals of bias beside the ranges they may lie in, all groups on one scale.

Both are treated alike in one line through all rows; to its left a group is worse off, to its right better, whatever
the sign of the measure is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2
from typing import Final, Self

from watchkeep.views.words import number

_FAVOUR: Final = {"DRR": 1, "EOD": 1, "AOD": 1, "FT": 1, "CG": 1, "DI": 1}
_AGAINST: Final = ("DPL", "DPPL", "AD", "RD", "SD", "DAR", "DCA", "DCR", "CDDL", "CDDPL")
_RATIOS: Final = ("DI",)
_LEAST, _MOST = 0.15, 1.0  # of differences that the scale ends at
_LEAST_RATIO, _MOST_RATIO = 0.5, 3.0  # in doublings
_ROOM: Final = 1.06


@dataclass(frozen=True, slots=True)
class Gap:
    """What one row compares.

    A measure, its interval, the range it may lie in, the baseline's value, and how far chance may reach at the level
    that it is judged at.
    """

    name: str
    neutral: float
    value: float | None
    low: float | None
    high: float | None
    at_least: float | None
    at_most: float | None
    before: float | None
    reach: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Forest:
    """One row's marks, in percent from the left; the line of equal treatment is at 50.

    Args:
        at: the value.
        left, width: of its interval.
        reach: left end and width of what chance may make of it; None where it is not judged.
        allowed: left end and width of the range it may lie in; None without one.
        other: the baseline's value; None without one.
        cut: whether the value lies beyond the left (-1) or right (1) end.
        label: the row in words.
    """

    at: float
    left: float
    width: float
    reach: tuple[float, float] | None
    allowed: tuple[float, float] | None
    other: float | None
    cut: int
    label: str


def favours(name: str) -> int:
    """1 if more of a measure is better for the group, -1 if it is worse, 0 if neither can be said.

    >>> favours("DI"), favours("DPPL"), favours("GE")
    (1, -1, 0)
    """
    return _FAVOUR.get(name, -1 if name in _AGAINST else 0)


@dataclass(frozen=True, slots=True)
class Scale:
    """The common scale of differences, and that of ratios.

    Args:
        difference: at either end.
        ratio: at either end, in doublings.
    """

    difference: float
    ratio: float

    @classmethod
    def of(cls, gaps: Iterable[Gap]) -> Self:
        """The scale on which all are seen, unless they are extreme."""
        ends = {True: _LEAST_RATIO, False: _LEAST}
        for gap in gaps:
            if not favours(gap.name):
                continue
            for value in (gap.value, gap.low, gap.high, gap.at_least, gap.at_most, gap.before):
                if value is not None:
                    ratio = gap.name in _RATIOS
                    ends[ratio] = max(ends[ratio], abs(_way(gap.name, value)))
        return cls(min(_MOST, ends[False]) * _ROOM, min(_MOST_RATIO, ends[True]) * _ROOM)

    def drawn(self, gap: Gap) -> Forest | None:
        """A row's marks; None where there is nothing to draw."""
        if gap.value is None or not favours(gap.name):
            return None
        at = self._place(gap.name, gap.value)
        ends = sorted(self._place(gap.name, gap.value if end is None else end) for end in (gap.low, gap.high))
        left, right = (min(max(end, 0.0), 100.0) for end in ends)
        allowed = None
        if gap.at_least is not None or gap.at_most is not None:
            far = [self._limit(gap, gap.at_least, -1), self._limit(gap, gap.at_most, 1)]
            allowed = (round(min(far), 2), round(max(far) - min(far), 2))
        other = None if gap.before is None else min(max(self._place(gap.name, gap.before), 0.0), 100.0)
        return Forest(
            at=round(min(max(at, 0.0), 100.0), 2),
            left=round(left, 2),
            width=round(right - left, 2),
            reach=None if gap.reach is None else self._span(gap.name, gap.reach),
            allowed=allowed,
            other=None if other is None else round(other, 2),
            cut=-1 if at < 0 else 1 if at > 100 else 0,
            label=_label(gap),
        )

    def _span(self, name: str, ends: tuple[float, float]) -> tuple[float, float]:
        left, right = sorted(min(max(self._place(name, end), 0.0), 100.0) for end in ends)
        return round(left, 2), round(right - left, 2)

    def _place(self, name: str, value: float) -> float:
        end = self.ratio if name in _RATIOS else self.difference
        return 50 + 50 * favours(name) * _way(name, value) / end

    def _limit(self, gap: Gap, limit: float | None, side: int) -> float:
        """Where a range ends: at the end of the scale where it has no limit."""
        place = self._place(gap.name, limit) if limit is not None else 50 + 50 * side * favours(gap.name)
        return min(max(place, 0.0), 100.0)


def _way(name: str, value: float) -> float:
    """How far from equal treatment: of a ratio in doublings."""
    if name not in _RATIOS:
        return value
    return log2(value) if value > 0 else -1000.0


def _label(gap: Gap) -> str:
    assert gap.value is not None  # noqa: S101 (the caller looked)
    told = f"{gap.name} {number(gap.value, digits=3)}"
    if gap.low is not None and gap.high is not None:
        told += f", interval {number(gap.low, digits=3)} to {number(gap.high, digits=3)}"
    if gap.at_least is not None and gap.at_most is not None:
        told += f", allowed {number(gap.at_least, digits=3)} to {number(gap.at_most, digits=3)}"
    return told + ("" if gap.before is None else f", baseline {number(gap.before, digits=3)}")
