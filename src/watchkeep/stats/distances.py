"""Distances between two histograms over the same bins.

Counts have shape (bins,) and are >= 0; each side sums to at least 1. Bins are the baseline's: tools that bin both
samples together, or fill empty bins otherwise, print other numbers for the same rows.
"""

import math

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

DEEQU_C = 1.8
"""The constant of SageMaker's robust distance: a two-sided level of about 0.003."""


def shares(counts: Counts) -> Doubles:
    """Each bin's share of all rows."""
    found: Doubles = counts / counts.sum()
    return found


def ks(baseline: Counts, window: Counts) -> float:
    """Kolmogorov-Smirnov distance over ordered bins: the largest gap between the two distribution functions.

    max |F_b - F_w| at the bins' ends. In [0, 1]. Exact when each bin holds one value; else low by at most the
    baseline's share of one bin.

    >>> round(ks(np.array([2, 1, 1, 3, 1, 0]), np.array([1, 2, 1, 0, 2, 2])), 3)
    0.375
    """
    return float(np.abs(np.cumsum(shares(baseline)) - np.cumsum(shares(window))).max())


def linf(baseline: Counts, window: Counts) -> float:
    """L-infinity distance of categories: the largest gap between two shares, max |b - w|. In [0, 1].

    >>> round(linf(np.array([50, 30, 20, 0]), np.array([30, 50, 0, 20])), 3)
    0.2
    """
    return float(np.abs(shares(baseline) - shares(window)).max())


def critical_c(alpha: float) -> float:
    """The constant of a two-sample distance at level alpha: sqrt(-ln(alpha / 2) / 2).

    >>> round(critical_c(0.05), 4)
    1.3581
    """
    return math.sqrt(-math.log(alpha / 2) / 2)


def noise(n: int, m: int, *, c: float = DEEQU_C) -> float:
    """How far apart two samples of n and m rows from one distribution are by chance: c sqrt((n + m) / (n m)).

    >>> round(noise(10_000, 500), 3)
    0.082
    """
    return c * math.sqrt((n + m) / (n * m))


def robust(distance: float, n: int, m: int, *, c: float = DEEQU_C) -> float:
    """A distance with its noise taken off, at least 0.

    >>> round(robust(0.2, 1000, 1000), 6)
    0.119502
    """
    return max(0.0, distance - noise(n, m, c=c))


def psi(baseline: Counts, window: Counts, *, fill: float = 0.5) -> float:
    """Population stability index: sum((w - b) ln(w / b)) over shares.

    Args:
        baseline: rows per bin.
        window: rows per bin.
        fill: rows an empty bin is counted as, so that it stays finite; a bin empty on both sides is left out.

    Returns:
        Nats, >= 0; 0 when both have the same shares.

    References:
        Jeffreys (1946), Proc. R. Soc. A 186, 453-461 (the J-divergence).

    >>> round(psi(np.array([50, 30, 20]), np.array([40, 40, 20])), 6)
    0.051083
    """
    used = (baseline > 0) | (window > 0)
    b = np.where(baseline > 0, baseline, fill)[used]
    w = np.where(window > 0, window, fill)[used]
    b, w = b / b.sum(), w / w.sum()
    return float(((w - b) * np.log(w / b)).sum())


def js(baseline: Counts, window: Counts) -> float:
    """Jensen-Shannon distance: sqrt((KL(b | m) + KL(w | m)) / 2), m = (b + w) / 2, logarithms to base 2.

    In [0, 1]; 0 for the same shares, 1 for shares that have no bin in common.

    References:
        Endres and Schindelin (2003), IEEE Trans. Inf. Theory 49, 1858-1860; scipy.spatial.distance.jensenshannon.

    >>> js(np.array([1, 0]), np.array([0, 1]))
    1.0
    """
    b, w = shares(baseline), shares(window)
    middle = (b + w) / 2
    total = 0.0
    for side in (b, w):
        held = side > 0
        total += float((side[held] * np.log2(side[held] / middle[held])).sum())
    return math.sqrt(min(1.0, max(0.0, total / 2)))


def hellinger(baseline: Counts, window: Counts) -> float:
    """Hellinger distance: sqrt(1 - sum(sqrt(b w))). In [0, 1].

    >>> hellinger(np.array([1, 0]), np.array([0, 1]))
    1.0
    """
    # As a sum of squares, which does not lose the digits of near-equal shares.
    gap = np.sqrt(shares(baseline)) - np.sqrt(shares(window))
    return math.sqrt(min(1.0, float((gap**2).sum()) / 2))


def tv(baseline: Counts, window: Counts) -> float:
    """Total variation distance: sum |b - w| / 2, the share of rows that would have to move. In [0, 1].

    >>> round(tv(np.array([50, 50]), np.array([80, 20])), 3)
    0.3
    """
    return float(np.abs(shares(baseline) - shares(window)).sum()) / 2


def wasserstein(values: Doubles, baseline: Counts, window: Counts) -> float:
    """Wasserstein-1 distance of two weighted samples of the same support: the area between distribution functions.

    Args:
        values: the support, increasing, shape (k,), finite.
        baseline: rows at each value.
        window: rows at each value.

    Returns:
        In the values' unit, >= 0: how far the average row has moved.

    References:
        Vallender (1974), Theory Probab. Appl. 18, 784-786; scipy.stats.wasserstein_distance.

    >>> wasserstein(np.array([0.0, 1.0, 3.0]), np.array([1, 1, 0]), np.array([0, 1, 1]))
    1.5
    """
    gaps = np.abs(np.cumsum(shares(baseline)) - np.cumsum(shares(window)))[:-1]
    with np.errstate(over="ignore", invalid="ignore"):
        return float((gaps * np.diff(values)).sum())
