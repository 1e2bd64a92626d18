"""A first look at the facets of reference data: which groups there are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import OptionError
from watchkeep.frames.categories import row_texts
from watchkeep.frames.classes import Classes, canonical
from watchkeep.frames.facets import Facet, Group
from watchkeep.frames.numbers import read_numbers
from watchkeep.states.tallies import CellTally

Doubles = npt.NDArray[np.float64]

FEW: Final = 20
"""Different numbers up to which they are groups; more are cut into bands."""
MOST: Final = 64
"""Groups of one facet."""
_MOST_SEEN: Final = 100_000  # different values looked at: more are too many to be groups in any case


@dataclass(eq=False)
class FacetSurvey:
    """What values a facet has in the reference data.

    Args:
        column: its name.
        values: those that a user named: of its group, or where to cut it; none for each value, or quarters.
    """

    column: str
    values: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    numeric: bool = True
    _numbers: CellTally = field(default_factory=CellTally)

    def add(self, array: pa.Array) -> None:
        """Look at a batch's column."""
        stored = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
        read = read_numbers(array)
        self.numeric &= not (read.string or read.other) and not pa.types.is_boolean(stored)
        if self.numeric:
            self._numbers.add(np.ascontiguousarray(read.values[np.isfinite(read.values)]))
        if len(self.texts) <= _MOST_SEEN:
            for text in pc.unique(row_texts(array)).to_pylist():
                if text is not None and text != "nan":
                    self.texts.setdefault(canonical(text), text)

    def facet(self, *, source: str) -> Facet:
        """The facet, as the values found and those named tell.

        Raises:
            OptionError: no row holds a value, or the group; a cut is no number; or the groups are too many.
        """
        if not self.texts:
            raise OptionError(
                "facet", got=self.column, expected=f"a column with values; in {source} it has none"
            )
        if self.numeric and len(self.texts) > FEW:
            return self._cut()
        classes = Classes.among(self.texts.values())
        if not self.values:
            self._not_too_many(len(classes))
            return Facet(self.column, classes, groups=_each(classes.names))
        return self._listed(classes)

    def _listed(self, classes: Classes) -> Facet:
        codes = [classes.code(value) for value in self.values]
        strange = [value for value, code in zip(self.values, codes, strict=True) if code < 0]
        if strange:
            raise OptionError(
                "facet",
                got=f"{self.column}={strange[0]}",
                expected=f"a value of column {self.column!r}",
                choices=[f"{self.column}={name}" for name in classes.names[:MOST]],
            )
        names = tuple(classes.names[code] for code in dict.fromkeys(codes))
        return Facet(self.column, Classes(names), groups=(Group(",".join(names), tuple(range(len(names)))),))

    def _cut(self) -> Facet:
        edges = self._named() if self.values else self._quarters()
        self._not_too_many(len(edges) + 1)
        facet = Facet(self.column, edges=tuple(float(edge) for edge in edges))
        bands = facet.levels[:-1]
        groups = (Group(bands[-1], (1,)),) if len(edges) == 1 else _each(bands)
        return Facet(self.column, edges=facet.edges, groups=groups)

    def _named(self) -> Doubles:
        try:
            edges = np.unique([float(value) for value in self.values])
        except ValueError:
            edges = np.array([np.nan])
        if not np.isfinite(edges).all():
            got = f"{self.column}={','.join(self.values)}"
            raise OptionError(
                "facet", got=got, expected=f"numbers to cut {self.column!r} at, which has many of them"
            )
        return edges

    def _quarters(self) -> Doubles:
        cells = self._numbers.cells()
        places = np.searchsorted(np.cumsum(cells.counts), np.array([0.25, 0.5, 0.75]) * cells.total)
        return np.unique(cells.lows()[places])

    def _not_too_many(self, groups: int) -> None:
        if groups > MOST:
            raise OptionError(
                "facet",
                got=f"{self.column} with {groups:,} groups" if groups <= _MOST_SEEN else f"{self.column}",
                expected=f"at most {MOST} of them; name the values of its group, {self.column}=V,V",
            )


def _each(names: Sequence[str]) -> tuple[Group, ...]:
    return tuple(Group(name, (level,)) for level, name in enumerate(names))
