"""Rows whose attributions were captured with them, read as a way of explaining."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.core.undefined import Undefined
from watchkeep.formats.online_explanations import EXPLANATIONS, Answered, read_answer
from watchkeep.frames.batches import Batch, one_chunk
from watchkeep.frames.buffers import doubles, truths
from watchkeep.frames.numbers import read_numbers
from watchkeep.monitors.attribution.choice import own_column
from watchkeep.monitors.attribution.plan import AttributionPlan
from watchkeep.monitors.attribution.scan import table_of
from watchkeep.service.attribution.captured import CAPTURED, READER, Captured
from watchkeep.service.attribution.models import Contributions, Doubles

NONE: Final = "no attribution was captured"
SOME: Final = "attributions of some features were not captured"
OTHERS: Final = "other features or labels were explained"
NO_SCORE: Final = "No score was captured with the contributions: they are counted from 0."
OFF_SCALE: Final = (
    "The contributions do not add up to the captured score, and what is missing differs from row to row: they are on"
    " another scale, such as log-odds, or those of some features were not captured."
)
_VALUES: Final = own_column("contributions")
_SCORES: Final = own_column("scores")
OWN: Final = (_VALUES, _SCORES)
"""Columns of rows as they are read that hold what was captured."""
_OFF: Final = 0.01  # of the size of a row's contributions: a difference that rounding does not explain


@dataclass(frozen=True, slots=True, eq=False)
class CapturedMethod:
    """Explains rows by what was captured with them; see `watchkeep.service.attribution.explainers.Method`.

    Args:
        captured: where attributions are.
        plan: whose features and labels they are of.
    """

    captured: Captured
    plan: AttributionPlan

    @property
    def name(self) -> str:
        """See `Method`."""
        return CAPTURED

    @property
    def asked(self) -> None:
        """See `Method`: nobody."""

    def affordable(self) -> None:
        """See `Method`."""

    def read(self, batch: Batch) -> tuple[pa.Table, Mapping[str, int]]:
        """The rows that carry attributions, and how many of the others there are, by why.

        Raises:
            MissingColumnError: a column of attributions is not there.
        """
        batch = batch.decoded_once()
        values, scores, why = self._of_answers(batch) if self._answered(batch) else self._of_columns(batch)
        if len(self.plan.labels) == 1 and self.plan.roles.score in batch.names:
            captured = read_numbers(batch.column(self.plan.roles.score or "")).at(np.arange(batch.rows))
            scores[:, 0] = np.where(np.isfinite(scores[:, 0]), scores[:, 0], captured)
        told = table_of(batch, self.plan, [name for name in self.plan.features if name in batch.names])
        own = {_VALUES: _lists(values), _SCORES: _lists(scores)}
        columns = [*own.values(), *(one_chunk(column) for column in told.columns)]
        fields = [*(pa.field(name, column.type) for name, column in own.items()), *told.schema]
        kept = truths(np.array([not one for one in why], np.bool_))
        return pa.table(columns, schema=pa.schema(fields)).filter(kept), Counter(filter(None, why))

    def contributions(self, rows: pa.Table) -> Contributions:
        """The attributions of rows as `read` gave them."""
        labels, features = len(self.plan.labels), len(self.plan.features)
        values = _matrix(rows, _VALUES).reshape(-1, labels, features)
        scores, sums = _matrix(rows, _SCORES).reshape(-1, labels), values.sum(axis=2)
        told = np.isfinite(scores)
        apart = np.where(told, scores - sums, 0.0)
        expected = apart.sum(axis=0) / np.maximum(1, told.sum(axis=0))
        return Contributions(values, np.where(told, scores, sums + expected), expected)

    def notes(self, rows: pa.Table) -> tuple[str, ...]:
        """What a reader must know of the scores of rows as `read` gave them."""
        if not np.isfinite(_matrix(rows, _SCORES)).any():
            return (NO_SCORE,)
        told = self.contributions(rows)
        apart = told.scores - told.values.sum(axis=2) - told.expected
        size = float(np.abs(told.values).sum(axis=2).mean())
        return (OFF_SCALE,) if float(np.abs(apart).mean()) > _OFF * size else ()

    def _answered(self, batch: Batch) -> bool:
        """Whether attributions are in a column of answers, rather than in columns of their own."""
        if not self.captured.either:
            return self.captured.template is None
        first = self.captured.column_of(self.plan.features[0], self.plan.labels[0])
        return self.captured.column in batch.names and first not in batch.names

    def _empty(self, rows: int) -> tuple[Doubles, Doubles]:
        plan = self.plan
        shape = rows, len(plan.labels), len(plan.features)
        return np.zeros(shape), np.full(shape[:2], np.nan)

    def _of_columns(self, batch: Batch) -> tuple[Doubles, Doubles, list[str]]:
        values, scores = self._empty(batch.rows)
        for label, name in enumerate(self.plan.labels):
            for at, feature in enumerate(self.plan.features):
                column = batch.column(self.captured.column_of(feature, name), reader=READER)
                values[:, label, at] = read_numbers(column).at(np.arange(batch.rows))
        finite = np.isfinite(values)
        told = finite.reshape(batch.rows, -1)
        why = np.where(told.all(axis=1), "", np.where(told.any(axis=1), SOME, NONE))
        return np.where(finite, values, 0.0), scores, why.tolist()

    def _of_answers(self, batch: Batch) -> tuple[Doubles, Doubles, list[str]]:
        values, scores = self._empty(batch.rows)
        why = [""] * batch.rows
        texts = batch.column(self.captured.column or EXPLANATIONS, reader=READER).to_pylist()
        for row, text in enumerate(texts):
            answer = read_answer(text)
            told = answer if isinstance(answer, Undefined) else _in_order(self.plan, answer)
            if isinstance(told, Undefined):
                why[row] = told.why
            else:
                values[row], scores[row] = told
        return values, scores, why


def _in_order(plan: AttributionPlan, answer: Answered) -> tuple[Doubles, Doubles] | Undefined:
    """An answer's attributions and scores in the plan's order; labels are told by place where it does not name them."""
    labels = answer.labels or plan.labels
    if len(answer.values) != len(plan.labels) or set(labels) != set(plan.labels):
        return Undefined(OTHERS)
    if not set(plan.features) <= set(answer.features):
        return Undefined(OTHERS)
    rows = [labels.index(name) for name in plan.labels]
    columns = [answer.features.index(name) for name in plan.features]
    scores = np.array(answer.scores)[rows] if answer.scores else np.full(len(rows), np.nan)
    return answer.values[np.ix_(rows, columns)], scores


def _lists(values: Doubles) -> pa.Array:
    """A row of numbers of each row, shape (rows, ...), as one column."""
    width = math.prod(values.shape[1:])
    return pa.FixedSizeListArray.from_arrays(doubles(np.ascontiguousarray(values).ravel()), width)


def _matrix(rows: pa.Table, name: str) -> Doubles:
    found: Doubles = one_chunk(rows.column(name)).flatten().to_numpy(zero_copy_only=False)
    return found
