"""The documents of a run: `report.json` and SageMaker's three."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints import checks
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET, Outcome, Verdict
from watchkeep.core.window import iso
from watchkeep.formats.causes import cause_document
from watchkeep.formats.charts import bins_document, chart
from watchkeep.formats.column_documents import feature, finite, summary, value
from watchkeep.formats.constraint_list import inferred_type
from watchkeep.formats.decisions import decision_document
from watchkeep.formats.promises import promise
from watchkeep.formats.statistics import Statistics, build
from watchkeep.formats.violations import (
    Violation,
    Violations,
    categorical_text,
    completeness_text,
    data_type_text,
    drift_text,
    extra_text,
    missing_text,
)
from watchkeep.frames.roles import Role
from watchkeep.measures.columns import Column
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile
from watchkeep.states.bins import Bins

VERSION: Final = 1


def report_document(findings: Findings, *, baseline_id: str, **sections: object) -> dict[str, object]:
    """All that a run found, as `report.json`; `sections` are what only this monitor has to tell, by name."""
    profile, baseline = findings.profile, findings.baseline
    outcomes: dict[str, list[Outcome]] = {}
    for verdict in findings.verdicts:
        outcomes.setdefault(verdict.subject, []).append(verdict.outcome)
    outside = {of: n for of, n in sorted(profile.outside.items()) if n}
    return {
        "version": VERSION,
        "monitor": baseline.kind,
        "kind": baseline.kind,
        "status": str(findings.status),
        "source": findings.source,
        "created": iso(findings.created),
        "window": findings.window.document(),
        "baseline": {
            "id": baseline_id,
            "created": iso(baseline.created),
            "rows": baseline.rows,
            "source": baseline.source,
            "judged": baseline.judged,
        },
        "rows": {
            "read": profile.read,
            "analysed": profile.rows,
            "unmatched": findings.unmatched,
            **({"outside": outside} if outside else {}),
            "rejected": dict(sorted(profile.rejected.items())),
            **_left_out(profile),
            **({"weights": asdict(findings.weighing)} if findings.weighing is not None else {}),
        },
        "outcomes": {str(outcome): count for outcome, count in findings.outcomes().items()},
        "decision": decision_document(findings.decision),
        "policy": findings.policy.document(),
        "verdicts": [_verdict(verdict) for verdict in findings.verdicts],
        "measures": [
            {"measure": one.measure, "subject": one.subject, "value": value(one.value)}
            for one in findings.measures
        ],
        "causes": [cause_document(cause) for cause in findings.causes],
        "columns": [_column(column, outcomes.get(column.name, [])) for column in findings.columns],
        **sections,
        "timing": {step: round(seconds, 3) for step, seconds in findings.timing.items()},
    }


def _left_out(profile: Profile) -> dict[str, object]:
    """The files that were left out, and of how many; nothing when none was."""
    if not profile.skipped:
        return {}
    files = profile.files
    told = {
        "met": files.met,
        "left_out": files.lost,
        "bytes": files.met_bytes,
        "bytes_left_out": files.lost_bytes,
    }
    return {"skipped": dict(sorted(profile.skipped.items())), "files": told}


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "check": verdict.check,
        "measure": verdict.measure,
        "subject": verdict.subject,
        "value": value(verdict.value),
        "limit": finite(verdict.limit),
        "side": None if verdict.side is None else str(verdict.side),
        "outcome": str(verdict.outcome),
        "sentence": verdict.sentence,
        "evidence": {
            key: value(item) if isinstance(item, float) else item for key, item in verdict.evidence.items()
        },
        "severity": value(verdict.severity),
    }


def _column(column: Column, outcomes: Sequence[Outcome]) -> dict[str, object]:
    bins = column.before("bins", Bins)
    order = (Outcome.VIOLATED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.KEPT)
    told: dict[str, object] = {
        "name": column.name,
        "role": str(column.role),
        "type": str(column.type),
        "outcome": str(min(outcomes, key=order.index)) if outcomes else str(Outcome.KEPT),
        "baseline": summary(column.type, column.baseline, None),
        "window": summary(column.type, column.window, bins) if column.window else None,
        "chart": chart(column.baseline, column.window or {}),
    }
    compared = bins_document(column) if column.window else None
    return told if compared is None else told | {"bins": compared}


def baseline_document(baseline: Baseline) -> dict[str, object]:
    """A baseline for people: its columns, and what each promises and why."""
    by_subject: dict[str, list[dict[str, object]]] = {}
    for constraint in baseline.constraints:
        by_subject.setdefault(constraint.subject, []).append(promise(constraint))
    return {
        "version": VERSION,
        "kind": baseline.kind,
        "created": iso(baseline.created),
        "source": baseline.source,
        "rows": baseline.rows,
        "rejected": dict(sorted(baseline.rejected.items())),
        "judged": baseline.judged,
        "dialect": str(baseline.dialect),
        "roles": baseline.roles.document(),
        "columns": [
            {
                "name": column.name,
                "role": str(column.role),
                "type": str(column.type),
                "baseline": summary(column.type, column.parts, None),
                "chart": chart(column.parts, None),
                "constraints": by_subject.get(column.name, []),
            }
            for column in baseline.columns
        ],
        "constraints": by_subject.get(DATASET, []),
    }


def baseline_statistics(columns: tuple[BaselineColumn, ...], rows: int) -> Statistics:
    """A baseline's `statistics.json`."""
    return build(
        rows,
        [
            feature(column.name, column.type, column.parts, column.parts)
            for column in columns
            if column.role is not Role.IGNORED
        ],
    )


def window_statistics(findings: Findings) -> Statistics:
    """A window's `statistics.json`: the columns it has, of those the baseline knows."""
    return build(
        findings.profile.rows,
        [
            feature(column.name, column.type, column.window, column.baseline)
            for column in findings.columns
            if column.window
        ],
    )


def violations_document(findings: Findings) -> Violations:
    """The window's `constraint_violations.json`; numbers stand beside the texts under keys of our own."""
    kinds = {column.name: str(inferred_type(column.type)) for column in findings.columns}
    return Violations(tuple(_violation(verdict, kinds) for verdict in findings.violations))


def _violation(verdict: Verdict, kinds: Mapping[str, str]) -> Violation:
    number = 0.0 if isinstance(verdict.value, Undefined) else float(f"{verdict.value:.12g}")
    limit = 0.0 if verdict.limit is None else verdict.limit
    texts = {
        checks.DATA_TYPE: lambda: data_type_text(kinds.get(verdict.subject, "String"), limit, number),
        checks.COMPLETENESS: lambda: completeness_text(number),
        checks.CATEGORIES: lambda: categorical_text(number),
        checks.DRIFT: lambda: drift_text(number, limit),
        checks.MISSING_COLUMN: lambda: missing_text(verdict.subject),
        checks.EXTRA_COLUMN: lambda: extra_text(verdict.subject),
    }
    text = texts[verdict.check]() if verdict.check in texts else verdict.sentence
    extra = {
        "watchkeep": {
            "measure": verdict.measure,
            "value": value(verdict.value),
            "limit": verdict.limit,
            "sentence": verdict.sentence,
        }
    }
    return Violation(verdict.subject, verdict.check, text, extra)
