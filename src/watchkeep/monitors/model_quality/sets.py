"""Prediction sets that hold the truth as often as was asked for, learned from the reference answers."""

from typing import Final

import numpy as np

from watchkeep.core.undefined import Undefined, Value
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles

ASKED: Final = 0.9
"""Share of rows whose set is to hold the truth."""
FEWEST: Final = 100
"""Labelled rows from which on sets are learned."""


def sets_of(plan: QualityPlan, held: Doubles | None) -> tuple[int, int] | None:
    """The places that bound prediction sets, by split conformal prediction; None without scores or with few labels.

    Of two classes the positive one is in the set from the first place on, the negative one up to the second, so that
    rows of either label are covered as often. Of several a class is in the set whose probability is at least that of
    the first width. Of numbers the interval is the prediction less the errors between the two places. If rows of
    a window come as those of the reference did, sets hold the truth in at least a share of `ASKED` (less 1 / n).

    Args:
        plan: with bins.
        held: labelled rows by place: of the score, for each of two labels, shape (2, places); of the probability of
            what came true, shape (1, widths); of the error, shape (1, places).

    References:
        Vovk, Gammerman and Shafer (2005), Algorithmic Learning in a Random World; Angelopoulos and Bates (2021).
    """
    if held is None or held.sum() < FEWEST:
        return None
    n = float(held.sum())
    asked = min(1.0, ASKED * (1 + 1 / n))
    if plan.problem is Problem.REGRESSION:
        below = np.cumsum(held[0]) / n
        spare = 1 - asked
        low = int(np.searchsorted(below, spare / 2, side="right"))
        high = int(np.searchsorted(below, 1 - spare / 2, side="left"))
        return low, min(high, held.shape[1] - 1)
    if plan.problem is Problem.MULTICLASS:
        from_top = np.cumsum(held[0][::-1])[::-1] / n
        return int(np.flatnonzero(from_top >= asked)[-1]), 0
    negatives, positives = held
    if not negatives.any() or not positives.any():
        return None
    from_top = np.cumsum(positives[::-1])[::-1] / positives.sum()
    return int(np.flatnonzero(from_top >= asked)[-1]), int(
        np.searchsorted(np.cumsum(negatives) / negatives.sum(), asked)
    )


def coverage(plan: QualityPlan, held: Doubles | None) -> tuple[Value, float]:
    """The share of labelled rows whose set holds the truth, and those rows."""
    n = 0.0 if held is None else float(held.sum())
    if held is None or plan.sets is None or n <= 0:
        return Undefined("coverage needs 1 labelled row, has 0"), 0.0
    first, second = plan.sets
    if plan.problem is Problem.REGRESSION:
        inside = held[0, first : second + 1].sum()
    elif plan.problem is Problem.MULTICLASS:
        inside = held[0, first:].sum()
    else:
        inside = held[1, first:].sum() + held[0, : second + 1].sum()
    return float(inside / n), n
