"""The order of features: the reference's worked values, scikit-learn, and the law of chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from watchkeep.stats.attribution_drift import chance_of, ndcg

WEIGHTS = np.array([0.5, 0.3, 0.15, 0.05])


def in_order(letters: str) -> np.ndarray:
    """Live values that put the features a, b, c, d in this order."""
    return np.array([-float(letters.index(one)) for one in "abcd"])


@pytest.mark.parametrize(("order", "expected"), [("dabc", 0.738174), ("bacd", 0.906067), ("abcd", 1.0)])
def test_the_worked_values_of_the_reference(order: str, expected: float) -> None:
    assert ndcg(WEIGHTS, in_order(order)) == pytest.approx(expected, abs=5e-7)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=12))
def test_it_is_scikit_learns_ties_included(pairs: list[tuple[int, int]]) -> None:
    baseline, live = np.array(pairs, np.float64).T

    found = ndcg(baseline, live)

    if not baseline.any():
        assert found is None
    else:
        assert found == pytest.approx(ndcg_score([baseline], [live]), abs=1e-12)


def test_nothing_is_attributed_so_there_is_no_order() -> None:
    assert ndcg(np.zeros(3), np.ones(3)) is None


def test_by_chance_alone_small_values_are_as_frequent_as_is_said() -> None:
    rng = np.random.default_rng(5)
    truth, spread = np.array([0.5, 0.45, 0.4, 0.05]), np.diag([0.2, 0.2, 0.3, 0.01])
    root, chances = np.sqrt(spread), []
    for seed in range(300):
        before, now = (np.maximum(0, truth + rng.normal(size=4) @ root / np.sqrt(n)) for n in (400, 200))
        value = ndcg(before, now)
        assert value is not None
        chances.append(chance_of(value, before, spread, n=200, m=400, seed=seed))

    assert np.mean(np.array(chances) <= 0.05) < 0.09
    assert np.mean(np.array(chances) <= 0.5) > 0.2
