"""What can be changed so that groups are treated alike: weights of training rows, and decisions that are mixed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined

Reals = npt.NDArray[np.float64]


def reweighing(counts: Reals) -> Reals:
    """Weights of training rows under which group and label are independent.

    w(g, y) = P(g) P(y) / P(g, y): a group has the same share of positive labels as all rows have, and every group and
    every label keeps its weight.

    Args:
        counts: training rows by group and label, shape (groups, 2).

    Returns:
        The weight of a row of each group and label, of the same shape; 0 where there is no row.

    References:
        Kamiran and Calders (2012), Knowledge and Information Systems 33, 1-33.

    >>> reweighing(np.array([[30.0, 10.0], [30.0, 30.0]])).tolist()
    [[0.8, 1.6], [1.2, 0.8]]
    """
    total = counts.sum()
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / max(1.0, total)
    found: Reals = np.divide(expected, counts, out=np.zeros(counts.shape), where=counts > 0)
    return found


@dataclass(frozen=True, slots=True)
class Decision:
    """How rows of a group are decided: with chance `mixed` by `constant`, else by whether their score is above.

    A row is positive with chance mixed * constant + (1 - mixed) * sum of p over (t, p) with score > t.

    Args:
        thresholds: scores, and with which chance a row is decided by each; the chances sum to 1.
        mixed: the chance that the score is not looked at.
        constant: with which chance such a row is positive.
    """

    thresholds: tuple[tuple[float, float], ...]
    mixed: float = 0.0
    constant: float = 0.0

    def chances(self, scores: Reals) -> Reals:
        """How likely rows with these scores are decided positive, shape (rows,).

        >>> Decision(((0.5, 1.0),), mixed=0.2, constant=0.5).chances(np.array([0.4, 0.6])).tolist()
        [0.1, 0.9]
        """
        above = np.zeros(len(scores))
        for threshold, chance in self.thresholds:
            above += chance * (scores > threshold)
        found: Reals = self.mixed * self.constant + (1 - self.mixed) * above
        return found

    def document(self) -> dict[str, object]:
        """The form it takes in JSON documents; a threshold that all or none are above is null with `all`."""
        return {
            "thresholds": [
                {
                    "above": None if np.isinf(t) else t,
                    "chance": p,
                    **({"all": bool(t < 0)} if np.isinf(t) else {}),
                }
                for t, p in self.thresholds
            ],
            "mixed": self.mixed,
            "constant": self.constant,
        }


def calibrated_odds(
    scores: Reals, labels: Reals, groups: npt.NDArray[np.intp], *, threshold: float
) -> list[Decision] | Undefined:
    """Decisions by which all groups pay the same: wrong decisions as often, while scores keep what they mean.

    The generalised cost of a group is the mean of the score over its negatives plus the mean of 1 - score over its
    positives. Groups with a lower cost than the worst one have a share of their rows decided by the group's base rate
    instead of the score, just so large that their cost becomes the worst one's.

    Args:
        scores: probabilities, shape (rows,).
        labels: 0 or 1, shape (rows,).
        groups: of each row, shape (rows,), from 0.
        threshold: a score above it is positive.

    Returns:
        A decision for each group; Undefined where one lacks a label.

    References:
        Pleiss, Raghavan, Wu, Kleinberg and Weinberger (2017), NeurIPS, "On fairness and calibration".

    >>> scores, labels = np.array([0.1, 0.9, 0.3, 0.6]), np.array([0.0, 1.0, 0.0, 1.0])
    >>> [round(one.mixed, 3) for one in calibrated_odds(scores, labels, np.array([0, 0, 1, 1]), threshold=0.5)]
    [0.625, 0.0]
    """
    costs, trivial, rates = [], [], []
    for group in range(int(groups.max(initial=-1)) + 1):
        mine = groups == group
        positive, negative = scores[mine & (labels == 1)], scores[mine & (labels == 0)]
        if not len(positive) or not len(negative):
            lacks = "positive" if not len(positive) else "negative"
            return Undefined(f"group {group} has no row labelled {lacks}")
        rate = len(positive) / (len(positive) + len(negative))
        costs.append(float(negative.mean() + (1 - positive).mean()))
        trivial.append(1.0)  # of the base rate: rate + (1 - rate)
        rates.append(rate)
    worst = max(costs, default=0.0)
    found = []
    for cost, idle, rate in zip(costs, trivial, rates, strict=True):
        mixed = 0.0 if idle <= cost else min(1.0, max(0.0, (worst - cost) / (idle - cost)))
        found.append(Decision(((threshold, 1.0),), mixed, rate))
    return found
