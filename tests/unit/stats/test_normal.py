"""Tails against SciPy, far out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from watchkeep.stats.normal import chi_square_normal, log_upper, scores, unskewed, upper_quantile


@given(st.floats(-30, 300))
def test_the_upper_tail_is_scipys(z: float) -> None:
    assert log_upper(np.array([z]))[0] == pytest.approx(stats.norm.logsf(z), rel=1e-4, abs=1e-12)


@given(st.floats(1e-12, 0.5))
def test_quantiles_and_tails_are_inverse(chance: float) -> None:
    assert np.exp(log_upper(np.array([upper_quantile(chance)])))[0] == pytest.approx(chance, rel=1e-6)
    assert scores(np.array([chance]))[0] == pytest.approx(stats.norm.ppf(chance), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("skew", [-1.0, -0.3, 0.1, 0.5, 1.2])
@pytest.mark.parametrize("chance", [1e-2, 1e-4, 1e-7])
def test_sums_with_a_skewness_have_the_tails_of_a_gamma_variable(skew: float, chance: float) -> None:
    far = np.array([stats.pearson3.isf(chance, skew), stats.pearson3.ppf(chance, skew)])

    normal = unskewed(far, np.full(2, skew))

    told = np.exp(log_upper(np.array([normal[0], -normal[1]])))
    assert np.abs(np.log(told / chance)).max() < 0.03


@pytest.mark.parametrize("degrees", [1, 3, 12, 40])
@pytest.mark.parametrize("chance", [1e-1, 1e-3, 1e-6])
def test_chi_squares_are_told_as_normal_values(degrees: int, chance: float) -> None:
    statistic = np.array([stats.chi2.isf(chance, degrees)])

    told = np.exp(log_upper(chi_square_normal(statistic, np.array([float(degrees)]))))[0]

    assert abs(np.log(told / chance)) < (0.1 if degrees < 3 else 0.03)
