"""`constraints.json` of attribution: the baseline's attributions as `analysis.json` has them, and our own limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.errors import DocumentError
from watchkeep.core.verdicts import DATASET
from watchkeep.formats import explanations
from watchkeep.formats.constraints import DOCUMENT
from watchkeep.formats.explanations import Explanations
from watchkeep.formats.own_limits import CONSTRAINTS, OURS, OwnLimit, constraints_of, own_limits
from watchkeep.formats.places import Place, copied
from watchkeep.monitors.attribution.limits import ATTRIBUTION, NDCG, REJECTED, SAGEMAKER_LEAST
from watchkeep.monitors.attribution.plan import AttributionPlan

_MEASURES: Final = (NDCG, ATTRIBUTION, REJECTED)


@dataclass(frozen=True, slots=True)
class AttributionConstraints:
    """A whole `constraints.json` of attribution.

    Args:
        explanations: the attributions of the reference.
        limits: our own; None where the document has none of ours, so that SageMaker's rule is the only one.
    """

    explanations: Explanations
    limits: tuple[OwnLimit, ...] | None

    def document(self) -> dict[str, object]:
        """The JSON object: equal to the one parsed, unknown keys and spelling of numbers included."""
        return copied(self.explanations.json)


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> AttributionConstraints:
    """A `constraints.json` of attribution read and checked; an `analysis.json` is one.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.
    """
    limits = own_limits(Place(copied(document), name))
    return AttributionConstraints(explanations.parse(document, name), limits)


def to_attribution_document(
    told: Mapping[str, object], suggested: Iterable[Constraint], *, sagemaker: bool
) -> AttributionConstraints:
    """The `constraints.json` of suggested limits.

    Args:
        told: the baseline's `analysis.json`.
        suggested: the limits.
        sagemaker: whether only SageMaker's rule is asked for, which no document needs to hold.
    """
    limits = [OwnLimit.of(one).document() for one in suggested]
    return parse(dict(told) if sagemaker else dict(told) | {OURS: {CONSTRAINTS: limits}})


def to_attribution_constraints(
    document: AttributionConstraints,
    plan: AttributionPlan,
    suggested: Mapping[tuple[str, str, str, str], Constraint] | None = None,
    *,
    sagemaker: bool,
    name: str = DOCUMENT,
) -> tuple[Constraint, ...]:
    """The limits of a document; one that is as it was suggested has its reason and evidence.

    Args:
        document: `constraints.json`.
        plan: how rows are explained.
        suggested: what the baseline suggested, by key.
        sagemaker: whether SageMaker's rule is asked for; a document that has no limits of ours is judged by it, too.
        name: what errors call the file.

    Raises:
        DocumentError: a limit is about a measure or a subject that is not there.
    """
    if sagemaker or document.limits is None:
        return tuple(
            Constraint(
                check=checks.ATTRIBUTION_DRIFT,
                measure=NDCG,
                subject=plan.subject(place),
                side=Side.AT_LEAST,
                limit=SAGEMAKER_LEAST,
                rule="RetainOrder",
                reason="SageMaker's rule: NDCG may not be below 0.90",
            )
            for place in plan.places
            if place.segment is None
        )
    subjects = {
        NDCG: [plan.subject(place) for place in plan.places],
        ATTRIBUTION: [plan.subject(place, feature) for place in plan.places for feature in plan.features],
        REJECTED: [DATASET],
    }
    return constraints_of(document.limits, lambda limit: _check(limit, subjects, name), suggested)


def _check(limit: OwnLimit, subjects: Mapping[str, list[str]], name: str) -> str:
    """The check of a limit.

    Raises:
        DocumentError: there is no such measure or subject.
    """
    known = subjects.get(limit.measure)
    if known is None:
        near = get_close_matches(limit.measure, _MEASURES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DocumentError(
            name, at="measure", got=repr(limit.measure), expected=f"one of {', '.join(_MEASURES)}{hint}"
        )
    if limit.subject not in known:
        near = get_close_matches(limit.subject, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DocumentError(
            name, at="subject", got=repr(limit.subject), expected=f"a subject of {limit.measure}{hint}"
        )
    by_measure = {NDCG: checks.ATTRIBUTION_DRIFT, ATTRIBUTION: checks.FEATURE_ATTRIBUTION}
    return by_measure.get(limit.measure, checks.REJECTED)
