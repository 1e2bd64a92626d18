"""How the losses of days differ: against processes whose days differ by a known amount."""

import numpy as np
import pytest
from scipy import stats

from watchkeep.baselines.loss_days import LossDays, loss_days

ROWS = 300


def learned(days: int, deviation: float, seed: int) -> LossDays | None:
    """A normal loss whose days differ by so many standard deviations of a row; hours 8 to 17 of each day."""
    rng = np.random.default_rng(seed)
    losses = deviation * rng.normal(size=(days, 1)) + rng.normal(size=(days, ROWS))
    by_day = {day: np.array([[ROWS, one.sum(), (one**2).sum()]]) for day, one in enumerate(losses)}
    return loss_days(("loss",), by_day, hours=10 * days)


def test_the_variance_of_days_is_that_of_the_process() -> None:
    found = learned(2_000, 0.3, seed=1)

    assert found is not None
    for days in (1.0, 4.0, 16.0):
        # A row's own variance is 1 + 0.09 by now: that is the unit.
        assert found.variance(days)[0] == pytest.approx(0.09 / 1.09 / days, rel=0.15)
    assert found.length(5, days=1) == 0.5
    assert found.length(240, days=3) == 3.0  # times told more finely than the baseline's make no more days
    assert found.length(0, days=0) == 1.0


def test_days_of_rows_in_random_order_are_told_so() -> None:
    told = [learned(40, 0.0, seed) is not None for seed in range(200)]

    assert sum(told) <= stats.binom.ppf(0.999, 200, 0.01)


def test_days_that_differ_by_a_quarter_of_a_row_are_told_so() -> None:
    assert all(learned(40, 0.25, seed) is not None for seed in range(50))


def test_few_days_tell_nothing() -> None:
    assert learned(5, 3.0, seed=1) is None
    assert loss_days(("loss",), {}, 0) is None


def test_a_loss_that_no_row_has_is_no_fault() -> None:
    rng = np.random.default_rng(3)
    by_day = {
        day: np.array([[50.0, 50 * level, 60 * level], [0.0, 0.0, 0.0]])
        for day, level in enumerate(rng.uniform(0.1, 0.9, 30))
    }

    found = loss_days(("one", "none"), by_day, 30)

    assert found is not None
    assert np.isfinite(found.spread.variances).all()
