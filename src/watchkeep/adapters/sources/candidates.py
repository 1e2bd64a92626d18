"""Which predictions a join with labels needs to look at: of all the others it is known that they meet none."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.frames.buffers import truths
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.stats.hashing import Hashes

_FULL: Final = 16
"""Places of the table for each label: one of so many other ids passes for one with a label, which costs time alone."""
_LARGEST: Final = 30
"""Bits of the places of the table, at most."""


class TooManyError(Exception):
    """There are more predictions than the digests that memory holds."""


class Candidates:
    """Finds predictions that may have a label, or may be there twice, by digests of their ids.

    Ids that are equal have equal digests, so nothing that matters is left out.

    Args:
        memory: bytes that digests of predictions may take.
    """

    def __init__(self, memory: int) -> None:
        self._most = memory // 16  # they are sorted beside themselves
        self._labels: list[Hashes] = []
        self._seen: list[Hashes] = []
        self._rows = 0
        self._table = np.zeros(1, np.bool_)
        self._repeated: Hashes | None = None
        self.labels_repeated = self.predictions_repeated = True
        """Whether some ids may be there twice; known when all of them were seen."""

    def noting(self, labels: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The labels, whose ids are remembered."""
        for table in labels:
            self._labels.append(_digests(table))
            yield table
        hashes = np.concatenate([np.zeros(0, np.uint64), *self._labels])
        self._labels = []
        ordered = np.sort(hashes)
        self.labels_repeated = bool((ordered[1:] == ordered[:-1]).any())
        bits = min(_LARGEST, int(_FULL * len(hashes)).bit_length())
        self._shift = np.uint64(64 - bits) if bits else np.uint64(63)
        self._table = np.zeros(1 << max(bits, 1), np.bool_)
        self._table[hashes >> self._shift] = True

    def among(self, predictions: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The predictions that may have a label; the ids of all are remembered.

        Raises:
            TooManyError: memory does not hold their digests.
        """
        for table in predictions:
            hashes = _digests(table)
            self._seen.append(hashes)
            self._rows += len(hashes)
            if self._rows > self._most:
                raise TooManyError
            kept = self._table[hashes >> self._shift]
            if kept.any():
                yield table.filter(truths(kept))

    def any_repeated(self) -> bool:
        """Whether some of the others may be there twice; `repeated` gives these."""
        hashes = np.concatenate([np.zeros(0, np.uint64), *self._seen])
        self._seen = []
        hashes.sort()
        again = hashes[1:][hashes[1:] == hashes[:-1]]
        twice = again[np.diff(again, prepend=~again[:1]) != 0]
        self.predictions_repeated = len(twice) > 0
        self._repeated = twice[~self._table[twice >> self._shift]]
        return len(self._repeated) > 0

    def repeated(self, predictions: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """Of the same predictions, read again, those that have no label and may be there twice."""
        known = self._repeated
        assert known is not None  # noqa: S101 (see `any_repeated`)
        for table in predictions:
            hashes = _digests(table)
            at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
            kept = known[at] == hashes
            if kept.any():
                yield table.filter(truths(kept))


def _digests(table: pa.Table) -> Hashes:
    """Those of the ids, shape (rows,)."""
    return np.concatenate([np.zeros(0, np.uint64), *map(text_hashes, table.column("id").chunks)])
