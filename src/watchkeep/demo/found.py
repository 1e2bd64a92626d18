"""What the reports of the replayed days say, in one line a day."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self, TypeAlias

from rich.table import Table
from rich.text import Text

from watchkeep.alarms.decision import Outcome

Verdict: TypeAlias = dict[str, Any]
"""A verdict as `report.json` has it."""

MISSING: Final = "completeness_check"
"""The check of missing values, as violation files spell it."""

_PHRASES: Final = MappingProxyType(
    {
        MISSING: "values missing in {}",
        "baseline_drift_check": "{} drifted",
        "joint_drift_check": "the numbers drifted together",
        "row_volume_check": "an unusual number of rows",
    }
)
_MOST: Final = 6
_BAR: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A replayed day, and what was found in it.

    Args:
        day: the day in New York.
        report: the folder of its report.
        status: what became of the run (`Completed`, `CompletedWithViolations`, ...).
        answer: for the day as a whole (`changed`, `not changed`, ...); empty if the run came to none.
        rows: flights analysed.
        violations: broken constraints.
        columns: columns with a violation, the worst first.
        missing: the columns of these whose values are missing more often than the baseline allows.
        severity: how far outside the worst violation is; 0 without one.
        sentence: the columns by what is wrong with them.
    """

    day: date
    report: Path
    status: str
    answer: str
    rows: int
    violations: int
    columns: tuple[str, ...]
    missing: tuple[str, ...]
    severity: float
    sentence: str

    @classmethod
    def read(cls, day: date, report: Path) -> Self:
        """Read the report that `watchkeep check --out` wrote into a folder."""
        document = json.loads((report / "report.json").read_text(encoding="utf-8"))
        violated = sorted(
            (verdict for verdict in document["verdicts"] if verdict["outcome"] == "violated"),
            key=lambda verdict: -verdict.get("severity", 0.0),
        )
        missing = _subjects(verdict for verdict in violated if verdict.get("check") == MISSING)
        return cls(
            day=day,
            report=report,
            status=document["status"],
            answer=answer_of(document),
            rows=document["rows"]["analysed"],
            violations=len(violated),
            columns=_subjects(violated),
            missing=missing,
            severity=violated[0].get("severity", 0.0) if violated else 0.0,
            sentence=_sentence(violated),
        )

    @property
    def name(self) -> str:
        """The day for people.

        >>> day = Day(day=date(2013, 2, 8), report=Path(), status="Completed", answer="", rows=0,
        ...           violations=0, columns=(), missing=(), severity=0.0, sentence="nothing")
        >>> day.name
        'Fri 8 Feb'
        """
        return f"{self.day:%a} {self.day.day} {self.day:%b}"

    @property
    def line(self) -> str:
        """The finding as one line of text."""
        answer = f"{self.answer}, " * (self.answer == Outcome.CHANGED)
        return f"{self.name}: {self.rows} flights, {answer}{self.found}: {self.sentence}"

    @property
    def found(self) -> str:
        """How much was found, in two words."""
        if self.status not in {"Completed", "CompletedWithViolations"}:
            return self.status.lower()
        return "ok" if not self.violations else f"{self.violations} violation{'s' * (self.violations > 1)}"


def answer_of(document: dict[str, Any]) -> str:
    """The answer of a report, as `report.json` has it; empty if it has none.

    >>> answer_of({"decision": {"outcome": "not changed"}}), answer_of({})
    ('not changed', '')
    """
    return str((document.get("decision") or {}).get("outcome", ""))


def mark(answer: str) -> str:
    """An answer where many stand below each other: what changed is seen, what did not is quiet.

    >>> mark("changed"), mark("not changed"), mark("too little data to tell")
    ('▲ changed', '', 'too little data to tell')
    """
    if answer == Outcome.CHANGED:
        return f"▲ {answer}"
    return "" if answer == Outcome.UNCHANGED else answer


def listed(names: Sequence[str], *, most: int = 3) -> str:
    """Names as a phrase, cut after a few.

    >>> listed(["dep_time"]), listed(["a", "b", "c", "d", "e"])
    ('dep_time', 'a, b, c and 2 more')
    """
    if len(names) <= most:
        return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def table(days: Sequence[Day], worst: Day | None) -> Table:
    """The days, one a row, with a bar of how far outside each was; the worst in bold."""
    drawn = Table(box=None, pad_edge=False, header_style="dim")
    drawn.add_column("day", no_wrap=True)
    drawn.add_column("flights", justify="right", no_wrap=True)
    drawn.add_column("answer", max_width=9)
    drawn.add_column("found", no_wrap=True)
    drawn.add_column("how far", no_wrap=True)
    drawn.add_column("worst columns")
    for day in days:
        share = day.severity / worst.severity if worst is not None and worst.severity else 0.0
        bar = "█" * round(_BAR * share)
        cells = (day.name, f"{day.rows:,}", mark(day.answer), day.found, bar, day.sentence)
        drawn.add_row(*map(Text, cells), style="bold" if day is worst else "")
    return drawn


def _subjects(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(verdict["subject"] for verdict in verdicts))


def _sentence(violated: Sequence[Verdict]) -> str:
    """The columns by what is wrong with them, the gravest first."""
    by_check: dict[str, list[Verdict]] = {}
    for verdict in violated:
        by_check.setdefault(verdict["check"], []).append(verdict)
    phrases = (
        _PHRASES.get(check, f"{check.removesuffix('_check').replace('_', ' ')}: {{}}").format(
            listed(_subjects(found), most=_MOST)
        )
        for check, found in by_check.items()
    )
    return "; ".join(phrases) or "nothing unusual"
