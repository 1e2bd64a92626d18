"""Counting doubles into cells fast: dense arrays in place of sorting."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from watchkeep.states.cells import (
    LIMIT,
    MANTISSA,
    SLOTS,
    Cells,
    Doubles,
    Keys,
    cell_high,
    cell_low,
    keys_of,
    octaves_of,
)
from watchkeep.stats import compiled
from watchkeep.stats.scratch import CHUNK, Scratch

Slots = npt.NDArray[np.int64]
FEW = 8192
"""Values fewer than which are sorted, not counted in a dense array."""
_MINUS = 2048  # the sign bit above the eleven bits of the exponent


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Where a set of doubles lies: enough to lay out a grid that holds it.

    Args:
        low, high: the keys (`keys_of`) of the smallest and the largest.
        octaves: the sign-and-exponent classes that occur, increasing.
    """

    low: int
    high: int
    octaves: Keys

    @classmethod
    def of(cls, values: Doubles) -> Self:
        """The reach of values, shape (n,), n >= 1, without NaN and -0.0 (add 0.0 to be rid of it)."""
        low, high = keys_of(np.array([values.min(), values.max()])).tolist()
        tops = np.flatnonzero(np.bincount(values.view(np.uint16)[3::4] >> np.uint16(4), minlength=2 * _MINUS))
        return cls(low, high, np.sort(np.where(tops < _MINUS, tops, _MINUS - 1 - tops)))

    @classmethod
    def of_cells(cls, cells: Cells) -> Self:
        """The reach of cells that are not empty."""
        return cls(
            int(cells.keys[0]) << cells.shift,
            (int(cells.keys[-1]) + 1 << cells.shift) - 1,
            np.unique(octaves_of(cells.keys, cells.shift)),
        )

    def join(self, other: "Reach | None") -> "Reach":
        """Both together."""
        if other is None:
            return self
        octaves = np.union1d(self.octaves, other.octaves)
        return Reach(min(self.low, other.low), max(self.high, other.high), octaves)

    def by_octave(self, shift: int) -> int:
        """Slots of the octaves side by side."""
        return len(self.octaves) << (MANTISSA - shift)

    def by_range(self, shift: int) -> int:
        """Slots from the smallest to the largest cell."""
        return (self.high >> shift) - (self.low >> shift) + 1

    def ranged(self, shift: int) -> bool:
        """Whether the layout by range is the smaller one, and there can be one: all values are of one sign."""
        return (self.low < 0) == (self.high < 0) and self.by_range(shift) <= self.by_octave(shift)

    def settle(self, shift: int) -> int:
        """The smallest shift, not below `shift`, at which the slots are few enough."""
        while shift < MANTISSA and self._slots(shift) > SLOTS:
            shift += 1
        return shift

    def _slots(self, shift: int) -> int:
        return self.by_range(shift) if self.ranged(shift) else self.by_octave(shift)


