"""From attributions to verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from watchkeep.constraints.constraint import Constraint, Side, Sizes
from watchkeep.constraints.judging import Judgement, judge
from watchkeep.constraints.policy import Policy
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import DATASET, Outcome, Verdict
from watchkeep.core.window import Window
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.dependence import Dependence
from watchkeep.monitors.attribution.limits import ATTRIBUTION, NDCG, REJECTED
from watchkeep.monitors.attribution.listening import panel_of_attribution, sighting_of_attribution
from watchkeep.monitors.attribution.measures import Attributed, attributions
from watchkeep.monitors.attribution.plan import Aggregation, AttributionPlan, Place
from watchkeep.monitors.findings import Findings, Measured, of_left_out, ranked
from watchkeep.profiles.profile import Profile
from watchkeep.stats.attribution_drift import Doubles, chance_of, ndcg

OF_ORDER: Final = 0.5
"""The share of the false alarms that the order of the features may spend; each feature's own limits have the rest."""
NO_ROWS: Final = "the baseline's file tells attributions and no rows, so chance cannot be ruled out"


@dataclass(frozen=True, kw_only=True, eq=False)
class AttributionFindings(Findings):
    """All that a run over attributions found.

    Args:
        against: the baseline, whole.
        attributed: the window's attributions, of every place that had rows.
        unanswered: why no row could be explained; empty when rows were.
        values: the attributions of the rows that were explained, shape (rows, labels, features); None where rows
            were not kept.
        model, model_kind: what explained the window.
        anew: whether the baseline's rows were explained anew by it.
        dependence: how the score goes with the features that matter most.
    """

    against: AttributionBaseline
    attributed: Mapping[Place, Attributed]
    unanswered: str = ""
    values: Doubles | None = None
    model: str = ""
    model_kind: str = ""
    anew: bool = False
    dependence: tuple[Dependence, ...] = ()


def evaluate_attribution(
    baseline: AttributionBaseline,
    profile: Profile,
    *,
    window: Window,
    policy: Policy,
    source: str,
    created: datetime,
    unanswered: str = "",
    values: Doubles | None = None,
    dependence: tuple[Dependence, ...] = (),
) -> AttributionFindings:
    """Judge a window's attributions against a baseline. Neither is changed.

    Args:
        baseline: what answers rested on.
        profile: the window's states, scanned by the baseline's plan.
        window: its bounds.
        policy: the standard.
        source: what was read, for people.
        created: now.
        unanswered: why no row could be explained; empty when rows were.
        values: the attributions that were kept.
        dependence: curves of the features that matter most.
    """
    plan = baseline.plan
    now = attributions(plan, profile)
    orders = {place: _order(baseline, place, now.get(place), unanswered) for place in plan.places}
    panel = panel_of_attribution(baseline, false_alarms=policy.false_alarms)
    sighting = sighting_of_attribution(plan, profile, window)
    decision = panel.observe(panel.start(), sighting)[1]
    why = unanswered or (NO_ROWS if baseline.known is not None else decision.why)
    return AttributionFindings(
        baseline=baseline,
        profile=profile,
        window=window,
        policy=policy,
        measures=_measures(plan, now, orders, unanswered, profile.rejected_share),
        verdicts=_verdicts(baseline, profile, now, orders, policy, unanswered),
        source=source,
        created=created,
        sighting=sighting,
        decision=replace(decision, why=why),
        against=baseline,
        attributed=now,
        unanswered=unanswered,
        values=values,
        dependence=dependence,
    )


def _measures(
    plan: AttributionPlan,
    now: Mapping[Place, Attributed],
    orders: Mapping[Place, Value],
    unanswered: str,
    rejected: Value,
) -> tuple[Measured, ...]:
    """The order of every place, then what each feature weighs there, then the rows that could not be used."""
    return (
        *(Measured(NDCG, plan.subject(place), value) for place, value in orders.items()),
        *(
            Measured(ATTRIBUTION, plan.subject(place, feature), value)
            for place in plan.places
            for feature, value in _values(plan.features, now.get(place), unanswered)
        ),
        Measured(REJECTED, DATASET, rejected),
    )


def _verdicts(
    baseline: AttributionBaseline,
    profile: Profile,
    now: Mapping[Place, Attributed],
    orders: Mapping[Place, Value],
    policy: Policy,
    unanswered: str,
) -> tuple[Verdict, ...]:
    """What the limits say, gravest first."""
    plan, rejected = baseline.plan, profile.rejected_share
    subjects = {(NDCG, plan.subject(place)): (place, 0) for place in plan.places}
    for place in plan.places:
        for at, feature in enumerate(plan.features):
            subjects[ATTRIBUTION, plan.subject(place, feature)] = place, at
    judged = _Judged(subjects, baseline, now, orders, policy, unanswered)
    found = []
    for limit in baseline.constraints:
        if limit.measure == REJECTED and limit.subject == DATASET:
            sizes = Sizes(n=profile.read, m=baseline.profile.read)
            level = policy.false_alarms / max(1, len(baseline.constraints))
            judgement = judge(limit, rejected, sizes, policy, level=level)
            found.append(judgement.verdict(limit, rejected, _sentence(limit, rejected, judgement)))
        else:
            found.append(judged.verdict(limit))
    return ranked([*found, *of_left_out(profile)])


