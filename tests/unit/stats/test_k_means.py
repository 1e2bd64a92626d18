"""Clusters against scikit-learn's, and the number of them against how rows were made."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from watchkeep.core.errors import OptionError
from watchkeep.stats.k_means import MOST_ROWS, k_means

Doubles = npt.NDArray[np.float64]


def _codes(rows: int, columns: int = 0) -> npt.NDArray[np.intp]:
    return np.zeros((rows, columns), dtype=np.intp)


def _heaps(centres: Doubles, each: int, seed: int) -> Doubles:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(centre, 1, size=(each, centres.shape[1])) for centre in centres])


@pytest.mark.parametrize("k", [2, 5, 9])
def test_they_are_as_tight_as_those_of_scikit_learn(k: int) -> None:
    numbers = np.random.default_rng(k).normal(size=(600, 3)) * [1, 100, 0.01] + [5, 0, 1000]
    found = k_means(numbers, _codes(600), clusters=k)
    scaled = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    theirs = KMeans(k, n_init=6, random_state=0).fit(scaled)

    assert found.inertia <= theirs.inertia_ * 1.03
    for cluster in range(k):
        mine = numbers[found.labels == cluster]
        np.testing.assert_allclose(found.centres[cluster], mine.mean(axis=0), rtol=1e-9)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("seed", range(5))
def test_as_many_are_found_as_there_are_heaps(k: int, seed: int) -> None:
    around = 0.5 + 2 * np.pi * np.arange(k) / k
    centres = 12 * k**0.5 * np.stack([np.cos(around), np.sin(around)], axis=1)
    found = k_means(_heaps(centres, 200, seed), _codes(200 * k), seed=seed)

    assert found.sizes.tolist() == [200] * k


@pytest.mark.parametrize("columns", [1, 2, 10, 30])
def test_rows_without_heaps_are_one_cluster(columns: int) -> None:
    normal = np.random.default_rng(columns).normal(size=(500, columns))

    assert len(k_means(normal, _codes(500)).sizes) == 1


def test_categories_make_clusters_of_their_own() -> None:
    codes = np.repeat([[0, 3, 7], [1, 4, 8], [2, 5, 9]], [50, 30, 20], axis=0)
    found = k_means(np.zeros((100, 0)), codes)

    assert found.sizes.tolist() == [50, 30, 20]
    assert found.modes.tolist() == [[0, 3, 7], [1, 4, 8], [2, 5, 9]]
    assert found.inertia == 0


def test_a_code_counts_gamma_variances() -> None:
    numbers, codes = np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([[0], [1], [0], [1]])

    by_number = k_means(numbers, codes, clusters=2, gamma=0.5)
    by_code = k_means(numbers, codes, clusters=2, gamma=50.0)

    assert by_number.inertia == 2 * 0.5
    assert sorted(by_number.centres.ravel().tolist()) == [-1.0, 1.0]
    assert by_code.inertia == 4 * 1.0
    assert sorted(by_code.modes.ravel().tolist()) == [0, 1]


def test_numbers_that_are_missing_count_as_the_mean() -> None:
    numbers = np.array([[0.0, np.nan], [0.0, np.nan], [9.0, 1.0], [9.0, 3.0], [9.0, np.inf]])
    found = k_means(numbers, _codes(5), clusters=2)

    np.testing.assert_array_equal(found.centres, [[9.0, 2.0], [0.0, np.nan]])
    assert found.nearest[0] == 4


def test_rows_that_are_alike_are_one_cluster_however_many_are_asked() -> None:
    for clusters in (None, 1, 12):
        found = k_means(np.full((40, 2), 0.1), _codes(40, 1), clusters=clusters)
        assert found.sizes.tolist() == [40]
        assert found.inertia == 0
    assert len(k_means(np.array([[1.0], [2.0], [2.0]]), _codes(3), clusters=5).sizes) == 2


def test_the_largest_doubles_can_be_clustered() -> None:
    found = k_means(np.array([[1e308], [-1e308], [1e308]]), _codes(3), clusters=2)

    np.testing.assert_allclose(found.centres, [[1e308], [-1e308]])


def test_more_rows_than_are_fitted_are_all_counted() -> None:
    rows = 2 * MOST_ROWS
    numbers = np.repeat([[0.0], [100.0]], [rows - 500, 500], axis=0)
    found = k_means(numbers + np.random.default_rng(0).normal(size=(rows, 1)), _codes(rows))

    assert found.sizes.tolist() == [rows - 500, 500]


@given(st.integers(1, 30), st.integers(0, 3), st.integers(0, 2), st.integers(0, 1000), st.integers(0, 12))
def test_laws(rows: int, columns: int, code_columns: int, seed: int, asked: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 4, size=(rows, columns)).astype(float)
    codes = rng.integers(0, 3, size=(rows, code_columns))
    found = k_means(numbers, codes, clusters=asked or None, seed=seed)
    again = k_means(numbers, codes, clusters=asked or None, seed=seed)

    assert found.sizes.sum() == rows
    assert found.sizes.min() >= 1
    assert len(found.sizes) <= min(rows, asked or 12)
    assert (np.diff(found.sizes) <= 0).all()
    np.testing.assert_array_equal(np.bincount(found.labels), found.sizes)
    np.testing.assert_array_equal(found.labels[found.nearest], np.arange(len(found.sizes)))
    np.testing.assert_array_equal(found.labels, again.labels)


def test_what_cannot_be_clustered_is_told() -> None:
    for clusters in (0, 13):
        with pytest.raises(OptionError, match=r"clusters: got .*, expected 1 to 12"):
            k_means(np.zeros((3, 1)), _codes(3), clusters=clusters)
    with pytest.raises(OptionError, match="gamma"):
        k_means(np.zeros((3, 1)), _codes(3), gamma=0.0)
    with pytest.raises(OptionError, match="rows"):
        k_means(np.zeros((0, 1)), _codes(0))
