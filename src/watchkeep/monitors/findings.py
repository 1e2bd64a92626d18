"""What a monitor found in one window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from watchkeep.alarms.decision import Decision
from watchkeep.alarms.watch import Sighting
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Value
from watchkeep.core.verdicts import Outcome, Status, Verdict
from watchkeep.core.window import Window
from watchkeep.measures.columns import Column
from watchkeep.profiles.profile import Profile


class Reference(Protocol):
    """What every baseline tells of itself."""

    @property
    def kind(self) -> str:
        """The monitor it is for."""
        ...

    @property
    def created(self) -> datetime:
        """When it was made."""
        ...

    @property
    def source(self) -> str:
        """What it was made from, for people."""
        ...

    @property
    def rows(self) -> int:
        """Rows it was learned from."""
        ...

    @property
    def judged(self) -> str:
        """What windows are held against, for people."""
        ...


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure's value about a subject."""

    measure: str
    subject: str
    value: Value


@dataclass(frozen=True, slots=True)
class Cause:
    """A subject something is wrong with, and how wrong: what to look at first.

    Args:
        subject: a column, or the dataset.
        severity: the sum over its violated checks.
        sentence: the gravest, in words.
        checks: the violated checks.
    """

    subject: str
    severity: float
    sentence: str
    checks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """All that a run found.

    Args:
        baseline: what the window was compared with.
        profile: the window's states.
        window: its bounds.
        policy: the standard it was judged by.
        columns: each column beside its baseline.
        measures: every measure, by subject and name.
        verdicts: every constraint's answer, gravest first.
        source: what was read, for people.
        created: when.
        decision: whether the window as a whole changed, by itself.
        sighting: what a watch remembers of the window.
        unmatched: rows analysed that have no label, where labels were joined to them.
        timing: seconds by step.
    """

    baseline: Reference
    profile: Profile
    window: Window
    policy: Policy
    columns: tuple[Column, ...] = ()
    measures: tuple[Measured, ...]
    verdicts: tuple[Verdict, ...]
    source: str
    created: datetime
    decision: Decision
    sighting: Sighting
    unmatched: int = 0
    timing: Mapping[str, float] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """Whether anything was violated."""
        if self.violations:
            return Status.COMPLETED_WITH_VIOLATIONS
        return Status.COMPLETED

    @property
    def violations(self) -> tuple[Verdict, ...]:
        """The violated verdicts, gravest first."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.VIOLATED)

    def outcomes(self) -> dict[Outcome, int]:
        """How many verdicts have each outcome."""
        return {outcome: sum(verdict.outcome is outcome for verdict in self.verdicts) for outcome in Outcome}

    def causes(self) -> tuple[Cause, ...]:
        """Subjects of violations, gravest first."""
        by_subject: dict[str, list[Verdict]] = {}
        for verdict in self.violations:
            by_subject.setdefault(verdict.subject, []).append(verdict)
        causes = [
            Cause(subject, sum(each.severity for each in found), found[0].sentence, _checks(found))
            for subject, found in by_subject.items()
        ]
        return tuple(sorted(causes, key=lambda cause: (-cause.severity, cause.subject)))


def _checks(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(verdict.check for verdict in verdicts))


def ranked(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts in the order people read them: violated by severity, failed, undecided, kept."""
    order = (Outcome.VIOLATED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.KEPT)
    return tuple(sorted(verdicts, key=lambda one: (order.index(one.outcome), -one.severity)))
