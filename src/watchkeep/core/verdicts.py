"""How a constraint answers: four outcomes, each with a sentence and its evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watchkeep.core.undefined import Value

DATASET = "dataset"
"""The subject of a verdict about all the rows rather than one column."""


class Outcome(StrEnum):
    """What became of one constraint."""

    KEPT = "kept"  # measured, and inside
    VIOLATED = "violated"  # measured, and outside
    UNDECIDED = "undecided"  # not measurable yet: too few rows, no ground truth
    FAILED = "failed"  # our own fault


class Status(StrEnum):
    """What became of a run."""

    COMPLETED = "Completed"
    COMPLETED_WITH_VIOLATIONS = "CompletedWithViolations"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One constraint's answer about one subject.

    Args:
        check: the name of the check, as violation files spell it (`completeness_check`).
        measure: the measure judged.
        subject: a column, or `DATASET`.
        outcome: the answer.
        value: the measure's value.
        limit: the number it was held against; None where the limit is no number.
        side: which side of the limit is allowed, "at_least" or "at_most".
        sentence: the answer in words, for people and for parsers of violation files.
        evidence: numbers and words that let a reader judge for themselves; JSON values only.
        severity: how far outside, for ranking; 0 unless violated; unitless, larger is worse.
    """

    check: str
    measure: str
    subject: str
    outcome: Outcome
    value: Value
    limit: float | None
    sentence: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    severity: float = 0.0
    side: str | None = None
