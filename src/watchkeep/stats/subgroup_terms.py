"""What found segments are made of: columns cut into categories or bins, and the terms that pick rows by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.rules import Value, written_name, written_value

Codes = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A column that segments may be told apart by: its categories, or the edges of its bins.

    Args:
        name: the column.
        labels: the categories; code k stands for `labels[k]`. Codes beyond them are rows of other categories.
        edges: increasing, numbers or ISO times; code k stands for `edges[k - 1] < value <= edges[k]`, code 0 for
            what is at most `edges[0]`, code `len(edges)` for what is above the last.

    Raises:
        ValueError: there are neither or both.
    """

    name: str
    labels: tuple[Value, ...] = ()
    edges: tuple[float | str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.labels) == bool(self.edges):
            raise ValueError(f"column {self.name!r} has labels or edges, not both or none")

    @property
    def cells(self) -> int:
        """How many codes stand for something."""
        return len(self.labels) or len(self.edges) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition of a found segment.

    Args:
        column: the column.
        equals: its category.
        above, upto: the bounds of a range, `above < value <= upto`; None where it is open.

    With none of the three the column has no value. `str` writes the term as a rule of segments.

    >>> print(Term(column="age", above=30.0, upto=45.5))
    age > 30 and age <= 45.5
    >>> print(Term(column="carrier", equals="EV"), "|", Term(column="age"))
    carrier = 'EV' | age is null
    """

    column: str
    equals: Value | None = None
    above: float | str | None = None
    upto: float | str | None = None

    def __str__(self) -> str:
        name = written_name(self.column)
        parts = [
            f"{name} {sign} {written_value(value)}"
            for sign, value in (("=", self.equals), (">", self.above), ("<=", self.upto))
            if value is not None
        ]
        return " and ".join(parts) or f"{name} is null"


MISSING: Final = -1
"""The code of a row without a value."""


class Terms:
    """All terms over some columns, each a run of neighbouring cells of one column.

    Args:
        candidates: the columns.
        codes: shape (rows, columns).
        least: rows a category must have to be a term.

    Attributes:
        cells: how many cells there are over all columns.
        first, last: a term is the cells first..last - 1; shapes (terms,).
        column: the place of its column.
        cost: nats it takes to name it: which column, and which of that column's terms.
    """

    def __init__(self, candidates: Sequence[Candidate], codes: Codes, least: int) -> None:
        self._candidates = candidates
        self._offsets: list[int] = []
        self._kept: list[npt.NDArray[np.intp]] = []
        runs: list[tuple[int, int, int, float]] = []
        start = 0
        for place, candidate in enumerate(candidates):
            counts = np.bincount(codes[:, place].astype(np.int64) - MISSING, minlength=candidate.cells + 1)
            missing = bool(counts[0] >= least)
            if candidate.labels:  # rare categories are no term: they get no cell
                kept = np.flatnonzero(counts[1 : candidate.cells + 1] >= least)
                spans = [(cell, cell + 1) for cell in range(len(kept))]
            else:
                kept = np.arange(candidate.cells)
                spans = [(i, j + 1) for i in range(len(kept)) for j in range(i, len(kept))]
                spans.remove((0, len(kept)))  # the run over all bins says nothing
            if missing:
                spans.append((len(kept), len(kept) + 1))
            self._offsets.append(start)
            self._kept.append(kept)
            cost = np.log(len(candidates)) + np.log(max(len(spans), 1))
            runs += [(start + i, start + j, place, cost) for i, j in spans]
            start += len(kept) + missing
        self.cells = start
        table = np.array(runs, np.float64).reshape(-1, 4)
        self.first, self.last, self.column = table[:, :3].T.astype(np.int64)
        self.cost = table[:, 3]

    def __len__(self) -> int:
        return len(self.first)

    def rows(self, codes: Codes) -> npt.NDArray[np.int32]:
        """The cell of each row in each column, shape (columns, rows); `cells` where it has none."""
        out = np.full(codes.shape[::-1], self.cells, np.int32)
        for place, (candidate, start, kept) in enumerate(
            zip(self._candidates, self._offsets, self._kept, strict=True)
        ):
            cell = np.full(candidate.cells + 2, self.cells, np.int32)  # other codes, then a missing value
            cell[kept] = start + np.arange(len(kept))
            if start + len(kept) < [*self._offsets, self.cells][place + 1]:
                cell[MISSING] = start + len(kept)
            out[place] = cell[np.minimum(codes[:, place], candidate.cells)]
        return out

    def mask(self, terms: Sequence[int], rows: npt.NDArray[np.int32]) -> Mask:
        """Which rows every one of some terms holds for, shape (rows,)."""
        mask = np.ones(rows.shape[1], np.bool_)
        for term in terms:
            cells = rows[self.column[term]]
            mask &= (cells >= self.first[term]) & (cells < self.last[term])
        return mask

    def term(self, term: int) -> Term:
        """A term, as people read it."""
        place = int(self.column[term])
        candidate, kept = self._candidates[place], self._kept[place]
        first, last = (
            int(self.first[term]) - self._offsets[place],
            int(self.last[term]) - self._offsets[place],
        )
        if first == len(kept):
            return Term(column=candidate.name)
        if candidate.labels:
            return Term(column=candidate.name, equals=candidate.labels[int(kept[first])])
        return Term(
            column=candidate.name,
            above=candidate.edges[first - 1] if first else None,
            upto=candidate.edges[last - 1] if last < candidate.cells else None,
        )
