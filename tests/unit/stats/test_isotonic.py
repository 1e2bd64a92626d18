"""Isotonic regression against scikit-learn, and what calibrations promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import isotonic_regression

from watchkeep.stats.isotonic import calibrated, isotonic

pairs = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 100)), min_size=1, max_size=60)
cells = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=40).filter(
    lambda rows: sum(map(sum, rows)) > 0
)


@given(pairs)
def test_it_is_scikit_learns(rows: list[tuple[float, float]]) -> None:
    means, weights = np.array(rows).T

    assert isotonic(means, weights)[0] == pytest.approx(
        isotonic_regression(means, sample_weight=weights), abs=1e-9
    )


def test_a_run_that_falls_throughout_is_one_block() -> None:
    values, blocks = isotonic(np.arange(2000.0)[::-1], np.ones(2000))

    assert values == pytest.approx(999.5)
    assert not blocks.any()


def test_a_stair_that_violates_again_after_each_pooling_is_pooled_on() -> None:
    means, weights = np.array([3.0, 4.0, 2.0, 5.0, 0.0]), np.array([1.0, 1.0, 1.0, 1.0, 9.0])

    assert isotonic(means, weights)[0] == pytest.approx(isotonic_regression(means, sample_weight=weights))


@given(cells)
def test_chances_are_ordered_and_never_certain(rows: list[tuple[int, int]]) -> None:
    negatives, positives = np.array(rows, float).T
    found = calibrated(negatives + positives, positives)

    steps = np.diff(found.chances)
    assert (steps >= -1e-12).all() or (steps <= 1e-12).all()
    assert ((found.chances > 0) & (found.chances < 1)).all()
    assert found.rows.sum() == pytest.approx(sum(map(sum, rows)))
    assert (np.diff(found.blocks) >= 0).all()


@given(cells)
def test_blocks_keep_their_positives_but_for_half_a_row_at_the_ends(rows: list[tuple[int, int]]) -> None:
    negatives, positives = np.array(rows, float).T
    held = negatives + positives
    found = calibrated(held, positives)

    expected = np.bincount(found.blocks, held * found.chances)
    assert expected == pytest.approx(np.bincount(found.blocks, positives), abs=0.5)
    assert expected[1:-1] == pytest.approx(np.bincount(found.blocks, positives)[1:-1])


def test_scores_that_fall_with_the_label_are_calibrated_too() -> None:
    held, positives = np.array([10.0, 10.0, 10.0]), np.array([9.0, 5.0, 1.0])

    assert calibrated(held, positives).chances.tolist() == pytest.approx([0.9, 0.5, 0.1])


def test_an_end_without_positives_has_half_of_one() -> None:
    found = calibrated(np.array([99.0, 10.0]), np.array([0.0, 5.0]))

    assert found.chances.tolist() == pytest.approx([0.5 / 100, 0.5])


def test_no_end_passes_its_neighbour() -> None:
    found = calibrated(np.array([1.0, 1000.0, 10.0]), np.array([0.0, 10.0, 9.0]))

    assert found.chances.tolist() == pytest.approx([0.01, 0.01, 0.9])


def test_bins_without_rows_lie_between_their_neighbours_and_beyond_the_ends_like_the_ends() -> None:
    found = calibrated(np.array([0.0, 10.0, 0.0, 10.0, 0.0]), np.array([0.0, 2.0, 0.0, 6.0, 0.0]))

    assert found.chances.tolist() == pytest.approx([0.2, 0.2, 0.4, 0.6, 0.6])
