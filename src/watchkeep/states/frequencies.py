"""How often each category occurs: all of them while they are few, the frequent ones beyond."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.core.errors import StateError
from watchkeep.frames.buffers import positions
from watchkeep.states.codec import Fields, array, whole

LIMIT = 1024
"""Categories kept by default."""
LONGEST = 128
"""Characters of a category; a longer text is known by its beginning and a hash."""


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Counts by category. `Frequencies()` is the identity of merge.

    While there are at most `limit` categories, every count is exact. Beyond, the smallest are dropped: a kept count
    is then too low by at most `error`, and a category with more than `error` rows is never lost;
    `error <= total / (limit + 1)`.

    Args:
        counts: rows by category.
        total: rows counted, those of dropped categories included.
        error: the most that a count may be too low by.
        limit: the most categories kept. Both sides of a merge have the same.

    References:
        Misra and Gries (1982); merging: Agarwal et al. (2012), PODS, "Mergeable summaries".

    >>> Frequencies.of({"EWR": 2}).merge(Frequencies.of({"EWR": 1, "JFK": 4})).counts
    mappingproxy({'EWR': 3, 'JFK': 4})
    """

    kind: ClassVar[str] = "frequencies"
    version: ClassVar[int] = 1

    counts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    total: int = 0
    error: int = 0
    limit: int = LIMIT

    @classmethod
    def of(
        cls, counts: Mapping[str, int], *, limit: int = LIMIT, total: int | None = None, error: int = 0
    ) -> Self:
        """The state of these counts; `total` defaults to their sum."""
        whole_total = sum(counts.values()) if total is None else total
        if len(counts) > limit:
            # Take the (limit + 1)-th largest count off every one: at most `limit` stay above zero.
            sizes = np.fromiter(counts.values(), np.int64, len(counts))
            cut = -int(np.partition(-sizes, limit)[limit])
            counts = {value: count - cut for value, count in counts.items() if count > cut}
            error += cut
        return cls(MappingProxyType(dict(counts)), whole_total, error, limit)

    @property
    def exact(self) -> bool:
        """Whether every category seen is here with its exact count."""
        return self.error == 0

    def merge(self, *others: Self) -> Self:
        """All together.

        Raises:
            StateError: they keep different numbers of categories.
        """
        wrong = next((other for other in others if other.limit != self.limit), None)
        if wrong is not None:
            raise StateError(f"frequencies with limits {self.limit} and {wrong.limit} do not merge")
        filled = [each for each in (self, *others) if each.total]
        if len(filled) < 2:
            return filled[0] if filled else self
        joined = dict(filled[0].counts)
        for each in filled[1:]:
            for value, count in each.counts.items():
                joined[value] = joined.get(value, 0) + count
        return type(self).of(
            joined,
            limit=self.limit,
            total=sum(each.total for each in filled),
            error=sum(each.error for each in filled),
        )

    def ranked(self) -> list[tuple[str, int]]:
        """Categories by count, largest first, then by name."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[Fields]]:
        return type(self).of_fields, (self.fields(),)

    def fields(self) -> Fields:
        """For the codec."""
        ranked = self.ranked()
        return {
            "values": [value for value, _ in ranked],
            "counts": np.array([count for _, count in ranked], dtype=np.int64),
            "total": self.total,
            "error": self.error,
            "limit": self.limit,
        }

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        values = fields.get("values")
        if not isinstance(values, list):
            raise StateError("frequencies lack their categories")
        counts = dict(zip(map(str, values), array(fields, "counts").tolist(), strict=True))
        return cls(
            MappingProxyType(counts),
            whole(fields, "total"),
            whole(fields, "error"),
            whole(fields, "limit"),
        )


class FrequencyTally:
    """Counts categories, batch by batch.

    Args:
        limit: the most categories kept.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._state = Frequencies(limit=limit)

    def add(self, texts: pa.Array, counts: npt.NDArray[np.int64]) -> None:
        """Count different texts, a string array of shape (k,), that occur `counts` times each."""
        total, error = int(counts.sum()), 0
        kept = np.flatnonzero(counts)
        if len(kept) > self._limit:
            # The same cut as `Frequencies.of` makes, before any text becomes a Python string.
            error = -int(np.partition(-counts[kept], self._limit)[self._limit])
            counts = counts - error
            kept = np.flatnonzero(counts > 0)
        found: dict[str, int] = {}
        for text, count in zip(texts.take(positions(kept)).to_pylist(), counts[kept].tolist(), strict=True):
            name = category(text)
            found[name] = found.get(name, 0) + count
        self._state = self._state.merge(Frequencies.of(found, limit=self._limit, total=total, error=error))

    def state(self) -> Frequencies:
        """All that was counted."""
        return self._state


def category(text: str) -> str:
    """The name a text is counted under: itself, or its beginning and a hash when it is long.

    >>> category("JFK"), len(category("x" * 1_000_000)) <= LONGEST
    ('JFK', True)
    """
    if len(text) <= LONGEST:
        return text
    return (
        f"{text[: LONGEST - 18]}… {blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
    )
