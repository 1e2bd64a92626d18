"""Measures of expected counts: slopes against differences, calibration error and bands against simulation."""

import numpy as np
import pytest

from watchkeep.core.undefined import Undefined
from watchkeep.stats.expected_counts import band, calibration_error, expected_counts, losses_of, measured
from watchkeep.stats.reliability import Reliability

BINS = 12


def _counts(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Counts by bin, answer and label, and mean scores."""
    rng, means = np.random.default_rng(seed), (np.arange(BINS) + 0.5) / BINS
    rows = rng.integers(50, 200, (BINS, 2)).astype(float)
    return expected_counts(rows, means**1.5), means


def test_expected_counts_keep_their_rows() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 2.0]])

    assert expected_counts(rows, np.array([0.1, 0.9])).sum(axis=2).tolist() == rows.tolist()


@pytest.mark.parametrize(
    "name", ["accuracy", "precision", "recall", "f2", "matthews", "auc", "log_loss", "brier"]
)
@pytest.mark.parametrize("cell", [(0, 0), (5, 1), (11, 1), (11, 0)])
def test_slopes_are_what_a_row_that_turns_positive_adds(name: str, cell: tuple[int, int]) -> None:
    counts, means = _counts()
    slope = measured(counts, losses=losses_of(means)).slopes[name][cell]
    ends = []
    for step in (0.01, -0.01):
        moved = counts.copy()
        moved[cell] += [-step, step]
        ends.append(measured(moved, losses=losses_of(means)).values[name])
    up, down = ends

    assert not isinstance(up, Undefined)
    assert not isinstance(down, Undefined)
    assert slope == pytest.approx((up - down) / 0.02, rel=1e-3, abs=1e-9)


def test_slopes_of_average_precision_are_near_those_of_many_small_bins() -> None:
    rng = np.random.default_rng(2)
    rows = rng.integers(1, 4, (400, 2)).astype(float)
    counts = expected_counts(rows, np.linspace(0.02, 0.9, 400))
    slopes = measured(counts).slopes["pr_auc"]
    for cell in ((10, 0), (200, 1), (380, 1)):
        ends = []
        for step in (0.01, -0.01):
            moved = counts.copy()
            moved[cell] += [-step, step]
            ends.append(measured(moved).values["pr_auc"])
        up, down = ends
        assert not isinstance(up, Undefined)
        assert not isinstance(down, Undefined)
        assert slopes[cell] == pytest.approx((up - down) / 0.02, rel=0.05, abs=1e-6)


def test_without_scores_there_are_no_curves() -> None:
    counts, means = _counts()
    found = measured(counts, losses=losses_of(means), scored=False)

    assert "auc" not in found.values
    assert "log_loss" not in found.values


def test_measures_without_a_value_have_no_slope() -> None:
    counts = np.zeros((3, 2, 2))
    counts[:, 0, :] = 5.0
    found = measured(counts)

    assert isinstance(found.values["precision"], Undefined)
    assert "precision" not in found.slopes


def test_calibration_error_is_what_labels_will_show_on_average() -> None:
    rng, rows, means = np.random.default_rng(3), np.full(60, 20.0), np.linspace(0.05, 0.95, 60)
    chances = np.clip(means + 0.03, 0, 1)
    shown = []
    for _ in range(2000):
        positives = rng.binomial(20, chances).astype(float)
        error = Reliability(rows, positives, means).grouped(10, by="mass").expected_error()
        assert isinstance(error, float)
        shown.append(error)
    value, deviation = calibration_error(rows, chances, means, np.arange(60), np.zeros(60))

    assert value == pytest.approx(np.mean(shown), rel=0.03)
    assert deviation == pytest.approx(np.std(shown), rel=0.1)


def test_calibration_error_of_no_rows_is_undefined() -> None:
    value, _ = calibration_error(np.zeros(3), np.full(3, 0.5), np.full(3, 0.5), np.arange(3), np.zeros(3))

    assert isinstance(value, Undefined)


@pytest.mark.parametrize("value", [0.0, 1e-9, 0.03, 0.5, 0.999, 1.0])
def test_bands_of_shares_hold_the_value_and_stay_within_bounds(value: float) -> None:
    found = band(value, 0.05, confidence=0.95)

    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= value <= found.high <= 1


def test_bands_are_normal_where_the_deviation_is_small() -> None:
    found = band(0.5, 0.001, confidence=0.95)

    assert (found.low, found.high) == pytest.approx((0.5 - 0.00196, 0.5 + 0.00196), abs=1e-5)


def test_bands_of_errors_stay_positive_and_correlations_may_be_negative() -> None:
    assert band(0.1, 0.02, confidence=0.95, most=None).low == pytest.approx(0.1 / np.exp(0.392), rel=1e-3)
    low = band(-0.2, 0.1, confidence=0.95, least=-1.0).low
    assert low is not None
    assert -1 < low < -0.2
    free = band(0.9, 0.2, confidence=0.95, least=None)
    assert (free.low, free.high) == pytest.approx((0.9 - 0.392, 1.0), abs=1e-3)
