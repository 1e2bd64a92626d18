"""How far the values of a column moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.causes.drift import moved


def test_rows_that_moved_are_counted() -> None:
    before, now = np.array([5000, 5000, 0]), np.array([2500, 2500, 5000])
    assert moved(before, now) == pytest.approx(0.5, abs=0.02)
    assert moved(np.array([10_000, 0]), np.array([0, 10_000])) == pytest.approx(1.0)


@pytest.mark.parametrize(("buckets", "n"), [(2, 100), (34, 300), (34, 5000), (256, 100), (256, 2000)])
def test_of_unchanged_rows_next_to_nothing_is_told(buckets: int, n: int) -> None:
    rng = np.random.default_rng(buckets + n)
    shares = np.full(buckets, 1 / buckets)
    found = [moved(rng.multinomial(10_000, shares), rng.multinomial(n, shares)) for _ in range(100)]
    assert np.mean(found) < 0.03


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=20))
def test_it_is_a_share_and_of_the_same_rows_it_is_nothing(rows: list[int]) -> None:
    before = np.array(rows) + 1
    now = np.array(rows[::-1]) + 1
    assert 0 <= moved(before, now) <= 1
    assert moved(before, before) == 0
    assert moved(before, now) == pytest.approx(moved(before[::-1], now[::-1]))
