"""`constraints.json` of model quality, and its violations (reference of the schemas: SageMaker Model Monitor)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from watchkeep.constraints.constraint import Side
from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats import constraints
from watchkeep.formats.constraints import DOCUMENT, OURS, Limit
from watchkeep.formats.json_text import shown
from watchkeep.formats.places import Place, copied, known
from watchkeep.formats.quality_statistics import SECTIONS, problem_of, spelled
from watchkeep.formats.violations import Violation, double
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.monitors.model_quality.suggestions import lower_is_better

_VIOLATED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "true_positive_rate": "truePositiveRate",
        "true_negative_rate": "trueNegativeRate",
        "false_positive_rate": "falsePositiveRate",
        "false_negative_rate": "falseNegativeRate",
    }
)
_MEANT: Final[Mapping[str, str]] = MappingProxyType({told: metric for metric, told in _VIOLATED.items()})


class Operator(StrEnum):
    """When a value violates its threshold; one that equals it never does."""

    GREATER = "GreaterThanThreshold"
    LESS = "LessThanThreshold"

    @classmethod
    def of(cls, metric: str) -> Self:
        """The operator that documents give a metric.

        >>> str(Operator.of("auc")), str(Operator.of("rmse"))
        ('LessThanThreshold', 'GreaterThanThreshold')
        """
        return cls("GreaterThanThreshold" if lower_is_better(metric) else "LessThanThreshold")

    @property
    def side(self) -> Side:
        """Which side of the threshold is allowed."""
        return Side.AT_MOST if self is Operator.GREATER else Side.AT_LEAST


@dataclass(frozen=True, slots=True)
class QualityConstraint:
    """What one metric must keep to.

    Args:
        metric: its name.
        threshold: the limit, in the metric's unit; undefined where the document spells none ("NaN"), and then nothing
            violates it.
        operator: which side is bad.
        extra: all other keys.
    """

    metric: str
    threshold: Value
    operator: Operator
    extra: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, metric: str, place: Place) -> Self:
        """From the object under the metric's name."""
        threshold = place.need("threshold")
        number = threshold.maybe_number()
        return cls(
            metric,
            Undefined(f"the document says {shown(threshold.value)} at {threshold.at}")
            if number is None
            else number,
            place.need("comparison_operator").word(Operator),
            {
                key: item
                for key, item in place.mapping().items()
                if key not in ("threshold", "comparison_operator")
            },
        )

    def document(self) -> dict[str, object]:
        """The JSON object; the two known keys come first.

        >>> QualityConstraint("recall", 0.83, Operator.LESS).document()
        {'threshold': 0.83, 'comparison_operator': 'LessThanThreshold'}
        """
        own: dict[str, object] = {
            "threshold": spelled(self.threshold),
            "comparison_operator": str(self.operator),
        }
        return own | {key: item for key, item in copied(self.extra).items() if key not in own}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityConstraints:
    """A whole `constraints.json` of model quality.

    Args:
        problem: what the model answers.
        constraints: by metric, in the document's order.
        limits: our own constraints, on what the document's own form cannot say.
        json: the object it was read from; the other fields are its reading.
    """

    problem: Problem
    constraints: Mapping[str, QualityConstraint]
    limits: tuple[Limit, ...]
    json: Mapping[str, object] = field(repr=False)

    def document(self) -> dict[str, object]:
        """The JSON object: equal to the one parsed, unknown keys and spelling of numbers included."""
        return copied(self.json)


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> QualityConstraints:
    """A `constraints.json` of model quality read and checked.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.

    >>> recall = {"threshold": 0.83, "comparison_operator": "LessThanThreshold"}
    >>> parse({"binary_classification_constraints": {"recall": recall}}).constraints["recall"].operator.side
    <Side.AT_LEAST: 'at_least'>
    """
    top = Place(copied(document), name)
    problem, section = problem_of(top, "constraints")
    return QualityConstraints(
        problem=problem,
        constraints={
            metric: QualityConstraint.read(metric, section.need(metric))
            for metric, item in section.mapping().items()
            if item is not None
        },
        limits=constraints.parse(document, name).limits,
        json=top.mapping(),
    )


def build(
    problem: Problem,
    listed: Iterable[QualityConstraint],
    *,
    limits: Iterable[Limit] = (),
    extra: Mapping[str, object] | None = None,
) -> QualityConstraints:
    """A `constraints.json` of model quality of ours.

    Args:
        problem: what the model answers.
        listed: the constraints; of two on one metric the last counts.
        limits: our own constraints.
        extra: more keys for the top.

    >>> build(Problem.REGRESSION, [QualityConstraint("r2", 0.5, Operator.LESS)]).document()
    {'version': 0.0, 'regression_constraints': {'r2': {'threshold': 0.5, 'comparison_operator': 'LessThanThreshold'}}}
    """
    own = [dict(limit) for limit in limits]
    return parse(
        {
            "version": 0.0,
            f"{SECTIONS[problem]}_constraints": {one.metric: one.document() for one in listed},
            **known({OURS: {"constraints": own} if own else None}),
            **(extra or {}),
        }
    )


def violation(
    constraint: QualityConstraint,
    value: Value,
    standard_deviation: Value,
    *,
    extra: Mapping[str, object] | None = None,
) -> Violation:
    """The violation of a constraint, as SageMaker's `constraint_violations.json` tells it.

    Args:
        constraint: the one that was not kept.
        value: what the metric was.
        standard_deviation: how far it scatters; both are in the metric's unit.
        extra: more keys, such as our structured fields.

    >>> kept_not = violation(QualityConstraint("true_positive_rate", 0.84, Operator.LESS), 0.8, 0.0031)
    >>> kept_not.description
    "Metric truePositiveRate with 0.8 +/- 0.0031 was LessThanThreshold '0.84'"
    >>> kept_not.extra
    {'metric_name': 'truePositiveRate'}
    """
    told = _VIOLATED.get(constraint.metric, constraint.metric)
    of, scatter, limit = (
        double(float(spelled(number))) for number in (value, standard_deviation, constraint.threshold)
    )
    text = f"Metric {told} with {of} +/- {scatter} was {constraint.operator} '{limit}'"
    own = {key: item for key, item in (extra or {}).items() if key != "metric_name"}
    return Violation(None, str(constraint.operator), text, {"metric_name": told} | own)


def metric_of(violation: Violation) -> str | None:
    """The metric whose constraint was not kept, as `statistics.json` names it; None of other violations.

    >>> metric_of(Violation(None, "LessThanThreshold", "", {"metric_name": "falseNegativeRate"}))
    'false_negative_rate'
    """
    told = violation.extra.get("metric_name")
    return _MEANT.get(told, told) if isinstance(told, str) else None
