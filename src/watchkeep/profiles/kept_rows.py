"""Whole rows kept from a read, so that they need not be read again: a sample, the same whatever their order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pyarrow as pa

from watchkeep.frames.batches import Batch, one_chunk
from watchkeep.frames.buffers import positions
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import column_type
from watchkeep.frames.times import event_times
from watchkeep.states.rows import LEVELS, levels_of, settled_level
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
        self._level, self._counts = 0, np.zeros(LEVELS, np.int64)

    def add(self, batch: Batch) -> None:
        """Look at a batch, whose columns are decoded already (`Batch.decoded_once`)."""
        if not batch.rows or self._time not in batch.names:
            return
        levels = levels_of(self._hashes(batch))
        self._counts += np.bincount(levels, minlength=len(self._counts))
        level = settled_level(self._counts, self._level, limit=self._most)
        if level > self._level:
            self._pieces = [_picked(one, level) for one in _together(self._pieces)]
        self._level = level
        self._pieces.append(_picked(_Piece(batch, levels), level))

    def merge(self, *others: Self) -> Self:
        """All together, in this order."""
        for other in others:
            self._counts += other._counts  # noqa: SLF001 (our own)
            self._pieces += other._pieces  # noqa: SLF001
            self._level = max(self._level, other._level)  # noqa: SLF001
        self._level = settled_level(self._counts, self._level, limit=self._most)
        self._pieces = [_picked(one, self._level) for one in _together(self._pieces)]
        return self

    def batches(self) -> Iterator[Batch]:
        """The rows that were kept, in few batches."""
        self._pieces = _together(self._pieces)
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


def _picked(piece: _Piece, level: int) -> _Piece:
    """The rows of at least a level."""
    kept, batch = np.flatnonzero(piece.levels >= level), piece.batch
    arrays = [batch.column(name) for name in batch.names]
    if len(kept) < batch.rows:
        chosen = positions(kept)
        arrays = [array.take(chosen) for array in arrays]
    return _Piece(_held(batch, len(kept), arrays), piece.levels[kept])


def _together(pieces: Sequence[_Piece]) -> list[_Piece]:
    """The same rows, those of alike columns in one piece: many small ones take long to read."""
    alike: dict[tuple[object, ...], list[_Piece]] = {}
    for piece in pieces:
        batch = piece.batch
        types = tuple(batch.column(name).type for name in batch.names)
        alike.setdefault((tuple(batch.names), types, batch.textual), []).append(piece)
    return [several[0] if len(several) == 1 else _joined(several) for several in alike.values()]


def _joined(pieces: Sequence[_Piece]) -> _Piece:
    batches = [piece.batch for piece in pieces]
    arrays = [
        one_chunk(pa.chunked_array([each.column(name) for each in batches])) for name in batches[0].names
    ]
    rows = sum(each.rows for each in batches)
    return _Piece(_held(batches[0], rows, arrays), np.concatenate([piece.levels for piece in pieces]))


def _held(like: Batch, rows: int, arrays: Sequence[pa.Array]) -> Batch:
    """Rows with the columns of another batch."""
    columns = dict(zip(like.names, arrays, strict=True))
    return Batch(rows, like.names, columns.__getitem__, like.textual)
