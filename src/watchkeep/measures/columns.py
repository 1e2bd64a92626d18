"""What a measure is given: one column's states, the baseline's beside the window's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.cells import Cells, cell_high, cell_low
from watchkeep.states.codec import S, State, StateClass, part_of
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.groups import Groups
from watchkeep.states.presence import Presence

Counts = npt.NDArray[np.int64]

COMPARED = 32
"""Bins of equal baseline share that shape distances are taken over; a value heavy enough has one to itself."""


@dataclass(frozen=True, eq=False)
class Histograms:
    """A baseline's and a window's rows over the same bins.

    Args:
        baseline, window: rows per bin, shape (bins,).
        values: a value that stands for each bin, shape (bins,); None for categories.
        labels: the category of each bin; None for numbers, and for groups of categories.
    """

    baseline: Counts
    window: Counts
    values: npt.NDArray[np.float64] | None = None
    labels: tuple[str, ...] | None = None

    @cached_property
    def n(self) -> int:
        """Rows of the window."""
        return int(self.window.sum())

    @cached_property
    def m(self) -> int:
        """Rows of the baseline."""
        return int(self.baseline.sum())


REST = "(other)"
"""The label of all categories that are not counted by name."""


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a window beside its baseline.

    Args:
        name, role, type: as the baseline has them.
        baseline: the baseline's states by part.
        window: the window's states by part; empty when the window lacks the column.
        domain: the values allowed, when a constraint lists them; else those the baseline has.
        dialect: whose rules tell types apart.
    """

    name: str
    role: Role
    type: ColumnType
    baseline: Mapping[str, State]
    window: Mapping[str, State] = field(default_factory=dict)
    domain: frozenset[str] | None = None
    dialect: Dialect = Dialect.DEFAULT

    def before(self, part: str, kind: StateClass[S]) -> S | None:
        """A state of the baseline."""
        return part_of(self.baseline, part, kind)

    def now(self, part: str, kind: StateClass[S]) -> S | None:
        """A state of the window."""
        return part_of(self.window, part, kind)

    @cached_property
    def presence(self) -> Presence:
        """The window's rows and values."""
        return self.now("presence", Presence) or Presence()

    @cached_property
    def fine(self) -> Histograms | Undefined:
        """Rows over the baseline's bins, with those below and above at the ends; or by category."""
        bins, counts = self.before("bins", Bins), self.now("bin_counts", BinCounts)
        if bins is not None and counts is not None:
            return self._numbers(bins, counts)
        listed, rows = self.before("categories", Frequencies), self.now("category_counts", CategoryCounts)
        if listed is not None and rows is not None:
            return _categories(listed, rows) if listed.exact else self._groups()
        return Undefined(f"a {self.type} column has no distribution to compare")

    @cached_property
    def coarse(self) -> Histograms | Undefined:
        """Rows over `COMPARED` bins of equal baseline share, below and above the range; or by category."""
        fine = self.fine
        if isinstance(fine, Undefined) or fine.values is None:
            return fine
        first = compared_starts(fine.baseline[1:-1]) + 1
        starts = np.concatenate([[0], first, [len(fine.baseline) - 1]])
        return Histograms(
            np.add.reduceat(fine.baseline, starts),
            np.add.reduceat(fine.window, starts),
            fine.values[starts],
        )

    def _numbers(self, bins: Bins, counts: BinCounts) -> Histograms | Undefined:
        if not len(bins):
            return Undefined("the baseline holds no numbers to compare with")
        if not counts.total:
            return Undefined("the window holds no numbers")
        return Histograms(
            np.concatenate([[0], bins.counts, [0]]),
            np.concatenate([[counts.below.total], counts.counts, [counts.above.total]]),
            np.concatenate([[bins.lows[0]], bins.centers, [bins.highs[-1]]]),
        )

    def _groups(self) -> Histograms | Undefined:
        """Beyond the categories that can be listed, rows are compared by group of texts."""
        before, now = self.before("groups", Groups), self.now("groups", Groups)
        if before is None or now is None:
            return Undefined("the baseline has more categories than it lists")
        if not before.counts.sum() or not now.counts.sum():
            return Undefined("there are no values to compare")
        return Histograms(before.counts, now.counts)

    @cached_property
    def outside(self) -> int:
        """Numbers of the window beyond the baseline's bins, or rows in categories it does not list."""
        counts = self.now("bin_counts", BinCounts)
        if counts is not None:
            return counts.below.total + counts.above.total
        rows = self.now("category_counts", CategoryCounts)
        return 0 if rows is None else rows.rest.total


@dataclass(frozen=True, slots=True)
class Measure:
    """A named number about a column.

    Args:
        name: as reports, metrics and constraints spell it.
        about: whether it means anything for a column.
        finish: its value for a column that the window has.
    """

    name: str
    about: Callable[[Column], bool]
    finish: Callable[[Column], Value]


def numbers(column: Column) -> bool:
    """Columns of numbers that mean an amount."""
    return column.type.numeric and not column.role.identifies


def measured(column: Column) -> bool:
    """Columns of numbers, and of embeddings, which are known by their norms."""
    return numbers(column) or (column.type is ColumnType.EMBEDDING and not column.role.identifies)


def compared(column: Column) -> bool:
    """Columns whose distribution can be compared with the baseline's."""
    return measured(column) or (column.type.categorical and not column.role.identifies)


def compared_starts(counts: Counts) -> npt.NDArray[np.intp]:
    """The first bin of each of about `COMPARED` runs of bins of equal share; heavy bins stand alone.

    >>> compared_starts(np.array([10, 10, 500, 10, 10])).tolist()
    [0, 2, 3, 4]
    """
    total = counts.sum()
    before = np.cumsum(counts) - counts
    heavy = counts * COMPARED > total
    cut = np.ones(len(counts), np.bool_)
    cut[1:] = (np.diff(before * COMPARED // max(1, total)) != 0) | heavy[1:] | heavy[:-1]
    return np.flatnonzero(cut)


def _categories(listed: Frequencies, rows: CategoryCounts) -> Histograms | Undefined:
    if not listed.total:
        return Undefined("the baseline holds no categories to compare with")
    if not rows.total:
        return Undefined("the window holds no values")
    named = listed.ranked()
    labels = [name for name, _ in named]
    before = [count for _, count in named]
    now = rows.counts.tolist()
    strangers = rows.rest.ranked() if listed.exact and rows.rest.exact else []
    labels += [name for name, _ in strangers]
    before += [0] * len(strangers)
    now += [count for _, count in strangers]
    labels.append(REST)
    before.append(listed.total - sum(before))
    now.append(rows.total - sum(now))
    return Histograms(np.array(before, np.int64), np.array(now, np.int64), labels=tuple(labels))


def tail_values(
    counts: BinCounts, bins: Bins
) -> tuple[npt.NDArray[np.float64], Counts, npt.NDArray[np.float64], Counts]:
    """Finite values that stand for the cells below and above a baseline's range, and the rows in each."""
    (below, below_rows), (above, above_rows) = _finite_cells(counts.below), _finite_cells(counts.above)
    if len(bins):
        # Where very many rows lie beyond the range, cells are wide: the first one may reach into it. Its rows do not.
        below, above = np.minimum(below, bins.lows[0]), np.maximum(above, bins.highs[-1])
    return below, below_rows, above, above_rows


def _finite_cells(cells: Cells) -> tuple[npt.NDArray[np.float64], Counts]:
    middle = cell_low(cells.keys, cells.shift) / 2 + cell_high(cells.keys, cells.shift) / 2
    real = np.isfinite(middle)
    return middle[real], cells.counts[real]
