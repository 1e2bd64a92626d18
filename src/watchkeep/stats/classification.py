"""How good predictions are, from counts and sums: two classes, scores by bin, several classes, numbers.

Counts are of rows, or sums of their weights, or expected rows: whole numbers or fractions, all >= 0. So one formula
serves realised, weighted and estimated quality. Whatever divides 0 by 0 is `Undefined`, and says what it lacks.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64] | Doubles
Mask = npt.NDArray[np.bool_]

BETAS: Final[Mapping[str, float]] = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
"""How many times as much recall counts as precision, by the name of the F score."""
CONSTANT: Final = ("accuracy", "recall", "precision", *BETAS)
"""The rates that are also told of a classifier of two classes that always gives one answer."""
CONSTANT_WEIGHTED: Final = (
    "accuracy",
    "weighted_recall",
    "weighted_precision",
    *(f"weighted_{f}" for f in BETAS),
)
"""The same of several classes."""
TINY: Final = float(np.finfo(np.float64).eps)
"""Log loss takes scores nearer to 0 or 1 than this as this near, as scikit-learn does."""


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


# --- two classes ------------------------------------------------------------------------------------------------


def binary_rates(tn: float, fp: float, fn: float, tp: float) -> dict[str, Value]:
    """All rates of a confusion matrix of two classes.

    Args:
        tn, fp: rows labelled negative, by whether they were predicted negative or positive.
        fn, tp: rows labelled positive, likewise.

    Returns:
        By name, each in [0, 1] but for `matthews`, the correlation of prediction and label, in [-1, 1].
        F is (1 + b^2) tp / ((1 + b^2) tp + fp + b^2 fn), for b of `BETAS`: defined, and 0, where nothing was
        predicted positive and something should have been.

    References:
        Matthews (1975), Biochim. Biophys. Acta 405, 442-451.

    Conventions:
        scikit-learn calls a correlation of 0/0 (all rows of one class, or predicted so) 0; here it is undefined.

    >>> rates = binary_rates(tn=1600, fp=90, fn=66, tp=340)
    >>> round(rates["recall"], 4), round(rates["matthews"], 4)
    (0.8374, 0.7675)
    >>> binary_rates(tn=9, fp=0, fn=1, tp=0)["precision"]
    Undefined(why='precision needs 1 row predicted positive, has 0')
    """
    tn, fp, fn, tp = float(tn), float(fp), float(fn), float(tp)  # NumPy's integers would overflow below
    positives, negatives, predicted = tp + fn, tn + fp, tp + fp
    labelled_positive, labelled_negative = "row labelled positive", "row labelled negative"
    rates: dict[str, Value] = {
        "accuracy": _ratio("accuracy", tp + tn, positives + negatives),
        "precision": _ratio("precision", tp, predicted, "row predicted positive"),
        "recall": _ratio("recall", tp, positives, labelled_positive),
        "true_positive_rate": _ratio("true_positive_rate", tp, positives, labelled_positive),
        "true_negative_rate": _ratio("true_negative_rate", tn, negatives, labelled_negative),
        "false_positive_rate": _ratio("false_positive_rate", fp, negatives, labelled_negative),
        "false_negative_rate": _ratio("false_negative_rate", fn, positives, labelled_positive),
    }
    for name, beta in BETAS.items():
        whole = beta**2 * positives + predicted
        rates[name] = _ratio(name, (1 + beta**2) * tp, whole, "row labelled or predicted positive")
    rates["balanced_accuracy"] = _middle(rates["true_positive_rate"], rates["true_negative_rate"])
    rates["matthews"] = _ratio(
        "matthews",
        tp * tn - fp * fn,
        math.sqrt(positives * negatives) * math.sqrt(predicted * (tn + fn)),
        "row of either label and of either prediction",
    )
    return rates


def best_constant(negatives: float, positives: float) -> dict[str, Value]:
    """The best that a classifier reaches which gives all rows one answer: each rate of `CONSTANT` at its own best.

    For accuracy that is the share of the more frequent label; recall, precision and F are best when the answer is
    positive. What beats none of them has learned nothing.

    Args:
        negatives, positives: rows labelled so.

    >>> best_constant(1690, 406)["accuracy"] == 1690 / 2096
    True
    """
    yes, no = always_positive(negatives, positives), binary_rates(negatives, 0, positives, 0)
    return {name: _larger(yes[name], no[name]) for name in CONSTANT}


def always_positive(negatives: float, positives: float) -> dict[str, Value]:
    """The rates of `CONSTANT` of the classifier that calls all rows positive.

    That is what SageMaker's files call the best constant classifier, even where calling all rows negative is right
    more often.

    >>> always_positive(1690, 406)["accuracy"] == 406 / 2096
    True
    """
    rates = binary_rates(0, negatives, 0, positives)
    return {name: rates[name] for name in CONSTANT}


# --- scores by bin ----------------------------------------------------------------------------------------------


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


# --- calibration ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often rows are positive whose score says how likely that is, by bin of the score; shape (bins,) each.

    Args:
        rows: rows of the bin; bins without rows count for nothing.
        positives: those of them labelled positive.
        mean_scores: their mean score, in [0, 1]; anything where there are no rows.
    """

    rows: Counts
    positives: Counts
    mean_scores: Doubles

    def grouped(self, groups: int = 10, *, by: Literal["mass", "width"]) -> "Reliability":
        """The same by fewer, coarser bins: of equally many rows each (mass), or of equal stretches of [0, 1] (width).

        A bin is never divided: it goes whole where its middle row, or its mean score, lies.
        """
        rows, positives, means = self._filled()
        middles = np.cumsum(rows) - rows / 2
        place = middles / max(rows.sum(), TINY) if by == "mass" else means
        group = np.minimum((place * groups).astype(np.int64), groups - 1)
        size = np.bincount(group, rows, groups)
        scores = np.bincount(group, rows * means, groups) / np.where(size > 0, size, 1.0)
        return Reliability(size, np.bincount(group, positives, groups), scores)

    def expected_error(self) -> Value:
        """Expected calibration error: the gap between mean score and share of positives, averaged over rows.

        sum of rows |positives / rows - mean score| / sum of rows, in [0, 1]. It depends on the bins, and grows by
        chance where they hold few rows.

        References:
            Naeini, Cooper and Hauskrecht (2015), AAAI 29, 2901-2907.

        >>> two = Reliability(np.array([80, 20]), np.array([8, 15]), np.array([0.1, 0.8]))
        >>> round(two.expected_error(), 3), round(two.max_error(), 3)
        (0.01, 0.05)
        """
        rows, positives, means = self._filled()
        gap = float(np.abs(positives - rows * means).sum())
        return _ratio("expected_calibration_error", gap, float(rows.sum()))

    def max_error(self) -> Value:
        """Maximum calibration error: the largest such gap of a bin that has rows, in [0, 1]."""
        rows, positives, means = self._filled()
        if not len(rows):
            return Undefined("max_calibration_error needs 1 row, has 0")
        return float(np.abs(positives / rows - means).max())

    def _filled(self) -> tuple[Doubles, Doubles, Doubles]:
        filled = np.asarray(self.rows) > 0
        rows, positives = (np.asarray(side, np.float64)[filled] for side in (self.rows, self.positives))
        return rows, positives, np.asarray(self.mean_scores, np.float64)[filled]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBins:
    """Rows by label and bin of a score that says how likely a row is positive; shape (bins,) each.

    Args:
        positives, negatives: rows labelled so.
        lows, highs: the bin's smallest and largest score, in [0, 1]; anything where there are no rows.
        means: its mean score, between them.

    >>> bins = ScoreBins(np.array([1, 3]), np.array([3, 1]), lows=np.array([0.0, 0.75]),
    ...                  highs=np.array([0.25, 1.0]), means=np.array([0.125, 0.875]))
    >>> bins.brier()
    Bounded(value=0.203125, low=0.140625, high=0.296875)
    """

    positives: Counts
    negatives: Counts
    lows: Doubles
    highs: Doubles
    means: Doubles

    def log_loss(self) -> Bounded | Undefined:
        """Mean of -ln(score) over positive and -ln(1 - score) over negative rows: nats, >= 0.

        The value takes each row at its bin's mean score. The bound: the loss of a positive row falls with its score
        and that of a negative one rises, so that the ends of the bin enclose both.
        """
        return self._loss("log_loss", lambda score: -np.log(np.clip(score, TINY, 1.0)))

    def brier(self) -> Bounded | Undefined:
        """Brier score: the mean of (score - label)^2, in [0, 1], with value and bound as in `log_loss`.

        References:
            Brier (1950), Monthly Weather Review 78, 1-3.
        """
        return self._loss("brier", lambda score: (1.0 - score) ** 2)

    def _loss(self, name: str, of_positive: Callable[[Doubles], Doubles]) -> Bounded | Undefined:
        """`of_positive` falls with the score; a negative row loses what a positive one does at 1 - score."""
        p, n = np.asarray(self.positives, np.float64), np.asarray(self.negatives, np.float64)
        filled = p + n > 0
        total = float((p + n).sum())
        if not filled.any():
            return Undefined(f"{name} needs 1 row, has 0")
        p, n = p[filled], n[filled]

        def mean(positive: Doubles, negative: Doubles) -> float:
            losses = p * of_positive(positive[filled]) + n * of_positive(1.0 - negative[filled])
            return float(losses.sum()) / total

        value = mean(self.means, self.means)
        low, high = mean(self.highs, self.lows), mean(self.lows, self.highs)
        return Bounded(value, min(low, value), max(high, value))


