"""What a scan for bias is to count."""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

from watchkeep.frames.classes import Classes
from watchkeep.frames.facets import Facet, Group
from watchkeep.frames.outcomes import Positive
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect

MOST_CROSSED: Final = 1024
"""Levels of two facets together up to which their crossing is counted."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two facets taken together: whoever is in a group of each.

    Args:
        one, other: their places among the facets.
    """

    one: int
    other: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BiasPlan:
    """How to read the rows that groups are compared by.

    Args:
        roles: which column is what.
        facets: the columns that tell groups apart.
        label: what counts as a positive label.
        prediction: what counts as a positive prediction, or score; None when the model's answers are not looked at.
        strata: the values of the column that groups are compared within; none when there is no such column.
        stratum: that column.
        names: all the columns of the reference data, in order: what columns without names are called by position.
        dialect: whose rules tell types apart.
    """

    roles: Roles
    facets: tuple[Facet, ...]
    label: Positive
    prediction: Positive | None = None
    strata: Classes | None = None
    stratum: str | None = None
    names: tuple[str, ...] = ()
    dialect: Dialect = Dialect.DEFAULT

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """All pairs of facets whose levels are not too many."""
        return tuple(
            Crossing(i, j)
            for i, j in combinations(range(len(self.facets)), 2)
            if self.facets[i].missing * self.facets[j].missing <= MOST_CROSSED
        )

    def subject(self, where: "int | Crossing") -> str:
        """What the rows of a facet or a crossing are counted under: "sex", "sex x age"."""
        if isinstance(where, Crossing):
            return f"{self.facets[where.one].column} x {self.facets[where.other].column}"
        return self.facets[where].column

    def groups(self, crossing: Crossing) -> tuple[Group, ...]:
        """The groups of a crossing: each of one facet with each of the other."""
        one, other = self.facets[crossing.one], self.facets[crossing.other]
        return tuple(
            Group(f"{a.name} x {b.name}", tuple(i * other.missing + j for i in a.levels for j in b.levels))
            for a in one.groups
            for b in other.groups
        )
