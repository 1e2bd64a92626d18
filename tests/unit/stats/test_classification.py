"""Rates of classes from counts, against scikit-learn over rows."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics
from tests.unit.stats.scored_rows import LAW, Array, near

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats import classification

counts = st.integers(0, 1_000_000)
cells = st.one_of(st.tuples(*[counts] * 4), st.tuples(*[st.floats(0.1, 1e3)] * 4))


def number(value: Value) -> float:
    assert not isinstance(value, Undefined), value.why
    return value


@LAW
@given(cells)
def test_the_rates_of_two_classes_are_those_of_scikit_learn(
    matrix: tuple[float, float, float, float],
) -> None:
    tn, fp, fn, tp = matrix
    assume(min(tn + fp, fn + tp, tp + fp, tn + fn) > 0)
    truth, told = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    weigh = {"sample_weight": np.array(matrix, np.float64)}

    rates = classification.binary_rates(*matrix)

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

    assert classification.binary_rates(tn, fp, fn, tp)["matthews"] == near(0.5)


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
    rates = classification.binary_rates(*matrix)

    undefined = {name: rate for name, rate in rates.items() if isinstance(rate, Undefined)}
    assert set(rates) - set(undefined) == defined
    assert all(f"{name} needs 1 row" in rate.why for name, rate in undefined.items())


def test_an_f_score_is_0_when_no_positive_row_was_found() -> None:
    assert classification.binary_rates(5, 0, 3, 0)["f1"] == 0.0


@LAW
@given(counts, counts)
def test_no_constant_answer_beats_the_best_constant(negatives: int, positives: int) -> None:
    assume(negatives + positives > 0)
    best, yes = (
        classification.best_constant(negatives, positives),
        classification.always_positive(negatives, positives),
    )

    assert best["accuracy"] == max(negatives, positives) / (negatives + positives)
    assert yes["accuracy"] == positives / (negatives + positives)
    assert {name: best[name] for name in best if name != "accuracy" and positives} == {
        name: yes[name] for name in yes if name != "accuracy" and positives
    }


def test_the_always_positive_classifier_is_that_of_the_published_sample() -> None:
    # 406 of 2096 rows are positive; scikit-learn on those rows.
    truth, told = np.repeat([0, 1], [1690, 406]), np.ones(2096, np.int64)

    yes = classification.always_positive(1690, 406)

    assert yes["f2"] == near(metrics.fbeta_score(truth, told, beta=2))
    assert yes["precision"] == near(406 / 2096)


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

    rates = classification.multiclass_rates(matrix)

    expected = {"accuracy": metrics.accuracy_score(**rows)}
    for average in ("weighted", "macro", "micro"):
        options = {**rows, "average": average, "zero_division": 0}
        labels = occur if average == "macro" else None
        expected[f"{average}_precision"] = metrics.precision_score(**options)
        expected[f"{average}_recall"] = metrics.recall_score(**options, labels=labels)
        for name, beta in classification.BETAS.items():
            expected[f"{average}_{name}"] = metrics.fbeta_score(**options, beta=beta)
    expected["balanced_accuracy"] = metrics.balanced_accuracy_score(**rows)
    correlation = rates.pop("matthews")
    assert rates == {name: near(value) for name, value in expected.items()}
    if len(occur) > 1 and len(set(told[held])) > 1:
        assert correlation == near(metrics.matthews_corrcoef(**rows))
    else:
        assert isinstance(correlation, Undefined)


def test_rates_of_no_rows_are_undefined() -> None:
    assert all(
        isinstance(rate, Undefined) for rate in classification.multiclass_rates(np.zeros((3, 3))).values()
    )


@LAW
@given(st.lists(st.integers(0, 9999), min_size=1, max_size=6).filter(any))
def test_the_best_class_is_no_worse_than_any_other_by_any_rate(labelled: list[int]) -> None:
    best = classification.best_constant_class(np.array(labelled))

    for answer in range(len(labelled)):
        other = classification.constant_class(np.array(labelled), answer)
        assert all(number(best[name]) >= number(other[name]) for name in classification.CONSTANT_WEIGHTED)


@LAW
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_top_k_is_that_of_scikit_learn(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    labels, scores = rng.integers(0, 5, 80), rng.random((80, 5))
    labels[:5] = range(5)
    ranks = (scores > scores[np.arange(80), labels][:, None]).sum(axis=1)

    share = classification.top_k(np.bincount(ranks), 80, k)

    expected = metrics.top_k_accuracy_score(labels, scores, k=k) if k < 5 else 1.0
    assert share == near(expected)
