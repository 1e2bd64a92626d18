"""Sums over rows, cell by cell."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.states.codec import Fields, floats

GRAIN = 2.0**-30
"""Fractions are summed in multiples of this: sums below 2**23 are then exact, whatever the order of the rows."""
_MOST_AXES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Sums over rows, of counts or of bounded numbers, in a table. `Totals.empty(shape)` is the identity of merge.

    Args:
        values: the sums, of the shape of the table, at most four axes.

    >>> Totals(np.array([1.0, 2.0])).merge(Totals(np.array([0.0, 5.0]))).values.tolist()
    [1.0, 7.0]
    """

    kind: ClassVar[str] = "totals"
    version: ClassVar[int] = 1

    values: npt.NDArray[np.float64]

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> Self:
        """The identity of merge."""
        return cls(np.zeros(shape))

    def merge(self, *others: Self) -> Self:
        """All together.

        Raises:
            StateError: the tables are not of one shape.
        """
        shape = self.values.shape
        wrong = next((other.values.shape for other in others if other.values.shape != shape), None)
        if wrong is not None:
            raise StateError(f"tables of shapes {shape} and {wrong} do not merge")
        return type(self)(np.sum([self.values, *(other.values for other in others)], axis=0))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Totals) and np.array_equal(self.values, other.values)

    __hash__ = None  # type: ignore[assignment] # arrays have no hash

    def fields(self) -> Fields:
        """For the codec: counts take as few bytes as they need."""
        flat = self.values.ravel()
        whole = bool((flat == np.rint(flat)).all()) and float(np.abs(flat).max(initial=0)) < 2**53
        return {"shape": list(self.values.shape), "values": flat.astype(np.int64) if whole else flat}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        shape, flat = fields.get("shape"), floats(fields, "values")
        if not isinstance(shape, list) or not 1 <= len(shape) <= _MOST_AXES:
            raise StateError("a table lacks its shape")
        sides = [int(side) for side in shape]
        if min(sides) < 0 or int(np.prod(sides)) != len(flat) or not np.isfinite(flat).all():
            raise StateError("a table does not fit its shape")
        return cls(flat.reshape(sides).copy())


def grained(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Values in multiples of `GRAIN`: their sums do not depend on the order of the rows."""
    found: npt.NDArray[np.float64] = np.rint(values / GRAIN) * GRAIN
    return found


def layers(
    codes: npt.NDArray[np.integer[Any]], weights: npt.NDArray[np.float64] | None, size: int
) -> npt.NDArray[np.float64]:
    """Rows by code, and their weights and squared weights if they have any, shape (layers, size)."""
    rows = np.bincount(codes, minlength=size).astype(np.float64)
    if weights is None:
        return rows[None]
    heavy = [np.bincount(codes, grained(weights**power), size) for power in (1, 2)]
    return np.stack([rows, *heavy])
