"""What a report says of answers: SageMaker's files, and our own document."""

from datetime import datetime

from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import DATASET
from watchkeep.core.window import iso
from watchkeep.formats.column_documents import value
from watchkeep.formats.promises import promise
from watchkeep.formats.quality_constraints import Operator, QualityConstraint, violation
from watchkeep.formats.quality_statistics import CurvePoints, Metric, QualityStatistics, build
from watchkeep.formats.violations import Violation, Violations
from watchkeep.monitors.data_quality.sentences import percent
from watchkeep.monitors.model_quality.baseline import QualityBaseline, counts_of
from watchkeep.monitors.model_quality.certainty import certainty
from watchkeep.monitors.model_quality.estimates import SENTENCE
from watchkeep.monitors.model_quality.evaluation import QualityFindings
from watchkeep.monitors.model_quality.measures import Quality, Sampled, quality
from watchkeep.monitors.model_quality.plan import QualityPlan
from watchkeep.monitors.model_quality.sets import ASKED
from watchkeep.monitors.model_quality.suggestions import OURS
from watchkeep.stats.subgroups import Found

FEWEST = 200
"""Rows below which SageMaker's files tell no standard deviation."""
OTHER = "other"
"""What documents call a class that the baseline did not know."""


def quality_statistics(found: Quality, plan: QualityPlan, *, at: datetime) -> QualityStatistics:
    """`statistics.json` of some answers."""
    sagemaker = plan.dialect.sagemaker
    return build(
        plan.problem,
        found.labelled,
        {
            name: Metric(one.value, _deviation(one, found, sagemaker=sagemaker))
            for name, one in found.measures.items()
            if not (sagemaker and name in OURS)
        },
        evaluation_time=at,
        confusion=confusion_document(found, plan),
        roc=None if found.roc is None else CurvePoints.of(found.roc),
        precision_recall=None if found.precision_recall is None else CurvePoints.of(found.precision_recall),
    )


def _deviation(one: Sampled, found: Quality, *, sagemaker: bool) -> Value:
    if sagemaker and found.labelled < FEWEST:
        return Undefined(f"fewer than {FEWEST} rows")
    return Undefined("it has no standard error") if one.error is None else one.error


def confusion_document(found: Quality, plan: QualityPlan) -> dict[str, dict[str, float]] | None:
    """The confusion matrix, by label and then by answer."""
    if found.confusion is None:
        return None
    names = [*plan.classes.names, *[OTHER] * (plan.kinds - len(plan.classes))]
    table = found.confusion
    if plan.kinds > len(plan.classes) and not table[-1].any() and not table[:, -1].any():
        names, table = names[:-1], table[:-1, :-1]
    return {name: dict(zip(names, row, strict=True)) for name, row in zip(names, table.tolist(), strict=True)}


def quality_violations(findings: QualityFindings) -> Violations:
    """The window's `constraint_violations.json`."""
    found = []
    for verdict in findings.violations:
        own: dict[str, object] = {
            "measure": verdict.measure,
            "value": value(verdict.value),
            "limit": verdict.limit,
            "sentence": verdict.sentence,
        }
        if verdict.limit is None:  # without a threshold it is ours alone
            told: dict[str, object] = {"metric_name": verdict.measure, "watchkeep": own}
            found.append(Violation(None, verdict.check, verdict.sentence, told))
            continue
        one = findings.quality.measures.get(verdict.measure, Sampled(verdict.value))
        error: Value = Undefined("no standard error") if one.error is None else one.error
        limit = QualityConstraint(verdict.measure, verdict.limit, Operator(verdict.check))
        found.append(violation(limit, verdict.value, error, extra={"watchkeep": own}))
    return Violations(tuple(found))


def quality_document(findings: QualityFindings) -> dict[str, object]:
    """What `report.json` says under `quality`: measures beside the baseline's, matrix, curves, segments."""
    baseline, found = findings.against, findings.quality
    plan = baseline.plan
    return {
        **_answers(plan),
        "labelled": found.labelled,
        "unlabelled": findings.profile.rows - found.labelled,
        "measures": _beside(found, baseline.quality),
        **_expected(findings),
        **_found(findings),
        **_uncertain(findings),
        **({} if findings.join is None else {"join": dict(findings.join)}),
        **_drawn(found, plan),
        "before": _drawn(baseline.quality, plan),
        "segments": [
            {
                "name": segment.name,
                "rule": segment.rule,
                "labelled": findings.segments[segment.name].labelled,
                "measures": _beside(
                    findings.segments[segment.name],
                    quality(plan, counts_of(baseline.profile, segment.name), replicates=0),
                ),
            }
            for segment in plan.segments
        ],
    }


def quality_baseline_document(baseline: QualityBaseline) -> dict[str, object]:
    """A baseline for people: how good the answers were, and what is promised."""
    plan, found = baseline.plan, baseline.quality
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
        "constraints": [promise(one) for one in baseline.constraints],
        "quality": {
            **_answers(plan),
            "labelled": found.labelled,
            "unlabelled": baseline.rows - found.labelled,
            "measures": _beside(found, None),
            **_drawn(found, plan),
            "segments": [{"name": one.name, "rule": one.rule} for one in plan.segments],
        },
    }


