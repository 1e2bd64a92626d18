import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import StateError
from watchkeep.formats.kll import capacity, equal_width_buckets, levels, weighted

Distribution = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]

distributions = (
    st.dictionaries(
        st.floats(-1e9, 1e9).map(lambda x: x + 0.0), st.integers(0, 3) | st.integers(0, 10**6), max_size=200
    )
    .map(lambda rows: sorted(rows.items()))
    .map(lambda rows: (np.array([v for v, _ in rows], float), np.array([c for _, c in rows], np.int64)))
)


def rank_error(distribution: Distribution, sketch: list[list[float]]) -> int:
    """The largest difference of rows <= x, over all x, between the rows and their sketch."""
    (values, counts), (items, weights) = distribution, weighted(sketch)
    told = np.concatenate([[0], np.cumsum(weights)])[np.searchsorted(items, values, side="right")]
    return int(np.abs(told - np.cumsum(counts)).max(initial=0))


def rows_of(rows: npt.NDArray[Any]) -> Distribution:
    values, counts = np.unique(rows, return_counts=True)
    return values.astype(float), counts.astype(np.int64)


@given(distributions, st.integers(1, 40))
def test_a_sketch_weighs_what_its_rows_do_within_its_capacities_and_its_error(
    distribution: Distribution, k: int
) -> None:
    values, counts = distribution
    n = int(counts.sum())

    sketch = levels(values, counts, k=k)

    assert sum(len(level) << i for i, level in enumerate(sketch)) == n
    assert all(len(level) <= capacity(len(sketch) - 1 - i, k=k) for i, level in enumerate(sketch))
    assert all(level == sorted(level) for level in sketch)
    assert set().union(*sketch) <= set(values.tolist())
    assert rank_error(distribution, sketch) * capacity(0, k=k) <= n


@pytest.mark.parametrize("rows", [2_051, 50_000, 1_000_003])
def test_quantiles_of_a_sketch_are_within_a_2050th_of_the_rows(rows: int) -> None:
    sample = np.random.default_rng(rows).lognormal(size=rows)
    items, weights = weighted(levels(*rows_of(sample)))
    shares = np.linspace(0.001, 0.999, 999)

    told = items[np.searchsorted(np.cumsum(weights), shares * rows)]

    low = np.quantile(sample, np.clip(shares - 1 / 2050 - 1 / rows, 0, 1), method="inverted_cdf")
    high = np.quantile(sample, np.clip(shares + 1 / 2050 + 1 / rows, 0, 1), method="inverted_cdf")
    assert (low <= told).all()
    assert (told <= high).all()


def test_rows_that_fit_all_stand_on_level_0() -> None:
    sample = np.random.default_rng(1).integers(0, 700, capacity(0))

    assert levels(*rows_of(sample)) == [np.sort(sample).astype(float).tolist()]
    assert len(levels(*rows_of(np.append(sample, 5)))) > 1


def test_a_column_of_few_values_is_told_far_more_exactly_than_the_bound() -> None:
    hours = rows_of(np.random.default_rng(2).binomial(23, 0.4, 1_000_000))

    assert rank_error(hours, levels(*hours)) <= 1


def test_a_column_of_hundreds_of_values_is_told_more_exactly_than_the_bound() -> None:
    ages = rows_of(np.random.default_rng(3).poisson(900, 1_000_000))

    assert rank_error(ages, levels(*ages)) <= 1_000_000 / 20_000


def test_one_value_and_billions_of_rows_make_a_small_exact_sketch() -> None:
    sketch = levels([7.0], [3 * 10**12 + 1])

    assert weighted(sketch)[1].tolist() == [3 * 10**12 + 1]
    assert sum(map(len, sketch)) < 3000


def test_the_same_rows_give_the_same_sketch() -> None:
    rows = rows_of(np.random.default_rng(4).normal(size=9_000))

    assert levels(*rows) == levels(*rows)


def test_no_rows_make_no_levels_no_items_and_no_buckets() -> None:
    assert levels([], []) == levels([1.0], [0]) == []
    assert [part.tolist() for part in weighted([])] == [[], []]
    assert [part.tolist() for part in weighted([[], [4.0]])] == [[4.0], [2]]
    assert equal_width_buckets([], [], 0.0, 1.0) == []


def test_a_sketch_of_any_order_is_read() -> None:
    values, weights = weighted([[38.0, 25.0], [17.0, 25.0], [], [17.0]])

    assert (values.tolist(), weights.tolist()) == ([17.0, 25.0, 38.0], [10, 3, 1])


@pytest.mark.parametrize(
    ("values", "counts", "why"),
    [
        ([2.0, 1.0], [1, 1], "ascending"),
        ([1.0, 1.0], [1, 1], "ascending"),
        ([float("nan")], [1], "finite"),
        ([1.0], [-1], "whole numbers of at least 0"),
        ([1.0], [0.5], "whole numbers of at least 0"),
        ([1.0], [1, 2], "as many counts"),
        ([[1.0]], [[1]], "as many counts"),
    ],
)
def test_what_is_no_distribution_is_refused(values: Any, counts: Any, why: str) -> None:
    with pytest.raises(StateError, match=why):
        levels(values, counts)
    with pytest.raises(StateError, match=why):
        equal_width_buckets(values, counts, 0.0, 1.0)


@given(distributions, st.integers(1, 20))
def test_buckets_hold_every_row_once_and_agree_with_numpy(distribution: Distribution, buckets: int) -> None:
    values, counts = distribution[0][distribution[1] > 0], distribution[1][distribution[1] > 0]
    if values.size == 0:
        return

    made = equal_width_buckets(values, counts, values[0], values[-1], buckets)

    assert (made[0][0], made[-1][1]) == (values[0], values[-1])
    assert all(left[1] == right[0] for left, right in itertools.pairwise(made))
    assert sum(rows for _, _, rows in made) == counts.sum()
    edges = np.array([*(lower for lower, _, _ in made), values[-1]])
    assert [rows for _, _, rows in made] == np.histogram(values, edges, weights=counts)[0].tolist()


def test_a_column_of_one_value_has_its_rows_in_the_last_bucket() -> None:
    made = equal_width_buckets([3.0], [7], 3.0, 3.0)

    assert made == [(3.0, 3.0, 0.0)] * 9 + [(3.0, 3.0, 7.0)]


def test_a_value_outside_is_counted_at_its_end() -> None:
    made = equal_width_buckets([-5.0, 0.5, 9.0], [1, 2, 4], 0.0, 1.0, buckets=2)

    assert made == [(0.0, 0.5, 1.0), (0.5, 1.0, 6.0)]


def test_bounds_whose_distance_is_beyond_a_double_have_finite_edges() -> None:
    made = equal_width_buckets([-1.7e308, 0.0, 1.7e308], [1, 2, 4], np.float64(-1.7e308), np.float64(1.7e308))

    assert [rows for _, _, rows in made] == [1, 0, 0, 0, 0, 2, 0, 0, 0, 4]
    assert np.isfinite(made).all()


@pytest.mark.parametrize(("lo", "hi"), [(1.0, 0.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_bounds_that_are_none_are_refused(lo: float, hi: float) -> None:
    with pytest.raises(StateError, match="buckets go from"):
        equal_width_buckets([0.5], [1], lo, hi)
