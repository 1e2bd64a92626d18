"""How estimates have turned out: what was expected of each window before its labels, and what came true."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Outturn:
    """One measure of one window's labelled rows, as it was estimated and as it came out.

    Args:
        key: the window.
        measure: its name.
        value: what came true.
        estimated: what was expected before labels were looked at.
        low, high: the band of the estimate.
    """

    key: str
    measure: str
    value: float
    estimated: float
    low: float
    high: float

    @property
    def within(self) -> bool:
        """Whether what came true lies in the band."""
        return self.low <= self.value <= self.high


@dataclass(frozen=True, slots=True)
class Track:
    """How the estimates of a measure have turned out, over windows.

    Args:
        measure: its name.
        windows: windows whose labels have come.
        within: those whose value lay in the band.
        miss: mean of what came true less what was expected, in the measure's unit: what estimates are off by.
        distance: mean of the absolute difference.
    """

    measure: str
    windows: int
    within: int
    miss: float
    distance: float

    @classmethod
    def of(cls, measure: str, outturns: Sequence[Outturn]) -> Self:
        """The track of a measure, of at least one window."""
        gaps = [one.value - one.estimated for one in outturns]
        return cls(
            measure,
            len(gaps),
            sum(one.within for one in outturns),
            sum(gaps) / len(gaps),
            sum(map(abs, gaps)) / len(gaps),
        )


def tracks(outturns: Iterable[Outturn]) -> tuple[Track, ...]:
    """The tracks of all measures, in the order in which they first came.

    >>> [one] = tracks([Outturn("mon", "auc", 0.71, 0.72, 0.70, 0.74), Outturn("tue", "auc", 0.66, 0.72, 0.70, 0.74)])
    >>> one.windows, one.within, round(one.miss, 3)
    (2, 1, -0.035)
    """
    by_measure: dict[str, list[Outturn]] = {}
    for one in outturns:
        by_measure.setdefault(one.measure, []).append(one)
    return tuple(Track.of(name, several) for name, several in by_measure.items())
