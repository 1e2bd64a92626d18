"""Reweighting against its definition by weights, row by row, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from watchkeep.stats.reweighting import (
    LEAST_SHARE,
    RIDGE,
    Reweighting,
    indicators,
    pairs,
    powers,
    tilted,
)


def _rows(seed: int, n: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3)) @ rng.normal(size=(3, 3))
    quantities = features[:, :2] * [0.5, -0.2] + rng.normal(size=(n, 2))
    return features, quantities


def test_the_change_is_that_of_weights_that_move_the_means_of_the_features() -> None:
    features, quantities = _rows(1)
    found = Reweighting.of(features, quantities)
    means = features.mean(axis=0) + 0.3 * features.std(axis=0)
    z = (features - found.centre) / found.scale
    lagrange = np.linalg.solve(z.T @ z / len(z) + RIDGE * np.eye(3), (means - found.centre) / found.scale)
    weights = 1 + z @ lagrange
    shift = found.shift(means, sampled=1e9, rows=1e9)

    change = (weights @ quantities) / len(z) - quantities.mean(axis=0)
    evidence = change @ np.linalg.inv(shift.covariance) @ change
    assert shift.change == pytest.approx(change * (1 - 2 / evidence))
    assert np.average(features, axis=0, weights=weights) == pytest.approx(
        means, abs=0.03 * features.std(axis=0).max()
    )


def test_the_effective_rows_are_those_of_the_weights() -> None:
    features = np.random.default_rng(2).normal(size=(5000, 3))
    found = Reweighting.of(features, features)
    means = np.array([0.5, 0.0, 0.1])
    z = (features - found.centre) / found.scale
    weights = 1 + z @ (len(z) * found.inverse @ ((means - found.centre) / found.scale))

    effective = len(z) / (weights**2).mean()
    assert found.shift(means, sampled=10, rows=10).effective == pytest.approx(effective, rel=0.05)


def test_a_window_like_the_reference_changes_nothing() -> None:
    features, quantities = _rows(3)
    found = Reweighting.of(features, quantities)
    shift = found.shift(features.mean(axis=0), sampled=100, rows=100)

    assert shift.change.tolist() == [0.0, 0.0]
    assert shift.effective == pytest.approx(5000)


def test_features_that_tell_nothing_change_little() -> None:
    rng = np.random.default_rng(4)
    changes = []
    for _ in range(200):
        features, quantities = rng.normal(size=(500, 2)), rng.normal(size=(500, 3))
        changes.append(
            Reweighting.of(features, quantities).shift(np.array([1.0, 0.0]), sampled=500, rows=500).change
        )

    unshrunk = 1 / np.sqrt(500)
    assert np.mean(np.square(changes)) < 0.4 * unshrunk**2


def test_a_sample_of_a_window_is_less_certain_than_the_window() -> None:
    features, quantities = _rows(5)
    found = Reweighting.of(features, quantities)
    whole, part = (
        found.shift(features.mean(axis=0) + 0.1, sampled=n, rows=1000).covariance for n in (1000, 100)
    )

    assert (np.diag(part) > np.diag(whole)).all()


def test_errors_of_the_change_are_as_large_as_told() -> None:
    rng, missed = np.random.default_rng(6), []
    for _ in range(300):
        features = rng.normal(size=(400, 2))
        quantities = features[:, :1] * 2 + rng.normal(size=(400, 1))
        found = Reweighting.of(features, quantities).shift(np.array([0.5, 0.5]), sampled=400, rows=400)
        # A strong effect is hardly drawn in; the mean of the features is the reference's own, which scatters too.
        truth = (0.5 - features[:, 0].mean()) * 2 / (1 + RIDGE)
        missed.append((found.change[0] - truth) / np.sqrt(found.covariance[0, 0]))

    assert np.std(missed) == pytest.approx(1, abs=0.25)


def test_constant_features_are_harmless() -> None:
    found = Reweighting.of(np.ones((50, 2)), np.arange(50.0)[:, None])

    assert found.shift(np.array([1.0, 5.0]), sampled=10, rows=10).change.tolist() == [0.0]


def test_indicators_leave_out_the_largest_bucket_and_the_rare_ones() -> None:
    codes = np.repeat([0, 1, 2, 3], [600, 300, 95, 5])[:, None]
    found = indicators(codes, [5], codes * 1.0)

    assert 0.005 < LEAST_SHARE < 0.095
    assert found.buckets.tolist() == [1, 2]
    assert found.of(codes).mean(axis=0).tolist() == [0.3, 0.095]
    assert found.means([np.array([1.0, 2.0, 3.0, 4.0, 0.0])], 10.0).tolist() == [0.2, 0.3]


def test_of_too_many_indicators_those_that_tell_most_are_kept() -> None:
    rng = np.random.default_rng(7)
    codes = np.minimum(rng.integers(0, 5, (2000, 5)), 4) % 4  # bucket 0 is the largest
    found = indicators(codes, [4] * 5, (codes[:, 2:3] == 3) * 1.0, most=1)

    assert (found.columns.tolist(), found.buckets.tolist()) == ([2], [3])


def test_pairs_are_of_the_columns_that_tell_most() -> None:
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 3, (3000, 6))
    found = pairs(codes, [3] * 6, (codes[:, [1]] + codes[:, [4]]).astype(np.float64), most=2)

    assert (found.first.tolist(), found.second.tolist()) == ([1], [4])
    assert np.array_equal(found.of(codes)[:, 6], codes[:, 1] * 3 + codes[:, 4])
    assert found.all_sizes == (3,) * 6 + (9,)


def test_tilted_chances_stay_chances_however_large_the_change() -> None:
    chances = stats.beta(0.5, 0.5).ppf(np.linspace(0.01, 0.99, 50))
    found = tilted(np.full(50, 1e6), chances, powers(chances), np.array([5.0, -3.0, 2.0]))

    assert np.isfinite(found).all()
    assert ((found >= 0) & (found <= 1)).all()


def test_no_change_leaves_chances_alone() -> None:
    chances = np.linspace(0.01, 0.99, 20)

    assert tilted(np.full(20, 50.0), chances, powers(chances), np.zeros(3)) == pytest.approx(chances)
