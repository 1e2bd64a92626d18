"""From counted answers to verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np

from watchkeep.alarms.decision import MEASURES
from watchkeep.alarms.sightings import TIMED_PRICE, sighted
from watchkeep.alarms.watch import MARGIN, PRICE, Panel, Sighting
from watchkeep.causes.clues import Clues
from watchkeep.constraints.constraint import Constraint, Sizes
from watchkeep.constraints.judging import judge
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET, Outcome, Verdict
from watchkeep.core.window import Window
from watchkeep.monitors.findings import Findings, Measured, of_left_out, ranked
from watchkeep.monitors.model_quality.baseline import QualityBaseline, counts_of
from watchkeep.monitors.model_quality.days import length_of
from watchkeep.monitors.model_quality.drift import FEWEST, JUDGED, before_labels, drifted
from watchkeep.monitors.model_quality.estimates import estimates
from watchkeep.monitors.model_quality.found_segments import FoundSegments
from watchkeep.monitors.model_quality.losses import means_of, sums_of
from watchkeep.monitors.model_quality.measures import (
    FEW_REPLICATES,
    REPLICATES,
    Counts,
    Quality,
    Sampled,
    quality,
)
from watchkeep.monitors.model_quality.mix import effects_of_mix
from watchkeep.monitors.model_quality.sentences import sentence
from watchkeep.profiles.left_out import too_much_left_out
from watchkeep.profiles.profile import Profile
from watchkeep.stats.expected_counts import Estimated

_POSITIVES: Final = ("recall", "true_positive_rate", "false_negative_rate", "f0_5", "f1", "f2", "pr_auc")
_NEGATIVES: Final = ("true_negative_rate", "false_positive_rate")
_BOTH: Final = ("auc", "balanced_accuracy", "matthews")


@dataclass(frozen=True, kw_only=True, eq=False)
class QualityFindings(Findings):
    """All that a run over answers found.

    Args:
        against: the baseline, whole.
        quality: of the window.
        segments: of slices of it, by name.
        estimates: what was expected of measures before any label was looked at, by name.
        found: segments that nobody asked for; None when they were not searched.
        review: answers that are least certain, as JSON; None when nobody asked.
        join: what became of predictions and labels that were joined, as JSON; None when labels stood beside them.
    """

    against: QualityBaseline
    quality: Quality
    segments: Mapping[str, Quality] = field(default_factory=dict)
    estimates: Mapping[str, Estimated] = field(default_factory=dict)
    found: FoundSegments | None = None
    review: Mapping[str, object] | None = None
    join: Mapping[str, object] | None = None


def panel_of_quality(baseline: QualityBaseline, *, false_alarms: float, margin: float = MARGIN) -> Panel:
    """What a watch over these answers listens to."""
    witness = means_of(baseline.plan, counts_of(baseline.profile, DATASET), baseline.days)
    rows = baseline.quality.labelled if witness.sums.any() else 0  # files may tell rows and not their losses
    price = PRICE if baseline.days is None else TIMED_PRICE
    return Panel(
        ((witness, 1.0),),
        false_alarms,
        rows,
        margin,
        alike=False,
        price=price,
        unit="labelled rows",
        about=MEASURES,
    )


def evaluate_quality(
    baseline: QualityBaseline,
    profile: Profile,
    *,
    window: Window,
    policy: Policy,
    source: str,
    created: datetime,
    timing: Mapping[str, float] | None = None,
) -> QualityFindings:
    """Judge a window's answers against a baseline. Neither is changed.

    Args:
        baseline: what answers were like.
        profile: the window's states, scanned by the baseline's plan.
        window: its bounds.
        policy: the standard.
        source: what was read, for people.
        created: now.
        timing: seconds by step, to be told in the report.
    """
    plan = baseline.plan
    counts = counts_of(profile, DATASET)
    whole = _quality(DATASET, baseline, profile)
    segments = {one.name: _quality(one.name, baseline, profile) for one in plan.segments}
    expected = {} if policy.dialect.sagemaker else _foretold(baseline, profile)
    panel = panel_of_quality(baseline, false_alarms=policy.false_alarms)
    sighting = _sighted(baseline, profile, counts, window, rows=whole.labelled)
    decision = panel.observe(panel.start(), sighting)[1]
    verdicts = _verdicts(baseline, profile, whole, policy, expected)
    wrong = decision.warning or decision.alarm or any(one.outcome is Outcome.VIOLATED for one in verdicts)
    return QualityFindings(
        baseline=baseline,
        profile=profile,
        window=window,
        policy=policy,
        measures=(
            *(
                Measured(name, subject, one.value)
                for subject, found in ((DATASET, whole), *segments.items())
                for name, one in found.measures.items()
            ),
            Measured("rejected", DATASET, profile.rejected_share),
        ),
        verdicts=verdicts,
        source=source,
        created=created,
        timing=timing or {},
        sighting=sighting,
        decision=decision,
        clues=effects_of_mix(baseline, profile) if wrong else Clues(),
        against=baseline,
        quality=whole,
        segments=segments,
        estimates=expected,
    )


def _quality(subject: str, baseline: QualityBaseline, profile: Profile) -> Quality:
    """The measures of the dataset or of a segment, whose errors allow for the luck of days."""
    replicates = REPLICATES if subject == DATASET else FEW_REPLICATES
    found = quality(baseline.plan, counts_of(profile, subject), replicates=replicates)
    luck = baseline.luck(profile, labelled=True, subject=subject)
    return found if luck is None else luck.swayed(found)


def _sighted(
    baseline: QualityBaseline, profile: Profile, counts: Counts, window: Window, *, rows: int
) -> Sighting:
    """What a watch remembers of the window."""
    days = None if baseline.days is None else length_of(baseline.days, profile, labelled=True)
    seen = sums_of(baseline.plan, counts, days)
    content, why = np.rint(counts.table.sum(axis=0)).tobytes(), too_much_left_out(profile)
    return sighted((seen,), rows, window, content=content, why=why)


def _verdicts(
    baseline: QualityBaseline,
    profile: Profile,
    found: Quality,
    policy: Policy,
    expected: Mapping[str, Estimated],
) -> tuple[Verdict, ...]:
    """What the limits say, and whether what came true was to be expected; all of them share the budget."""
    judged = len(baseline.constraints) + len(JUDGED[baseline.plan.problem])
    level = policy.false_alarms / max(1, judged)
    limits = [
        _verdict(one, found, baseline, profile, policy, expected, level=level) for one in baseline.constraints
    ]
    return ranked([*limits, *_drifted(baseline, profile, found, policy, level=level), *of_left_out(profile)])


def _drifted(
    baseline: QualityBaseline, profile: Profile, found: Quality, policy: Policy, *, level: float
) -> list[Verdict]:
    """Whether what came true was to be expected of the rows that have a label."""
    if policy.dialect.sagemaker or found.labelled < FEWEST:
        return []
    return drifted(baseline.plan, _foretold(baseline, profile, labelled=True), found, level=level)


def _foretold(
    baseline: QualityBaseline, profile: Profile, *, labelled: bool = False
) -> Mapping[str, Estimated]:
    """Estimates whose bands allow for the luck of days."""
    expected = estimates(baseline, profile, labelled=labelled)
    luck = baseline.luck(profile, labelled=labelled)
    return expected if luck is None else luck.allowing(expected, baseline.raw)


def _verdict(
    constraint: Constraint,
    found: Quality,
    baseline: QualityBaseline,
    profile: Profile,
    policy: Policy,
    expected: Mapping[str, Estimated],
    *,
    level: float,
) -> Verdict:
    if constraint.measure == "rejected":
        return _of_rejected(constraint, baseline, profile, policy, level=level)
    if not found.labelled and constraint.measure in expected:
        return before_labels(constraint, expected[constraint.measure], level=level)
    one = found.measures.get(constraint.measure)
    if one is None:
        one = Sampled(Undefined(f"there is no measure {constraint.measure!r} of these answers"))
    rows = _among(constraint.measure, found)
    error = one.error if rows < policy.min_rows or one.error is None else _error(constraint, one.error, rows)
    sizes = Sizes(n=rows, m=baseline.quality.labelled, error=0.0 if error is None else error)
    judgement = judge(constraint, one.value, sizes, policy, level=level)
    evidence = {
        # Six digits: more than noise has, and the order of the rows does not show in them.
        name: float(f"{value:.6g}") if name in ("error", "noise") and isinstance(value, float) else value
        for name, value in (judgement.evidence or {}).items()
    } | {"baseline": constraint.evidence.get("baseline")}
    told = {name: value for name, value in evidence.items() if value is not None}
    return replace(judgement, evidence=told).verdict(
        constraint, one.value, sentence(constraint, one, judgement)
    )


def _of_rejected(
    constraint: Constraint, baseline: QualityBaseline, profile: Profile, policy: Policy, *, level: float
) -> Verdict:
    value = profile.rejected_share
    judgement = judge(constraint, value, Sizes(n=profile.read, m=baseline.profile.read), policy, level=level)
    return judgement.verdict(constraint, value, sentence(constraint, Sampled(value), judgement))


def _error(constraint: Constraint, error: float, rows: int) -> float:
    """A standard error, not smaller than that of a share as large as its limit: few rows may show none by chance."""
    limit = constraint.limit
    if constraint.measure in (*_POSITIVES, *_NEGATIVES, "precision", "accuracy") and 0 < limit < 1:
        return max(error, float((limit * (1 - limit) / rows) ** 0.5))
    return error


def _among(measure: str, found: Quality) -> int:
    """Rows that a measure is a mean over: labelled ones, or those of a label or answer."""
    confusion = found.confusion
    if confusion is None or len(confusion) != 2:
        return found.labelled
    share = found.labelled / found.weight if found.weight > 0 else 0.0
    negatives, positives = map(float, confusion.sum(axis=1) * share)
    if measure == "precision":
        return round(float(confusion[:, 1].sum()) * share)
    if measure in _POSITIVES:
        return round(positives)
    if measure in _NEGATIVES:
        return round(negatives)
    return round(min(negatives, positives)) if measure in _BOTH else found.labelled
