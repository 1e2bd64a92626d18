"""`statistics.json` of model quality: how good the answers were (reference of the schema: SageMaker Model Monitor)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from types import MappingProxyType
from typing import Final, Self

from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats.json_text import shown
from watchkeep.formats.places import UNDEFINED_NUMBERS, Place, copied, known
from watchkeep.formats.statistics import DOCUMENT
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.stats.classification import CONSTANT, CONSTANT_WEIGHTED
from watchkeep.stats.score_curves import Curve

UNDEFINED: Final = "NaN"
"""How the document spells a number that does not exist: a text."""
POINTS: Final = 200
"""Points of a curve, at most, in the documents we write."""
SECTIONS: Final[Mapping[Problem, str]] = MappingProxyType(
    {
        Problem.REGRESSION: "regression",
        Problem.BINARY: "binary_classification",
        Problem.MULTICLASS: "multiclass_classification",
    }
)
"""What the keys of a problem's documents begin with."""
_CONSTANT: Final = "_best_constant_classifier"
_RATES: Final = ("true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate")
METRICS: Final[Mapping[Problem, tuple[str, ...]]] = MappingProxyType(
    {
        Problem.REGRESSION: ("mae", "mse", "rmse", "r2"),
        Problem.BINARY: (
            *("recall", "precision", "accuracy", *_RATES, "auc", "f0_5", "f1", "f2"),
            *(f"{name}{_CONSTANT}" for name in CONSTANT),
        ),
        Problem.MULTICLASS: (*CONSTANT_WEIGHTED, *(f"{name}{_CONSTANT}" for name in CONSTANT_WEIGHTED)),
    }
)
"""The metrics SageMaker's documents tell, by problem, in the order in which we write them."""

_MATRIX: Final = "confusion_matrix"
_ROC: Final = ("receiver_operating_characteristic_curve", "false_positive_rates", "true_positive_rates")
_PRECISION_RECALL: Final = ("precision_recall_curve", "recalls", "precisions")

Confusion = Mapping[str, Mapping[str, float]]
"""Rows (or their weights) by label and, inside, by prediction; a pair that is left out has none."""
_UNTOLD: Final = Undefined("no standard deviation is told")


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that tells how good the answers were.

    Args:
        value: the number, in its own unit, or why there is none.
        standard_deviation: how far it scatters when the rows are drawn again, in the same unit; likewise.
    """

    value: Value
    standard_deviation: Value = _UNTOLD

    @classmethod
    def read(cls, place: Place) -> Self:
        """From the object under the metric's name."""
        value, deviation = place.need("value"), place.child("standard_deviation")
        return cls(_number(value)) if deviation is None else cls(_number(value), _number(deviation))

    def document(self) -> dict[str, object]:
        """The JSON object; a number that does not exist is the text "NaN".

        >>> Metric(0.92, Undefined("fewer than 200 rows")).document()
        {'value': 0.92, 'standard_deviation': 'NaN'}
        """
        return {"value": spelled(self.value), "standard_deviation": spelled(self.standard_deviation)}


