"""A model on a budget: the rows it is asked for are counted, and what it answers is looked at."""

import sys
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import ModelError
from watchkeep.service.attribution.models import Doubles, Model

BATCH: Final = 100_000
"""Rows a model is asked for at once; more only where the background alone has more."""


class Metered:
    """A model that counts the rows it is asked for, refuses to pass a budget, and looks at what it answers.

    Args:
        model: who answers; if it is metered too, its budget holds as well.
        budget: rows, >= 0; no end if None.
    """

    def __init__(self, model: Model, budget: int | None = None) -> None:
        self._model, self._budget = model, budget
        self.spent = 0

    @property
    def name(self) -> str:
        """See `Model`."""
        return self._model.name

    @property
    def kind(self) -> str:
        """See `Model`."""
        return self._model.kind

    @property
    def features(self) -> tuple[str, ...]:
        """See `Model`."""
        return self._model.features

    @property
    def labels(self) -> tuple[str, ...]:
        """See `Model`."""
        return self._model.labels

    @property
    def left(self) -> int:
        """Rows it may still be asked for; `sys.maxsize` where there is no end."""
        own = sys.maxsize if self._budget is None else self._budget - self.spent
        return min(own, self._model.left) if isinstance(self._model, Metered) else own

    def afford(self, rows: int) -> None:
        """See to it that so many rows can be asked for.

        Raises:
            ModelError: the budget does not hold them.
        """
        if rows > self.left:
            raise ModelError(
                self.name,
                why=f"this takes {rows:,} rows to be scored, and {self.left:,} are left of the budget",
            )

    def scores(self, rows: pa.Table) -> Doubles:
        """See `Model`: one row of finite numbers for each row asked for."""
        self.afford(rows.num_rows)
        self.spent += rows.num_rows
        scores = np.asarray(self._model.scores(rows), dtype=np.float64)
        if scores.ndim != 2 or len(scores) != rows.num_rows or not scores.shape[1]:
            raise ModelError(
                self.name, why=f"it gave scores of shape {scores.shape} for {rows.num_rows:,} rows"
            )
        if not np.isfinite(scores).all():
            raise ModelError(self.name, why="it gave a score that is no finite number")
        return scores
