"""What is counted of answers: of two classes by score, of several by class, of numbers by their errors."""

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from watchkeep.monitors.model_quality.places import Places
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Answers, Doubles, Mask
from watchkeep.states.totals import Totals, grained, layers

Narrow = npt.NDArray[np.uint16]
LAYERS: Final = 3
"""Of weighted tables: rows, sums of weights, sums of their squares."""
WIDTHS: Final = 50
"""Bins of equal width for the probability of an answer, of several classes."""
TOP: Final = 5
"""Top-k accuracy is kept for k from 1 to this."""
LEAST: Final = 2.0**-52
"""A probability nearer to 0 than this counts as this in the log loss, as scikit-learn has it."""
LOSSES: Final = ("rows", "log_loss", "log_loss2", "brier", "brier2", "brier3")
"""Of classes: sums over labelled rows, of weights, losses, and powers of losses."""
ERRORS: Final = (
    "rows",
    "weight",
    "weight2",
    "error",
    "absolute",
    "square",
    "cube",
    "fourth",
    "label",
    "label2",
    "label3",
    "label4",
    "square_label",
    "square_label2",
    "relative",
    "relative2",
    "relative_rows",
    "symmetric",
    "symmetric2",
)
"""Of numbers: sums over labelled rows, of errors e = prediction - label and of labels, both in units of the
baseline's labels; |e / y| where y is not 0; and 2 |e| / (|y| + |prediction|)."""


DOUBT: Final = ("rows", "confidence", "margin", "entropy")
"""Of classes: sums over all rows, of weights, the largest probability, its lead over the next, and the entropy in
bits."""


class Counter(Protocol):
    """Counts the rows of batches into tables that add up."""

    @property
    def segment(self) -> tuple[int, ...]:
        """The shape of the table that every segment has."""
        ...

    def table(self, answers: Answers, mine: Mask | None) -> Doubles:
        """The table of some of the rows; None for all."""
        ...

    def empty(self) -> dict[str, Totals]:
        """Sums over no rows, by part, of what is kept of the dataset alone."""
        ...

    def sums(self, answers: Answers) -> dict[str, Doubles]:
        """The same of these rows."""
        ...


def counter_of(plan: QualityPlan) -> Counter:
    """What counts for a plan."""
    kinds: dict[Problem, Callable[[QualityPlan], Counter]] = {
        Problem.BINARY: BinaryCounter,
        Problem.MULTICLASS: ClassCounter,
        Problem.REGRESSION: ErrorCounter,
    }
    return kinds[plan.problem](plan)


