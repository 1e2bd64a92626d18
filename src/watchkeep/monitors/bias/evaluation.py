"""From counted groups to verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Sizes
from watchkeep.constraints.judging import judge
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import DATASET, Outcome, Verdict
from watchkeep.core.window import Window
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.estimates import Estimates, estimates
from watchkeep.monitors.bias.groups import DISPARITIES, FLIP_TEST, LABELS, GroupBias, level_rows, needs_labels
from watchkeep.monitors.bias.limits import NEW_VALUES
from watchkeep.monitors.bias.listening import panel_of_bias, sighting_of_bias
from watchkeep.monitors.bias.measures import biases
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.sentences import sentence
from watchkeep.monitors.findings import Findings, Measured, of_left_out, ranked
from watchkeep.monitors.model_quality.drift import before_labels
from watchkeep.monitors.model_quality.measures import Sampled
from watchkeep.profiles.profile import Profile

REJECTED: Final = "rejected"
NO_ROWS: Final = "the baseline's file tells measures and no rows, so only its limits can be judged"


@dataclass(frozen=True, kw_only=True, eq=False)
class BiasFindings(Findings):
    """All that a run over groups found.

    Args:
        against: the baseline, whole.
        groups: of the window.
        estimates: what is expected of measures that need labels, by group and name, where labels are missing.
        join: what became of predictions and labels that were joined, as JSON; None when labels stood beside them.
    """

    against: BiasBaseline
    groups: tuple[GroupBias, ...]
    estimates: Estimates = field(default_factory=dict)
    join: Mapping[str, object] | None = None


def evaluate_bias(
    baseline: BiasBaseline,
    profile: Profile,
    *,
    window: Window,
    policy: Policy,
    source: str,
    created: datetime,
) -> BiasFindings:
    """Judge how a window's groups are treated against a baseline. Neither is changed.

    Args:
        baseline: how they were treated.
        profile: the window's states, scanned by the baseline's plan.
        window: its bounds.
        policy: the standard.
        source: what was read, for people.
        created: now.
    """
    plan = baseline.plan
    reference = baseline.profile if baseline.known is None else None
    groups = biases(plan, profile, reference=reference)
    expected = {} if policy.dialect.sagemaker else estimates(baseline, profile)
    by_subject = {one.subject: one for one in groups}
    level = policy.false_alarms / max(1, len(baseline.constraints))
    panel = panel_of_bias(baseline, false_alarms=policy.false_alarms)
    sighting = sighting_of_bias(plan, profile, window)
    decision = panel.observe(panel.start(), sighting)[1]
    return BiasFindings(
        baseline=baseline,
        profile=profile,
        window=window,
        policy=policy,
        measures=(
            *(
                Measured(name, one.subject, found.value)
                for one in groups
                for name, found in one.measures.items()
            ),
            *(Measured(NEW_VALUES, name, share) for name, (share, _) in new_values(plan, profile).items()),
            Measured(REJECTED, DATASET, profile.rejected_share),
        ),
        verdicts=ranked(
            [
                _verdict(one, baseline, profile, by_subject, expected, policy, level=level)
                for one in baseline.constraints
            ]
            + of_left_out(profile)
        ),
        source=source,
        created=created,
        sighting=sighting,
        decision=decision if baseline.known is None else replace(decision, why=NO_ROWS),
        against=baseline,
        groups=groups,
        estimates=expected,
    )


def _verdict(
    constraint: Constraint,
    baseline: BiasBaseline,
    profile: Profile,
    groups: Mapping[str, GroupBias],
    expected: Estimates,
    policy: Policy,
    *,
    level: float,
) -> Verdict:
    if constraint.measure == REJECTED and constraint.subject == DATASET:
        sizes = Sizes(n=profile.read, m=baseline.profile.read)
        return _of_share(constraint, profile.rejected_share, sizes, policy, level=level)
    if constraint.measure == NEW_VALUES:
        share, n = new_values(baseline.plan, profile)[constraint.subject]
        return _of_share(constraint, share, Sizes(n=n, m=baseline.rows), policy, level=level)
    group = groups.get(constraint.subject)
    one = None if group is None else group.measures.get(constraint.measure)
    if group is None or one is None:
        one = Sampled(Undefined(_untold(constraint, baseline, known=group is not None)))
        judgement = judge(constraint, one.value, Sizes(n=0, m=baseline.rows), policy, level=level)
        return judgement.verdict(constraint, one.value, sentence(constraint, one, judgement))
    if isinstance(one.value, Undefined) and group.unlabelled and needs_labels(constraint.measure):
        one = replace(one, value=Undefined("no label has come"))
    early = expected.get((constraint.subject, constraint.measure))
    if early is not None and isinstance(one.value, Undefined):
        verdict = before_labels(constraint, early, level=level)
        return replace(verdict, sentence=f"{constraint.subject}: {verdict.sentence}")
    error = _error(constraint, group)
    if error is None and not isinstance(one.value, Undefined) and not policy.dialect.sagemaker:
        one = replace(one, value=Undefined(f"{constraint.measure} of so few rows has no standard error"))
    sizes = Sizes(n=group.among.get(constraint.measure, 0), m=baseline.rows, error=error)
    judged = one.value
    if constraint.check == checks.BIAS_DRIFT and not isinstance(judged, Undefined):
        judged = abs(judged)
    judgement = judge(constraint, judged, sizes, policy, level=level)
    if judgement.outcome is Outcome.UNDECIDED and sizes.n < policy.min_rows and error is not None:
        judgement = replace(judgement, why=f"fewer than {policy.min_rows} rows to judge by")
    own = {"among": sizes.n, "group_rows": group.rows, "others": group.others, "missing": group.missing}
    evidence = _rounded(judgement.evidence or {}) | own
    if constraint.evidence.get("baseline") is not None:
        evidence["baseline"] = constraint.evidence["baseline"]
    return replace(judgement, evidence=evidence).verdict(
        constraint, one.value, sentence(constraint, one, judgement)
    )


def _untold(constraint: Constraint, baseline: BiasBaseline, *, known: bool) -> str:
    """Why a measure is not there."""
    name, plan = constraint.measure, baseline.plan
    if known and baseline.known is not None:
        if plan.prediction is None and name not in LABELS:
            return f"{name} needs the model's answers: name their column with --prediction or --score"
        if name in (*DISPARITIES, FLIP_TEST):
            return f"{name} needs columns that the baseline's file does not name; make a baseline of the rows"
    return f"there is no {name} of {constraint.subject}"


def _error(constraint: Constraint, group: GroupBias) -> float | None:
    """How far a measure lies from its limit by chance; a limit that is the reference's own value scatters too."""
    ratio = group.ratios.get(constraint.measure)
    noise = group.noise.get(constraint.measure) if ratio is None else ratio.error(constraint.limit)
    own = constraint.evidence.get("error") if constraint.evidence.get("own") else None
    if noise is None or not isinstance(own, float):
        return noise
    return float((noise**2 + own**2) ** 0.5)


def _of_share(constraint: Constraint, value: Value, sizes: Sizes, policy: Policy, *, level: float) -> Verdict:
    judgement = judge(constraint, value, sizes, policy, level=level)
    return judgement.verdict(constraint, value, sentence(constraint, Sampled(value), judgement))


def new_values(plan: BiasPlan, profile: Profile) -> dict[str, tuple[Value, int]]:
    """Of each facet the share of rows whose value the reference rows never had, and how many have a value."""
    found: dict[str, tuple[Value, int]] = {}
    for at, facet in enumerate(plan.facets):
        if facet.whole:
            rows = level_rows(profile, plan.subject(at))
            held = int(rows[: facet.missing].sum())
            why = f"{NEW_VALUES} needs 1 row with a value of {facet.column!r}, has 0"
            share = float(rows[facet.missing - 1]) / held if held else Undefined(why)
            found[facet.column] = share, held
    return found


def _rounded(evidence: Mapping[str, object]) -> dict[str, object]:
    """Six digits of noise: more than it has, and the order of the rows does not show in them."""
    return {
        name: float(f"{value:.6g}") if name in ("error", "noise") and isinstance(value, float) else value
        for name, value in evidence.items()
    }
