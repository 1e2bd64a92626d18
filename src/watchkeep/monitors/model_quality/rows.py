"""A batch's answers as arrays: rows that cannot be judged are left out, and counted by why."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import filled, plain
from watchkeep.frames.classes import MISSING, UNKNOWN, Codes
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.roles import Roles
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NO_WEIGHT = "the weight is missing, negative or no finite number"
NO_SCORE = "the score is missing or no finite number"
NO_PROBABILITY = "the score is not within [0, 1]"
NO_ANSWER = "the prediction is missing"
STRANGE_ANSWER = "the prediction is of no known class"
STRANGE_LABEL = "the label is of no known class"
NO_NUMBER = "the prediction is missing or no finite number"
STRANGE_NUMBER = "the label is no finite number"


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """The rows of a batch that can be judged.

    Args:
        kept: which rows of the batch they are, shape (rows of the batch,).
        rejected: the others, by reason.
        labels: codes of classes; of a multiclass problem then one for any other class; then one for no label. Or
            numbers, NaN where there is no label.
        predictions: codes of classes; of a multiclass problem then one for any other class. Or numbers.
        scores: of binary problems the score; of others the probability of the answer; None when there is none.
        chances: the probability of each class, shape (n, classes); None when there is none.
        weights: None when all weigh 1.

    Arrays are of shape (n,).
    """

    kept: Mask
    rejected: dict[str, int]
    labels: npt.NDArray[Any]
    predictions: npt.NDArray[Any]
    scores: Doubles | None = None
    chances: Doubles | None = None
    weights: Doubles | None = None

    @property
    def count(self) -> int:
        """Rows."""
        return len(self.predictions)


class Sieve:
    """Leaves out rows, one reason after another."""

    def __init__(self, rows: int) -> None:
        self.kept = np.ones(rows, np.bool_)
        self.rejected: dict[str, int] = {}

    def out(self, bad: Mask, reason: str) -> None:
        """Leave out bad rows, shape (rows,), that were not left out before."""
        bad = bad & self.kept
        count = int(np.count_nonzero(bad))
        if count:
            self.rejected[reason] = count
            self.kept &= ~bad


def read_answers(batch: Batch, plan: QualityPlan) -> Answers:
    """The answers of a batch.

    Raises:
        MissingColumnError: it lacks the column of the answers, of the scores, or of the weights.
    """
    sieve = Sieve(batch.rows)
    weights = weights_of(batch, plan.roles, sieve)
    labels: npt.NDArray[Any]
    predictions: npt.NDArray[Any]
    scores: Doubles | None
    chances: Doubles | None
    if plan.problem is Problem.REGRESSION:
        labels, predictions = _number_labels(batch, plan, sieve), _numbers(batch, plan, sieve)
        scores = chances = None
    else:
        scores, chances = _scores(batch, plan, sieve)
        predictions = _predictions(batch, plan, sieve, scores, chances)
        labels = _labels(batch, plan, sieve)
        if chances is not None:
            scores = _of_predicted(chances, predictions)
    kept = sieve.kept
    if kept.all():
        return Answers(kept, {}, labels, predictions, scores, chances, weights)
    return Answers(
        kept,
        sieve.rejected,
        labels[kept],
        predictions[kept],
        None if scores is None else scores[kept],
        None if chances is None else chances[kept],
        None if weights is None else weights[kept],
    )


def column_of(batch: Batch, name: str, reader: str) -> Doubles:
    """Numbers, NaN where there is none, shape (rows,)."""
    read = read_numbers(batch.column(name, reader=reader))
    if read.where is None:
        return read.values
    out = np.full(batch.rows, np.nan)
    out[read.where] = read.values
    return out


def weights_of(batch: Batch, roles: Roles, sieve: Sieve) -> Doubles | None:
    """The weight of each row, shape (rows,); None when all weigh 1."""
    name = roles.weight
    if name is None:
        return None
    weights = column_of(batch, name, "the role weight")
    sieve.out(~(np.isfinite(weights) & (weights >= 0)), NO_WEIGHT)
    return weights


def _number_labels(batch: Batch, plan: QualityPlan, sieve: Sieve) -> Doubles:
    name = plan.roles.label
    if name is None or name not in batch.names:
        return np.full(batch.rows, np.nan)
    array = batch.column(name)
    labels = column_of(batch, name, "the role label")
    sieve.out(~np.isfinite(labels) & _present(array), STRANGE_NUMBER)
    return labels


def _numbers(batch: Batch, plan: QualityPlan, sieve: Sieve) -> Doubles:
    answers = column_of(batch, plan.roles.prediction or "", "the role prediction")
    sieve.out(~np.isfinite(answers), NO_NUMBER)
    return answers


def _scores(batch: Batch, plan: QualityPlan, sieve: Sieve) -> tuple[Doubles | None, Doubles | None]:
    name = plan.roles.score
    if name is None:
        return None, None
    if plan.problem is Problem.MULTICLASS:
        chances = class_chances(batch.column(name, reader="the role score"), len(plan.classes))
        sieve.out(np.asarray(np.isnan(chances).any(axis=1)), NO_SCORE)
        sieve.out(np.asarray(((chances < 0) | (chances > 1)).any(axis=1)), NO_PROBABILITY)
        return None, chances
    scores = column_of(batch, name, "the role score")
    sieve.out(~np.isfinite(scores), NO_SCORE)
    if plan.probability:
        sieve.out((scores < 0) | (scores > 1), NO_PROBABILITY)
    return scores, None


def class_chances(array: pa.Array, classes: int) -> Doubles:
    """The probability of each class, shape (rows, classes), of a column of lists; NaN where a list is not as long."""
    out = np.full((len(array), classes), np.nan)
    if not (
        pa.types.is_list(array.type)
        or pa.types.is_large_list(array.type)
        or pa.types.is_fixed_size_list(array.type)
    ):
        return out
    lengths = filled(pc.list_value_length(array), -1)
    good = lengths == classes
    items = read_numbers(pc.list_flatten(array))
    flat = np.full(items.rows, np.nan)
    flat[slice(None) if items.where is None else items.where] = items.values
    starts = np.cumsum(np.maximum(lengths, 0)) - np.maximum(lengths, 0)
    out[good] = flat[starts[good][:, None] + np.arange(classes)]
    return out


def _predictions(
    batch: Batch, plan: QualityPlan, sieve: Sieve, scores: Doubles | None, chances: Doubles | None
) -> Codes:
    name = plan.roles.prediction
    if name is None:
        if chances is not None:
            return np.asarray(np.argmax(np.where(np.isnan(chances), -1.0, chances), axis=1)).astype(np.intp)
        assert scores is not None  # noqa: S101 (a plan has answers or scores)
        return np.asarray(scores > plan.threshold).astype(np.intp)
    codes = plan.classes.codes(batch.column(name, reader="the role prediction"))
    sieve.out(codes == MISSING, NO_ANSWER)
    if plan.problem is Problem.MULTICLASS:
        return np.where(codes == UNKNOWN, len(plan.classes), codes)
    sieve.out(codes == UNKNOWN, STRANGE_ANSWER)
    return codes


def _of_predicted(chances: Doubles, predictions: Codes) -> Doubles:
    """The probability of the class that was predicted, shape (rows,); 0 of one that is not known."""
    rows, classes = chances.shape
    known = (predictions >= 0) & (predictions < classes)
    return np.where(known, chances[np.arange(rows), np.where(known, predictions, 0)], 0.0)


def _labels(batch: Batch, plan: QualityPlan, sieve: Sieve) -> Codes:
    name, none = plan.roles.label, plan.kinds
    if name is None or name not in batch.names:
        return np.full(batch.rows, none, np.intp)
    codes = plan.classes.codes(batch.column(name))
    if plan.problem is Problem.MULTICLASS:
        codes = np.where(codes == UNKNOWN, len(plan.classes), codes)
    sieve.out(codes == UNKNOWN, STRANGE_LABEL)
    return np.where(codes == MISSING, none, codes)


def _present(array: pa.Array) -> Mask:
    held: Mask = plain(pc.is_valid(array).cast(pa.uint8())).astype(np.bool_)
    return held
