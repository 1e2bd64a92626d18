"""Values beside what they are held against, all rows of a table on one scale.

The reference stands in one line through all rows and worse is always to the left, whatever a measure's unit and
whichever way it is better. The unit of the scale is the way from the reference to the limit where there is
one, so that limits stand in one line too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from watchkeep.views.words import number

_ERRORS: Final = 2.0  # standard errors on either side of a value that its band shows
_UNIT: Final = 3.0  # standard errors that are a unit where there is no limit
_LEAST_WORSE, _MOST_WORSE = 1.4, 10.0
_LEAST_BETTER, _MOST_BETTER = 0.6, 10.0
_ROOM: Final = 1.04  # beside the outermost mark


@dataclass(frozen=True, slots=True)
class Compared:
    """What one row of a table compares.

    Args:
        at: the value.
        low, high: of its band.
        reference: what it is held against.
        limit: what it may not pass.
        other: a second value beside it.
        better: 1 if more is better, -1 if less, 0 if neither: then more is drawn to the right.
        step: what one step of the scale is worth, in the measure's own unit; told by limit or band if not given.
    """

    at: float
    low: float
    high: float
    reference: float
    limit: float | None = None
    other: float | None = None
    better: int = 1
    step: float | None = None

    @property
    def unit(self) -> float:
        """What one step of the scale is worth, in the measure's own unit."""
        if self.step is not None:
            return self.step
        way = 0.0 if self.limit is None else self._good(self.reference - self.limit)
        return way if way > 0 else _UNIT * (self.high - self.low) / (2 * _ERRORS)

    def steps(self, value: float) -> float:
        """How many steps a value is better than the reference."""
        return self._good(value - self.reference) / self.unit

    def _good(self, difference: float) -> float:
        return -difference if self.better < 0 else difference


@dataclass(frozen=True, slots=True)
class Strip:
    """One row's marks, in percent from the left.

    Args:
        reference, limit, other: lines; None for one that there is not.
        at: the value.
        left, width: of its band.
        cut: whether the value lies beyond the left (-1) or right (1) end.
        label: the row in words.
    """

    reference: float
    limit: float | None
    other: float | None
    at: float
    left: float
    width: float
    cut: int
    label: str


def banded(value: float, error: float | None) -> tuple[float, float]:
    """The band of a value: two standard errors to either side.

    >>> banded(0.5, 0.125), banded(0.5, None)
    ((0.25, 0.75), (0.5, 0.5))
    """
    reach = _ERRORS * (error or 0.0)
    return value - reach, value + reach


def strips(rows: Sequence[Compared | None], *, reference: str = "baseline") -> list[Strip | None]:
    """The strips of a table on one scale; None for rows that cannot be drawn.

    Args:
        rows: what each compares.
        reference: what they are held against, in a word.

    >>> one, other = strips([Compared(0.7, 0.68, 0.72, 0.8, limit=0.75), Compared(5, 5, 5, 4, limit=6, better=-1)])
    >>> one.limit == other.limit, one.at < one.limit < other.at < one.reference
    (True, True)
    """
    drawn = [row for row in rows if row is not None and 0 < row.unit < inf]
    marks = [row.steps(each) for row in drawn for each in (row.at, row.low, row.high)]
    marks += [row.steps(row.other) for row in drawn if row.other is not None]
    worse = min(max(_LEAST_WORSE, *(-mark for mark in marks)), _MOST_WORSE) if marks else _LEAST_WORSE
    better = min(max(_LEAST_BETTER, *marks), _MOST_BETTER) if marks else _LEAST_BETTER
    better = max(better, worse / 4)  # room for the word above it
    return [
        None if row is None or row not in drawn else _strip(row, _ROOM * worse, _ROOM * better, reference)
        for row in rows
    ]


def _strip(row: Compared, worse: float, better: float, reference: str) -> Strip:
    def place(value: float) -> float:
        share = (row.steps(value) + worse) / (worse + better)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    steps = row.steps(row.at)
    ends = sorted((place(row.low), place(row.high)))
    return Strip(
        reference=place(row.reference),
        limit=None if row.limit is None else place(row.limit),
        other=None if row.other is None else place(row.other),
        at=place(row.at),
        left=ends[0],
        width=round(ends[1] - ends[0], 2),
        cut=-1 if steps < -worse else 1 if steps > better else 0,
        label=_label(row, reference),
    )


def _label(row: Compared, reference: str) -> str:
    told = (
        f"{number(row.at)}, band {number(row.low)} to {number(row.high)}; {reference} {number(row.reference)}"
    )
    return told + ("" if row.limit is None else f"; limit {number(row.limit)}")
