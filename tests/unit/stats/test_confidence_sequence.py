"""Confidence sequences: how often they ever miss the mean, looked at all the time, by simulation."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from watchkeep.core.errors import OptionError
from watchkeep.stats.confidence_sequence import Interval, asymptotic_interval, betting_interval, harmful_shift
from watchkeep.stats.e_values import BETS, mean_above

Reals = npt.NDArray[np.float64]

ONE_IN_A_THOUSAND = 0.999  # how rarely a simulation of a true guarantee may fail for another seed
STREAMS, ROWS = 300, 3_000
MISS = 0.2  # large, so that the simulation would see a guarantee broken by a little


def looks(values: Reals, first: int) -> tuple[Reals, Reals, Reals]:
    """Row numbers of many looks, and the streams' means and variances by then."""
    n = np.unique(np.geomspace(first, values.shape[1], 40).astype(np.int64))
    t = np.arange(1, values.shape[1] + 1)
    mean = (np.cumsum(values, axis=1) / t)[:, n - 1]
    square = (np.cumsum(values**2, axis=1) / t)[:, n - 1]
    return n.astype(np.float64), mean, np.maximum(square - mean**2, 0.0)


def ever_outside(ends: Interval, mean: float) -> int:
    return int(((ends.low > mean) | (ends.high < mean)).any(axis=1).sum())


@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda rng, size: (rng.random(size) < 0.5).astype(float), 0.5),
        (lambda rng, size: (rng.random(size) < 0.08).astype(float), 0.08),
        (lambda rng, size: rng.random(size) ** 2, 1 / 3),
    ],
)
def test_betting_misses_the_mean_no_more_often_than_said_whenever_one_looks(
    draw: Callable[[np.random.Generator, tuple[int, int]], Reals], mean: float
) -> None:
    n, means, variances = looks(draw(np.random.default_rng(1), (STREAMS, ROWS)), first=3)
    allowed = stats.binom.ppf(ONE_IN_A_THOUSAND, STREAMS, MISS)

    ends = betting_interval(n, means, variances, miss=(MISS / 2, MISS / 2))
    deviation = stats.norm.isf(MISS / 2) * np.sqrt(variances / n)
    everyday = Interval(means - deviation, means + deviation)

    assert ever_outside(ends, mean) <= allowed
    assert ever_outside(everyday, mean) > 2 * allowed  # the looks are many: an interval for one time fails


def test_betting_holds_for_rows_that_depend_on_those_before() -> None:
    # A loser draws bolder: the law of a row follows the rows before, its mean does not.
    rng, streams = np.random.default_rng(2), STREAMS
    values, total = np.empty((streams, 1_500)), np.zeros(streams)
    for t in range(values.shape[1]):
        bold, timid = (rng.random(streams) < 0.4).astype(float), rng.choice([0.1, 0.7], size=streams)
        values[:, t] = np.where(total < 0.4 * t, bold, timid)
        total += values[:, t]
    n, means, variances = looks(values, first=3)

    ends = betting_interval(n, means, variances, miss=(MISS / 2, MISS / 2))

    assert ever_outside(ends, 0.4) <= stats.binom.ppf(ONE_IN_A_THOUSAND, streams, MISS)


@pytest.mark.parametrize(("n", "mean", "variance"), [(40, 0.5, 0.2), (5_000, 0.03, 0.02), (10**8, 0.9, 0.01)])
def test_an_end_is_where_the_gamblers_wealth_is_the_bar(n: int, mean: float, variance: float) -> None:
    ends = betting_interval(n, mean, variance, miss=(0.01, 0.04))
    below = mean_above(n, mean, variance, limit=ends.low, bets=BETS)
    above = mean_above(n, 1 - mean, variance, limit=1 - ends.high, bets=BETS)

    assert np.exp(below).mean() == pytest.approx(1 / 0.01, rel=1e-3)
    assert np.exp(above).mean() == pytest.approx(1 / 0.04, rel=1e-3)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_betting_costs_less_than_twice_the_width_of_an_interval_for_one_time(share: float) -> None:
    n, variance = np.array([2_000, 20_000, 2_000_000]), share * (1 - share)
    low, high = betting_interval(n, share, variance)
    one_time = 2 * stats.norm.isf(0.025) * np.sqrt(variance / n)

    assert (high - low > one_time).all()
    assert (high - low < 2 * one_time).all()


def test_values_that_vary_little_have_a_narrow_interval() -> None:
    low, high = betting_interval(10_000, 0.5, [0.25, 0.0025])

    assert high[1] - low[1] < (high[0] - low[0]) / 5


def test_no_rows_say_nothing_and_an_end_may_be_left_open() -> None:
    nothing = betting_interval(0, 0.3, 0.1)
    below, above = (
        betting_interval(500, 0.3, 0.1, miss=(0.05, 0)),
        betting_interval(500, 0.3, 0.1, miss=(0, 0.05)),
    )

    assert [float(end) for end in nothing] == [0, 1]
    assert 0 < below.low < 0.3 < float(below.high) == 1
    assert float(above.low) == 0 < 0.3 < above.high < 1


def test_a_few_rows_of_rare_events_leave_almost_all_open() -> None:
    low, high = betting_interval([1, 2, 5], 1e-6, 1e-6 * (1 - 1e-6))

    assert (low < 1e-6).all()
    assert (high > 0.5).all()


def test_rows_all_alike_leave_room_for_others_to_come() -> None:
    none, every = betting_interval(1_000, 0.0, 0.0), betting_interval(1_000, 1.0, 0.0)

    assert none.low == 0
    assert 3.7 / 1_000 < none.high < 9 / 1_000  # above the one-time bound, ln(1 / 0.025) / n
    assert every.low == pytest.approx(1 - none.high)


