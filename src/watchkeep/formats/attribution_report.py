"""What a report says of attributions: SageMaker's violations, and our own document."""

from collections.abc import Mapping
from typing import Final

from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import Outcome, Verdict
from watchkeep.core.window import iso
from watchkeep.formats.column_documents import finite, value
from watchkeep.formats.dependence import dependence_document
from watchkeep.formats.promises import promise
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.evaluation import AttributionFindings
from watchkeep.monitors.attribution.limits import ATTRIBUTION, NDCG
from watchkeep.monitors.attribution.measures import Attributed, unexplained
from watchkeep.monitors.attribution.plan import AttributionPlan, Place

_WORST_FIRST: Final = (Outcome.VIOLATED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.KEPT)


def attribution_violations(findings: AttributionFindings) -> dict[str, object]:
    """The window's `constraint_violations.json`; limits of ours are listed in the same form."""
    plan = findings.against.plan
    labels = {}
    for place in plan.places:
        labels[plan.subject(place)] = plan.labels[place.label]
        for feature in plan.features:
            labels[plan.subject(place, feature)] = plan.labels[place.label]
    return {
        "version": "1.0",
        "violations": [_violation(one, labels.get(one.subject)) for one in findings.violations],
    }


def _violation(verdict: Verdict, label: str | None) -> dict[str, object]:
    found = 0.0 if isinstance(verdict.value, Undefined) else verdict.value
    text = verdict.sentence
    if verdict.measure == NDCG:
        text = f"Feature attribution drift {found:.4g} exceeds threshold {verdict.limit or 0.0:.4g}"
    return {
        "label": label,
        "metric_name": "shap" if verdict.measure in (NDCG, ATTRIBUTION) else verdict.measure,
        "constraint_check_type": verdict.check,
        "description": text,
        "watchkeep": {
            "measure": verdict.measure,
            "subject": verdict.subject,
            "value": value(verdict.value),
            "limit": finite(verdict.limit),
            "sentence": verdict.sentence,
        },
    }


def attribution_document(findings: AttributionFindings) -> dict[str, object]:
    """What `report.json` says under `attribution`: of every place the features, before and now."""
    against = findings.against
    outcomes: dict[tuple[str, str], Outcome] = {}
    for verdict in findings.verdicts:
        key = verdict.measure, verdict.subject
        outcomes[key] = min(outcomes.get(key, verdict.outcome), verdict.outcome, key=_WORST_FIRST.index)
    orders = {one.subject: one.value for one in findings.measures if one.measure == NDCG}
    plan = against.plan
    model = findings.model or plan.model
    return _head(against) | {
        "compared": True,
        "model": model,
        "model_kind": findings.model_kind or plan.model_kind,
        "baseline_model": plan.model,
        "baseline_model_kind": plan.model_kind,
        "anew": findings.anew,
        "cautions": [_untested(model)] if findings.anew else [],
        "unanswered": findings.unanswered,
        "not_explained": unexplained(findings.profile),
        "baseline_not_explained": unexplained(against.profile),
        "places": [
            _place(plan, place, findings.attributed.get(place), against.attributed.get(place), outcomes)
            | {"ndcg": value(orders.get(plan.subject(place), Undefined("not measured")))}
            for place in plan.places
        ],
        "dependence": dependence_document(findings.dependence, plan.labels),
    }


def attribution_baseline_document(baseline: AttributionBaseline) -> dict[str, object]:
    """A baseline for people: what answers rest on in the reference rows, and what is promised."""
    plan = baseline.plan
    return {
        "version": 1,
        "kind": baseline.kind,
        "created": iso(baseline.created),
        "source": baseline.source,
        "rows": baseline.rows,
        "rejected": dict(sorted(baseline.rejected.items())),
        "judged": baseline.judged,
        "dialect": str(baseline.dialect),
        "roles": baseline.roles.document(),
        "columns": [],
        "constraints": [
            told | {"subject": one.subject, "sentence": f"{one.subject}: {told['sentence']}"}
            for one in baseline.constraints
            for told in [promise(one)]
        ],
        "attribution": _head(baseline)
        | {
            "compared": False,
            "not_explained": unexplained(baseline.profile),
            "places": [_place(plan, place, one, None, {}) for place, one in baseline.attributed.items()],
            "dependence": dependence_document(baseline.dependence, plan.labels),
        },
    }


def _head(baseline: AttributionBaseline) -> dict[str, object]:
    plan = baseline.plan
    return {
        "model": plan.model,
        "model_kind": plan.model_kind,
        "method": baseline.method,
        "notes": list(baseline.notes),
        "aggregation": str(plan.aggregation),
        "labels": list(plan.labels),
        "features": list(plan.features),
        "expected": [_number(one) for one in baseline.expected],
    }


def _untested(model: str) -> str:
    """What a baseline whose rows were explained anew cannot tell."""
    return (
        f"The baseline's rows were explained anew by {model}, so a change of the model itself is not tested: make the"
        " baseline with the same model (or address) to test that."
    )


def _place(
    plan: AttributionPlan,
    place: Place,
    now: Attributed | None,
    before: Attributed | None,
    outcomes: Mapping[tuple[str, str], Outcome],
) -> dict[str, object]:
    subject = plan.subject(place)
    segment = None if place.segment is None else plan.segments[place.segment]
    order = outcomes.get((NDCG, subject))
    told: dict[str, object] = {
        "subject": subject,
        "label": plan.labels[place.label],
        "segment": None if segment is None else segment.name,
        "explained": 0 if now is None else now.rows,
        "baseline_explained": None if before is None else before.rows,
        "outcome": None if order is None else str(order),
        "features": [],
    }
    if now is None and before is None:
        return told
    listed = []
    for at, feature in enumerate(plan.features):
        outcome = outcomes.get((ATTRIBUTION, plan.subject(place, feature)))
        listed.append(
            {
                "feature": feature,
                "outcome": None if outcome is None else str(outcome),
                **_told(now, at, ""),
                **_told(before, at, "baseline_"),
            }
        )
    return told | {"features": listed}


def _told(one: Attributed | None, at: int, prefix: str) -> dict[str, object]:
    if one is None:
        return {}
    return {
        f"{prefix}attribution": _number(float(one.values[at])),
        f"{prefix}error": _number(float(one.spread[at]) / one.rows**0.5) if one.rows else None,
        f"{prefix}direction": _number(float(one.direction[at])),
        f"{prefix}share": _number(float(one.shares[at])),
        f"{prefix}rank": one.ranks[at],
    }


def _number(number: float) -> float:
    return float(f"{number:.6g}")
