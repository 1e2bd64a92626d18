"""What every source owes its caller: only the rows of the window, and only the columns asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.frames.times import event_times
from watchkeep.service.ports import MISSING, UNREADABLE, WINDOW, Ask

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ENDS: Final = (-(2**63), 2**63 - 1)


def micros(window: Window) -> tuple[int, int]:
    """The window as a half-open interval of microseconds since 1970; open sides reach as far as int64 does.

    >>> micros(Window.between("1970-01-01T00:00:01Z", None))
    (1000000, 9223372036854775807)
    """
    step = timedelta(microseconds=1)
    start = _ENDS[0] if window.start is None else (window.start - _EPOCH) // step
    end = _ENDS[1] if window.end is None else (window.end - _EPOCH) // step
    return start, end


def widened(ask: Ask, *, clock: str | None = None) -> Ask:
    """What to ask of a reader so that the window can be kept: the time column too.

    Args:
        ask: what the use case wants.
        clock: the column that holds the event time when no role names one.

    Raises:
        OptionError: there is a window and no column to hold it against.
    """
    if not ask.window.bounded:
        return ask
    timestamp = ask.timestamp or clock
    if timestamp is None:
        raise OptionError(
            "--timestamp", got="none", expected="the column of the event time, because a window was given"
        )
    columns = None if ask.columns is None else {*ask.columns, timestamp}
    return replace(ask, columns=columns, timestamp=timestamp)


def narrowed(batches: Iterable[Batch], ask: Ask, wide: Ask, *, several: bool = False) -> Iterator[Batch]:
    """The batches of a reader that was asked for `wide`, as the answer to `ask`.

    Args:
        batches: of the reader.
        ask, wide: as above.
        several: whether the batches are of one file of several, which may lack the time column: its rows are then
            rejected, as rows without a time are. Whether all files lack it, only who reads them all can tell.

    Raises:
        MissingColumnError: a batch lacks the time column.
    """
    # A clock that nobody asked for was only needed to keep the window.
    spare = wide.timestamp if wide.timestamp != ask.timestamp and ask.columns is None else None
    for batch in batches:
        kept = batch
        if ask.window.bounded and wide.timestamp is not None and batch.rows:
            if several and wide.timestamp not in batch.names:
                kept = batch.filter(np.zeros(batch.rows, np.bool_), reason=MISSING)
            else:
                kept = _within(batch, wide.timestamp, ask)
        names = tuple(
            name for name in kept.names if name != spare and (ask.columns is None or name in ask.columns)
        )
        if kept.rows or kept.rejected or kept.outside:
            yield kept if len(names) == len(kept.names) else replace(kept, names=names)


def _within(batch: Batch, timestamp: str, ask: Ask) -> Batch:
    array = batch.column(timestamp, reader="the window")
    times, valid = event_times(array, textual=timestamp in batch.textual)
    start, end = micros(ask.window)
    keep = valid & (times >= start) & (times < end)
    if keep.all():
        return batch
    rejected = dict(batch.rejected)
    missing = len(array) - _present_values(array)
    for reason, rows in ((MISSING, missing), (UNREADABLE, int(np.count_nonzero(~valid)) - missing)):
        if rows:
            rejected[reason] = rejected.get(reason, 0) + rows
    outside = {**batch.outside, WINDOW: batch.outside.get(WINDOW, 0) + int(np.count_nonzero(valid & ~keep))}
    return replace(batch.filter(keep), rejected=rejected, outside=outside)


def _present_values(array: pa.Array) -> int:
    if pa.types.is_floating(array.type):  # NaN is how NumPy and pandas write a missing number
        return int(array.is_null(nan_is_null=True).false_count)
    return len(array) - int(array.null_count)
