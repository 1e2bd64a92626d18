"""Against SciPy's, as far out as that reaches."""

import numpy as np
import pytest
from scipy import stats

from watchkeep.stats.normal import log_upper
from watchkeep.stats.student import log_upper_t, t_of_normal

DEGREES = np.array([0.5, 1.0, 2.0, 3.3, 4.0, 5.0, 7.5, 12.0, 30.0, 100.0, 181.5, 1000.0, 2e5])
POINTS = np.array([-50.0, -8.0, -1.0, -0.2, 0.0, 1e-9, 0.1, 1.0, 1.7, 1.8, 3.0, 4.5, 9.0, 20.0, 30.0])


@pytest.mark.parametrize("degrees", DEGREES.tolist())
def test_logarithms_of_tails_agree_with_scipys(degrees: float) -> None:
    found = log_upper_t(POINTS, np.full(len(POINTS), degrees))

    np.testing.assert_allclose(found, stats.t.logsf(POINTS, degrees), rtol=1e-8, atol=1e-12)


def test_far_tails_fall_as_the_density_does() -> None:
    # P(T > t) is about t f(t) / v when t is far beyond sqrt(v).
    t, v = np.array([1e6, 1e9]), np.array([5.0, 40.0])

    found = log_upper_t(t, v)

    np.testing.assert_allclose(found, stats.t.logpdf(t, v) + np.log(t / v), rtol=1e-9)


def test_beyond_any_number_there_is_no_chance_and_below_it_certainty() -> None:
    found = log_upper_t(np.array([np.inf, -np.inf]), np.array([7.0, 7.0]))

    assert found[0] < -1000
    assert found[1] == 0.0


def test_with_many_degrees_of_freedom_the_law_is_normal_and_any_shape_goes() -> None:
    z = np.array([[-1.0, 0.0, 3.0], [5.0, 20.0, 40.0]])

    assert np.array_equal(log_upper_t(z, np.full(z.shape, np.inf)), log_upper(z))
    np.testing.assert_allclose(log_upper_t(z[:, :3], np.full(z.shape, 9e5))[0], log_upper(z)[0], rtol=1e-4)


@pytest.mark.parametrize("degrees", [5.0, 12.0, 60.0, 1e9])
def test_normal_deviates_become_t_within_seven_percent(degrees: float) -> None:
    z = np.array([1.0, 2.0, 3.0, 4.5])

    exact = stats.t.isf(stats.norm.sf(z), degrees)

    np.testing.assert_allclose(t_of_normal(z, np.full(4, degrees)), exact, rtol=0.07)
