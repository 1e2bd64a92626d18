"""e-values: evidence that may be averaged, whatever depends on what.

An e-value is a number >= 0 whose mean is at most 1 if nothing changed; so the chance that it reaches 1 / a is at most a
(Markov). Everything here is in natural logarithms: evidence soon passes what a double can hold.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import OptionError

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

BETS: Final = (*(2.0**-k for k in range(16, 0, -1)), 0.75, 0.875, 0.9375)
"""Shares of the wealth to bet: halving steps, so that one of them is always near the best, which nobody knows.

A bet off by a factor of sqrt(2) still earns four fifths of the best one's growth.
"""

_SLACK = 1e-9  # rounding that a variance of merged sums may carry


def log_average(logs: Reals, weights: Reals | None = None) -> float:
    """The logarithm of an average of e-values, which is an e-value under any dependence.

    ln sum(w_k e_k): means add up whether or not the e_k are independent, so the mean of the average is at most
    sum(w_k) <= 1.

    Args:
        logs: ln e_k, shape (k,), k >= 1; -inf where an e-value is 0.
        weights: shape (k,), >= 0, summing to at most 1; equal ones if not given.

    Returns:
        A logarithm, -inf where all e-values are 0.

    Raises:
        OptionError: a logarithm is not a number, or the weights are no such weights.

    References:
        Vovk and Wang (2021), Annals of Statistics 49, 1736-1754 (of symmetric ways to merge e-values under arbitrary
        dependence, none is essentially better than the average).

    >>> round(float(np.exp(log_average(np.array([np.log(8.0), -np.inf, 0.0, np.log(3.0)])))), 9)
    3.0
    """
    _check_logs(logs)
    shares = np.full(len(logs), 1 / len(logs)) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != logs.shape or not (shares >= 0).all() or shares.sum() > 1 + _SLACK:
        raise OptionError("weights", got=str(weights), expected=f"{len(logs)} numbers >= 0 that sum to 1")
    counted = shares > 0
    return float(np.logaddexp.reduce(logs[counted] + np.log(shares[counted]), initial=-np.inf))


def calibrated(log_p: npt.ArrayLike) -> Reals:
    """The e-values that p-values are worth: the even mixture of all powers, int k p**(k - 1) dk over k in (0, 1).

    e = (1 - p + p ln p) / (p (ln p)**2). A p-value is uniform or larger if nothing changed, and each k p**(k - 1) has
    mean 1 over uniform p and falls in p; so e has mean at most 1. It is the price of averaging: p = 0.001 is worth 21.

    Args:
        log_p: ln p, any shape, <= 0; -inf where p is 0.

    Returns:
        ln e, of the same shape, >= ln(1/2); +inf where p is 0.

    Raises:
        OptionError: a logarithm is above 0 or not a number.

    References:
        Vovk and Wang (2021), Annals of Statistics 49, 1736-1754 (calibrators).

    >>> np.exp(calibrated(np.log([0.001, 0.05, 1.0]))).round(2).tolist()
    [20.79, 1.78, 0.5]
    """
    u = -np.asarray(log_p, np.float64)
    if not (u >= 0).all():
        raise OptionError("log_p", got=str(log_p), expected="logarithms of p-values, all <= 0")
    # With u = -ln p: e = (exp(u) - 1 - u) / u**2, which cancels near 0 and overflows far from it.
    near, far = np.clip(u, 0.0, 0.02), np.maximum(u, 0.02)
    series = 1 / 2 + near / 6 + near**2 / 24 + near**3 / 120 + near**4 / 720 + near**5 / 5040
    with np.errstate(invalid="ignore"):
        tail = far - 2 * np.log(far) + np.log1p(-np.exp(-far) * (1 + np.minimum(far, 1e3)))
    out = np.where(u < 0.02, np.log(series), tail)
    return np.asarray(np.where(np.isposinf(u), np.inf, out), np.float64)


def e_bh(logs: Reals, *, false_discoveries: float = 0.1) -> Places:
    """Which of K hypotheses to name, so that few of the named are wrong: Benjamini-Hochberg for e-values.

    The k largest, for the largest k whose k-th largest e-value is at least K / (alpha k). The expected share of true
    nulls among the named is then at most alpha K0 / K, K0 of the K being null, under any dependence.

    Args:
        logs: ln e, shape (K,). The evidence of an e-detector after t windows has a mean of up to t, not 1: take off
            ln t first.
        false_discoveries: alpha, the share of wrong ones to expect among the named, in (0, 1).

    Returns:
        Places in `logs`, strongest first, shape (k,), 0 <= k <= K.

    Raises:
        OptionError: a logarithm is not a number, or alpha is out of range.

    References:
        Wang and Ramdas (2022), Journal of the Royal Statistical Society B 84, 822-852.

    >>> e_bh(np.log([3.0, 90.0, 0.5, 25.0]), false_discoveries=0.1).tolist()
    [1, 3]
    """
    _check_logs(logs)
    if not 0 < false_discoveries < 1:
        raise OptionError("false_discoveries", got=str(false_discoveries), expected="a share between 0 and 1")
    order = np.argsort(-logs, kind="stable")
    k = np.arange(1, len(logs) + 1)
    # A hair below the bar is the bar: logarithms round.
    reached = logs[order] >= np.log(len(logs) / (false_discoveries * k)) - 1e-12
    return order[: int(k[reached].max(initial=0))]


def mean_above(
    n: npt.ArrayLike,
    mean: npt.ArrayLike,
    variance: npt.ArrayLike,
    *,
    limit: npt.ArrayLike,
    bets: npt.ArrayLike,
) -> Reals:
    """Evidence that rows in [0, 1] have a mean above a limit, from their number, mean and variance alone.

    A bet of the share b multiplies a gambler's wealth by 1 - b + b x / limit for each row x: a fair or losing game
    while the mean, given the rows before, is at most `limit`; so the wealth is an e-value at every time at once.
    Order does not matter, and of all rows in [0, 1] with this mean and variance those with a share p = mean**2 / s at
    c = s / mean, s = variance + mean**2, and the others at 0 end with the least wealth. That least is returned:

        n ((1 - p) ln(1 - b) + p ln(1 - b + b c / limit))

    It is exact for zeros and ones, and to second order in b for all else; so merged sums do the work of rows.

    Args:
        n: rows, >= 0.
        mean: of the rows, in [0, 1].
        variance: of the population, sum((x - mean)**2) / n, in [0, mean (1 - mean)].
        limit: of the mean, in (0, 1]; all four may be arrays, of one shape after broadcasting.
        bets: shape (bets,), each in (0, 1): `BETS`, say. They must not be chosen by looking at these rows.

    Returns:
        Logarithms of e-values, one per bet, shape (..., bets). Averages over bets are e-values too.

    Raises:
        OptionError: no rows in [0, 1] have such a mean and variance, or an argument is out of its range.

    References:
        Waudby-Smith and Ramdas (2024), Journal of the Royal Statistical Society B 86, 1-27 (betting; they bet with
        knowledge of the rows before). The least wealth: ln(1 - b + b x / limit) has a third derivative > 0 in x, so it
        lies above the parabola that meets it at 0 and touches it at c (Karlin and Studden 1966, Tchebycheff systems).

    >>> ones = mean_above(100, 0.3, 0.3 * 0.7, limit=0.2, bets=[0.125])
    >>> bool(np.isclose(ones[0], 70 * np.log(0.875) + 30 * np.log(0.875 + 0.125 / 0.2)))
    True
    """
    rows, centre, spread = unit_moments(n, mean, variance)
    bar, shares = np.asarray(limit, np.float64), np.asarray(bets, np.float64)
    if not ((bar > 0) & (bar <= 1)).all():
        raise OptionError("limit", got=str(limit), expected="a mean in (0, 1]")
    if shares.ndim != 1 or not ((shares > 0) & (shares < 1)).all():
        raise OptionError("bets", got=str(bets), expected="shares between 0 and 1")
    filled = np.where(centre > 0, centre, 1.0)
    c = np.minimum(1.0, filled + spread / filled)
    p = centre / c
    losing = (rows * (1 - p))[..., None] * np.log1p(-shares)
    winning = (rows * p)[..., None] * np.log1p(shares * (c / bar - 1)[..., None])
    return np.asarray(losing + winning, np.float64)


def unit_moments(
    n: npt.ArrayLike, mean: npt.ArrayLike, variance: npt.ArrayLike
) -> tuple[Reals, Reals, Reals]:
    """Numbers, means and variances of rows in [0, 1], as arrays, with the rounding of merged sums taken off.

    Raises:
        OptionError: no rows in [0, 1] have them.

    >>> [float(each) for each in unit_moments(4, 0.5, 0.25 + 1e-12)]
    [4.0, 0.5, 0.25]
    """
    rows, centre, spread = (np.asarray(each, np.float64) for each in (n, mean, variance))
    most = centre * (1 - centre)
    if not (rows >= 0).all():
        raise OptionError("n", got=str(n), expected="0 rows or more")
    if not ((centre >= -_SLACK) & (centre <= 1 + _SLACK)).all():
        raise OptionError("mean", got=str(mean), expected="a mean of values in [0, 1]")
    if not ((spread >= -_SLACK) & (spread <= most + _SLACK)).all():
        raise OptionError(
            "variance", got=str(variance), expected="at most mean (1 - mean), as values in [0, 1] have"
        )
    return rows, np.clip(centre, 0.0, 1.0), np.clip(spread, 0.0, np.maximum(most, 0.0))


def _check_logs(logs: Reals) -> None:
    if logs.ndim != 1 or not len(logs) or np.isnan(logs).any():
        raise OptionError("e-values", got=str(logs), expected="a row of one or more logarithms")
