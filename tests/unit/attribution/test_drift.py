"""The order of features: the reference's worked values, scikit-learn, and the law of chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from watchkeep.stats import attribution_drift
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


@pytest.mark.parametrize("seed", [1, 3])
def test_chances_are_those_of_many_more_draws(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    baseline, loadings = np.array([0.5, 0.3, 0.28, 0.1, 0.05]), rng.normal(size=(5, 5)) * 0.1
    covariance = loadings @ loadings.T
    values = (0.995, 0.985, 0.97)
    told = {one: chance_of(one, baseline, covariance, n=60, m=600, level=1e-5) for one in values}
    monkeypatch.setattr(attribution_drift, "DRAWS", 400_000)
    monkeypatch.setattr(attribution_drift, "MOST_DRAWS", 400_000)
    for one, chance in told.items():
        truth = chance_of(one, baseline, covariance, n=60, m=600, seed=9)
        if truth > 3e-5:
            assert truth / 5 < chance < truth * 5
        else:
            assert chance < 5e-5


def test_a_chance_may_be_as_small_as_many_places_need() -> None:
    baseline, spread = np.array([0.5, 0.3, 0.1]), np.diag([0.01, 0.01, 0.01])
    assert chance_of(0.7, baseline, spread, n=500, m=5000, level=1e-7) < 1e-7
