"""Estimates without labels, against the labels: simulated worlds, coverage within binomial bounds."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from watchkeep.baselines.class_estimator import ClassEstimator
from watchkeep.baselines.error_estimator import ErrorEstimator, Predictions
from watchkeep.baselines.estimator import BinaryEstimator, Mix
from watchkeep.core.undefined import Undefined
from watchkeep.stats.classification import multiclass_rates
from watchkeep.stats.expected_counts import Estimated, losses_of, measured
from watchkeep.stats.reweighting import indicators

ONE_IN_A_THOUSAND = 0.001
BINS = 100
MEANS = (np.arange(BINS) + 0.5) / BINS


@dataclass
class _Drawn:
    """Rows of two classes: `group` makes positives more likely than their score says."""

    bins: np.ndarray
    answers: np.ndarray
    labels: np.ndarray
    group: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        out = np.zeros((BINS, 2, 2))
        np.add.at(out, (self.bins, self.answers, self.labels), 1)
        return out


def _drawn(rng: np.random.Generator, n: int, *, share: float = 0.3, effect: float = 0.0) -> _Drawn:
    bins = np.minimum((rng.beta(0.7, 1.0, n) * BINS).astype(int), BINS - 1)
    group = (rng.random(n) < share).astype(int)
    odds = 0.8 * np.log(MEANS / (1 - MEANS))[bins] - 0.2 + effect * (group - 0.3)
    labels = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(int)
    return _Drawn(bins, (MEANS[bins] > 0.45).astype(int), labels, group)


def _fit(rows: _Drawn) -> BinaryEstimator:
    found = BinaryEstimator.fit(rows.counts, means=MEANS)
    assert isinstance(found, BinaryEstimator)
    return found


def _inside(found: Estimated, real: object) -> bool:
    assert isinstance(real, float)
    assert found.low is not None
    assert found.high is not None
    return found.low <= real <= found.high


@pytest.mark.parametrize(
    ("reference", "window"), [(3000, 300), (3000, 3000)], ids=["small window", "as large as the reference"]
)
def test_bands_hold_realised_measures_as_often_as_they_say(reference: int, window: int) -> None:
    rng, trials = np.random.default_rng(1), 250
    held: dict[str, int] = {}
    for _ in range(trials):
        estimator, rows = _fit(_drawn(rng, reference)), _drawn(rng, window)
        real = measured(rows.counts, losses=losses_of(MEANS)).values
        for name, found in estimator.estimate(rows.counts.sum(axis=2)).items():
            if name in real:
                held[name] = held.get(name, 0) + _inside(found, real[name])

    least, most = (stats.binom.ppf(p, trials, 0.95) for p in (ONE_IN_A_THOUSAND, 1 - ONE_IN_A_THOUSAND))
    assert {"accuracy", "recall", "auc", "pr_auc", "brier"} <= held.keys()
    assert all(least <= each <= most for each in held.values()), held


def test_deviations_are_those_of_drawing_cells_again() -> None:
    rng = np.random.default_rng(2)
    reference, rows = _drawn(rng, 2000), _drawn(rng, 1_000_000).counts.sum(axis=2)
    told = _fit(reference).estimate(rows)
    drawn: dict[str, list[float]] = {"accuracy": [], "auc": [], "recall": []}
    for _ in range(200):
        again = BinaryEstimator.fit(rng.poisson(reference.counts).astype(float), means=MEANS)
        assert isinstance(again, BinaryEstimator)
        found = again.estimate(rows)
        for name, values in drawn.items():
            value = found[name].value
            assert not isinstance(value, Undefined)
            values.append(value)

    for name, values in drawn.items():
        assert told[name].deviation == pytest.approx(np.std(values), rel=0.25), name


def test_on_the_reference_itself_the_estimate_is_the_truth() -> None:
    reference = _drawn(np.random.default_rng(3), 1000)
    real = measured(reference.counts, losses=losses_of(MEANS)).values
    found = _fit(reference).estimate(reference.counts.sum(axis=2))

    for name, value in real.items():
        assert found[name].value == pytest.approx(value), name


def test_another_mix_of_features_is_put_right() -> None:
    rng = np.random.default_rng(4)
    reference = _drawn(rng, 20_000, effect=1.5)
    estimator = _fit(reference)
    traits = estimator.traits(reference.bins, reference.labels)
    chosen = indicators(reference.group[:, None], [2], traits)
    told = estimator.with_features(chosen.of(reference.group[:, None]), reference.bins, reference.labels)
    missed: list[tuple[float, float]] = []
    held = 0
    for _ in range(60):
        rows = _drawn(rng, 4000, share=0.9, effect=1.5)
        real = measured(rows.counts).values["recall"]
        mix = Mix(chosen.of(rows.group[:, None]).mean(axis=0), 4000.0)
        plain = estimator.estimate(rows.counts.sum(axis=2))["recall"]
        found = told.estimate(rows.counts.sum(axis=2), mix=mix)["recall"]
        missed.append(
            (abs(float(str(found.value)) - float(str(real))), abs(float(str(plain.value)) - float(str(real))))
        )
        held += _inside(found, real)

    with_features, without = np.mean(missed, axis=0)
    assert with_features < without / 2
    assert held >= stats.binom.ppf(ONE_IN_A_THOUSAND, 60, 0.95)


def test_features_that_tell_nothing_widen_bands_little_and_move_little() -> None:
    rng = np.random.default_rng(5)
    reference, rows = _drawn(rng, 10_000), _drawn(rng, 4000, share=0.5)
    estimator = _fit(reference)
    told = estimator.with_features(reference.group[:, None] * 1.0, reference.bins, reference.labels)
    mix = Mix(np.array([rows.group.mean()]), 4000.0)
    plain, found = (
        estimator.estimate(rows.counts.sum(axis=2)),
        told.estimate(rows.counts.sum(axis=2), mix=mix),
    )

    for name in ("accuracy", "auc"):
        one, other = plain[name], found[name]
        assert one.deviation is not None
        assert other.deviation is not None
        assert abs(float(str(one.value)) - float(str(other.value))) < one.deviation / 2
        assert one.deviation <= other.deviation < 1.3 * one.deviation


def test_weighted_rows_are_fewer_rows() -> None:
    reference = _drawn(np.random.default_rng(6), 2000)
    rows = reference.counts.sum(axis=2)
    light = _fit(reference).estimate(rows)["accuracy"].deviation
    heavy = BinaryEstimator.fit(reference.counts, spread=4.0)
    assert isinstance(heavy, BinaryEstimator)
    deviation = heavy.estimate(rows, spread=4.0)["accuracy"].deviation

    assert light is not None
    assert deviation == pytest.approx(2 * light)


def test_without_scores_answers_are_the_bins() -> None:
    counts = np.zeros((2, 2, 2))
    counts[0, 0], counts[1, 1] = [80, 20], [30, 70]
    estimator = BinaryEstimator.fit(counts, scored=False)
    assert isinstance(estimator, BinaryEstimator)
    found = estimator.estimate(np.array([[10.0, 0.0], [0.0, 90.0]]))

    assert found["precision"].value == pytest.approx(0.7)
    assert found["accuracy"].value == pytest.approx(0.71)
    assert "auc" not in found


def test_scores_that_fall_with_the_label_are_no_worse() -> None:
    rng = np.random.default_rng(7)
    counts, rows = (_drawn(rng, n).counts[::-1] for n in (20_000, 5000))
    estimator = BinaryEstimator.fit(counts)
    assert isinstance(estimator, BinaryEstimator)
    found = estimator.estimate(rows.sum(axis=2))["auc"]

    assert float(str(found.value)) < 0.5
    assert _inside(found, measured(rows).values["auc"])


def test_there_is_no_estimate_without_labels_or_rows_or_a_value_on_the_reference() -> None:
    assert isinstance(BinaryEstimator.fit(np.zeros((3, 2, 2))), Undefined)
    counts = np.zeros((3, 2, 2))
    counts[:, 0, 0] = 10.0
    estimator = BinaryEstimator.fit(counts)
    assert isinstance(estimator, BinaryEstimator)
    found = estimator.estimate(np.full((3, 2), 5.0))

    assert found["auc"].value == Undefined(
        "auc has no value on the reference rows: auc needs 1 row labelled positive, has 0"
    )
    assert all(isinstance(each.value, Undefined) for each in estimator.estimate(np.zeros((3, 2))).values())


def test_a_mix_without_learned_features_and_an_empty_mix_change_nothing() -> None:
    reference = _drawn(np.random.default_rng(8), 500)
    estimator, rows = _fit(reference), reference.counts.sum(axis=2)
    told = estimator.with_features(reference.group[:, None] * 1.0, reference.bins, reference.labels)

    assert estimator.estimate(rows, mix=Mix(np.ones(1), 5.0)) == estimator.estimate(rows)
    assert told.estimate(rows, mix=Mix(np.ones(1), 0.0)) == estimator.estimate(rows)


# --- several classes --------------------------------------------------------------------------------------------


def _classes(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, bins of their probability, and labels of four classes, the last of them rare."""
    answers = rng.choice(4, n, p=[0.5, 0.3, 0.19, 0.01])
    bins = rng.integers(0, 20, n)
    right = rng.random(n) < 0.4 + 0.028 * bins - 0.05 * (answers == 1)
    other = (answers + rng.integers(1, 4, n)) % 4
    return answers, bins, np.where(right, answers, other)


