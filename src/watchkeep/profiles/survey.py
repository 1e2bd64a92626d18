"""A first pass over text: what type is each column? Exact, so the answer does not depend on the order of the rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import pyarrow as pa

from watchkeep.frames.batches import Batch
from watchkeep.frames.categories import read_categories
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType, column_type, is_text
from watchkeep.frames.text_values import Dialect, classify, fast_numbers
from watchkeep.frames.times import event_times
from watchkeep.states.value_types import ValueTypes

MOSTLY: Final = 0.95
"""Share of a text column's values that must look like a type for the column to be of it, in our own dialect."""


NONE: Final = ValueTypes()


@dataclass(frozen=True, slots=True)
class Looks:
    """What the values of a column look like.

    Args:
        types: present values by class; texts that spell "no value" in a column of numbers are among the strings.
        blank: those texts.
        times: values that are a time.
        lists: values that are a list of numbers.
    """

    types: ValueTypes = NONE
    blank: int = 0
    times: int = 0
    lists: int = 0

    def merge(self, other: "Looks") -> "Looks":
        """Both together."""
        return Looks(
            self.types.merge(other.types),
            self.blank + other.blank,
            self.times + other.times,
            self.lists + other.lists,
        )


NONE_SEEN: Final = Looks()


class Survey:
    """Looks at every value of every column of some batches.

    Args:
        roles: ignored columns are not looked at.
        dialect: whose rules tell types apart.
    """

    def __init__(self, roles: Roles, dialect: Dialect) -> None:
        self._roles, self._dialect = roles, dialect
        self._looks: dict[str, Looks] = {}

    def add(self, batch: Batch) -> None:
        """Look at a batch."""
        for name in batch.names:
            before = self._looks.setdefault(name, Looks())
            if self._roles.of(name) is not Role.IGNORED:
                array = batch.column(name)
                textual = name in batch.textual or (self._dialect.sagemaker and is_text(array.type))
                self._looks[name] = before.merge(_text(array, self._dialect) if textual else _typed(array))

    def merge(self, *others: Self) -> Self:
        """All together; columns in the order in which they appeared."""
        for other in others:
            for name, looks in other._looks.items():  # noqa: SLF001 (our own)
                self._looks[name] = self._looks.get(name, NONE_SEEN).merge(looks)
        return self

    def types(self) -> dict[str, ColumnType]:
        """The type of each column, in order of appearance."""
        return {
            name: decided(looks, self._roles.of(name), self._dialect) for name, looks in self._looks.items()
        }


def decided(looks: Looks, role: Role, dialect: Dialect) -> ColumnType:
    """The type of a column whose values look like that.

    SageMaker's rule: a single text makes a column text. Ours: a column nearly all of whose values are numbers is
    one of numbers, and the others are counted as not matching.
    """
    types = looks.types
    values, numbers = types.total, types.integral + types.fractional
    numeric = ColumnType.FRACTIONAL if types.fractional else ColumnType.INTEGRAL
    if not values:
        return ColumnType.UNKNOWN
    if role is Role.TIMESTAMP and not dialect.sagemaker:
        return ColumnType.TIME
    if dialect.sagemaker:
        if types.boolean == values:
            return ColumnType.BOOLEAN
        if looks.lists == values:
            return ColumnType.EMBEDDING
        return numeric if numbers == values else ColumnType.STRING
    if numbers and numbers >= MOSTLY * (values - looks.blank):
        return numeric
    for count, kind in (
        (types.boolean, ColumnType.BOOLEAN),
        (looks.times, ColumnType.TIME),
        (looks.lists, ColumnType.EMBEDDING),
    ):
        if count >= MOSTLY * values:
            return kind
    return ColumnType.STRING


def _text(array: pa.Array, dialect: Dialect) -> Looks:
    present = array.drop_null()
    if pa.types.is_dictionary(present.type):
        present = present.dictionary_decode()
    if not len(present):
        return Looks()
    fast = None if dialect.sagemaker else fast_numbers(present)
    if fast is not None:
        return Looks(ValueTypes(integral=fast[1], fractional=len(present) - fast[1]))
    read = read_categories(present)
    seen = classify(read.texts, dialect)
    integral, fractional, boolean, blank = (
        int(read.counts[mask].sum()) for mask in (seen.integral, seen.fractional, seen.boolean, seen.missing)
    )
    total = read.present
    rest = total - integral - fractional - boolean
    times = 0
    if not dialect.sagemaker and rest - blank >= MOSTLY * total:
        times = int(read.counts[event_times(read.texts, textual=False)[1]].sum())
    return Looks(ValueTypes(integral, fractional, boolean, rest), blank, times)


def _typed(array: pa.Array) -> Looks:
    present = len(array) - array.null_count
    kind = column_type(array.type)
    counts: Mapping[ColumnType, Looks] = {
        ColumnType.INTEGRAL: Looks(ValueTypes(integral=present)),
        ColumnType.FRACTIONAL: Looks(ValueTypes(fractional=present)),
        ColumnType.BOOLEAN: Looks(ValueTypes(boolean=present)),
        ColumnType.TIME: Looks(ValueTypes(other=present), times=present),
        ColumnType.EMBEDDING: Looks(ValueTypes(other=present), lists=present),
        ColumnType.UNKNOWN: Looks(),
    }
    return counts.get(kind, Looks(ValueTypes(string=present)))
