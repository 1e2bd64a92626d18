"""The fold: batches in, a profile out."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import positions
from watchkeep.frames.categories import row_texts
from watchkeep.frames.numbers import read_numbers
from watchkeep.profiles.columns import scanner
from watchkeep.profiles.number_columns import NumberScanner
from watchkeep.profiles.plan import JointPlan, Plan
from watchkeep.profiles.profile import JOINT, Profile, added
from watchkeep.profiles.row_texts import text_codes, text_hashes
from watchkeep.states.cells import LIMIT
from watchkeep.states.codec import State
from watchkeep.states.rows import (
    LEVELS,
    ROWS,
    SAMPLE,
    FeatureSums,
    RowSample,
    ScoreSums,
    levels_of,
    settled_level,
)
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
        self._unplaced = 0
        self.outside: Mapping[str, int] = {}
        """Rows that the source left out, by what they lie outside of."""
        self._seen: dict[str, int] = {}
        self._joint = None if plan.joint is None else JointScan(plan.joint)

    def add(self, batch: Batch) -> None:
        """Read a batch: each column of the plan is decoded once."""
        self._rejected = added(self._rejected, batch.rejected)
        self._unplaced += sum(batch.rejected.values())
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
        if joint is not None and isinstance(one, NumberScanner) and name in joint.numeric:
            numbers = read_numbers(array, self._plan.dialect)
            one.take(numbers, joint.row_hashes)
            joint.offer_numbers(name, numbers.at)
            return
        one.add(array, textual=name in batch.textual)
        if joint is not None and name in joint.texts:
            joint.offer_texts(name, array)

    def profile(self) -> Profile:
        """All that was read so far."""
        parts: dict[tuple[str, str], State] = {
            (name, part): state for name, one in self._scanners.items() for part, state in one.parts().items()
        }
        if self._joint is not None:
            parts |= {(JOINT, part): state for part, state in self._joint.states.items()}
        rejected, outside = dict(self._rejected), dict(self.outside)
        return Profile(self._rows, rejected, dict(self._seen), parts, outside, self._unplaced)


class JointScan:
    """Samples rows of several columns taken together.

    A row's hash comes from the first few columns; once they are read it is settled which rows stay, and the values
    of those rows are picked out of each further column as it passes.

    Args:
        plan: which columns, and what to make of the rows.
    """

    def __init__(self, plan: JointPlan) -> None:
        self.plan = plan
        self.numeric = {name: place for place, name in enumerate(plan.columns)}
        self.texts = {name: len(plan.columns) + place for place, name in enumerate(plan.texts)}
        self.scored = {scorer.name: (place, scorer) for place, scorer in enumerate(plan.scorers)}
        self.states: dict[str, RowSample | FeatureSums | ScoreSums] = {}
        if plan.learning:
            self.states["rows"] = RowSample.empty(len(plan.columns) + len(plan.texts))
        if plan.frequencies is not None:
            self.states["rows"] = FeatureSums.empty(2 * plan.frequencies.shape[1])
        if plan.scorers:
            self.states["scores"] = ScoreSums.empty(len(plan.scorers))
        self.row_hashes: npt.NDArray[np.uint64] | None = None
        self._waiting: list[Callable[[], None]] = []
        self._chosen: npt.NDArray[np.intp] | None = None

    def begin(self, rows: int) -> None:
        """A batch begins."""
        self.row_hashes = np.zeros(rows, np.uint64)
        self._chosen, self._waiting = None, []

    def offer_numbers(self, name: str, at: Picker) -> None:
        """A column's numbers: `at` gives those of chosen rows."""

        def take() -> None:
            assert self._chosen is not None  # noqa: S101 (called once rows are chosen)
            picked = at(self._chosen)
            self._values[:, self.numeric[name]] = picked
            if name in self.scored:
                place, scorer = self.scored[name]
                self._scores[:, place] = scorer.of_numbers(picked)

        self._when_chosen(take)

    def offer_texts(self, name: str, array: pa.Array) -> None:
        """A column of categories."""
        if self.row_hashes is not None and name in self.plan.keys:
            self.row_hashes += text_hashes(array)
        if not self.plan.learning and name not in self.scored:
            return

        def take() -> None:
            assert self._chosen is not None  # noqa: S101 (called once rows are chosen)
            picked = array.take(positions(self._chosen))
            if name in self.scored:
                place, scorer = self.scored[name]
                self._scores[:, place] = scorer.of_texts(row_texts(picked))
            else:
                self._values[:, self.texts[name]] = text_codes(picked)

        self._when_chosen(take)

    def _when_chosen(self, take: Callable[[], None]) -> None:
        if self._chosen is None:
            self._waiting.append(take)
        else:
            take()

    def choose(self) -> None:
        """All key columns were read: settle which rows stay."""
        assert self.row_hashes is not None  # noqa: S101 (begin was called)
        self._hashes = mixed(self.row_hashes)
        start = min(state.level for state in self.states.values())
        # Once the bar is high few rows are below it: only their levels are worth working out.
        below = np.flatnonzero(self._hashes <= np.uint64((1 << 64 - start) - 1))
        levels = levels_of(self._hashes[below])
        widest = SAMPLE if set(self.states) == {"rows"} and not self.plan.learning else ROWS
        self._level = settled_level(np.bincount(levels, minlength=LEVELS), start, limit=widest)
        kept = levels >= self._level
        self._chosen, self._levels = below[kept], levels[kept]
        self._values = np.full((len(self._chosen), len(self.numeric) + len(self.texts)), np.nan)
        self._scores = np.zeros((len(self._chosen), len(self.scored)))
        self.row_hashes = None
        for take in self._waiting:
            take()
        self._waiting = []

    def end(self) -> None:
        """The batch is over."""
        assert self._chosen is not None  # noqa: S101 (choose was called)
        for part, state in self.states.items():
            if isinstance(state, RowSample):
                rows = RowSample.of(self._hashes[self._chosen], self._values, self._level)
                self.states[part] = state.merge(rows)
            elif isinstance(state, ScoreSums):
                scores = ScoreSums.of(self._levels, self._scores, max(self._level, state.level))
                self.states[part] = state.merge(scores)
            else:
                assert self.plan.frequencies is not None  # noqa: S101 (the state is of features)
                counts = np.bincount(self._levels, minlength=LEVELS)
                level = settled_level(counts, max(self._level, state.level))
                mine = self._levels >= level
                numbers = self.plan.standardised(self._values[mine][:, : len(self.numeric)])
                sums = FeatureSums.of(self._levels[mine], numbers, self.plan.frequencies, level)
                self.states[part] = state.merge(sums)
