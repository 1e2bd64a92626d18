"""From states to verdicts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np

from watchkeep.alarms.decision import Decision
from watchkeep.alarms.sightings import panel_of, sighting_of
from watchkeep.alarms.witness import Change
from watchkeep.baselines.baseline import Baseline
from watchkeep.causes.clues import Clues
from watchkeep.causes.drift import drifts
from watchkeep.causes.patterns.naming import bugs_of
from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side, Sizes
from watchkeep.constraints.judging import Judgement, judge
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import DATASET, Outcome, Verdict
from watchkeep.core.window import Window
from watchkeep.measures.columns import Column, Histograms
from watchkeep.measures.index import finish_all
from watchkeep.monitors.data_quality.dataset import OF_WINDOW, Dataset, dataset
from watchkeep.monitors.data_quality.sentences import sentence
from watchkeep.monitors.findings import Findings, Measured, of_left_out, ranked
from watchkeep.profiles.profile import Profile
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.codec import State
from watchkeep.states.presence import Presence
from watchkeep.states.value_types import ValueTypes
from watchkeep.stats.tails import all_alike

RELATED: Final = 3
"""Columns that are told where only how columns hang together has changed."""


def evaluate(
    baseline: Baseline,
    profile: Profile,
    *,
    window: Window,
    policy: Policy,
    source: str,
    created: datetime,
    timing: Mapping[str, float] | None = None,
) -> Findings:
    """Judge a window's states against a baseline. Neither is changed.

    Args:
        baseline: what the model learned from.
        profile: the window's states, scanned by the baseline's plan.
        window: its bounds.
        policy: the standard.
        source: what was read, for people.
        created: now.
        timing: seconds by step, to be told in the report.
    """
    whole = dataset(baseline, profile, window)
    columns = _columns(baseline, profile, whole, policy)
    values = {column.name: finish_all(column) for column in columns}
    values[DATASET] = values.get(DATASET, {}) | dict(whole.measures)  # a column may have that name too
    verdicts = [
        _verdict(check, name, 1.0, 0.0, f"{name}: {text}")
        for check, names, text in (
            (checks.MISSING_COLUMN, whole.missing, "the window has no such column; the baseline has"),
            (checks.EXTRA_COLUMN, whole.extra, "the baseline has no such column; the window has"),
        )
        for name in names
    ]
    by_name = {column.name: column for column in columns}
    gone = {*whole.missing, *whole.awaited}
    judged = [
        one
        for one in baseline.constraints
        if (one.subject not in gone or one.measure in whole.measures) and asked(one, window)
    ]
    level = policy.false_alarms / max(1, len(judged))
    panel = panel_of(baseline, false_alarms=policy.false_alarms)
    sighting = sighting_of(panel, baseline, profile, window)
    verdicts += [
        _judged(constraint, by_name.get(constraint.subject), values, whole, policy, level)
        for constraint in judged
    ]
    decision = panel.observe(panel.start(), sighting)[1]
    listed = ranked([*verdicts, *of_left_out(profile)])
    return Findings(
        baseline=baseline,
        profile=profile,
        window=window,
        policy=policy,
        columns=columns,
        measures=tuple(
            Measured(measure, subject, value)
            for subject in dict.fromkeys((DATASET, *by_name))
            for measure, value in values[subject].items()
        ),
        verdicts=listed,
        source=source,
        created=created,
        timing=timing or {},
        sighting=sighting,
        decision=decision,
        clues=_clues(baseline, profile, columns, listed, decision),
    )


def _clues(
    baseline: Baseline,
    profile: Profile,
    columns: Sequence[Column],
    verdicts: Sequence[Verdict],
    decision: Decision,
) -> Clues:
    """How far columns moved, which did for sure, and which look like a data bug."""
    named = {name: decision.changes.get(name, "") for name in decision.named}
    if decision.alarm and set(named.values()) == {Change.RELATION}:
        # It takes two for a relation to change: which of them broke, evidence tells best, and not for sure.
        named |= dict.fromkeys([*decision.evidence][:RELATED], str(Change.RELATION))
    violated = {one.subject for one in verdicts if one.outcome is Outcome.VIOLATED}
    if not named and not violated:
        return Clues()
    buckets = baseline.buckets
    return Clues(
        drifts=drifts(buckets, buckets.counts(profile, baseline.columns)),
        named=named,
        evidence=decision.evidence,
        bugs=bugs_of(columns, named.keys() | violated),
    )


def asked(constraint: Constraint, window: Window) -> bool:
    """Whether a constraint has anything to judge: volume and freshness are about a window somebody named."""
    return window.end is not None or constraint.measure not in OF_WINDOW


def _columns(baseline: Baseline, profile: Profile, whole: Dataset, policy: Policy) -> tuple[Column, ...]:
    domains = {one.subject: frozenset(one.domain) for one in baseline.constraints if one.domain is not None}
    by_column: dict[str, dict[str, State]] = {column.name: {} for column in baseline.columns}
    for (name, part), state in profile.parts.items():
        if name in by_column and name not in (*whole.missing, *whole.awaited):
            by_column[name][part] = state
    return tuple(
        Column(
            name=column.name,
            role=column.role,
            type=column.type,
            baseline=column.parts,
            window=by_column[column.name],
            domain=domains.get(column.name),
            dialect=policy.dialect,
        )
        for column in baseline.columns
    )


def _judged(
    constraint: Constraint,
    column: Column | None,
    values: Mapping[str, Mapping[str, Value]],
    whole: Dataset,
    policy: Policy,
    level: float,
) -> Verdict:
    value = values.get(constraint.subject, {}).get(
        constraint.measure, Undefined(f"{constraint.subject} has no measure {constraint.measure!r}")
    )
    try:
        judgement = judge(constraint, value, _sizes(constraint, column, whole), policy, level=level)
    except (ArithmeticError, ValueError) as error:
        # What goes wrong in one verdict is that verdict's: the others still report.
        judgement = Judgement(Outcome.FAILED, f"judging failed: {error}")
    return judgement.verdict(constraint, value, sentence(constraint, value, judgement, column))


def _sizes(constraint: Constraint, column: Column | None, whole: Dataset) -> Sizes:
    if column is None or constraint.measure in whole.measures:
        return {"mmd": whole.sizes, "rejected": whole.read}.get(constraint.measure, Sizes(n=0, m=0))
    before = column.before("presence", Presence) or Presence()
    if constraint.measure == "completeness":
        return Sizes(n=column.presence.rows, m=before.rows)
    if constraint.measure in checks.DISTANCES and isinstance(column.fine, Histograms):
        fine = column.fine
        bins = 1 if fine.values is not None else int(np.count_nonzero(fine.baseline + fine.window))
        return Sizes(n=fine.n, m=fine.m, bins=bins)
    if constraint.check == checks.CONSTANT and constraint.side is Side.AT_LEAST and constraint.limit == 2:
        return _stuck(column, m=before.present)
    types = column.now("types", ValueTypes)
    present = column.presence.present
    if constraint.measure == "type_match" and types is not None:
        present = types.total
    return Sizes(n=present, m=before.present)


def _stuck(column: Column, *, m: int) -> Sizes:
    """How likely the window's numbers are all the same by chance: a few zeros of a column full of them are no fault."""
    bins, counts = column.before("bins", Bins), column.now("bin_counts", BinCounts)
    if bins is None or not bins.total or counts is None or not counts.total:
        return Sizes(n=0, m=m, chance=Undefined("distinct needs 1 number, has 0"))
    chance = all_alike(counts.total, heaviest=int(bins.counts.max()), m=bins.total)
    return Sizes(n=counts.total, m=bins.total, chance=chance)


def _verdict(check: str, subject: str, value: float, limit: float, text: str) -> Verdict:
    return Verdict(
        check=check,
        measure="missing_columns" if check == checks.MISSING_COLUMN else "extra_columns",
        subject=subject,
        outcome=Outcome.VIOLATED,
        value=value,
        limit=limit,
        sentence=text,
        side=str(Side.AT_MOST),
        severity=50.0 if check == checks.MISSING_COLUMN else 10.0,
    )
