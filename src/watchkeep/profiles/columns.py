"""Scanners: each reads the arrays of one column into its states."""

from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import doubles, plain, strings, truths, valid_mask
from watchkeep.frames.categories import Categories, read_categories, read_texts, text_bytes
from watchkeep.frames.numbers import Numbers, read_numbers
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType, column_type, is_embedding
from watchkeep.frames.text_values import Dialect
from watchkeep.frames.times import event_times
from watchkeep.profiles.plan import ColumnPlan
from watchkeep.states.bins import BinTally
from watchkeep.states.categories import CategoryTally
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State
from watchkeep.states.distinct import DistinctTally
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import FrequencyTally
from watchkeep.states.groups import Groups
from watchkeep.states.moments import Moments, PowerSums
from watchkeep.states.presence import Presence
from watchkeep.states.tallies import CellTally
from watchkeep.states.value_types import ValueTypes
from watchkeep.stats.hashing import Hashes, hash_bytes, hash_doubles, mixed
from watchkeep.stats.scratch import CHUNK, Scratch

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
    if plan.role is Role.ID:
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


class NumberScanner:
    """Numbers: presence, types, moments, extremes, distinct values, and counts in bins or in cells of their own.

    Args:
        plan: the column's.
        dialect: whose rules tell integral from fractional.
        cell_limit: the most cells kept when there are no bins.
        scratch: memory to work in, shared with other scanners of the thread.
    """

    def __init__(
        self, plan: ColumnPlan, dialect: Dialect, cell_limit: int, scratch: Scratch | None = None
    ) -> None:
        self._scratch = scratch or Scratch()
        # In our own dialect 3.0 is as whole as 3; SageMaker goes by how a value is written.
        self._whole = plan.type is ColumnType.INTEGRAL and not dialect.sagemaker
        self._dialect = dialect
        self._presence, self._types = Presence(), ValueTypes()
        self._moments, self._extremes = Moments(), Extremes()
        self._distinct = DistinctTally()
        self._bins = None if plan.bins is None else BinTally(plan.bins)
        self._cells = None if plan.bins is not None else CellTally(cell_limit)

    def add(self, array: pa.Array, *, textual: bool) -> None:  # noqa: ARG002 (numbers are read off text either way)
        """Read one batch's array."""
        self.take(read_numbers(array, self._dialect))

    def take(self, numbers: Numbers, row_hashes: Hashes | None = None) -> None:
        """Read numbers; add the hash of each to that of its row, shape (rows,), if there are any."""
        infinite = self._values(numbers.values, numbers.where, row_hashes)
        present = numbers.rows - numbers.missing
        self._presence = self._presence.merge(Presence(numbers.rows, present, numbers.nan, infinite))
        integral, fractional = numbers.integral, numbers.fractional
        if self._whole and fractional:
            with np.errstate(invalid="ignore"):
                whole = int(np.count_nonzero(np.floor(numbers.values) == numbers.values)) - infinite
            integral, fractional = whole, integral + fractional - whole
        self._types = self._types.merge(
            ValueTypes(integral, fractional, numbers.boolean, numbers.string, numbers.other)
        )

    def _values(
        self, values: npt.NDArray[np.float64], where: npt.NDArray[np.bool_] | None, row_hashes: Hashes | None
    ) -> int:
        if not len(values):
            return 0
        tally: BinTally | CellTally | None = self._bins or self._cells
        grid = None if tally is None else tally.grid_for(values)
        slots = self._scratch.slots(len(values))
        rows = None if where is None or row_hashes is None else np.flatnonzero(where)
        sums, lows, highs = PowerSums(), [], []
        # Everything is done to a chunk while it is in the core's cache.
        for start in range(0, len(values), CHUNK):
            chunk = finite = values[start : start + CHUNK]
            end = start + len(chunk)
            low, high = float(chunk.min()), float(chunk.max())
            if low == -np.inf or high == np.inf:
                finite = chunk[np.isfinite(chunk)]
                low, high = (float(finite.min()), float(finite.max())) if len(finite) else (np.inf, -np.inf)
            lows.append(low)
            highs.append(high)
            sums.add(finite, self._scratch)
            hashes = hash_doubles(chunk, self._scratch, signed=low <= 0 <= high)
            self._distinct.add(hashes)
            if row_hashes is not None:
                row_hashes[slice(start, end) if rows is None else rows[start:end]] += hashes
            if grid is not None:
                grid.place(chunk, slots[start:end], self._scratch)
        self._extremes = self._extremes.merge(Extremes(min(lows), max(highs)))
        self._moments = self._moments.merge(Moments.about(sums))
        if tally is not None:
            tally.add(values, None if grid is None else slots)
        return len(values) - sums.n

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        parts: dict[str, State] = {
            "presence": self._presence,
            "types": self._types,
            "moments": self._moments,
            "extremes": self._extremes,
            "distinct": self._distinct.state(),
        }
        if self._bins is not None:
            parts["bin_counts"] = self._bins.counts()
        elif self._cells is not None:
            parts["cells"] = self._cells.cells()
        return parts


