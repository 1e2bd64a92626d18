"""Whole rows kept from a read, so that they need not be read again: a sample, the same whatever their order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import positions
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import column_type
from watchkeep.frames.times import event_times
from watchkeep.states.rows import levels_of
from watchkeep.stats.hashing import Hashes, mixed

MOST: Final = 1 << 16
"""Rows that are kept at most."""
KEYS: Final = 2
"""Numeric columns that tell rows apart, beside their time."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """The rows kept of one batch, and how often their hashes can be halved before they are dropped."""

    batch: Batch
    levels: np.ndarray[tuple[int], np.dtype[np.int64]]


class KeptRows:
    """Keeps rows of batches whose hash is small enough: all of them, or about half, a quarter ... of very many.

    Args:
        time: the column of the event time.
        keys: numeric columns, the most different values first.
        most: rows to keep at most.
    """

    def __init__(self, time: str, keys: tuple[str, ...], most: int = MOST) -> None:
        self._time, self._keys, self._most = time, keys[:KEYS], most
        self._pieces: list[_Piece] = []
        self._level = self._rows = 0

    def add(self, batch: Batch) -> None:
        """Look at a batch, whose columns are decoded already (`Batch.kept`)."""
        if not batch.rows or self._time not in batch.names:
            return
        levels = levels_of(self._hashes(batch))
        piece = self._picked(_Piece(batch, levels))
        self._pieces.append(piece)
        self._rows += piece.batch.rows
        while self._rows > self._most:
            self._level += 1
            self._pieces = [self._picked(one) for one in self._pieces]
            self._rows = sum(one.batch.rows for one in self._pieces)

    def batches(self) -> Iterator[Batch]:
        """The rows that were kept."""
        return (piece.batch for piece in self._pieces)

    def _hashes(self, batch: Batch) -> Hashes:
        micros, _ = event_times(batch.column(self._time), textual=self._time in batch.textual)
        hashes = mixed(micros.view(np.uint64))
        for name in self._keys:
            if name not in batch.names or not column_type(batch.column(name).type).numeric:
                continue
            read = read_numbers(batch.column(name))
            values = read.values
            if read.where is not None:
                values = np.zeros(batch.rows)
                values[read.where] = read.values
            hashes = mixed(hashes + np.ascontiguousarray(values + 0.0).view(np.uint64))
        return mixed(hashes)

    def _picked(self, piece: _Piece) -> _Piece:
        kept = np.flatnonzero(piece.levels >= self._level)
        batch = piece.batch
        if len(kept) == batch.rows and self._level:
            return piece
        chosen = positions(kept)
        arrays = {name: batch.column(name).take(chosen) for name in batch.names}

        def load(name: str) -> pa.Array:
            return arrays[name]

        return _Piece(Batch(len(kept), batch.names, load, batch.textual), piece.levels[kept])
