"""The joint comparison: no drift is no drift, and a drift that no single column shows is found."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from watchkeep.stats.fourier import bandwidth, features, mmd
from watchkeep.stats.tails import covariance_traces, discrepancy

Doubles = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Doubles]


def correlated(rng: np.random.Generator, n: int, *, by: float = 0.8) -> Doubles:
    return rng.multivariate_normal([0, 0], [[1, by], [by, 1]], n)


def skewed(rng: np.random.Generator, n: int) -> Doubles:
    return np.stack([rng.gamma(1.0, 1.0, n), rng.poisson(3, n), rng.random(n) < 0.3], axis=1).astype(
        np.float64
    )


def frequencies_for(rows: Doubles, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    return (rng.standard_normal((rows.shape[1], 64)) / bandwidth(rows)).astype(np.float32)


def test_the_product_of_features_is_near_the_gaussian_kernel() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 3))
    frequencies = (rng.standard_normal((3, 20_000)) / 1.7).astype(np.float32)
    found = features(rows, frequencies)

    squares = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    assert found @ found.T == pytest.approx(np.exp(-squares / (2 * 1.7**2)), abs=0.05)


def test_the_bandwidth_is_the_median_distance() -> None:
    rows = np.random.default_rng(1).normal(size=(60, 4))
    distances = [np.linalg.norm(a - b) for i, a in enumerate(rows) for b in rows[:i]]

    assert bandwidth(rows) == pytest.approx(np.median(distances))
    assert bandwidth(np.ones((5, 2))) == 1


@pytest.mark.parametrize("draw", [correlated, skewed])
@pytest.mark.parametrize("n", [200, 1_500])
def test_without_drift_the_discrepancy_is_zero_on_average_and_its_chance_is_uniform(
    draw: Draw, n: int
) -> None:
    rng = np.random.default_rng(n)
    values, chances = [], []
    for _ in range(120):
        baseline = draw(rng, 1_000)
        frequencies = frequencies_for(baseline, rng)
        before, now = (features(rows, frequencies).astype(np.float64) for rows in (baseline, draw(rng, n)))
        spread, spread2 = covariance_traces(before)
        values.append(mmd(before.mean(axis=0), now.mean(axis=0), 1_000, n))
        chances.append(discrepancy(values[-1], n, 1_000, spread=spread, spread2=spread2))

    assert abs(np.mean(values)) < 4 * np.std(values) / len(values) ** 0.5
    # Generous: 120 chances are within 0.2 of uniform but once in 10,000 times.
    assert stats.kstest(chances, "uniform").statistic < 0.2


def test_a_flipped_correlation_is_found_though_each_column_stays_the_same() -> None:
    rng = np.random.default_rng(2)
    baseline = correlated(rng, 2_000)
    frequencies = frequencies_for(baseline, rng)
    before = features(baseline, frequencies).astype(np.float64)
    spread, spread2 = covariance_traces(before)

    found = []
    for by in (0.8, 0.4, 0.0, -0.8):
        now = features(correlated(rng, 800, by=by), frequencies).astype(np.float64)
        value = mmd(before.mean(axis=0), now.mean(axis=0), 2_000, 800)
        found.append((value, discrepancy(value, 800, 2_000, spread=spread, spread2=spread2)))

    assert [value for value, _ in found] == sorted(value for value, _ in found)
    assert found[0][1] > 1e-3
    assert found[-1][1] < 1e-12
