"""A distribution as runs of numbers and the rows in each: what states tell of a column without its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.cells import Cells, cell_high

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Map = Callable[[Doubles], Doubles]

TIGHT: Final = 1e-9
"""Relative difference of two numbers that only rounding has made different."""
_NARROWEST: Final = 1e-280
_POINTS: Final = 2000


@dataclass(frozen=True, eq=False)
class Pieces:
    """Disjoint runs of finite numbers in increasing order, and the rows in each.

    The distribution function is exact at the ends of runs, and a straight line within one.

    Args:
        lows, highs: the ends of each run, shape (runs,); lows <= highs.
        counts: rows in each, shape (runs,), > 0.
        blur: how wide the run of a single number is, as a share of the number.

    >>> pieces = Pieces(np.array([0.0, 2.0]), np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    >>> pieces.up_to(np.array([0.5, 1.5, 9.0])).tolist()
    [0.375, 0.75, 1.0]
    """

    lows: Doubles
    highs: Doubles
    counts: Doubles
    blur: float = 0.0

    @classmethod
    def of_bins(cls, bins: Bins, low: float, high: float) -> Self:
        """A baseline's numbers; its smallest and largest are known."""
        return cls._held(bins.lows, bins.highs, bins.counts, low, high, bins.shift)

    @classmethod
    def of_counts(cls, counts: BinCounts, bins: Bins, low: float, high: float) -> Self:
        """A window's numbers, in its baseline's bins and beyond; the smallest and largest are known."""
        sides: tuple[Cells, Cells] = (counts.below, counts.above)
        (below, under), (above, over) = (
            (cells.lows(), cell_high(cells.keys, cells.shift)) for cells in sides
        )
        return cls._held(
            np.concatenate([below, bins.lows, above]),
            np.concatenate([under, bins.highs, over]),
            np.concatenate([counts.below.counts, counts.counts, counts.above.counts]),
            low,
            high,
            max(bins.shift, *(cells.shift for cells in sides if len(cells.keys)), 0),
        )

    @classmethod
    def _held(
        cls, lows: Doubles, highs: Doubles, counts: npt.NDArray[np.int64], low: float, high: float, shift: int
    ) -> Self:
        real = np.isfinite(lows) & np.isfinite(highs) & (counts > 0) & (highs >= low) & (lows <= high)
        lows, highs = np.clip(lows[real], low, high), np.clip(highs[real], low, high)
        # The run of 0 is so narrow that no slope of it is finite.
        highs = np.where(highs - lows < _NARROWEST, lows, highs)
        return cls(lows + 0.0, highs + 0.0, counts[real].astype(np.float64), 2.0 ** (shift - 52))

    @cached_property
    def total(self) -> float:
        """Rows."""
        return float(self.counts.sum())

    @cached_property
    def after(self) -> Doubles:
        """The share of rows up to the high end of each run, shape (runs,)."""
        return np.cumsum(self.counts) / self.total

    @cached_property
    def ahead(self) -> Doubles:
        """The share of rows before each run, shape (runs,)."""
        return (np.cumsum(self.counts) - self.counts) / self.total

    @cached_property
    def shares(self) -> Doubles:
        """The share of rows in each run, shape (runs,)."""
        return self.counts / self.total

    @cached_property
    def _knots(self) -> tuple[Doubles, Doubles]:
        return (
            np.column_stack([self.lows, self.highs]).ravel(),
            np.column_stack([self.ahead, self.after]).ravel(),
        )

    @cached_property
    def edges(self) -> tuple[Doubles, Doubles]:
        """The numbers at which the distribution function is exact, and the share of rows up to each."""
        return self._knots

    def up_to(self, numbers: Doubles) -> Doubles:
        """The share of rows up to each of these numbers, any shape."""
        where, height = self._knots
        return np.interp(numbers, where, height, left=0.0, right=1.0)

    def within(self, low: float, high: float) -> float:
        """The share of rows from low to high, give or take the blur of each."""
        slack = (TIGHT + self.blur) * max(abs(low), abs(high))
        first, last = self.up_to(np.array([np.nextafter(low - slack, -np.inf), high + slack]))
        return float(last - first)

    def quantiles(self, shares: Doubles) -> Doubles:
        """The numbers that so large a share of the rows lies below, any shape."""
        where, height = self._knots
        return np.interp(shares, height, where)

    def mapped(self, of: Map) -> Self | None:
        """The runs when every number is replaced by a rising or falling function of it; None where it has none."""
        with np.errstate(all="ignore"):
            first, second = of(self.lows), of(self.highs)
        if not (np.isfinite(first).all() and np.isfinite(second).all()):
            return None
        lows, highs, counts = np.minimum(first, second), np.maximum(first, second), self.counts
        if len(lows) > 1 and lows[0] > lows[-1]:
            lows, highs, counts = lows[::-1], highs[::-1], counts[::-1]
        # Rounding may make the end of a run pass the start of the next.
        highs[:-1] = np.minimum(highs[:-1], lows[1:])
        lows, highs = np.maximum.accumulate(lows), np.maximum.accumulate(highs)
        return type(self)(lows, np.maximum(lows, highs), counts, self.blur)

    def spread(self) -> tuple[float, float]:
        """About the mean, and the standard deviation."""
        middles = self.quantiles((np.arange(_POINTS) + 0.5) / _POINTS)
        return float(middles.mean()), float(middles.std())

    def chosen(self, which: Mask) -> Self:
        """Only these runs; `which` of shape (runs,)."""
        return type(self)(self.lows[which], self.highs[which], self.counts[which], self.blur)

    def joined(self, other: Self) -> Self:
        """The runs of both, cut where those of either end."""
        ends = np.unique(np.concatenate([self.lows, self.highs, other.lows, other.highs]))
        ends = np.sort(np.concatenate([ends, np.nextafter(ends, -np.inf)]))
        height = self.total * self.up_to(ends) + other.total * other.up_to(ends)
        counts = np.diff(height)
        held = counts > 0
        return type(self)(ends[:-1][held], ends[1:][held], counts[held], max(self.blur, other.blur))


def gap(expected: Pieces, seen: Pieces, *, slack: float = 0.0) -> float:
    """The largest difference of two distribution functions, where that of `seen` is exact.

    The Kolmogorov-Smirnov distance, but numbers that differ by no more than the runs of single numbers are wide, or
    by `slack`, count as the same (so it is of Lévy's kind). In [0, 1].

    Args:
        expected: the one distribution.
        seen: the other.
        slack: in the numbers' unit, >= 0.

    >>> one = Pieces(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    >>> two = Pieces(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([4.0, 1.0]))
    >>> round(gap(one, two), 6), round(gap(one, two, slack=1.5), 6)
    (0.3, 0.0)
    """
    where, height = seen.edges
    return _largest(height, *envelope(expected, where, max(expected.blur, seen.blur), slack))


def envelope(expected: Pieces, where: Doubles, blur: float, slack: float = 0.0) -> tuple[Doubles, Doubles]:
    """The least and the most that a distribution function may be at numbers that are blurred."""
    reach = np.abs(where) * min(0.02, TIGHT + blur) + slack
    return expected.up_to(np.nextafter(where - reach, -np.inf)), expected.up_to(where + reach)


def _largest(height: Doubles, least: Doubles, most: Doubles) -> float:
    found = float(np.maximum(height - most, least - height).max()) if len(height) else 1.0
    return max(0.0, found) if np.isfinite(found) else 1.0


def mixture_gap(parts: tuple[Pieces, Pieces], share: float, seen: Pieces, slack: float = 0.0) -> float:
    """As `gap`, of a mixture: so large a share of the rows is of the second part."""
    where, height = seen.edges
    blur = max(parts[0].blur, parts[1].blur, seen.blur)
    (least, most), (less, more) = (envelope(part, where, blur, slack) for part in parts)
    return _largest(height, (1 - share) * least + share * less, (1 - share) * most + share * more)


def vagueness(expected: Pieces, seen: Pieces) -> float:
    """The most by which `gap` may be too low, since rows within a run may lie anywhere in it. In [0, 1]."""
    reach = np.maximum(np.abs(seen.lows), np.abs(seen.highs)) * (TIGHT + max(expected.blur, seen.blur))
    wide = seen.highs - seen.lows > 2 * reach
    risen = expected.up_to(seen.highs) - expected.up_to(seen.lows)
    return float(np.where(wide, np.minimum(risen, seen.shares), 0.0).max(initial=0.0))
