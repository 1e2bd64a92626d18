"""How the losses of days differ when nothing has changed: rows of one day share its luck.

A storm makes a thousand flights late. If those are taken for a thousand independent rows, a week with a storm in it
looks like a model that broke. So the baseline's days are held against each other, and what they differ by, beyond
what rows in random order would, is what windows are allowed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from watchkeep.baselines.seasons import DOUBLINGS
from watchkeep.baselines.spread import FEWEST, Reals, Spread, of_means, spread_of
from watchkeep.stats.normal import chi_square_normal, log_upper

EXCHANGEABLE: Final = 0.01
"""The chance of days as different as they are, if rows came in random order, below which they did not."""
MOMENTS: Final = 3
"""Sums of a loss by day: rows, losses, squares."""
_HEAVY: Final = 3.0  # excess kurtosis of a day's luck that is supposed before any is seen


@dataclass(frozen=True, slots=True, eq=False)
class LossDays:
    """How far means of k losses over stretches of days differ beyond what rows in random order do.

    Args:
        names: of the losses.
        days: of the baseline.
        hours: that hold rows, of a day, on the average.
        deviations: of each loss, from row to row, shape (k,).
        spread: lengths in days, variances in variances of a row.
    """

    names: tuple[str, ...]
    days: int
    hours: float
    deviations: Reals
    spread: Spread

    def length(self, hours: int, days: int) -> float:
        """How many days some rows are, that lie in so many hours of so many days; 1 where no times are known.

        Parts of a day add up to days. How finely times are told does not make days more.
        """
        return min(float(days), hours / self.hours) if hours else 1.0

    def variance(self, days: float) -> Reals:
        """Variances of means over so many days, in variances of a row, shape (k,)."""
        found: Reals = self.spread.variance(np.array([days]))[0]
        return found


def loss_days(names: tuple[str, ...], by_day: Mapping[int, Reals], hours: int) -> LossDays | None:
    """What days show of how they differ; None when they are few, or differ no more than random rows would.

    Args:
        names: of the losses.
        by_day: sums of k losses by day, shape (k, 3): rows, losses, squares.
        hours: that hold rows, in all.
    """
    if len(by_day) < FEWEST:
        return None
    sums = np.array([by_day[day] for day in sorted(by_day)])
    if _chance(sums) > math.log(EXCHANGEABLE):
        return None
    chain = []
    for times in DOUBLINGS:
        if len(sums) // times < FEWEST:
            break
        together = np.add.reduceat(sums, np.arange(0, len(sums) - times + 1, times), axis=0)
        gaps, rows = _gaps(together)
        chain.append(of_means(gaps, rows, length=float(times), heaviness=_HEAVY))
    _, deviations = _whole(sums)
    return LossDays(names, len(sums), hours / len(sums), deviations, spread_of([chain]))


def _whole(sums: Reals) -> tuple[Reals, Reals]:
    """Mean and standard deviation of each loss, 0 where it has no rows; shape (k,) each."""
    rows, losses, squares = sums.sum(axis=0).T
    safe = np.maximum(rows, 1e-300)
    mean = losses / safe
    return mean, np.sqrt(np.maximum(squares / safe - mean**2, 0.0))


def _gaps(sums: Reals) -> tuple[Reals, Reals]:
    """Means less that of all rows, in standard deviations of a row, and rows; shape (stretches, k) each."""
    rows = sums[:, :, 0]
    mean, deviation = _whole(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = (sums[:, :, 1] / rows - mean) / deviation
    return np.where((rows > 0) & np.isfinite(gaps), gaps, 0.0), rows


def _chance(sums: Reals) -> float:
    """The logarithm of the chance of such days if rows came in random order: the least of all losses, times k."""
    gaps, rows = _gaps(sums)
    statistic = (rows * gaps**2).sum(axis=0)
    degrees = np.maximum((rows > 0).sum(axis=0) - 1, 1).astype(np.float64)
    logs = log_upper(chi_square_normal(statistic, degrees))
    return float(logs.min()) + math.log(len(logs)) if len(logs) else 0.0
