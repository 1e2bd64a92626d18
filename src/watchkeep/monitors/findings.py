"""What a monitor found in one window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

from watchkeep.alarms.decision import Decision
from watchkeep.alarms.watch import Sighting
from watchkeep.causes.clues import Clues
from watchkeep.causes.ranking import Cause, causes, chart_of
from watchkeep.constraints import checks
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Value
from watchkeep.core.verdicts import DATASET, Outcome, Status, Verdict
from watchkeep.core.window import Window
from watchkeep.measures.columns import Column
from watchkeep.profiles.left_out import TOLERATED, share_left_out, too_much_left_out
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
class Weighing:
    """How rows counted that stand for others, which were left out of a sample.

    Args:
        column: that tells how many rows each stands for.
        used: whether each counted as that many; else each counted once.
        even: whether it did by leaving rows out, so that all the others stand for the same number.
    """

    column: str
    used: bool
    even: bool


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
        clues: what was noticed of why the window differs.
        unmatched: rows analysed that have no label, where labels were joined to them.
        weighing: how rows counted that stand for others; None where each stands for itself, or a role says it.
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
    clues: Clues = Clues()  # noqa: RUF009 (it never changes)
    unmatched: int = 0
    weighing: Weighing | None = None
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

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """What lies behind the violations and the decision, the first to look at first."""
        return causes(self.verdicts, self.clues, {one.name: chart_of(one.name) for one in self.columns})


def of_left_out(profile: Profile) -> list[Verdict]:
    """What to say where so many files were left out that nothing can be said of the whole; nothing where few were."""
    why = too_much_left_out(profile)
    if not why:
        return []
    share = share_left_out(profile)
    return [
        Verdict(
            check=checks.DAMAGED_FILES,
            measure="left_out",
            subject=DATASET,
            outcome=Outcome.UNDECIDED,
            value=share,
            limit=TOLERATED,
            side="at_most",
            sentence=f"{DATASET}: {why}",
            evidence={"files": profile.files.met, "left_out": profile.files.lost},
        )
    ]


def ranked(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts in the order people read them: violated by severity, failed, undecided, kept."""
    order = (Outcome.VIOLATED, Outcome.FAILED, Outcome.UNDECIDED, Outcome.KEPT)
    return tuple(sorted(verdicts, key=lambda one: (order.index(one.outcome), -one.severity)))
