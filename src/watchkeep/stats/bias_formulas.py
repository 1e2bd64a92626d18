"""How differently a model, or the world it learned from, treats two groups: every measure from counts.

d is the group looked at (the *facet*), a is everybody it is compared with. Each has a table of its rows by label and
prediction, positive or not. Counts are whole numbers, sums of weights, or expected rows; arrays of them give arrays of
measures, so that a bootstrap is one call.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """The rows of a group by label and prediction; arrays of any one shape, all >= 0.

    Args:
        tn, fp: labelled negative, by whether they were predicted negative or positive.
        fn, tp: labelled positive, likewise.
    """

    tn: Reals
    fp: Reals
    fn: Reals
    tp: Reals

    @classmethod
    def of(cls, table: npt.ArrayLike) -> Self:
        """Outcomes of a table whose last two axes are label and prediction, negative first, shape (..., 2, 2)."""
        table = np.asarray(table, np.float64)
        return cls(table[..., 0, 0], table[..., 0, 1], table[..., 1, 0], table[..., 1, 1])

    @property
    def rows(self) -> Reals:
        """All rows."""
        return self.negatives + self.positives

    @property
    def positives(self) -> Reals:
        """Rows labelled positive."""
        return self.fn + self.tp

    @property
    def negatives(self) -> Reals:
        """Rows labelled negative."""
        return self.tn + self.fp

    @property
    def accepted(self) -> Reals:
        """Rows predicted positive."""
        return self.fp + self.tp

    @property
    def rejected(self) -> Reals:
        """Rows predicted negative."""
        return self.tn + self.fn

    @property
    def rarer(self) -> Reals:
        """Rows labelled positive or rows labelled negative, whichever are fewer."""
        return np.minimum(self.positives, self.negatives)


class Over:
    """Divides, and remembers what was missing where it divided by nothing.

    Args:
        sagemaker: 0/0 is 0 and x/0 infinite, as in SageMaker's files; else both are no number.

    What was missing is in `lacks`; in `refused` what SageMaker, too, has no number for.
    """

    def __init__(self, *, sagemaker: bool = False) -> None:
        self.sagemaker = sagemaker
        self.lacks: list[str] = []
        self.refused: list[str] = []

    def __call__(self, above: Reals, below: Reals, unit: str) -> Reals:
        """`above` over `below`, which counts rows of a `unit`."""
        if (below == 0).any():
            self.lacks.append(unit)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Reals = above / below
        empty = below == 0
        return (
            np.where(empty & (above == 0), 0.0, found) if self.sagemaker else np.where(empty, np.nan, found)
        )


Formula = Callable[[Outcomes, Outcomes, Over], Reals]
_D, _A = "of the group", "of the others"


def class_imbalance(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """CI = (n_a - n_d) / (n_a + n_d)."""
    return over(a.rows - d.rows, a.rows + d.rows, "row")


def label_difference(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """DPL = q_a - q_d, q the share of rows labelled positive."""
    return _labelled(a, over, _A) - _labelled(d, over, _D)


def label_divergence(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """KL = sum P_a ln(P_a / P_d) over the labels, P the shares of labels; in nats.

    It has no value where a label that others have is not in the group. (SageMaker leaves such labels out.)
    """
    terms = []
    for (p, q), label in zip(_shares(d, a, over), ("positive", "negative"), strict=True):
        lacks = (q == 0) & (p > 0)
        if lacks.any():
            over.lacks.append(f"row labelled {label} {_D}")
        terms.append(np.where(lacks, np.nan, _divergence(p, q)))
    return terms[0] + terms[1]


def label_jensen_shannon(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """JS = (KL(P_a | M) + KL(P_d | M)) / 2, M = (P_a + P_d) / 2; in nats."""
    terms = [_divergence(x, (p + q) / 2) for p, q in _shares(d, a, over) for x in (p, q)]
    found: Reals = np.sum(terms, axis=0) / 2
    return found


def label_distance(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """LP = sqrt(sum (P_a - P_d)**2) over both labels, which is sqrt(2) |DPL|."""
    found: Reals = np.sqrt(np.sum([(p - q) ** 2 for p, q in _shares(d, a, over)], axis=0))
    return found


def label_variation(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """TVD = half of sum |P_a - P_d| over both labels, which is |DPL|."""
    found: Reals = np.sum([np.abs(p - q) for p, q in _shares(d, a, over)], axis=0) / 2
    return found


def label_largest(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """KS, the largest |P_a - P_d| of a label, which is |DPL|."""
    found: Reals = np.max([np.abs(p - q) for p, q in _shares(d, a, over)], axis=0)
    return found


def prediction_difference(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """DPPL = q_a - q_d, q the share of rows predicted positive."""
    return _accepted(a, over, _A) - _accepted(d, over, _D)


def disparate_impact(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """DI = q_d / q_a."""
    return over(_accepted(d, over, _D), _accepted(a, over, _A), f"row predicted positive {_A}")


def conditional_acceptance(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """DCA = labelled positive / predicted positive of a, less that of d."""
    return over(a.positives, a.accepted, f"row predicted positive {_A}") - over(
        d.positives, d.accepted, f"row predicted positive {_D}"
    )


def conditional_rejection(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """DCR = labelled negative / predicted negative of d, less that of a."""
    return over(d.negatives, d.rejected, f"row predicted negative {_D}") - over(
        a.negatives, a.rejected, f"row predicted negative {_A}"
    )


def accuracy_difference(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """AD = accuracy of a less that of d."""
    return over(a.tp + a.tn, a.rows, f"row {_A}") - over(d.tp + d.tn, d.rows, f"row {_D}")


def recall_difference(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """RD = recall (true positive rate) of a less that of d."""
    return _recall(a, over, _A) - _recall(d, over, _D)


def specificity_difference(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """SD = specificity (true negative rate) of d less that of a."""
    return _false_alarms(a, over, _A) - _false_alarms(d, over, _D)


def acceptance_difference(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """DAR = precision of a less that of d."""
    return over(a.tp, a.accepted, f"row predicted positive {_A}") - over(
        d.tp, d.accepted, f"row predicted positive {_D}"
    )


def rejection_difference(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """DRR = tn / (tn + fn) of d less that of a."""
    return over(d.tn, d.rejected, f"row predicted negative {_D}") - over(
        a.tn, a.rejected, f"row predicted negative {_A}"
    )


def treatment_equality(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """TE = fn / fp of d less that of a."""
    return over(d.fn, d.fp, f"false positive {_D}") - over(a.fn, a.fp, f"false positive {_A}")


def generalised_entropy(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """GE = half of the mean of (b / mean b)**2 - 1, b = prediction - label + 1 over the rows of both groups."""
    rows, benefit = d.rows + a.rows, d.tn + d.tp + a.tn + a.tp + 2 * (d.fp + a.fp)
    squares = d.tn + d.tp + a.tn + a.tp + 4 * (d.fp + a.fp)
    if (benefit == 0).any():
        over.refused.append("row that is no false negative")
    return (over(rows * squares, benefit**2, "row that is no false negative") - 1) / 2


def equal_opportunity(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """Recall of d less that of a: -RD, under the name and with the sign of the literature."""
    return _recall(d, over, _D) - _recall(a, over, _A)


def average_odds(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """Mean of the differences, d less a, in true and in false positive rate."""
    return (equal_opportunity(d, a, over) + _false_alarms(d, over, _D) - _false_alarms(a, over, _A)) / 2


def equalised_odds(d: Outcomes, a: Outcomes, over: Over) -> Reals:
    """The smaller of two ratios, smaller over larger: of the true and of the false positive rates; 1 if both are 0."""
    ratios = []
    for rate in (_recall, _false_alarms):
        one, other = rate(d, over, _D), rate(a, over, _A)
        larger = np.maximum(one, other)
        ratios.append(np.where(larger == 0, 1.0, np.minimum(one, other) / np.where(larger == 0, 1.0, larger)))
    return np.minimum(*ratios)


def _labelled(group: Outcomes, over: Over, whose: str) -> Reals:
    return over(group.positives, group.rows, f"row {whose}")


def _shares(d: Outcomes, a: Outcomes, over: Over) -> list[tuple[Reals, Reals]]:
    """The shares of each label, positive and negative, of a and of d; SageMaker leaves out what one of them lacks."""
    p, q = _labelled(a, over, _A), _labelled(d, over, _D)
    pairs = [(p, q), (1 - p, 1 - q)]
    if not over.sagemaker:
        return pairs
    if ((p * q == 0) & ((1 - p) * (1 - q) == 0)).any():  # SageMaker has no number for that either
        over.refused.append("label that both sides have")
    return [(np.where(y == 0, 0.0, x), np.where(x == 0, 0.0, y)) for x, y in pairs]


def _accepted(group: Outcomes, over: Over, whose: str) -> Reals:
    return over(group.accepted, group.rows, f"row {whose}")


def _recall(group: Outcomes, over: Over, whose: str) -> Reals:
    return over(group.tp, group.positives, f"row labelled positive {whose}")


def _false_alarms(group: Outcomes, over: Over, whose: str) -> Reals:
    return over(group.fp, group.negatives, f"row labelled negative {whose}")


def _divergence(p: Reals, q: Reals) -> Reals:
    """One term of KL, p ln(p / q): 0 where either is 0; NaN stays NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        term: Reals = p * np.log(p / q)
    return np.where((p == 0) | (q == 0), 0.0, term)
