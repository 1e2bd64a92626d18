"""How good answers are that name a class, from counts: two classes, and several.

Counts are of rows, or sums of their weights, or expected rows: whole numbers or fractions, all >= 0. So one formula
serves realised, weighted and estimated quality. Whatever divides 0 by 0 is `Undefined`, and says what it lacks.
"""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.stats.ratios import ratio

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64] | Doubles

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
_TINY: Final = float(np.finfo(np.float64).eps)


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
        "accuracy": ratio("accuracy", tp + tn, positives + negatives),
        "precision": ratio("precision", tp, predicted, "row predicted positive"),
        "recall": ratio("recall", tp, positives, labelled_positive),
        "true_positive_rate": ratio("true_positive_rate", tp, positives, labelled_positive),
        "true_negative_rate": ratio("true_negative_rate", tn, negatives, labelled_negative),
        "false_positive_rate": ratio("false_positive_rate", fp, negatives, labelled_negative),
        "false_negative_rate": ratio("false_negative_rate", fn, positives, labelled_positive),
    }
    for name, beta in BETAS.items():
        whole = beta**2 * positives + predicted
        rates[name] = ratio(name, (1 + beta**2) * tp, whole, "row labelled or predicted positive")
    rates["balanced_accuracy"] = _middle(rates["true_positive_rate"], rates["true_negative_rate"])
    rates["matthews"] = ratio(
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
    rates: dict[str, Value] = {"accuracy": ratio("accuracy", float(hits.sum()), rows)}
    for name, score in scores.items():
        counted = occur if name == "recall" else seen
        for average, weights in (("weighted", labelled), ("macro", counted), ("micro", None)):
            label = f"{average}_{name}"
            if weights is None:
                rates[label] = ratio(label, float(hits.sum()), rows)
            else:
                rates[label] = ratio(label, float((score * weights).sum()), float(weights.sum()))
    rates["balanced_accuracy"] = ratio(
        "balanced_accuracy", float(scores["recall"][occur].sum()), float(occur.sum())
    )
    # Cells are divided by the rows first: the fourth power of a large count would lose digits, or overflow.
    share, by_label, by_prediction = (side / max(rows, _TINY) for side in (hits, labelled, predicted))
    spread = (_others(by_label), _others(by_prediction))
    rates["matthews"] = ratio(
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
    return ratio(f"top_{k}_accuracy", float(np.asarray(by_rank)[:k].sum()), float(rows))


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
