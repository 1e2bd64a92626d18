"""Answers that are least certain, listed for people to look at; their labels come back as ground truth."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import OptionError
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import positions
from watchkeep.frames.categories import row_texts
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles, read_answers

REVIEWED: Final = 0.6
"""The probability of an answer below which it is listed, unless told otherwise."""
SCHEMA = pa.schema(
    [("id", pa.large_string()), ("prediction", pa.large_string()), ("probability", pa.float64())]
)
"""Of the list: which row, what was answered, and how probable the model called that."""


class Review:
    """Lists the rows whose answer is less probable than a bar.

    Args:
        below: the bar, in (0, 1].
        write: takes rows of the list, of `SCHEMA`.
        file: what the list is called, for people.

    Raises:
        OptionError: the bar is not within (0, 1].
    """

    def __init__(self, below: float, write: Callable[[pa.RecordBatch], None], *, file: str) -> None:
        if not 0 < below <= 1:
            raise OptionError("review-below", got=str(below), expected="a probability above 0, at most 1")
        self._below, self._write, self._file = below, write, file
        self._rows, self._seen, self._at = 0, 0, 0
        self._plan: QualityPlan | None = None

    def begin(self, plan: QualityPlan) -> None:
        """Rows are read by this plan.

        Raises:
            OptionError: its answers have no probability.
        """
        if plan.problem is Problem.REGRESSION or plan.roles.score is None or not plan.probability:
            raise OptionError(
                "review", got=self._file, expected="a model whose answers have a probability (--score)"
            )
        self._plan = plan

    def add(self, batch: Batch) -> None:
        """List a batch's rows."""
        plan = self._plan
        assert plan is not None  # noqa: S101 (begin was called)
        if not batch.rows:
            return
        answers = read_answers(batch, plan)
        chances = answers.scores
        assert chances is not None  # noqa: S101 (the plan has scores)
        if plan.problem is Problem.BINARY:
            chances = np.where(answers.predictions == 1, chances, 1 - chances)
        self._seen += len(chances)
        mine = np.flatnonzero(chances < self._below)
        if len(mine):
            rows = np.flatnonzero(answers.kept)[mine]
            self._write(self._listed(batch, plan, rows, answers.predictions[mine], chances[mine]))
        self._rows += len(mine)
        self._at += batch.rows

    def _listed(
        self,
        batch: Batch,
        plan: QualityPlan,
        rows: "np.ndarray[tuple[int], np.dtype[np.intp]]",
        answers: "np.ndarray[tuple[int], np.dtype[np.intp]]",
        chances: Doubles,
    ) -> pa.RecordBatch:
        name = plan.roles.id
        ids = (
            row_texts(batch.column(name).take(positions(rows)))
            if name is not None and name in batch.names
            else pa.array([str(self._at + row) for row in rows.tolist()], pa.large_string())
        )
        names = [*plan.classes.names, "other"]
        told = pa.array([names[code] for code in answers.tolist()], pa.large_string())
        return pa.record_batch([ids, told, pa.array(chances)], schema=SCHEMA)

    def document(self) -> dict[str, object]:
        """What was listed, as JSON."""
        return {
            "threshold": self._below,
            "rows": self._rows,
            "share": self._rows / self._seen if self._seen else {"undefined": "share needs 1 row, has 0"},
            "file": self._file,
        }
