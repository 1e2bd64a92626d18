"""The normal law, far into its tails, and what brings other laws to it."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

_FAR = 37.0  # beyond, erfc underflows
_EVEN = 1e-5  # a skewness, or a distance, too small to be told from none
_STANDARD = NormalDist()


def log_upper(z: Reals) -> Reals:
    """The logarithm of P(Z > z) for a standard normal Z, without underflow; any shape.

    References:
        Abramowitz and Stegun (1964) 26.2.12 (the asymptotic series, used beyond 37).

    >>> round(float(np.exp(log_upper(np.array([1.959964])))[0]), 6)
    0.025
    """
    flat = np.ravel(z)
    near = np.fromiter(
        map(math.erfc, (np.minimum(flat, _FAR) / math.sqrt(2)).tolist()), np.float64, len(flat)
    )
    out: Reals = np.log(near / 2)
    far = np.flatnonzero(flat > _FAR)
    if len(far):
        x = flat[far]
        out[far] = -x * x / 2 - np.log(x * math.sqrt(2 * math.pi)) + np.log1p(-1 / (x * x))
    return out.reshape(np.shape(z))


def upper_quantile(chance: float) -> float:
    """The z that a standard normal exceeds with this chance, in (0, 1).

    >>> round(upper_quantile(0.025), 3)
    1.96
    """
    return -_STANDARD.inv_cdf(chance)


def scores(shares: Reals) -> Reals:
    """The standard normal quantiles of these shares, each in (0, 1).

    >>> scores(np.array([0.5])).tolist()
    [0.0]
    """
    return np.array([_STANDARD.inv_cdf(share) for share in shares.tolist()])


def unskewed(z: Reals, skew: Reals) -> Reals:
    """Standardised sums with a skewness, as if they were normal: by the tails of a gamma variable as skewed.

    A gamma variable of skewness g has shape k = 4 / g**2. Its modified signed root r + log(z / r) / r, with
    r**2 = 2 k (c - log(1 + c)) and c = z / sqrt(k), is normal to a few per cent of a chance, however small.

    Args:
        z: mean 0 and variance 1 when nothing changed; any shape.
        skew: of the same shape.

    Returns:
        About standard normal; -inf or +inf where a gamma variable cannot be.

    References:
        Barndorff-Nielsen (1986), Biometrika 73, 307-322 (the modified signed root r*).

    >>> unskewed(np.array([3.0]), np.array([0.0])).tolist()
    [3.0]
    """
    small = np.abs(skew) < _EVEN
    side = np.where(skew < 0, -1.0, 1.0)
    out = side * _of_gamma(side * z, 4 / np.where(small, 1.0, skew) ** 2)
    return np.where(small, z, out)


def chi_square_normal(statistic: Reals, degrees: Reals) -> Reals:
    """Chi-square statistics as standard normal values, by the tails of a gamma variable (see `unskewed`).

    >>> z = chi_square_normal(np.array([18.307]), np.array([10.0]))  # the 95 % point
    >>> round(float(z[0]), 2)
    1.64
    """
    return _of_gamma((statistic - degrees) / np.sqrt(2 * degrees), degrees / 2)


def _of_gamma(z: Reals, shape: Reals) -> Reals:
    """Standardised gamma variables as normal ones."""
    roots = np.sqrt(shape)
    c = z / roots
    near = np.abs(c) < _EVEN
    inside = np.where(near | (c <= -1), 1.0, c)
    r = np.sign(inside) * np.sqrt(2 * shape * (inside - np.log1p(inside)))
    out = r + np.log(inside * roots / r) / r
    out = np.where(near, z + 1 / (3 * roots), out)
    return np.where(c <= -1, -np.inf, out)
