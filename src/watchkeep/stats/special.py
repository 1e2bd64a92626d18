"""The two functions behind our p-values: regularised incomplete gamma and beta.

SciPy has both; importing it takes longer than checking a small window, and it would be the largest thing installed.
The tests hold these against SciPy's to nine digits, far into the tails.

References:
    Lentz (1976), Applied Optics 15, 668-671 (continued fractions); Abramowitz and Stegun 6.5.29, 6.5.31, 26.5.8.
"""

import math
from collections.abc import Iterator
from itertools import count

_TINY = 1e-300
_EPSILON = 1e-15
_MOST = 200_000


def gamma_upper(a: float, x: float) -> float:
    """Q(a, x): the chance that a gamma variable of shape `a` and scale 1 exceeds `x`.

    Args:
        a: > 0.
        x: >= 0.

    Returns:
        A probability.

    >>> round(gamma_upper(0.5, 1.92), 4)
    0.05
    """
    if x <= 0:
        return 1.0
    log_front = a * math.log(x) - x - math.lgamma(a)
    if x < a + 1:
        return max(0.0, 1 - _series(a, x) * math.exp(log_front))
    terms = ((-n * (n - a), x + 2 * n + 1 - a) for n in count(1))
    return math.exp(log_front) / _fraction(x + 1 - a, terms)


def chi_square_upper(degrees: int, statistic: float) -> float:
    """The chance that a chi-square variable of so many degrees of freedom exceeds `statistic`.

    >>> round(chi_square_upper(1, 3.841), 3)
    0.05
    """
    return gamma_upper(degrees / 2, statistic / 2)


def beta_lower(a: float, b: float, x: float) -> float:
    """I_x(a, b): the chance that a beta variable does not exceed `x`.

    Args:
        a, b: > 0.
        x: in [0, 1].

    Returns:
        A probability.

    >>> round(beta_lower(2, 3, 0.5), 4)
    0.6875
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return max(0.0, 1 - beta_lower(b, a, 1 - x))
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / (a * _fraction(1.0, _beta_terms(a, b, x)))


def _series(a: float, x: float) -> float:
    term = total = 1 / a
    for n in range(1, _MOST):
        term *= x / (a + n)
        total += term
        if term < total * _EPSILON:
            break
    return total


def _beta_terms(a: float, b: float, x: float) -> Iterator[tuple[float, float]]:
    yield -(a + b) * x / (a + 1), 1.0
    for m in count(1):
        yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0


def _fraction(first: float, terms: Iterator[tuple[float, float]]) -> float:
    """First + a1 / (b1 + a2 / (b2 + ...)) by the method of Lentz, from pairs (a, b)."""
    value = first or _TINY
    c, d = value, 0.0
    for (above, below), _ in zip(terms, range(_MOST), strict=False):
        d = 1 / ((below + above * d) or _TINY)
        c = (below + above / c) or _TINY
        value *= c * d
        if abs(c * d - 1) < _EPSILON:
            break
    return value
