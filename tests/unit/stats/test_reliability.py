"""Calibration from bins, against its definition over rows."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stats.scored_rows import LAW, Array, by_bin, near, scored

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats.reliability import Reliability


def number(value: Value) -> float:
    assert not isinstance(value, Undefined), value.why
    return value


@LAW
@given(scored(), st.sampled_from([3, 10]))
def test_the_calibration_error_of_equal_stretches_is_its_definition_over_rows(
    rows: tuple[Array, Array, Array], groups: int
) -> None:
    labels, scores, weights = rows
    values, place = np.unique(scores, return_inverse=True)
    sizes = by_bin(place, weights, len(values))
    fine = Reliability(sizes, by_bin(place, weights * labels, len(values)), values)

    coarse = fine.grouped(groups, by="width")

    total = 0.0
    for group in range(groups):
        held = (scores * groups).astype(np.int64).clip(max=groups - 1) == group
        if held.any():
            gap = abs(np.average(labels[held] - scores[held], weights=weights[held]))
            total += gap * weights[held].sum() / weights.sum()
    assert coarse.expected_error() == near(total)


@LAW
@given(st.integers(0, 2**32), st.integers(1, 20))
def test_groups_of_equal_mass_hold_the_same_rows_within_one_bin(seed: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, 400)
    positives = rng.binomial(sizes, 0.3)
    fine = Reliability(sizes, positives, np.sort(rng.random(400)))

    coarse = fine.grouped(groups, by="mass")

    assert np.abs(coarse.rows - sizes.sum() / groups).max() <= sizes.max()
    assert (coarse.rows.sum(), coarse.positives.sum()) == (sizes.sum(), positives.sum())
    assert coarse.rows @ coarse.mean_scores == near(sizes @ fine.mean_scores)
    assert number(coarse.expected_error()) <= number(fine.expected_error()) + 1e-12


def test_empty_bins_hold_whatever_mean() -> None:
    bins = Reliability(np.array([0, 4, 0]), np.array([0, 1, 0]), np.array([math.nan, 0.75, math.nan]))

    assert bins.expected_error() == 0.5
    assert bins.grouped(by="width").expected_error() == 0.5
    nothing = Reliability(np.zeros(2), np.zeros(2), np.full(2, math.nan))
    for by in ("mass", "width"):
        assert nothing.grouped(by=by).expected_error() == Undefined(
            "expected_calibration_error needs 1 row, has 0"
        )
