"""The fold: batches in, a profile out."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from watchkeep.frames.batches import Batch
from watchkeep.frames.numbers import read_numbers
from watchkeep.profiles.columns import scanner
from watchkeep.profiles.number_columns import NumberScanner
from watchkeep.profiles.plan import JointPlan, Plan
from watchkeep.profiles.profile import JOINT, Profile, added
from watchkeep.states.cells import LIMIT
from watchkeep.states.codec import State
from watchkeep.states.rows import FeatureSums, RowSample, levels_of, settled_level
from watchkeep.stats.hashing import mixed
from watchkeep.stats.scratch import Scratch

Picker: TypeAlias = Callable[[npt.NDArray[np.intp]], npt.NDArray[np.float64]]
"""Gives the numbers of some rows of a column."""

WIDE = 256
"""Columns beyond which a baseline's scan keeps fewer cells of each, so that memory stays bounded."""


class Scan:
    """Reads batches by a plan. A fresh scan's profile is the identity of merge for that plan.

    Args:
        plan: what to count.

    >>> import pyarrow as pa
    >>> from watchkeep.frames.roles import Role
    >>> from watchkeep.frames.schema import ColumnType
    >>> from watchkeep.profiles.plan import ColumnPlan
    >>> scan = Scan(Plan(columns=(ColumnPlan(name="age", role=Role.FEATURE, type=ColumnType.INTEGRAL),)))
    >>> scan.add(Batch.of(pa.table({"age": [41, None, 7]})))
    >>> scan.profile().parts["age", "presence"].present
    2
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        scratch = Scratch()
        limit = LIMIT if len(plan.columns) <= WIDE else LIMIT // 8
        self._scanners = {
            column.name: scanner(column, plan.dialect, limit, scratch) for column in plan.columns
        }
        self._rows = 0
        self._rejected: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._joint = None if plan.joint is None else JointScan(plan.joint)

    def add(self, batch: Batch) -> None:
        """Read a batch: each column of the plan is decoded once."""
        self._rejected = added(self._rejected, batch.rejected)
        if not batch.rows and not batch.names:
            return
        self._rows += batch.rows
        self._seen = added(self._seen, dict.fromkeys(batch.names, batch.rows))
        joint = self._joint
        keys = joint.plan.keys if joint is not None else ()
        if joint is not None:
            joint.begin(batch.rows)
            for name in keys:
                self._column(batch, name, joint)
            joint.choose()
        for name in self._scanners:
            if name not in keys:
                self._column(batch, name, joint)
        if joint is not None:
            joint.end()

    def _column(self, batch: Batch, name: str, joint: "JointScan | None") -> None:
        one = self._scanners[name]
        if name not in batch.names:
            one.absent(batch.rows)
            return
        array = batch.column(name)
        if joint is not None and isinstance(one, NumberScanner) and name in joint.places:
            numbers = read_numbers(array, self._plan.dialect)
            one.take(numbers, joint.row_hashes)
            joint.offer(name, numbers.at)
        else:
            one.add(array, textual=name in batch.textual)

    def profile(self) -> Profile:
        """All that was read so far."""
        parts: dict[tuple[str, str], State] = {
            (name, part): state for name, one in self._scanners.items() for part, state in one.parts().items()
        }
        if self._joint is not None:
            parts[JOINT, "rows"] = self._joint.state
        return Profile(self._rows, dict(self._rejected), dict(self._seen), parts)


class JointScan:
    """Samples rows of the numeric columns taken together.

    A row's hash comes from the first few columns; once they are read it is settled which rows stay, and the values
    of those rows are picked out of each further column as it passes.

    Args:
        plan: which columns, and what to make of the rows.
    """

    def __init__(self, plan: JointPlan) -> None:
        self.plan = plan
        self.places = {name: place for place, name in enumerate(plan.columns)}
        self.state: RowSample | FeatureSums = (
            RowSample.empty(len(plan.columns))
            if plan.frequencies is None
            else FeatureSums.empty(2 * plan.frequencies.shape[1])
        )
        self.row_hashes: npt.NDArray[np.uint64] | None = None
        self._waiting: list[tuple[str, Picker]] = []
        self._chosen: npt.NDArray[np.intp] | None = None

    def begin(self, rows: int) -> None:
        """A batch begins."""
        self.row_hashes = np.zeros(rows, np.uint64)
        self._chosen, self._waiting = None, []

    def offer(self, name: str, at: Picker) -> None:
        """A column's numbers: `at` gives those of chosen rows."""
        if self._chosen is None:
            self._waiting.append((name, at))
        else:
            self._values[:, self.places[name]] = at(self._chosen)

    def choose(self) -> None:
        """All key columns were read: settle which rows stay."""
        assert self.row_hashes is not None  # noqa: S101 (begin was called)
        self._hashes = mixed(self.row_hashes)
        # Once the bar is high few rows are below it: only their levels are worth working out.
        below = np.flatnonzero(self._hashes <= np.uint64((1 << 64 - self.state.level) - 1))
        levels = levels_of(self._hashes[below])
        self._level = settled_level(np.bincount(levels, minlength=64), self.state.level)
        kept = levels >= self._level
        self._chosen, self._levels = below[kept], levels[kept]
        self._values = np.full((len(self._chosen), len(self.places)), np.nan)
        self.row_hashes = None
        for name, at in self._waiting:
            self.offer(name, at)
        self._waiting = []

    def end(self) -> None:
        """The batch is over."""
        assert self._chosen is not None  # noqa: S101 (choose was called)
        if isinstance(self.state, RowSample):
            self.state = self.state.merge(RowSample.of(self._hashes[self._chosen], self._values, self._level))
        else:
            assert self.plan.frequencies is not None  # noqa: S101 (the state is of features)
            rows = self.plan.standardised(self._values)
            self.state = self.state.merge(
                FeatureSums.of(self._levels, rows, self.plan.frequencies, self._level)
            )
