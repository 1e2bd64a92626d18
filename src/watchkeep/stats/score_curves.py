"""ROC and precision-recall curves from rows by bin of the score, with bounds on what the rows themselves give.

Counts are of rows, or sums of their weights, or expected rows, all >= 0.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64] | Doubles
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number told from bins, and between which bounds the rows' own lies.

    Args:
        value: the number.
        low, high: what the rows give is in [low, high], however they lie inside the bins.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve over all thresholds, from the highest (no row is predicted positive) to the lowest (all are).

    Args:
        x: increasing, shape (points,): the false positive rates (ROC), or the recalls (precision-recall).
        y: the true positive rates, or the precisions.
        area: the area under it.
    """

    x: Doubles
    y: Doubles
    area: Bounded

    def thinned(self, most: int = 200) -> "Curve":
        """The same with at most that many points (>= 2), the first and the last among them.

        They are taken evenly along the curve's own way, |dx| + |dy|, so that steep parts keep theirs. Of a ROC
        curve, whose way is 2 long, no point that is left out is further than 2 / (most - 1) from one that is kept.
        """
        if len(self.x) <= most:
            return self
        way = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(self.x)) + np.abs(np.diff(self.y)))))
        kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], most)).clip(0, len(way) - 1))
        kept[-1] = len(way) - 1
        return Curve(self.x[kept], self.y[kept], self.area)


def roc(positives: Counts, negatives: Counts, *, tied: bool | Mask = False) -> Curve | Undefined:
    """The ROC curve, and the area under it: how likely a positive row scores above a negative one, ties half.

    area = sum over bins of p (n below + n / 2) / (P N): trapezoids, for p and n rows of a bin, P and N of all.

    The bound: pairs of rows in different bins are told apart by their bins, whatever lies inside. The p n pairs
    within a bin count p n / 2 here, and in truth anything from 0 (all negatives score higher) to p n (all lower).
    Hence the rows' own area differs by at most sum(p n) / (2 P N), and both ends are reached. It is at most half
    the largest share of the negatives (or positives) in one bin.

    Args:
        positives, negatives: rows by bin of the score, in increasing order of the score, shape (bins,).
        tied: which bins hold one score only (so that the half is the truth, not a guess): all, none, or each.

    Returns:
        Undefined without a row of either label.

    References:
        Fawcett (2006), Pattern Recognition Letters 27, 861-874; sklearn.metrics.roc_auc_score.

    >>> roc(np.array([1, 0, 3]), np.array([2, 2, 0])).area
    Bounded(value=0.8125, low=0.75, high=0.875)
    """
    p, n, mixed = _descending(positives, negatives, tied)
    missing = _without("auc", p.sum(), n.sum())
    if missing is not None:
        return missing
    above, false = np.cumsum(p), np.cumsum(n)
    pairs = above[-1] * false[-1]
    value = float((n * (above - p / 2)).sum() / pairs)
    slack = float((p * n * mixed).sum() / (2 * pairs))
    area = _area(value, value - slack, value + slack)
    x, y = (np.concatenate(([0.0], side / side[-1])) for side in (false, above))
    return Curve(x, y, area)


def precision_recall(positives: Counts, negatives: Counts, *, tied: bool | Mask = False) -> Curve | Undefined:
    """The precision-recall curve, and the area under it as average precision.

    That is the mean, over positive rows, of the precision among all rows that score at least as high. Rows of a
    `tied` bin all have the precision at its lower end, as in scikit-learn. Inside other bins the value takes the p
    positives to lie evenly among the n negatives: each bin adds the integral over t from 0 to 1 of
    p (T + t p) / (T + F + t (p + n)), for T and F positive and negative rows in the bins above.

    The bound: given T and F, the bins add up independently. In a bin, a positive row's precision is u / (u + v) with
    u <= T + p and v >= F: at most (T + p) / (T + p + F), reached by p equal scores above all n. And after an amount
    x of the bin's positive rows is counted, u >= T + x and v <= F + n: at least (T + x) / (T + x + F + n), reached
    when the n come first and no two positives tie. As that grows with x, its integral over x from 0 to p is at most
    the sum over rows, whatever their weights. Hence, with G = F + n, the bin adds between
    p - G ln((T + p + G) / (T + G)) and p (T + p) / (T + p + F), all over P. That leaves at most p / P times the
    bin's share of the rows down to it, so bins at the highest scores matter most: where positives are rare, bins of
    equally many rows are far too coarse there, and bins that hold 1/250 of the rows above them (at least 10) do.

    Args:
        positives, negatives: rows by bin of the score, in increasing order of the score, shape (bins,).
        tied: which bins hold one score only: all, none, or each.

    Returns:
        The curve starts at recall 0 with precision 1. Undefined without a positive row.

    References:
        sklearn.metrics.average_precision_score; Davis and Goadrich (2006), ICML 233-240 (why not by trapezoids).

    >>> precision_recall(np.array([1, 0, 3]), np.array([2, 2, 0]), tied=True).area
    Bounded(value=0.875, low=0.875, high=0.875)
    """
    p, n, mixed = _descending(positives, negatives, tied)
    missing = _without("pr_auc", p.sum(), 1.0)
    if missing is not None:
        return missing
    above, false = np.cumsum(p), np.cumsum(n)
    before, false_before = (np.concatenate(([0.0], side[:-1])) for side in (above, false))
    start, rows = before + false_before, p + n  # rows > 0: empty bins are gone
    end = p * above / (above + false)
    first = start == 0  # nothing lies above, so rows lie evenly at the bin's own share of positives
    lean = np.where(first, 0.0, before - start * p / rows)
    even = p * (p + lean * np.log1p(rows / np.where(first, 1.0, start))) / rows
    best = p * above / np.where(p > 0, above + false_before, 1.0)
    worst = p - false * np.log1p(p / np.where(before + false > 0, before + false, 1.0))
    value, low, high = (
        float(np.where(mixed, inside, end).sum() / above[-1]) for inside in (even, worst, best)
    )
    area = _area(value, low, high)
    x, y = np.concatenate(([0.0], above / above[-1])), np.concatenate(([1.0], above / (above + false)))
    return Curve(x, y, area)


def _descending(positives: Counts, negatives: Counts, tied: bool | Mask) -> tuple[Doubles, Doubles, Mask]:
    """Rows by bin from the highest score down, and which bins may hold several scores; bins without rows left out."""
    p, n = (np.asarray(side, np.float64)[::-1] for side in (positives, negatives))
    mixed = ~np.broadcast_to(np.asarray(tied, np.bool_), p.shape)[::-1]
    filled = p + n > 0
    return p[filled], n[filled], mixed[filled]


def _area(value: float, low: float, high: float) -> Bounded:
    """An area in [0, 1], which sums may leave by a rounding error, with its bounds around it."""
    value = min(1.0, max(0.0, value))
    return Bounded(value, max(0.0, min(low, value)), min(1.0, max(high, value)))


def _without(name: str, positives: float, negatives: float) -> Undefined | None:
    for label, rows in (("positive", positives), ("negative", negatives)):
        if rows == 0:
            return Undefined(f"{name} needs 1 row labelled {label}, has 0")
    return None
