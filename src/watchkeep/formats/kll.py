"""The numeric distribution of SageMaker's statistics: a sketch shaped like KLL's, and equal-width buckets."""

from collections.abc import Iterator, Sequence
from math import ceil, isfinite
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError

K: Final = 2048
"""Size parameter of the sketches SageMaker writes."""
C: Final = 0.64
"""Shrinking factor of their levels."""

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


def capacity(height: int, *, k: int = K, c: float = C) -> int:
    """Items that a level of a KLL sketch holds at most: 2 (ceil(k c^height / 2) + 1).

    Args:
        height: levels below the top one, >= 0.
        k: size parameter.
        c: shrinking factor, in (0, 1).

    References:
        Karnin, Lang and Liberty (2016), "Optimal quantile approximation in streams"; the form is Deequ's.

    >>> [capacity(height) for height in (0, 1, 2, 30)]
    [2050, 1314, 842, 4]
    """
    return 2 * (ceil(k * c**height / 2) + 1)


def levels(values: npt.ArrayLike, counts: npt.ArrayLike, k: int = K, c: float = C) -> list[list[float]]:
    """Rows as a sketch that readers of KLL sketches understand: an item on level i weighs 2^i rows.

    KLL halves a level by chance when it overflows. We hold the exact counts, so we place the items instead:
    the sorted rows are cut into blocks of g rows, g the smallest power of two that fits, and each block is
    spoken for by its middle row. Blocks of one value are written on higher levels: a column of few distinct
    values is told far more exactly than the bound below, often without any error.

    Args:
        values: the distinct values, shape (values,), finite, ascending.
        counts: rows per value, shape (values,), whole, >= 0.
        k: size parameter, >= 1.
        c: shrinking factor, in (0, 1).

    Returns:
        The levels, level 0 first, each sorted and within its `capacity`; none for no rows. The weights sum to
        n, the number of rows, exactly. Up to `capacity(0)` rows, all of them stand on level 0. For every x,
        the weight of the items <= x is off the number of rows <= x by g / 2 at most, which is less than
        n / capacity(0): under 1/2050 of the rows with SageMaker's k.

    Raises:
        StateError: the arguments are not of that form.

    >>> levels([1.0, 4.0], [2, 1])
    [[1.0, 1.0, 4.0]]
    >>> coarse = levels([1.0, 4.0], [3001, 7002])
    >>> [int(weight) for weight in weighted(coarse)[1]]
    [3001, 7002]
    """
    exact, rows = _checked(values, counts)
    ends = np.cumsum(rows)
    n = int(ends[-1]) if ends.size else 0
    if n == 0:
        return []
    coarsest = next(s for s in range(64) if n >> s <= capacity(0, k=k, c=c))
    best = _plan(ends, n, coarsest, k=k, c=c)  # always fits: every block on one level
    for s in range(coarsest - 1, -1, -1):
        finer = _plan(ends, n, s, k=k, c=c)
        if not finer:
            break
        best = finer
    return [exact[level].tolist() for level in best]


def weighted(sketch: Sequence[Sequence[float]]) -> tuple[Floats, Ints]:
    """A sketch read back: the distinct values, ascending, and the rows each stands for; both shape (values,).

    >>> weighted([[25.0, 38.0], [17.0, 25.0]])
    (array([17., 25., 38.]), array([2, 3, 1]))
    """
    items = np.concatenate([np.asarray(level, np.float64) for level in sketch] or [np.empty(0)])
    weights = np.repeat(2 ** np.arange(len(sketch), dtype=np.int64), [len(level) for level in sketch])
    distinct, where = np.unique(items, return_inverse=True)
    totals = np.zeros(distinct.size, np.int64)
    np.add.at(totals, where, weights)
    return distinct, totals


