"""What is known of why a window differs, from any monitor: a value that adds up over monitors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from watchkeep.causes.patterns.pattern import Bug

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Effect:
    """What the mix of one feature does to the quality of answers.

    Args:
        change: of the mean loss; above 0 is worse.
        error: its standard error.
    """

    change: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What monitors noticed of one window, by subject. `Clues()` is the identity of merge.

    Args:
        drifts: the share of a column's rows that lie elsewhere, in [0, 1], see `drift.drifts`.
        named: columns that changed for sure, and how, as `Change` spells it.
        evidence: each column's share of the evidence of a change.
        bugs: data bugs that explain a column's change.
        sentences: what is wrong with a column, in words, where another monitor than the one that is told says it.
        importance: each feature's share of all attribution, in the baseline or in the window, the larger.
        effects: what the mix of each feature does to the mean loss.
        loss: what the loss is, for people.
        parts: the column that a verdict's subject is a part of: that column in a segment, or of an output.
        model: what is to be said of the model itself, where no column has moved.
        segments: the slices of the rows that carry a column's change.
    """

    drifts: Mapping[str, float] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, float] = field(default_factory=dict)
    bugs: Mapping[str, Bug] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    loss: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    segments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def merge(self, *others: Self) -> Self:
        """All together: of a column that several have compared, the first tells how it changed."""
        told = self
        for other in others:
            told = told._with(other)
        return told

    def chosen(self, columns: Iterable[str], why: str) -> Self:
        """The same where somebody chose the rows by some columns: how these changed is no sign of a data bug.

        Args:
            columns: that the rows were chosen by.
            why: what is wrong with such a column, in words.

        >>> Clues().chosen(["region"], "the rows are those where region = 'EU'").sentences
        {'region': "region: the rows are those where region = 'EU'"}
        """
        told = {name: f"{name}: {why}" for name in columns}
        bugs = {name: bug for name, bug in self.bugs.items() if name not in told}
        return replace(self, bugs=bugs, sentences={**self.sentences, **told})

    def _with(self, other: Self) -> Self:
        def unlike(more: Mapping[str, T]) -> dict[str, T]:
            return {name: value for name, value in more.items() if name not in self.drifts}

        return type(self)(
            drifts={**other.drifts, **self.drifts},
            named={**unlike(other.named), **self.named},
            evidence={**unlike(other.evidence), **self.evidence},
            bugs={**other.bugs, **self.bugs},
            sentences={**unlike(other.sentences), **self.sentences},
            importance={**other.importance, **self.importance},
            effects={**other.effects, **self.effects},
            loss=self.loss or other.loss,
            parts={**other.parts, **self.parts},
            model=self.model or other.model,
            segments={**other.segments, **self.segments},
        )
