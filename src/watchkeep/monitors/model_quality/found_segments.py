"""Segments that nobody asked for: where answers are worst, or got worse."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import compared_starts
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles
from watchkeep.monitors.model_quality.scan import OWN, SAMPLE
from watchkeep.profiles.profile import Profile
from watchkeep.states.bins import Bins
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.rows import RowSample
from watchkeep.stats.subgroup_rows import Losses
from watchkeep.stats.subgroup_terms import Candidate
from watchkeep.stats.subgroups import Found, worst_segments

MOST_WORST: Final = 3
"""Segments where the loss is worst: what a model is unsure of is worse everywhere, and seldom news."""
LISTED: Final = 32
"""Categories that rows of the sample are told apart by; others are one."""
_MOST_DIGITS: Final = 12
_DIGITS: Final = 4  # significant ones, of the bounds of a range: as many as people want to read
_LABEL, _ANSWER, _WEIGHT = OWN.index("label"), OWN.index("prediction"), OWN.index("weight")


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
        (at, one) for at, feature in enumerate(plan.features) if (one := _candidate(feature)) is not None
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
    sample = profile.part(DATASET, SAMPLE, RowSample)
    assert sample is not None  # noqa: S101 (every scan keeps one)
    values = sample.values
    labels, answers = values[:, _LABEL], values[:, _ANSWER]
    if plan.problem is Problem.REGRESSION:
        known, loss = ~np.isnan(labels), np.abs(answers - labels)
    else:
        known, loss = labels < plan.kinds, (answers != labels).astype(np.float64)
    codes = values[:, len(OWN) :][:, places]
    for at, place in enumerate(places):
        codes[:, at] = _codes(plan.features[place], codes[:, at])
    weights = None if plan.roles.weight is None else values[known, _WEIGHT]
    return Losses(codes=codes[known].astype(np.int64), loss=loss[known], weights=weights)


def _candidate(feature: BaselineColumn) -> Candidate | None:
    """How rows are told apart by a feature; None when its values are not listed."""
    bins, listed = feature.part("bins", Bins), feature.part("categories", Frequencies)
    if bins is not None and len(bins):
        if feature.type is ColumnType.EMBEDDING:
            return None
        lows = bins.lows[compared_starts(bins.counts)][1:]
        if not len(lows):
            return None
        return Candidate(name=feature.name, edges=_bounds(lows, whole=feature.type is ColumnType.INTEGRAL))
    if listed is not None and listed.exact and listed.total:
        names = [name for name, _ in listed.ranked()][:LISTED]
        boolean = feature.type is ColumnType.BOOLEAN
        return Candidate(
            name=feature.name, labels=tuple(name == "true" if boolean else name for name in names)
        )
    return None


def _bounds(lows: Doubles, *, whole: bool) -> tuple[float, ...]:
    """The largest values below where bins begin, in digits that people read."""
    if whole:
        return tuple(float(low - 1) if float(low).is_integer() else float(np.floor(low)) for low in lows)
    for digits in range(_DIGITS, _MOST_DIGITS):
        short = [float(f"{low:.{digits}g}") for low in lows.tolist()]
        if all(a < b for a, b in pairwise(short)):
            return tuple(short)
    return tuple(lows.tolist())


def _codes(feature: BaselineColumn, codes: Doubles) -> npt.NDArray[np.float64]:
    """Codes of the sample as those of its candidate: -1 for no value, one past the last for values of another kind."""
    bins, listed = feature.part("bins", Bins), feature.part("categories", Frequencies)
    if bins is not None and len(bins):
        cells = len(compared_starts(bins.counts))
        inner = codes - 2  # two buckets lie below the range
        return np.where(
            (codes == cells + 5) | np.isnan(codes), -1, np.where(codes >= cells + 4, cells, inner)
        )
    names = 0 if listed is None else min(LISTED, len(list(listed.ranked())))
    return np.where((codes == names + 2) | np.isnan(codes), -1, codes)
