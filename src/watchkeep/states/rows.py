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
from watchkeep.stats.hashing import Hashes, mixed

ROWS = 16_384
"""Most rows in a sample."""
SAMPLE = 4096
"""Most rows in sums of features, which cost more."""
_SCALE = float(1 << 30)  # features are summed as integers: sums do not depend on the order
SCORE_STEPS = 64
"""Steps of a score to a standard deviation."""
SCORE_BOUND = 4.0
"""Scores are within so many standard deviations."""
MOST_SCORES = 32
"""Most scores of a row."""
_ALONE = 1 << 18  # multiplications that OpenBLAS does on one thread
LEVELS = 64
"""Levels of hashes."""
_WIDEST = 1 << 16  # features


def levels_of(hashes: Hashes) -> npt.NDArray[np.int64]:
    """How often a hash can be doubled before it overflows: its leading zero bits. Half of all rows have 0."""
    # The exponent of the double nearest above; rounding up at a power of two moves one row in 2**53.
    exponents = np.frexp(hashes.astype(np.float64))[1]
    return np.where(hashes == 0, LEVELS - 1, np.clip(64 - exponents, 0, LEVELS - 1)).astype(np.int64)


def settled_level(counts: npt.NDArray[np.int64], start: int = 0, *, limit: int = SAMPLE) -> int:
    """The lowest level, not below `start`, from which on at most `limit` rows lie; counts by level, shape (64,)."""
    level = start
    remaining = int(counts[level:].sum())
    while remaining > limit:
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
        level = settled_level(np.bincount(levels, minlength=LEVELS), level, limit=ROWS)
        kept = np.flatnonzero(levels >= level)
        order = kept[np.argsort(row_hashes[kept], kind="stable")]
        if (row_hashes[order][1:] == row_hashes[order][:-1]).any():
            # A hash is made from a few columns, so rows of one hash may differ in the others.
            order = kept[np.lexsort((_ties(values[kept]), row_hashes[kept]))]
        return cls(level, row_hashes[order], values[order])

    def merge(self, *others: Self) -> Self:
        """All together."""
        every = (self, *others)
        return type(self).of(
            np.concatenate([each.hashes for each in every]),
            np.concatenate([each.values for each in every]),
            max(each.level for each in every),
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
        return cls(_level(fields), kept, values)


def _ties(rows: npt.NDArray[np.float64]) -> Hashes:
    """A number for each row, shape (n, columns), that tells its values and their places apart."""
    places = mixed(np.arange(1, rows.shape[1] + 1, dtype=np.uint64))
    bits = np.ascontiguousarray(rows + 0.0).view(np.uint64)
    ties: Hashes = mixed(bits ^ places).sum(axis=1, dtype=np.uint64)
    return ties


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
        return cls(0, np.zeros(LEVELS, np.int64), np.zeros((LEVELS, width), np.int64))

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
        counts = np.bincount(levels, minlength=LEVELS)
        occupied = np.flatnonzero(counts)
        sums = np.zeros((LEVELS, width), np.int64)
        sums[occupied] = np.add.reduceat(scaled[order], np.searchsorted(levels[order], occupied), axis=0)
        return cls(0, counts, sums).above(level)

    def above(self, level: int) -> Self:
        """The sums of this level and above, or of fewer levels if the rows are too many."""
        level = settled_level(self.counts, max(level, self.level))
        counts, sums = self.counts.copy(), self.sums.copy()
        counts[:level] = 0
        sums[:level] = 0
        return type(self)(level, counts, sums)

    def merge(self, *others: Self) -> Self:
        """All together.

        Raises:
            StateError: they are of different features.
        """
        if any(other.sums.shape != self.sums.shape for other in others):
            raise StateError("sums of different features do not merge")
        every = (self, *others)
        together = type(self)(
            max(each.level for each in every),
            sum((other.counts for other in others), self.counts),
            sum((other.sums for other in others), self.sums),
        )
        return together.above(together.level)

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
        width, occupied = whole(fields, "width"), array(fields, "occupied")
        if not 0 <= width <= _WIDEST:
            raise StateError(f"sums of {width} features are not known here")
        sums = cls.empty(width)
        sums.counts[occupied] = array(fields, "counts")
        sums.sums[occupied] = array(fields, "sums").reshape(len(occupied), width)
        return cls(_level(fields), sums.counts, sums.sums)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreSums:
    """Sums of sampled rows' scores, and of their products, by level. `ScoreSums.empty(d)` is the identity of merge.

    Scores are whole numbers of `SCORE_STEPS`, so sums do not depend on the order of the rows.

    Args:
        level: the level of the first row of `sums`; lower ones are left out.
        width: scores of a row, d.
        sums: for each level from `level` on: rows, sums of scores, sums of products of two scores (i <= j), in steps
            and squared steps, shape (levels, 1 + d + d (d + 1) / 2).
    """

    kind: ClassVar[str] = "score_sums"
    version: ClassVar[int] = 1

    level: int
    width: int
    sums: npt.NDArray[np.int64]

    @classmethod
    def empty(cls, width: int) -> Self:
        """The identity of merge."""
        return cls(0, width, np.zeros((0, 1 + width + width * (width + 1) // 2), np.int64))

    @classmethod
    def of(cls, levels: npt.NDArray[np.int64], scores: npt.NDArray[np.float64], level: int = 0) -> Self:
        """The sums over rows of these levels, scores of shape (n, d) within [-SCORE_BOUND, SCORE_BOUND]."""
        width = scores.shape[1]
        if not len(levels):
            return cls(level, width, cls.empty(width).sums)
        steps = np.rint(scores * SCORE_STEPS)
        upper = np.triu_indices(width)
        sums = np.zeros((int(levels.max()) + 1, 1 + width + len(upper[0])), np.int64)
        order = np.argsort(levels, kind="stable")
        ends = np.searchsorted(levels[order], np.arange(len(sums)), side="right")
        # A product of few rows at a time is not shared out to threads, which would spin.
        block = max(1, _ALONE // (width * width or 1))
        for at, (begin, end) in enumerate(zip(np.append(0, ends[:-1]), ends, strict=True)):
            sums[at, 0] = end - begin
            for start in range(begin, end, block):
                rows = steps[order[start : min(start + block, end)]]
                sums[at, 1 : 1 + width] += rows.sum(axis=0).astype(np.int64)
                sums[at, 1 + width :] += (rows.T @ rows)[upper].astype(np.int64)
        return cls(0, width, sums).above(level)

    def above(self, level: int) -> Self:
        """The sums of this level and above, or of fewer levels if the rows are too many."""
        counts = np.zeros(LEVELS, np.int64)
        counts[self.level : self.level + len(self.sums)] = self.sums[:, 0]
        level = settled_level(counts, max(level, self.level), limit=ROWS)
        filled = np.flatnonzero(self.sums[:, 0])
        end = int(filled[-1]) + 1 if len(filled) else 0
        return type(self)(level, self.width, self.sums[level - self.level : end])

    def merge(self, *others: Self) -> Self:
        """All together.

        Raises:
            StateError: they are of different scores.
        """
        if any(other.width != self.width for other in others):
            raise StateError("sums of different scores do not merge")
        every = (self, *others)
        level = max(each.level for each in every)
        end = max(each.level + len(each.sums) for each in every)
        together = np.zeros((max(0, end - level), self.sums.shape[1]), np.int64)
        for each in every:
            above = each.sums[max(0, level - each.level) :]
            together[: len(above)] += above
        return type(self)(level, self.width, together).above(level)

    @property
    def rows(self) -> int:
        """Rows in the sample."""
        return int(self.sums[:, 0].sum())

    def total(self) -> npt.NDArray[np.float64]:
        """Rows, sums of scores, and sums of their products, shape (1 + d + d (d + 1) / 2,)."""
        sums: npt.NDArray[np.float64] = self.sums.sum(axis=0).astype(np.float64)
        sums[1 : 1 + self.width] /= SCORE_STEPS
        sums[1 + self.width :] /= SCORE_STEPS**2
        return sums

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ScoreSums):
            return NotImplemented
        return (self.level, self.width) == (other.level, other.width) and np.array_equal(
            self.sums, other.sums
        )

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        return {"level": self.level, "width": self.width, "sums": self.sums.ravel()}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        width, flat = whole(fields, "width"), array(fields, "sums")
        if not 0 <= width <= MOST_SCORES:
            raise StateError(f"sums of {width} scores are not known here")
        state = cls(_level(fields), width, flat.reshape(-1, 1 + width + width * (width + 1) // 2))
        if state.level + len(state.sums) > LEVELS or (state.sums[:, :1] < 0).any():
            raise StateError("the levels of score sums do not fit their sums")
        return state


def _level(fields: Fields) -> int:
    level = whole(fields, "level")
    if not 0 <= level < LEVELS:
        raise StateError(f"rows have levels from 0 to {LEVELS - 1}, not {level}")
    return level