@pytest.mark.parametrize(
    ("draw", "mean"),
    [
        (lambda rng, size: rng.normal(50, 3, size), 50.0),
        (lambda rng, size: rng.exponential(2, size), 2.0),
    ],
)
def test_large_samples_of_any_unit_miss_the_mean_no_more_often_than_said(
    draw: Callable[[np.random.Generator, tuple[int, int]], Reals], mean: float
) -> None:
    n, means, variances = looks(draw(np.random.default_rng(3), (STREAMS, ROWS)), first=100)

    ends = asymptotic_interval(n, means, variances, best_at=400, miss=(MISS / 2, MISS / 2))

    assert ever_outside(ends, mean) <= stats.binom.ppf(ONE_IN_A_THOUSAND, STREAMS, MISS)


@pytest.mark.parametrize("miss", [0.001, 0.025, 0.2, 0.6])
def test_the_asymptotic_line_is_that_of_a_half_normal_mixture(miss: float) -> None:
    n = np.geomspace(10, 1e7, 30)
    line = np.sqrt(n) * asymptotic_interval(n, 0.0, 1.0, best_at=1_000, miss=(0, miss)).high
    wealth = [_half_normal_wealth(float(z), float(k), miss) for z, k in zip(line, n, strict=True)]

    # At the line the mixture's wealth is 1 / miss at least (so the line is safe), and hardly more.
    assert (np.array(wealth) >= 1 / miss * (1 - 1e-9)).all()
    assert (np.array(wealth) <= 1.7 / miss).all()


def _half_normal_wealth(z: float, n: float, miss: float) -> float:
    """Of all bets of one sign, weighted by a normal law of the scale that the interval takes."""
    early = max(1e-3, -2 * math.log(2 * miss)) if miss < 0.5 else 1e-3
    inside = n * (early + math.log1p(early) + 1) / 1_000 + 1
    y = z * math.sqrt((inside - 1) / inside)
    return float(2 * math.exp(y * y / 2) * stats.norm.cdf(y) / math.sqrt(inside))


def test_the_asymptotic_interval_is_narrowest_where_it_was_asked_to_be() -> None:
    n = 1_000
    widths = [float(asymptotic_interval(n, 0, 1, best_at=at).high) for at in (50, 200, 1_000, 5_000, 20_000)]

    assert min(widths) == widths[2]
    assert widths[2] < 1.65 * stats.norm.isf(0.025) / math.sqrt(n)


def test_the_asymptotic_interval_is_narrower_than_the_exact_one() -> None:
    exact, asymptotic = (
        betting_interval(3_000, 0.2, 0.16),
        asymptotic_interval(3_000, 0.2, 0.16, best_at=3_000),
    )

    assert exact.low < asymptotic.low < 0.2 < asymptotic.high < exact.high


def test_an_open_end_of_an_asymptotic_interval_is_infinite_even_for_values_all_alike() -> None:
    low, high = asymptotic_interval([100, 200], 3.0, 0.0, best_at=100, miss=(0.05, 0))

    assert low.tolist() == [3, 3]
    assert high.tolist() == [math.inf, math.inf]


def test_an_unharmed_risk_rings_no_more_often_than_said_for_a_small_baseline_too() -> None:
    rng, streams, tolerance = np.random.default_rng(5), STREAMS, 0.01
    before = rng.binomial(150, 0.15, size=(streams, 1)) / 150
    n, means, variances = looks((rng.random((streams, ROWS)) < 0.15 + tolerance).astype(float), first=10)
    live = betting_interval(n, means, variances, miss=(0.05, 0))

    baseline = betting_interval(150, before, before * (1 - before), miss=(0, 0.05))
    rings = harmful_shift(live, baseline, tolerance=tolerance).any(axis=1).sum()
    as_exact = harmful_shift(live, Interval(before, before), tolerance=tolerance).any(axis=1).sum()

    allowed = stats.binom.ppf(ONE_IN_A_THOUSAND, streams, 0.05 + 0.05)
    assert rings <= allowed
    assert as_exact > allowed  # a baseline without an error of its own rings falsely


def test_a_harmful_shift_is_found_and_a_tolerated_one_is_not() -> None:
    rng = np.random.default_rng(6)
    baseline = betting_interval(20_000, 0.10, 0.09, miss=(0, 0.01))
    n, means, variances = looks((rng.random((100, 3_000)) < 0.16).astype(float), first=10)
    live = betting_interval(n, means, variances, miss=(0.01, 0))

    assert harmful_shift(live, baseline)[:, n <= 2_000].any(axis=1).mean() >= 0.9
    assert not harmful_shift(live, baseline, tolerance=0.06).any()


def test_what_makes_no_interval_is_refused() -> None:
    with pytest.raises(OptionError, match="miss"):
        betting_interval(10, 0.5, 0.1, miss=(0, 0))
    with pytest.raises(OptionError, match="variance"):
        betting_interval(10, 0.5, 0.3)
    with pytest.raises(OptionError, match=r"^n:"):
        asymptotic_interval(1, 0.5, 0.0, best_at=100)
    with pytest.raises(OptionError, match=r"^mean, variance:"):
        asymptotic_interval(10, 0.5, math.inf, best_at=100)
    with pytest.raises(OptionError, match="best_at"):
        asymptotic_interval(10, 0.5, 0.1, best_at=0)
    with pytest.raises(OptionError, match="tolerance"):
        harmful_shift(betting_interval(9, 0.5, 0.1), betting_interval(9, 0.5, 0.1), tolerance=-0.1)
