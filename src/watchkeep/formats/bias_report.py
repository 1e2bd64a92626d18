"""What a report says of groups: SageMaker's violations, and our own document."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET, Outcome, Verdict
from watchkeep.core.window import iso
from watchkeep.formats.bias_analysis import spelled
from watchkeep.formats.column_documents import finite, value
from watchkeep.formats.promises import promise
from watchkeep.frames.facets import Facet
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.estimates import SENTENCE, Estimates
from watchkeep.monitors.bias.evaluation import BiasFindings
from watchkeep.monitors.bias.groups import TITLES, GroupBias, labelled_rows, level_rows
from watchkeep.monitors.bias.limits import FEWEST, unfair
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.model_quality.measures import Sampled
from watchkeep.profiles.profile import Profile
from watchkeep.stats.bias import MEASURES
from watchkeep.stats.normal import upper_quantile

Limits = Mapping[tuple[str, str], Sequence[Constraint]]
CONFIDENCE: Final = 0.95
"""Of intervals."""
_REACH: Final = upper_quantile((1 - CONFIDENCE) / 2)
_WORST_FIRST: Final = (Outcome.VIOLATED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.KEPT)


def bias_violations(findings: BiasFindings) -> dict[str, object]:
    """The window's `constraint_violations.json`; a measure outside a range of ours is listed in the same form."""
    facets = {facet.column: facet for facet in findings.against.plan.facets}
    groups = {one.subject: one for one in findings.groups}
    return {
        "version": "1.0",
        "violations": [_violation(one, groups.get(one.subject), facets) for one in findings.violations],
    }


def _violation(verdict: Verdict, group: GroupBias | None, facets: Mapping[str, Facet]) -> dict[str, object]:
    column, told = (verdict.subject, None) if group is None else (group.facet, group.group)
    facet = None if group is None or group.crossed else facets.get(column)
    if facet is not None:
        told = next((spelled(facet, one) for one in facet.groups if one.name == told), told)
    found = 0.0 if isinstance(verdict.value, Undefined) else verdict.value
    required = verdict.evidence.get("baseline")
    if not isinstance(required, float) or verdict.check != checks.BIAS_DRIFT:
        required = verdict.limit or 0.0
    return {
        "facet": None if verdict.subject == DATASET else column,
        "facet_value": told,
        "metric_name": verdict.measure,
        "constraint_check_type": verdict.check,
        "description": f"Metric value {found:.4g} doesn't meet the baseline constraint requirement {required:.4g}",
        "watchkeep": {
            "measure": verdict.measure,
            "value": value(verdict.value),
            "limit": finite(verdict.limit),
            "sentence": verdict.sentence,
        },
    }


def bias_document(findings: BiasFindings) -> dict[str, object]:
    """What `report.json` says under `bias`: of every group its size, its measures, their intervals and limits."""
    against = findings.against
    limits = _by_subject(against.constraints)
    outcomes: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in findings.verdicts:
        outcomes.setdefault((verdict.subject, verdict.measure), []).append(verdict)
    told = _head(against.plan) | {
        "compared": True,
        "labelled": int(labelled_rows(findings.profile, against.plan.subject(0))),
        "rows": findings.profile.rows,
        "join": None if findings.join is None else dict(findings.join),
        "levels": _levels(against.plan, findings.profile),
        "groups": [
            _group(one, against.by_subject.get(one.subject), against, limits, outcomes, findings.estimates)
            for one in findings.groups
        ],
    }
    return told | ({"estimates": {"sentence": SENTENCE}} if findings.estimates else {})


def bias_baseline_document(baseline: BiasBaseline) -> dict[str, object]:
    """A baseline for people: how groups are treated in the reference rows, and what is promised."""
    told = _head(baseline.plan)
    groups, limits = baseline.groups or _known(baseline), _by_subject(baseline.constraints)
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
        "bias": told | {"groups": [_group(one, None, baseline, limits, {}, {}, own=True) for one in groups]},
    }


def _known(baseline: BiasBaseline) -> tuple[GroupBias, ...]:
    """The groups of a baseline whose rows nobody knows."""
    by_subject: dict[str, dict[str, Sampled]] = {}
    for (subject, name), found in (baseline.known or {}).items():
        by_subject.setdefault(subject, {})[name] = Sampled(found)
    return tuple(
        GroupBias(subject, facet, group, 0, 0, 0, measures)
        for subject, measures in by_subject.items()
        for facet, group in [_parted(subject, baseline.plan)]
    )


def _parted(subject: str, plan: BiasPlan) -> tuple[str, str]:
    """The facet and the group that a subject is made of."""
    for facet in plan.facets:
        for group in facet.groups:
            if facet.subject(group) == subject:
                return facet.column, group.name
    return subject, ""


