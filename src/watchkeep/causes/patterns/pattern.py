"""The names of data bugs, and what is told of one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Pattern(StrEnum):
    """A way in which data go wrong, by the name that people read."""

    UNIT = "unit change"
    SIGN = "sign flipped"
    OFFSET = "constant offset"
    TRANSFORM = "values transformed"
    NOISE = "noise added"
    ROUNDED = "decimals cut"
    CLIPPED = "values clipped"
    NULL_CODE = "new null code"
    STUCK = "stuck at one value"
    REPEATED = "one value repeated"
    MISSING = "values gone missing"
    TYPE = "type changed"
    SWAPPED = "columns swapped"
    SPELLING = "spelling changed"
    AFFIX = "prefix or suffix changed"
    TRUNCATED = "texts cut short"
    RECODED = "categories recoded"
    MERGED = "categories merged"


@dataclass(frozen=True, slots=True)
class Bug:
    """A data bug that explains how a column's window differs from its baseline.

    Args:
        pattern: what kind of bug it is.
        sentence: one plain sentence: the column, what was seen, and the likely cause.
        share: of the window's rows it explains, in (0, 1].
        fit: how well it explains the window, in [0, 1]: 1 - a / b, where b is the distance of the window from the
            baseline and a its distance from what the baseline's rows would be with the bug. Distances are of
            Kolmogorov and Smirnov for numbers, and of total variation for categories. A bug that hides values
            (values missing or of another type, a column that is stuck) has the share of them as its b, if larger.
        other: the other column, of swapped ones.

    >>> str(Bug(Pattern.UNIT, "wait: values are 60 times as large as in the baseline", 1.0, 0.98).pattern)
    'unit change'
    """

    pattern: Pattern
    sentence: str
    share: float
    fit: float
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A bug that may be the explanation, and what speaks against it beforehand.

    Args:
        bug: the bug.
        cost: what its fit must be better by than that of a plain explanation, >= 0.
    """

    bug: Bug
    cost: float = 0.0

    @property
    def worth(self) -> float:
        """What explanations are ranked by."""
        return self.bug.fit - self.cost


MOST_FIT: Final = 1.0
"""The fit of a bug that leaves nothing to explain."""


def fit_of(before: float, after: float) -> float:
    """How much of a distance is gone, in [0, 1]; 0 when there was none.

    >>> fit_of(0.8, 0.2), fit_of(0.0, 0.0), fit_of(0.1, 0.3)
    (0.75, 0.0, 0.0)
    """
    return min(MOST_FIT, max(0.0, 1 - after / before)) if before > 0 else 0.0
