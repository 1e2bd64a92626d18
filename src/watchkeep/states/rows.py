"""Whole rows, sampled the same way whatever order they come in, for what columns show only together.

A row is in the sample when its hash is small enough. How small is settled by how many rows there are: the bar is
halved until no more than a given number stay, so the sample is a property of the set of rows.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.states.codec import Fields, array, floats, hashes, whole
from watchkeep.stats.fourier import features
from watchkeep.stats.hashing import Hashes

SAMPLE = 4096
"""Most rows in a sample."""
_SCALE = float(1 << 30)  # features are summed as integers: sums do not depend on the order
_LEVELS = 64


def levels_of(hashes: Hashes) -> npt.NDArray[np.int64]:
    """How often a hash can be doubled before it overflows: its leading zero bits. Half of all rows have 0."""
    # The exponent of the double nearest above; rounding up at a power of two moves one row in 2**53.
    exponents = np.frexp(hashes.astype(np.float64))[1]
    return np.where(hashes == 0, _LEVELS - 1, np.clip(64 - exponents, 0, _LEVELS - 1)).astype(np.int64)


def settled_level(counts: npt.NDArray[np.int64], start: int = 0) -> int:
    """The lowest level, not below `start`, from which on at most `SAMPLE` rows lie; counts by level, shape (64,)."""
    level = start
    remaining = int(counts[level:].sum())
    while remaining > SAMPLE:
        remaining -= int(counts[level])
        level += 1
    return level


@dataclass(frozen=True, slots=True, eq=False)
class RowSample:
    """A sample of rows, as numbers. `RowSample.empty(columns)` is the identity of merge.

    Args:
        level: rows of this level and above are kept.
        hashes: the rows' hashes, increasing, shape (rows,).
        values: shape (rows, columns); NaN where a row holds no number.
    """

    kind: ClassVar[str] = "row_sample"
    version: ClassVar[int] = 1

    level: int
    hashes: Hashes
    values: npt.NDArray[np.float64]

    @classmethod
    def empty(cls, columns: int) -> Self:
        """The identity of merge."""
        return cls(0, np.zeros(0, np.uint64), np.zeros((0, columns)))

    @classmethod
    def of(cls, row_hashes: Hashes, values: npt.NDArray[np.float64], level: int = 0) -> Self:
        """The sample of rows, shape (n, columns), that lie at `level` or above."""
        levels = levels_of(row_hashes)
        level = settled_level(np.bincount(levels, minlength=_LEVELS), level)
        kept = np.flatnonzero(levels >= level)
        # Equal hashes stand for equal rows, so ties have no order to lose.
        order = kept[np.argsort(row_hashes[kept], kind="stable")]
        return cls(level, row_hashes[order], values[order])

    def merge(self, other: Self) -> Self:
        """Both together."""
        return type(self).of(
            np.concatenate([self.hashes, other.hashes]),
            np.concatenate([self.values, other.values]),
            max(self.level, other.level),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RowSample):
            return NotImplemented
        same = self.level == other.level and np.array_equal(self.hashes, other.hashes)
        return same and np.array_equal(self.values, other.values, equal_nan=True)

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        return {
            "level": self.level,
            "hashes": self.hashes,
            "values": self.values.ravel(),
            "columns": self.values.shape[1],
        }

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        kept = hashes(fields, "hashes")
        values = floats(fields, "values").reshape(len(kept), whole(fields, "columns"))
        return cls(whole(fields, "level"), kept, values)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSums:
    """Sums of the Fourier features of sampled rows, by level. `FeatureSums.empty(features)` is the identity of merge.

    Args:
        level: levels below this one are left out.
        counts: rows by level, shape (64,); zero below `level`.
        sums: sums of features times 2**30, by level, shape (64, features).
    """

    kind: ClassVar[str] = "feature_sums"
    version: ClassVar[int] = 1

    level: int
    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, width: int) -> Self:
        """The identity of merge."""
        return cls(0, np.zeros(_LEVELS, np.int64), np.zeros((_LEVELS, width), np.int64))

    @classmethod
    def of(
        cls,
        levels: npt.NDArray[np.int64],
        rows: npt.NDArray[np.float64],
        frequencies: npt.NDArray[np.float32],
        level: int = 0,
    ) -> Self:
        """The sums over standardised rows, shape (n, columns), of these levels."""
        width = 2 * frequencies.shape[1]
        if not len(rows):
            return cls.empty(width).above(level)
        scaled = np.rint(features(rows, frequencies) * _SCALE).astype(np.int64)
        order = np.argsort(levels, kind="stable")
        counts = np.bincount(levels, minlength=_LEVELS)
        occupied = np.flatnonzero(counts)
        sums = np.zeros((_LEVELS, width), np.int64)
        sums[occupied] = np.add.reduceat(scaled[order], np.searchsorted(levels[order], occupied), axis=0)
        return cls(0, counts, sums).above(level)

    def above(self, level: int) -> Self:
        """The sums of this level and above, or of fewer levels if the rows are too many."""
        level = settled_level(self.counts, max(level, self.level))
        counts, sums = self.counts.copy(), self.sums.copy()
        counts[:level] = 0
        sums[:level] = 0
        return type(self)(level, counts, sums)

    def merge(self, other: Self) -> Self:
        """Both together.

        Raises:
            StateError: they are of different features.
        """
        if self.sums.shape != other.sums.shape:
            raise StateError("sums of different features do not merge")
        level = max(self.level, other.level)
        return type(self)(level, self.counts + other.counts, self.sums + other.sums).above(level)

    @property
    def rows(self) -> int:
        """Rows in the sample."""
        return int(self.counts.sum())

    def mean(self) -> npt.NDArray[np.float64]:
        """The mean feature vector, shape (features,); zeros when there is no row."""
        mean: npt.NDArray[np.float64] = self.sums.sum(axis=0) / (_SCALE * max(1, self.rows))
        return mean

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FeatureSums):
            return NotImplemented
        same = self.level == other.level and np.array_equal(self.counts, other.counts)
        return same and np.array_equal(self.sums, other.sums)

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        occupied = np.flatnonzero(self.counts)
        return {
            "level": self.level,
            "occupied": occupied,
            "counts": self.counts[occupied],
            "sums": self.sums[occupied].ravel(),
            "width": self.sums.shape[1],
        }

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        sums = cls.empty(whole(fields, "width"))
        occupied = array(fields, "occupied")
        sums.counts[occupied] = array(fields, "counts")
        sums.sums[occupied] = array(fields, "sums").reshape(len(occupied), -1)
        return cls(whole(fields, "level"), sums.counts, sums.sums)
