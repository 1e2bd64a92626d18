"""The reference rows block by block: an hour, a day or a week of them, by bucket."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.baselines.buckets import LISTED, Buckets, own_buckets
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import filled, plain, strings
from watchkeep.frames.categories import row_texts
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import ColumnType, is_embedding, is_text
from watchkeep.frames.text_values import Dialect, classify
from watchkeep.frames.times import event_times
from watchkeep.measures.columns import compared_starts
from watchkeep.profiles.columns import norms_of
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.states.bins import Bins
from watchkeep.states.cells import Cells
from watchkeep.states.frequencies import LONGEST, Frequencies, category
from watchkeep.states.groups import Groups

Codes = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

STEPS: Final = (1, 2, 3, 4, 6, 8, 12, 24, 48, 168)
"""Hours that a block may be long."""
MOST_BLOCKS: Final = 10_000
MOST_COUNTS: Final = 1 << 24
"""Counts, of all blocks and buckets, that are kept while the baseline is learned."""
FEWEST: Final = 8
"""Blocks below which nothing is learned from them."""
HOUR: Final = 3_600_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Rows by block of time and bucket. Blocks without rows are left out.

    Args:
        step: hours that a block is long.
        places: of each block, in blocks since 1970, increasing, shape (blocks,).
        rows: of each block, shape (blocks,).
        counts: rows by bucket, shape (blocks, buckets).
    """

    step: int
    places: Counts
    rows: Counts
    counts: npt.NDArray[np.int32]


