"""The smallest and the largest value."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

from watchkeep.core.undefined import Undefined, Value
from watchkeep.states.codec import Fields, number


@dataclass(frozen=True, slots=True)
class Extremes:
    """The smallest and the largest finite value. `Extremes()` is the identity of merge.

    >>> Extremes(1.0, 4.0).merge(Extremes(-2.0, 3.0))
    Extremes(low=-2.0, high=4.0)
    """

    kind: ClassVar[str] = "extremes"
    version: ClassVar[int] = 1

    low: float = math.inf
    high: float = -math.inf

    def merge(self, *others: Self) -> Self:
        """All together."""
        every = (self, *others)
        return type(self)(min(each.low for each in every), max(each.high for each in every))

    @property
    def empty(self) -> bool:
        """Whether no value was seen."""
        return self.low > self.high

    def smallest(self) -> Value:
        """The smallest value."""
        return Undefined("min needs 1 finite number, has 0") if self.empty else self.low

    def largest(self) -> Value:
        """The largest value."""
        return Undefined("max needs 1 finite number, has 0") if self.empty else self.high

    def fields(self) -> Fields:
        """For the codec."""
        return {"low": self.low, "high": self.high}

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """For the codec."""
        return cls(float(number(fields, "low")), float(number(fields, "high")))
