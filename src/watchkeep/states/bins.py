"""Counts in bins that a baseline owns: narrow enough that nothing a distance needs is lost.

A bin is a run of cells (`cells.py`) that holds at most 1/1024 of the baseline's values, or a single cell. So a
Kolmogorov-Smirnov distance on bins is below the exact one by at most the baseline's share of one bin, whatever the
window does: within a bin the baseline's distribution function moves by no more, and the window's difference from it
at the bin's ends bounds the rest. A value frequent enough to fill a bin has the empty stretch after it as a bin of
its own.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.states.cells import MANTISSA, Cells, Doubles, Keys, cell_high, cell_low, keys_of
from watchkeep.states.codec import Fields, array, floats, whole
from watchkeep.states.tallies import FEW, Grid, Placed, Reach

Unsigned = npt.NDArray[np.unsignedinteger[Any]]

PARTS = 2048
"""Bins of equal share a column without heavy values is cut into."""
TAIL_LIMIT = 512
"""Cells kept on either side of the baseline's range."""
_STEPS = (
    64  # cuts to a unit of asinh((x - mean) / deviation): a bin far out is at most 1/64 of its distance wide
)


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of one numeric column of a baseline, and how many of the baseline's values each holds.

    Args:
        shift: the shift of the cells the edges are cells of.
        edges: first cell of each bin, and one past the last cell of the last; increasing, shape (bins + 1,).
        counts: the baseline's values in each, shape (bins,); a bin may be empty.
        centers: a value that stands for each bin, shape (bins,).
        octaves: sign-and-exponent classes the baseline's values occur in: where a fast layout has slots.
    """

    kind: ClassVar[str] = "bins"
    version: ClassVar[int] = 1

    shift: int
    edges: Keys
    counts: Keys
    centers: Doubles
    octaves: Keys

    @classmethod
    def of(cls, cells: Cells, *, mean: float, deviation: float) -> Self:
        """Bins over these cells. `mean` and `deviation` only steer how finely the tails are cut."""
        if not len(cells.keys):
            none = np.zeros(0, np.int64)
            return cls(cells.shift, none, none, np.zeros(0), none)
        keys, counts, total = cells.keys, cells.counts, cells.total
        lows = cells.lows()
        # In a column of few values of few digits each is its cell's lowest double.
        few = len(keys) <= PARTS
        values = lows if few else np.where(lows == 0, 0.0, _middle(lows, cell_high(keys, cells.shift)))
        before = np.cumsum(counts) - counts
        heavy = counts * PARTS > total
        cut = np.ones(len(keys), np.bool_)
        cut[1:] = (np.diff(before * PARTS // total) != 0) | heavy[1:] | heavy[:-1]
        cut[1:] |= np.diff((keys < 0).astype(np.int8)) != 0
        if deviation > 0 and np.isfinite(deviation) and np.isfinite(mean):
            with np.errstate(over="ignore"):
                steps = np.floor(_STEPS * np.arcsinh((np.clip(values, -1e300, 1e300) - mean) / deviation))
            cut[1:] |= np.diff(steps) != 0
        first = np.flatnonzero(cut)
        sums = np.add.reduceat(counts, first)
        with np.errstate(invalid="ignore", over="ignore"):
            centers = np.add.reduceat(values * (counts / total), first) / (sums / total)
        last = np.append(first[1:], len(keys)) - 1
        # Rounded, the mean even of one value may be the double beside it, which is in another bin.
        centers = np.clip(centers, values[first], values[last])
        ends = keys[last] + 1
        starts = keys[first]
        # After a bin that one heavy cell fills, the stretch up to the next bin is a bin of its own.
        gaps = np.flatnonzero((ends[:-1] < starts[1:]) & (sums[:-1] * PARTS > total))
        middles = _middle(cell_low(ends[gaps], cells.shift), cell_high(starts[gaps + 1] - 1, cells.shift))
        return cls(
            cells.shift,
            np.append(np.insert(starts, gaps + 1, ends[gaps]), ends[-1]),
            np.insert(sums, gaps + 1, 0),
            np.insert(np.where(np.isfinite(centers), centers, values[first]), gaps + 1, middles),
            Reach.of_cells(cells).octaves,
        )

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def total(self) -> int:
        """The baseline's values."""
        return int(self.counts.sum())

    @cached_property
    def lows(self) -> Doubles:
        """The smallest double of each bin."""
        return cell_low(self.edges[:-1], self.shift)

    @cached_property
    def highs(self) -> Doubles:
        """The largest double of each bin."""
        return cell_high(self.edges[1:] - 1, self.shift)

    @cached_property
    def grid(self) -> Grid:
        """A dense layout of the cells of these bins."""
        low, high = int(self.edges[0]) << self.shift, (int(self.edges[-1]) << self.shift) - 1
        return Grid(Reach(low, high, self.octaves), self.shift)

    def same(self, other: "Bins") -> bool:
        """Whether counts over the two may be added."""
        return self is other or (self.shift == other.shift and np.array_equal(self.edges, other.edges))

    def fields(self) -> Fields:
        """For the codec."""
        return {
            "shift": self.shift,
            "edges": self.edges,
            "counts": self.counts,
            "centers": self.centers,
            "octaves": self.octaves,
        }

    def merge(self, *others: Self) -> Self:
        """The same baseline's bins are the same; others do not merge.

        Raises:
            StateError: the edges differ.
        """
        if not all(self.same(other) for other in others):
            raise StateError("the bins of two baselines do not merge")
        return self

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        bins = cls(
            whole(fields, "shift"),
            array(fields, "edges"),
            array(fields, "counts"),
            floats(fields, "centers"),
            array(fields, "octaves"),
        )
        if (
            len(bins.edges) != len(bins.counts) + (1 if len(bins.counts) else 0)
            or len(bins.centers) != len(bins.counts)
            or (bins.edges[1:] <= bins.edges[:-1]).any()
            or not 0 <= bins.shift <= MANTISSA
        ):
            raise StateError("the edges of a column's bins do not fit its counts")
        return bins