class Grid:
    """A dense layout of cells: which slot a double is counted in.

    Two layouts, whichever is smaller: the range from the smallest to the largest cell (values of one sign), or
    whole octaves side by side, found through a table from the top twelve bits of a double. Slots from `size` on
    count the values that lie elsewhere.

    Args:
        reach: the doubles that must have a slot.
        shift: the cells' shift.
    """

    def __init__(self, reach: Reach, shift: int) -> None:
        self.reach, self.shift = reach, shift
        self._bits = MANTISSA - shift
        low, high = reach.low >> shift, reach.high >> shift
        self._ranged = reach.ranged(shift)
        # -0.0 has the bits of a negative number smaller than any: next to such numbers it must be told from them.
        self._zeros = bool((reach.octaves == -1).any())
        if self._ranged:
            self.size = high - low + 1
            self.slots = self.size + 1
            # Below zero the bits of a double grow with its magnitude: slots run backwards.
            self._first = low if low >= 0 else (1 << (63 - shift)) + (-high - 1)
            self._origin, self._step = (low, 1) if low >= 0 else (high, -1)
        else:
            self._octaves = _roomy(reach.octaves, SLOTS >> self._bits)
            self.size = len(self._octaves) << self._bits
            self.slots = self.size + (1 << self._bits)
            table = np.full(2 * _MINUS, self.size, np.uint64)
            tops = np.where(self._octaves >= 0, self._octaves, _MINUS - 1 - self._octaves)
            table[tops] = np.arange(len(tops), dtype=np.uint64) << np.uint64(self._bits)
            # A shifted double still has its octave on top: the table takes it off again, modulo 2**64.
            self._table = table - (np.arange(2 * _MINUS, dtype=np.uint64) << np.uint64(self._bits))

    def keys_at(self, slots: Keys) -> Keys:
        """The cell that each slot, below `size`, counts."""
        if self._ranged:
            return self._origin + self._step * slots
        octaves, within = self._octaves[slots >> self._bits], slots & ((1 << self._bits) - 1)
        within = np.where(octaves >= 0, within, (1 << self._bits) - 1 - within)
        found: Keys = (octaves << self._bits) + within
        return found

    def tells(self, values: Doubles) -> bool:
        """Whether the slots of values, shape (n,), tell all of them apart: each is the least of its cell.

        Least is nearest to zero. So it is with whole numbers, and with others of few binary digits.
        """
        return not int(np.bitwise_or.reduce(values.view(np.uint64))) & ((1 << self.shift) - 1)

    def told(self, slots: Keys) -> Doubles:
        """The least value of the cell of each slot below `size`, shape (n,)."""
        keys = self.keys_at(slots)
        return np.where(keys >= 0, cell_low(keys, self.shift), cell_high(keys, self.shift))

    def place(self, values: Doubles, slots: Slots, scratch: Scratch) -> None:
        """Write the slot of each value, shape (n,), n <= CHUNK, into `slots`.

        It is `size` or more where the grid has none, and for -0.0. Values hold no NaN.
        """
        if self._zeros:
            values = values + 0.0
        if self._ranged:
            self._by_range(values, slots)
        else:
            self._by_octave(values, slots, scratch)

    def slots_of(self, values: Doubles) -> Slots:
        """The slot of each value, shape (n,), in memory of its own."""
        scratch, slots = Scratch(), np.empty(len(values), np.int64)
        for start in range(0, len(values), CHUNK):
            self.place(values[start : start + CHUNK], slots[start : start + CHUNK], scratch)
        return slots

    def count(self, values: Doubles, scratch: Scratch | None = None) -> "Placed":
        """Values, shape (n,), contiguous, counted by slot."""
        if compiled.library is None:
            return self._counted(values, scratch or Scratch())
        counts = np.zeros(self.size, np.int64)
        if self._ranged:
            strangers = compiled.library.count_by_range(values, self.shift, self._first, counts)
        else:
            strangers = compiled.library.count_by_octave(values, self.shift, self._table, counts)
        return Placed(counts, strangers)

    def _counted(self, values: Doubles, scratch: Scratch) -> "Placed":
        slots = scratch.slots(len(values))
        for start in range(0, len(values), CHUNK):
            self.place(values[start : start + CHUNK], slots[start : start + CHUNK], scratch)
        counts = np.bincount(slots, minlength=self.slots)
        strangers = values[slots >= self.size] if counts[self.size :].any() else values[:0]
        return Placed(counts[: self.size], strangers)

    def _by_range(self, values: Doubles, slots: Slots) -> None:
        wide = slots.view(np.uint64)
        np.right_shift(values.view(np.uint64), np.uint64(self.shift), out=wide)
        wide -= np.uint64(self._first)
        np.minimum(wide, np.uint64(self.size), out=wide)

    def _by_octave(self, values: Doubles, slots: Slots, scratch: Scratch) -> None:
        bits, wide = values.view(np.uint64), slots.view(np.uint64)
        octaves = np.right_shift(bits, np.uint64(MANTISSA), out=scratch.spare[: len(values)])
        np.right_shift(bits, np.uint64(self.shift), out=wide)
        # Twelve bits cannot leave the table; "clip" spares the check.
        wide += self._table.take(octaves.view(np.int64), mode="clip")