# --- several classes --------------------------------------------------------------------------------------------


def one_against_rest(confusion: Counts, answer: int) -> tuple[float, float, float, float]:
    """The confusion matrix of one class against all others, as (tn, fp, fn, tp), for `binary_rates`.

    >>> one_against_rest(np.array([[5, 1, 0], [2, 6, 1], [0, 0, 4]]), 1)
    (9.0, 1.0, 3.0, 6.0)
    """
    counts = np.asarray(confusion, np.float64)
    tp = float(counts[answer, answer])
    fn, fp = float(counts[answer].sum()) - tp, float(counts[:, answer].sum()) - tp
    return float(counts.sum()) - tp - fn - fp, fp, fn, tp


def multiclass_rates(confusion: Counts) -> dict[str, Value]:
    """All rates of a confusion matrix of K classes.

    `weighted_` averages a class's rate by its rows, `macro_` over classes alike, `micro_` over rows (which makes all
    of them the accuracy). Classes that were neither labelled nor predicted do not count. A class that was never
    predicted though rows have it has precision 0. `macro_recall`, which is `balanced_accuracy`, is over the classes
    that rows have: a recall of no rows is no number.

    Args:
        confusion: rows by label (first axis) and prediction (second), shape (K, K).

    Returns:
        By name, in [0, 1]; `matthews` in [-1, 1].

    References:
        Gorodkin (2004), Comput. Biol. Chem. 28, 367-374 (the correlation of K classes).

    Conventions:
        scikit-learn's macro recall counts a class as 0 that was predicted and that no row has.

    >>> rates = multiclass_rates(np.array([[5, 1, 0], [2, 6, 1], [0, 0, 4]]))
    >>> round(rates["accuracy"], 4), round(rates["macro_recall"], 4), round(rates["weighted_f1"], 4)
    (0.7895, 0.8333, 0.7853)
    """
    counts = np.asarray(confusion, np.float64)
    hits, labelled, predicted = counts.diagonal(), counts.sum(axis=1), counts.sum(axis=0)
    rows = float(labelled.sum())
    scores = {"precision": _each(hits, predicted), "recall": _each(hits, labelled)}
    for name, beta in BETAS.items():
        scores[name] = _each((1 + beta**2) * hits, beta**2 * labelled + predicted)
    occur, seen = labelled > 0, labelled + predicted > 0
    rates: dict[str, Value] = {"accuracy": _ratio("accuracy", float(hits.sum()), rows)}
    for name, score in scores.items():
        counted = occur if name == "recall" else seen
        for average, weights in (("weighted", labelled), ("macro", counted), ("micro", None)):
            label = f"{average}_{name}"
            if weights is None:
                rates[label] = _ratio(label, float(hits.sum()), rows)
            else:
                rates[label] = _ratio(label, float((score * weights).sum()), float(weights.sum()))
    rates["balanced_accuracy"] = _ratio(
        "balanced_accuracy", float(scores["recall"][occur].sum()), float(occur.sum())
    )
    # Cells are divided by the rows first: the fourth power of a large count would lose digits, or overflow.
    share, by_label, by_prediction = (side / max(rows, TINY) for side in (hits, labelled, predicted))
    spread = (_others(by_label), _others(by_prediction))
    rates["matthews"] = _ratio(
        "matthews",
        float(share.sum() - by_label @ by_prediction),
        math.sqrt(spread[0] * spread[1]),
        "row of two labels and of two predictions",
    )
    return rates


