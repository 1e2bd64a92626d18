"""What estimates are held against: limits, while there are no labels, and what came true, once there are."""

from collections.abc import Iterable, Mapping
from typing import Final

from watchkeep.alarms.track import Outturn
from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.constraints.judging import Judgement
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET, Outcome, Verdict
from watchkeep.monitors.model_quality.measures import Quality
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.suggestions import LOWER_IS_BETTER
from watchkeep.stats.expected_counts import Estimated
from watchkeep.stats.normal import upper_quantile

JUDGED: Final = {
    Problem.BINARY: ("accuracy", "auc", "log_loss"),
    Problem.MULTICLASS: ("accuracy",),
    Problem.REGRESSION: ("mae",),
}
"""The measures whose estimates are held against what came true."""
FEWEST: Final = 100
"""Labelled rows from which on they are."""


def before_labels(constraint: Constraint, one: Estimated, *, level: float) -> Verdict:
    """A limit without labels: violated only if the estimate is beyond it by more than it may be wrong.

    Args:
        constraint: the limit.
        one: the estimate of its measure.
        level: the chance of a violation by noise.
    """
    outcome, value, evidence, severity = Outcome.UNDECIDED, one.value, {}, 0.0
    if isinstance(one.value, Undefined) or one.deviation is None or one.low is None or one.high is None:
        value = Undefined("no label has come")
        sentence = f"{constraint.measure} needs labels, and none has come"
    else:
        margin = upper_quantile(min(0.5, level)) * one.deviation
        beyond = (
            constraint.limit - one.value if constraint.side is Side.AT_LEAST else one.value - constraint.limit
        )
        evidence = {"estimated": one.value, "low": one.low, "high": one.high, "noise": margin}
        bound = "at least" if constraint.side is Side.AT_LEAST else "at most"
        told = f"{constraint.measure} is estimated at {one.value:.4g} ({one.low:.4g} to {one.high:.4g})"
        if beyond > margin:
            outcome = Outcome.VIOLATED
            severity = min(100.0, (beyond - margin) / max(1e-9, abs(constraint.limit)))
            sentence = f"{told} before labels have come, {bound} {constraint.limit:.4g} is allowed"
        else:
            value = Undefined("no label has come")
            sentence = f"{told}: labels, which decide, have not come"
    return Judgement(outcome, evidence=evidence, severity=severity).verdict(constraint, value, sentence)


def outturns(key: str, verdicts: Iterable[Verdict]) -> tuple[Outturn, ...]:
    """What the verdicts on a window tell of how its estimates turned out; nothing where labels are too few."""
    return tuple(
        Outturn(
            key,
            one.measure,
            one.value,
            float(str(one.evidence["estimated"])),
            float(str(one.evidence["low"])),
            float(str(one.evidence["high"])),
        )
        for one in verdicts
        if one.check == checks.CONCEPT_DRIFT and not isinstance(one.value, Undefined)
    )


def drifted(
    plan: QualityPlan, expected: Mapping[str, Estimated], found: Quality, *, level: float
) -> list[Verdict]:
    """Whether quality came out worse than was to be expected: the same features and answers then mean less.

    Args:
        plan: how answers are read.
        expected: estimates of the labelled rows, by measure.
        found: what came true of them.
        level: the chance of a violation by noise.
    """
    verdicts = []
    for name in JUDGED[plan.problem]:
        one, now = expected.get(name), found.measures.get(name)
        if one is None or now is None or isinstance(one.value, Undefined) or one.deviation is None:
            continue
        if isinstance(now.value, Undefined):
            continue
        margin = upper_quantile(min(0.5, level)) * one.deviation
        worse = (now.value - one.value) if name in LOWER_IS_BETTER else (one.value - now.value)
        drift = worse > margin
        verdicts.append(
            Verdict(
                check=checks.CONCEPT_DRIFT,
                measure=name,
                subject=DATASET,
                outcome=Outcome.VIOLATED if drift else Outcome.KEPT,
                value=now.value,
                limit=None,
                sentence=(
                    f"{name} came out as {now.value:.4g}, and {one.value:.4g} was expected of such answers to such"
                    f" features (noise {margin:.2g})"
                    + (": they mean less than they did (concept drift)" if drift else "")
                ),
                evidence={
                    "estimated": one.value,
                    "low": one.low,
                    "high": one.high,
                    "noise": float(f"{margin:.6g}"),
                },
                severity=min(100.0, (worse - margin) / max(1e-9, abs(one.value))) if drift else 0.0,
            )
        )
    return verdicts
