"""What stored windows say when they are judged again, as a document."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from watchkeep.alarms.decision import Decision
from watchkeep.alarms.sentences import sentence
from watchkeep.constraints.policy import Policy
from watchkeep.core.verdicts import Outcome, Verdict
from watchkeep.core.window import Window, iso
from watchkeep.formats.column_documents import finite, value

VERSION: Final = 1
KIND: Final = "replay"
"""What such a document says it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A stored window, judged again.

    Args:
        window: its bounds.
        rows: analysed.
        rejected: rows that could not be used, by reason.
        outcomes: verdicts by outcome.
        violations: the violated ones, gravest first.
        decision: what a watch says that has observed it and those before.
    """

    window: Window
    rows: int
    rejected: Mapping[str, int]
    outcomes: Mapping[Outcome, int]
    violations: Sequence[Verdict]
    decision: Decision


def replay_document(
    windows: Iterable[Judged],
    *,
    about: Mapping[str, object],
    created: datetime,
    policy: Policy,
    window: Window,
    hours: int,
    missing: Sequence[Window],
    beside: Mapping[str, int],
    skipped: Mapping[str, str],
    seconds: float,
) -> dict[str, object]:
    """The windows of a replay, and what they were judged by.

    Args:
        windows: in order.
        about: whose states, where, against what, how long the windows are.
        created: now.
        policy: the standard.
        window: from the first hour to the last.
        hours: how many of them are stored.
        missing: those that are not.
        beside: rejected rows that only longer windows count, by reason.
        skipped: files that could not be read, of which only longer windows know, with why, by name.
        seconds: that it took.
    """
    judged = list(windows)
    return {
        "version": VERSION,
        "kind": KIND,
        **about,
        "created": iso(created),
        "policy": policy.document(),
        "window": window.document(),
        "hours": {"stored": hours, "missing": [one.document() for one in missing]},
        "beside": dict(beside),
        **({"skipped": dict(sorted(skipped.items()))} if skipped else {}),
        "alarms": sum(one.decision.alarm for one in judged),
        "violated": sum(bool(one.violations) for one in judged),
        "windows": [_judged(one) for one in judged],
        "timing": {"seconds": round(seconds, 3)},
    }


def _judged(one: Judged) -> dict[str, object]:
    decision = one.decision
    since = decision.since
    return {
        "window": one.window.document(),
        "rows": {"analysed": one.rows, "rejected": dict(one.rejected)},
        "outcomes": {str(outcome): count for outcome, count in one.outcomes.items()},
        "violations": [
            {
                "measure": verdict.measure,
                "subject": verdict.subject,
                "value": value(verdict.value),
                "limit": finite(verdict.limit),
                "sentence": verdict.sentence,
            }
            for verdict in one.violations
        ],
        "decision": {
            "outcome": str(decision.outcome),
            "sentence": sentence(decision),
            "level": decision.level,
            "alarm": decision.alarm,
            "warning": decision.warning,
            "open": decision.open,
            "since": iso(since) if isinstance(since, datetime) else since,
            "named": list(decision.named),
        },
    }
