"""How far the order of features by importance has moved, and how far chance alone moves it."""

from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.stats.ranking import Ranked

Doubles = npt.NDArray[np.float64]
DRAWS: Final = 20_000
"""How often the baseline and a window are drawn again, to see how far chance moves their order."""
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
    value: float, baseline: Doubles, covariance: Doubles, *, n: int, m: int, seed: int = 0
) -> float:
    """How likely an NDCG as small as this one is if nothing changed.

    Baseline and window are drawn again as means of m and of n rows around the baseline's attributions, with the
    covariance that attributions have from row to row; the share of draws whose NDCG is as small, the observed one
    among them.

    Args:
        value: the NDCG that was found.
        baseline: attributions, shape (features,), each >= 0.
        covariance: of a row's attributions, shape (features, features).
        n, m: rows explained of the window, and of the baseline.
        seed: the same one gives the same answer.

    Returns:
        In [1 / (1 + DRAWS), 1].

    >>> spread = np.diag([0.01, 0.01])
    >>> chance_of(0.9, np.array([0.5, 0.1]), spread, n=100, m=1000) < 0.001
    True
    >>> chance_of(0.9996, np.array([0.5, 0.499]), spread, n=100, m=1000) > 0.1
    True
    """
    features = len(baseline)
    rng = np.random.default_rng(seed)
    weights, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(weights, 0.0))
    discounts = _discounts(features)
    below, left = 0, DRAWS
    while left:
        size = min(left, max(1, _CELLS // max(1, features)))
        before, now = (
            np.maximum(0.0, baseline + rng.standard_normal((size, features)) @ root.T / np.sqrt(rows))
            for rows in (m, n)
        )
        found = np.take_along_axis(before, np.argsort(-now, axis=1), axis=1) @ discounts
        best = -np.sort(-before, axis=1) @ discounts
        below += int(np.count_nonzero(found <= value * best))
        left -= size
    return (1 + below) / (1 + DRAWS)


def _discounts(features: int) -> Doubles:
    discounts: Doubles = 1 / np.log2(np.arange(features) + 2.0)
    return discounts