def equal_width_buckets(
    values: npt.ArrayLike, counts: npt.ArrayLike, lo: float, hi: float, buckets: int = 10
) -> list[tuple[float, float, float]]:
    """Rows per bucket of equal width between `lo` and `hi`: [lower, upper), the last one closed.

    Where lo == hi all the buckets are [lo, lo], and the last one, which is closed, holds the rows: so does
    Deequ's arithmetic, and readers count on ten buckets.

    Args:
        values: the distinct values, shape (values,), finite, ascending. One outside [lo, hi] is counted in
            the bucket at that end, so that the counts sum to the rows.
        counts: rows per value, shape (values,), whole, >= 0.
        lo: lower bound of the first bucket, finite.
        hi: upper bound of the last one, finite, >= lo.
        buckets: how many, >= 1.

    Returns:
        (lower bound, upper bound, rows) per bucket; none for no rows.

    Raises:
        StateError: the arguments are not of that form.

    >>> equal_width_buckets([0.0, 1.0, 2.0], [5, 6, 7], 0.0, 2.0, buckets=2)
    [(0.0, 1.0, 5.0), (1.0, 2.0, 13.0)]
    """
    exact, rows = _checked(values, counts)
    lo, hi = float(lo), float(hi)
    if not (isfinite(lo) and isfinite(hi) and lo <= hi):
        raise StateError(f"buckets go from a number to a larger one, not from {lo!r} to {hi!r}")
    if exact.size == 0:
        return []
    edges = _edges(lo, hi, buckets)
    place = np.clip(np.searchsorted(edges, exact, side="right") - 1, 0, buckets - 1)
    held = np.zeros(buckets, np.int64)
    np.add.at(held, place, rows)
    return [(float(edges[i]), float(edges[i + 1]), float(held[i])) for i in range(buckets)]


def _edges(lo: float, hi: float, buckets: int) -> Floats:
    steps = np.arange(buckets + 1, dtype=np.float64)
    if isfinite((hi - lo) * buckets):
        edges = lo + (hi - lo) * steps / buckets
    else:  # their distance is beyond a double, no edge is
        edges = lo * (1 - steps / buckets) + hi * (steps / buckets)
    edges[0], edges[-1] = lo, hi
    return np.clip(np.maximum.accumulate(edges), lo, hi)  # rounding may pass the end by the last digit


def _checked(values: npt.ArrayLike, counts: npt.ArrayLike) -> tuple[Floats, Ints]:
    exact, rows = np.asarray(values, np.float64), np.asarray(counts)
    if exact.ndim != 1 or exact.shape != rows.shape:
        raise StateError(f"values of shape {exact.shape} go with as many counts, not with shape {rows.shape}")
    if not (np.isfinite(exact).all() and (exact[1:] > exact[:-1]).all()):
        raise StateError("the values of a distribution must be finite and ascending")
    whole = rows.astype(np.int64)
    if not ((whole == rows).all() and (whole >= 0).all()):
        raise StateError("the counts of a distribution must be whole numbers of at least 0")
    return exact[whole > 0], whole[whole > 0]


def _plan(ends: Ints, n: int, s: int, *, k: int, c: float) -> list[Ints]:
    """Per level, the index of every item's value, with blocks of 2^s rows; empty if a level would overflow.

    Args:
        ends: rows up to and with each value, shape (values,).
        n: all rows.
        s: the level of one block.
        k: of the sketch.
        c: of the sketch.
    """
    block, blocks = 1 << s, n >> s
    rest = n - blocks * block
    spoken = np.minimum((ends + block // 2) >> s, blocks)  # blocks whose middle row is not after the value
    per_value = np.diff(spoken, prepend=0)
    where = np.flatnonzero(per_value)
    held = per_value[where]
    low = [_bits(rest, bit, ends, n - rest // 2) for bit in range(s)]
    for top in range(s, s + int(held.max()).bit_length()):  # higher ones would be empty
        if int((held >> (top - s)).sum()) > capacity(0, k=k, c=c):
            continue  # counted before the items are made: one value may have billions of rows
        plan = low + list(_spread(where, held, top - s))
        if all(level.size <= capacity(top - i, k=k, c=c) for i, level in enumerate(plan)):
            return plan
    return []


def _spread(where: Ints, held: Ints, height: int) -> Iterator[Ints]:
    """Blocks per value as binary numbers: the levels from one block up; what is over stays on top."""
    for bit in range(height):
        yield where[(held >> bit) & 1 == 1]
    yield np.repeat(where, held >> height)


def _bits(rest: int, bit: int, ends: Ints, middle: int) -> Ints:
    """One level of the rows after the last whole block: at most one item, at the middle row of that rest."""
    one = (rest >> bit) & 1
    return np.repeat(np.searchsorted(ends, middle), one).astype(np.int64)
