"""Curves from bins: against scikit-learn over rows, and within the bounds they state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from tests.unit.stats.scored_rows import LAW, Array, near, scored, split

from watchkeep.core.undefined import Undefined
from watchkeep.stats import score_curves
from watchkeep.stats.score_curves import Bounded, Curve


def found(curve: Curve | Undefined) -> Curve:
    assert isinstance(curve, Curve)
    return curve


@LAW
@given(scored())
def test_bins_of_one_score_each_give_the_curves_of_scikit_learn(rows: tuple[Array, Array, Array]) -> None:
    labels, scores, weights = rows
    values, place = np.unique(scores, return_inverse=True)
    sides = split(labels, place, weights, len(values))

    roc = found(score_curves.roc(*sides, tied=True))
    pr = found(score_curves.precision_recall(*sides, tied=True))

    auc = metrics.roc_auc_score(labels, scores, sample_weight=weights)
    average = metrics.average_precision_score(labels, scores, sample_weight=weights)
    assert (roc.area.value, roc.area.low, roc.area.high) == near((auc,) * 3)
    assert (pr.area.value, pr.area.low, pr.area.high) == near((average,) * 3)
    x, y, _ = metrics.roc_curve(labels, scores, sample_weight=weights, drop_intermediate=False)
    assert (list(roc.x), list(roc.y)) == (near(x), near(y))
    precisions, recalls, _ = metrics.precision_recall_curve(labels, scores, sample_weight=weights)
    assert (list(pr.x), list(pr.y)) == (
        near(recalls[::-1]),
        near(precisions[::-1]),
    )


@LAW
@given(scored(), st.data())
def test_what_the_rows_give_lies_within_the_bounds_of_their_bins(
    rows: tuple[Array, Array, Array], data: st.DataObject
) -> None:
    labels, scores, weights = rows
    edges = np.array(sorted(data.draw(st.lists(st.floats(0, 1), max_size=8))))
    place = np.searchsorted(edges, scores)
    alone = np.array([len(set(scores[place == i])) <= 1 for i in range(len(edges) + 1)])
    tied = alone if data.draw(st.booleans()) else False
    sides = split(labels, place, weights, len(edges) + 1)

    roc = found(score_curves.roc(*sides, tied=tied)).area
    pr = found(score_curves.precision_recall(*sides, tied=tied)).area

    auc = metrics.roc_auc_score(labels, scores, sample_weight=weights)
    average = metrics.average_precision_score(labels, scores, sample_weight=weights)
    assert roc.low - 1e-12 <= auc <= roc.high + 1e-12
    assert pr.low - 1e-12 <= average <= pr.high + 1e-12
    assert 0 <= roc.low <= roc.value <= roc.high <= 1
    assert 0 <= pr.low <= pr.value <= pr.high <= 1


@pytest.mark.parametrize("positives_first", [True, False])
def test_the_bounds_are_reached(positives_first: bool) -> None:
    # Two bins of 40 positive and 60 negative rows; inside each, one label scores above the other.
    inside = np.repeat([1, 0], [40, 60]) if positives_first else np.repeat([0, 1], [60, 40])
    labels, scores = np.tile(inside, 2), -np.arange(200.0)
    together = np.where(labels == 1, 1.0, 0.0) - np.repeat([0, 10], 100)

    roc = found(score_curves.roc(np.array([40, 40]), np.array([60, 60]))).area
    pr = found(score_curves.precision_recall(np.array([40, 40]), np.array([60, 60]))).area

    auc = metrics.roc_auc_score(labels, scores)
    assert (roc.high if positives_first else roc.low) == near(auc)
    if positives_first:
        assert pr.high == near(metrics.average_precision_score(labels, together))
    else:  # reached by ever smaller rows: weights split 100 ways come within a hundredth
        fine, weights = np.repeat(labels, 100), np.full(20_000, 0.01)
        average = metrics.average_precision_score(fine, -np.arange(20_000.0), sample_weight=weights)
        assert pr.low <= average <= pr.low + 1e-3


@pytest.mark.parametrize("share", [0.5, 0.02])
def test_two_thousand_bins_tell_a_million_rows_within_a_thousandth(share: float) -> None:
    rng, rows = np.random.default_rng(7), 1_000_000
    labels = (rng.random(rows) < share).astype(np.int64)
    scores = rng.normal(1.5 * labels, 1)
    # From the highest score down, each bin holds a 250th of the rows above it, at least 10.
    ends = [0]
    while ends[-1] < rows:
        ends.append(min(rows, ends[-1] + max(10, ends[-1] // 250)))
    order = np.argsort(-scores)
    place = np.empty(rows, np.int64)
    place[order] = np.repeat(np.arange(len(ends) - 1)[::-1], np.diff(ends))
    sides = split(labels, place, np.ones(rows), len(ends) - 1)

    roc, pr = found(score_curves.roc(*sides)).area, found(score_curves.precision_recall(*sides)).area

    assert len(ends) <= 2049
    for area, exact in (
        (roc, metrics.roc_auc_score(labels, scores)),
        (pr, metrics.average_precision_score(labels, scores)),
    ):
        assert area.low <= exact <= area.high
        assert max(area.high - area.value, area.value - area.low) < 1e-3


@LAW
@given(scored())
def test_bins_without_rows_change_nothing(rows: tuple[Array, Array, Array]) -> None:
    labels, scores, weights = rows
    place = (scores * 10).astype(np.int64)
    tied = np.arange(12) % 2 == 0
    sides = split(labels, place, weights, 12)
    wider = tuple(np.concatenate((side, np.zeros(3))) for side in sides)

    for curve in (score_curves.roc, score_curves.precision_recall):
        one, two = found(curve(*sides, tied=tied)), found(curve(*wider, tied=np.append(tied, [True] * 3)))
        assert one.area == two.area
        assert (one.x.tolist(), one.y.tolist()) == (two.x.tolist(), two.y.tolist())


def test_an_area_is_1_at_most_however_weights_are_rounded() -> None:
    bins = np.array([0.37, 1.11, 2.59]), np.zeros(3)

    area = found(score_curves.precision_recall(*bins)).area

    assert area == Bounded(1.0, near(1.0), 1.0)
    assert 0 <= area.low <= area.value


def test_curves_need_rows_of_the_labels_they_compare() -> None:
    none, some = np.zeros(3), np.array([1, 0, 2])

    assert score_curves.roc(some, none) == Undefined("auc needs 1 row labelled negative, has 0")
    assert score_curves.roc(none, some) == Undefined("auc needs 1 row labelled positive, has 0")
    assert score_curves.precision_recall(none, none) == Undefined(
        "pr_auc needs 1 row labelled positive, has 0"
    )
    assert found(score_curves.precision_recall(some, none)).area == Bounded(1.0, 1.0, 1.0)


@LAW
@given(st.integers(0, 2**32), st.integers(2, 300))
def test_a_thinned_curve_keeps_its_ends_and_its_shape(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    whole = found(score_curves.roc(rng.integers(0, 9, 900), rng.integers(0, 4, 900)))

    thin = whole.thinned(most)

    assert 2 <= len(thin.x) <= most
    assert (thin.x[0], thin.y[0], thin.x[-1], thin.y[-1]) == (0, 0, 1, 1)
    ways = thin.x + thin.y
    gaps = [np.abs(ways - at).min() for at in whole.x + whole.y]
    assert max(gaps) <= 2 / (most - 1) + 1e-12
    assert thin.area == whole.area
    assert thin.thinned(most) is thin
