"""What the mean of a quantity would be if the reference rows had a window's mix of features.

Reference rows are given weights w_i = 1 + (m - mean)' C^-1 (f_i - mean), with f_i a row's feature scores and C their
covariance: the weights nearest to 1 (in chi-square distance) under which the features' means are m, those of the
window. A weighted mean of any quantity q is then its mean plus B (m - mean), with B the least-squares coefficients
of q on the features, so that nothing is weighed: a window needs its means alone, and they add up over its parts.

References:
    Deville and Särndal (1992), J. Amer. Statist. Assoc. 87, 376-382 (calibration estimators; exponential weights,
    or entropy balancing, agree to first order); Efron and Morris (1973), J. Amer. Statist. Assoc. 68, 117-130.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64] | Reals

FLAT: Final = 1e-9
"""The standard deviation up to which a feature is one number."""
MOST: Final = 64
"""Most features."""
LEAST_SHARE: Final = 0.02
"""Of the reference rows: buckets with fewer are no features."""
MOST_OF_PAIRS: Final = 1_000
"""Most features where columns are taken two by two."""
LEAST_SHARE_OF_PAIRS: Final = 0.002
"""Of the reference rows: pairs of buckets with fewer are no features."""
PAIRED: Final = 8
"""Columns that are taken two by two, at most; of about so many buckets each."""
RIDGE: Final = 0.005
"""Added to the variances of standardised features, so that features that tell the same share what they tell."""
PRIOR: Final = 3.0
"""Rows that hold changes of chances back."""
_CHUNK = 4096  # rows at a time
_FARTHEST = 4.0  # log odds beyond which rows are alike
_STEPS = 8
_MOST_STEP = 1.0
_NEAR = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Indicators:
    """Features that are 1 for rows in a bucket of a column, and 0 for all others.

    Their means in a window are its shares of rows by bucket: the counts of the buckets are all it takes.

    Args:
        columns: the place of each feature's column, shape (d,).
        buckets: its bucket, shape (d,).
    """

    columns: Places
    buckets: Places

    def of(self, codes: Places) -> Reals:
        """The features of rows whose buckets are `codes`, shape (rows, columns); shape (rows, d)."""
        return np.asarray(codes[:, self.columns] == self.buckets, np.float64)

    def means(self, counts: Sequence[Counts], rows: float) -> Reals:
        """The features' means, from rows by bucket for each column; shape (d,)."""
        of = zip(self.columns.tolist(), self.buckets.tolist(), strict=True)
        return np.array([float(counts[column][bucket]) / rows for column, bucket in of])


def indicators(
    codes: Places,
    sizes: Sequence[int],
    traits: Reals,
    *,
    most: int = MOST,
    least_share: float = LEAST_SHARE,
) -> Indicators:
    """The buckets whose rows differ most in some traits, as features.

    Of each column all but its largest bucket may be one: the others say what share that has.

    Args:
        codes: the bucket of each reference row in each column, 0 and up, shape (rows, columns).
        sizes: buckets of each column.
        traits: numbers of each row, shape (rows, k).
        most: no more than so many are given.
        least_share: of the rows; buckets with fewer are left out.

    >>> codes, wrong = np.array([[0, 0], [1, 0], [1, 1]] * 40), np.array([[1.0], [0.0], [0.0]] * 40)
    >>> found = indicators(codes, [2, 2], wrong)
    >>> list(zip(found.columns.tolist(), found.buckets.tolist()))
    [(0, 0), (1, 1)]
    """
    standard = _standard(traits)
    found: list[tuple[float, int, int]] = []
    for column, size in enumerate(sizes):
        mine = codes[:, column]
        rows = np.bincount(mine, minlength=size)
        kept = rows >= least_share * len(mine)
        kept[np.argmax(rows)] = False
        told = np.sum([np.bincount(mine, trait, size) ** 2 for trait in standard.T], axis=0)
        found += [(-float(told[at]) / int(rows[at]), column, at) for at in np.flatnonzero(kept).tolist()]
    chosen = sorted(sorted(found)[:most], key=lambda one: one[1:])
    return Indicators(
        np.array([column for _, column, _ in chosen], np.intp), np.array([at for *_, at in chosen], np.intp)
    )


