"""How far the order of features by importance has moved, and how far chance alone moves it."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.stats.ranking import Ranked

Doubles = npt.NDArray[np.float64]
DRAWS: Final = 20_000
"""How often the baseline and a window are drawn again, to see how far chance moves their order."""
MOST_DRAWS: Final = 400_000
"""The same where none of them was as extreme, and it takes more to tell."""
ENOUGH: Final = 5.0
"""Draws beyond a level that are to be expected, so that it can be told from."""
TAIL: Final = 0.01
"""The share of the draws that the tail is told from."""
_MOST_CELLS: Final = 20_000_000
_CELLS: Final = 4_000_000  # numbers drawn at a time


def ndcg(baseline: Doubles, live: Doubles) -> float | None:
    """Normalised discounted cumulative gain: whether the features that mattered still come first.

    DCG = sum over i of a(f'_i) / log2(i + 1), where a is the baseline's attribution and f' the order of the live ones,
    largest first; NDCG is DCG over the same sum in the baseline's own order. Live values that are equal share the mean
    gain of their places.

    Args:
        baseline: the attribution of each feature in the baseline, shape (features,).
        live: the same in a window.

    Returns:
        1 for the same order, less the more important the features are that moved down; None where the sum in the
        baseline's order is not positive (all attributions are 0, say), so that there is no such ratio.

    References:
        Järvelin and Kekäläinen (2002), ACM TOIS 20, 422-446; Amazon SageMaker's rule calls below 0.90 a violation.

    >>> a = np.array([0.5, 0.3, 0.15, 0.05])
    >>> round(ndcg(a, np.array([3.0, 2.0, 1.0, 4.0])), 6), round(ndcg(a, np.array([3.0, 4.0, 2.0, 1.0])), 6)
    (0.738174, 0.906067)
    """
    best = float(np.sort(baseline)[::-1] @ _discounts(len(baseline)))
    if not len(baseline) or best <= 0:
        return None
    ranked = Ranked.of(np.zeros(len(baseline), np.int64), relevance=baseline, scores=live)
    gains = (np.bincount(ranked.tie, ranked.relevance) / np.bincount(ranked.tie))[ranked.tie]
    return float(gains @ _discounts(len(baseline))) / best


def chance_of(
    value: float,
    baseline: Doubles,
    covariance: Doubles,
    *,
    n: int,
    m: int,
    level: float = 1 / DRAWS,
    seed: int = 0,
) -> float:
    """How likely an NDCG as small as this one is if nothing changed.

    Baseline and window are drawn again as means of m and of n rows around the baseline's attributions, with the
    covariance that attributions have from row to row: the share of draws whose NDCG is as small, the observed one
    among them. Where none is, it is drawn more often, as a level needs; and where still none is, the tail is drawn on:
    the shortfalls 1 - NDCG beyond the largest hundredth of them as an exponential law, whose mean excess is theirs.
    (They are about sums of squares of normal deviates, whose tails are no heavier.)

    Args:
        value: the NDCG that was found.
        baseline: attributions, shape (features,), each >= 0.
        covariance: of a row's attributions, shape (features, features).
        n, m: rows explained of the window, and of the baseline.
        level: what the chance is to be held against, > 0.
        seed: the same one gives the same answer.

    Returns:
        In [0, 1].

    References:
        Knijnenburg, Wessels, Reinders and Shmulevich (2009), Bioinformatics 25, i161-i168 (tails of drawn laws).

    >>> spread = np.diag([0.01, 0.01])
    >>> chance_of(0.9, np.array([0.5, 0.1]), spread, n=100, m=1000) < 0.001
    True
    >>> chance_of(0.9996, np.array([0.5, 0.499]), spread, n=100, m=1000) > 0.1
    True
    """
    rng = np.random.default_rng(seed)
    weights, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(weights, 0.0))
    most = int(min(MOST_DRAWS, max(DRAWS, ENOUGH / level), max(DRAWS, _MOST_CELLS / max(1, len(baseline)))))
    drawn = np.zeros(0)
    while len(drawn) < most and not (drawn >= 1 - value).any():
        drawn = np.append(drawn, _shortfalls(rng, baseline, root, n=n, m=m))
    count = int(np.count_nonzero(drawn >= 1 - value))
    share = (1 + count) / (1 + len(drawn))
    if count:
        return share
    start = float(np.quantile(drawn, 1 - TAIL))
    beyond = drawn[drawn > start]
    excess = float((beyond - start).mean()) if len(beyond) else 0.0
    return min(share, TAIL * math.exp(-(1 - value - start) / excess)) if excess > 0 else 0.0


def _shortfalls(rng: np.random.Generator, baseline: Doubles, root: Doubles, *, n: int, m: int) -> Doubles:
    """What `DRAWS` pairs of a baseline and a window lack of an NDCG of 1."""
    features = len(baseline)
    discounts = _discounts(features)
    short = np.empty(DRAWS)
    size = max(1, _CELLS // max(1, features))
    for start in range(0, DRAWS, size):
        mine = short[start : start + size]
        before, now = (
            np.maximum(0.0, baseline + rng.standard_normal((len(mine), features)) @ root.T / np.sqrt(rows))
            for rows in (m, n)
        )
        found = np.take_along_axis(before, np.argsort(-now, axis=1), axis=1) @ discounts
        best = -np.sort(-before, axis=1) @ discounts
        mine[:] = 1 - np.divide(found, best, out=np.ones(len(mine)), where=best > 0)
    return short


def _discounts(features: int) -> Doubles:
    discounts: Doubles = 1 / np.log2(np.arange(features) + 2.0)
    return discounts
