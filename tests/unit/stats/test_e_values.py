"""e-values against their definition, by exact sums and integrals where there are any, else by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from watchkeep.core.errors import OptionError
from watchkeep.stats.e_values import BETS, calibrated, e_bh, log_average, mean_above, unit_moments

ONE_IN_A_THOUSAND = 0.999  # how rarely a simulation of a true guarantee may fail for another seed
rows_in_0_1 = st.lists(st.floats(0, 1), min_size=1, max_size=30)
log_e_values = st.lists(st.floats(-5, 12), min_size=1, max_size=12)


@given(log_e_values)
def test_an_average_is_that_of_the_e_values(logs: list[float]) -> None:
    weights = np.arange(1, len(logs) + 1) / sum(range(1, len(logs) + 1))

    assert log_average(np.array(logs)) == pytest.approx(np.log(np.exp(logs).mean()), abs=1e-9)
    assert log_average(np.array(logs), weights) == pytest.approx(np.log(np.exp(logs) @ weights), abs=1e-9)


def test_an_average_holds_evidence_beyond_all_doubles_and_none_at_all() -> None:
    assert log_average(np.array([5000.0, 0.0])) == pytest.approx(5000 - math.log(2))
    assert log_average(np.array([-np.inf, -np.inf])) == -math.inf
    assert log_average(np.array([np.inf, 1.0]), np.array([0.0, 1.0])) == 1


@pytest.mark.parametrize("common", [0.0, 0.5, 1.0])
def test_an_average_of_e_values_is_one_whatever_their_dependence(common: float) -> None:
    rng, runs, strengths = np.random.default_rng(1), 4_000, np.array([0.3, 0.6, 0.9])
    z = math.sqrt(common) * rng.normal(size=(runs, 1)) + math.sqrt(1 - common) * rng.normal(size=(runs, 3))
    averages = np.exp([log_average(each) for each in strengths * z - strengths**2 / 2])

    assert averages.mean() == pytest.approx(1, abs=4 * averages.std() / math.sqrt(runs))
    assert (averages >= 10).sum() <= stats.binom.ppf(ONE_IN_A_THOUSAND, runs, 1 / 10)


@pytest.mark.parametrize("u", [0.0, 1e-9, 0.001, 0.0199, 0.0201, 0.5, 3.0, 20.0])
def test_a_calibrated_p_value_is_the_mixture_of_all_powers(u: float) -> None:
    mixture, _ = integrate.quad(lambda k: k * math.exp(-u * (k - 1)), 0, 1, epsabs=0, epsrel=1e-12)

    assert math.exp(float(calibrated(-u))) == pytest.approx(mixture, rel=1e-10)


def test_a_calibrated_uniform_p_value_has_mean_one() -> None:
    mean, _ = integrate.quad(lambda u: math.exp(float(calibrated(-u)) - u), 0, math.inf, limit=500)

    assert mean == pytest.approx(1, abs=1e-6)


def test_p_values_too_small_for_doubles_are_calibrated_too() -> None:
    found = calibrated(np.array([-10_000.0, -np.inf]))

    assert found[0] == pytest.approx(10_000 - 2 * math.log(10_000))
    assert found[1] == math.inf


@given(log_e_values, st.floats(0.01, 0.5))
def test_named_are_the_most_hypotheses_of_which_the_last_reaches_its_bar(
    logs: list[float], alpha: float
) -> None:
    ranked = sorted(logs, reverse=True)
    most = [k for k in range(1, len(logs) + 1) if k * math.exp(ranked[k - 1]) >= len(logs) / alpha]

    named = e_bh(np.array(logs), false_discoveries=alpha)

    assert np.array(logs)[named].tolist() == ranked[: max(most, default=0)]


@pytest.mark.parametrize("times", [1.0, 0.7])
def test_the_worst_e_values_name_wrongly_as_often_as_allowed_and_no_more(times: float) -> None:
    # One of K null e-values is K times/alpha with chance alpha/times, all others are 0: no law is worse for times=1,
    # and a bar a third too low would let times=0.7 pass too often.
    rng, runs, k, alpha = np.random.default_rng(2), 4_000, 20, 0.1
    wrong = 0
    for place, chance in zip(rng.integers(k, size=runs), rng.random(runs), strict=True):
        logs = np.full(k, -np.inf)
        if chance < alpha / times:
            logs[place] = math.log(k / alpha * times)
        wrong += len(e_bh(logs, false_discoveries=alpha)) > 0

    assert wrong <= stats.binom.ppf(ONE_IN_A_THOUSAND, runs, alpha)
    assert times < 1 or wrong >= stats.binom.ppf(1 - ONE_IN_A_THOUSAND, runs, alpha)


def test_changed_columns_are_named_and_few_others_under_dependence() -> None:
    rng, runs, changed = np.random.default_rng(3), 500, np.arange(20) < 5
    wrong, found = [], []
    for _ in range(runs):
        z = 0.8 * rng.normal() + 0.6 * rng.normal(size=20) + 5 * changed
        named = e_bh(3 * z - 4.5, false_discoveries=0.1)
        wrong.append((~changed[named]).sum() / max(1, len(named)))
        found.append(changed[named].sum() / 5)

    assert np.mean(wrong) <= 0.1 * 15 / 20
    assert np.mean(found) >= 0.85


@given(rows_in_0_1, st.floats(0.01, 1))
def test_evidence_from_sums_is_never_more_than_that_of_the_rows(values: list[float], limit: float) -> None:
    x, bets = np.array(values), np.array(BETS)
    wealth = np.log1p(bets[:, None] * (x / limit - 1)).sum(axis=1)

    assert (mean_above(len(x), x.mean(), x.var(), limit=limit, bets=BETS) <= wealth + 1e-6).all()


@given(rows_in_0_1, rows_in_0_1, st.floats(0.01, 1))
def test_merged_windows_are_worth_no_more_than_each_on_its_own(
    first: list[float], second: list[float], limit: float
) -> None:
    alone = [mean_above(len(x), np.mean(x), np.var(x), limit=limit, bets=BETS) for x in (first, second)]
    both = np.array(first + second)

    merged = mean_above(len(both), both.mean(), both.var(), limit=limit, bets=BETS)

    assert (merged <= alone[0] + alone[1] + 1e-6).all()


def test_evidence_from_sums_is_almost_that_of_the_rows_for_small_bets() -> None:
    x = np.random.default_rng(4).beta(4, 6, size=2_000)
    bets = np.array([2**-8, 2**-6, 2**-5])
    wealth = np.log1p(bets[:, None] * (x / 0.38 - 1)).sum(axis=1)

    found = mean_above(len(x), x.mean(), x.var(), limit=0.38, bets=bets)

    assert found == pytest.approx(wealth, rel=0.01)


@pytest.mark.parametrize("mean", [0.01, 0.3, 0.95])
@pytest.mark.parametrize("n", [1, 7, 60])
def test_evidence_against_the_truth_has_mean_one_exactly(n: int, mean: float) -> None:
    share = np.arange(n + 1) / n
    chances = stats.binom.pmf(np.arange(n + 1), n, mean)

    wealth = np.exp(mean_above(n, share, share * (1 - share), limit=mean, bets=BETS))
    above = np.exp(mean_above(n, share, share * (1 - share), limit=min(1.0, mean * 1.05), bets=BETS))

    assert chances @ wealth == pytest.approx(np.ones(len(BETS)), rel=1e-9)
    assert (chances @ above < 1).all()


def test_evidence_for_a_mean_above_the_limit_grows_with_the_rows() -> None:
    logs = mean_above([100, 1_000, 10_000], 0.15, 0.15 * 0.85, limit=0.1, bets=BETS).max(axis=-1)

    # No bet can earn more than the Kullback-Leibler divergence; halving steps come within a fifth of it.
    best = 0.15 * math.log(1.5) + 0.85 * math.log(0.85 / 0.9)
    assert logs == pytest.approx(best * np.array([100, 1_000, 10_000]), rel=0.2)
    assert (logs <= best * np.array([100, 1_000, 10_000])).all()


def test_rows_that_are_all_zero_or_none_at_all_are_no_special_case() -> None:
    assert mean_above(50, 0.0, 0.0, limit=0.1, bets=[0.5])[0] == pytest.approx(50 * math.log(0.5))
    assert mean_above(0, 0.3, 0.1, limit=0.1, bets=[0.5])[0] == 0


@pytest.mark.parametrize(
    ("n", "mean", "variance", "what"),
    [(-1, 0.5, 0.1, "n"), (9, 1.2, 0.0, "mean"), (9, 0.5, 0.26, "variance"), (9, math.nan, 0.0, "mean")],
)
def test_moments_that_no_values_in_0_1_have_are_refused(
    n: int, mean: float, variance: float, what: str
) -> None:
    with pytest.raises(OptionError, match=f"^{what}:"):
        unit_moments(n, mean, variance)


def test_what_is_no_evidence_is_refused() -> None:
    with pytest.raises(OptionError, match="e-values"):
        log_average(np.array([np.nan]))
    with pytest.raises(OptionError, match="e-values"):
        e_bh(np.array([]))
    with pytest.raises(OptionError, match="weights"):
        log_average(np.zeros(2), np.array([0.7, 0.7]))
    with pytest.raises(OptionError, match="log_p"):
        calibrated([0.1])
    with pytest.raises(OptionError, match="false_discoveries"):
        e_bh(np.zeros(2), false_discoveries=1.0)
    with pytest.raises(OptionError, match="limit"):
        mean_above(5, 0.5, 0.1, limit=0.0, bets=[0.5])
    with pytest.raises(OptionError, match="bets"):
        mean_above(5, 0.5, 0.1, limit=0.5, bets=[1.0])