def best_constant_class(labelled: Counts) -> dict[str, Value]:
    """The best that a classifier reaches which gives all rows one class: the most frequent, by every rate.

    All rates of `CONSTANT_WEIGHTED` grow with the class's share s: accuracy and recall s, precision s^2,
    F (1 + b^2) s^2 / (b^2 s + 1).

    Args:
        labelled: rows by label, shape (K,), K >= 1.

    >>> best_constant_class(np.array([1690, 406]))["accuracy"] == 1690 / 2096
    True
    """
    return constant_class(labelled, int(np.argmax(labelled)))


def constant_class(labelled: Counts, answer: int) -> dict[str, Value]:
    """The rates of `CONSTANT_WEIGHTED` of the classifier that gives all rows one class, by its place.

    What SageMaker's files call the best constant classifier answers, in the one published sample, the second of two
    classes though the first is four times as frequent. The last class (-1) does the same.

    >>> round(constant_class(np.array([1690, 406]), -1)["weighted_precision"], 4)
    0.0375
    """
    confusion = np.zeros((len(labelled), len(labelled)))
    confusion[:, answer] = labelled
    rates = multiclass_rates(confusion)
    return {name: rates[name] for name in CONSTANT_WEIGHTED}


def top_k(by_rank: Counts, rows: float, k: int) -> Value:
    """Top-k accuracy: the share of rows whose label is among the k classes that were ranked highest, in [0, 1].

    Args:
        by_rank: rows by the rank of their label, highest first, shape (ranks,); rows whose label was not ranked are
            in none.
        rows: all rows, those included.
        k: >= 1; beyond the ranks there is nothing to gain.

    >>> top_k(np.array([60, 25, 10]), 100, 2)
    0.85
    """
    return _ratio(f"top_{k}_accuracy", float(np.asarray(by_rank)[:k].sum()), float(rows))