@dataclass(frozen=True, slots=True, eq=False)
class BinCounts:
    """A window's values in a baseline's bins, and beyond them. `BinCounts.empty(len(bins))` is the identity of merge.

    Args:
        held: values in each bin, shape (bins,), of the narrowest type that holds them.
        below, above: values outside the baseline's range, in cells.
    """

    kind: ClassVar[str] = "bin_counts"
    version: ClassVar[int] = 1

    held: Unsigned
    below: Cells
    above: Cells

    @classmethod
    def of(cls, counts: Keys, below: Cells, above: Cells) -> Self:
        """These counts, in as few bytes as they need: months of windows are merged as fast as they are read."""
        return cls(_narrow(counts), below, above)

    @classmethod
    def empty(cls, bins: int) -> Self:
        """The identity of merge."""
        return cls(np.zeros(bins, np.uint8), Cells.empty(TAIL_LIMIT), Cells.empty(TAIL_LIMIT))

    @property
    def counts(self) -> Keys:
        """Values in each bin, shape (bins,)."""
        return self.held.astype(np.int64)

    @property
    def total(self) -> int:
        """Values counted."""
        return int(self.held.sum()) + self.below.total + self.above.total

    def merge(self, *others: Self) -> Self:
        """All together.

        Raises:
            StateError: they count over different bins.
        """
        every = [self.held, *(other.held for other in others)]
        wrong = next((held for held in every if len(held) != len(self.held)), None)
        if wrong is not None:
            raise StateError(f"counts over {len(self.held)} and {len(wrong)} bins do not merge")
        return type(self).of(
            np.array(every).sum(axis=0, dtype=np.int64),
            self.below.merge(*(other.below for other in others)),
            self.above.merge(*(other.above for other in others)),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BinCounts):
            return NotImplemented
        return np.array_equal(self.held, other.held) and (self.below, self.above) == (
            other.below,
            other.above,
        )

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        fields: dict[str, int | Keys] = {"counts": self.counts}
        for side, cells in (("below", self.below), ("above", self.above)):
            fields |= {
                f"{side}_shift": cells.shift,
                f"{side}_keys": cells.keys,
                f"{side}_counts": cells.counts,
            }
        return fields

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        below, above = (
            Cells.checked(
                whole(fields, f"{side}_shift"),
                array(fields, f"{side}_keys"),
                array(fields, f"{side}_counts"),
                TAIL_LIMIT,
            )
            for side in ("below", "above")
        )
        return cls.of(array(fields, "counts"), below, above)