def _roomy(octaves: Keys, room: int) -> Keys:
    """These octaves and their neighbours (smaller magnitudes above all), if there is room: fewer strangers later."""
    positive, negative = octaves[octaves > 0], octaves[octaves < -1]
    grown = [octaves]
    if len(positive):
        grown.append(np.arange(max(1, positive[0] - 8), min(positive[-1] + 2, _MINUS - 1)))
    if len(negative):
        grown.append(np.arange(max(negative[0] - 1, 1 - _MINUS), min(-1, negative[-1] + 9)))
    wide = np.unique(np.concatenate(grown))
    return wide if len(wide) <= room else octaves


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Values counted in a grid.

    Args:
        counts: values in each slot, shape (grid.size,).
        strangers: the values for which the grid has no slot, shape (strangers,).
    """

    counts: Keys
    strangers: Doubles


class CellTally:
    """Counts arrays of doubles into `Cells`. What it holds is at all times the `Cells` of all it was given.

    The first few values wait: a layout is worth its memory only for many.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._grid: Grid | None = None
        self._dense = np.zeros(0, np.int64)
        self._few: list[Doubles] = []
        self._waiting = 0
        self._others: list[Cells] = []

    def grid_for(self, values: Doubles) -> Grid | None:
        """The layout in which to count values, shape (n,); None while they are few."""
        if self._grid is None and self._waiting + len(values) >= FEW:
            few = [*self._few, values]
            self._few = []
            self._lay_out(Reach.of(np.concatenate(few) + 0.0), 0)
            for waited in few[:-1]:
                self.add(waited)
        return self._grid

    def add(self, values: Doubles, placed: Placed | None = None) -> None:
        """Count values, shape (n,), contiguous: infinities allowed, NaN not.

        Args:
            values: what to count.
            placed: the same in `grid_for(values)`, if they were counted already.
        """
        if not len(values):
            return
        grid = self.grid_for(values)
        if grid is None:
            self._few.append(values.copy())
            self._waiting += len(values)
            return
        placed = placed or grid.count(values)
        self._dense += placed.counts
        if len(placed.strangers):
            # Some lie in cells the grid lacks: lay out one that holds them too.
            strangers = placed.strangers + 0.0
            self._lay_out(Reach.of(strangers).join(grid.reach), grid.shift)
            self.add(strangers)
        if np.count_nonzero(self._dense) > self._limit:
            self._lay_out(grid.reach, self.cells().shift)

    def merge(self, *others: "CellTally") -> Self:
        """All together."""
        self._others += [other.cells() for other in others]
        return self

    def cells(self) -> Cells:
        """All that was counted."""
        return self._own().merge(*self._others)

    def _own(self) -> Cells:
        if self._grid is None:
            few = np.concatenate(self._few) if self._few else np.zeros(0)
            return Cells.of(few, limit=self._limit)
        occupied = np.flatnonzero(self._dense)
        return Cells.settled(
            self._grid.shift, self._grid.keys_at(occupied), self._dense[occupied], self._limit
        )

    def _lay_out(self, reach: Reach, shift: int) -> Grid:
        before = self._own()
        if len(before.keys):
            # What was counted may lie beyond the reach it was laid out for, in the room that was left.
            reach = reach.join(Reach.of_cells(before))
        grid = Grid(reach, reach.settle(max(shift, before.shift)))
        dense = np.zeros(grid.size, np.int64)
        if len(before.keys):
            # Doubles add whole numbers below 2**53 without error, and in a tenth of the time of numpy.add.at.
            found = np.bincount(grid.slots_of(before.lows()), before.counts, grid.size)
            dense += found.astype(np.int64)
        self._grid, self._dense = grid, dense
        return grid
