"""Quality from counts against scikit-learn over rows, and what bins tell against the rows they hide."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats import classification as quality

Array = npt.NDArray[Any]
LAW = settings(max_examples=80, deadline=None)

counts = st.integers(0, 1_000_000)
cells = st.one_of(st.tuples(*[counts] * 4), st.tuples(*[st.floats(0.1, 1e3)] * 4))


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def number(value: Value) -> float:
    assert not isinstance(value, Undefined), value.why
    return value


def found(curve: quality.Curve | Undefined) -> quality.Curve:
    assert isinstance(curve, quality.Curve)
    return curve


@st.composite
def scored(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """Labels of both kinds, scores with ties or without or all the same, and weights."""
    rows = draw(st.integers(2, 60))
    kinds = draw(st.sampled_from([1, 2, 5, 1000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.random(rows) < draw(st.floats(0.05, 0.95))
    labels[rng.permutation(rows)[:2]] = True, False
    scores = (rng.integers(0, kinds, rows) + labels * draw(st.sampled_from([0, 1, 300]))) / 1300
    weights = rng.integers(1, 5, rows) * (draw(st.sampled_from([1.0, 0.37])))
    return labels.astype(np.int64), scores, weights


def by_bin(values: Array, weights: Array, bins: int) -> Array:
    return np.bincount(values, weights, bins)


def split(labels: Array, place: Array, weights: Array, bins: int) -> tuple[Array, Array]:
    return by_bin(place, weights * labels, bins), by_bin(place, weights * (1 - labels), bins)


# --- two classes


@LAW
@given(cells)
def test_the_rates_of_two_classes_are_those_of_scikit_learn(
    matrix: tuple[float, float, float, float],
) -> None:
    tn, fp, fn, tp = matrix
    assume(min(tn + fp, fn + tp, tp + fp, tn + fn) > 0)
    truth, told = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    weigh = {"sample_weight": np.array(matrix, np.float64)}

    rates = quality.binary_rates(*matrix)

    expected = {
        "accuracy": metrics.accuracy_score(truth, told, **weigh),
        "precision": metrics.precision_score(truth, told, **weigh),
        "recall": metrics.recall_score(truth, told, **weigh),
        "true_positive_rate": metrics.recall_score(truth, told, **weigh),
        "true_negative_rate": metrics.recall_score(truth, told, pos_label=0, **weigh),
        "false_positive_rate": 1 - metrics.recall_score(truth, told, pos_label=0, **weigh),
        "false_negative_rate": 1 - metrics.recall_score(truth, told, **weigh),
        "f0_5": metrics.fbeta_score(truth, told, beta=0.5, **weigh),
        "f1": metrics.f1_score(truth, told, **weigh),
        "f2": metrics.fbeta_score(truth, told, beta=2, **weigh),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, told, **weigh),
        "matthews": metrics.matthews_corrcoef(truth, told, **weigh),
    }
    assert rates == {name: near(value) for name, value in expected.items()}


def test_whole_counts_of_numpy_do_not_overflow() -> None:
    tn, fp, fn, tp = np.array([3, 1, 1, 3]) * 1_000_000_000

    assert quality.binary_rates(tn, fp, fn, tp)["matthews"] == near(0.5)


@pytest.mark.parametrize(
    ("matrix", "defined"),
    [
        ((0, 0, 0, 0), set()),
        ((7, 0, 0, 0), {"accuracy", "true_negative_rate", "false_positive_rate"}),
        (
            (0, 0, 7, 0),
            {"accuracy", "recall", "true_positive_rate", "false_negative_rate", "f0_5", "f1", "f2"},
        ),
    ],
)
def test_a_rate_of_no_rows_says_what_it_lacks(
    matrix: tuple[float, float, float, float], defined: set[str]
) -> None:
    rates = quality.binary_rates(*matrix)

    undefined = {name: rate for name, rate in rates.items() if isinstance(rate, Undefined)}
    assert set(rates) - set(undefined) == defined
    assert all(f"{name} needs 1 row" in rate.why for name, rate in undefined.items())


def test_an_f_score_is_0_when_no_positive_row_was_found() -> None:
    assert quality.binary_rates(5, 0, 3, 0)["f1"] == 0.0


@LAW
@given(counts, counts)
def test_no_constant_answer_beats_the_best_constant(negatives: int, positives: int) -> None:
    assume(negatives + positives > 0)
    best, yes = quality.best_constant(negatives, positives), quality.always_positive(negatives, positives)

    assert best["accuracy"] == max(negatives, positives) / (negatives + positives)
    assert yes["accuracy"] == positives / (negatives + positives)
    assert {name: best[name] for name in best if name != "accuracy" and positives} == {
        name: yes[name] for name in yes if name != "accuracy" and positives
    }


def test_the_always_positive_classifier_is_that_of_the_published_sample() -> None:
    # 406 of 2096 rows are positive; scikit-learn on those rows.
    truth, told = np.repeat([0, 1], [1690, 406]), np.ones(2096, np.int64)

    yes = quality.always_positive(1690, 406)

    assert yes["f2"] == near(metrics.fbeta_score(truth, told, beta=2))
    assert yes["precision"] == near(406 / 2096)


# --- scores by bin


@LAW
@given(scored())
def test_bins_of_one_score_each_give_the_curves_of_scikit_learn(rows: tuple[Array, Array, Array]) -> None:
    labels, scores, weights = rows
    values, place = np.unique(scores, return_inverse=True)
    sides = split(labels, place, weights, len(values))

    roc = found(quality.roc(*sides, tied=True))
    pr = found(quality.precision_recall(*sides, tied=True))

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

    roc = found(quality.roc(*sides, tied=tied)).area
    pr = found(quality.precision_recall(*sides, tied=tied)).area

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

    roc = found(quality.roc(np.array([40, 40]), np.array([60, 60]))).area
    pr = found(quality.precision_recall(np.array([40, 40]), np.array([60, 60]))).area

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

    roc, pr = found(quality.roc(*sides)).area, found(quality.precision_recall(*sides)).area

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

    for curve in (quality.roc, quality.precision_recall):
        one, two = found(curve(*sides, tied=tied)), found(curve(*wider, tied=np.append(tied, [True] * 3)))
        assert one.area == two.area
        assert (one.x.tolist(), one.y.tolist()) == (two.x.tolist(), two.y.tolist())


def test_an_area_is_1_at_most_however_weights_are_rounded() -> None:
    bins = np.array([0.37, 1.11, 2.59]), np.zeros(3)

    area = found(quality.precision_recall(*bins)).area

    assert area == quality.Bounded(1.0, near(1.0), 1.0)
    assert 0 <= area.low <= area.value


def test_curves_need_rows_of_the_labels_they_compare() -> None:
    none, some = np.zeros(3), np.array([1, 0, 2])

    assert quality.roc(some, none) == Undefined("auc needs 1 row labelled negative, has 0")
    assert quality.roc(none, some) == Undefined("auc needs 1 row labelled positive, has 0")
    assert quality.precision_recall(none, none) == Undefined("pr_auc needs 1 row labelled positive, has 0")
    assert found(quality.precision_recall(some, none)).area == quality.Bounded(1.0, 1.0, 1.0)


@LAW
@given(st.integers(0, 2**32), st.integers(2, 300))
def test_a_thinned_curve_keeps_its_ends_and_its_shape(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    whole = found(quality.roc(rng.integers(0, 9, 900), rng.integers(0, 4, 900)))

    thin = whole.thinned(most)

    assert 2 <= len(thin.x) <= most
    assert (thin.x[0], thin.y[0], thin.x[-1], thin.y[-1]) == (0, 0, 1, 1)
    ways = thin.x + thin.y
    gaps = [np.abs(ways - at).min() for at in whole.x + whole.y]
    assert max(gaps) <= 2 / (most - 1) + 1e-12
    assert thin.area == whole.area
    assert thin.thinned(most) is thin


# --- calibration


@LAW
@given(scored(), st.sampled_from([3, 10]))
def test_the_calibration_error_of_equal_stretches_is_its_definition_over_rows(
    rows: tuple[Array, Array, Array], groups: int
) -> None:
    labels, scores, weights = rows
    values, place = np.unique(scores, return_inverse=True)
    sizes = by_bin(place, weights, len(values))
    fine = quality.Reliability(sizes, by_bin(place, weights * labels, len(values)), values)

    coarse = fine.grouped(groups, by="width")

    gaps, total = [], 0.0
    for group in range(groups):
        held = (scores * groups).astype(np.int64).clip(max=groups - 1) == group
        if held.any():
            gap = abs(np.average(labels[held] - scores[held], weights=weights[held]))
            gaps.append(gap)
            total += gap * weights[held].sum() / weights.sum()
    assert coarse.expected_error() == near(total)
    assert coarse.max_error() == near(max(gaps))


@LAW
@given(st.integers(0, 2**32), st.integers(1, 20))
def test_groups_of_equal_mass_hold_the_same_rows_within_one_bin(seed: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, 400)
    positives = rng.binomial(sizes, 0.3)
    fine = quality.Reliability(sizes, positives, np.sort(rng.random(400)))

    coarse = fine.grouped(groups, by="mass")

    assert np.abs(coarse.rows - sizes.sum() / groups).max() <= sizes.max()
    assert (coarse.rows.sum(), coarse.positives.sum()) == (sizes.sum(), positives.sum())
    assert coarse.rows @ coarse.mean_scores == near(sizes @ fine.mean_scores)
    assert number(coarse.expected_error()) <= number(fine.expected_error()) + 1e-12


def test_empty_bins_hold_whatever_mean() -> None:
    bins = quality.Reliability(np.array([0, 4, 0]), np.array([0, 1, 0]), np.array([math.nan, 0.75, math.nan]))

    assert bins.expected_error() == 0.5
    assert bins.grouped(by="width").max_error() == 0.5
    nothing = quality.Reliability(np.zeros(2), np.zeros(2), np.full(2, math.nan))
    for by in ("mass", "width"):
        grouped = nothing.grouped(by=by)
        assert grouped.expected_error() == Undefined("expected_calibration_error needs 1 row, has 0")
        assert grouped.max_error() == Undefined("max_calibration_error needs 1 row, has 0")


def score_bins(labels: Array, scores: Array, weights: Array, place: Array) -> quality.ScoreBins:
    bins = int(place.max()) + 2  # the last one is empty
    positives, negatives = split(labels, place, weights, bins)
    lows, highs = np.full(bins, math.nan), np.full(bins, math.nan)
    means = np.full(bins, math.nan)
    for i in set(place.tolist()):
        held = scores[place == i]
        lows[i], highs[i], means[i] = held.min(), held.max(), np.average(held, weights=weights[place == i])
    return quality.ScoreBins(positives, negatives, lows, highs, means)


@LAW
@given(scored(), st.integers(1, 30))
def test_log_loss_and_brier_are_those_of_scikit_learn_within_their_bounds(
    rows: tuple[Array, Array, Array], bins: int
) -> None:
    labels, scores, weights = rows
    log_loss = metrics.log_loss(labels, scores, sample_weight=weights)
    brier = metrics.brier_score_loss(labels, scores, sample_weight=weights)
    each = score_bins(labels, scores, weights, np.unique(scores, return_inverse=True)[1])
    binned = score_bins(labels, scores, weights, (scores * bins).astype(np.int64))

    for name, expected in (("log_loss", log_loss), ("brier", brier)):
        exact, wide = getattr(each, name)(), getattr(binned, name)()
        assert (exact.value, exact.low, exact.high) == near((expected,) * 3)
        assert wide.low - 1e-12 <= expected <= wide.high + 1e-12
        assert wide.low <= wide.value <= wide.high


def test_losses_of_no_rows_are_undefined() -> None:
    nothing = np.zeros(2)
    bins = quality.ScoreBins(nothing, nothing, nothing, nothing, nothing)

    assert bins.log_loss() == Undefined("log_loss needs 1 row, has 0")
    assert bins.brier() == Undefined("brier needs 1 row, has 0")
    assert quality.mean_loss("log_loss", 0, 0.0) == bins.log_loss()
    assert quality.mean_loss("log_loss", 8, 2.0) == 0.25


# --- several classes


@st.composite
def confusions(draw: st.DrawFn) -> Array:
    k = draw(st.integers(2, 6))
    seed, busy = draw(st.integers(0, 2**32)), draw(st.sampled_from([0.1, 0.5, 1.0]))
    rng = np.random.default_rng(seed)
    matrix = rng.integers(1, draw(st.sampled_from([3, 100_000])), (k, k)) * (rng.random((k, k)) < busy)
    matrix[rng.integers(k), rng.integers(k)] += 1
    return matrix * draw(st.sampled_from([1.0, 0.31]))


@LAW
@given(confusions())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_rates_of_several_classes_are_those_of_scikit_learn(matrix: Array) -> None:
    k = len(matrix)
    truth, told = (side.ravel() for side in np.indices((k, k)))
    held = matrix.ravel() > 0
    rows = {"y_true": truth[held], "y_pred": told[held], "sample_weight": matrix.ravel()[held]}
    occur = np.flatnonzero(matrix.sum(axis=1))

    rates = quality.multiclass_rates(matrix)

    expected = {"accuracy": metrics.accuracy_score(**rows)}
    for average in ("weighted", "macro", "micro"):
        options = {**rows, "average": average, "zero_division": 0}
        labels = occur if average == "macro" else None
        expected[f"{average}_precision"] = metrics.precision_score(**options)
        expected[f"{average}_recall"] = metrics.recall_score(**options, labels=labels)
        for name, beta in quality.BETAS.items():
            expected[f"{average}_{name}"] = metrics.fbeta_score(**options, beta=beta)
    expected["balanced_accuracy"] = metrics.balanced_accuracy_score(**rows)
    correlation = rates.pop("matthews")
    assert rates == {name: near(value) for name, value in expected.items()}
    if len(occur) > 1 and len(set(told[held])) > 1:
        assert correlation == near(metrics.matthews_corrcoef(**rows))
    else:
        assert isinstance(correlation, Undefined)


@LAW
@given(confusions())
def test_one_class_against_the_rest_is_a_matrix_of_two_classes(matrix: Array) -> None:
    recalls = [
        quality.binary_rates(*quality.one_against_rest(matrix, answer))["recall"]
        for answer in range(len(matrix))
    ]

    defined = [recall for recall in recalls if not isinstance(recall, Undefined)]
    assert quality.multiclass_rates(matrix)["macro_recall"] == near(sum(defined) / len(defined))
    assert sum(quality.one_against_rest(matrix, 0)) == near(matrix.sum())


def test_rates_of_no_rows_are_undefined() -> None:
    assert all(isinstance(rate, Undefined) for rate in quality.multiclass_rates(np.zeros((3, 3))).values())


@LAW
@given(st.lists(st.integers(0, 9999), min_size=1, max_size=6).filter(any))
def test_the_best_class_is_no_worse_than_any_other_by_any_rate(labelled: list[int]) -> None:
    best = quality.best_constant_class(np.array(labelled))

    for answer in range(len(labelled)):
        other = quality.constant_class(np.array(labelled), answer)
        assert all(number(best[name]) >= number(other[name]) for name in quality.CONSTANT_WEIGHTED)


@LAW
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_top_k_is_that_of_scikit_learn(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(0, 5, 80), rng.random((80, 5))
    labels[:5] = range(5)
    ranks = (scores > scores[np.arange(80), labels][:, None]).sum(axis=1)

    share = quality.top_k(np.bincount(ranks), 80, k)

    expected = metrics.top_k_accuracy_score(labels, scores, k=k) if k < 5 else 1.0
    assert share == near(expected)


# --- numbers


@LAW
@given(st.integers(0, 2**32), st.floats(0.01, 0.99), st.sampled_from([0.0, 1e6]))
def test_errors_of_numbers_are_those_of_scikit_learn(seed: int, quantile: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    labels, weights = shift + rng.integers(1, 50, 30) + rng.random(30), rng.integers(1, 4, 30) * 0.7
    told = labels + rng.normal(0, 9, 30)
    e = labels - told
    rows, weigh = float(weights.sum()), {"sample_weight": weights}
    rest = labels - (shift + 20)
    spread = quality.centred(rows, float(weights @ rest), float(weights @ rest**2))

    rates = quality.regression_rates(
        rows, absolute=float(weights @ abs(e)), squared=float(weights @ e**2), label_squares=spread
    )

    assert rates == {
        "mae": near(metrics.mean_absolute_error(labels, told, **weigh)),
        "mse": near(metrics.mean_squared_error(labels, told, **weigh)),
        "rmse": near(metrics.root_mean_squared_error(labels, told, **weigh)),
        "r2": near(metrics.r2_score(labels, told, **weigh)),
    }
    share = metrics.mean_absolute_percentage_error(labels, told, **weigh)
    assert quality.mape(rows, float(weights @ abs(e / labels))) == near(share)
    loss = metrics.mean_pinball_loss(labels, told, alpha=quantile, **weigh)
    assert quality.pinball(rows, float(weights @ e), float(weights @ abs(e)), quantile) == near(loss)


def test_errors_without_rows_or_without_spread_are_undefined() -> None:
    rates = quality.regression_rates(
        3, absolute=0.0, squared=0.0, label_squares=quality.centred(3, 6.0, 12.0)
    )

    assert rates["mae"] == 0.0
    assert rates["r2"] == Undefined("r2 needs 1 row with another label than the rest, has 0")
    assert quality.regression_rates(0, absolute=0, squared=0, label_squares=quality.centred(0, 0, 0)) == {
        "mae": Undefined("mae needs 1 row, has 0"),
        "mse": Undefined("mse needs 1 row, has 0"),
        "rmse": Undefined("rmse needs 1 row, has 0"),
        "r2": Undefined("r2 needs 1 row with another label than the rest, has 0"),
    }
    assert quality.smape(0, 0.0) == Undefined("smape needs 1 row, has 0")


@pytest.mark.parametrize("total", [math.inf, math.nan])
def test_sums_that_overflowed_give_no_number(total: float) -> None:
    rates = quality.regression_rates(3, absolute=1.0, squared=total, label_squares=9.0)

    assert rates["mae"] == near(1 / 3)
    assert all(isinstance(rates[name], Undefined) for name in ("mse", "rmse", "r2"))