def _levels(plan: BiasPlan, profile: Profile) -> list[dict[str, object]]:
    """Of each facet the rows without a value, and those whose value the reference rows never had."""
    told: list[dict[str, object]] = []
    for at, facet in enumerate(plan.facets):
        rows = level_rows(profile, plan.subject(at))
        new = facet.whole
        told.append(
            {
                "facet": facet.column,
                "missing": int(rows[facet.missing]),
                "new": int(rows[facet.missing - 1]) if new else None,
            }
        )
    return told


def _head(plan: BiasPlan) -> dict[str, object]:
    roles = plan.roles
    answers = roles.prediction or roles.score
    return {
        "label": roles.label,
        "positive": plan.label.name,
        "above": plan.label.threshold is not None,
        "prediction": answers if plan.prediction is not None else None,
        "threshold": None
        if plan.prediction is None or roles.prediction is not None
        else plan.prediction.threshold,
        "stratum": None if plan.strata is None else plan.strata.column,
        "neighbours": plan.neighbours if plan.features else None,
        "facets": [plan.subject(place) for place in plan.places],
        "not_crossed": [" x ".join(pair) for pair in plan.not_crossed],
        "confidence": CONFIDENCE,
        "titles": dict(TITLES),
        "neutral": {name: one.neutral for name, one in MEASURES.items() if one.neutral},
    }


def _by_subject(constraints: Iterable[Constraint]) -> Limits:
    """Limits by subject and measure."""
    found: dict[tuple[str, str], list[Constraint]] = {}
    for one in constraints:
        found.setdefault((one.subject, one.measure), []).append(one)
    return found


def _group(
    group: GroupBias,
    before: GroupBias | None,
    baseline: BiasBaseline,
    limits: Limits,
    verdicts: Mapping[tuple[str, str], Sequence[Verdict]],
    expected: Estimates,
    *,
    own: bool = False,
) -> dict[str, object]:
    listed = []
    for name, one in group.measures.items():
        then = (baseline.known or {}).get((group.subject, name))
        if before is not None and name in before.measures:
            then = before.measures[name].value
        told = _measure(name, one) | {
            "among": group.among.get(name),
            "before": None if then is None else value(then),
            **_allowed(limits.get((group.subject, name), ())),
        }
        found = verdicts.get((group.subject, name))
        if found is not None:
            worst = min(found, key=lambda verdict: _WORST_FIRST.index(verdict.outcome))
            told["outcome"] = str(worst.outcome)
            reach = max((_reach(verdict) for verdict in found), default=0.0)
            if reach and not isinstance(one.value, Undefined):
                told["reach"] = [_number(one.value - reach), _number(one.value + reach)]
                told["noise"] = any("within noise" in verdict.sentence for verdict in found)
        elif group.among.get(name, FEWEST) < FEWEST:
            told["outcome"] = str(Outcome.UNDECIDED)
        if own and unfair(name, one, group.among.get(name, 0)):
            told["unfair"] = True
        early = expected.get((group.subject, name))
        if early is not None:
            told["estimate"] = {
                "value": value(early.value),
                "low": _number(early.low),
                "high": _number(early.high),
            }
        listed.append(told)
    return {
        "subject": group.subject,
        "facet": group.facet,
        "group": group.group,
        "crossed": group.crossed,
        "rows": group.rows,
        "others": group.others,
        "missing": group.missing,
        "baseline_rows": None if before is None else before.rows,
        "measures": listed,
    }


def _reach(verdict: Verdict) -> float:
    """How far a value may be beyond its limit by chance, at the level that the limit is judged at."""
    noise = verdict.evidence.get("noise")
    return noise if isinstance(noise, float) else 0.0


def _measure(name: str, one: Sampled) -> dict[str, object]:
    low, high = (MEASURES[name].low, MEASURES[name].high) if name in MEASURES else (-1.0, 1.0)
    told: dict[str, object] = {
        "measure": name,
        "value": value(one.value),
        "error": None if one.error is None else float(f"{one.error:.6g}"),
    }
    if not isinstance(one.value, Undefined) and one.error is not None and math.isfinite(one.value):
        told["low"] = _number(max(low, one.value - _REACH * one.error))
        told["high"] = _number(min(high, one.value + _REACH * one.error))
    return told


def _allowed(limits: Iterable[Constraint]) -> dict[str, object]:
    told: dict[str, object] = {}
    for one in limits:
        if one.check == checks.BIAS_DRIFT:
            return {"at_least": _number(-one.limit), "at_most": _number(one.limit)}
        told["at_least" if one.side is Side.AT_LEAST else "at_most"] = _number(one.limit)
    return told


def _number(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else float(f"{number:.12g}")