class CategoryScanner:
    """Texts and booleans: presence, types, distinct values, text lengths, and counts by category.

    Args:
        plan: the column's.
    """

    def __init__(self, plan: ColumnPlan) -> None:
        self._boolean = plan.type is ColumnType.BOOLEAN
        self._presence, self._types = Presence(), ValueTypes()
        self._lengths, self._length_extremes = Moments(), Extremes()
        self._groups = Groups.empty()
        self._distinct = DistinctTally()
        self._listed = None if plan.categories is None else CategoryTally(plan.categories)
        self._free = FrequencyTally() if plan.categories is None else None

    def add(self, array: pa.Array, *, textual: bool) -> None:  # noqa: ARG002 (a text is a text)
        """Read one batch's array."""
        read = read_categories(array)
        if self._boolean and read.stored is ColumnType.STRING:
            read = replace(read, texts=pc.utf8_lower(read.texts))
        held = read.counts > 0
        if not held.all():
            read = replace(read, texts=read.texts.filter(truths(held)), counts=read.counts[held])
        present = read.present
        self._presence = self._presence.merge(Presence(read.rows, present))
        self._types = self._types.merge(self._classes(read, present))
        hashes = hash_bytes(*text_bytes(read.texts))
        self._distinct.add(hashes)
        self._groups = self._groups.merge(Groups.of(hashes, read.counts))
        lengths = read.lengths().astype(np.float64)
        if len(lengths):
            self._lengths = self._lengths.merge(Moments.weighted(lengths, read.counts))
            self._length_extremes = self._length_extremes.merge(
                Extremes(float(lengths.min()), float(lengths.max()))
            )
        if self._listed is not None:
            self._listed.add(read.texts, read.counts)
        elif self._free is not None:
            self._free.add(read.texts, read.counts)

    def _classes(self, read: Categories, present: int) -> ValueTypes:
        if read.stored is ColumnType.BOOLEAN:
            return ValueTypes(boolean=present)
        if read.stored.numeric:
            whole = read.stored is ColumnType.INTEGRAL
            return ValueTypes(integral=present) if whole else ValueTypes(fractional=present)
        if read.stored is not ColumnType.STRING:
            return ValueTypes(other=present)
        if not self._boolean:
            return ValueTypes(string=present)
        known = plain(pc.is_in(read.texts, strings(["true", "false"])).cast(pa.uint8()))
        boolean = int(read.counts[known.astype(np.bool_)].sum())
        return ValueTypes(boolean=boolean, string=present - boolean)

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        parts: dict[str, State] = {
            "presence": self._presence,
            "types": self._types,
            "distinct": self._distinct.state(),
            "lengths": self._lengths,
            "length_extremes": self._length_extremes,
            "groups": self._groups,
        }
        if self._listed is not None:
            parts["category_counts"] = self._listed.state()
        elif self._free is not None:
            parts["categories"] = self._free.state()
        return parts


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
            hours = times // HOUR
            first = int(hours.min())
            counts = _dense_counts(hours, first)
            self._hours = self._hours.merge(counts)

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
        lengths = plain(pc.fill_null(pc.list_value_length(array), 0)).astype(np.int64)
        held = valid_mask(array)
        flat = plain(pc.cast(pc.list_flatten(array), pa.float64()))
        norms = np.zeros(len(array))
        filled = lengths > 0
        starts = (np.cumsum(lengths) - lengths)[filled]
        if len(starts):
            with np.errstate(over="ignore", invalid="ignore"):
                norms[filled] = np.sqrt(np.add.reduceat(flat * flat, starts))
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


class IdScanner:
    """Identifiers: presence and distinct values."""

    def __init__(self) -> None:
        self._presence = Presence()
        self._distinct = DistinctTally()

    def add(self, array: pa.Array, *, textual: bool) -> None:  # noqa: ARG002 (an id is what it is written as)
        """Read one batch's array."""
        texts = read_texts(array)
        self._presence = self._presence.merge(Presence(len(array), texts.present))
        self._distinct.add(hash_bytes(*text_bytes(texts.texts)))

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        return {"presence": self._presence, "distinct": self._distinct.state()}


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
