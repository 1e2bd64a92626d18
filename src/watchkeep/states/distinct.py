"""How many different values: the smallest hashes, kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.states.codec import Fields, hashes, whole
from watchkeep.stats import compiled
from watchkeep.stats.hashing import Hashes

KEPT = 1024
"""Hashes kept. The relative standard error of the estimate is 1 / sqrt(KEPT - 2), 3.1 %."""


@dataclass(frozen=True, slots=True, eq=False)
class Distinct:
    """The `KEPT` smallest hashes of the values seen. `Distinct.empty()` is the identity of merge.

    With fewer than `KEPT` different values the count is exact; beyond, it is (KEPT - 1) / (largest kept hash as a
    share of the hash range), unbiased, with a relative standard error of 3.1 %.

    References:
        Beyer et al. (2007), SIGMOD, "On synopses for distinct-value estimation under multiset operations".

    >>> Distinct.of(np.array([7, 7, 9], dtype=np.uint64)).estimate()
    2
    """

    kind: ClassVar[str] = "distinct"
    version: ClassVar[int] = 1

    hashes: Hashes

    @classmethod
    def empty(cls) -> Self:
        """The identity of merge."""
        return cls(np.zeros(0, np.uint64))

    @classmethod
    def of(cls, hashes: Hashes) -> Self:
        """The state of values with these hashes, shape (n,)."""
        return cls(_smallest(hashes))

    def merge(self, *others: Self) -> Self:
        """All together."""
        every = [self.hashes, *(other.hashes for other in others)]
        # No more than one full state keeps can lie below its last hash, so nothing above the least of these stays.
        # Of many full states even fewer do: those below a guess are enough if so many of them differ. The guess is
        # where they would lie, and half as far again, if no value were in two of the states.
        bars = [float(hashes[-1]) for hashes in every if len(hashes) == KEPT]
        bar = 1.5 / sum(1 / each for each in bars) if bars else 0.0
        while bars and bar < min(bars):
            kept = _smallest(_below(every, np.uint64(bar)))
            if len(kept) == KEPT:
                return type(self)(kept)
            bar *= 4
        least = min((hashes[-1] for hashes in every if len(hashes) == KEPT), default=_LAST)
        return type(self)(_smallest(_below(every, least)))

    @property
    def exact(self) -> bool:
        """Whether the count is exact."""
        return len(self.hashes) < KEPT

    def estimate(self) -> int:
        """Different values seen."""
        if self.exact:
            return len(self.hashes)
        return round((KEPT - 1) / ((int(self.hashes[-1]) + 1) / 2**64))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Distinct) and np.array_equal(self.hashes, other.hashes)

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec."""
        return {"hashes": self.hashes, "kept": KEPT}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        if whole(fields, "kept") != KEPT:
            raise StateError(f"a distinct state must keep {KEPT} hashes")
        state = cls(hashes(fields, "hashes"))
        if len(state.hashes) > KEPT or (state.hashes[1:] <= state.hashes[:-1]).any():
            raise StateError(f"the hashes of a distinct state must increase, and be at most {KEPT}")
        return state


_LAST = np.uint64(np.iinfo(np.uint64).max)


def _below(every: Sequence[Hashes], bar: np.uint64) -> Hashes:
    """The hashes up to `bar` of states, each in order."""
    return np.concatenate([hashes[: hashes.searchsorted(bar, side="right")] for hashes in every])


def _smallest(hashes: Hashes) -> Hashes:
    # A plain sort: numpy.unique goes through a hash table, several times slower here.
    ordered = np.sort(hashes)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first][:KEPT]


def _slot(hashes: Hashes) -> npt.NDArray[np.int64]:
    # Not the lowest bits, which are all alike for small whole numbers, nor the highest, which are for small hashes.
    slots = hashes >> _SHIFT
    slots &= np.uint64(_MET - 1)
    return slots.view(np.int64)  # unsigned indices take eight times as long


_MET, _SHIFT = 1 << 16, np.uint64(28)
_UNMET = ~(np.arange(_MET, dtype=np.uint64) << _SHIFT)
_FEW = 8192  # values up to which a table of those met costs more than sorting all of them
_ENOUGH = 1024  # hashes that wait to be sorted in: a sort of few costs more to call than to do
_FIRST = 16_384  # hashes looked at first, for a bar that spares most of the later ones
_BAR = np.uint64(
    2**64 // _FIRST * (KEPT + KEPT // 4)
)  # of hashes all different, a quarter more than are kept


class DistinctTally:
    """Collects hashes; what it holds is at all times the `Distinct` of all it was given."""

    def __init__(self) -> None:
        self._state = Distinct.empty()
        self._below = _LAST
        # Kept hashes, each in the slot its own bits name, so that repeated values are passed over unsorted.
        # An empty slot holds a number that belongs to another slot.
        self._met: Hashes | None = None
        self._fresh: list[Hashes] = []
        self._waiting = self._seen = 0

    def add(self, hashes: Hashes) -> None:
        """Count values with these hashes, shape (n,); the array is not kept."""
        self._seen += len(hashes)
        if self._met is None and len(hashes) > _FIRST:
            self._begin(hashes[:_FIRST])
            hashes = hashes[_FIRST:]
        if self._met is not None and compiled.library is not None:
            hashes = compiled.library.unmet(hashes, int(self._below), int(_SHIFT), self._met)
        else:
            hashes = self._unmet(hashes)
        if len(hashes):
            # Whatever was not chosen from is still the caller's memory.
            self._fresh.append(hashes.copy() if hashes.base is not None else hashes)
            self._waiting += len(hashes)
            if self._waiting >= _ENOUGH:
                self._take()

    def state(self) -> Distinct:
        """All that was counted."""
        if self._fresh:
            self._take()
        return self._state

    def _unmet(self, hashes: Hashes) -> Hashes:
        if not self._state.exact:
            hashes = hashes[hashes <= self._below]
        if self._met is None:
            return hashes
        unmet: Hashes = hashes[self._met.take(_slot(hashes), mode="clip") != hashes]  # "clip" spares a check
        return unmet

    def _begin(self, hashes: Hashes) -> None:
        """Take the first hashes. When values hardly repeat, those below a bar are enough, and few to sort."""
        low = hashes[hashes <= _BAR]
        self._fresh.append(low if len(_smallest(low)) == KEPT else hashes.copy())
        self._take()

    def _take(self) -> None:
        self._state = Distinct(_smallest(np.concatenate([self._state.hashes, *self._fresh])))
        self._fresh, self._waiting = [], 0
        kept = self._state.hashes
        if self._met is None and self._seen > _FEW:
            self._met = _UNMET.copy()
        if self._met is not None:
            self._met[_slot(kept)] = kept
        if not self._state.exact:
            self._below = kept[-1]
