"""Scanners: each reads the arrays of one column into its states."""

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import doubles, filled, plain, valid_mask
from watchkeep.frames.schema import ColumnType, column_type, is_embedding
from watchkeep.frames.text_values import Dialect
from watchkeep.frames.times import event_times
from watchkeep.profiles.number_columns import NumberScanner
from watchkeep.profiles.plan import ColumnPlan
from watchkeep.profiles.text_columns import CategoryScanner, IdScanner
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State
from watchkeep.states.distinct import DistinctTally
from watchkeep.states.extremes import Extremes
from watchkeep.states.presence import Presence
from watchkeep.states.value_types import ValueTypes
from watchkeep.stats.hashing import mixed
from watchkeep.stats.scratch import Scratch

HOUR = 3_600_000_000
"""Microseconds."""


class ColumnScanner(Protocol):
    """Reads the arrays of one column."""

    def add(self, array: pa.Array, *, textual: bool) -> None:
        """Read one batch's array."""
        ...

    def absent(self, rows: int) -> None:
        """So many rows have no such column: they hold no value."""
        ...

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        ...


def scanner(plan: ColumnPlan, dialect: Dialect, cell_limit: int, scratch: Scratch) -> ColumnScanner:
    """The scanner of a column's role and type."""
    if plan.role.identifies:
        return IdScanner()
    if plan.type.numeric:
        return NumberScanner(plan, dialect, cell_limit, scratch)
    if plan.type.categorical:
        return CategoryScanner(plan)
    if plan.type is ColumnType.TIME:
        return TimeScanner()
    if plan.type is ColumnType.EMBEDDING:
        return EmbeddingScanner(plan, cell_limit)
    return UnknownScanner()


class TimeScanner:
    """Times: presence, types, the first and the last, different times, rows by hour."""

    def __init__(self) -> None:
        self._distinct = DistinctTally()
        self._presence, self._types, self._extremes = Presence(), ValueTypes(), Extremes()
        self._hours = Cells.empty()

    def add(self, array: pa.Array, *, textual: bool) -> None:
        """Read one batch's array."""
        micros, valid = event_times(array, textual=textual)
        times = micros[valid]
        present = len(array) - array.null_count
        self._presence = self._presence.merge(Presence(len(array), present))
        self._types = self._types.merge(ValueTypes(other=len(times), string=present - len(times)))
        if len(times):
            self._extremes = self._extremes.merge(Extremes(float(times.min()), float(times.max())))
            self._distinct.add(mixed(times.view(np.uint64)))
            self._hours = self._hours.merge(by_hour(times))

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        return {
            "presence": self._presence,
            "types": self._types,
            "extremes": self._extremes,
            "distinct": self._distinct.state(),
            "hours": self._hours,
        }


class EmbeddingScanner:
    """Lists of numbers: presence, types, dimensions, and their Euclidean norms as numbers.

    Args:
        plan: the column's.
        cell_limit: the most cells kept when there are no bins.
    """

    def __init__(self, plan: ColumnPlan, cell_limit: int) -> None:
        self._presence, self._types = Presence(), ValueTypes()
        self._dimensions = Cells.empty()
        self._norms = NumberScanner(replace(plan, type=ColumnType.FRACTIONAL), Dialect.DEFAULT, cell_limit)

    def add(self, array: pa.Array, *, textual: bool) -> None:  # noqa: ARG002 (no text spells an embedding)
        """Read one batch's array."""
        if not is_embedding(array.type):
            present = len(array) - array.null_count
            self._presence = self._presence.merge(Presence(len(array), present))
            stored = column_type(array.type)
            wrong = (
                ValueTypes(string=present) if stored is ColumnType.STRING else ValueTypes(integral=present)
            )
            self._types = self._types.merge(wrong)
            return
        lengths, norms = norms_of(array)
        held = valid_mask(array)
        if held is not None:
            lengths, norms = lengths[held], norms[held]
        self._presence = self._presence.merge(Presence(len(array), len(norms)))
        self._types = self._types.merge(ValueTypes(other=len(norms)))
        self._dimensions = self._dimensions.merge(
            _dense_counts(lengths, 0) if len(lengths) else Cells.empty()
        )
        self._norms.add(doubles(norms), textual=False)

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read; those of the norms as for numbers."""
        norms = self._norms.parts()
        return norms | {"presence": self._presence, "types": self._types, "dimensions": self._dimensions}


class UnknownScanner:
    """A column no value of which was ever seen: presence alone."""

    def __init__(self) -> None:
        self._presence = Presence()

    def add(self, array: pa.Array, *, textual: bool) -> None:  # noqa: ARG002 (there is no value to read)
        """Read one batch's array."""
        self._presence = self._presence.merge(Presence(len(array), len(array) - array.null_count))

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        return {"presence": self._presence}


def norms_of(array: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Length and Euclidean norm of each list of numbers, shape (rows,); 0 where there is no list."""
    lengths = filled(pc.list_value_length(array), 0)
    flat = _items(pc.cast(pc.list_flatten(array), pa.float64()))
    norms = np.zeros(len(array))
    longer = lengths > 0
    starts = (np.cumsum(lengths) - lengths)[longer]
    if len(starts):
        with np.errstate(over="ignore", invalid="ignore"):
            norms[longer] = np.sqrt(np.add.reduceat(flat * flat, starts))
    return lengths, norms


def _items(array: pa.Array) -> npt.NDArray[np.float64]:
    """The numbers of all lists; a null among them is NaN, and so is then the norm of its list."""
    held = valid_mask(array)
    return plain(array) if held is None else np.where(held, plain(array), np.nan)


def by_hour(micros: npt.NDArray[np.int64]) -> Cells:
    """Rows by hour, of times in microseconds, shape (n,)."""
    if not len(micros):
        return Cells.empty()
    hours = micros // HOUR
    return _dense_counts(hours, int(hours.min()))


def _dense_counts(integers: npt.NDArray[np.int64], first: int) -> Cells:
    """Cells whose keys are the integers themselves, all >= first and close together."""
    found, counts = (
        np.unique(integers, return_counts=True) if len(integers) < 64 else _counted(integers, first)
    )
    return Cells.settled(0, found, counts)


def _counted(
    integers: npt.NDArray[np.int64], first: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    if int(integers.max()) - first > 10 * len(integers) + 100_000:
        return np.unique(integers, return_counts=True)
    counts = np.bincount(integers - first)
    occupied = np.flatnonzero(counts)
    return occupied + first, counts[occupied]
