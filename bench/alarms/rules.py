"""Rules that others ring by, in a few lines each: PSI, tests per column, their Bonferroni correction, SageMaker's.

They share what they count, so that all of them cost little more than one. Windows of few rows, ties and missing
values are treated as the originals do: missing values are left out, unless said otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2, kstwo

from bench.alarms.columns import Reals, categorical, numbers, numeric
from bench.alarms.readings import Reading, Readings
from bench.alarms.streams import Look

BINS = 10
"""Of equal frequency in the baseline: those of a PSI."""
EMPTY = 1e-4
"""The share that a PSI gives to an empty bin."""
LEVEL = 0.05
"""Of the tests."""
ROBUST = 1.8
"""SageMaker's allowance for few rows, in standard errors."""
LEAST = 1e-300

Counts = npt.NDArray[np.float64]


class Rules:
    """All rules together."""

    def fit(self, reference: pd.DataFrame, *, series: bool) -> "Reference":
        """Sorted values, bins and rates of the baseline; a series' times are no column."""
        del series
        columns: dict[str, Numbers | Categories] = {}
        for name in numeric(reference):
            columns[name] = Numbers.of(reference[name])
        for name in categorical(reference):
            columns[name] = Categories.of(reference[name])
        return Reference(columns)


@dataclass(frozen=True, slots=True)
class Column:
    """What the rules need of one column of a window.

    Args:
        psi: population stability index, missing values in a bin of their own.
        distance: greatest difference of distribution functions, or of a category's share.
        chance: p-value, of Kolmogorov and Smirnov's test or of a chi-square.
        noise: SageMaker's allowance.
    """

    psi: float
    distance: float
    chance: float
    noise: float


@dataclass(frozen=True, eq=False)
class Numbers:
    """A baseline's column of numbers.

    Args:
        values: sorted, without the missing ones.
        missing: rows without a value.
    """

    values: Reals
    missing: int

    @classmethod
    def of(cls, series: pd.Series) -> "Numbers":
        """A column."""
        values = numbers(series)
        return cls(np.sort(values[~np.isnan(values)]), int(np.isnan(values).sum()))

    @cached_property
    def edges(self) -> Reals:
        """Inner edges of the bins."""
        return np.unique(np.quantile(self.values, np.linspace(0, 1, BINS + 1)[1:-1]))

    @cached_property
    def counts(self) -> Counts:
        """The baseline's rows by bin, missing ones last."""
        return self._counted(self.values, self.missing)

    def compare(self, series: pd.Series) -> Column:
        """A window's column."""
        own = Numbers.of(series)
        n, m = len(own.values), len(self.values)
        if not n or not m:
            return Column(psi(self.counts, self._counted(own.values, own.missing)), 0.0, 1.0, np.inf)
        distance = ks_distance(self.values, own.values)
        # As SciPy has it for large samples: the one-sample law at the sizes' harmonic mean.
        chance = float(kstwo.sf(distance, max(1, round(n * m / (n + m)))))
        index = psi(self.counts, self._counted(own.values, own.missing))
        return Column(index, distance, chance, noise(m, n))

    def _counted(self, values: Reals, missing: int) -> Counts:
        bins = np.bincount(np.searchsorted(self.edges, values, "left"), minlength=len(self.edges) + 1)
        return np.append(bins, missing).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Categories:
    """A baseline's column of categories.

    Args:
        rows: of each category.
        missing: rows without one.
    """

    rows: Mapping[object, int]
    missing: int

    @classmethod
    def of(cls, series: pd.Series) -> "Categories":
        """A column."""
        if series.dtype != "category":
            return cls(series.value_counts().to_dict(), int(series.isna().sum()))
        rows = np.bincount(series.cat.codes + 1, minlength=len(series.cat.categories) + 1).tolist()
        return cls(dict(zip(series.cat.categories, rows[1:], strict=True)), rows[0])

    def compare(self, series: pd.Series) -> Column:
        """A window's column."""
        own = Categories.of(series)
        names = [name for name in {**self.rows, **own.rows} if self.rows.get(name, 0) + own.rows.get(name, 0)]
        before, now = (
            np.array([each.rows.get(name, 0) for name in names], np.float64) for each in (self, own)
        )
        index = psi(np.append(before, self.missing), np.append(now, own.missing))
        if not before.sum() or not now.sum():
            return Column(index, 0.0, 1.0, np.inf)
        distance = float(np.abs(before / before.sum() - now / now.sum()).max())
        return Column(index, distance, homogeneity(before, now), noise(int(before.sum()), int(now.sum())))


@dataclass(frozen=True, slots=True)
class Reference:
    """The baseline's columns; the rules remember no window, so it observes by itself."""

    columns: Mapping[str, Numbers | Categories] = field(default_factory=dict)

    def start(self) -> "Reference":
        """Itself."""
        return self

    def look(self, window: Look) -> Readings:
        """What each rule says."""
        found = {name: column.compare(window.rows[name]) for name, column in self.columns.items()}
        weighed = {name: -float(np.log10(max(each.chance, LEAST))) for name, each in found.items()}
        strict = -np.log10(LEVEL / max(1, len(found)))
        return {
            "psi": _any({name: each.psi for name, each in found.items()}),
            "ks-chi2": _any(weighed),
            "bonferroni": _any({name: value / strict for name, value in weighed.items()}),
            "sagemaker-drift": _any({name: each.distance - each.noise for name, each in found.items()}),
        }


def _any(columns: Mapping[str, float]) -> Reading:
    return Reading(max(columns.values(), default=0.0), columns)


def psi(baseline: Counts, window: Counts) -> float:
    """Population stability index, empty bins filled with a share of 0.0001; bins that both lack are left out.

    >>> round(psi(np.array([90.0, 10.0]), np.array([50.0, 50.0])), 3)
    0.879
    """
    live = (baseline + window) > 0
    before, now = (
        np.maximum(counts[live] / max(1.0, float(counts.sum())), EMPTY) for counts in (baseline, window)
    )
    return float(((now - before) * np.log(now / before)).sum())


def ks_distance(first: Reals, second: Reals) -> float:
    """Greatest difference of two distribution functions.

    Args:
        first: sorted values.
        second: sorted values.

    >>> ks_distance(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.5
    """
    # Between two of its own values a function is flat: the difference is greatest just before or at one of `second`.
    steps = np.flatnonzero(np.diff(second, append=np.inf))
    values = second[steps]
    reached = (steps + 1) / len(second)
    before = np.append(0.0, reached[:-1])
    below, upto = (np.searchsorted(first, values, side) / len(first) for side in ("left", "right"))
    return float(max(np.abs(upto - reached).max(), np.abs(below - before).max()))


def homogeneity(first: Counts, second: Counts) -> float:
    """p-value of Pearson's chi-square of two rows of counts; with Yates' correction for two categories, as in SciPy."""
    total = first + second
    first, total = first[total > 0], total[total > 0]
    degrees = len(total) - 1
    if degrees < 1:
        return 1.0
    share = float(first.sum() / total.sum())
    expected = total * share, total * (1 - share)
    gap = np.abs(first - expected[0])
    gap -= np.minimum(0.5, gap) if degrees == 1 else 0.0
    statistic = float((gap**2 / expected[0] + gap**2 / expected[1]).sum())
    return float(chi2.sf(statistic, degrees))


def noise(baseline: int, window: int) -> float:
    """What SageMaker's robust distance takes off."""
    return float(ROBUST * np.sqrt((baseline + window) / (baseline * window)))