@dataclass(frozen=True, slots=True)
class CurvePoints:
    """The points of a curve, in the document's order; those that have no place are left out.

    Args:
        x: false positive rates (ROC), or recalls (precision-recall); shape (points,).
        y: true positive rates, or precisions; of the same shape.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    @classmethod
    def of(cls, curve: Curve) -> Self:
        """A curve as documents hold it: `POINTS` points at most."""
        thin = curve.thinned(POINTS)
        return cls(tuple(thin.x.tolist()), tuple(thin.y.tolist()))


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityStatistics:
    """A whole `statistics.json` of model quality.

    Args:
        problem: what the model answers.
        item_count: rows analysed.
        evaluation_time: when, in UTC; None when the document does not say.
        metrics: by name, ours and unknown ones among them.
        confusion: the confusion matrix; None when the document has none.
        roc: the ROC curve; likewise.
        precision_recall: the precision-recall curve; likewise.
        json: the object it was read from; the other fields are its reading.
    """

    problem: Problem
    item_count: int
    evaluation_time: datetime | None
    metrics: Mapping[str, Metric]
    confusion: Confusion | None
    roc: CurvePoints | None
    precision_recall: CurvePoints | None
    json: Mapping[str, object] = field(repr=False)

    def value(self, metric: str) -> Value:
        """The value of a metric, undefined where the document does not tell it.

        >>> build(Problem.REGRESSION, 9, {"mae": Metric(1.5)}).value("r2")
        Undefined(why='the document tells no r2')
        """
        found = self.metrics.get(metric)
        return Undefined(f"the document tells no {metric}") if found is None else found.value

    def document(self) -> dict[str, object]:
        """The JSON object: equal to the one parsed, unknown keys and spelling of numbers included."""
        return copied(self.json)


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> QualityStatistics:
    """A `statistics.json` of model quality read and checked.

    The metrics that SageMaker knows must be what they should. Of what else stands beside them, an object with a
    number under `value` is read as a metric, and anything is kept.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.

    >>> metrics = {"accuracy": {"value": 0.92, "standard_deviation": "NaN"}}
    >>> read = parse({"dataset": {"item_count": 3}, "multiclass_classification_metrics": metrics})
    >>> read.value("accuracy"), read.metrics["accuracy"].standard_deviation.why
    (0.92, 'the document says "NaN" at multiclass_classification_metrics.accuracy.standard_deviation')
    """
    top = Place(copied(document), name)
    if (version := top.child("version")) is not None:
        version.number()
    problem, section = problem_of(top, "metrics")
    dataset = top.need("dataset")
    time, matrix = dataset.child("evaluation_time"), section.child(_MATRIX)
    return QualityStatistics(
        problem=problem,
        item_count=dataset.need("item_count").count(),
        evaluation_time=None if time is None else _time(time),
        metrics={
            key: Metric.read(section.need(key)) for key in section.mapping() if _tells(section, key, problem)
        },
        confusion=None if matrix is None else _confusion(matrix),
        roc=_points(section, *_ROC),
        precision_recall=_points(section, *_PRECISION_RECALL),
        json=top.mapping(),
    )


def build(
    problem: Problem,
    item_count: int,
    metrics: Mapping[str, Metric],
    *,
    evaluation_time: datetime | None = None,
    confusion: Confusion | None = None,
    roc: CurvePoints | None = None,
    precision_recall: CurvePoints | None = None,
    dataset: Mapping[str, object] | None = None,
    extra: Mapping[str, object] | None = None,
) -> QualityStatistics:
    """A `statistics.json` of model quality of ours.

    Args:
        problem: what the model answers.
        item_count: rows analysed.
        metrics: by name; those of `METRICS` are written first, and in its order.
        evaluation_time: when, aware.
        confusion: the confusion matrix.
        roc, precision_recall: curves, as `CurvePoints.of` gives them.
        dataset: more keys for the object `dataset`, such as `start_time`.
        extra: more keys for the top.

    >>> build(Problem.BINARY, 3, {}, confusion={"0": {"0": 2.0, "1": 0.0}, "1": {"1": 1.0}}).json["dataset"]
    {'item_count': 3}
    """
    ordered = [
        *(key for key in METRICS[problem] if key in metrics),
        *(key for key in metrics if key not in METRICS[problem]),
    ]
    section: dict[str, object | None] = {
        _MATRIX: None
        if confusion is None
        else {label: {told: _whole(n) for told, n in row.items()} for label, row in confusion.items()}
    }
    section |= {key: metrics[key].document() for key in ordered}
    for (key, x, y), curve in ((_ROC, roc), (_PRECISION_RECALL, precision_recall)):
        section[key] = None if curve is None else {x: list(curve.x), y: list(curve.y)}
    time = None if evaluation_time is None else _stamp(evaluation_time)
    return parse(
        {
            "version": 0.0,
            "dataset": {"item_count": item_count, **known({"evaluation_time": time}), **(dataset or {})},
            f"{SECTIONS[problem]}_metrics": known(section),
            **(extra or {}),
        }
    )


def problem_of(top: Place, kind: str) -> tuple[Problem, Place]:
    """Which problem a document of model quality is about, and the object that says it.

    Args:
        top: the whole document.
        kind: what the keys of `SECTIONS` end with: metrics or constraints.

    Raises:
        DocumentError: it is about none, or about several.
    """
    keys = {f"{section}_{kind}": problem for problem, section in SECTIONS.items()}
    found = [key for key in keys if top.child(key) is not None]
    if len(found) != 1:
        raise top.refuse(f"an object with exactly one of the keys {', '.join(map(repr, keys))}")
    section = top.need(found[0])
    section.mapping()
    return keys[found[0]], section


def spelled(value: Value) -> float | str:
    """A number as the document spells it.

    >>> spelled(1), spelled(Undefined("no rows"))
    (1.0, 'NaN')
    """
    return UNDEFINED if isinstance(value, Undefined) or not isfinite(value) else float(value)


def _number(place: Place) -> Value:
    number = place.maybe_number()
    return Undefined(f"the document says {shown(place.value)} at {place.at}") if number is None else number


def _tells(section: Place, key: str, problem: Problem) -> bool:
    """Whether a metric stands under the key: one that SageMaker knows, or what looks like one."""
    child = section.child(key)
    if child is None or key in METRICS[problem]:
        return child is not None
    value = child.value.get("value") if isinstance(child.value, Mapping) else None
    if isinstance(value, str):
        return value in UNDEFINED_NUMBERS
    return isinstance(value, int | float) and not isinstance(value, bool)


def _confusion(place: Place) -> Confusion:
    rows = {label: place.need(label) for label, row in place.mapping().items() if row is not None}
    return {
        label: {told: row.need(told).number(0) for told, n in row.mapping().items() if n is not None}
        for label, row in rows.items()
    }


def _points(section: Place, key: str, x_key: str, y_key: str) -> CurvePoints | None:
    curve = section.child(key)
    if curve is None:
        return None
    x, y = (tuple(item.maybe_number() for item in curve.need(side).array()) for side in (x_key, y_key))
    if len(x) != len(y):
        raise curve.refuse(f"as many {x_key} as {y_key} (they are {len(x)} and {len(y)})")
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a is not None and b is not None]
    return CurvePoints(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))


def _time(place: Place) -> datetime:
    try:
        time = datetime.fromisoformat(place.text())
    except ValueError as error:
        raise place.refuse("a time such as 2024-01-01T04:13:20.193Z") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(rows: float) -> float:
    return int(rows) if float(rows).is_integer() else float(rows)
