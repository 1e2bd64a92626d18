"""A few rows that stand for many: k-means of numbers, k-prototypes where there are categories beside them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import OptionError

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

MOST_CLUSTERS: Final = 12
MOST_ROWS: Final = 3_000
"""Rows that centres are fitted on; of more rows, so many drawn by the seed."""
GAMMA: Final = 0.5
"""What a category of another kind counts, in variances of a number: half, as Huang (1998) advises."""
ONE_SUFFICES: Final = 0.85
"""Where no number of clusters falls below it, the rows are one cluster (Pham and others, 2005)."""
_STARTS: Final = 4
_ROUNDS: Final = 100
_SETTLED: Final = 1e-4  # a round that gains less of the inertia is the last
_CHUNK: Final = 4_000_000  # distances held at once


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Clusters of rows, the largest first.

    Args:
        centres: means of numbers in their own units, NaN where a cluster holds none; shape (clusters, numbers).
        modes: the most frequent code of each column, of equally frequent ones the least; shape (clusters, columns).
        nearest: the row that is nearest to each centre, shape (clusters,).
        sizes: rows of each cluster, shape (clusters,).
        labels: the cluster of each row, shape (rows,).
        inertia: the sum of distances of rows to their centres, >= 0.
    """

    centres: Doubles
    modes: Ints
    nearest: Ints
    sizes: Ints
    labels: Ints
    inertia: float


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    centres: Doubles
    modes: Ints
    inertia: float


def k_means(
    numbers: Doubles, codes: Ints, *, clusters: int | None = None, seed: int = 0, gamma: float = GAMMA
) -> Clusters:
    """Clusters by Lloyd's rounds from k-means++ starts, the best of four.

    The distance of a row from a centre is sum((x - c)^2 / variance) + gamma * (codes that differ from the modes).
    A number that is missing, or infinite, counts as the mean of all rows.

    Unless told, k is chosen as the one with the least f(k) = S_k / (a_k S_(k-1)), where S is the inertia, f(1) = 1,
    and a is the fall of S when rows fill their range evenly: a_2 = 1 - 3 / (4 d), a_k = a_(k-1) + (1 - a_(k-1)) / 6 of
    d columns. Where no f is below 0.85 it is 1.

    Args:
        numbers: shape (rows, numbers), NaN where missing; may have no columns.
        codes: categories as integers, equal where alike, shape (rows, columns); may have no columns.
        clusters: k in 1..12, at most as many as there are different rows; None to have it chosen.
        seed: of starts, >= 0: the same clusters for the same seed.
        gamma: what a differing code counts, > 0.

    Raises:
        OptionError: clusters is not in 1..12, gamma is not above 0, or there are no rows.

    References:
        Arthur and Vassilvitskii (2007), SODA (k-means++); Huang (1998), Data Mining and Knowledge Discovery 2, 283-304
        (k-prototypes); Pham, Dimov and Nguyen (2005), Proc. IMechE C 219, 103-119 (the choice of k).
    Conventions:
        SageMaker Clarify chooses 1 to 12 clusters too, and does not say how.

    >>> two = k_means(np.array([[0.0], [1.0], [9.0], [9.0], [0.5]]), np.zeros((5, 0), np.intp), clusters=2)
    >>> two.centres.ravel().tolist(), two.sizes.tolist(), two.nearest.tolist()
    ([0.5, 9.0], [3, 2], [4, 2])
    """
    _check(numbers, clusters, gamma)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    rng = np.random.default_rng(seed)
    scaled, columns = _scaled(numbers), [np.unique(column, return_inverse=True) for column in codes.T]
    codes = np.stack([of for _, of in columns], axis=1) if columns else codes  # from 0 on, in the same order
    rows = np.sort(rng.permutation(len(scaled))[:MOST_ROWS])
    some, some_codes = scaled[rows], codes[rows]
    if clusters is None:
        fits = [_best(some, some_codes, k, gamma, rng) for k in range(1, min(MOST_CLUSTERS, len(some)) + 1)]
        fit = fits[_choose([each.inertia for each in fits], numbers.shape[1] + codes.shape[1]) - 1]
    else:
        fit = _best(some, some_codes, clusters, gamma, rng)
    found = _told(numbers, scaled, codes, fit, gamma)
    for at, (values, _) in enumerate(columns):
        found.modes[:, at] = values[found.modes[:, at]]
    return found


def _check(numbers: Doubles, clusters: int | None, gamma: float) -> None:
    if clusters is not None and not 1 <= clusters <= MOST_CLUSTERS:
        raise OptionError("clusters", got=str(clusters), expected=f"1 to {MOST_CLUSTERS}")
    if not gamma > 0:
        raise OptionError("gamma", got=str(gamma), expected="a number above 0")
    if not len(numbers):
        raise OptionError("rows", got="0", expected="1 or more to be clustered")


def _scaled(numbers: Doubles) -> Doubles:
    """Each number less its mean, by its deviation; 0 where it is missing or always the same."""
    there = ~np.isnan(numbers)
    numbers = np.where(there, numbers, 0.0)
    size = np.abs(numbers).max(axis=0)
    numbers = numbers / np.where(size > 0, size, 1.0)  # squares of the largest doubles are none
    held = np.maximum(there.sum(axis=0), 1)
    centred = np.where(there, numbers - numbers.sum(axis=0) / held, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / held)
    varies = deviation > 1e-12  # what is left of rounding is no variance
    scaled: Doubles = np.where(varies, centred / np.where(varies, deviation, 1.0), 0.0)
    return scaled


