"""Bias before labels come: what labelled reference rows of each group lead to expect of its answers."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from watchkeep.baselines.estimator import BinaryEstimator
from watchkeep.core.undefined import Undefined
from watchkeep.frames.outcomes import NO_OUTCOME
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.monitors.bias.scan import PLACES, SCORES, TABLE
from watchkeep.monitors.model_quality.rows import Doubles
from watchkeep.profiles.profile import Profile
from watchkeep.states.totals import Totals
from watchkeep.stats.expected_counts import Estimated

Estimates = Mapping[tuple[str, str], Estimated]
"""By subject and measure."""

SENTENCE: Final = (
    "Estimated without labels, as labelled reference rows of the same group with such answers turned out. What it"
    " cannot see: that the same answers have become right less often for a group."
)
"""What an estimate is, for people."""
_OF: Final = {
    "AD": ("accuracy", 1),
    "RD": ("recall", 1),
    "SD": ("true_negative_rate", -1),
    "DAR": ("precision", 1),
    "EOD": ("recall", -1),
}
"""The measures that are estimated: the rate whose difference each is, and whether a less d or d less a."""


def estimates(baseline: BiasBaseline, profile: Profile) -> Estimates:
    """The measures of error rates for every group of a facet, where predictions still wait for labels.

    Args:
        baseline: labelled reference rows.
        profile: the window's states; what its labels are is not looked at.
    """
    plan = baseline.plan
    if baseline.known is not None or plan.prediction is None:
        return {}
    found: dict[tuple[str, str], Estimated] = {}
    for at in range(len(plan.facets)):
        before, now = _placed(plan, baseline.profile, at), _placed(plan, profile, at)
        if not now[..., NO_OUTCOME, :NO_OUTCOME].any():
            continue
        for subject, group in zip(plan.subjects(at), plan.groups(at), strict=True):
            levels = list(group.levels)
            sides = []
            for pick in (levels, [one for one in range(len(before) - 1) if one not in levels]):
                fitted = BinaryEstimator.fit(
                    np.swapaxes(before[pick].sum(axis=0)[:, :NO_OUTCOME, :NO_OUTCOME], 1, 2),
                    scored=plan.probability,
                )
                if isinstance(fitted, Undefined):
                    break
                sides.append(fitted.estimate(now[pick].sum(axis=(0, 2))[:, :NO_OUTCOME]))
            if len(sides) == 2:
                found |= {(subject, name): one for name, one in _gaps(*sides).items()}
    return found


def _placed(plan: BiasPlan, profile: Profile, at: int) -> Doubles:
    """Rows by level, place of the score, label and prediction; without scores the answers are the places."""
    subject = plan.subject(at)
    scores = profile.part(subject, SCORES, Totals)
    if plan.probability and scores is not None:
        return scores.values.reshape(-1, PLACES, NO_OUTCOME + 1, NO_OUTCOME + 1)
    table = profile.part(subject, TABLE, Totals)
    assert table is not None  # noqa: S101 (every scan counts it)
    rows = table.values[1 if len(table.values) > 1 else 0]
    places = np.zeros((len(rows), NO_OUTCOME, NO_OUTCOME + 1, NO_OUTCOME + 1))
    for answer in range(NO_OUTCOME):
        places[:, answer, :, answer] = rows[:, :, answer]
    return places


def _gaps(d: Mapping[str, Estimated], a: Mapping[str, Estimated]) -> dict[str, Estimated]:
    """Differences of rates, each with a band as wide as those of both together."""
    found = {}
    for name, (rate, sign) in _OF.items():
        one, other = d[rate], a[rate]
        lacks = next((each.value for each in (one, other) if isinstance(each.value, Undefined)), None)
        if lacks is not None:
            found[name] = Estimated(lacks)
            continue
        assert not isinstance(one.value, Undefined)  # noqa: S101 (it was looked at)
        assert not isinstance(other.value, Undefined)  # noqa: S101
        gap = sign * (other.value - one.value)
        deviation = float(((one.deviation or 0.0) ** 2 + (other.deviation or 0.0) ** 2) ** 0.5)
        below, above = (one, other) if sign > 0 else (other, one)  # of each, what makes the gap small
        low = gap - _reach(below, high=True, other=above)
        high = gap + _reach(below, high=False, other=above)
        found[name] = Estimated(gap, max(-1.0, low), min(1.0, high), deviation)
    return found


def _reach(less: Estimated, *, high: bool, other: Estimated) -> float:
    """How far a gap may be off to one side, the bands of both rates taken together as if independent."""
    assert not isinstance(less.value, Undefined)  # noqa: S101 (the caller looked)
    assert not isinstance(other.value, Undefined)  # noqa: S101
    ends = (less.high, other.low) if high else (less.low, other.high)
    far = [
        0.0 if end is None else abs(end - one)
        for end, one in zip(ends, (less.value, other.value), strict=True)
    ]
    return math.hypot(*far)
