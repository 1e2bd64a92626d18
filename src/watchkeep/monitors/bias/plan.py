"""What a scan for bias is to count."""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

from watchkeep.frames.facets import Facet, Group
from watchkeep.frames.outcomes import Positive
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.stats.bias import Needs
from watchkeep.stats.flip_test import NEIGHBOURS

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
        probability: whether scores are probabilities, so that they can be held against labels.
        strata: the column that groups are compared within; None when there is none.
        features: the columns of numbers by which rows are alike, for the flip test; none without predictions.
        neighbours: how many of them the flip test asks.
        weight_unit: what weights are divided by, about as large as the reference rows': sums then keep their digits.
        names: all the columns of the reference data, in order: what columns without names are called by position.
        dialect: whose rules tell types apart.
    """

    roles: Roles
    facets: tuple[Facet, ...]
    label: Positive
    prediction: Positive | None = None
    probability: bool = False
    strata: Facet | None = None
    features: tuple[str, ...] = ()
    neighbours: int = NEIGHBOURS
    weight_unit: float = 1.0
    names: tuple[str, ...] = ()
    dialect: Dialect = Dialect.DEFAULT

    def tells(self, needs: Needs) -> bool:
        """Whether rows can have what a measure needs: a label, a prediction, or both."""
        labelled = needs in ("rows", "predictions") or self.roles.label is not None
        return labelled and (needs in ("rows", "labels") or self.prediction is not None)

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """All pairs of facets whose levels are not too many."""
        return tuple(
            Crossing(i, j)
            for i, j in combinations(range(len(self.facets)), 2)
            if self.facets[i].missing * self.facets[j].missing <= MOST_CROSSED
        )

    @property
    def not_crossed(self) -> tuple[tuple[str, str], ...]:
        """The pairs of facets that have too many levels together."""
        crossed = {(one.one, one.other) for one in self.crossings}
        pairs = combinations(range(len(self.facets)), 2)
        return tuple((self.subject(i), self.subject(j)) for i, j in pairs if (i, j) not in crossed)

    def subject(self, where: "int | Crossing") -> str:
        """What the rows of a facet or a crossing are counted under: "sex", "sex x age"."""
        if isinstance(where, Crossing):
            return f"{self.facets[where.one].column} x {self.facets[where.other].column}"
        return self.facets[where].column

    def groups(self, where: "int | Crossing") -> tuple[Group, ...]:
        """The groups of a facet; or of a crossing, each of one facet with each of the other."""
        if not isinstance(where, Crossing):
            return self.facets[where].groups
        one, other = self.facets[where.one], self.facets[where.other]
        return tuple(
            Group(f"{a.name} x {b.name}", tuple(i * other.missing + j for i in a.levels for j in b.levels))
            for a in one.groups
            for b in other.groups
        )

    def subjects(self, where: "int | Crossing") -> tuple[str, ...]:
        """What verdicts call the groups of a facet or a crossing: "sex=F", "sex=F, age > 40"."""
        if not isinstance(where, Crossing):
            return tuple(self.facets[where].subject(group) for group in self.facets[where].groups)
        one, other = self.subjects(where.one), self.subjects(where.other)
        return tuple(f"{a}, {b}" for a in one for b in other)

    def levels(self, where: "int | Crossing") -> int:
        """How many levels there are, that of rows without a value included, which is the last one."""
        if not isinstance(where, Crossing):
            return self.facets[where].missing + 1
        return self.facets[where.one].missing * self.facets[where.other].missing + 1

    @property
    def places(self) -> "tuple[int | Crossing, ...]":
        """All facets, then all crossings."""
        return (*range(len(self.facets)), *self.crossings)
