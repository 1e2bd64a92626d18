"""Rows with their losses, in an order of their own."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from watchkeep.stats.hashing import Hashes, mixed
from watchkeep.stats.subgroup_terms import Codes, Mask

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Rows with their losses.

    Args:
        codes: the category or bin of each row in each column, -1 where it has no value; shape (rows, columns).
        loss: what the model lost on each row: 0 or 1, a squared error, ...; >= 0, shape (rows,).
        weights: >= 0, shape (rows,); None when all count alike.

    Raises:
        ValueError: shapes differ, a code is below -1, or a loss or weight is negative or not finite.
    """

    codes: Codes
    loss: Doubles
    weights: Doubles | None = None

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or (self.codes.size and self.codes.min() < -1):
            raise ValueError("codes are of shape (rows, columns), each at least -1")
        for what, values in (("loss", self.loss), ("weight", self.weights)):
            if values is None:
                continue
            if values.shape != self.codes.shape[:1]:
                raise ValueError(f"{len(self.codes)} rows of codes, and {what} of shape {values.shape}")
            if not (np.isfinite(values) & (values >= 0)).all():
                raise ValueError(f"a {what} is negative or not finite")

    @property
    def weight(self) -> Doubles:
        """The weight of each row, shape (rows,)."""
        return np.ones(len(self.loss)) if self.weights is None else self.weights

    def at(self, rows: npt.NDArray[np.intp]) -> Self:
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return type(self)(codes=self.codes[rows], loss=self.loss[rows], weights=weights)

    def means(self, inside: Mask) -> tuple[float, float]:
        """The mean loss of some rows, and of the others; there are some of both. `inside` has shape (rows,)."""
        return (
            float(np.average(self.loss[inside], weights=self.weight[inside])),
            float(np.average(self.loss[~inside], weights=self.weight[~inside])),
        )

    def variance(self, inside: Mask) -> float:
        """The variance of the difference of those two means, if rows were drawn again."""
        parts = ((self.loss[rows], self.weight[rows]) for rows in (inside, ~inside))
        return sum(
            float(loss.var()) * float(weight @ weight) / float(weight.sum()) ** 2 for loss, weight in parts
        )

    def settled(self) -> tuple[Self, int]:
        """The rows that have a weight, in an order that their values alone decide, and a number made of them.

        The order looks random, so that the first rows are a sample of all.

        >>> rows = Losses(codes=np.array([[0], [1], [2]]), loss=np.array([0.0, 1.0, 0.0]))
        >>> turned = Losses(codes=np.array([[2], [1], [0]]), loss=np.array([0.0, 1.0, 0.0]))
        >>> (rows.settled()[0].codes == turned.settled()[0].codes).all(), rows.settled()[1] == turned.settled()[1]
        (np.True_, True)
        """
        held = np.flatnonzero(self.weight)
        hashes = self._hashes(held)
        return self.at(held[np.argsort(hashes)]), int(hashes.sum())

    def _hashes(self, rows: npt.NDArray[np.intp]) -> Hashes:
        """A hash of each row; rows that are equal differ by how many of them came before."""
        hashes = np.zeros(len(rows), np.uint64)
        for column in self.codes.T:
            hashes = mixed(hashes ^ column[rows].astype(np.int64).view(np.uint64))
        for values in (self.loss, self.weight):
            hashes = mixed(hashes ^ (values[rows] + 0.0).view(np.uint64))
        order = np.argsort(hashes, kind="stable")
        ranked = hashes[order]
        starts = np.flatnonzero(np.concatenate(([True], ranked[1:] != ranked[:-1])))
        runs = np.diff(np.append(starts, len(ranked)))
        before = np.arange(len(ranked)) - np.repeat(starts, runs)
        hashes[order] = mixed(ranked ^ mixed(before.astype(np.uint64)))
        return hashes
