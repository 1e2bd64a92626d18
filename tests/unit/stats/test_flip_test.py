"""The flip test, against scikit-learn's nearest neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from watchkeep.core.undefined import Undefined
from watchkeep.stats.flip_test import FEW, flip_test


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(FEW + 1, 60), st.sampled_from([1, 3, 5]), st.integers(0, 99))
def test_it_counts_the_flips_that_nearest_neighbours_show(n: int, m: int, k: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    d, a = random.normal(size=(n, 3)), random.normal(size=(m, 3))
    d_positive, a_positive = random.random(n) < 0.5, random.random(m) < 0.5
    usual = KNeighborsClassifier(n_neighbors=k).fit(a, a_positive).predict(d)

    found, error = flip_test(d, d_positive, a, a_positive, neighbours=k)

    assert found == pytest.approx((np.sum(d_positive & ~usual) - np.sum(~d_positive & usual)) / n)
    assert (error is None) == (n == 1)


def test_of_few_others_the_nearest_one_is_asked() -> None:
    a = np.arange(FEW, dtype=float)[:, None]

    assert flip_test(np.array([[8.0]]), np.array([True]), a, a[:, 0] < 8, neighbours=5)[0] == 1.0


def test_of_no_rows_and_of_no_features_there_is_no_measure() -> None:
    rows, none = np.zeros((3, 1)), np.zeros((0, 1))
    yes = np.ones(3, np.bool_)

    assert flip_test(none, yes[:0], rows, yes)[0] == Undefined("FT needs 1 row of the group, has 0")
    assert flip_test(rows, yes, none, yes[:0])[0] == Undefined("FT needs 1 row of the others, has 0")
    assert isinstance(flip_test(rows[:, :0], yes, rows[:, :0], yes)[0], Undefined)


def test_of_many_rows_as_many_pairs_are_compared_as_are_asked_for() -> None:
    random = np.random.default_rng(1)
    d, a = random.normal(size=(900, 2)), random.normal(size=(1100, 2))
    positive = a[:, 0] > 0

    whole = flip_test(d, d[:, 0] > 0, a, positive, most=10_000_000)[0]
    part = flip_test(d, d[:, 0] > 0, a, positive, most=10_000)[0]

    assert whole == pytest.approx(part, abs=0.1)