def step_of(hours: Cells | None, buckets: int) -> int | None:
    """Hours that the blocks of rows, counted by hour, should be long; None when there are too few hours or too many.

    The shortest of which there are not too many.
    """
    if hours is None or not len(hours.keys):
        return None
    places = hours.keys << hours.shift
    for step in STEPS:
        if step < 1 << hours.shift:
            continue
        blocks = len(np.unique(places // step))
        if blocks < FEWEST:
            return None
        if blocks <= MOST_BLOCKS and blocks * buckets <= MOST_COUNTS:
            return step
    return None


class BlockScan:
    """Counts rows by block and bucket, batch after batch.

    Args:
        columns: the baseline's.
        buckets: theirs.
        time: the column of the event time. Rows without one are in no block.
        step: hours that a block is long.
        dialect: whose rules tell types apart.
    """

    def __init__(
        self, columns: Iterable[BaselineColumn], buckets: Buckets, *, time: str, step: int, dialect: Dialect
    ) -> None:
        by_name = {column.name: column for column in columns}
        self._columns = tuple(by_name[name] for name in buckets.subjects)
        self._buckets, self._time, self._step, self._dialect = buckets, time, step, dialect
        self._found: dict[int, int] = {}
        self._rows = np.zeros(0, np.int64)
        self._counts = np.zeros((0, len(buckets.kinds)), np.int32)

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        if not batch.rows or self._time not in batch.names:
            return
        micros, valid = event_times(batch.column(self._time), textual=self._time in batch.textual)
        places, inverse = np.unique(micros[valid] // (HOUR * self._step), return_inverse=True)
        if not len(places):
            return
        mine = self._mine(places)
        self._rows[mine] += np.bincount(inverse, minlength=len(places))
        starts = self._buckets.starts
        for column, begin, end in zip(self._columns, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            if column.name in batch.names:
                codes = codes_of(column, batch.column(column.name), self._dialect, watched=True)[valid]
            else:
                codes = np.full(len(inverse), end - begin - 1)
            width = end - begin
            counts = np.bincount(inverse * width + codes, minlength=len(places) * width)
            self._counts[mine, begin:end] += counts.reshape(-1, width).astype(np.int32)

    def _mine(self, places: Counts) -> Codes:
        for place in places.tolist():
            self._found.setdefault(place, len(self._found))
        more = len(self._found) - len(self._rows)
        if more > 0:
            spare = max(more, len(self._rows) // 2)  # grows by halves, so that few copies are made
            self._rows = np.append(self._rows, np.zeros(spare, np.int64))
            self._counts = np.append(self._counts, np.zeros((spare, self._counts.shape[1]), np.int32), axis=0)
        return np.array([self._found[place] for place in places.tolist()], np.intp)

    def blocks(self) -> Blocks:
        """All that was counted."""
        places = np.array(list(self._found), np.int64)
        order = np.argsort(places)
        return Blocks(self._step, places[order], self._rows[order], self._counts[order])


def codes_of(column: BaselineColumn, array: pa.Array, dialect: Dialect, *, watched: bool = False) -> Codes:
    """The bucket, among its column's, of each row of the reference data, shape (rows,).

    The order of the buckets is that of `Buckets`.

    Args:
        column: the baseline's.
        array: its values.
        dialect: whose rules tell types apart.
        watched: whether categories are told apart as a watch does (`own_buckets`); else the `LISTED` most frequent are.
    """
    bins, listed, groups = (
        column.part("bins", Bins),
        column.part("categories", Frequencies),
        column.part("groups", Groups),
    )
    if bins is not None and len(bins):
        return _number_codes(column, bins, array, dialect)
    if listed is not None and listed.exact and listed.total:
        own = own_buckets(listed) if watched else min(LISTED, len(listed.counts))
        return _category_codes(column, listed, array, own)
    if groups is not None and groups.counts.sum():
        texts = _texts(column, array)
        codes = (text_hashes(texts) >> np.uint64(56)).astype(np.intp)
        return np.where(_held(texts), codes, len(groups.counts))
    return np.where(_held(array), 0, 1).astype(np.intp)


def _number_codes(column: BaselineColumn, bins: Bins, array: pa.Array, dialect: Dialect) -> Codes:
    where, values, missing = (_norms if column.type is ColumnType.EMBEDDING else _numbers)(array, dialect)
    starts = compared_starts(bins.counts)
    strange = len(starts) + 4
    codes = np.where(missing, strange + 1, strange).astype(np.intp)
    # Two buckets lie below the range, two above: the reference rows are within it.
    edges = bins.lows[starts][1:]
    codes[where] = 2 + np.searchsorted(edges, values, side="right")
    return codes


def _numbers(array: pa.Array, dialect: Dialect) -> tuple[Mask, Doubles, Mask]:
    """Which rows hold a number, the numbers, and which hold no value."""
    numbers = read_numbers(array, dialect)
    where = np.ones(len(array), np.bool_) if numbers.where is None else numbers.where
    if len(numbers.values) + numbers.missing == len(array):
        missing = ~where
    elif is_text(array.type):
        missing = classify(row_texts(array), dialect).missing
    else:
        missing = ~_held(array)
    return where, numbers.values, missing


def _norms(array: pa.Array, dialect: Dialect) -> tuple[Mask, Doubles, Mask]:  # noqa: ARG001 (as for numbers)
    held = _held(array)
    norms = norms_of(array)[1] if is_embedding(array.type) else np.full(len(array), np.nan)
    where = held & ~np.isnan(norms)
    return where, norms[where], ~held


def _category_codes(column: BaselineColumn, listed: Frequencies, array: pa.Array, other: int) -> Codes:
    texts, names = _texts(column, array), [name for name, _ in listed.ranked()]
    if any(len(name) == LONGEST for name in names):
        texts = strings([category(text) if text is not None else "" for text in texts.to_pylist()])
    places = filled(pc.index_in(texts, value_set=strings(names[:other])), other)
    return np.where(_held(array), places, other + 2)


def _texts(column: BaselineColumn, array: pa.Array) -> pa.Array:
    texts = row_texts(array)
    return pc.utf8_lower(texts) if column.type is ColumnType.BOOLEAN else texts


def _held(array: pa.Array) -> npt.NDArray[np.bool_]:
    return plain(pc.is_valid(array).cast(pa.uint8())).astype(np.bool_)