class BinaryCounter:
    """Rows by place of the score, answer and label, shape (layers, places, 2 * 3); the third label is none.

    Args:
        plan: with bins if there are scores.
    """

    def __init__(self, plan: QualityPlan) -> None:
        self._probability = plan.probability and plan.bins is not None
        self._places = None if plan.bins is None else Places(plan.bins)
        self._count = 1 if self._places is None else len(self._places)
        self.segment = (1 if plan.roles.weight is None else LAYERS, self._count, 6)
        self._of: tuple[Answers | None, Narrow] = (None, np.zeros(0, np.uint16))

    def table(self, answers: Answers, mine: Mask | None) -> Doubles:
        """See `Counter.table`."""
        codes, weights = self._codes(answers), answers.weights
        if mine is not None:
            codes, weights = codes[mine], None if weights is None else weights[mine]
        return layers(codes, weights, self._count * 6).reshape(self.segment)

    def empty(self) -> dict[str, Totals]:
        """Means of scores by place, and losses, of probabilities."""
        if not self._probability:
            return {}
        return {"scores": Totals.empty((self._count,)), "losses": Totals.empty((len(LOSSES),))}

    def sums(self, answers: Answers) -> dict[str, Doubles]:
        """See `Counter.sums`."""
        if not self._probability or answers.scores is None:
            return {}
        labels, scores, weights, codes = answers.labels, answers.scores, answers.weights, self._codes(answers)
        known = labels < 2
        if not known.all():
            labels, scores, codes = labels[known], scores[known], codes[known]
            weights = None if weights is None else weights[known]
        summed = grained(scores if weights is None else weights * scores)
        by_place = np.bincount(codes // 6, summed, self._count).astype(np.float64)
        wrong = np.abs(labels - scores)  # the probability of what did not come true
        logs = -np.log(np.maximum(1 - wrong, LEAST))
        return {"scores": by_place, "losses": _losses(logs, wrong * wrong, weights)}

    def _codes(self, answers: Answers) -> Narrow:
        if self._of[0] is not answers:  # the dataset and each segment ask for the same
            codes = answers.labels.astype(np.uint16)
            codes += np.uint16(3) * answers.predictions.astype(np.uint16)
            if self._places is not None and answers.scores is not None:
                codes += np.uint16(6) * self._places.of(answers.scores)
            self._of = answers, codes
        return self._of[1]


class ClassCounter:
    """Rows by answer and label, shape (layers, 1, kinds * (kinds + 1)); the last label is none.

    Args:
        plan: of several classes.
    """

    def __init__(self, plan: QualityPlan) -> None:
        self._kinds, self._classes = plan.kinds, len(plan.classes)
        self._scored = plan.roles.score is not None
        self.segment = (1 if plan.roles.weight is None else LAYERS, 1, self._kinds * (self._kinds + 1))

    def table(self, answers: Answers, mine: Mask | None) -> Doubles:
        """See `Counter.table`."""
        codes, weights = answers.predictions * (self._kinds + 1) + answers.labels, answers.weights
        if mine is not None:
            codes, weights = codes[mine], None if weights is None else weights[mine]
        return layers(codes, weights, self.segment[2]).reshape(self.segment)

    def empty(self) -> dict[str, Totals]:
        """Losses, rows by the rank of their label, and how probable answers were, by answer and width."""
        if not self._scored:
            return {}
        return {
            "losses": Totals.empty((len(LOSSES),)),
            "ranks": Totals.empty((TOP,)),
            "confidence": Totals.empty((self._kinds, WIDTHS, 4)),
            "true": Totals.empty((WIDTHS,)),
            "doubt": Totals.empty((len(DOUBT),)),
        }

    def sums(self, answers: Answers) -> dict[str, Doubles]:
        """See `Counter.sums`: `confidence` holds rows, labelled ones, right ones, and sums of probabilities."""
        if answers.chances is None or answers.scores is None:
            return {}
        weights = np.ones(answers.count) if answers.weights is None else answers.weights
        known = answers.labels < self._kinds
        labels, chances = (
            answers.labels[known],
            np.append(answers.chances, np.zeros((answers.count, 1)), 1)[known],
        )
        true = chances[np.arange(len(labels)), labels]
        brier = (chances**2).sum(axis=1) - 2 * true + 1
        # Classes as probable as the true one come first, as far as they are listed before it.
        above = (chances > true[:, None]).sum(axis=1)
        ties = (chances == true[:, None]) & (np.arange(chances.shape[1]) < labels[:, None])
        ranks = np.where(labels < self._classes, above + ties.sum(axis=1), TOP)
        by_rank = np.bincount(np.minimum(ranks, TOP), grained(weights[known]), TOP + 1).astype(np.float64)[
            :TOP
        ]
        places = answers.predictions * WIDTHS + np.minimum(
            (answers.scores * WIDTHS).astype(np.intp), WIDTHS - 1
        )
        right = (answers.predictions == answers.labels) & known
        table: Doubles = np.stack(
            [
                np.bincount(places, grained(weights * one), self._kinds * WIDTHS)
                for one in (np.ones(answers.count), known, right, answers.scores)
            ],
            axis=1,
        )
        return {
            "losses": _losses(
                -np.log(np.maximum(true, LEAST)), brier, None if answers.weights is None else weights[known]
            ),
            "ranks": by_rank,
            "confidence": table.reshape(self._kinds, WIDTHS, 4),
            "true": np.bincount(
                np.minimum((true * WIDTHS).astype(np.intp), WIDTHS - 1), grained(weights[known]), WIDTHS
            ).astype(np.float64),
            "doubt": _doubt(answers.chances, weights),
        }


class ErrorCounter:
    """Sums over errors, shape (1, 1, len(ERRORS)).

    Args:
        plan: of numbers.
    """

    def __init__(self, plan: QualityPlan) -> None:
        self._center, self._scale = plan.center, plan.scale
        self._places = None if plan.bins is None else Places(plan.bins)
        self.segment = (1, 1, len(ERRORS))

    def table(self, answers: Answers, mine: Mask | None) -> Doubles:
        """See `Counter.table`."""
        known = ~np.isnan(answers.labels)
        if mine is not None:
            known &= mine
        y, prediction = answers.labels[known], answers.predictions[known]
        w = np.ones(len(y)) if answers.weights is None else answers.weights[known]
        e, label = (prediction - y) / self._scale, (y - self._center) / self._scale
        size, sum_of = np.abs(e), np.abs(y) + np.abs(prediction)
        relative = np.divide(np.abs(prediction - y), np.abs(y), out=np.zeros(len(y)), where=y != 0)
        symmetric = np.divide(2 * np.abs(prediction - y), sum_of, out=np.zeros(len(y)), where=sum_of > 0)
        e2, y2 = e * e, label * label
        values = {
            "rows": np.ones(len(y)),
            "weight": w,
            "weight2": w * w,
            "error": w * e,
            "absolute": w * size,
            "square": w * e2,
            "cube": w * e2 * size,
            "fourth": w * e2 * e2,
            "label": w * label,
            "label2": w * y2,
            "label3": w * y2 * label,
            "label4": w * y2 * y2,
            "square_label": w * e2 * label,
            "square_label2": w * e2 * y2,
            "relative": w * relative,
            "relative2": w * relative**2,
            "relative_rows": w * (y != 0),
            "symmetric": w * symmetric,
            "symmetric2": w * symmetric**2,
        }
        return np.array([float(values[name].sum()) for name in ERRORS]).reshape(self.segment)

    def empty(self) -> dict[str, Totals]:
        """Rows by place of their error."""
        return {} if self._places is None else {"errors": Totals.empty((len(self._places),))}

    def sums(self, answers: Answers) -> dict[str, Doubles]:
        """See `Counter.sums`."""
        known = ~np.isnan(answers.labels)
        if self._places is None:
            return {}
        places = self._places.of(answers.predictions[known] - answers.labels[known])
        weights = None if answers.weights is None else grained(answers.weights[known])
        return {"errors": np.bincount(places, weights, len(self._places)).astype(np.float64)}


def _doubt(chances: Doubles, weights: Doubles) -> Doubles:
    """See `DOUBT`; chances of shape (n, classes)."""
    ordered = np.sort(chances, axis=1)
    entropy = -(chances * np.log2(np.maximum(chances, LEAST))).sum(axis=1)
    each = np.ones(len(chances)), ordered[:, -1], ordered[:, -1] - ordered[:, -2], entropy
    return np.array([float((weights * grained(one)).sum()) for one in each])


def _losses(log_loss: Doubles, brier: Doubles, weights: Doubles | None) -> Doubles:
    """See `LOSSES`. Powers are for standard errors and the watch, which are told with fewer digits."""
    logs, squares = grained(log_loss), grained(brier)
    if weights is None:
        rows, heavy_logs, heavy = float(len(logs)), logs, squares
    else:
        rows, heavy_logs, heavy = (
            float(grained(weights).sum()),
            grained(weights * logs),
            grained(weights * squares),
        )
    fourth = squares * squares
    return np.array(
        [
            rows,
            heavy_logs.sum(),
            (heavy_logs * logs).sum(),
            heavy.sum(),
            (heavy * squares).sum(),
            (heavy * fourth).sum(),
        ]
    )
