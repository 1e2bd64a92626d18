"""A column of numbers as detectors see it: its distribution before and now, and what chance may do to it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from watchkeep.causes.patterns.pieces import Pieces, gap
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import Column, numbers
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.codec import State, part_of
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.value_types import ValueTypes
from watchkeep.stats.distances import noise

LEAST_ROWS: Final = 30
"""Numbers on either side with fewer of which no bug is told from chance."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The numbers of one side.

    Args:
        pieces: their distribution.
        mean, deviation: the mean, and the population standard deviation.
        tail: the excess kurtosis, 0 for a normal law.
        skew: the skewness.
        distinct: how many are different; an estimate beyond 1,023.
        types: which types the values look like.
        presence: rows, and how many hold a value.
    """

    pieces: Pieces
    mean: float
    deviation: float
    tail: float
    skew: float
    distinct: int
    types: ValueTypes
    presence: Presence

    @property
    def rows(self) -> float:
        """Numbers."""
        return self.pieces.total

    @property
    def low(self) -> float:
        """The smallest number."""
        return float(self.pieces.lows[0])

    @property
    def high(self) -> float:
        """The largest number."""
        return float(self.pieces.highs[-1])

    @property
    def missing(self) -> float:
        """The share of rows that hold no value."""
        return self.presence.missing / self.presence.rows if self.presence.rows else 0.0

    @property
    def mean_error(self) -> float:
        """The standard error of the mean."""
        return self.deviation / math.sqrt(self.rows)

    @property
    def scale_error(self) -> float:
        """The relative standard error of the standard deviation."""
        return 0.5 * math.sqrt(max(0.1, self.tail + 2) / self.rows)


@dataclass(frozen=True)
class Pair:
    """The numbers of a column, in the baseline and in the window.

    Args:
        name: the column.
        before, now: the two sides.
        whole: whether the column is one of whole numbers.
        local: whether these are the rows of a slice which alone has changed.
    """

    name: str
    before: Sample
    now: Sample
    whole: bool
    local: bool = False

    @cached_property
    def chance(self) -> float:
        """How far apart the two are by chance at most, but for one time in 300."""
        return noise(int(self.now.rows), int(self.before.rows))

    @cached_property
    def gap(self) -> float:
        """How far apart the two are: a Kolmogorov-Smirnov distance."""
        return gap(self.before.pieces, self.now.pieces)

    @cached_property
    def shift(self) -> float:
        """By how many standard deviations of the baseline the mean moved; 0 when it has none."""
        spread = self.before.deviation
        return (self.now.mean - self.before.mean) / spread if spread > 0 else 0.0

    @cached_property
    def shift_error(self) -> float:
        """The standard error of the difference of the two means."""
        return math.hypot(self.now.mean_error, self.before.mean_error)

    @cached_property
    def stretch(self) -> float:
        """The window's standard deviation as a multiple of the baseline's; 0 when that has none."""
        return self.now.deviation / self.before.deviation if self.before.deviation > 0 else 0.0

    @cached_property
    def stretch_error(self) -> float:
        """The relative standard error of `stretch`."""
        return math.hypot(self.now.scale_error, self.before.scale_error)

    @cached_property
    def moving(self) -> float:
        """The share of the baseline's numbers that are not 0: what is multiplied."""
        return max(0.0, 1 - self.before.pieces.within(0.0, 0.0))

    @cached_property
    def beyond(self) -> Pieces:
        """The window's numbers that lie beyond the baseline's range."""
        now = self.now.pieces
        return now.chosen((now.highs < self.before.low) | (now.lows > self.before.high))

    @property
    def held(self) -> float:
        """The share of the window's rows that hold a number."""
        return min(1.0, self.now.rows / max(1, self.now.presence.rows))


def log_gap(one: float, two: float) -> float:
    """How far apart two sizes are, |ln(one / two)|; infinite when one is not above 0, or not finite.

    >>> round(log_gap(2.0, 4.0), 3), log_gap(0.0, 1.0)
    (0.693, inf)
    """
    if not (0 < one < math.inf and 0 < two < math.inf):
        return math.inf
    return abs(math.log(one) - math.log(two))


def alike(expected: Pieces, seen: Sample) -> bool:
    """Whether mean, spread and ends are the same but for chance: what is left when rows lie in a few wide runs."""
    mean, deviation = expected.spread()
    if not deviation or not seen.deviation or abs(mean - seen.mean) > 5 * seen.mean_error + 0.02 * deviation:
        return False
    if log_gap(seen.deviation, deviation) > 5 * seen.scale_error + 0.02:
        return False
    low, high = float(expected.lows[0]), float(expected.highs[-1])
    reach = 0.25 * (high - low)
    return low - reach <= seen.low and seen.high <= high + reach


def pair_of(column: Column) -> Pair | None:
    """A column's numbers on both sides; None when it has none, or too few."""
    if not numbers(column):
        return None
    bins, counts = column.before("bins", Bins), column.now("bin_counts", BinCounts)
    before, now = column.before("extremes", Extremes), column.now("extremes", Extremes)
    if bins is None or counts is None or before is None or now is None:
        return None
    if not len(bins) or before.empty or now.empty:
        return None
    first = _sample(column.baseline, Pieces.of_bins(bins, before.low, before.high))
    second = _sample(column.window, Pieces.of_counts(counts, bins, now.low, now.high))
    if first is None or second is None:
        return None
    return Pair(column.name, first, second, column.type is ColumnType.INTEGRAL)


def _sample(parts: Mapping[str, State], pieces: Pieces) -> Sample | None:
    """One side; None when it is too small, or its numbers too large to be added up."""
    moments, distinct = part_of(parts, "moments", Moments), part_of(parts, "distinct", Distinct)
    if moments is None or distinct is None or pieces.total < LEAST_ROWS:
        return None
    mean, deviation = moments.average(), moments.deviation()
    if not isinstance(mean, float) or not isinstance(deviation, float):
        return None
    tail, skew = moments.kurtosis(), moments.skewness()
    return Sample(
        pieces,
        mean,
        deviation if moments.varies else 0.0,
        tail if isinstance(tail, float) else 0.0,
        skew if isinstance(skew, float) else 0.0,
        distinct.estimate(),
        part_of(parts, "types", ValueTypes) or ValueTypes(),
        part_of(parts, "presence", Presence) or Presence(),
    )
