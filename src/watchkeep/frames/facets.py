"""A facet: a column whose values tell groups of people apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.frames.buffers import valid_mask
from watchkeep.frames.classes import MISSING, Classes, Codes
from watchkeep.frames.lookups import SmallCodes, looked_up
from watchkeep.frames.numbers import read_numbers

OTHER: Final = "other values"
"""The level of a value that is none of the others."""
NO_CLASSES: Final = Classes(())
"""Of a facet that is cut into bands."""


@dataclass(frozen=True, slots=True)
class Group:
    """Some rows of a facet, compared with all its other rows.

    Args:
        name: what it is called: "Female", "> 40", "A,B".
        levels: the facet's levels it is made of.
    """

    name: str
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Facet:
    """How a column's values make up groups.

    Each row has one level: one of the classes or bands, then `OTHER` for a value that is none of them, then one for
    no value.

    Args:
        column: its name.
        classes: the values that are told apart; none of a facet that is cut into bands.
        edges: where it is cut, increasing: a band holds numbers above its lower edge, up to its upper one. The first
            and the last have no end, so a new maximum moves none.
        groups: what is compared with the rest.
        whole: whether the classes are all values that the reference rows had, so that any other one is new.

    >>> age = Facet("age", edges=(25.0, 40.0))
    >>> age.levels
    ('<= 25', '> 25 to 40', '> 40', 'other values')
    >>> age.codes(pa.array([25, 26, 99, None])).tolist()
    [0, 1, 2, 4]
    >>> sex = Facet("sex", classes=Classes(("F", "M")), groups=(Group("F", (0,)),))
    >>> sex.codes(pa.array(["M", "F", "X", None])).tolist()
    [1, 0, 2, 3]
    """

    column: str
    classes: Classes = field(default=NO_CLASSES)
    edges: tuple[float, ...] = ()
    groups: tuple[Group, ...] = ()
    whole: bool = False

    @property
    def levels(self) -> tuple[str, ...]:
        """The names of the levels but the last one, of rows without a value."""
        return (*(_bands(self.edges) if self.edges else self.classes.names), OTHER)

    def subject(self, group: Group) -> str:
        """What verdicts call a group: "sex=F", "age > 40"."""
        return f"{self.column}{' ' if self.edges else '='}{group.name}"

    @property
    def missing(self) -> int:
        """The level of rows without a value."""
        return len(self.levels)

    @property
    def halved(self) -> bool:
        """Whether there are two groups, the one all that the other is not: what is said of one is said of both.

        >>> Facet("age", edges=(40.0,), groups=(Group("<= 40", (0,)), Group("> 40", (1,)))).halved
        True
        """
        return len(self.groups) == 2 and self.missing == 3

    def codes(self, array: pa.Array) -> SmallCodes:
        """The level of each row, shape (rows,)."""
        return looked_up(array, self._codes, missing=self.missing)

    def _codes(self, array: pa.Array) -> Codes:
        if not self.edges:
            codes = self.classes.codes(array)
            return np.where(codes == MISSING, self.missing, np.where(codes < 0, len(self.classes), codes))
        read = read_numbers(array)
        bands: Codes = np.searchsorted(np.array(self.edges), read.values, side="left").astype(np.intp)
        if read.where is None:
            return bands
        out = np.full(read.rows, self.missing, np.intp)
        if read.string or read.other or read.boolean:  # a value, but no number
            held = valid_mask(array)
            out[slice(None) if held is None else held] = len(self.levels) - 1
        out[read.where] = bands
        return out


def _bands(edges: Sequence[float]) -> tuple[str, ...]:
    told = [f"{edge:.12g}" for edge in edges]
    inner = [f"> {low} to {high}" for low, high in pairwise(told)]
    return (f"<= {told[0]}", *inner, f"> {told[-1]}")
