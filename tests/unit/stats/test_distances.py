"""Distances against scipy, and against the worked values published with SageMaker Model Monitor's rules."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from watchkeep.stats import distances
from watchkeep.stats.chi_square import deequ_fit, divergences, homogeneity
from watchkeep.stats.normal import chi_square_normal, log_upper

Counts = npt.NDArray[np.int64]
EACH = pytest.mark.parametrize("name", ["ks", "linf", "psi", "js", "hellinger", "tv"])


@st.composite
def histograms(draw: st.DrawFn, *, least: int = 0) -> tuple[Counts, Counts]:
    bins = draw(st.integers(2, 12))
    sides = [
        draw(st.lists(st.integers(least, 400), min_size=bins, max_size=bins).filter(any)) for _ in range(2)
    ]
    return np.array(sides[0]), np.array(sides[1])


@settings(max_examples=40, deadline=None)
@given(histograms())
def test_jensen_shannon_is_that_of_scipy_to_base_2(pair: tuple[Counts, Counts]) -> None:
    assert distances.js(*pair) == pytest.approx(jensenshannon(*pair, base=2), abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(histograms())
def test_total_variation_and_hellinger_are_their_definitions(pair: tuple[Counts, Counts]) -> None:
    b, w = (side / side.sum() for side in pair)

    assert distances.tv(*pair) == pytest.approx(float(sum(abs(p - q) for p, q in zip(b, w, strict=True)) / 2))
    affinity = float(sum((p * q) ** 0.5 for p, q in zip(b, w, strict=True)))
    assert distances.hellinger(*pair) ** 2 == pytest.approx(1 - affinity, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(histograms(least=1))
def test_psi_is_the_sum_of_both_relative_entropies_of_scipy(pair: tuple[Counts, Counts]) -> None:
    b, w = pair

    expected = float(stats.entropy(b, w)) + float(stats.entropy(w, b))
    assert distances.psi(b, w) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(histograms())
def test_kolmogorov_smirnov_over_bins_is_that_of_scipy_over_rows(pair: tuple[Counts, Counts]) -> None:
    before, now = (np.repeat(np.arange(len(side)), side) for side in pair)

    expected = float(stats.ks_2samp(before, now, method="asymp").statistic)
    assert distances.ks(*pair) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(histograms(), st.data())
def test_wasserstein_is_that_of_scipy(pair: tuple[Counts, Counts], data: st.DataObject) -> None:
    k = len(pair[0])
    values = np.array(sorted(data.draw(st.lists(st.floats(-1e6, 1e6), min_size=k, max_size=k, unique=True))))

    expected = stats.wasserstein_distance(values, values, *pair)

    assert distances.wasserstein(values, *pair) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@EACH
@settings(max_examples=40, deadline=None)
@given(pair=histograms())
def test_a_distance_is_symmetric_and_zero_for_the_same_shares(name: str, pair: tuple[Counts, Counts]) -> None:
    distance = getattr(distances, name)
    baseline, window = (side + 1 for side in pair) if name == "psi" else pair

    assert distance(baseline, window) == pytest.approx(distance(window, baseline), abs=1e-12)
    assert distance(baseline, 3 * baseline) == pytest.approx(0, abs=1e-7)
    assert 0 <= distance(baseline, window) <= (float("inf") if name == "psi" else 1)


@pytest.mark.parametrize("name", ["ks", "linf", "js", "hellinger", "tv"])
def test_nothing_in_common_is_a_distance_of_one(name: str) -> None:
    assert getattr(distances, name)(np.array([5, 0]), np.array([0, 9])) == pytest.approx(1)


def test_psi_of_an_emptied_bin_is_finite_and_a_bin_empty_on_both_sides_counts_for_nothing() -> None:
    once = distances.psi(np.array([50, 50]), np.array([100, 0]))

    assert 0.2 < once < 20
    assert distances.psi(np.array([50, 0, 50]), np.array([100, 0, 0])) == once


def test_near_equal_shares_lose_no_digit_in_hellinger() -> None:
    a, b = np.array([10**9, 10**9]), np.array([10**9 + 1, 10**9 - 1])

    assert distances.hellinger(a, b) == pytest.approx(1e-9 / 8**0.5, rel=1e-5)


# The worked values: base {x50, y30, z20} and current {x30, y50, w20}, over x, y, z, w.
BASE, CURRENT = np.array([50, 30, 20, 0]), np.array([30, 50, 0, 20])


def test_the_worked_categories_of_the_published_rules() -> None:
    assert distances.linf(BASE, CURRENT) == pytest.approx(0.2)
    assert distances.robust(0.2, 100, 100) == 0
    assert distances.robust(0.2, 1000, 1000) == pytest.approx(0.119502, abs=5e-7)
    assert distances.robust(0.2, 1000, 1000, c=distances.critical_c(0.05)) == pytest.approx(
        0.139264, abs=5e-7
    )


def test_the_worked_numbers_of_the_published_rules() -> None:
    base, current = [1, 1, 2, 3, 4, 4, 4, 5], [1, 2, 2, 3, 5, 5, 6, 6]
    counted = [np.bincount(rows, minlength=7) for rows in (base, current)]

    assert distances.ks(*counted) == 0.375
    assert distances.psi(np.array([50, 30, 20]), np.array([40, 40, 20])) == pytest.approx(0.051083, abs=5e-7)


@pytest.mark.parametrize(
    ("m", "n", "correction"),
    [
        (10_000, 50, 0.255),
        (10_000, 100, 0.181),
        (10_000, 500, 0.082),
        (10_000, 1_000, 0.060),
        (10_000, 5_000, 0.031),
        (1_000, 1_000, 0.080),
    ],
)
def test_the_published_table_of_corrections(m: int, n: int, correction: float) -> None:
    assert distances.noise(n, m) == pytest.approx(correction, abs=6e-4)


def test_the_constant_of_the_robust_distance_is_a_level_of_three_in_a_thousand() -> None:
    assert distances.critical_c(0.003) == pytest.approx(distances.DEEQU_C, abs=0.01)


@settings(max_examples=40, deadline=None)
@given(histograms(least=20))
def test_homogeneity_is_the_contingency_test_of_scipy(pair: tuple[Counts, Counts]) -> None:
    expected = stats.chi2_contingency(np.stack(pair), correction=False)
    found = homogeneity(*pair, expected=0)

    assert found is not None
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert found.degrees == expected.dof
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(histograms(least=20))
def test_divergences_are_those_of_scipy(pair: tuple[Counts, Counts]) -> None:
    n, m = (float(each.sum()) for each in pair)
    found = divergences(pair[0] / n, pair[1] / m, n, m)

    expected = stats.chi2_contingency(np.stack(pair), correction=False, lambda_=1 / 3).statistic
    assert float(found.sum()) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.05, 0.03, 0.02), (1 / 30,) * 30, (0.96, 0.04)])
def test_divergences_of_few_rows_are_as_rare_as_they_say(shares: tuple[float, ...]) -> None:
    rng, draws, n, m = np.random.default_rng(5), 100_000, 150.0, 10_000.0
    now, before = (rng.multinomial(int(rows), shares, draws) / rows for rows in (n, m))
    statistic = divergences(now, before, n, m).sum(axis=1)
    logs = log_upper(chi_square_normal(statistic, np.full(draws, len(shares) - 1.0)))

    for chance in (1e-2, 1e-3, 1e-4):
        seen = np.count_nonzero(logs < np.log(chance))
        assert (
            stats.binom.ppf(1e-4, draws, 0.5 * chance) <= seen <= stats.binom.isf(1e-4, draws, 1.3 * chance)
        )


def test_bins_with_few_expected_rows_are_tested_as_one() -> None:
    baseline, window = np.array([500, 400, 3, 2, 1]), np.array([480, 420, 1, 4, 2])

    expected = stats.chi2_contingency([[500, 400, 6], [480, 420, 7]], correction=False)

    found = homogeneity(baseline, window)
    assert found is not None
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))


@pytest.mark.parametrize(("baseline", "window"), [([50], [3]), ([50, 0], [7, 0]), ([1, 1], [1, 1])])
def test_one_bin_left_is_nothing_to_test(baseline: list[int], window: list[int]) -> None:
    assert homogeneity(np.array(baseline), np.array(window)) is None


def test_the_worked_chi_square_of_the_published_rules() -> None:
    fit = deequ_fit(np.array([50, 30, 20]), np.array([30, 50, 20]))
    expected = stats.chisquare([30, 50, 20], [50, 30, 20])

    assert fit is not None
    assert (round(fit.statistic, 4), round(fit.p, 8)) == (21.3333, 2.331e-5)
    assert (fit.statistic, fit.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_categories_the_baseline_does_not_have_are_no_part_of_the_published_fit() -> None:
    with_new = deequ_fit(np.array([50, 30, 20, 0]), np.array([30, 50, 20, 900]))

    assert with_new == deequ_fit(np.array([50, 30, 20]), np.array([30, 50, 20]))


def test_rare_categories_are_merged_until_the_published_rule_of_thumb_holds() -> None:
    # Of 4 expected counts none may be below 5: 2 and 3 become 5, then all hold.
    fit = deequ_fit(np.array([20, 30, 500, 450]), np.array([3, 1, 52, 44]))

    assert fit is not None
    expected = stats.chisquare([4, 52, 44], [5, 50, 45])
    assert (fit.statistic, fit.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_two_categories_with_fewer_than_ten_expected_rows_are_no_test() -> None:
    assert deequ_fit(np.array([90, 10]), np.array([40, 10])) is None
    assert deequ_fit(np.array([5, 5]), np.array([0, 0])) is None
