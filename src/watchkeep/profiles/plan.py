"""What a scan is to count: for each column its type, and what a baseline owns of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.states.bins import Bins

MOST_JOINT: Final = 256
"""Numeric columns that are compared together."""
MOST_KEYS: Final = 8
"""Numeric columns from which a row's hash is made."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPlan:
    """How to compare numeric columns together.

    Args:
        columns: the columns, in order.
        keys: those of them a row's hash is made from.
        center, scale: what is taken off each column and what it is divided by, shape (columns,); None in a
            baseline's own scan, which keeps raw rows.
        frequencies: of the Fourier features, shape (columns, frequencies); None likewise.
    """

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    center: npt.NDArray[np.float64] | None = None
    scale: npt.NDArray[np.float64] | None = None
    frequencies: npt.NDArray[np.float32] | None = None

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
    """The numeric features, predictions and scores; None with fewer than two.

    Args:
        types: role and type by column, in order.
        ranked: columns with the most different values first, if that is known; else fractional ones go first.
    """
    together = (Role.FEATURE, Role.FACET, Role.PREDICTION, Role.SCORE)
    columns = [name for name, (role, kind) in types.items() if role in together and kind.numeric][:MOST_JOINT]
    if len(columns) < 2:
        return None
    keys = [name for name in ranked if name in set(columns)] or sorted(
        columns, key=lambda name: types[name][1] is not ColumnType.FRACTIONAL
    )
    return JointPlan(columns=tuple(columns), keys=tuple(keys[:MOST_KEYS]))