def _choose(inertias: list[float], columns: int) -> int:
    """How many clusters, of the inertias with 1, 2, ... of them; see `k_means`."""
    fall, best, least = 0.0, 1, ONE_SUFFICES
    for k, (before, now) in enumerate(pairwise(inertias), start=2):
        fall = 1 - 3 / (4 * max(1, columns)) if k == 2 else fall + (1 - fall) / 6
        f = now / (fall * before) if before > 1e-12 * inertias[0] else 1.0
        if f < least:
            best, least = k, f
    return best


def _best(numbers: Doubles, codes: Ints, k: int, gamma: float, rng: np.random.Generator) -> _Fit:
    fits = [_lloyd(numbers, codes, _start(numbers, codes, k, gamma, rng), gamma) for _ in range(_STARTS)]
    return min(fits, key=lambda fit: fit.inertia)


def _start(numbers: Doubles, codes: Ints, k: int, gamma: float, rng: np.random.Generator) -> Ints:
    """Rows to start from: each drawn by its distance from those before it; fewer than k where rows are alike."""
    chosen = [int(rng.integers(len(numbers)))]
    near = _distances(numbers, codes, numbers[chosen], codes[chosen], gamma)[:, 0]
    while len(chosen) < k and near.sum() > 0:
        chosen.append(int(rng.choice(len(numbers), p=near / near.sum())))
        near = np.minimum(
            near, _distances(numbers, codes, numbers[chosen[-1:]], codes[chosen[-1:]], gamma)[:, 0]
        )
    return np.array(chosen)


def _lloyd(numbers: Doubles, codes: Ints, start: Ints, gamma: float) -> _Fit:
    centres, modes = numbers[start], codes[start]
    labels, inertia = _assign(numbers, codes, centres, modes, gamma)
    for _ in range(_ROUNDS):
        before = inertia
        centres, modes = _centres(numbers, codes, labels, centres, modes)
        labels, inertia = _assign(numbers, codes, centres, modes, gamma)
        if before - inertia <= _SETTLED * before:
            break
    return _Fit(centres, modes, inertia)


def _assign(numbers: Doubles, codes: Ints, centres: Doubles, modes: Ints, gamma: float) -> tuple[Ints, float]:
    """The nearest centre of each row, and the sum of these distances."""
    labels, total = np.empty(len(numbers), dtype=np.intp), 0.0
    step = max(1, _CHUNK // len(centres))
    for at in range(0, len(numbers), step):
        distances = _distances(numbers[at : at + step], codes[at : at + step], centres, modes, gamma)
        labels[at : at + step] = distances.argmin(axis=1)
        total += float(distances.min(axis=1).sum())
    return labels, total


def _distances(numbers: Doubles, codes: Ints, centres: Doubles, modes: Ints, gamma: float) -> Doubles:
    """Shape (rows, centres); 0 of rows that are a centre, to rounding."""
    squares = (numbers**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)
    out: Doubles = squares - 2 * numbers @ centres.T
    out[out < 1e-12 * squares] = 0.0
    for column, mode in zip(codes.T, modes.T, strict=True):
        out += gamma * (column[:, None] != mode)
    return out


def _centres(
    numbers: Doubles, codes: Ints, labels: Ints, centres: Doubles, modes: Ints
) -> tuple[Doubles, Ints]:
    """Means and modes of the rows of each cluster; one without rows stays where it is."""
    k, held = len(centres), np.bincount(labels, minlength=len(centres))
    sums = (labels == np.arange(k)[:, None]).astype(np.float64) @ numbers
    some = held[:, None] > 0
    modes = modes.copy()
    for at, column in enumerate(codes.T):
        size = int(column.max()) + 1
        counts = np.bincount(labels * size + column, minlength=k * size).reshape(k, size)
        modes[:, at] = np.where(some[:, 0], counts.argmax(axis=1), modes[:, at])
    return np.where(some, sums / np.maximum(held, 1)[:, None], centres), modes


def _mode(codes: Ints) -> int:
    values, counts = np.unique(codes, return_counts=True)
    return int(values[counts.argmax()])


def _told(numbers: Doubles, scaled: Doubles, codes: Ints, fit: _Fit, gamma: float) -> Clusters:
    """The clusters of all rows, in the units of the numbers, the largest first."""
    labels, inertia = _assign(scaled, codes, fit.centres, fit.modes, gamma)
    sizes = np.bincount(labels, minlength=len(fit.centres))
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
    place = np.zeros(len(sizes), dtype=np.intp)
    place[order] = np.arange(len(order))
    labels, sizes = place[labels], sizes[order]
    centres = np.full((len(order), numbers.shape[1]), np.nan)
    modes, nearest = fit.modes[order], np.empty(len(order), dtype=np.intp)
    for k, old in enumerate(order):
        mine = np.flatnonzero(labels == k)
        held = ~np.isnan(numbers[mine])
        some = held.any(axis=0)
        shares = np.where(held, numbers[mine], 0.0) / np.maximum(held.sum(axis=0), 1)
        centres[k, some] = shares.sum(axis=0)[some]
        modes[k] = [_mode(column) for column in codes[mine].T]
        distances = _distances(
            scaled[mine], codes[mine], fit.centres[old : old + 1], fit.modes[old : old + 1], gamma
        )
        nearest[k] = mine[distances[:, 0].argmin()]
    return Clusters(centres, modes, nearest, sizes, labels, inertia)
