"""A window's rows by the categories of a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import StateError
from watchkeep.frames.buffers import plain, positions, strings, valid_mask
from watchkeep.states.codec import Fields, array, whole
from watchkeep.states.frequencies import LONGEST, Frequencies, FrequencyTally, category

REST_LIMIT = 64
"""Categories kept by name among those the baseline does not list."""


@dataclass(frozen=True, slots=True, eq=False)
class CategoryCounts:
    """Rows in each category a baseline lists, and in the rest. `CategoryCounts.empty(k)` is the identity of merge.

    Args:
        counts: rows by category, in the order of the baseline's list, shape (categories,).
        rest: rows in other categories, the most frequent by name.
    """

    kind: ClassVar[str] = "category_counts"
    version: ClassVar[int] = 1

    counts: npt.NDArray[np.int64]
    rest: Frequencies

    @classmethod
    def empty(cls, categories: int) -> Self:
        """The identity of merge."""
        return cls(np.zeros(categories, np.int64), Frequencies(limit=REST_LIMIT))

    @property
    def total(self) -> int:
        """Rows counted."""
        return int(self.counts.sum()) + self.rest.total

    def merge(self, *others: Self) -> Self:
        """All together.

        Raises:
            StateError: they count over different lists.
        """
        wrong = next((other for other in others if len(other.counts) != len(self.counts)), None)
        if wrong is not None:
            raise StateError(
                f"counts over {len(self.counts)} and {len(wrong.counts)} categories do not merge"
            )
        return type(self)(
            sum((other.counts for other in others), self.counts),
            self.rest.merge(*(other.rest for other in others)),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CategoryCounts):
            return NotImplemented
        return np.array_equal(self.counts, other.counts) and self.rest == other.rest

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        return {
            "counts": self.counts,
            "values": [value for value, _ in self.rest.ranked()],
            "rest": np.array([count for _, count in self.rest.ranked()], dtype=np.int64),
            "total": self.rest.total,
            "error": self.rest.error,
        }

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        values = fields.get("values")
        if not isinstance(values, list):
            raise StateError("category counts lack the names of the rest")
        named = dict(zip(map(str, values), array(fields, "rest").tolist(), strict=True))
        rest = Frequencies(named, whole(fields, "total"), whole(fields, "error"), REST_LIMIT)
        return cls(array(fields, "counts"), rest)


class CategoryTally:
    """Counts rows over a baseline's list of categories, batch by batch.

    Args:
        categories: the baseline's list, different names.
    """

    def __init__(self, categories: Sequence[str]) -> None:
        self._known = strings(categories)
        self._long = any(len(name) == LONGEST for name in categories)
        self._counts = np.zeros(len(categories), np.int64)
        self._rest = FrequencyTally(REST_LIMIT)

    def add(self, texts: pa.Array, counts: npt.NDArray[np.int64]) -> None:
        """Count different texts, a large string array of shape (k,), that occur `counts` times each."""
        if self._long:
            texts = strings([category(text) for text in texts.to_pylist()])
        places = pc.index_in(texts, value_set=self._known)
        at, held = plain(places), valid_mask(places)
        known = np.ones(len(at), np.bool_) if held is None else held
        np.add.at(self._counts, at[known], counts[known])
        strange = np.flatnonzero(~known & (counts > 0))
        if len(strange):
            self._rest.add(texts.take(positions(strange)), counts[strange])

    def state(self) -> CategoryCounts:
        """All that was counted."""
        return CategoryCounts(self._counts.copy(), self._rest.state())
