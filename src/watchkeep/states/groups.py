"""Rows by group of texts: a distribution that a column of any number of different texts has."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.states.codec import Fields, array
from watchkeep.stats.hashing import Hashes

GROUPS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows whose text has a hash that begins with each of 256 bytes. `Groups.empty()` is the identity of merge.

    Every text belongs to one group for good, so counts are exact however many texts there are, and a distance
    between two such histograms is at most the distance between the texts' own distributions: it misses what moves
    within a group, and never sees what is not there.

    Args:
        counts: rows by group, shape (256,).
    """

    kind: ClassVar[str] = "groups"
    version: ClassVar[int] = 1

    counts: npt.NDArray[np.int64]

    @classmethod
    def empty(cls) -> Self:
        """The identity of merge."""
        return cls(np.zeros(GROUPS, np.int64))

    @classmethod
    def of(cls, hashes: Hashes, counts: npt.NDArray[np.int64]) -> Self:
        """The state of texts with these hashes that occur `counts` times each, both of shape (n,)."""
        groups = (hashes >> np.uint64(56)).astype(np.intp)
        return cls(np.bincount(groups, weights=counts, minlength=GROUPS).astype(np.int64))

    def merge(self, *others: Self) -> Self:
        """All together."""
        return type(self)(sum((other.counts for other in others), self.counts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Groups) and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        return {"counts": self.counts}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        counts = array(fields, "counts")
        if len(counts) != GROUPS:
            raise StateError(f"a state of groups must have {GROUPS}, not {len(counts)}")
        return cls(counts)
