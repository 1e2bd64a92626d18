"""How certain a model is of its answers, whether they are right or not."""

import numpy as np

from watchkeep.core.undefined import Undefined, Value
from watchkeep.monitors.model_quality.counting import DOUBT
from watchkeep.monitors.model_quality.measures import Counts
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.scan import MEMBERS
from watchkeep.stats.ratios import ratio


def certainty(plan: QualityPlan, counts: Counts) -> dict[str, Value]:
    """Means over all rows, labelled or not: of what scores tell that are probabilities, and of members' scores.

    `confidence` is the largest probability of a class, in [0, 1]; `margin` its lead over the next, in [0, 1];
    `entropy` is -sum p log2 p, in bits. Of two classes they are told from bins: exact within the width of one.
    `spread` is the standard deviation of the scores that the members of an ensemble gave to a row.
    """
    found = _of_scores(plan, counts)
    if MEMBERS in counts.sums:
        weight, spread = counts.sums[MEMBERS].tolist()
        found["spread"] = ratio("spread", spread, weight, "row with two members' scores")
    return found


def _of_scores(plan: QualityPlan, counts: Counts) -> dict[str, Value]:
    if plan.problem is Problem.BINARY:
        if plan.bins is None or not plan.probability or not len(plan.bins):
            return {}
        layers = len(counts.table)
        rows = counts.table[1 if layers > 1 else 0].sum(axis=1)
        scores = np.clip(
            np.concatenate([plan.bins.lows[:1], plan.bins.centers, plan.bins.highs[-1:]]), 1e-12, 1 - 1e-12
        )
        largest = np.maximum(scores, 1 - scores)
        entropy = -(scores * np.log2(scores) + (1 - scores) * np.log2(1 - scores))
        sums = [float(rows.sum()), *(float(rows @ each) for each in (largest, 2 * largest - 1, entropy))]
    elif "doubt" in counts.sums:
        sums = counts.sums["doubt"].tolist()
    else:
        return {}
    n = sums[0]
    return {
        name: one / n if n > 0 else Undefined(f"{name} needs 1 row, has 0")
        for name, one in zip(DOUBT[1:], sums[1:], strict=True)
    }
