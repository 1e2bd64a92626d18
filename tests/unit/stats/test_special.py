"""The special functions against `scipy.special`, and the tails built on them against `scipy.stats`."""

import math

import numpy as np
import pytest
from scipy import special, stats

from watchkeep.stats.special import beta_lower, chi_square_upper, gamma_upper
from watchkeep.stats.tails import all_alike, covariance_traces, discrepancy, rare_count

NINE_DIGITS = 1e-9


@pytest.mark.parametrize("a", [0.01, 0.5, 1, 2.5, 10, 99.5, 1_000, 20_000])
@pytest.mark.parametrize("scale", [1e-6, 0.01, 0.3, 0.9, 0.999, 1.0, 1.001, 1.1, 2, 5])
def test_the_upper_gamma_function_has_nine_digits(a: float, scale: float) -> None:
    x = a * scale
    expected = float(special.gammaincc(a, x))

    assert gamma_upper(a, x) == pytest.approx(expected, rel=NINE_DIGITS, abs=1e-300)


@pytest.mark.parametrize("a", [0.5, 1.5, 16, 300])
@pytest.mark.parametrize("beyond", [10, 100, 400, 650])
def test_the_upper_gamma_function_has_nine_digits_far_in_its_tail(a: float, beyond: float) -> None:
    expected = float(special.gammaincc(a, a + beyond))

    assert 0 < expected < 0.3
    assert gamma_upper(a, a + beyond) == pytest.approx(expected, rel=NINE_DIGITS)


@pytest.mark.parametrize("degrees", [1, 2, 7, 31, 300, 1_024])
@pytest.mark.parametrize("statistic", [0.0, 1e-9, 0.5, 5.0, 31.0, 300.0, 1_200.0])
def test_the_tail_of_chi_square_is_that_of_scipy(degrees: int, statistic: float) -> None:
    expected = float(special.chdtrc(degrees, statistic))

    assert chi_square_upper(degrees, statistic) == pytest.approx(expected, rel=NINE_DIGITS, abs=1e-300)


@pytest.mark.parametrize("a", [0.5, 1, 3, 40, 2_000])
@pytest.mark.parametrize("b", [0.5, 1, 7.5, 300, 20_000])
@pytest.mark.parametrize("x", [0.0, 1e-12, 1e-4, 0.01, 0.2, 0.5, 0.8, 0.99, 1.0])
def test_the_lower_beta_function_has_nine_digits(a: float, b: float, x: float) -> None:
    expected = float(special.betainc(a, b, x))

    # What is below the smallest normal double has lost digits on either side.
    assert beta_lower(a, b, x) == pytest.approx(expected, rel=NINE_DIGITS, abs=1e-300)


@pytest.mark.parametrize("size", [1e6, 1e8])
def test_for_samples_of_many_millions_five_digits_are_left(size: float) -> None:
    x = 0.5 * (1 + 4 / math.sqrt(size))

    assert beta_lower(size, size, 1 - x) == pytest.approx(float(special.betainc(size, size, 1 - x)), rel=1e-5)
    assert gamma_upper(size, size * 1.0001) == pytest.approx(
        float(special.gammaincc(size, size * 1.0001)), rel=1e-5
    )


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.02, 0.3])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (50, 10_000), (1_000, 1_000), (100_000, 500)])
@pytest.mark.parametrize("times", [0.5, 1.0, 2.0, 6.0])
def test_a_rare_count_is_the_tail_of_the_negative_binomial_law(
    rate: float, n: int, m: int, times: float
) -> None:
    count = math.ceil(times * (rate * n + 1))
    law = stats.nbinom(m * rate + 0.5, m / (n + m))

    assert rare_count(count, n, rate=rate, m=m) == pytest.approx(float(law.sf(count - 1)), rel=1e-8)


@pytest.mark.parametrize("rate", [0.0, 0.001, 0.01, 0.2])
@pytest.mark.parametrize(("n", "m"), [(200, 10_000), (2_000, 2_000), (5_000, 800)])
def test_a_rare_count_is_never_called_rarer_than_the_beta_binomial_law_has_it(
    rate: float, n: int, m: int
) -> None:
    law = stats.betabinom(n, m * rate + 0.5, m * (1 - rate) + 0.5)

    for count in (1, 3, int(rate * n * 1.5) + 2, int(rate * n * 2) + 10):
        tail = float(law.pmf(np.arange(count, n + 1)).sum())  # sf of scipy is 1 - cdf, and has no far tail
        assert rare_count(count, n, rate=rate, m=m) >= 0.9 * tail


def test_no_bad_row_is_no_surprise_and_all_bad_rows_are_one() -> None:
    assert rare_count(0, 100, rate=0.0, m=100) == 1
    assert rare_count(100, 100, rate=0.0, m=10_000) < 1e-100


@pytest.mark.parametrize("weights", [(0.5, 0.3, 0.2), (0.97, 0.03), (1 / 6,) * 6])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_chance_that_all_values_are_alike_is_never_underestimated(
    weights: tuple[float, ...], n: int
) -> None:
    exact = sum(weight**n for weight in weights)

    assert exact <= all_alike(n, heaviest=round(1_000 * max(weights)), m=1_000) <= 1


def test_the_chance_of_a_discrepancy_matches_a_simulation_of_two_equal_samples() -> None:
    rng = np.random.default_rng(4)
    n, m, width = 150, 400, 6
    roots = np.array([1.0, 0.8, 0.5, 0.3, 0.1, 0.05])
    spread, spread2 = float((roots**2).sum()), float((roots**4).sum())
    gaps = (rng.normal(size=(40_000, width)) * roots) * math.sqrt(1 / n + 1 / m)
    values = (gaps**2).sum(axis=1) - spread * (1 / n + 1 / m)

    for share in (0.5, 0.1, 0.01):
        at = float(np.quantile(values, 1 - share))
        assert discrepancy(at, n, m, spread=spread, spread2=spread2) == pytest.approx(share, rel=0.35)


def test_a_discrepancy_below_all_that_is_possible_is_certain() -> None:
    assert discrepancy(-1.0, 100, 100, spread=0.9, spread2=0.1) == 1


def test_the_traces_of_a_covariance_are_those_of_numpy() -> None:
    rows = np.random.default_rng(1).normal(size=(60, 5)) @ np.diag([1.0, 2.0, 3.0, 0.5, 0.1])
    covariance = np.cov(rows, rowvar=False)

    assert covariance_traces(rows) == pytest.approx((np.trace(covariance), np.trace(covariance @ covariance)))