def _standard(traits: Reals) -> Reals:
    centred, spread = traits - traits.mean(axis=0), traits.std(axis=0)
    return np.asarray(centred / np.where(spread > FLAT, spread, 1.0), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Columns that are taken two by two: where what matters is how columns hang together.

    Args:
        sizes: buckets of each column.
        first, second: the columns of each pair, shape (pairs,).
    """

    sizes: tuple[int, ...]
    first: Places
    second: Places

    @property
    def all_sizes(self) -> tuple[int, ...]:
        """Buckets of each column, and then of each pair."""
        both = zip(self.first.tolist(), self.second.tolist(), strict=True)
        return (*self.sizes, *(self.sizes[one] * self.sizes[other] for one, other in both))

    def of(self, codes: Places) -> Places:
        """The buckets of rows, shape (rows, columns), and after them the buckets of pairs."""
        pairs = codes[:, self.first] * np.array(self.sizes, np.intp)[self.second] + codes[:, self.second]
        return np.concatenate([codes, pairs], axis=1)


def pairs(codes: Places, sizes: Sequence[int], traits: Reals, *, most: int = PAIRED) -> Pairs:
    """All pairs of the columns whose buckets tell most of some traits.

    Args:
        codes: the bucket of each reference row in each column, 0 and up, shape (rows, columns).
        sizes: buckets of each column.
        traits: numbers of each row, shape (rows, k).
        most: columns.

    >>> codes = np.array([[0, 0, 0], [0, 1, 2], [1, 0, 1], [1, 1, 0]])
    >>> found = pairs(codes, [2, 2, 3], codes[:, 1:] * 1.0, most=2)
    >>> found.of(codes)[:, 3].tolist(), found.all_sizes
    ([0, 5, 1, 3], (2, 2, 3, 6))
    """
    standard, told = _standard(traits), []
    for column, size in enumerate(sizes):
        rows = np.maximum(np.bincount(codes[:, column], minlength=size), 1)
        sums = [np.bincount(codes[:, column], trait, size) for trait in standard.T]
        # Of so many buckets as much is told by chance alone.
        told.append(float(sum((each**2 / rows).sum() - size for each in sums)))
    kept = np.sort(np.argsort(-np.array(told), kind="stable")[:most])
    first, second = np.triu_indices(len(kept), 1)
    return Pairs(tuple(sizes), kept[first], kept[second])


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """By how much the means of quantities change when the mix of features does.

    Args:
        change: shape (k,).
        covariance: of its error, shape (k, k).
        effective: how many rows of equal weight would know as much as the weighted reference rows: the rows over
            the mean squared weight. A small share of them says that the window's mix is hardly in the reference.
    """

    change: Reals
    covariance: Reals
    effective: float


@dataclass(frozen=True, slots=True, eq=False)
class Reweighting:
    """What is needed to give reference rows the mix of a window: arrays alone.

    Args:
        rows: reference rows it was learned from.
        centre, scale: means and standard deviations of the features, shape (d,).
        inverse: of the ridged sums of products of standardised features, shape (d, d).
        slopes: coefficients of the quantities on standardised features, shape (d, k).
        explained: the covariance of what the features tell of the quantities, shape (k, k).
        residual: the covariance of what they do not tell, shape (k, k).
    """

    rows: float
    centre: Reals
    scale: Reals
    inverse: Reals
    slopes: Reals
    explained: Reals
    residual: Reals

    @classmethod
    def of(cls, features: Reals, quantities: Reals) -> "Reweighting":
        """Learn from reference rows: features, shape (rows, d), and quantities, shape (rows, k).

        Products of a chunk's indicators have sums below 2**24, which single precision holds exactly, and faster.
        """
        n, width = features.shape
        middle = quantities.mean(axis=0)
        products, across = np.zeros((width, width)), np.zeros((width, len(middle)))
        for start in range(0, n, _CHUNK):
            some = features[start : start + _CHUNK]
            single = some.astype(np.float32) if np.array_equal(some, some * some) else some
            products += single.T @ single
            across += some.T @ (quantities[start : start + _CHUNK] - middle)
        centre = features.mean(axis=0)
        products -= n * np.outer(centre, centre)
        scale = np.sqrt(np.maximum(products.diagonal() / n, 0.0))
        scale = np.where(scale > FLAT, scale, 1.0)
        products /= np.outer(scale, scale)
        across /= scale[:, None]
        inverse = np.linalg.inv(products + RIDGE * n * np.eye(width))
        slopes = inverse @ across
        told, both = slopes.T @ products @ slopes / n, slopes.T @ across / n
        spread = (quantities - middle).T @ (quantities - middle) / n
        return cls(float(n), centre, scale, inverse, slopes, told, spread - both - both.T + told)

    def shift(self, means: Reals, *, sampled: float, rows: float) -> Shift:
        """The change of the quantities' means in a window, drawn towards none as far as it may be chance.

        A change of k quantities with covariance V is multiplied by max(0, 1 - k / (change' V^-1 change)).

        Args:
            means: of the window's feature scores, shape (d,).
            sampled: rows they are of.
            rows: of the window; more than `sampled` when they are of a sample.

        >>> rng = np.random.default_rng(1)
        >>> features = rng.integers(0, 2, (4000, 1)) * 2.0 - 1
        >>> of = Reweighting.of(features, features * 0.3 + rng.normal(size=(4000, 1)))
        >>> moved = of.shift(np.array([0.5]), sampled=1e4, rows=1e4)
        >>> moved.change.round(2).tolist(), round(moved.effective / of.rows, 1)
        ([0.15], 0.8)
        """
        z = (means - self.centre) / self.scale
        change = z @ self.slopes
        apart = float(z @ self.inverse @ z)
        covariance = self.residual * apart
        if sampled < rows:
            covariance = covariance + self.explained * (1 / sampled - 1 / rows)
        evidence = float(change @ np.linalg.pinv(covariance) @ change)
        kept = max(0.0, 1 - len(change) / evidence) if evidence > 0 else 0.0
        return Shift(change * kept, covariance, self.rows / (1 + apart * self.rows))


def powers(chances: Reals) -> Reals:
    """What a change of chances may depend on: 1, half the log odds, and its square, shape (cells, 3).

    Args:
        chances: in (0, 1), shape (cells,).
    """
    half = np.clip(np.log(chances) - np.log1p(-chances), -_FARTHEST, _FARTHEST) / 2
    return np.stack([np.ones(len(half)), half, half**2], axis=1)


def information(rows: Reals, chances: Reals, by: Reals) -> Reals:
    """How much the sums over rows of `by` times the chance grow with the log odds, shape (k, k).

    Args:
        rows: by cell, shape (cells,).
        chances: by cell.
        by: see `powers`, shape (cells, k).
    """
    weighted = by * (rows * chances * (1 - chances))[:, None]
    return np.asarray(weighted.T @ by + PRIOR * np.eye(by.shape[1]), np.float64)


def tilted(rows: Reals, chances: Reals, by: Reals, change: Reals) -> Reals:
    """Chances whose log odds are moved by a combination of `by`, so that their sums over rows change as they must.

    sum over cells of rows by (new chance - old chance) = change * rows in all, solved by Newton's method with a
    prior that holds the combination near 0.

    Args:
        rows: of the window by cell, shape (cells,).
        chances: of the reference by cell.
        by: see `powers`, shape (cells, k).
        change: of the means over all rows, shape (k,).

    >>> rows, chances = np.array([1e4, 1e4]), np.array([0.2, 0.8])
    >>> found = tilted(rows, chances, powers(chances), np.array([0.05, 0.0, 0.024]))
    >>> round(float(found @ rows - chances @ rows), -1)
    1000.0
    """
    odds, total, tilt = np.log(chances) - np.log1p(-chances), rows.sum(), np.zeros(by.shape[1])
    for _ in range(_STEPS):
        moved = 1 / (1 + np.exp(-(odds + by @ tilt)))
        left = total * change - by.T @ (rows * (moved - chances)) - PRIOR * tilt
        step = np.clip(np.linalg.solve(information(rows, moved, by), left), -_MOST_STEP, _MOST_STEP)
        tilt = tilt + step
        if np.abs(step).max() < _NEAR:
            break
    found: Reals = 1 / (1 + np.exp(-(odds + by @ tilt)))
    return found
