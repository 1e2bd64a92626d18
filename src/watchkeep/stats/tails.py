"""How unlikely a count or a discrepancy is when nothing changed."""

import numpy as np
import numpy.typing as npt

from watchkeep.stats.special import beta_lower, gamma_upper


def rare_count(count: int, n: int, *, rate: float, m: int) -> float:
    """The chance of `count` or more bad rows among n, when m baseline rows gave their rate as `rate`.

    I_x(count, m rate + 1/2) with x = n / (n + m): the upper tail of a negative binomial law, which is that of Poisson
    counts at a rate known by the baseline's rows (Jeffreys' prior); above the beta-binomial tail, so on the safe
    side, and about it for small rates. The baseline's own uncertainty is in it: after 100 clean rows a bad one in
    100 is no surprise.

    Args:
        count: bad rows, >= 0.
        n: rows in the window, >= 1.
        rate: share of bad rows that is allowed, in [0, 1].
        m: rows in the baseline, >= 1.

    Returns:
        A probability.

    >>> round(rare_count(3, 1000, rate=0.0, m=100_000), 8)
    3e-07
    """
    if count <= 0:
        return 1.0
    return beta_lower(count, m * rate + 0.5, n / (n + m))


def all_alike(n: int, *, heaviest: int, m: int) -> float:
    """The chance, at most, that n values are all the same, when the most frequent had `heaviest` of m rows.

    ((heaviest + 1) / (m + 1))**(n - 1): an upper bound of sum(p**n) over the shares p of all values.

    Args:
        n: values of the window, >= 1.
        heaviest: rows of the baseline that hold its most frequent value.
        m: rows of the baseline, >= 1.

    Returns:
        A probability.

    >>> all_alike(1, heaviest=3, m=1000), all_alike(4, heaviest=3, m=1000) < 1e-6
    (1.0, True)
    """
    return float(((heaviest + 1) / (m + 1)) ** (n - 1))


def discrepancy(value: float, n: int, m: int, *, spread: float, spread2: float) -> float:
    """The chance of a squared maximum mean discrepancy of `value` or more when nothing changed.

    With S the covariance matrix of the features and h = 1/n + 1/m, the squared distance of two means is about
    gamma with mean tr(S) h and variance 2 tr(S**2) h**2.

    Args:
        value: the centred discrepancy (`stats.fourier.mmd`): the mean taken off.
        n, m: rows of the window's and the baseline's samples.
        spread: tr(S), > 0.
        spread2: tr(S**2), > 0.

    References:
        Gretton et al. (2009), NIPS, "A fast, consistent kernel two-sample test" (the gamma approximation).

    >>> 0.4 < discrepancy(0.0, 1000, 1000, spread=0.9, spread2=0.05) < 0.6
    True
    """
    h = 1 / n + 1 / m
    scale = 2 * spread2 * h / spread
    at = value + spread * h
    return gamma_upper(spread**2 / (2 * spread2), at / scale) if at > 0 else 1.0


def covariance_traces(features: npt.NDArray[np.floating]) -> tuple[float, float]:
    """tr(S) and tr(S**2), S the covariance matrix of features, shape (rows, features), rows >= 2."""
    centred = features - features.mean(axis=0)
    covariance = centred.T @ centred / (len(features) - 1)
    return float(np.trace(covariance)), float((covariance**2).sum())