class BinTally:
    """Counts arrays of doubles over a baseline's bins.

    Args:
        bins: the baseline's.
    """

    def __init__(self, bins: Bins) -> None:
        self._bins = bins
        self._dense: Keys | None = None
        self._rest = BinCounts.empty(len(bins))
        self._few = 0

    def grid_for(self, values: Doubles) -> Grid | None:
        """The layout in which to count values; None while they are few, or when the baseline holds no numbers."""
        if self._dense is None and len(self._bins) and self._few + len(values) >= FEW:
            self._dense = np.zeros(self._bins.grid.size, np.int64)
        return None if self._dense is None else self._bins.grid

    def add(self, values: Doubles, placed: Placed | None = None) -> None:
        """Count values, shape (n,), contiguous: infinities allowed, NaN not.

        Args:
            values: what to count.
            placed: the same in `grid_for(values)`, if they were counted already.
        """
        if not len(values):
            return
        grid = self.grid_for(values)
        if grid is None or self._dense is None:
            self._few += len(values)
            self._take(values)
            return
        placed = placed or grid.count(values)
        self._dense += placed.counts
        if len(placed.strangers):
            self._take(placed.strangers)

    def counts(self) -> BinCounts:
        """All that was counted."""
        if self._dense is None:
            return self._rest
        occupied = np.flatnonzero(self._dense)
        return self._rest.merge(self._placed(self._bins.grid.keys_at(occupied), self._dense[occupied]))

    def _take(self, values: Doubles) -> None:
        # Beyond an empty list of bins everything is above, at full resolution.
        keys = keys_of(values) >> (self._bins.shift if len(self._bins) else 0)
        self._rest = self._rest.merge(self._placed(keys, np.ones(len(keys), np.int64)))

    def _placed(self, keys: Keys, counts: Keys) -> BinCounts:
        if not len(self._bins):
            return self._outside(keys, counts, shift=0)
        bins = np.searchsorted(self._bins.edges, keys, side="right") - 1
        inside = (bins >= 0) & (bins < len(self._bins))
        totals = np.bincount(bins[inside], weights=counts[inside], minlength=len(self._bins)).astype(np.int64)
        found = BinCounts.of(totals, Cells.empty(TAIL_LIMIT), Cells.empty(TAIL_LIMIT))
        return found.merge(self._outside(keys[~inside], counts[~inside], shift=self._bins.shift))

    def _outside(self, keys: Keys, counts: Keys, *, shift: int) -> BinCounts:
        low = keys < self._bins.edges[0] if len(self._bins) else np.zeros(len(keys), np.bool_)
        sides = (Cells.settled(shift, keys[side], counts[side], TAIL_LIMIT) for side in (low, ~low))
        return BinCounts.of(np.zeros(len(self._bins), np.int64), *sides)


def _narrow(counts: Keys) -> Unsigned:
    if len(counts) and int(counts.min()) < 0:
        raise StateError("a bin cannot hold fewer than 0 values")
    return counts.astype(np.min_scalar_type(int(counts.max())) if len(counts) else np.uint8)


def _middle(low: Doubles, high: Doubles) -> Doubles:
    with np.errstate(over="ignore", invalid="ignore"):
        middle = low / 2 + high / 2
    return np.where(np.isfinite(middle), middle, low)
