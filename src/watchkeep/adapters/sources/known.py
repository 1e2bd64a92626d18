"""What the log of a lake table tells of a data file, before that is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.adapters.sources.window import micros
from watchkeep.frames.times import event_times
from watchkeep.service.ports import Ask

Mask: TypeAlias = npt.NDArray[np.bool_]
Bounds: TypeAlias = tuple[int, int]


class Deleted(Protocol):
    """Rows of a file that its table holds no longer."""

    def kept(self, rows: int) -> Mask:
        """Which of a file's rows the table still holds, shape (rows,).

        Raises:
            SourceError: what tells it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a file.

    Args:
        rows: how many of its rows the table holds; None when the log does not say.
        times: the first and the last time of columns, in microseconds since 1970. A column in which a row of the
            file holds no time is not among them.
        deleted: the rows that the table holds no longer; None when it holds all.
    """

    rows: int | None = None
    times: Mapping[str, Bounds] = field(default_factory=dict)
    deleted: Deleted | None = None

    def outside(self, ask: Ask) -> int | None:
        """How many rows there are, where none of them lies in the window that is asked for; None where one may.

        >>> from watchkeep.core.window import Window
        >>> known = Known(rows=7, times={"at": (0, 1_000_000)})
        >>> known.outside(Ask(timestamp="at", window=Window.between("1970-01-02", None)))
        7
        """
        bounds = self.times.get(ask.timestamp or "")
        if not ask.window.bounded or bounds is None:
            return None
        start, end = micros(ask.window)
        return self.rows or None if bounds[1] < start or bounds[0] >= end else None


def bounds_of(first: pa.Array, last: pa.Array) -> list[Bounds | None]:
    """The first and the last times of files, shape (files,) each, as `Known` keeps them.

    None where one of them is none: a row that is not on the calendar is rejected, and must be read to be counted.
    """
    (starts, sound), (ends, also) = event_times(first), event_times(last)
    both = zip(starts.tolist(), ends.tolist(), (sound & also).tolist(), strict=True)
    return [(start, end) if is_sound else None for start, end, is_sound in both]
