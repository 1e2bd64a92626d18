"""Checking one window against all the baselines of a model: one ranking of causes over all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from watchkeep.alarms.decision import COLUMNS, MEASURES, Decision
from watchkeep.alarms.sentences import KINDS as CHANGES
from watchkeep.causes.clues import Clues
from watchkeep.causes.ranking import Cause, causes, chart_of, told_elsewhere
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import WatchkeepError
from watchkeep.core.verdicts import Outcome, Status, Verdict
from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.monitors.findings import Findings, ranked
from watchkeep.service.folding import HERE, Engine
from watchkeep.service.learned import KINDS, Learned
from watchkeep.service.ports import Progress, Source


@dataclass(frozen=True, slots=True, eq=False)
class Monitored:
    """What one of a model's monitors found.

    Args:
        name: of its baseline.
        kind: of its baseline; empty where that cannot be read.
        learned: the baseline; None where it cannot be read.
        findings: what it found; None when it could not be run.
        failure: why not.
    """

    name: str
    kind: str
    learned: Learned | None
    findings: Findings | None
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Together:
    """What all the monitors of a model found in one window.

    Args:
        monitored: each, in the order of their kinds.
        source: what was read, for people.
        window: its bounds.
        policy: the standard.
        created: when.
    """

    monitored: tuple[Monitored, ...]
    source: str
    window: Window
    policy: Policy
    created: datetime

    @property
    def found(self) -> tuple[tuple[str, Findings], ...]:
        """What those found that could be run, by name."""
        return tuple((one.name, one.findings) for one in self.monitored if one.findings is not None)

    @property
    def status(self) -> Status:
        """Failed where a monitor could not be run, else whether anything was violated."""
        if len(self.found) < len(self.monitored):
            return Status.FAILED
        violated = any(findings.violations for _, findings in self.found)
        return Status.COMPLETED_WITH_VIOLATIONS if violated else Status.COMPLETED

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Of all, gravest first; of equally grave ones those of the data come first."""
        return ranked([verdict for _, findings in self.found for verdict in findings.verdicts])

    @property
    def violations(self) -> tuple[Verdict, ...]:
        """The violated ones."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.VIOLATED)

    @property
    def decision(self) -> Decision | None:
        """The decision with the most evidence of a change."""
        decided = self._decided
        return None if decided is None else decided[1].decision

    @property
    def decided(self) -> str:
        """The monitor whose decision that is; empty when there is none."""
        return "" if self._decided is None else self._decided[0]

    @property
    def _decided(self) -> tuple[str, Findings] | None:
        return max(self.found, key=lambda one: one[1].decision.level, default=None)

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """What lies behind all that was found, the first to look at first."""
        listed = [verdict for _, findings in self.found for verdict in findings.verdicts]
        clues = Clues().merge(*(findings.clues for _, findings in self.found))
        charts: dict[str, str] = {}
        for name, findings in self.found:
            for column in findings.columns:
                charts.setdefault(column.name, f"{page_of(name)}{chart_of(column.name)}")
        ranked = causes(listed, clues, charts)
        known = {cause.subject for cause in ranked}
        named = [one for name, findings in self.found for one in _named(name, findings)]
        return (*ranked, *(one for one in named if one.subject not in known))


def _named(name: str, findings: Findings) -> Sequence[Cause]:
    """What a monitor's decision names that is no column, and no violated limit speaks of already."""
    decision = findings.decision
    if decision.about == COLUMNS:  # those are ranked
        return []
    told = {part for one in findings.violations for part in (one.subject, one.measure)}
    return [
        told_elsewhere(
            subject,
            subject.replace("_", " ") if decision.about == MEASURES else subject,
            CHANGES.get(decision.changes.get(subject, ""), "changed"),
            chart=f"{page_of(name)}#evidence",
        )
        for subject in decision.named
        if subject not in told
    ]


def page_of(name: str) -> str:
    """Where the page of a monitor's report lies, beside that of all together.

    >>> page_of("a#b")
    'monitors/a%23b/report.html'
    """
    return f"monitors/{quote(name, safe='')}/report.html"


Opened = Callable[[Learned], tuple[Learned, Source]]
"""A baseline as it is to be checked (with its model), and the source to check (with its labels)."""


def check_together(
    learned: Mapping[str, Learned | WatchkeepError],
    opened: Opened,
    *,
    source: str,
    window: Window,
    policy: Policy,
    created: datetime,
    roles: Roles | None = None,
    progress: Progress | None = None,
    search: bool = False,
    engine: Engine = HERE,
) -> Together:
    """Check one window against each baseline. One that cannot be run does not keep the others from it.

    Args:
        learned: the baselines by name, or why one cannot be read.
        opened: see `Opened`.
        source: what is read, for people.
        window: keeps only rows of this time.
        policy: the standard.
        created: now.
        roles: which column is what, where it is not as baselines say.
        progress: is told how it goes.
        search: whether to search for segments where answers are worse.
        engine: who reads.

    Raises:
        WatchkeepError: none of them could be run; this is why the first could not.
    """
    done: list[Monitored] = []
    failures: list[Exception] = []
    for name in _in_order(learned):
        one, kind = learned[name], ""
        try:
            one = _readable(one)
            kind = one.baseline.kind
            one, rows = opened(one)
            findings = one.check(
                rows,
                window=window,
                policy=policy,
                created=created,
                roles=roles,
                progress=progress,
                search=search and kind == "model-quality",
                engine=engine,
            )
        except Exception as error:  # noqa: BLE001 (whatever it is, the others go on)
            ours = (
                ""
                if isinstance(error, WatchkeepError)
                else f"this is a fault of ours: {type(error).__name__}: "
            )
            failures.append(error)
            held = None if isinstance(one, WatchkeepError) else one
            done.append(Monitored(name, kind, held, None, f"{ours}{error}"))
        else:
            done.append(Monitored(name, kind, one, findings))
    if len(failures) == len(done):
        raise failures[0]
    return Together(tuple(done), source, window, policy, created)


def _readable(one: Learned | WatchkeepError) -> Learned:
    if isinstance(one, WatchkeepError):
        raise one
    return one


def _in_order(learned: Mapping[str, Learned | WatchkeepError]) -> Sequence[str]:
    def place(name: str) -> tuple[int, str]:
        one = learned[name]
        return (len(KINDS) if isinstance(one, WatchkeepError) else KINDS.index(one.baseline.kind)), name

    return sorted(learned, key=place)
