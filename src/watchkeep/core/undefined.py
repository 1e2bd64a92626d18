"""A number that does not exist, and why."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Undefined:
    """The value of a measure that has none: it is not 0, not NaN and not "no drift".

    Args:
        why: one clause for people: what was needed and what there was.

    >>> Undefined("mean needs 1 value, has 0").document()
    {'undefined': 'mean needs 1 value, has 0'}
    """

    why: str

    def document(self) -> dict[str, str]:
        """The form it takes in JSON documents."""
        return {"undefined": self.why}


@dataclass(frozen=True, slots=True)
class Fault(Undefined):
    """The value of a measure that could not be finished, and it is our fault: a verdict on it has failed."""


Value: TypeAlias = float | Undefined
"""What a measure gives: a finite number, or the reason why there is none."""
