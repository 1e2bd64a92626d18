"""A histogram that chooses its own resolution and merges exactly.

Doubles are mapped to 64-bit integers in the order of their values; a cell is the run of integers that share all
but their lowest `shift` bits. So cells are log-linear: `2**(52 - shift)` to an octave. The shift is the smallest at
which the occupied cells are few enough (`limit`) and lie close enough together to be counted in a dense array
(`SLOTS`). Both are properties of the set of values, so the state does not depend on the order or grouping in which
values came: merging is exact. A column of few distinct values keeps each in a cell of its own.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.states.codec import Fields, array, whole

Keys = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

SLOTS = 1 << 15
"""A dense array of counts has at most so many slots: 256 KiB, so that it stays in a core's cache."""
LIMIT = 16_384
"""Cells a baseline column keeps by default."""
MANTISSA = 52
_SIGN = np.int64(np.iinfo(np.int64).max)


def keys_of(values: Doubles) -> Keys:
    """Doubles as integers in the same order; -0.0 and 0.0 are both 0.

    >>> keys_of(np.array([-1.0, 0.0, 1.0])).argsort().tolist()
    [0, 1, 2]
    """
    bits = (values + 0.0).view(np.int64)
    return bits ^ ((bits >> 63) & _SIGN)


def values_of(keys: Keys) -> Doubles:
    """The doubles of these keys: the inverse of `keys_of`."""
    return (keys ^ ((keys >> 63) & _SIGN)).view(np.float64)


def octaves_of(keys: Keys, shift: int) -> Keys:
    """The sign and exponent of each cell: cells of one octave have one of these."""
    return keys >> (MANTISSA - shift)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Counts of doubles in log-linear cells. `Cells()` is the identity of merge.

    Args:
        shift: how many low bits of a key are dropped, in [0, 52]. A cell is `2**(shift - 52)` of its octave wide.
        keys: the occupied cells, increasing, shape (cells,).
        counts: values in each, >= 1, shape (cells,).
        limit: the most cells kept; a power of two is no requirement. Both sides of a merge have the same.

    >>> cells = Cells.of(np.array([3.0, 1.0, 3.0]))
    >>> cells.lows().tolist(), cells.counts.tolist()
    ([1.0, 3.0], [1, 2])
    """

    kind: ClassVar[str] = "cells"
    version: ClassVar[int] = 1

    shift: int
    keys: Keys
    counts: Keys
    limit: int = LIMIT

    @classmethod
    def empty(cls, limit: int = LIMIT) -> Self:
        """The identity of merge."""
        none = np.zeros(0, np.int64)
        return cls(0, none, none, limit)

    @classmethod
    def of(cls, values: Doubles, counts: Keys | None = None, *, limit: int = LIMIT) -> Self:
        """The cells of values, shape (n,), infinities allowed, NaN not; each occurs `counts` times, default once."""
        return cls.settled(
            0, keys_of(values), np.ones(len(values), np.int64) if counts is None else counts, limit
        )

    @classmethod
    def settled(cls, shift: int, keys: Keys, counts: Keys, limit: int = LIMIT) -> Self:
        """Cells at the smallest shift, not below `shift`, at which they are few and close enough."""
        keys, counts = _grouped(keys, counts)
        while shift < MANTISSA and (len(keys) > limit or span(keys, shift) > SLOTS):
            shift += 1
            keys, counts = _grouped(keys >> 1, counts, ordered=True)
        return cls(shift, keys, counts, limit)

    def merge(self, *others: Self) -> Self:
        """All together.

        Raises:
            StateError: they keep different numbers of cells.
        """
        wrong = next((other for other in others if other.limit != self.limit), None)
        if wrong is not None:
            raise StateError(f"cells with limits {self.limit} and {wrong.limit} do not merge")
        filled = [each for each in (self, *others) if len(each.keys)]
        if len(filled) < 2:
            return filled[0] if filled else self
        shift = max(each.shift for each in filled)
        return type(self).settled(
            shift,
            np.concatenate([each.keys >> (shift - each.shift) for each in filled]),
            np.concatenate([each.counts for each in filled]),
            self.limit,
        )

    @property
    def total(self) -> int:
        """Values counted."""
        return int(self.counts.sum())

    def lows(self) -> Doubles:
        """The smallest double of each cell."""
        return cell_low(self.keys, self.shift)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cells):
            return NotImplemented
        return (
            (self.shift, self.limit) == (other.shift, other.limit)
            and np.array_equal(self.keys, other.keys)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        return {"shift": self.shift, "keys": self.keys, "counts": self.counts, "limit": self.limit}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        return cls.checked(
            whole(fields, "shift"), array(fields, "keys"), array(fields, "counts"), whole(fields, "limit")
        )

    @classmethod
    def checked(cls, shift: int, keys: Keys, counts: Keys, limit: int) -> Self:
        """Cells of these fields.

        Raises:
            StateError: no values have such cells.
        """
        if not 0 <= shift <= MANTISSA or len(keys) != len(counts):
            raise StateError("the keys of cells do not fit their counts or shift")
        if (keys[1:] <= keys[:-1]).any() or (counts < 1).any():
            raise StateError("the keys of cells must increase, and every count be 1 or more")
        return cls(shift, keys, counts, limit)


_LOWEST, _HIGHEST = keys_of(np.array([-np.inf, np.inf]))


def cell_low(keys: Keys, shift: int) -> Doubles:
    """The smallest double of each cell."""
    # Beyond the infinities there is only NaN, which is in no cell.
    return values_of(np.maximum(keys << shift, _LOWEST))


def cell_high(keys: Keys, shift: int) -> Doubles:
    """The largest double of each cell."""
    return values_of(np.minimum(((keys + 1) << shift) - 1, _HIGHEST))


def span(keys: Keys, shift: int) -> int:
    """Slots of a dense array over increasing cells: their octaves times the cells of an octave.

    Or their range, if that is less and they are of one sign: the bits of a double run backwards below zero.
    """
    if not len(keys):
        return 0
    octaves = 1 + int(np.count_nonzero(np.diff(octaves_of(keys, shift))))
    by_octave = octaves << (MANTISSA - shift)
    low, high = int(keys[0]), int(keys[-1])
    return min(high - low + 1, by_octave) if (low < 0) == (high < 0) else by_octave


def _grouped(keys: Keys, counts: Keys, *, ordered: bool = False) -> tuple[Keys, Keys]:
    if len(keys) < 2:
        return keys, counts
    if not ordered:
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
    first = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    return keys[first], np.add.reduceat(counts, first)
