"""The measures of a model's answers as people read them: in words, beside the baseline and the limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from watchkeep.views.columns import Judged, Rule
from watchkeep.views.measure_words import (
    CONSTANT,
    SAME,
    direction,
    label,
    lacking,
    like,
    scattered,
    short_label,
)
from watchkeep.views.strips import Compared, Strip, banded, strips
from watchkeep.views.values import objects, real, text
from watchkeep.views.words import DASH, bound, clip, figure, why

FIRST: Final = (
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "true_negative_rate",
    "weighted_precision",
    "f1",
    "weighted_f1",
    "macro_f1",
    "matthews",
    "auc",
    "pr_auc",
    "log_loss",
    "brier",
    "expected_calibration_error",
    "mae",
    "rmse",
    "r2",
    "mape",
    "ndcg_at_10",
    "mean_reciprocal_rank",
    "bias",
    "coverage",
)
"""Measures to be read first, in reading order."""
OUT: Final = ("violated", "failed")
"""Outcomes that a measure is not to have."""
_MOST: Final = 80


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of a measure: as a number, ready to be shown, and what came of it (empty for a promise)."""

    edge: float | None
    shown: str
    outcome: str

    @classmethod
    def judged(cls, verdict: Judged) -> Self:
        """The limit of a verdict."""
        return cls(verdict.edge, verdict.limit, verdict.outcome)

    @classmethod
    def promised(cls, rule: Rule) -> Self:
        """The limit of a constraint."""
        return cls(real(rule.limit), bound(rule.limit, rule.side), "")

    def passed(self, value: float | None, name: str) -> bool:
        """Whether a measure's value is past it."""
        if value is None or self.edge is None:
            return False
        return direction(name) * (value - self.edge) < 0


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of the answers.

    Args:
        name: as documents spell it; `label`: as people do.
        value: a JSON value; `told` and `error` as they are shown, the error empty if there is none.
        within: bounds that the value surely lies between, where it is told from bins; empty if it is exact.
        before: the baseline's value as it is shown; empty if there is none to compare with.
        limit: as it is shown; empty if there is none.
        outcome: what came of the limit; empty if there is none.
        noise: whether the value is past its limit by no more than noise.
        why: the reason, where there is no value.
        strip: value, baseline and limit on one scale.
        scatter: the standard error as a number.
        was, edge: the baseline's value and the limit as numbers.
    """

    name: str
    label: str
    value: object
    told: str
    error: str
    within: str
    before: str
    limit: str
    outcome: str
    noise: bool
    why: str
    strip: Strip | None = None
    scatter: float | None = None
    was: float | None = None
    edge: float | None = None


def measures_of(value: object, limits: Mapping[str, Limit]) -> tuple[Measure, ...]:
    """The measures in a list of a document, in its order; those of constant answers are left out.

    >>> one, = measures_of([{"measure": "auc", "value": 0.83907, "error": 0.0074, "before": 0.86996}], {})
    >>> one.label, one.told, one.error, one.before
    ('ROC AUC', '0.8391', '0.0074', '0.8700')
    """
    told = [
        _measure(one, limits.get(text(one.get("measure"))))
        for one in objects(value)[:_MOST]
        if not text(one.get("measure")).endswith(CONSTANT)
    ]
    drawn = strips([_compared(one) for one in told])
    return tuple(replace(one, strip=strip) for one, strip in zip(told, drawn, strict=True))


def _measure(one: Mapping[str, object], limit: Limit | None) -> Measure:
    name, value, error = text(one.get("measure")), one.get("value"), real(one.get("error"))
    number, before = real(value), one.get("before")
    told, scatter = (figure(value), "") if number is None else scattered(number, error)
    low, high, was = real(one.get("low")), real(one.get("high")), real(before)
    sure = error is not None and low is not None and high is not None and high - low < error / 2
    return Measure(
        name=name,
        label=label(name),
        value=value,
        told=told,
        error=scatter,
        within="" if low is None or high is None or sure else f"{like(low, error)} to {like(high, error)}",
        before="" if "before" not in one else DASH if was is None else like(was, error),
        limit="" if limit is None else limit.shown,
        outcome="" if limit is None else limit.outcome,
        noise=limit is not None and limit.outcome == "kept" and limit.passed(number, name),
        why=lacking(why(value) or "", name),
        scatter=error,
        was=was,
        edge=None if limit is None else limit.edge,
    )


def _compared(one: Measure) -> Compared | None:
    value = real(one.value)
    if value is None or one.was is None:
        return None
    low, high = banded(value, one.scatter)
    return Compared(value, low, high, one.was, limit=one.edge, better=direction(one.name))


def in_order(measures: Sequence[Measure]) -> tuple[tuple[Measure, ...], tuple[Measure, ...]]:
    """The measures to be read first, and the others.

    Whatever is outside its limit is among the first, unless it says what one of them says that is so too.
    """
    out = {one.name for one in measures if one.outcome in OUT}
    first = [
        one
        for one in measures
        if one.name in FIRST
        or one.name.startswith("top_")
        or (one.name in out and SAME.get(one.name) not in out)
    ]
    first.sort(key=lambda one: reading_order(one.name))
    return tuple(first), tuple(one for one in measures if one not in first)


def reading_order(name: str) -> int:
    """Where a measure stands among those to be read; those that are not among the first come last.

    >>> reading_order("accuracy") < reading_order("rmse") < reading_order("f2")
    True
    """
    return FIRST.index(name) if name in FIRST else len(FIRST)


def constant_words(value: object) -> str:
    """What the best constant answer would reach, in a sentence; empty if it is not told.

    >>> own, best = {"measure": "accuracy", "value": 0.6}, {"measure": "accuracy" + CONSTANT, "value": 0.632}
    >>> print(constant_words([own, best]))
    Always answering the most frequent class would reach accuracy 0.632: no worse than these answers.
    """
    every = {text(one.get("measure")): real(one.get("value")) for one in objects(value)}
    told = {name.removesuffix(CONSTANT): n for name, n in every.items() if name.endswith(CONSTANT)}
    reached = {name: n for name, n in told.items() if n is not None}
    best = reached.pop("accuracy", None)
    sentences = []
    if best is not None:
        own = every.get("accuracy")
        beaten = "" if own is None or own > best else ": no worse than these answers"
        sentences.append(
            f"Always answering the most frequent class would reach accuracy {figure(best)}{beaten}."
        )
    if reached:
        parts = [f"{short_label(name)} {figure(n)}" for name, n in list(reached.items())[:12]]
        sentences.append(f"The best constant answer reaches {clip(', '.join(parts), 400)}.")
    return " ".join(sentences)
