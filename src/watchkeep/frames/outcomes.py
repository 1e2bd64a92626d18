"""A column read as outcomes: positive, negative, or none."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.frames.classes import MISSING, Classes, Codes
from watchkeep.frames.lookups import SmallCodes, looked_up
from watchkeep.frames.numbers import read_numbers

NEGATIVE: Final = 0
POSITIVE: Final = 1
NO_OUTCOME: Final = 2
OUTCOMES: Final = 3
"""Kinds of outcomes, none included."""


@dataclass(frozen=True)
class Positive:
    """What counts as positive: some values, or all numbers above a threshold.

    Args:
        values: the positive values, however each is spelled; none with a threshold.
        threshold: numbers above it are positive; None with values.
        negatives: the negative values, so that any other is no outcome; None where all others are negative.

    >>> Positive(Classes((">50K",))).codes(pa.array([">50K", "<=50K", None])).tolist()
    [1, 0, 2]
    >>> Positive(threshold=0.5).codes(pa.array([0.5, 0.7, None])).tolist()
    [0, 1, 2]
    """

    values: Classes = Classes(())  # noqa: RUF009 (it never changes)
    threshold: float | None = None
    negatives: Classes | None = None

    def codes(self, array: pa.Array) -> SmallCodes:
        """NEGATIVE, POSITIVE or NO_OUTCOME for each row, shape (rows,); of a threshold also for what is no number."""
        return looked_up(array, self._codes, missing=NO_OUTCOME)

    def _codes(self, array: pa.Array) -> Codes:
        if self.threshold is None:
            codes = self.values.codes(array)
            other = NEGATIVE if self.negatives is None else NO_OUTCOME
            found = np.where(codes == MISSING, NO_OUTCOME, np.where(codes >= 0, POSITIVE, other))
            if self.negatives is not None:
                found[self.negatives.codes(array) >= 0] = NEGATIVE
            return found
        read = read_numbers(array)
        above: Codes = (read.values > self.threshold).astype(np.intp)
        if read.where is None:
            return above
        out = np.full(read.rows, NO_OUTCOME, np.intp)
        out[read.where] = above
        return out

    @property
    def name(self) -> str:
        """As SageMaker's files write it: the values, or the threshold."""
        return ",".join(self.values.names) if self.threshold is None else f"{self.threshold:.12g}"