# --- numbers ----------------------------------------------------------------------------------------------------


def regression_rates(
    rows: float, *, absolute: float, squared: float, label_squares: float
) -> dict[str, Value]:
    """The errors of predicted numbers.

    mae = sum |e| / n, mse = sum e^2 / n, rmse its root, all >= 0 and in the label's unit (mse: squared);
    r2 = 1 - sum e^2 / sum (y - mean y)^2, at most 1, where 0 is as good as always predicting the mean.

    Args:
        rows: n.
        absolute, squared: sums of |e| and e^2 over rows, e = label - prediction.
        label_squares: sum of (y - mean y)^2 over rows: of `Moments`, or of `centred`.

    Conventions:
        scikit-learn calls r2 of constant labels 1 or 0; here it is undefined.

    >>> regression_rates(4, absolute=6.0, squared=16.0, label_squares=64.0)
    {'mae': 1.5, 'mse': 4.0, 'rmse': 2.0, 'r2': 0.75}
    """
    mse = _ratio("mse", squared, rows)
    rmse = _ratio("rmse", squared, rows)
    lost = _ratio("r2", squared, label_squares, "row with another label than the rest")
    return {
        "mae": _ratio("mae", absolute, rows),
        "mse": mse,
        "rmse": rmse if isinstance(rmse, Undefined) else math.sqrt(rmse),
        "r2": lost if isinstance(lost, Undefined) else 1.0 - lost,
    }


