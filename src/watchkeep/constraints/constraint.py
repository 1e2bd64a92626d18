"""A limit on a measure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watchkeep.core.undefined import Undefined


class Side(StrEnum):
    """Which side of the limit is allowed."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A measure of a subject may not pass a limit.

    Args:
        check: the name of the check (`constraints.checks`).
        measure: the measure judged.
        subject: a column, or `DATASET`.
        side: which side of the limit is allowed; the limit itself is.
        limit: in the measure's unit.
        rule: the suggestion rule it comes from, or "written by hand".
        reason: why this limit, in one sentence.
        evidence: the baseline's numbers behind it; JSON values only.
        domain: the values allowed, where the measure needs them.
    """

    check: str
    measure: str
    subject: str
    side: Side
    limit: float
    rule: str = "written by hand"
    reason: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)
    domain: tuple[str, ...] | None = None

    def allows(self, value: float) -> bool:
        """Whether a value is on the allowed side."""
        return value >= self.limit if self.side is Side.AT_LEAST else value <= self.limit

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it apart from other constraints."""
        return (self.check, self.measure, self.subject, self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many rows a measure was taken over.

    Args:
        n: of the window.
        m: of the baseline.
        bins: how many shares were compared, where the measure is the largest of several gaps.
        chance: the probability of such a value when nothing changed, where a test gives it.
        error: the measure's standard error, in its unit, where it is judged by that.
    """

    n: int
    m: int
    bins: int = 1
    chance: float | Undefined | None = None
    error: float | None = None
