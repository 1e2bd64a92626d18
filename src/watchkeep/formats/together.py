"""What all the monitors of a model found in one window, as `report.json`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from watchkeep.alarms.decision import Decision
from watchkeep.causes.ranking import Cause
from watchkeep.constraints.policy import Policy
from watchkeep.core.verdicts import Outcome
from watchkeep.core.window import Window, iso
from watchkeep.formats.causes import cause_document
from watchkeep.formats.decisions import decision_document

VERSION: Final = 1
KIND: Final = "model"
"""What such a report says it is of."""
_TAKEN: Final = ("verdicts", "measures")


def together_document(
    reports: Mapping[str, Mapping[str, object]],
    failures: Mapping[str, tuple[str, str]],
    pages: Mapping[str, str],
    *,
    status: str,
    source: str,
    created: datetime,
    window: Window,
    policy: Policy,
    causes: Sequence[Cause],
    decision: Decision | None,
    decided: str = "",
) -> dict[str, object]:
    """A report over several: their verdicts, each with its monitor, and one ranking of causes.

    Args:
        reports: the report of each monitor that could be run, by name.
        failures: of those that could not, kind and reason, by name.
        pages: where the page of each report lies, by name.
        status: of all.
        source, created, window, policy: of the run.
        causes: what lies behind it.
        decision: the one with the most evidence.
        decided: the monitor whose decision it is.
    """
    first = next(iter(reports.values()))
    return {
        "version": VERSION,
        "monitor": KIND,
        "kind": KIND,
        "status": status,
        "source": source,
        "created": iso(created),
        "window": window.document(),
        "baseline": first["baseline"],
        "rows": first["rows"],
        "outcomes": _outcomes(reports),
        "decision": None if decision is None else decision_document(decision) | {"monitor": decided},
        "policy": policy.document(),
        "monitors": [
            *(_monitor(name, report, pages) for name, report in reports.items()),
            *(
                {"name": name, "kind": kind, "status": "Failed", "why": why}
                for name, (kind, why) in failures.items()
            ),
        ],
        **{
            key: [
                {**one, "monitor": name} for name, report in reports.items() for one in _listed(report, key)
            ]
            for key in _TAKEN
        },
        "causes": [cause_document(cause) for cause in causes],
        "columns": [],
        "timing": {"seconds": round(sum(_seconds(report) for report in reports.values()), 3)},
    }


def _monitor(name: str, report: Mapping[str, object], pages: Mapping[str, str]) -> dict[str, object]:
    keys = ("kind", "status", "outcomes", "decision", "rows", "baseline")
    return {"name": name, **{key: report[key] for key in keys}, "report": pages[name]}


def _outcomes(reports: Mapping[str, Mapping[str, object]]) -> dict[str, int]:
    told = [counts for report in reports.values() if isinstance(counts := report["outcomes"], dict)]
    return {str(one): sum(int(counts[str(one)]) for counts in told) for one in Outcome}


def _listed(report: Mapping[str, object], key: str) -> Sequence[Mapping[str, object]]:
    listed = report[key]
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _seconds(report: Mapping[str, object]) -> float:
    timing = report["timing"]
    spent = timing.get("seconds", 0.0) if isinstance(timing, dict) else 0.0
    return float(spent)
