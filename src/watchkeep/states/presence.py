"""Rows seen, and how many of them held a value."""

from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar, Self

from watchkeep.states.codec import Fields, whole

_COUNTS = attrgetter("rows", "present", "nan", "infinite")


@dataclass(frozen=True, slots=True)
class Presence:
    """Rows of a column, and how many of them held a value. `Presence()` is the identity of merge.

    Args:
        rows: rows scanned, >= 0. `rows - present` values are missing.
        present: rows that hold a value, of whatever type. Null, NaN and (in text) an empty field are no value.
        nan: missing values that were stored as NaN.
        infinite: present values that are infinite; they count in bins and extremes, not in moments.

    >>> Presence(4, 3).merge(Presence(6, 6)).present
    9
    """

    kind: ClassVar[str] = "presence"
    version: ClassVar[int] = 1

    rows: int = 0
    present: int = 0
    nan: int = 0
    infinite: int = 0

    @property
    def missing(self) -> int:
        """Rows that hold no value."""
        return self.rows - self.present

    def merge(self, *others: Self) -> Self:
        """All together."""
        return type(self)(*map(sum, zip(*map(_COUNTS, (self, *others)), strict=True)))

    def fields(self) -> Fields:
        """For the codec."""
        return {"rows": self.rows, "present": self.present, "nan": self.nan, "infinite": self.infinite}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        return cls(*(whole(fields, name) for name in ("rows", "present", "nan", "infinite")))
