"""Checking a window against a baseline."""

from dataclasses import replace
from datetime import datetime
from time import perf_counter

from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.buckets import buckets_of
from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import EmptySourceError
from watchkeep.core.window import Window
from watchkeep.formats.constraint_list import retyped, to_constraints
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.data_quality.evaluation import evaluate
from watchkeep.monitors.findings import Findings
from watchkeep.profiles.profile import Profile
from watchkeep.profiles.scan import Scan
from watchkeep.service.baselining import Learned, no_rows
from watchkeep.service.ports import Progress, Silent, Source
from watchkeep.service.reading import EVENT, ask_of, told
from watchkeep.service.rows import rows_of


def in_force(learned: Learned, dialect: Dialect) -> Baseline:
    """The baseline with the constraints of its document, as a dialect judges them."""
    columns = retyped(learned.baseline, learned.document)
    constraints = to_constraints(learned.document, columns, dialect, learned.suggested)
    return replace(learned.baseline, columns=columns, constraints=constraints)


def scan_window(
    baseline: Baseline, source: Source, *, window: Window, dialect: Dialect, progress: Progress | None = None
) -> Profile:
    """The states of a window's rows, counted by the baseline's plan.

    Raises:
        EmptySourceError: no row is left to analyse.
        SourceError: the source cannot be read.
    """
    scan, source = Scan(baseline.plan(dialect)), rows_of(source, baseline.roles)
    ask = ask_of(source, baseline.roles, positional=baseline.names or None, window=window)
    for batch in told(source.batches(ask), progress or Silent(), "Checking the window"):
        scan.add(batch)
    scan.outside = ask.outside
    profile = scan.profile()
    if not profile.rows:
        outside = " in the window" if window.bounded and not profile.rejected else ""
        raise EmptySourceError(source.name, why=no_rows(profile.rejected) + outside)
    return profile


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


def check(
    learned: Learned,
    source: Source,
    *,
    window: Window,
    policy: Policy,
    created: datetime,
    roles: Roles | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Check one window.

    Args:
        learned: the baseline.
        source: the window's rows.
        window: keeps only rows of this time.
        policy: the standard.
        created: now.
        roles: which column is what, where it is not as the baseline says.
        progress: is told how it goes.

    Raises:
        EmptySourceError: no row is left to analyse.
        MissingColumnError: a role names a column that is nowhere.
        SourceError: the source cannot be read.
    """
    started = perf_counter()
    baseline = in_force(learned, policy.dialect)
    if roles is not None:
        baseline = _told_apart(baseline, source, roles)
    source = rows_of(source, baseline.roles)
    profile = scan_window(baseline, source, window=window, dialect=policy.dialect, progress=progress)
    read = perf_counter()
    findings = evaluate(
        baseline, profile, window=window, policy=policy, source=source.name, created=created, timing={}
    )
    judged = perf_counter()
    timing = {"read_seconds": read - started, "judge_seconds": judged - read, "seconds": judged - started}
    return replace(findings, timing=timing)
