"""Why attributions changed: what moved among the features a model uses, told from the rows that were explained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.causes.carriers import carriers
from watchkeep.causes.clues import Clues
from watchkeep.causes.patterns.naming import bugs_of
from watchkeep.causes.patterns.pattern import Bug
from watchkeep.causes.ranking import causes
from watchkeep.constraints import checks
from watchkeep.constraints.policy import Policy
from watchkeep.core.verdicts import DATASET
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import truths
from watchkeep.frames.roles import Roles
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.evaluation import AttributionFindings
from watchkeep.monitors.attribution.measures import Attributed
from watchkeep.monitors.attribution.plan import AttributionPlan, Place
from watchkeep.monitors.findings import Findings
from watchkeep.service.baselining import learn
from watchkeep.service.checking import DataLearned
from watchkeep.service.held import Held

FEWEST: Final = 100
"""Rows of the baseline, and of the window, below which they are not compared."""
SEARCHED: Final = 5
"""Causes, from the first, for which the slices that carry them are searched."""
UNMOVED: Final = (
    "the model answers otherwise than it did: what its answers rest on has changed, and no feature's values have;"
    " it may be another model, or asked in another way"
)
"""What is said of a model where nothing else has changed."""
LEAST: Final = 0.02
"""The drift from which on slices that carry it are searched."""
MOST: Final = 0.95
"""The drift beyond which all rows share it."""


def with_clues(
    findings: AttributionFindings,
    rows: pa.Table | None,
    *,
    policy: Policy,
    created: datetime,
) -> AttributionFindings:
    """Findings that know which features moved, how much answers rest on each, and who carries the change.

    The rows are compared as the monitor of data quality compares rows.

    Args:
        findings: of the window.
        rows: of the window, chosen at random; None when there is none.
        policy: the standard.
        created: now.
    """
    plan, kept = findings.against.plan, findings.against.kept
    weighs = Clues(
        importance=importance(plan, findings.against.attributed, findings.attributed), parts=parts(plan)
    )
    if kept is None or rows is None or min(kept.num_rows, rows.num_rows) < FEWEST:
        return replace(findings, clues=weighs)
    shared = [name for name in (*plan.features, *plan.beside) if name in rows.column_names]
    compared = _Compared(kept.select(shared), rows.select(shared), plan.dialect, policy, created)
    moved = compared.findings
    told = {one.subject: one.sentence for one in reversed(moved.violations) if one.subject in plan.features}
    named = dict.fromkeys(told, "") | {
        name: how for name, how in moved.clues.named.items() if name in plan.features
    }
    rests = any(one.check in checks.OF_ATTRIBUTION for one in findings.violations)
    model = UNMOVED if (rests or findings.decision.alarm) and not named else ""
    clues = weighs.merge(replace(moved.clues, named=named, sentences=told, model=model))
    bugs, segments = dict(clues.bugs), {}
    for name in [one.subject for one in causes(findings.verdicts, clues) if one.subject in named][:SEARCHED]:
        known = bugs.get(name)
        if LEAST < clues.drifts.get(name, 0.0) < MOST and (known is None or known.share < MOST):
            segments[name] = compared.carriers(name)
            own = compared.bug_where(segments[name], name) if known is None else None
            bugs |= {} if own is None else {name: own}
    drawn = tuple(column for column in moved.columns if column.name in named)
    return replace(findings, clues=replace(clues, bugs=bugs, segments=segments), columns=drawn)


@dataclass(frozen=True, eq=False)
class _Compared:
    """Rows of a baseline and of a window, compared as the monitor of data quality does."""

    before: pa.Table
    now: pa.Table
    dialect: Dialect
    policy: Policy
    created: datetime

    @cached_property
    def learned(self) -> DataLearned:
        return learn(
            Held(self.before, "reference rows"),
            Roles(),
            kind="data-quality",
            dialect=self.dialect,
            created=self.created,
        )

    @cached_property
    def findings(self) -> Findings:
        window = Held(self.now, "rows of the window")
        return self.learned.check(window, window=Window(), policy=self.policy, created=self.created)

    def carriers(self, name: str) -> tuple[str, ...]:
        """The slices that carry a column's change."""
        return carriers(self.learned.baseline.columns, name, self.before, self.now, self.dialect)

    def bug_where(self, rules: Sequence[str], name: str) -> Bug | None:
        """The data bug that a column shows in the first of some slices; None without one."""
        if not rules:
            return None
        segment = Segment(rules[0], rules[0])
        before, now = (
            each.filter(truths(segment.mask(Batch.of(each)))).select([name])
            for each in (self.before, self.now)
        )
        if min(before.num_rows, now.num_rows) < FEWEST:
            return None
        own = replace(self, before=before, now=now)
        return bugs_of(own.findings.columns, {name}, local=True).get(name)


def parts(plan: AttributionPlan) -> dict[str, str]:
    """What a feature in a segment, or of an output, is a part of: the feature; and a place by itself: the dataset."""
    told = {plan.subject(place): DATASET for place in plan.places}
    return told | {plan.subject(place, name): name for place in plan.places for name in plan.features}


def importance(
    plan: AttributionPlan, before: Mapping[Place, Attributed], now: Mapping[Place, Attributed]
) -> dict[str, float]:
    """Each feature's share of all attribution, in the baseline or in the window, the larger; the mean over outputs."""
    shares = [
        np.mean(
            [side[place].shares for place in plan.places if place.segment is None and place in side], axis=0
        )
        for side in (before, now)
        if any(place.segment is None for place in side)
    ]
    if not shares:
        return {}
    return dict(zip(plan.features, np.max(shares, axis=0).tolist(), strict=True))
