"""What a scan is to count: for each column its type, and what a baseline owns of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import StateError
from watchkeep.frames.buffers import filled, strings
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.states.bins import Bins

MOST_JOINT: Final = 256
"""Columns of numbers, and of categories, that are compared together."""
MOST_KEYS: Final = 8
"""Columns from which a row's hash is made."""
FEW_KEYS: Final = 3
"""Numeric columns below which categories are part of a row's hash too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlan:
    """How to read one column.

    Args:
        name: the column's.
        role: what it is to the model.
        type: what it is read as, whatever it is stored as.
        bins: a baseline's bins, when values are to be counted in them (numbers; the norms of embeddings).
        categories: a baseline's list, when rows are to be counted by it.
    """

    name: str
    role: Role
    type: ColumnType
    bins: Bins | None = None
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scorer:
    """A bounded number for each row of a column: where its value lies among the baseline's.

    Args:
        name: the column.
        edges: the least number of every bucket but the first, increasing; None for categories.
        categories: those with a score of their own; none for numbers.
        scores: by bucket or category, shape (edges + 1,) or (categories,); a row with no other has 0.
    """

    name: str
    edges: npt.NDArray[np.float64] | None
    categories: tuple[str, ...]
    scores: npt.NDArray[np.float64]

    def of_numbers(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The scores of numbers, shape (n,); 0 for NaN."""
        assert self.edges is not None  # noqa: S101 (the column is numeric)
        return np.where(np.isnan(values), 0.0, self.scores[np.searchsorted(self.edges, values, side="right")])

    def of_texts(self, texts: pa.Array) -> npt.NDArray[np.float64]:
        """The scores of texts, a large string array of shape (n,)."""
        places = filled(pc.index_in(texts, value_set=strings(self.categories)), len(self.categories))
        found: npt.NDArray[np.float64] = np.append(self.scores, 0.0)[places]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPlan:
    """How to compare columns together.

    Args:
        columns: the numeric columns, in order.
        texts: the columns of categories, in order.
        keys: those of them a row's hash is made from.
        center, scale: what is taken off each column and what it is divided by, shape (columns,); None in a
            baseline's own scan, which keeps raw rows.
        frequencies: of the Fourier features, shape (columns, frequencies); None likewise, and with fewer than two
            numeric columns.
        scorers: the columns whose rows are scored; none likewise.
    """

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    texts: tuple[str, ...] = ()
    center: npt.NDArray[np.float64] | None = None
    scale: npt.NDArray[np.float64] | None = None
    frequencies: npt.NDArray[np.float32] | None = None
    scorers: tuple[Scorer, ...] = ()

    @property
    def learning(self) -> bool:
        """Whether it is a baseline's own scan, which keeps raw rows."""
        return self.frequencies is None and not self.scorers

    def standardised(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Rows, shape (n, columns), in the baseline's units: bounded to [-4, 4], 0 where there is no number."""
        if self.center is None or self.scale is None:
            raise StateError("a baseline's own scan keeps raw rows: it has no units yet")
        with np.errstate(invalid="ignore", over="ignore"):
            z = (rows - self.center) / self.scale
        return np.clip(np.nan_to_num(z, nan=0.0, posinf=4.0, neginf=-4.0), -4.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to read the columns of a dataset. Columns it does not name are noted, not read.

    Args:
        columns: one plan for each, in the order of the dataset.
        joint: the comparison of numeric columns together; None for no such comparison.
        dialect: whose rules tell types apart.
    """

    columns: tuple[ColumnPlan, ...]
    joint: JointPlan | None = None
    dialect: Dialect = Dialect.DEFAULT

    @property
    def names(self) -> tuple[str, ...]:
        """The columns to read."""
        return tuple(column.name for column in self.columns)


def joint_plan(types: Mapping[str, tuple[Role, ColumnType]], ranked: Sequence[str] = ()) -> JointPlan | None:
    """The features, predictions and scores; None with fewer than two.

    Args:
        types: role and type by column, in order.
        ranked: columns with the most different values first, if that is known; else fractional ones go first.
    """
    together = (Role.FEATURE, Role.FACET, Role.PREDICTION, Role.SCORE)
    fit = {name: kind for name, (role, kind) in types.items() if role in together}
    columns = [name for name, kind in fit.items() if kind.numeric][:MOST_JOINT]
    texts = [name for name, kind in fit.items() if kind.categorical][:MOST_JOINT]
    if len(columns) + len(texts) < 2:
        return None
    numeric = [name for name in ranked if name in set(columns)] or sorted(
        columns, key=lambda name: types[name][1] is not ColumnType.FRACTIONAL
    )
    others = [name for name in ranked if name in set(texts)] or texts
    # Texts cost more to hash: they are keys only where there are hardly any numbers.
    keys = numeric if len(numeric) >= FEW_KEYS else [*numeric, *others]
    return JointPlan(columns=tuple(columns), texts=tuple(texts), keys=tuple(keys[:MOST_KEYS]))
