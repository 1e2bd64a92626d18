"""Model quality's documents of the published shapes: read, written back as they came, and equal to our arithmetic.

The confusion matrix is the published one (1600, 90, 66, 340); what follows from it was computed with scikit-learn, and
standard deviations are made up.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats import json_text, quality_constraints, quality_statistics, violations
from watchkeep.formats.quality_constraints import Operator, QualityConstraints
from watchkeep.formats.quality_statistics import METRICS, CurvePoints, QualityStatistics
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.stats import classification, regression
from watchkeep.stats.score_curves import Curve, precision_recall, roc

FOLDER = Path(__file__).parent / "model_quality"
Parse = Callable[[Mapping[str, object]], QualityStatistics | QualityConstraints | violations.Violations]
EACH = pytest.mark.parametrize(
    ("problem", "word"),
    [(Problem.BINARY, "binary"), (Problem.MULTICLASS, "multiclass"), (Problem.REGRESSION, "regression")],
)


def golden(name: str) -> dict[str, object]:
    return json_text.loads((FOLDER / name).read_text(encoding="utf-8"), name)


def parser(name: str) -> Parse:
    parsers: dict[str, Parse] = {
        "statistics": quality_statistics.parse,
        "constraints": quality_constraints.parse,
        "violations": violations.parse,
    }
    return parsers[name.removesuffix(".json").partition("_")[0]]


def read(word: str) -> QualityStatistics:
    return quality_statistics.parse(golden(f"statistics_{word}.json"))


def told(statistics: QualityStatistics) -> dict[str, Value]:
    return {name: metric.value for name, metric in statistics.metrics.items()}


def matrix(statistics: QualityStatistics) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    assert statistics.confusion is not None
    return np.array(
        [[row[answer] for answer in statistics.confusion] for row in statistics.confusion.values()]
    )


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.json")))
def test_a_document_comes_back_with_the_order_and_spelling_it_had(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")

    written = parser(name)(golden(name)).document()

    assert json.dumps(json_text.loads(json_text.dumps(written))) == json.dumps(json.loads(text))


@EACH
def test_the_metrics_are_all_that_are_published_and_all_are_read(problem: Problem, word: str) -> None:
    statistics = read(word)

    assert statistics.problem is problem
    assert set(statistics.metrics) == set(METRICS[problem])
    assert statistics.evaluation_time is not None
    assert statistics.evaluation_time.isoformat() == "2024-01-01T04:13:20.193000+00:00"


def test_rates_of_two_classes_are_what_we_compute_from_their_matrix() -> None:
    statistics = read("binary")
    (tn, fp), (fn, tp) = matrix(statistics).tolist()
    rates = classification.binary_rates(tn, fp, fn, tp)
    constant = classification.always_positive(tn + fp, fn + tp)
    curve = roc(np.array([fn, tp]), np.array([tn, fp]), tied=True)
    precise = precision_recall(np.array([fn, tp]), np.array([tn, fp]), tied=True)

    assert isinstance(curve, Curve)
    assert isinstance(precise, Curve)
    assert (statistics.roc, statistics.precision_recall) == (CurvePoints.of(curve), CurvePoints.of(precise))
    ours = {name: rates[name] for name in METRICS[Problem.BINARY] if name in rates} | {
        "auc": curve.area.value
    }
    ours |= {f"{name}_best_constant_classifier": value for name, value in constant.items()}
    assert ours == {name: pytest.approx(value, rel=1e-12) for name, value in told(statistics).items()}


def test_rates_of_several_classes_are_what_we_compute_from_their_matrix() -> None:
    statistics = read("multiclass")
    counts = matrix(statistics)
    rates = classification.multiclass_rates(counts)
    constant = classification.constant_class(counts.sum(axis=1), -1)

    ours = {name: rates[name] for name in classification.CONSTANT_WEIGHTED}
    ours |= {f"{name}_best_constant_classifier": value for name, value in constant.items()}
    assert ours == {name: pytest.approx(value, rel=1e-12) for name, value in told(statistics).items()}


def test_errors_of_numbers_are_what_we_compute_from_their_rows() -> None:
    # Four rows: labels 3, 5, 2.5, 7 and predictions 2.5, 5, 4, 8.
    spread = regression.centred(4, 17.5, 89.25)

    ours = regression.regression_rates(4, absolute=3.0, squared=3.5, label_squares=spread)

    assert ours == {name: pytest.approx(value, rel=1e-12) for name, value in told(read("regression")).items()}
    assert all(isinstance(m.standard_deviation, Undefined) for m in read("regression").metrics.values())


@EACH
def test_suggested_constraints_are_the_baselines_values_on_the_bad_side(problem: Problem, word: str) -> None:
    statistics, listed = read(word), quality_constraints.parse(golden(f"constraints_{word}.json"))

    assert listed.problem is problem
    assert set(listed.constraints) == {name for name in METRICS[problem] if "constant" not in name}
    for name, constraint in listed.constraints.items():
        assert constraint.threshold == statistics.value(name)
        assert constraint.operator is Operator.of(name)


def test_our_violations_are_the_published_ones() -> None:
    listed = quality_constraints.parse(golden("constraints_binary.json")).constraints
    found: Mapping[str, tuple[Value, Value]] = {
        "true_positive_rate": (0.78, 0.0031),
        "false_positive_rate": (0.0625, 0.0008),
        "auc": (0.75, Undefined("fewer than 200 rows")),
    }

    ours = tuple(quality_constraints.violation(listed[name], *numbers) for name, numbers in found.items())

    published = violations.parse(golden("violations.json"))
    assert ours == published.violations
    assert [quality_constraints.metric_of(one) for one in published.violations] == list(found)
    assert [one.feature_name for one in published.violations] == [None] * 3