def _tables(answers: np.ndarray, bins: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
    rows, right, confusion = np.zeros((4, 20)), np.zeros((4, 20)), np.zeros((4, 4))
    np.add.at(rows, (answers, bins), 1)
    np.add.at(right, (answers, bins), labels == answers)
    np.add.at(confusion, (answers, labels), 1)
    return rows, right, confusion


def test_bands_of_several_classes_hold_realised_measures() -> None:
    rng, trials = np.random.default_rng(9), 100
    held = dict.fromkeys(("accuracy", "weighted_f1", "weighted_precision", "macro_recall", "matthews"), 0)
    for _ in range(trials):
        estimator = ClassEstimator.fit(*_tables(*_classes(rng, 3000)))
        assert isinstance(estimator, ClassEstimator)
        rows, _, confusion = _tables(*_classes(rng, 500))
        found, real = estimator.estimate(rows), multiclass_rates(confusion.T)
        for name in held:
            held[name] += _inside(found[name], real[name])

    least = stats.binom.ppf(ONE_IN_A_THOUSAND, trials, 0.95)
    assert all(each >= least for each in held.values()), held


def test_features_help_several_classes_too() -> None:
    rng = np.random.default_rng(10)

    def rows(n: int, share: float) -> tuple[np.ndarray, ...]:
        answers, bins, labels = _classes(rng, n)
        hard = rng.random(n) < share
        labels = np.where(hard & (rng.random(n) < 0.4), (answers + 1) % 4, labels)
        return answers, bins, labels, hard[:, None] * 1.0

    held = [0, 0]
    for _ in range(25):
        answers, bins, labels, hard = rows(20_000, 0.2)
        estimator = ClassEstimator.fit(*_tables(answers, bins, labels))
        assert isinstance(estimator, ClassEstimator)
        assert estimator.traits(answers, bins, answers == labels).shape == (20_000, 2)
        told = estimator.with_features(hard, answers, bins, answers == labels)
        answers, bins, labels, hard = rows(5000, 0.9)
        window, real = _tables(answers, bins, labels)[0], float((answers == labels).mean())
        mix = Mix(hard.mean(axis=0), 5000.0)
        held[0] += _inside(told.estimate(window, mix=mix)["accuracy"], real)
        held[1] += _inside(estimator.estimate(window)["accuracy"], real)

    assert held[0] >= stats.binom.ppf(ONE_IN_A_THOUSAND, 25, 0.95)
    assert held[1] == 0


def test_classes_without_rows_are_told_by_the_others() -> None:
    rows, right = np.array([[50.0, 50.0], [0.0, 0.0]]), np.array([[30.0, 45.0], [0.0, 0.0]])
    estimator = ClassEstimator.fit(rows, right, np.array([[75.0, 25.0], [0.0, 0.0]]))
    assert isinstance(estimator, ClassEstimator)
    found = estimator.estimate(np.array([[0.0, 0.0], [100.0, 0.0]]))

    assert found["accuracy"].value == pytest.approx(0.6)
    assert estimator.wrong.sum(axis=1).tolist() == pytest.approx([1.0, 1.0])
    assert isinstance(ClassEstimator.fit(rows * 0, right * 0, np.zeros((2, 2))), Undefined)
    assert all(isinstance(each.value, Undefined) for each in estimator.estimate(rows * 0).values())


# --- numbers ----------------------------------------------------------------------------------------------------


def _numbers(
    rng: np.random.Generator, n: int, share: float = 0.2
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors, predictions, and a feature that makes errors three times as large."""
    hard = (rng.random(n) < share)[:, None] * 1.0
    predictions = rng.normal(100, 20, n)
    return rng.normal(size=n) * (2 + 4 * hard[:, 0]), predictions, hard


def _realised(errors: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    labels, mse = predictions - errors, float((errors**2).mean())
    return {
        "mae": float(np.abs(errors).mean()),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": 1 - mse / float(labels.var()),
    }


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_bands_of_errors_hold_realised_errors_in_other_mixes_too(share: float) -> None:
    rng, trials = np.random.default_rng(11), 150
    held = dict.fromkeys(("mae", "mse", "rmse", "r2"), 0)
    for _ in range(trials):
        errors, predictions, hard = _numbers(rng, 4000)
        estimator = ErrorEstimator.fit(errors, predictions, features=hard)
        assert isinstance(estimator, ErrorEstimator)
        errors, predictions, hard = _numbers(rng, 800, share)
        found = estimator.estimate(
            800.0,
            mix=Mix(hard.mean(axis=0), 800.0),
            predictions=Predictions(float(predictions.mean()), float((predictions**2).mean())),
        )
        for name, value in _realised(errors, predictions).items():
            held[name] += _inside(found[name], value)

    least = stats.binom.ppf(ONE_IN_A_THOUSAND, trials, 0.95)
    assert all(each >= least for each in held.values()), held


def test_without_features_the_errors_are_those_of_the_reference() -> None:
    errors, predictions, _ = _numbers(np.random.default_rng(12), 1000)
    estimator = ErrorEstimator.fit(errors, predictions)
    assert isinstance(estimator, ErrorEstimator)
    of = Predictions(float(predictions.mean()), float((predictions**2).mean()))
    found = estimator.estimate(100.0, predictions=of)

    for name, value in _realised(errors, predictions).items():
        assert found[name].value == pytest.approx(value), name
    assert isinstance(estimator.estimate(100.0)["r2"].value, Undefined)
    assert isinstance(estimator.estimate(0.0)["mae"].value, Undefined)


def test_errors_are_never_estimated_at_or_below_nothing() -> None:
    rng = np.random.default_rng(13)
    errors, predictions, hard = _numbers(rng, 2000, 0.5)
    estimator = ErrorEstimator.fit(errors, predictions, features=hard)
    assert isinstance(estimator, ErrorEstimator)
    found = estimator.estimate(100.0, mix=Mix(np.array([-5.0]), 100.0))

    assert float(str(found["mae"].value)) > 0
    assert found["mae"].low is not None
    assert found["mae"].low > 0


def test_errors_need_two_labelled_rows() -> None:
    assert isinstance(ErrorEstimator.fit(np.ones(1), np.ones(1)), Undefined)