def _expected(findings: QualityFindings) -> dict[str, object]:
    """Estimates beside what came true, as far as it is known."""
    if not findings.estimates:
        return {}
    told = []
    for name, one in findings.estimates.items():
        now = findings.quality.measures.get(name)
        realised = None if now is None or isinstance(now.value, Undefined) else now.value
        told.append(
            {
                "measure": name,
                "value": value(one.value),
                "low": _number(one.low),
                "high": _number(one.high),
                "realised": _number(realised),
                "outside": realised is not None
                and one.low is not None
                and one.high is not None
                and not one.low <= realised <= one.high,
            }
        )
    return {"estimates": {"sentence": SENTENCE, "measures": told}}


def _found(findings: QualityFindings) -> dict[str, object]:
    """Segments where answers got worse, then those where they are worst."""
    if findings.found is None:
        return {}
    seen: dict[str, dict[str, object]] = {}
    for kind, listed in (("risen", findings.found.risen), ("worst", findings.found.worst)):
        for one in listed:
            seen.setdefault(one.rule, _segment(one, kind, findings.found.loss))
    return {"found": list(seen.values()), "searched": findings.found.rows}


def _segment(one: Found, kind: str, loss: str) -> dict[str, object]:
    carried, what = one.loss_share, f"all {loss}"
    if kind == "risen":
        risen = one.rise_share
        carried, what = (one.excess_share, what) if risen is None else (risen, f"the rise of {loss}")
    return {
        "kind": kind,
        "rule": one.rule,
        "rows": one.rows,
        "share": _number(one.share),
        "mean": _number(one.mean),
        "rest": _number(one.rest),
        "before": _number(one.before),
        "excess_share": _number(one.excess_share),
        "chance": _number(one.p),
        "sentence": f"{percent(one.share)} of rows, {one.rule}, carry {percent(max(0.0, min(1.0, carried)))} of {what}",
    }


def _uncertain(findings: QualityFindings) -> dict[str, dict[str, object]]:
    """How certain answers are, and how often prediction sets hold the truth."""
    told: dict[str, dict[str, object]] = {}
    doubt = certainty(findings.against.plan, counts_of(findings.profile, DATASET))
    if doubt or findings.review is not None:
        against = findings.against
        before = (
            {} if against.known is not None else certainty(against.plan, counts_of(against.profile, DATASET))
        )
        told["uncertain"] = {name: value(one) for name, one in doubt.items()} | dict(findings.review or {})
        told["uncertain"] |= {"baseline": {name: value(one) for name, one in before.items()}}
    covered = findings.quality.measures.get("coverage")
    if covered is not None:
        then = findings.against.quality.measures.get("coverage")
        told["coverage"] = {
            "asked": ASKED,
            "value": value(covered.value),
            "error": _number(covered.error),
            "baseline": None if then is None else value(then.value),
        }
    return told


def _answers(plan: QualityPlan) -> dict[str, object]:
    return {
        "problem": str(plan.problem),
        "classes": list(plan.classes.names),
        "positive": plan.classes.names[1] if plan.problem == "BinaryClassification" else None,
        "threshold": plan.threshold if plan.roles.prediction is None and len(plan.classes) == 2 else None,
    }


def _beside(found: Quality, before: Quality | None) -> list[dict[str, object]]:
    told = []
    for name, one in found.measures.items():
        item: dict[str, object] = {"measure": name, "value": value(one.value), "error": _error(one.error)}
        if one.low is not None:
            item |= {"low": _number(one.low), "high": _number(one.high)}
        if before is not None:
            then = before.measures.get(name)
            item["before"] = None if then is None else value(then.value)
        told.append(item)
    return told


def _drawn(found: Quality, plan: QualityPlan) -> dict[str, object]:
    drawn: dict[str, object] = {}
    confusion = confusion_document(found, plan)
    if confusion is not None:
        drawn["confusion"] = confusion
    for name, curve in (("roc", found.roc), ("precision_recall", found.precision_recall)):
        if curve is not None:
            points = CurvePoints.of(curve)
            drawn[name] = {"x": [_number(x) for x in points.x], "y": [_number(y) for y in points.y]}
    if found.reliability is not None:
        rows, positives = found.reliability.rows, found.reliability.positives
        drawn["reliability"] = [
            {"rows": _number(float(n)), "score": _number(float(score)), "came_true": _number(float(p / n))}
            for n, score, p in zip(rows, found.reliability.mean_scores, positives, strict=True)
            if n > 0
        ]
    return drawn


def _error(error: float | None) -> float | None:
    """Six digits: more than an error has, and the order of the rows does not show in them."""
    return None if error is None else float(f"{error:.6g}")


def _number(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.12g}")
