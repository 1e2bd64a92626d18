"""How many values look like which type."""

from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, Self

from watchkeep.states.codec import Fields, whole

CLASSES = ("integral", "fractional", "boolean", "string", "other")
_COUNTS = attrgetter(*CLASSES)


@dataclass(frozen=True, slots=True)
class ValueTypes:
    """Present values by the type each one looks like. `ValueTypes()` is the identity of merge.

    Args:
        integral, fractional, boolean, string: values of that class (reference: the value classes of Deequ).
        other: values no class fits: times, lists, binary.

    >>> ValueTypes(integral=3).merge(ValueTypes(string=1)).total
    4
    """

    kind: ClassVar[str] = "types"
    version: ClassVar[int] = 1

    integral: int = 0
    fractional: int = 0
    boolean: int = 0
    string: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """All present values."""
        return self.integral + self.fractional + self.boolean + self.string + self.other

    def merge(self, *others: Self) -> Self:
        """All together."""
        return type(self)(*map(sum, zip(*map(_COUNTS, (self, *others)), strict=True)))

    def fields(self) -> Fields:
        """For the codec."""
        return {name: getattr(self, name) for name in CLASSES}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        return cls(*(whole(fields, name) for name in CLASSES))
