"""Measures of answers in words people know, and which way is better."""

import re
from math import floor, isfinite, log10
from typing import Final

from watchkeep.monitors.model_quality.suggestions import lower_is_better
from watchkeep.views.words import clip, number

CONSTANT: Final = "_best_constant_classifier"
"""How the measures end that the best constant answer would reach."""

SAME: Final = {
    "true_positive_rate": "recall",
    "false_negative_rate": "recall",
    "false_positive_rate": "true_negative_rate",
    "mse": "rmse",
    "smape": "mape",
    "f0_5": "f1",
    "f2": "f1",
    "weighted_f0_5": "weighted_f1",
    "weighted_f2": "weighted_f1",
    "micro_precision": "accuracy",
    "micro_recall": "accuracy",
    "micro_f0_5": "accuracy",
    "micro_f1": "accuracy",
    "micro_f2": "accuracy",
    "weighted_recall": "accuracy",
    "macro_recall": "balanced_accuracy",
}
"""Measures that say what another says, or nearly: by name, the one to show."""

_WORDS: Final = {
    "auc": "ROC AUC",
    "pr_auc": "average precision (PR AUC)",
    "matthews": "Matthews correlation",
    "brier": "Brier score",
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "r2": "R²",
    "mape": "mean absolute percentage error",
    "smape": "symmetric percentage error",
    "bias": "mean error",
    "coverage": "coverage of prediction sets",
    "rejected": "share of rejected rows",
}
_SHORT: Final = _WORDS | {"mae": "MAE", "mse": "MSE", "rmse": "RMSE"}
_LOSSES: Final = frozenset({"brier", "log_loss"})
_ERRORS: Final = frozenset({"mae", "mse", "rmse", "bias"})


def label(name: str) -> str:
    """A measure in words.

    >>> [label(name) for name in ("true_positive_rate", "weighted_f0_5", "pinball_0_1", "top_2_accuracy", "r2")]
    ['true positive rate', 'weighted F0.5', 'pinball loss at 0.1', 'top-2 accuracy', 'R²']
    """
    return clip(_named(name, _WORDS), 80)


def short_label(name: str) -> str:
    """A measure in a word, for a sentence of people who know it.

    >>> short_label("rmse"), short_label("accuracy")
    ('RMSE', 'accuracy')
    """
    return clip(_named(name, _SHORT), 80)


def _named(name: str, known: dict[str, str]) -> str:
    if name in known:
        return known[name]
    if name.endswith(CONSTANT):
        return f"{label(name.removesuffix(CONSTANT))} of the best constant answer"
    if name.startswith("recall of "):  # of a class, whose name is not ours
        return name
    if found := re.fullmatch(r"pinball_(\d+)_(\d+)", name):
        return f"pinball loss at {found[1]}.{found[2]}"
    if found := re.fullmatch(r"ndcg_at_(\d+)", name):
        return f"NDCG at {found[1]}"
    if found := re.fullmatch(r"top_(\d+)_accuracy", name):
        return f"top-{found[1]} accuracy"
    words = re.sub(r"\bf(\d)(?:_(\d))?$", lambda f: f"F{f[1]}" + (f".{f[2]}" if f[2] else ""), _spaced(name))
    return words.replace("_", " ")


def _spaced(name: str) -> str:
    return re.sub(r"^(weighted|macro|micro)_", r"\1 ", name)


def worded(sentence: str, name: str) -> str:
    """A sentence that begins with a measure's name, with the measure in words.

    >>> worded("true_positive_rate is 0.4, at least 0.5 is allowed", "true_positive_rate")
    'true positive rate is 0.4, at least 0.5 is allowed'
    """
    rest = sentence.removeprefix(f"{name} ")
    return sentence if rest == sentence else f"{label(name)} {rest}"


def lacking(reason: str, name: str) -> str:
    """Why a measure has no value, without its name: so that measures that lack the same are told together.

    >>> lacking("auc needs 1 row labelled positive, has 0", "auc")
    'needs 1 row labelled positive, has 0'
    """
    return reason.removeprefix(f"{name} ")


def direction(name: str) -> int:
    """Whether more is better (1), worse (-1) or neither (0).

    >>> [direction(name) for name in ("accuracy", "brier", "pinball_0_1", "bias")]
    [1, -1, -1, 0]
    """
    if name == "bias":
        return 0
    return -1 if lower_is_better(name) else 1


def unit_kind(name: str) -> str:
    """In which unit a change of what a watch looks at is told: a key of `detectable`'s units.

    >>> [unit_kind(name) for name in ("accuracy", "brier", "mae")]
    ['rate', 'loss', 'error']
    """
    return "loss" if name in _LOSSES else "error" if name in _ERRORS else "rate"


def scattered(value: float, error: float | None) -> tuple[str, str]:
    """A value and its standard error, both to the second digit of the error; the error is empty if there is none.

    >>> scattered(0.780249, 0.00741), scattered(1773.49, 45.3), scattered(0.5, None), scattered(1.0, 0.0)
    (('0.7802', '0.0074'), ('1,773', '45'), ('0.5', ''), ('1', '0'))
    """
    if error is None or not isfinite(error):
        return number(value), ""
    if error <= 0 or not 1e-9 < error < 1e9 or abs(value) >= 1e12:
        return number(value), number(error, digits=2)
    places = decimals(error)
    return f"{value:,.{places}f}", f"{error:,.{places}f}"


def decimals(error: float) -> int:
    """Digits behind the point down to the second digit of a standard error."""
    return max(0, 1 - floor(log10(error)))


def like(value: float, error: float | None) -> str:
    """Another value, told as finely as one with that standard error.

    >>> like(0.80135, 0.00741), like(0.80135, None)
    ('0.8014', '0.8014')
    """
    return scattered(value, error)[0]


_DURATIONS: Final = ((172_800, 86_400, "days"), (7_200, 3_600, "hours"), (120, 60, "minutes"))


def duration(seconds: float) -> str:
    """How long, in the largest unit of which there are at least two.

    >>> [duration(x) for x in (0.25, 90, 5400, 90_000, 518_400, -30)]
    ['0.25 seconds', '90 seconds', '90 minutes', '25 hours', '6 days', '-30 seconds']
    """
    for least, size, word in _DURATIONS:
        if abs(seconds) >= least:
            return f"{number(seconds / size, digits=2 if abs(seconds) < 100 * size else 3)} {word}"
    return f"{number(seconds, digits=2)} seconds"
