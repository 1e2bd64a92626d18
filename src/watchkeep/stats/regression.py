"""How good predicted numbers are, from sums over rows.

Sums may be weighted. Whatever divides 0 by 0 is `Undefined`, and says what it lacks.
"""

import math

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats.ratios import ratio


def regression_rates(
    rows: float, *, absolute: float, squared: float, label_squares: float
) -> dict[str, Value]:
    """The errors of predicted numbers.

    mae = sum |e| / n, mse = sum e^2 / n, rmse its root, all >= 0 and in the label's unit (mse: squared);
    r2 = 1 - sum e^2 / sum (y - mean y)^2, at most 1, where 0 is as good as always predicting the mean.

    Args:
        rows: n.
        absolute, squared: sums of |e| and e^2 over rows, e = label - prediction.
        label_squares: sum of (y - mean y)^2 over rows: of `Moments`, or of `centred`.

    Conventions:
        scikit-learn calls r2 of constant labels 1 or 0; here it is undefined.

    >>> regression_rates(4, absolute=6.0, squared=16.0, label_squares=64.0)
    {'mae': 1.5, 'mse': 4.0, 'rmse': 2.0, 'r2': 0.75}
    """
    mse = ratio("mse", squared, rows)
    rmse = ratio("rmse", squared, rows)
    lost = ratio("r2", squared, label_squares, "row with another label than the rest")
    return {
        "mae": ratio("mae", absolute, rows),
        "mse": mse,
        "rmse": rmse if isinstance(rmse, Undefined) else math.sqrt(rmse),
        "r2": lost if isinstance(lost, Undefined) else 1.0 - lost,
    }


def centred(rows: float, total: float, squares: float) -> float:
    """Sum of squared deviations from the mean, of sums over rows: squares - total^2 / rows, at least 0.

    Digits are lost where the mean is large beside the deviations. Sum what is left of the values when a constant
    near their mean (the baseline's) is taken off: the deviations are the same.

    >>> centred(4, 2.0, 65.0)
    64.0
    """
    return max(0.0, squares - total * total / rows) if rows > 0 else 0.0


def mape(rows: float, total: float) -> Value:
    """Mean absolute percentage error, as a share: the mean of |e| / |label|, >= 0.

    Args:
        rows: rows whose label is not 0; of the others there is no such share.
        total: sum of |e| / |label| over them.

    >>> mape(0, 0.0)
    Undefined(why='mape needs 1 row whose label is not 0, has 0')
    """
    return ratio("mape", total, rows, "row whose label is not 0")


def smape(rows: float, total: float) -> Value:
    """Symmetric mean absolute percentage error, as a share: the mean of 2 |e| / (|label| + |prediction|), in [0, 2].

    Args:
        rows: all rows.
        total: the sum of these; 0 for a row whose label and prediction both are 0.

    >>> smape(4, 1.0)
    0.25
    """
    return ratio("smape", total, rows)


def pinball(rows: float, errors: float, absolute: float, quantile: float) -> Value:
    """Pinball loss of predicted quantiles: the mean of q e where e >= 0, (q - 1) e where not.

    It is >= 0, in the label's unit. Both parts follow from two sums: e = e+ - e- and |e| = e+ + e-.

    Args:
        rows: all rows.
        errors, absolute: sums of e and |e|, e = label - prediction.
        quantile: q, in (0, 1); at 0.5 it is half the mean absolute error.

    References:
        Koenker and Bassett (1978), Econometrica 46, 33-50.

    >>> pinball(2, 1.0, 3.0, 0.9)
    0.95
    """
    return ratio("pinball", absolute / 2 + (quantile - 0.5) * errors, rows)
