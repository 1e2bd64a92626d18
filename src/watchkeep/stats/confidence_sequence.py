"""Confidence sequences: intervals for a mean that hold at every time at once, so one may look whenever one likes.

Both read merged sums only (number, mean, variance), so hours add up to days and no row is kept. That is why the betting
here is an even mixture of fixed bets: the predictable bets of Waudby-Smith and Ramdas, and their closed form (empirical
Bernstein), need the rows one by one and in their order.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import OptionError
from watchkeep.stats.e_values import BETS, mean_above, unit_moments

Reals = npt.NDArray[np.float64]

EVEN: Final = (0.025, 0.025)
"""A miss of 5 %, half of it on either side."""

_HALVINGS = 16  # of a gap that is a tenth of the interval's width


class Interval(NamedTuple):
    """Where a mean lies: both ends are arrays of one shape, one interval for each time looked at.

    Args:
        low, high: in the unit of the values.
    """

    low: Reals
    high: Reals


def betting_interval(
    n: npt.ArrayLike, mean: npt.ArrayLike, variance: npt.ArrayLike, *, miss: tuple[float, float] = EVEN
) -> Interval:
    """A confidence sequence for the mean of values in [0, 1], exact at any number of rows, by betting.

    The chance that the mean is ever outside, at any n >= 1, is at most sum(miss): at the true mean the wealth of every
    gambler is a fair game, and by Ville's inequality the average wealth of all `BETS` ever reaches 1 / miss with
    chance `miss` at most. The low end is the smallest m with

        average over bets b of exp(mean_above(n, mean, variance, limit=m, bets=b)) < 1 / miss[0]

    and the high end is that of 1 - x. Rows need not be alike or independent: what is needed is that each has this mean
    given those before. Values in [a, b] are scaled by the caller: (x - a) / (b - a).

    Args:
        n: rows, >= 0.
        mean: of the rows, in [0, 1].
        variance: of the population, sum((x - mean)**2) / n; the three may be arrays, of one shape after broadcasting.
        miss: the chances that the mean is ever below and ever above, each in [0, 1), their sum in (0, 1); 0 leaves
            that end open, at 0 or 1.

    Returns:
        Ends in [0, 1], of the arguments' shape; [0, 1] for 0 rows. About 1.8 times as wide as the central limit
        theorem's at 10,000 rows: the price of looking at all times.

    Raises:
        OptionError: no values in [0, 1] have such moments, or `miss` is out of range.

    References:
        Waudby-Smith and Ramdas (2024), Journal of the Royal Statistical Society B 86, 1-27; Ville (1939).

    >>> low, high = betting_interval(n=[100, 10_000], mean=0.2, variance=0.16)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.086, 0.186], [0.365, 0.215])
    """
    _check_miss(miss)
    rows, centre, spread = np.broadcast_arrays(*unit_moments(n, mean, variance))
    high = 1 - _lower(rows, 1 - centre, spread, miss[1])
    return Interval(_lower(rows, centre, spread, miss[0]), np.asarray(high))


def asymptotic_interval(
    n: npt.ArrayLike,
    mean: npt.ArrayLike,
    variance: npt.ArrayLike,
    *,
    best_at: float,
    miss: tuple[float, float] = EVEN,
) -> Interval:
    """A confidence sequence for any mean, from large samples: the central limit theorem for all times at once.

    mean -+ s sqrt(2 (n r**2 + 1) / (n r)**2 * ln(1/2 + sqrt(n r**2 + 1) / (2 miss)))

    s**2 being the variance. Sums come ever closer to a Brownian motion, and by a half-normal mixture (scale r) of
    Ville's inequality a Brownian motion ever passes this line with chance `miss` at most. So the chance that the mean
    is ever outside from some n0 on tends to at most sum(miss) as n0 grows. Values need no bounds, only a finite
    variance that settles; n0 = 100 will do for mild values, rare events need some 10 of the events.

    Args:
        n: rows, >= 2.
        mean: of the rows, in any unit.
        variance: of the population, in that unit squared, >= 0; the three may be arrays, of one shape after
            broadcasting. As long as all values are equal it is 0, and so is the width.
        best_at: the number of rows at which the interval is about the narrowest it can be, > 0; chosen before looking.
        miss: the chances that the mean is ever below and ever above, each in [0, 1), their sum in (0, 1); 0 leaves
            that end open, at -inf or inf.

    Returns:
        Ends in the unit of the values, of the arguments' shape.

    Raises:
        OptionError: an argument is out of its range.

    References:
        Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Annals of Statistics 52, 2613-2640 (arXiv 2103.06476).
        Robbins (1970), Annals of Mathematical Statistics 41, 1397-1409 (the mixture). The line is where the mixture's
        wealth, 2 exp(y**2 / 2) P(Z < y) / sqrt(n r**2 + 1), is 1 / miss, by P(Z > y) <= exp(-y**2 / 2) / 2.

    >>> low, high = asymptotic_interval(n=[500, 10_000], mean=0.2, variance=0.16, best_at=1_000)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.145, 0.187], [0.255, 0.213])
    """
    _check_miss(miss)
    rows, centre, spread = (np.asarray(each, np.float64) for each in (n, mean, variance))
    if not (rows >= 2).all():
        raise OptionError("n", got=str(n), expected="2 rows or more")
    if not (np.isfinite(spread) & (spread >= 0)).all() or not np.isfinite(centre).all():
        raise OptionError(
            "mean, variance", got=f"{mean!r}, {variance!r}", expected="finite numbers, variance >= 0"
        )
    if not best_at > 0:
        raise OptionError("best_at", got=str(best_at), expected="rows, more than 0")
    below, above = (_line(rows, spread, best_at, each) for each in miss)
    return Interval(np.asarray(centre - below), np.asarray(centre + above))


def harmful_shift(live: Interval, baseline: Interval, *, tolerance: float = 0.0) -> npt.NDArray[np.bool_]:
    """Whether a live risk is worse than the baseline's by more than is tolerated.

    live.low > baseline.high + tolerance. If the true risk has not grown by more than `tolerance`, the chance that this
    is ever true is at most the live miss below plus the baseline's miss above: one of the two sequences would have to
    miss its mean. So a baseline of few rows makes alarms later, not false.

    Args:
        live: a confidence sequence of the risk (mean loss) since the model went live; only `low` is read.
        baseline: an interval of the risk on the baseline's rows; only `high` is read. Shapes broadcast.
        tolerance: by how much the risk may grow, in its unit, >= 0.

    Returns:
        One truth for each time; once true, the alarm stands, whatever comes later.

    Raises:
        OptionError: tolerance is below 0.

    References:
        Podkopaev and Ramdas (2022), ICLR, "Tracking the risk of a deployed model and detecting harmful distribution
        shifts".

    >>> baseline = betting_interval(5_000, 0.10, 0.09, miss=(0, 0.01))
    >>> live = betting_interval(n=[100, 1_000, 5_000], mean=0.16, variance=0.16 * 0.84, miss=(0.01, 0))
    >>> harmful_shift(live, baseline, tolerance=0.01).tolist()
    [False, False, True]
    """
    if not tolerance >= 0:
        raise OptionError("tolerance", got=str(tolerance), expected="0 or more")
    return np.asarray(live.low > baseline.high + tolerance)


def _lower(n: Reals, mean: Reals, variance: Reals, miss: float) -> Reals:
    """The smallest mean that no mixture of bets has refuted yet."""
    if miss == 0:
        return np.zeros_like(mean)
    bets = np.array(BETS)
    bar = math.log(len(bets) / miss)
    low, high = _refuted_by_one(n, mean, variance, bar), mean.copy()
    for _ in range(_HALVINGS):  # wealth falls as the limit rises; `low` stays refuted, or 0
        middle = (low + high) / 2
        wealth = mean_above(n, mean, variance, limit=np.where(middle > 0, middle, 1.0), bets=bets)
        refuted = np.logaddexp.reduce(wealth, axis=-1) >= bar
        low, high = np.where(refuted, middle, low), np.where(refuted, high, middle)
    return np.asarray(low)


def _refuted_by_one(n: Reals, mean: Reals, variance: Reals, bar: float) -> Reals:
    """The largest mean that a single bet refutes, in closed form: where it alone has the whole average's wealth."""
    bets = np.array(BETS)
    filled, rows = np.where(mean > 0, mean, 1.0), np.maximum(n, 1.0)
    c = np.minimum(1.0, filled + variance / filled)
    p = filled / c
    needed = (bar / rows[..., None] - (1 - p)[..., None] * np.log1p(-bets)) / p[..., None]
    found = (c[..., None] / (1 + np.expm1(np.minimum(needed, 600.0)) / bets)).max(axis=-1)
    return np.where((mean > 0) & (n > 0), np.minimum(found, mean), 0.0)


def _line(n: Reals, variance: Reals, best_at: float, miss: float) -> Reals:
    """How far the mean of n rows ever strays to one side, but for a chance of `miss`."""
    if miss == 0:
        return np.full(np.broadcast_shapes(n.shape, variance.shape), np.inf)
    early = max(1e-3, -2 * math.log(2 * miss)) if miss < 0.5 else 1e-3
    scale2 = (early + math.log1p(early) + 1) / best_at
    inside = n * scale2 + 1
    return np.asarray(
        np.sqrt(2 * variance * inside / (n * n * scale2) * np.log(0.5 + np.sqrt(inside) / (2 * miss)))
    )


def _check_miss(miss: tuple[float, float]) -> None:
    if not all(0 <= each < 1 for each in miss) or not 0 < sum(miss) < 1:
        raise OptionError(
            "miss", got=str(miss), expected="two chances, below and above, that sum to less than 1"
        )
