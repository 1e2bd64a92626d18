"""How far a window's distribution has moved from the baseline's."""

from typing import ClassVar

import numpy as np

from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import Column, tail_values
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.moments import Moments
from watchkeep.stats import distances
from watchkeep.stats.chi_square import ChiSquare, deequ_fit, homogeneity


def _numbers(column: Column) -> bool:
    return (column.type.numeric or column.type is ColumnType.EMBEDDING) and column.role is not Role.ID


def _compared(column: Column) -> bool:
    return (_numbers(column) or column.type.categorical) and column.role is not Role.ID


class Ks:
    """Kolmogorov-Smirnov distance of the window to the baseline (of an embedding's norms): in [0, 1].

    Below the exact distance by at most 1/1000: the baseline's share of one bin.
    """

    name: ClassVar[str] = "ks"

    def applies(self, column: Column) -> bool:
        """For numbers, and the norms of embeddings."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """Max |F_b - F_w|."""
        fine = column.fine
        return fine if isinstance(fine, Undefined) else distances.ks(fine.baseline, fine.window)


class Linf:
    """SageMaker's simple distance: `ks` for numbers, the largest gap of two shares for categories. In [0, 1]."""

    name: ClassVar[str] = "linf"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """Max |F_b - F_w| or max |b - w|."""
        fine = column.fine
        if isinstance(fine, Undefined):
            return fine
        gap = distances.linf if fine.values is None else distances.ks
        return gap(fine.baseline, fine.window)


class LinfRobust:
    """SageMaker's robust distance: `linf` with the noise of both samples taken off, at least 0. In [0, 1]."""

    name: ClassVar[str] = "linf_robust"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """max(0, linf - 1.8 sqrt((n + m) / (n m)))."""
        fine = column.fine
        if isinstance(fine, Undefined):
            return fine
        gap = distances.linf if fine.values is None else distances.ks
        return distances.robust(gap(fine.baseline, fine.window), fine.n, fine.m)


class Psi:
    """Population stability index over the baseline's 32 bins or its categories: in nats, >= 0."""

    name: ClassVar[str] = "psi"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """sum((w - b) ln(w / b))."""
        coarse = column.coarse
        return coarse if isinstance(coarse, Undefined) else distances.psi(coarse.baseline, coarse.window)


class Js:
    """Jensen-Shannon distance over the baseline's 32 bins or its categories, base 2: in [0, 1]."""

    name: ClassVar[str] = "js"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """The square root of the divergence."""
        coarse = column.coarse
        return coarse if isinstance(coarse, Undefined) else distances.js(coarse.baseline, coarse.window)


class Hellinger:
    """Hellinger distance over the baseline's 32 bins or its categories: in [0, 1]."""

    name: ClassVar[str] = "hellinger"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """sqrt(1 - sum(sqrt(b w)))."""
        coarse = column.coarse
        return (
            coarse if isinstance(coarse, Undefined) else distances.hellinger(coarse.baseline, coarse.window)
        )


class Tv:
    """Total variation distance over the baseline's 32 bins or its categories: in [0, 1]."""

    name: ClassVar[str] = "tv"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """Sum |b - w| / 2."""
        coarse = column.coarse
        return coarse if isinstance(coarse, Undefined) else distances.tv(coarse.baseline, coarse.window)


class Wasserstein:
    """Wasserstein-1 distance, in standard deviations of the baseline: >= 0.

    Over the baseline's bins and the cells beyond its range; infinite values are left out.
    """

    name: ClassVar[str] = "wasserstein"

    def applies(self, column: Column) -> bool:
        """For numbers, and the norms of embeddings."""
        return _numbers(column)

    def finish(self, column: Column) -> Value:
        """The area between the distribution functions / std of the baseline."""
        bins, counts = column.before("bins", Bins), column.now("bin_counts", BinCounts)
        moments = column.before("moments", Moments)
        if bins is None or counts is None or moments is None or isinstance(column.fine, Undefined):
            return Undefined("wasserstein needs numbers on both sides")
        deviation = moments.deviation()
        if isinstance(deviation, Undefined):
            return deviation
        if isinstance(moments.skewness(), Undefined):
            return Undefined("wasserstein is in baseline standard deviations, and the baseline is constant")
        below, below_rows, above, above_rows = tail_values(counts)
        real = np.isfinite(bins.centers)
        support = np.concatenate([below, bins.centers[real], above])
        before = np.concatenate([np.zeros_like(below_rows), bins.counts[real], np.zeros_like(above_rows)])
        now = np.concatenate([below_rows, counts.counts[real], above_rows])
        if not now.sum() or not before.sum():
            return Undefined("wasserstein needs finite numbers on both sides")
        moved = distances.wasserstein(support, before, now) / deviation
        return (
            moved
            if np.isfinite(moved)
            else Undefined("wasserstein overflows a double: the numbers are too large")
        )


def chi_square(column: Column) -> ChiSquare | Undefined:
    """The test of homogeneity over the baseline's 32 bins or its categories; SageMaker's own test in its dialect."""
    coarse = column.coarse
    if isinstance(coarse, Undefined):
        return coarse
    if column.dialect.sagemaker and coarse.values is None:
        found = deequ_fit(coarse.baseline, coarse.window)
        return (
            Undefined("ChiSquared needs 2 categories of the baseline with enough rows")
            if found is None
            else found
        )
    found = homogeneity(coarse.baseline, coarse.window)
    return Undefined("chi-square needs 2 bins with 5 expected rows each") if found is None else found


class Chi2:
    """Pearson's chi-square statistic of homogeneity: >= 0."""

    name: ClassVar[str] = "chi2"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """The statistic; bins with fewer than 5 expected rows are pooled."""
        found = chi_square(column)
        return found if isinstance(found, Undefined) else found.statistic


class Chi2P:
    """The p-value of the chi-square test of homogeneity: in [0, 1]."""

    name: ClassVar[str] = "chi2_p"

    def applies(self, column: Column) -> bool:
        """For numbers and categories."""
        return _compared(column)

    def finish(self, column: Column) -> Value:
        """The chance of such a statistic when nothing changed."""
        found = chi_square(column)
        return found if isinstance(found, Undefined) else found.p