def _values(features: tuple[str, ...], one: Attributed | None, unanswered: str) -> list[tuple[str, Value]]:
    if one is None:
        return [(feature, Undefined(unanswered or "no row was explained")) for feature in features]
    return list(zip(features, one.values.tolist(), strict=True))


def _order(baseline: AttributionBaseline, place: Place, now: Attributed | None, unanswered: str) -> Value:
    """NDCG of a place, or why there is none."""
    before = baseline.attributed.get(place)
    if now is None:
        return Undefined(unanswered or "no row was explained")
    if before is None:
        return Undefined("no row of the baseline was explained")
    if not now.values.any():
        return Undefined("all attributions of the window are 0: the model gives every row the same score")
    found = ndcg(before.values, now.values)
    return Undefined("the baseline's attributions do not sum to more than 0") if found is None else found


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """What limits are judged by; `subjects` tells of each measure and subject which place and feature it is."""

    subjects: Mapping[tuple[str, str], tuple[Place, int]]
    baseline: AttributionBaseline
    now: Mapping[Place, Attributed]
    orders: Mapping[Place, Value]
    policy: Policy
    unanswered: str

    def verdict(self, constraint: Constraint) -> Verdict:
        """A limit's verdict."""
        found = self.subjects.get((constraint.measure, constraint.subject))
        if found is not None and constraint.measure == NDCG:
            return self._of_order(constraint, found[0])
        if found is not None:
            return self._of_feature(constraint, *found)
        value = Undefined(f"there is no {constraint.measure} of {constraint.subject}")
        judgement = Judgement(Outcome.UNDECIDED, value.why)
        return judgement.verdict(constraint, value, _sentence(constraint, value, judgement))

    def _of_order(self, constraint: Constraint, place: Place) -> Verdict:
        value, sizes = self.orders[place], self._sizes(place)
        level = self.policy.false_alarms * OF_ORDER / len(self.baseline.plan.places)
        plain = self.policy.dialect.sagemaker or self.baseline.known is not None
        if not isinstance(value, Undefined) and not plain:
            if min(sizes.n, sizes.m) < self.policy.min_rows:
                value = Undefined(
                    f"ndcg needs {self.policy.min_rows} explained rows, has {min(sizes.n, sizes.m)}"
                )
            elif constraint.allows(value):
                sizes = replace(sizes, chance=1.0)
            else:
                sizes = replace(sizes, chance=self._chance(value, place, level))
        judgement = judge(constraint, value, sizes, self.policy, level=level)
        return judgement.verdict(constraint, value, _sentence(constraint, value, judgement))

    def _chance(self, value: float, place: Place, level: float) -> float | Undefined:
        plan = self.baseline.plan
        if plan.aggregation is Aggregation.MEDIAN:
            return Undefined(
                "medians have no law of chance here; judge by mean_abs, or by --dialect sagemaker"
            )
        before, now = self.baseline.attributed[place], self.now[place]
        return chance_of(
            value, before.values, before.covariance, n=now.rows, m=before.rows, level=level, seed=plan.seed
        )

    def _of_feature(self, constraint: Constraint, place: Place, at: int) -> Verdict:
        now, before = self.now.get(place), self.baseline.attributed.get(place)
        value: Value = Undefined(self.unanswered or "no row was explained")
        sizes = self._sizes(place)
        if now is not None:
            value = float(now.values[at])
        if now is not None and not self.policy.dialect.sagemaker:
            if before is None or self.baseline.known is not None:
                value = Undefined(NO_ROWS)
            elif before.rows < self.policy.min_rows:
                needed = f"{self.policy.min_rows} explained rows of the baseline"
                value = Undefined(f"attribution needs {needed}, has {before.rows}")
            elif self.baseline.plan.aggregation is Aggregation.MEDIAN:
                value = Undefined("medians have no law of chance here; judge by mean_abs")
            else:
                both = now.covariance[at, at] / now.rows + before.covariance[at, at] / before.rows
                sizes = replace(sizes, error=float(max(0.0, both) ** 0.5))
        count = max(1, len(self.baseline.constraints))
        level = self.policy.false_alarms * (1 - OF_ORDER) / count
        judgement = judge(constraint, value, sizes, self.policy, level=level)
        return judgement.verdict(constraint, value, _sentence(constraint, value, judgement))

    def _sizes(self, place: Place) -> Sizes:
        now, before = self.now.get(place), self.baseline.attributed.get(place)
        return Sizes(n=0 if now is None else now.rows, m=0 if before is None else before.rows)


def _sentence(constraint: Constraint, value: Value, judgement: Judgement) -> str:
    """One sentence on what was decided and why."""
    if isinstance(value, Undefined) or judgement.outcome is Outcome.UNDECIDED:
        return f"{constraint.subject}: {judgement.why}"
    bound = "at least" if constraint.side is Side.AT_LEAST else "at most"
    why = f" ({judgement.why})" if judgement.why else ""
    if constraint.measure == NDCG:
        what = "the order of features by attribution agrees with the baseline's by"
        return (
            f"{constraint.subject}: {what} {value:.4g} (ndcg), {bound} {constraint.limit:.4g} is asked{why}"
        )
    before = constraint.evidence.get("baseline")
    then = f"; in the baseline {before:.4g}" if isinstance(before, float) else ""
    told = f"{constraint.subject}: {constraint.measure} is {value:.4g}"
    return f"{told}, {bound} {constraint.limit:.4g} is allowed{then}{why}"
