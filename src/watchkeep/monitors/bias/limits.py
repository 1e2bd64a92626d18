"""Limits on bias: a range around the value at which groups are treated alike, wide enough for the reference itself."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from watchkeep.baselines.rules.dataset import retain_rows
from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.undefined import Undefined
from watchkeep.core.wording import percent
from watchkeep.monitors.bias.groups import CALIBRATION, DISPARITIES, GroupBias
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.model_quality.measures import Sampled
from watchkeep.profiles.profile import Profile
from watchkeep.stats.bias import MEASURES
from watchkeep.stats.normal import upper_quantile

RULE: Final = "treated_alike"
SLACK: Final = 0.02
"""What a measure may be farther from its neutral value than in the reference rows: less does not matter."""
NEW_VALUES: Final = "new_values"
"""The measure of a facet: the share of its rows whose value the reference rows never had."""
ROOM: Final = 0.05
"""Share of rows that may have such values."""
_REACH: Final = upper_quantile(0.025)
FEWEST: Final = 30
"""Rows of a group, and of the others, from which on a limit is suggested."""
CROSSED: Final = ("DPL", "DPPL", "RD", "SD")
"""Measures that have limits for groups of two facets together."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """The values of a measure at which groups count as treated alike.

    Args:
        low, high: the range; None where there is no such side.
        why: whose convention it is.
    """

    low: float | None
    high: float | None
    why: str


_TENTH: Final = Allowed(-0.1, 0.1, "groups that differ by up to 0.1 count as treated alike")
ALLOWED: Final[Mapping[str, Allowed]] = MappingProxyType(
    {
        **dict.fromkeys(("CI", "DPL", "DPPL", "AD", "RD", "SD", "DAR", "DRR", "AOD"), _TENTH),
        "DI": Allowed(0.8, 1.25, "the four-fifths rule"),
        "EOR": Allowed(0.8, None, "four fifths, as of disparate impact"),
        **dict.fromkeys((*DISPARITIES, CALIBRATION), _TENTH),
    }
)
"""Measures that are judged unless somebody says otherwise: those that tell what no other does, and have a scale.

Not the flip test: the fewer rows there are, the less alike are neighbours, so it differs between windows of different
sizes without any change.

References:
    29 CFR 1607.4(D) (the four-fifths rule of the EEOC); Bellamy et al. (2018), arXiv:1810.01943 (0.1 of a difference).
"""


def suggest(
    groups: Iterable[GroupBias], plan: BiasPlan, profile: Profile, *, sagemaker: bool
) -> tuple[Constraint, ...]:
    """The limits of every group.

    Args:
        groups: of the reference rows.
        plan: how they were counted.
        profile: their states.
        sagemaker: all measures, each no farther from 0 than it was.
    """
    mirrored = {plan.subjects(at)[1] for at, facet in enumerate(plan.facets) if facet.whole and facet.halved}
    found = [
        one
        for group in groups
        if sagemaker or group.subject not in mirrored
        for one in (_as_far(group) if sagemaker else _ranges(group))
    ]
    if not sagemaker:
        found += [_known_values(facet.column) for facet in plan.facets if facet.whole]
        found.append(retain_rows(profile.read, profile.rejected_share, check=checks.GREATER_THAN))
    return tuple(found)


def _known_values(column: str) -> Constraint:
    """Hardly any value that the reference rows never had: those are in no group."""
    return Constraint(
        check=checks.NEW_CATEGORY,
        measure=NEW_VALUES,
        subject=column,
        side=Side.AT_MOST,
        limit=ROOM,
        rule="known_values",
        reason=f"the reference rows tell all values of {column!r}; {percent(ROOM, 0)} of rows may have others",
        evidence={"baseline": 0.0},
    )


def as_far(measure: str, subject: str, baseline: float) -> Constraint:
    """SageMaker's limit: no farther from 0 than the baseline, whatever the measure's neutral value is."""
    return Constraint(
        check=checks.BIAS_DRIFT,
        measure=measure,
        subject=subject,
        side=Side.AT_MOST,
        limit=abs(baseline),
        rule="no_farther_from_0",
        reason=f"the baseline's {measure} is {baseline:.4g}",
        evidence={"baseline": baseline},
    )


def of_ours(name: str) -> bool:
    """Whether SageMaker lacks a measure, so that its rule does not apply.

    >>> of_ours("CG"), of_ours("EOD"), of_ours("RD")
    (True, True, False)
    """
    return name == CALIBRATION or (name in MEASURES and MEASURES[name].ours)


def _as_far(group: GroupBias) -> Iterator[Constraint]:
    for name, one in group.measures.items():
        if not isinstance(one.value, Undefined) and not of_ours(name) and not group.crossed:
            yield as_far(name, group.subject, one.value)


def _ranges(group: GroupBias) -> Iterator[Constraint]:
    for name, one in group.measures.items():
        allowed = ALLOWED.get(name)
        if allowed is None or (group.crossed and name not in CROSSED):
            continue
        fewer = min(group.rows, group.others, group.among.get(name, 0))
        if not isinstance(one.value, Undefined) and fewer >= FEWEST:
            yield from _range(group, name, one, one.value, allowed)


def _range(group: GroupBias, name: str, one: Sampled, value: float, allowed: Allowed) -> Iterator[Constraint]:
    for side, edge in ((Side.AT_LEAST, allowed.low), (Side.AT_MOST, allowed.high)):
        if edge is None:
            continue
        outward = -1 if side is Side.AT_LEAST else 1
        own = value + outward * SLACK
        beyond = (own - edge) * outward > 0
        evidence: dict[str, object] = {"baseline": value, "error": one.error, "rows": group.rows}
        reason = allowed.why
        if _unreachable(name, own if beyond else edge):
            continue
        if beyond:  # the limit is the reference's own value, which scatters too
            reason = f"the reference rows are at {value:.4g} themselves; {SLACK:g} farther does not matter"
            evidence["own"] = True
        yield Constraint(
            check=checks.BIAS,
            measure=name,
            subject=group.subject,
            side=side,
            limit=own if beyond else edge,
            rule=RULE,
            reason=reason,
            evidence=evidence,
        )


def _unreachable(name: str, limit: float) -> bool:
    """Whether no value of a measure is beyond a limit."""
    low, high = (MEASURES[name].low, MEASURES[name].high) if name in MEASURES else (-1.0, 1.0)
    return not low < limit < high


def unfair(name: str, one: Sampled, among: int) -> bool:
    """Whether a measure's 95 % interval is outside the range in which groups count as treated alike.

    Args:
        name: of the measure; CI never is: to be few is not to be treated badly.
        one: its value and error.
        among: rows that it is a mean over; of fewer than `FEWEST` nothing is said.

    >>> unfair("DI", Sampled(0.6, 0.05), 100), unfair("DI", Sampled(0.6, 0.2), 100), unfair("DI", Sampled(0.6, 0.05), 9)
    (True, False, False)
    """
    allowed = None if name == "CI" else ALLOWED.get("RD" if name == "EOD" else name)
    if allowed is None or isinstance(one.value, Undefined) or one.error is None or among < FEWEST:
        return False
    low = -math.inf if allowed.low is None else allowed.low
    high = math.inf if allowed.high is None else allowed.high
    return one.value + _REACH * one.error < low or one.value - _REACH * one.error > high
