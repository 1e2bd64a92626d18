"""Stored windows, judged again one after the other: no row is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Final

from watchkeep.adapters.state_files import open_shelf
from watchkeep.alarms.record import Record
from watchkeep.app.api import Baseline, Report
from watchkeep.app.watching import Watch
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window
from watchkeep.formats.replay import Judged, replay_document
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.profile import Profile
from watchkeep.service.learned import Learned
from watchkeep.service.state_catalogue import Key
from watchkeep.service.state_store import Held, StateStore
from watchkeep.service.state_tree import OF_DAYS, OF_HOURS, OF_WEEKS, Level

ALL: Final = "all"
"""The whole stretch as one window."""
LEVELS: Final[Mapping[str, Level]] = MappingProxyType({"hour": OF_HOURS, "day": OF_DAYS, "week": OF_WEEKS})
EVERY: Final = (*LEVELS, ALL)
"""How long windows are."""


def states_of(learned: Learned, where: str | Path, dialect: Dialect) -> StateStore:
    """The stored states of a baseline, in a folder or behind a URL. Nothing is made yet.

    Raises:
        OptionError: it is neither.
    """
    key = Key(baseline=learned.states_id, dialect=str(dialect), kind=learned.baseline.kind)
    return StateStore(open_shelf(where), key)


def level_of(every: str, *, option: str = "every") -> Level | None:
    """The level of the windows of some length; None for one window.

    Raises:
        OptionError: there is none so long.
    """
    if every not in EVERY:
        raise OptionError(option, got=every, expected=f"one of {', '.join(EVERY)}", choices=EVERY)
    return LEVELS.get(every)


@dataclass(frozen=True, eq=False, kw_only=True)
class Replay:
    """What stored windows said when they were judged again.

    Args:
        windows: each as it was judged, in order.
        watch: all that a watch remembers that observed them.
        held: which hours are stored.
        beside: rejected rows that only longer windows count, by reason.
        skipped: files that could not be read when hours were stored, of which only longer windows know, with why.
        about: whose states, where, against what, how long the windows are.
        policy: the standard.
        created: when.
        seconds: that it took.
        report: of the window, where it is only one.
    """

    windows: tuple[Judged, ...]
    watch: Record
    held: Held
    beside: Mapping[str, int]
    skipped: Mapping[str, str]
    about: Mapping[str, object]
    policy: Policy
    created: datetime
    seconds: float
    report: Report | None

    @property
    def alarms(self) -> tuple[Judged, ...]:
        """The windows at which the watch rang."""
        return tuple(one for one in self.windows if one.decision.alarm)

    @property
    def violated(self) -> tuple[Judged, ...]:
        """The windows in which a limit was violated."""
        return tuple(one for one in self.windows if one.violations)

    def document(self) -> dict[str, object]:
        """The JSON object."""
        return replay_document(
            self.windows,
            about=self.about,
            created=self.created,
            policy=self.policy,
            window=self.held.window or Window(),
            hours=self.held.hours,
            missing=self.held.missing,
            beside=self.beside,
            skipped=self.skipped,
            seconds=self.seconds,
        )

    def __repr__(self) -> str:
        return (
            f"<Replay of {len(self.windows)} windows: {len(self.alarms)} alarms, "
            f"{len(self.violated)} with violations>"
        )


def reports(
    learned: Learned, states: StateStore, window: Window, *, policy: Policy, every: str
) -> Iterator[Report]:
    """The report of every stored window that holds a row, in order.

    Args:
        learned: the baseline.
        states: its stored states.
        window: which of them; it begins and ends at whole hours.
        policy: the standard.
        every: how long windows are, see `EVERY`.

    Raises:
        EmptySourceError: nothing is stored of the window.
        MissingSourceError: there is no store.
        OptionError: the window cuts an hour, or days whose hours were dropped.
        StoreError: the store is of another baseline, or a file of it is damaged.
    """
    force, level = learned.in_force(policy.dialect), level_of(every)
    whole = spanned(states, window)  # the last day may not be over yet
    found = states.each(level, whole) if level is not None else iter([(whole, states.over(window))])
    for part, profile in found:
        if profile.rows:
            findings = force.judge(
                profile, window=part, policy=policy, source=states.name, created=datetime.now(UTC)
            )
            yield Report(findings, learned)


def spanned(states: StateStore, window: Window) -> Window:
    """A window whose open sides are where the stored hours begin and end."""
    held = states.held(window).window or Window()
    return Window(window.start or held.start, window.end or held.end)


def replay(
    learned: Learned,
    states: StateStore,
    window: Window,
    *,
    policy: Policy,
    every: str = "day",
    limits: Path | None = None,
) -> Replay:
    """Judge stored windows one after the other, as a new watch sees them.

    Args:
        learned: the baseline, with the limits to judge by.
        states, window, policy, every: see `reports`.
        limits: the file of limits, where they are not the baseline's own.

    Raises:
        EmptySourceError: nothing is stored of the window.
        MissingSourceError: there is no store.
        OptionError: the window cuts an hour, or days whose hours were dropped; or the budget is not one of a watch.
        StoreError: the store is of another baseline, or a file of it is damaged.
    """
    started, level = perf_counter(), level_of(every)
    held = states.held(window)
    watch = Watch(Baseline(learned), false_alarms=policy.false_alarms)
    judged, report = [], None
    for report in reports(learned, states, window, policy=policy, every=every):
        watch.observe(report)
        judged.append(_judged(report))
    if not judged:
        raise states.nothing()
    about = {
        "monitor": learned.baseline.kind,
        "states": states.name,
        "every": every,
        "baseline": {"id": learned.id, "states_id": learned.states_id},
        "limits": None if limits is None else str(limits),
    }
    longer = Profile() if level is None else states.beside(level, window)
    return Replay(
        windows=tuple(judged),
        watch=watch.record,
        held=held,
        beside=longer.rejected,
        skipped=longer.skipped,
        about=about,
        policy=policy,
        created=datetime.now(UTC),
        seconds=perf_counter() - started,
        report=report if level is None else None,
    )


def _judged(report: Report) -> Judged:
    findings = report.findings
    return Judged(
        window=findings.window,
        rows=findings.profile.rows,
        rejected=findings.profile.rejected,
        outcomes=findings.outcomes(),
        violations=findings.violations,
        decision=report.decision,
    )
