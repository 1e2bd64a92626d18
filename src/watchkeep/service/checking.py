"""Checking a window against a baseline."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from time import perf_counter
from typing import Self

from watchkeep.alarms.sightings import panel_of
from watchkeep.alarms.watch import MARGIN, Panel
from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.buckets import buckets_of
from watchkeep.constraints.constraint import Constraint
from watchkeep.constraints.policy import Policy
from watchkeep.core.window import Window
from watchkeep.formats import archive, constraints, statistics, violations
from watchkeep.formats.constraint_list import retyped, to_constraints
from watchkeep.formats.constraints import Constraints
from watchkeep.formats.report import (
    baseline_document,
    baseline_statistics,
    report_document,
    violations_document,
    window_statistics,
)
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.data_quality.evaluation import evaluate
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile
from watchkeep.profiles.scan import Scan
from watchkeep.service.evenly import evenly
from watchkeep.service.folding import HERE, Engine, Fold, counted, fresh
from watchkeep.service.learned import Begin, only_answers, timed
from watchkeep.service.ports import Progress, Silent, Source
from watchkeep.service.reading import EVENT, ask_of
from watchkeep.service.review import Review
from watchkeep.service.rows import chosen_otherwise, rows_of
from watchkeep.service.weighing import own_weights, weighed


def scan_window(
    baseline: Baseline,
    source: Source,
    *,
    window: Window,
    dialect: Dialect,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> Profile:
    """The states of a window's rows, counted by the baseline's plan.

    Raises:
        EmptySourceError: no row is left to analyse.
        SourceError: the source cannot be read.
    """
    source = evenly(rows_of(source, baseline.roles), baseline.roles, window)
    ask = ask_of(source, baseline.roles, positional=baseline.names or None, window=window)
    fold = Fold.counting(Scan, baseline.plan(dialect))
    return counted(engine, source, ask, fold, progress=progress or Silent(), what="Checking the window")


def _told_apart(baseline: Baseline, source: Source, given: Roles) -> Baseline:
    """The baseline with other roles, and without the columns they ignore.

    Raises:
        MissingColumnError: a role names a column that neither the baseline nor the window has.
    """
    roles = baseline.roles.under(given)
    if not {*given.named(), *given.ignored} <= {*baseline.names, *EVENT}:
        window = source.schema(ask_of(source, Roles())).names
        given.require(list(dict.fromkeys([*baseline.names, *window, *EVENT])))
    columns = tuple(replace(one, role=roles.of(one.name)) for one in baseline.columns)
    gone = {one.name for one in columns if one.role is Role.IGNORED}
    together = baseline.joint is not None and not gone.intersection(baseline.joint.plan.columns)
    related = baseline.relations is not None and not gone.intersection(
        (*baseline.relations.plan.keys, *baseline.relations.subjects)
    )
    kept = tuple(one for one in columns if one.name not in gone)
    timeline = baseline.timeline if roles.timestamp == baseline.roles.timestamp else None
    return replace(
        baseline,
        roles=roles,
        columns=kept,
        timeline=None if timeline is None else timeline.only(baseline.buckets, buckets_of(kept)),
        joint=baseline.joint if together else None,
        relations=baseline.relations if related else None,
        constraints=tuple(
            one
            for one in baseline.constraints
            if one.subject not in gone and (together or one.measure != "mmd")
        ),
    )


@dataclass(frozen=True, eq=False)
class DataLearned:
    """A baseline of data quality and its constraints as a document; see `Learned`.

    Args:
        baseline: the states; its constraints are those of the document.
        document: `constraints.json`: suggested, or edited since.
        suggested: what the rules suggested, by key.
    """

    baseline: Baseline
    document: Constraints
    suggested: Mapping[tuple[str, str, str, str], Constraint]

    @property
    def columns(self) -> tuple[str, ...]:
        """See `Learned`."""
        return tuple(column.name for column in self.baseline.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """See `Learned`."""
        return self.baseline.names

    @cached_property
    def id(self) -> str:
        """See `Learned`."""
        return archive.identity(self.baseline)

    @cached_property
    def states_id(self) -> str:
        """See `Learned`."""
        return archive.states_identity(self.baseline)

    def packed(self) -> bytes:
        """See `Learned`."""
        return archive.pack(self.baseline, tuple(self.suggested.values()))

    def files(self) -> dict[str, dict[str, object]]:
        """See `Learned`."""
        return {
            statistics.DOCUMENT: baseline_statistics(self.baseline.columns, self.baseline.rows).document(),
            constraints.DOCUMENT: self.document.document(),
        }

    def told(self) -> dict[str, object]:
        """See `Learned`."""
        return baseline_document(self.baseline)

    def files_of(self, findings: Findings) -> dict[str, dict[str, object]]:
        """See `Learned`."""
        return {
            statistics.DOCUMENT: window_statistics(findings).document(),
            constraints.DOCUMENT: self.document.document(),
            violations.DOCUMENT: violations_document(findings).document(),
        }

    def report(self, findings: Findings) -> dict[str, object]:
        """See `Learned`."""
        return report_document(findings, baseline_id=self.id)

    def in_force(self, dialect: Dialect) -> Self:
        """See `Learned`."""
        columns = retyped(self.baseline, self.document)
        limits = to_constraints(self.document, columns, dialect, self.suggested)
        return replace(self, baseline=replace(self.baseline, columns=columns, constraints=limits))

    def begin(self, dialect: Dialect) -> Begin:
        """See `Learned`."""
        return fresh(Scan, self.baseline.plan(dialect))

    def scan(self, source: Source, *, window: Window, dialect: Dialect, engine: Engine = HERE) -> Profile:
        """See `Learned`."""
        return scan_window(self.baseline, source, window=window, dialect=dialect, engine=engine)

    def judge(
        self, profile: Profile, *, window: Window, policy: Policy, source: str, created: datetime
    ) -> Findings:
        """See `Learned`."""
        return evaluate(self.baseline, profile, window=window, policy=policy, source=source, created=created)

    def panel(self, *, false_alarms: float, margin: float = MARGIN) -> Panel:
        """See `Learned`."""
        return panel_of(self.baseline, false_alarms=false_alarms, margin=margin)

    def check(
        self,
        source: Source,
        *,
        window: Window,
        policy: Policy,
        created: datetime,
        roles: Roles | None = None,
        progress: Progress | None = None,
        review: Review | None = None,
        search: bool = False,
        engine: Engine = HERE,
    ) -> Findings:
        """See `Learned`."""
        only_answers(self.baseline.kind, review, search=search)
        started = perf_counter()
        baseline = self.in_force(policy.dialect).baseline
        if roles is not None:
            baseline = _told_apart(baseline, source, roles)
        source = rows_of(source, baseline.roles)
        profile = scan_window(
            baseline, source, window=window, dialect=policy.dialect, engine=engine, progress=progress
        )
        read = perf_counter()
        findings = evaluate(
            baseline, profile, window=window, policy=policy, source=source.name, created=created
        )
        findings = chosen_otherwise(findings, baseline.roles.where, self.baseline.roles.where)
        weights = own_weights(source, baseline.roles, window)
        return timed(weighed(findings, weights, even=True), started, read)
