"""How far a window's distribution has moved from the baseline's. The formulas are those of `stats.distances`."""

from collections.abc import Callable

import numpy as np

from watchkeep.core.undefined import Undefined, Value
from watchkeep.measures.columns import Column, Counts, Histograms, Measure, compared, measured, tail_values
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.moments import Moments
from watchkeep.stats import distances
from watchkeep.stats.chi_square import ChiSquare, deequ_fit, homogeneity


def _gap(fine: Histograms) -> float:
    """The largest gap: of distribution functions for numbers, of shares for categories."""
    return (distances.linf if fine.values is None else distances.ks)(fine.baseline, fine.window)


def _over_fine(
    name: str, about: Callable[[Column], bool], distance: Callable[[Histograms], float]
) -> Measure:
    """A distance over the baseline's own bins, or by category."""

    def finish(column: Column) -> Value:
        fine = column.fine
        return fine if isinstance(fine, Undefined) else distance(fine)

    return Measure(name, about, finish)


def _over_coarse(name: str, distance: Callable[[Counts, Counts], float]) -> Measure:
    """A distance of shape, over 32 bins of equal baseline share, or by category."""

    def finish(column: Column) -> Value:
        coarse = column.coarse
        return coarse if isinstance(coarse, Undefined) else distance(coarse.baseline, coarse.window)

    return Measure(name, compared, finish)


def _wasserstein(column: Column) -> Value:
    bins, counts = column.before("bins", Bins), column.now("bin_counts", BinCounts)
    moments = column.before("moments", Moments)
    if bins is None or counts is None or moments is None or isinstance(column.fine, Undefined):
        return Undefined("wasserstein needs numbers on both sides")
    deviation = moments.deviation()
    if isinstance(deviation, Undefined):
        return deviation
    if not moments.varies:
        return Undefined("wasserstein is in baseline standard deviations, and the baseline is constant")
    below, below_rows, above, above_rows = tail_values(counts, bins)
    real = np.isfinite(bins.centers)
    support = np.concatenate([below, bins.centers[real], above])
    before = np.concatenate([np.zeros_like(below_rows), bins.counts[real], np.zeros_like(above_rows)])
    now = np.concatenate([below_rows, counts.counts[real], above_rows])
    if not now.sum() or not before.sum():
        return Undefined("wasserstein needs finite numbers on both sides")
    moved = distances.wasserstein(support, before, now) / deviation
    if not np.isfinite(moved):
        return Undefined("wasserstein overflows a double: the numbers are too large")
    return moved


def chi_square(column: Column) -> ChiSquare | Undefined:
    """The test of homogeneity over the baseline's 32 bins or its categories; SageMaker's own test in its dialect."""
    coarse = column.coarse
    if isinstance(coarse, Undefined):
        return coarse
    if column.dialect.sagemaker and coarse.values is None:
        found = deequ_fit(coarse.baseline, coarse.window)
        return found or Undefined("ChiSquared needs 2 categories of the baseline with enough rows")
    found = homogeneity(coarse.baseline, coarse.window)
    return found or Undefined("chi-square needs 2 bins with 5 expected rows each")


def _chi_square(name: str, told: Callable[[ChiSquare], float]) -> Measure:
    def finish(column: Column) -> Value:
        found = chi_square(column)
        return found if isinstance(found, Undefined) else told(found)

    return Measure(name, compared, finish)


KS = _over_fine("ks", measured, _gap)
"""Kolmogorov-Smirnov distance, max |F_b - F_w|, of numbers or of the norms of embeddings: in [0, 1].

Below the exact distance by at most the baseline's share of one bin that is no single value: 1/1000 of a baseline of
1,000 values or more; a little more in one of more than 256 columns, which keeps fewer cells.
"""
LINF = _over_fine("linf", compared, _gap)
"""SageMaker's simple distance: `ks` for numbers, the largest gap of two shares for categories. In [0, 1]."""
LINF_ROBUST = _over_fine("linf_robust", compared, lambda fine: distances.robust(_gap(fine), fine.n, fine.m))
"""SageMaker's robust distance: `linf` less 1.8 sqrt((n + m) / (n m)), at least 0. In [0, 1]."""
PSI = _over_coarse("psi", distances.psi)
"""Population stability index, sum((w - b) ln(w / b)): in nats, >= 0."""
JS = _over_coarse("js", distances.js)
"""Jensen-Shannon distance, base 2: in [0, 1]."""
HELLINGER = _over_coarse("hellinger", distances.hellinger)
"""Hellinger distance, sqrt(1 - sum(sqrt(b w))): in [0, 1]."""
TV = _over_coarse("tv", distances.tv)
"""Total variation distance, sum |b - w| / 2: in [0, 1]."""
WASSERSTEIN = Measure("wasserstein", measured, _wasserstein)
"""Wasserstein-1 distance, the area between the distribution functions, in baseline standard deviations: >= 0.

Over the baseline's bins and the cells beyond its range; infinite values are left out.
"""
CHI2 = _chi_square("chi2", lambda found: found.statistic)
"""Pearson's chi-square statistic of homogeneity; bins with fewer than 5 expected rows are pooled: >= 0."""
CHI2_P = _chi_square("chi2_p", lambda found: found.p)
"""The p-value of that test: in [0, 1]."""
