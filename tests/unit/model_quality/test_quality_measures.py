"""Measures of answers against scikit-learn, and their standard errors against drawing rows again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from watchkeep.adapters.sources import open_source
from watchkeep.core.undefined import Undefined
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.model_quality.measures import Quality
from watchkeep.service.quality import QualityOptions, learn_quality

Doubles = npt.NDArray[np.float64]


def quality(
    table: pa.Table,
    dialect: Dialect = Dialect.DEFAULT,
    *,
    label: str,
    score: str | None = None,
    prediction: str | None = None,
    weight: str | None = None,
) -> Quality:
    return learn_quality(
        open_source(table),
        Roles(label=label, score=score, prediction=prediction, weight=weight),
        QualityOptions(),
        dialect=dialect,
        created=datetime(2026, 1, 1, tzinfo=UTC),
    ).quality


def number(found: Quality, name: str) -> float:
    value = found.measures[name].value
    assert isinstance(value, float), value
    return value


@given(seed=st.integers(0, 10_000), digits=st.integers(0, 6), weighted=st.booleans())
@settings(max_examples=40, deadline=None)
def test_two_classes_agree_with_scikit_learn(seed: int, digits: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 300
    scores = np.round(rng.beta(0.6, 0.9, n), digits)
    labels = (rng.random(n) < np.clip(scores, 0.05, 0.95)).astype(int)
    labels[:2] = [0, 1]
    weights = rng.integers(0, 5, n) / 4 if weighted else np.ones(n)
    weights[:2] = 1.0
    table = {"y": labels, "p": scores} | ({"w": weights} if weighted else {})
    found = quality(pa.table(table), label="y", score="p", weight="w" if weighted else None)
    said = scores > 0.5

    expected = {
        "accuracy": metrics.accuracy_score(labels, said, sample_weight=weights),
        "recall": metrics.recall_score(labels, said, sample_weight=weights),
        "f2": metrics.fbeta_score(labels, said, beta=2, sample_weight=weights),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, said, sample_weight=weights),
        "log_loss": metrics.log_loss(labels, scores, sample_weight=weights, labels=[0, 1]),
        "brier": metrics.brier_score_loss(labels, scores, sample_weight=weights),
    }
    for name, value in expected.items():
        assert number(found, name) == pytest.approx(value, abs=1e-8), name
    for name, value in (
        ("auc", metrics.roc_auc_score(labels, scores, sample_weight=weights)),
        ("pr_auc", metrics.average_precision_score(labels, scores, sample_weight=weights)),
    ):
        one = found.measures[name]
        assert one.low is not None
        assert one.high is not None
        assert one.low - 1e-9 <= value <= one.high + 1e-9


def test_the_bound_of_binned_measures_is_below_a_thousandth_at_a_million_rows() -> None:
    rng = np.random.default_rng(3)
    n = 1_000_000
    labels = rng.random(n) < 0.02
    scores = 1 / (1 + np.exp(-(rng.normal(size=n) + 2 * labels - 4)))

    found = quality(pa.table({"y": labels.astype(np.int8), "p": scores}), label="y", score="p")

    for name, exact in (
        ("auc", metrics.roc_auc_score(labels, scores)),
        ("pr_auc", metrics.average_precision_score(labels, scores)),
    ):
        one = found.measures[name]
        assert isinstance(one.value, float)
        assert one.low is not None
        assert one.high is not None
        assert max(one.high - one.value, one.value - one.low) < 1e-3
        assert one.low <= exact <= one.high


@pytest.mark.parametrize("seed", range(3))
def test_several_classes_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, names = 500, np.array(["a", "b", "c", "d"])
    chances = rng.dirichlet([3, 2, 1, 1], n)
    labels = np.array([rng.choice(4, p=row) for row in chances])
    said = chances.argmax(axis=1)
    table = pa.table({"y": names[labels], "p": pa.array(chances.tolist())})

    found = quality(table, label="y", score="p")

    expected = {
        "accuracy": metrics.accuracy_score(labels, said),
        "weighted_f1": metrics.f1_score(labels, said, average="weighted", zero_division=0),
        "weighted_precision": metrics.precision_score(labels, said, average="weighted", zero_division=0),
        "matthews": metrics.matthews_corrcoef(labels, said),
        "log_loss": metrics.log_loss(labels, chances),
        "top_2_accuracy": metrics.top_k_accuracy_score(labels, chances, k=2),
        "top_3_accuracy": metrics.top_k_accuracy_score(labels, chances, k=3),
        "brier": float(((chances - np.eye(4)[labels]) ** 2).sum(axis=1).mean()),
    }
    for name, value in expected.items():
        assert number(found, name) == pytest.approx(value, abs=1e-8), name


@given(seed=st.integers(0, 10_000), weighted=st.booleans())
@settings(max_examples=30, deadline=None)
def test_numbers_agree_with_scikit_learn(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 200
    labels = 1e4 + 20 * rng.normal(size=n)
    said = labels + rng.standard_t(4, n)
    weights = rng.uniform(0, 2, n) if weighted else np.ones(n)
    table = {"y": labels, "q": said} | ({"w": weights} if weighted else {})

    found = quality(pa.table(table), label="y", prediction="q", weight="w" if weighted else None)

    expected = {
        "mae": metrics.mean_absolute_error(labels, said, sample_weight=weights),
        "mse": metrics.mean_squared_error(labels, said, sample_weight=weights),
        "rmse": metrics.root_mean_squared_error(labels, said, sample_weight=weights),
        "mape": metrics.mean_absolute_percentage_error(labels, said, sample_weight=weights),
        "pinball_0_9": metrics.mean_pinball_loss(labels, said, alpha=0.9, sample_weight=weights),
    }
    for name, value in expected.items():
        assert number(found, name) == pytest.approx(value, rel=1e-9), name
    if not weighted:
        assert number(found, "r2") == pytest.approx(metrics.r2_score(labels, said), rel=1e-6)


def two_classes(seed: int, *, weighted: bool = False) -> Quality:
    rng = np.random.default_rng(seed)
    n = 400
    scores = rng.beta(1, 1.5, n)
    table = {"y": (rng.random(n) < scores).astype(int), "p": scores}
    if weighted:
        return quality(pa.table(table | {"w": rng.exponential(size=n)}), label="y", score="p", weight="w")
    return quality(pa.table(table), label="y", score="p")


def numbers(seed: int) -> Quality:
    rng = np.random.default_rng(seed)
    labels = rng.normal(size=400)
    return quality(pa.table({"y": labels, "q": labels + rng.normal(size=400)}), label="y", prediction="q")


@pytest.mark.parametrize(
    ("draw", "names"),
    [
        (two_classes, ("auc", "f1", "log_loss")),
        (lambda seed: two_classes(seed, weighted=True), ("recall",)),
        (numbers, ("mae", "rmse", "r2")),
    ],
)
def test_standard_errors_are_how_far_measures_scatter(draw: Any, names: Sequence[str]) -> None:
    drawn = [draw(seed) for seed in range(120)]

    # A deviation of 120 draws is within 20 % of the truth in all but one case in a thousand.
    for name in names:
        told = np.mean([one.measures[name].error for one in drawn[:8]])
        assert told == pytest.approx(np.std([number(one, name) for one in drawn], ddof=1), rel=0.25), name


def test_the_best_constant_answer_is_the_best_and_sagemakers_is_always_positive() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(500) < 0.2).astype(int)
    table = pa.table({"y": labels, "p": rng.random(500)})

    ours, theirs = (
        number(quality(table, dialect, label="y", score="p"), "accuracy_best_constant_classifier")
        for dialect in (Dialect.DEFAULT, Dialect.SAGEMAKER)
    )

    assert ours == pytest.approx(1 - labels.mean())
    assert theirs == pytest.approx(labels.mean())


def test_spellings_of_one_class_are_one_class() -> None:
    labels = pa.array(["1", "1.0", "true", "0", "False", "0.0"] * 20)
    predictions = pa.array([1, 1, 0, 0, 0, 1] * 20)

    found = quality(pa.table({"y": labels, "q": predictions}), label="y", prediction="q")

    assert found.confusion is not None
    assert found.confusion.tolist() == [[40.0, 20.0], [20.0, 40.0]]


@pytest.mark.parametrize("scores", [np.full(50, 0.5), np.zeros(50)])
def test_tied_scores_rank_nothing(scores: Doubles) -> None:
    found = quality(pa.table({"y": [0, 1] * 25, "p": scores}), label="y", score="p")

    assert found.measures["auc"].value == 0.5
    assert isinstance(found.measures["precision"].value, Undefined)
