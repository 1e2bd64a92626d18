"""What the document of a watch says, whatever it leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from watchkeep.views.decisions import Decided, promise
from watchkeep.views.values import real, text
from watchkeep.views.words import clip, number


@dataclass(frozen=True, slots=True)
class Watch:
    """The document of a watch, read; `decision` is that of its last window, None before the first."""

    baseline: str
    budget: float | None
    margin: float | None
    decision: Decided | None

    @classmethod
    def of(cls, document: Mapping[str, object]) -> Self:
        """The watch in a document."""
        budget = real(document.get("false_alarms"))
        return cls(
            baseline=text(document.get("baseline")),
            budget=budget,
            margin=real(document.get("margin")),
            decision=Decided.of(document.get("decision"), budget=budget),
        )

    @property
    def headline(self) -> str:
        """What it says, in one sentence."""
        return "It has seen no window yet." if self.decision is None else self.decision.sentence

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What it is, as names and values."""
        told = self.decision
        facts = [("Windows", told.counted)] if told is not None and told.counted else []
        facts += [("Baseline", clip(self.baseline, 40))] * bool(self.baseline)
        facts += [("Budget", promise(self.budget))] if self.budget is not None else []
        if self.margin is not None:
            facts.append(("Margin", f"{number(self.margin)} standard deviations are too little to matter"))
        return facts