def centred(rows: float, total: float, squares: float) -> float:
    """Sum of squared deviations from the mean, of sums over rows: squares - total^2 / rows, at least 0.

    Digits are lost where the mean is large beside the deviations. Sum what is left of the values when a constant
    near their mean (the baseline's) is taken off: the deviations are the same.

    >>> centred(4, 2.0, 65.0)
    64.0
    """
    return max(0.0, squares - total * total / rows) if rows > 0 else 0.0


def mape(rows: float, total: float) -> Value:
    """Mean absolute percentage error, as a share: the mean of |e| / |label|, >= 0.

    Args:
        rows: rows whose label is not 0; of the others there is no such share.
        total: sum of |e| / |label| over them.

    >>> mape(0, 0.0)
    Undefined(why='mape needs 1 row whose label is not 0, has 0')
    """
    return _ratio("mape", total, rows, "row whose label is not 0")


def smape(rows: float, total: float) -> Value:
    """Symmetric mean absolute percentage error, as a share: the mean of 2 |e| / (|label| + |prediction|), in [0, 2].

    Args:
        rows: all rows.
        total: the sum of these; 0 for a row whose label and prediction both are 0.

    >>> smape(4, 1.0)
    0.25
    """
    return _ratio("smape", total, rows)


def pinball(rows: float, errors: float, absolute: float, quantile: float) -> Value:
    """Pinball loss of predicted quantiles: the mean of q e where e >= 0, (q - 1) e where not.

    It is >= 0, in the label's unit. Both parts follow from two sums: e = e+ - e- and |e| = e+ + e-.

    Args:
        rows: all rows.
        errors, absolute: sums of e and |e|, e = label - prediction.
        quantile: q, in (0, 1); at 0.5 it is half the mean absolute error.

    References:
        Koenker and Bassett (1978), Econometrica 46, 33-50.

    >>> pinball(2, 1.0, 3.0, 0.9)
    0.95
    """
    return _ratio("pinball", absolute / 2 + (quantile - 0.5) * errors, rows)


def mean_loss(name: str, rows: float, total: float) -> Value:
    """The mean of a loss that was summed over rows, such as log loss or Brier score.

    >>> mean_loss("brier", 0, 0.0)
    Undefined(why='brier needs 1 row, has 0')
    """
    return _ratio(name, total, rows)


def _ratio(name: str, part: float, whole: float, unit: str = "row") -> Value:
    if whole == 0:
        return Undefined(f"{name} needs 1 {unit}, has 0")
    ratio = float(part) / float(whole)
    return ratio if math.isfinite(ratio) else Undefined(f"{name} needs sums that a double can hold")


def _middle(of_positive: Value, of_negative: Value) -> Value:
    if isinstance(of_positive, Undefined) or isinstance(of_negative, Undefined):
        return Undefined("balanced_accuracy needs 1 row of either label")
    return (of_positive + of_negative) / 2


def _larger(one: Value, other: Value) -> Value:
    if isinstance(one, Undefined):
        return other
    return one if isinstance(other, Undefined) else max(one, other)


def _each(part: Doubles, whole: Doubles) -> Doubles:
    """Each ratio; 0 for 0/0."""
    return part / np.where(whole > 0, whole, 1.0)


def _others(shares: Doubles) -> float:
    """How likely two rows differ: 1 - sum of squares, as a sum that is 0, not nearly so, for one class alone."""
    return float((shares * (shares.sum() - shares)).sum())


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
