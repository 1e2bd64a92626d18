"""Rows of several columns taken together, sampled while the columns pass one by one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.frames.buffers import positions
from watchkeep.frames.categories import row_texts
from watchkeep.profiles.plan import JointPlan
from watchkeep.profiles.row_texts import text_codes, text_hashes
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
from watchkeep.stats.hashing import Hashes, mixed

Doubles: TypeAlias = npt.NDArray[np.float64]
Picker: TypeAlias = Callable[[npt.NDArray[np.intp]], Doubles]
"""Gives the numbers of some rows of a column."""
_MOST_PIECES = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Rows that were kept of some batches: hashes and levels, shape (rows,), and values, shape (rows, columns)."""

    hashes: Hashes
    levels: npt.NDArray[np.int64]
    values: Doubles

    def above(self, level: int) -> "_Piece":
        """Those of at least a level."""
        kept = self.levels >= level
        return self if kept.all() else _Piece(self.hashes[kept], self.levels[kept], self.values[kept])


class JointScan:
    """Samples rows of several columns taken together.

    A row's hash comes from the first few columns; once they are read it is settled which rows stay, and the values
    of those rows are picked out of each further column as it passes. The states are made of the rows that stayed
    to the end: most of those kept early do not, and to score them would be in vain.

    Args:
        plan: which columns, and what to make of the rows.
    """

    def __init__(self, plan: JointPlan) -> None:
        self.plan = plan
        self.numeric = {name: place for place, name in enumerate(plan.columns)}
        self.texts = {name: len(plan.columns) + place for place, name in enumerate(plan.texts)}
        self.row_hashes: Hashes | None = None
        self._scorers = {scorer.name: scorer for scorer in plan.scorers}
        self._most = ROWS if plan.learning or plan.scorers else SAMPLE
        self._pieces: list[_Piece] = []
        self._level, self._counts = 0, np.zeros(LEVELS, np.int64)
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
            self._values[:, self.numeric[name]] = at(self._chosen)

        self._when_chosen(take)

    def offer_texts(self, name: str, array: pa.Array) -> None:
        """A column of categories: codes are kept of a baseline's, scores of a window's."""
        if self.row_hashes is not None and name in self.plan.keys:
            self.row_hashes += text_hashes(array)
        scorer = self._scorers.get(name)
        if not self.plan.learning and scorer is None:
            return

        def take() -> None:
            assert self._chosen is not None  # noqa: S101 (called once rows are chosen)
            picked = array.take(positions(self._chosen))
            found = text_codes(picked) if scorer is None else scorer.of_texts(row_texts(picked))
            self._values[:, self.texts[name]] = found

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
        # Once the bar is high few rows are below it: only their levels are worth working out.
        below = np.flatnonzero(self._hashes <= np.uint64((1 << 64 - self._level) - 1))
        levels = levels_of(self._hashes[below])
        self._counts += np.bincount(levels, minlength=LEVELS)
        level = settled_level(self._counts, self._level, limit=self._most)
        if level > self._level:
            above = [piece.above(level) for piece in self._pieces]
            self._pieces = [piece for piece in above if len(piece.levels)]
        self._level = level
        kept = levels >= level
        self._chosen, self._levels = below[kept], levels[kept]
        self._values = np.full((len(self._chosen), len(self.numeric) + len(self.texts)), np.nan)
        self.row_hashes = None
        for take in self._waiting:
            take()
        self._waiting = []

    def end(self) -> None:
        """The batch is over."""
        assert self._chosen is not None  # noqa: S101 (choose was called)
        if len(self._chosen):
            self._pieces.append(_Piece(self._hashes[self._chosen], self._levels, self._values))
        if len(self._pieces) > _MOST_PIECES:
            self._pieces = [self._together()]

    def states(self) -> dict[str, State]:
        """What the rows that stayed tell, by part."""
        rows = self._together()
        self._pieces = [rows]
        states: dict[str, State] = {}
        if self.plan.learning:
            states["rows"] = RowSample.of(rows.hashes, rows.values, self._level)
        if self.plan.frequencies is not None:
            level = settled_level(self._counts, self._level, limit=SAMPLE)
            few = rows.above(level)
            numbers = self.plan.standardised(few.values[:, : len(self.numeric)])
            states["rows"] = FeatureSums.of(few.levels, numbers, self.plan.frequencies, level)
        if self.plan.scorers:
            states["scores"] = ScoreSums.of(rows.levels, self._scores(rows.values), self._level)
        return states

    def _together(self) -> _Piece:
        width = len(self.numeric) + len(self.texts)
        none = _Piece(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros((0, width)))
        pieces = [none, *self._pieces]
        return _Piece(
            np.concatenate([piece.hashes for piece in pieces]),
            np.concatenate([piece.levels for piece in pieces]),
            np.concatenate([piece.values for piece in pieces]),
        )

    def _scores(self, values: Doubles) -> Doubles:
        """A score for each row and scorer; 0 where a column was absent."""
        scores = np.zeros((len(values), len(self._scorers)))
        for place, (name, scorer) in enumerate(self._scorers.items()):
            if name in self.numeric:
                scores[:, place] = scorer.of_numbers(values[:, self.numeric[name]])
            else:
                scores[:, place] = np.nan_to_num(values[:, self.texts[name]])
        return scores
