"""A window held against a baseline of attribution: explained, drawn, judged."""

from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.constraints.policy import Policy
from watchkeep.core.errors import ModelError
from watchkeep.core.undefined import Undefined
from watchkeep.core.window import Window
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.dependence import Dependence
from watchkeep.monitors.attribution.evaluation import AttributionFindings, evaluate_attribution
from watchkeep.monitors.attribution.halves import Halves
from watchkeep.monitors.attribution.measures import attributions, unexplained
from watchkeep.monitors.attribution.scan import AttributionScan
from watchkeep.profiles.profile import Profile
from watchkeep.service.attribution.captured import CAPTURED, none_explained
from watchkeep.service.attribution.causes import with_clues
from watchkeep.service.attribution.curves import LEAST, curves, largest, left_out, spread
from watchkeep.service.attribution.explained import ANEW, Nobody, alike, scanned
from watchkeep.service.attribution.explainers import Method
from watchkeep.service.attribution.metering import Metered
from watchkeep.service.folding import HERE, Engine
from watchkeep.service.learned import timed
from watchkeep.service.ports import Ask, Progress, Source

OF_CURVES: Final = 20
"""One in so many rows of what is left for curves may be spent on finding rows that they can be drawn of."""
NOBODY_ASKED = Undefined("attributions were captured, and there is no model to ask")


def check_attribution(
    baseline: AttributionBaseline,
    method: Method,
    source: Source,
    ask: Ask,
    *,
    window: Window,
    policy: Policy,
    created: datetime,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> AttributionFindings:
    """Check a window. A model that does not answer leaves every verdict about it undecided.

    Args:
        baseline: with the limits in force.
        method: how rows are explained.
        source, ask: the window's rows.
        window: its bounds.
        policy: the standard.
        created: now.
        engine: who reads.
        progress: is told how it goes.

    Raises:
        EmptySourceError: no row is left to analyse.
        ModelError: the model cannot be used with this baseline, or with these rows.
        SourceError: the source cannot be read.
    """
    started, plan, unanswered = perf_counter(), baseline.plan, ""
    try:
        baseline = alike(baseline, method, sagemaker=policy.dialect.sagemaker)
        scan = AttributionScan(plan, method)  # it shares what is left of the budget
        profile = scanned(scan, source, ask, engine=engine, progress=progress)
    except ModelError as error:
        if not error.answering:
            raise
        unanswered = str(error)
        scan = AttributionScan(plan, Nobody(), most=0)
        profile = scanned(scan, source, ask, engine=engine, progress=progress)
    if not unanswered and method.name == CAPTURED and not attributions(plan, profile):
        unanswered = none_explained(unexplained(profile))
    told = window_curves(baseline, method, scan, profile, unanswered)
    read = perf_counter()
    findings = evaluate_attribution(
        baseline,
        profile,
        window=window,
        policy=policy,
        source=source.name,
        created=created,
        unanswered=unanswered,
        values=np.concatenate(scan.values) if scan.values else None,
        dependence=told,
    )
    return timed(with_clues(findings, scan.sample, policy=policy, created=created), started, read)


def baseline_curves(baseline: AttributionBaseline, method: Method) -> tuple[Dependence, ...]:
    """The curves of a baseline by itself, of the features with the largest attribution."""
    features = largest(baseline.plan.features, baseline.attributed)
    if method.asked is None or baseline.kept is None:
        return left_out(features, baseline.kept, NOBODY_ASKED)
    kept = baseline.kept.select(list(baseline.plan.features))
    return curves(method.asked, features, _usable(method.asked, kept, baseline.profile))


def window_curves(
    baseline: AttributionBaseline, method: Method, scan: AttributionScan, profile: Profile, unanswered: str
) -> tuple[Dependence, ...]:
    """The curves of a window beside the baseline's, of the features with the largest attribution in either."""
    plan = baseline.plan
    now = attributions(plan, profile)
    features = largest(plan.features, now, baseline.attributed)
    if unanswered:
        why = Undefined(unanswered)
        known = tuple(replace(one, window=why) for one in baseline.dependence)
        return known or left_out(features, baseline.kept, why)
    if method.asked is None:
        return left_out(features, baseline.kept, NOBODY_ASKED)
    if baseline.kept is None:
        return left_out(features, None, Undefined("the baseline holds no rows"))
    names = list(plan.features)
    rows: pa.Table | Undefined = Undefined("no row was explained")
    if scan.sample is not None:
        rows = _usable(method.asked, scan.sample.select(names), profile)
    kept = _usable(method.asked, baseline.kept.select(names), baseline.profile)
    return curves(method.asked, features, kept, rows, known=baseline.dependence)


def _usable(asked: Metered, rows: pa.Table, profile: Profile) -> pa.Table:
    """Rows for curves: where some rows could not be explained, those of up to `ANEW` that the model can score.

    Where that would take too much of the budget, or too many fail, they are the rows as they are: curves tell why they
    fail.
    """
    most = min(ANEW, asked.left // OF_CURVES)
    if not unexplained(profile) or most < LEAST:
        return rows
    halves = Halves(asked.scores, lambda: asked.left)
    try:
        pieces = [piece for piece, _ in halves.explained(spread(rows, most))]
    except ModelError:
        return rows
    return pa.concat_tables(pieces).combine_chunks() if pieces else rows
