"""Errors of numbers from sums, against scikit-learn over rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from tests.unit.stats.scored_rows import LAW, near

from watchkeep.core.undefined import Undefined
from watchkeep.stats import regression


@LAW
@given(st.integers(0, 2**32), st.floats(0.01, 0.99), st.sampled_from([0.0, 1e6]))
def test_errors_of_numbers_are_those_of_scikit_learn(seed: int, quantile: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    labels, weights = shift + rng.integers(1, 50, 30) + rng.random(30), rng.integers(1, 4, 30) * 0.7
    told = labels + rng.normal(0, 9, 30)
    e = labels - told
    rows, weigh = float(weights.sum()), {"sample_weight": weights}
    rest = labels - (shift + 20)
    spread = regression.centred(rows, float(weights @ rest), float(weights @ rest**2))

    rates = regression.regression_rates(
        rows, absolute=float(weights @ abs(e)), squared=float(weights @ e**2), label_squares=spread
    )

    assert rates == {
        "mae": near(metrics.mean_absolute_error(labels, told, **weigh)),
        "mse": near(metrics.mean_squared_error(labels, told, **weigh)),
        "rmse": near(metrics.root_mean_squared_error(labels, told, **weigh)),
        "r2": near(metrics.r2_score(labels, told, **weigh)),
    }
    share = metrics.mean_absolute_percentage_error(labels, told, **weigh)
    assert regression.mape(rows, float(weights @ abs(e / labels))) == near(share)
    loss = metrics.mean_pinball_loss(labels, told, alpha=quantile, **weigh)
    assert regression.pinball(rows, float(weights @ e), float(weights @ abs(e)), quantile) == near(loss)


def test_errors_without_rows_or_without_spread_are_undefined() -> None:
    rates = regression.regression_rates(
        3, absolute=0.0, squared=0.0, label_squares=regression.centred(3, 6.0, 12.0)
    )

    assert rates["mae"] == 0.0
    assert rates["r2"] == Undefined("r2 needs 1 row with another label than the rest, has 0")
    assert regression.regression_rates(
        0, absolute=0, squared=0, label_squares=regression.centred(0, 0, 0)
    ) == {
        "mae": Undefined("mae needs 1 row, has 0"),
        "mse": Undefined("mse needs 1 row, has 0"),
        "rmse": Undefined("rmse needs 1 row, has 0"),
        "r2": Undefined("r2 needs 1 row with another label than the rest, has 0"),
    }
    assert regression.smape(0, 0.0) == Undefined("smape needs 1 row, has 0")


@pytest.mark.parametrize("total", [math.inf, math.nan])
def test_sums_that_overflowed_give_no_number(total: float) -> None:
    rates = regression.regression_rates(3, absolute=1.0, squared=total, label_squares=9.0)

    assert rates["mae"] == near(1 / 3)
    assert all(isinstance(rates[name], Undefined) for name in ("mse", "rmse", "r2"))
