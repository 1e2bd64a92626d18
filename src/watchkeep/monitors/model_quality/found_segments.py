"""Segments that nobody asked for: where answers are worst, or got worse."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from watchkeep.baselines.slices import candidate_of, slice_codes
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.sampled import WEIGHT, labelled, losses_of_rows, sampled_rows
from watchkeep.monitors.model_quality.scan import OWN
from watchkeep.profiles.profile import Profile
from watchkeep.stats.subgroup_rows import Losses
from watchkeep.stats.subgroups import Found, worst_segments

MOST_WORST: Final = 3
"""Segments where the loss is worst: what a model is unsure of is worse everywhere, and seldom news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSegments:
    """What the search found.

    Args:
        worst: where the loss is worst.
        risen: where it rose most since the baseline.
        loss: what the loss is, for people.
        rows: labelled rows that were searched.
    """

    worst: tuple[Found, ...]
    risen: tuple[Found, ...]
    loss: str
    rows: int


def found_segments(baseline: QualityBaseline, profile: Profile) -> FoundSegments:
    """Search the sampled rows of a window for segments where answers are worse than elsewhere.

    Args:
        baseline: what answers were like.
        profile: the window's states.
    """
    plan = baseline.plan
    picked = [
        (at, one) for at, feature in enumerate(plan.features) if (one := candidate_of(feature)) is not None
    ]
    places = [at for at, _ in picked]
    now, before = (_losses(plan, each, places) for each in (profile, baseline.profile))
    loss = "absolute error" if plan.problem is Problem.REGRESSION else "wrong answers"
    candidates = [one for _, one in picked]
    if not candidates or not len(now.loss):
        return FoundSegments(worst=(), risen=(), loss=loss, rows=len(now.loss))
    return FoundSegments(
        worst=worst_segments(candidates, now, limit=MOST_WORST),
        risen=worst_segments(candidates, now, baseline=before) if len(before.loss) else (),
        loss=loss,
        rows=len(now.loss),
    )


def _losses(plan: QualityPlan, profile: Profile, places: list[int]) -> Losses:
    values = sampled_rows(profile)
    known = labelled(plan, values)
    codes = values[:, len(OWN) :][:, places]
    for at, place in enumerate(places):
        codes[:, at] = slice_codes(plan.features[place], codes[:, at])
    weights = None if plan.roles.weight is None else values[known, WEIGHT]
    return Losses(
        codes=codes[known].astype(np.int64), loss=losses_of_rows(plan, values[known]), weights=weights
    )
