"""What each column's mix does to a mean, against sums that can be done by hand and by another library."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from watchkeep.stats.mix_effects import mix_effects
from watchkeep.stats.reweighting import RIDGE


def _rows(seed: int, n: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 1))
    return np.asarray(hidden + rng.normal(size=(n, width)) > 0, np.float64)


def _worth(features: np.ndarray, loss: np.ndarray, means: np.ndarray, chosen: list[int]) -> float:
    """The change of the mean that scikit-learn's ridge regression foretells."""
    if not chosen:
        return 0.0
    centre, scale = features.mean(axis=0)[chosen], features.std(axis=0)[chosen]
    fitted = Ridge(alpha=RIDGE * len(features)).fit((features[:, chosen] - centre) / scale, loss)
    return float(fitted.predict(((means[chosen] - centre) / scale)[None])[0] - fitted.intercept_)


def test_parts_are_the_mean_of_what_each_column_adds_over_all_orders() -> None:
    features = _rows(1, 5000, 4)
    loss = features @ [0.3, 0.0, 0.2, 0.1] + 0.1 * features[:, 0] * features[:, 2]
    means = np.array([0.8, 0.7, 0.3, 0.6])
    columns = np.array([0, 1, 2, 2])
    found = mix_effects(features, columns, loss, means, rows=5000)
    wanted = np.zeros(3)
    for order in permutations(range(3)):
        before = 0.0
        for place in range(3):
            chosen = sorted(at for at in range(4) if columns[at] in order[: place + 1])
            after = _worth(features, loss, means, chosen)
            wanted[order[place]] += (after - before) / 6
            before = after
    assert found.columns.tolist() == [0, 1, 2]
    assert found.changes == pytest.approx(wanted, abs=1e-9)
    assert found.total == pytest.approx(before, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 14))
def test_parts_add_up_to_the_whole(seed: int, width: int) -> None:
    features = _rows(seed, 800, width)
    rng = np.random.default_rng(seed)
    found = mix_effects(features, np.arange(width), rng.random(800), rng.random(width), rows=800)
    assert found.changes.sum() == pytest.approx(found.total, abs=1e-9)


def test_rows_that_are_drawn_by_another_mix_have_the_loss_that_is_told() -> None:
    features = _rows(3, 60_000, 3)
    rng = np.random.default_rng(4)
    loss = (rng.random(60_000) < 0.1 + 0.3 * features[:, 0]).astype(np.float64)
    older = rng.random(60_000) < 0.2 + 0.6 * features[:, 0]
    found = mix_effects(
        features[:30_000], np.arange(3), loss[:30_000], features[older].mean(axis=0), rows=10_000
    )
    risen = loss[older].mean() - loss[:30_000].mean()
    assert abs(found.total - risen) < 4 * found.error
    assert found.changes[found.columns.tolist().index(0)] > 0.5 * risen


def test_of_the_same_mix_hardly_ever_anything_is_told() -> None:
    told = 0
    for seed in range(200):
        features = _rows(seed, 2000, 5)
        loss = np.random.default_rng(seed).random(1000)
        means = features[1000:].mean(axis=0)
        told += bool(len(mix_effects(features[:1000], np.arange(5), loss, means, rows=1000).columns))
    assert told <= 8  # one in a hundred is to be expected


@pytest.mark.parametrize(("reference", "rows"), [(2000, 1500), (1000, 10_000)])
def test_errors_are_as_large_as_estimates_scatter(reference: int, rows: int) -> None:
    changes, errors = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        features = _rows(seed + 1000, reference, 2)
        loss = (rng.random(reference) < 0.2 + 0.2 * features[:, 0]).astype(np.float64)
        window = (rng.random((rows, 2)) < [0.8, 0.5]).astype(np.float64)
        found = mix_effects(features, np.arange(2), loss, window.mean(axis=0), rows=rows)
        place = found.columns.tolist().index(0)
        changes.append(found.changes[place])
        errors.append(found.errors[place])
    assert 0.8 < np.std(changes) / np.mean(errors) < 1.25
