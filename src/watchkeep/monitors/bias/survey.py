"""A first look at the facets of reference data: which groups there are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.core.errors import OptionError
from watchkeep.frames.categories import row_texts
from watchkeep.frames.classes import Classes, canonical
from watchkeep.frames.facets import Facet, Group
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.outcomes import Positive
from watchkeep.states.tallies import CellTally

Doubles = npt.NDArray[np.float64]

FEW: Final = 20
"""Different numbers up to which they are groups; more are cut into bands."""
MOST: Final = 64
"""Groups of one facet."""
_SHARE: Final = 0.05  # different values to a row from which on SageMaker cuts whole numbers
_MOST_SEEN: Final = 100_000  # different values looked at: more are too many to be groups in any case


@dataclass(eq=False)
class FacetSurvey:
    """What values a facet has in the reference data.

    Args:
        column: its name.
        values: those that a user named: of its group, or where to cut it; none for each value, or quarters.
        option: what the user named it by.
        sagemaker: whether its rules tell which columns are cut: those of fractions, and of numbers of which at least
            one in twenty is different.
    """

    column: str
    values: tuple[str, ...] = ()
    option: str = "facet"
    sagemaker: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    numeric: bool = True
    rows: int = 0
    _floating: bool = False
    _numbers: CellTally = field(default_factory=CellTally)

    def add(self, array: pa.Array) -> None:
        """Look at a batch's column."""
        stored = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
        different = array.unique()  # so that each value is looked at once
        read = read_numbers(different)
        self.rows += len(array) - array.null_count
        self._floating |= pa.types.is_floating(stored)
        self.numeric &= not (read.string or read.other) and not pa.types.is_boolean(stored)
        if self.numeric and not self.values and self.option != "label":  # where quarters may be needed
            numbers = read_numbers(array).values
            self._numbers.add(np.ascontiguousarray(numbers[np.isfinite(numbers)]))
        if len(self.texts) <= _MOST_SEEN:
            for text in row_texts(different).to_pylist():
                if text is not None and text != "nan":
                    self.texts.setdefault(canonical(text), text)

    def merge(self, *others: Self) -> Self:
        """All together; values in the order in which they appeared."""
        for other in others:
            self.rows += other.rows
            self.numeric &= other.numeric
            self._floating |= other._floating  # noqa: SLF001 (our own)
            for text, first in other.texts.items():
                if len(self.texts) <= _MOST_SEEN:
                    self.texts.setdefault(text, first)
        self._numbers.merge(*(other._numbers for other in others))  # noqa: SLF001
        return self

    def facet(self, *, source: str) -> Facet:
        """The facet, as the values found and those named tell.

        A value named "=7" is that value, one named ">7" all numbers above it, whatever the column looks like.

        Args:
            source: whose values they are, for people.

        Raises:
            OptionError: no row holds a value, or the group; a cut is no number; or the groups are too many.
        """
        self._held(source)
        if self.many:
            return self._cut()
        classes = Classes.among(self.texts.values())
        if not self.values:
            self._not_too_many(len(classes))
            return Facet(self.column, classes, groups=_each(classes.names), whole=True)
        return self._listed(classes)

    @property
    def many(self) -> bool:
        """Whether its values are numbers, too many to be told apart."""
        if any(self._prefixed(value, "=") for value in self.values) or not self.numeric:
            return False
        if any(self._prefixed(value, ">") for value in self.values):
            return True
        if self.sagemaker:
            return self._floating or len(self.texts) >= _SHARE * self.rows
        return len(self.texts) > FEW

    def _prefixed(self, value: str, sign: str) -> bool:
        """Whether a value is named with a sign before it, which none of the column's values begins with."""
        return value.startswith(sign) and canonical(value) not in self.texts

    def _named_values(self) -> tuple[str, ...]:
        """The values that were named, without signs."""
        return tuple(
            value[1:].strip() if self._prefixed(value, "=") or self._prefixed(value, ">") else value
            for value in self.values
        )

    def positive(self, *, source: str) -> Positive:
        """What counts as positive: the values named, or all above the number named; of two values the later one.

        Raises:
            OptionError: it is not said and cannot be told, or no row holds a value that was named.
        """
        self._held(source)
        if self.many:
            return Positive(threshold=self._threshold())
        classes = Classes.among(self.texts.values())
        if not self.values:
            if len(classes) != 2:
                told = ", ".join(classes.names[:FEW])
                raise OptionError(
                    "positive",
                    got="nothing",
                    expected=f"the values of {self.column!r} that count; it has {told}",
                )
            return self._of(classes, classes.names[1:])
        return self._of(classes, self._known(classes, "positive", self._named_values()))

    def _of(self, classes: Classes, names: Sequence[str]) -> Positive:
        """Some classes as positive, the others as negative; any more are neither, unless these are very many."""
        if self.sagemaker or len(classes) > MOST:
            return Positive(Classes(tuple(names)))
        return Positive(
            Classes(tuple(names)), negatives=Classes(tuple(one for one in classes.names if one not in names))
        )

    def _threshold(self) -> float:
        try:
            (found,) = (float(value) for value in self._named_values())
        except ValueError:
            found = float("nan")
        if not np.isfinite(found):
            raise OptionError(
                "positive",
                got=",".join(self.values) or "nothing",
                expected=f"a number: the labels {self.column!r} above it count as positive",
            )
        return found

    def _held(self, source: str) -> None:
        if not self.texts:
            raise OptionError(
                self.option, got=self.column, expected=f"a column with values; in {source} it has none"
            )

    def _known(self, classes: Classes, option: str, values: Sequence[str]) -> tuple[str, ...]:
        codes = [classes.code(value) for value in values]
        for value, code in zip(values, codes, strict=True):
            if code < 0:
                own = option == "facet"
                raise OptionError(
                    option,
                    got=f"{self.column}={value}" if own else value,
                    expected=f"a value of column {self.column!r}",
                    choices=[f"{self.column}={name}" if own else name for name in classes.names[:MOST]],
                )
        return tuple(classes.names[code] for code in dict.fromkeys(codes))

    def _listed(self, classes: Classes) -> Facet:
        names = self._known(classes, "facet", self._named_values())
        if len(classes) <= FEW:  # so that values which are new are told from those of the others
            levels = tuple(classes.code(name) for name in names)
            return Facet(self.column, classes, groups=(Group(",".join(names), levels),), whole=True)
        return Facet(self.column, Classes(names), groups=(Group(",".join(names), tuple(range(len(names)))),))

    def _cut(self) -> Facet:
        edges = self._named() if self.values else self._quarters()
        self._not_too_many(len(edges) + 1)
        facet = Facet(self.column, edges=tuple(float(edge) for edge in edges))
        bands = facet.levels[:-1]
        groups = _each(bands)
        if len(edges) == 1 or (self.sagemaker and self.values):
            groups = (Group(f"> {edges[0]:.12g}", tuple(range(1, len(bands)))),)
        return Facet(self.column, edges=facet.edges, groups=groups)

    def _named(self) -> Doubles:
        try:
            edges = np.unique([float(value) for value in self._named_values()])
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
            advice = f"; name the values of its group, {self.column}=V,V" if self.option == "facet" else ""
            raise OptionError(
                self.option,
                got=f"{self.column} with {groups:,} groups" if groups <= _MOST_SEEN else f"{self.column}",
                expected=f"at most {MOST} of them{advice}",
            )


def _each(names: Sequence[str]) -> tuple[Group, ...]:
    return tuple(Group(name, (level,)) for level, name in enumerate(names))
