"""Numbers: the scanner that has most to do."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.frames.numbers import Numbers, read_numbers
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.plan import ColumnPlan
from watchkeep.states.bins import BinTally
from watchkeep.states.codec import State
from watchkeep.states.distinct import DistinctTally
from watchkeep.states.extremes import Extremes
from watchkeep.states.moments import Moments, PowerSums
from watchkeep.states.presence import Presence
from watchkeep.states.tallies import CellTally
from watchkeep.states.value_types import ValueTypes
from watchkeep.stats.hashing import Hashes, hash_doubles
from watchkeep.stats.scratch import CHUNK, Scratch


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
        self._sums, self._extremes = PowerSums(), Extremes()
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
        placed = None if grid is None else grid.count(values, self._scratch)
        told = grid if grid is not None and row_hashes is None and grid.tells(values) else None
        rows = None if where is None or row_hashes is None else np.flatnonzero(where)
        finite_before, lows, highs = self._sums.n, [], []
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
            self._sums.add(finite, self._scratch)
            if told is None:
                hashes = hash_doubles(chunk, self._scratch, signed=low <= 0 <= high)
                self._distinct.add(hashes)
                if row_hashes is not None:
                    row_hashes[slice(start, end) if rows is None else rows[start:end]] += hashes
        self._extremes = self._extremes.merge(Extremes(min(lows), max(highs)))
        if tally is not None:
            tally.add(values, placed)
        if told is not None and placed is not None:
            self._different(told.told(np.flatnonzero(placed.counts)))
            self._different(placed.strangers)
        return len(values) - (self._sums.n - finite_before)

    def _different(self, values: npt.NDArray[np.float64]) -> None:
        """Count the different ones among values, which are few."""
        for start in range(0, len(values), CHUNK):
            self._distinct.add(hash_doubles(values[start : start + CHUNK], self._scratch))

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        parts: dict[str, State] = {
            "presence": self._presence,
            "types": self._types,
            "moments": Moments.about(self._sums),
            "extremes": self._extremes,
            "distinct": self._distinct.state(),
        }
        if self._bins is not None:
            parts["bin_counts"] = self._bins.counts()
        elif self._cells is not None:
            parts["cells"] = self._cells.cells()
        return parts
