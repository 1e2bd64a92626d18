"""What the reports of the replayed weeks say of the model's answers: as estimated, and as they came true."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from rich.table import Table
from rich.text import Text

from watchkeep.alarms.decision import Outcome
from watchkeep.demo.found import answer_of, mark

TOLD: Final = MappingProxyType({"accuracy": "accuracy", "auc": "ROC AUC"})
"""The measures the story tells, and how it calls them."""

UNKNOWN: Final = "unknown"
"""What stands for a number that nobody can know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measure of a week's answers.

    Args:
        measure: its name in `report.json`.
        value: as estimated without a label; None where it cannot be.
        low: the end below of the band of the estimate.
        high: the end above.
        realised: as the labels say, once they have come.
    """

    measure: str
    value: float | None
    low: float | None
    high: float | None
    realised: float | None

    @classmethod
    def read(cls, told: dict[str, Any]) -> Self:
        """Read one of the estimates of `report.json`."""
        value = told["value"]
        return cls(
            measure=told["measure"],
            value=None if isinstance(value, dict) else value,  # undefined, and why
            low=told["low"],
            high=told["high"],
            realised=told["realised"],
        )

    @property
    def outside(self) -> bool:
        """Whether labels say what the band excludes.

        >>> Estimate(measure="auc", value=0.67, low=0.65, high=0.69, realised=0.57).outside
        True
        """
        if self.low is None or self.high is None or self.realised is None:
            return False
        return not self.low <= self.realised <= self.high

    @property
    def band(self) -> str:
        """The band for people."""
        return UNKNOWN if self.low is None or self.high is None else f"{self.low:.3f} to {self.high:.3f}"

    @property
    def line(self) -> str:
        """The estimate beside what came true, in words.

        >>> Estimate(measure="auc", value=0.67, low=0.65, high=0.69, realised=0.57).line
        'ROC AUC estimated 0.670 (0.650 to 0.690), was 0.570'
        """
        told = f"{TOLD[self.measure]} estimated {number(self.value)} ({self.band})"
        return f"{told}, was {number(self.realised)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A replayed week, and how good the model's answers in it were.

    Args:
        first: its first day in New York.
        last: its last day.
        report: the folder of its report.
        answer: for the week as a whole (`changed`, `not changed`, ...); empty if the run came to none.
        flights: answers analysed.
        unlabelled: those of them that have no label.
        measures: those of `TOLD` that can be estimated, in that order.
        segments: the accuracy of those given by a rule, by name; None where it is unknown.
        found: the sentences of those that a search found; empty without a search.
        rose: whether answers got worse in one of the found segments, and more so than elsewhere.
    """

    first: date
    last: date
    report: Path
    answer: str
    flights: int
    unlabelled: int
    measures: tuple[Estimate, ...]
    segments: tuple[tuple[str, float | None], ...] = ()
    found: tuple[str, ...] = ()
    rose: bool = False

    @classmethod
    def read(cls, days: Sequence[date], report: Path) -> Self:
        """Read the report that `watchkeep check --out` wrote into a folder."""
        document = json.loads((report / "report.json").read_text(encoding="utf-8"))
        quality = document["quality"]
        estimates = {told["measure"]: told for told in quality.get("estimates", {}).get("measures", ())}
        found = quality.get("found", ())
        return cls(
            first=days[0],
            last=days[-1],
            report=report,
            answer=answer_of(document),
            flights=document["rows"]["analysed"],
            unlabelled=quality["unlabelled"],
            measures=tuple(Estimate.read(estimates[name]) for name in TOLD if name in estimates),
            segments=tuple((given["name"], _accuracy(given["measures"])) for given in quality["segments"]),
            found=tuple(segment["sentence"] for segment in found),
            rose=any(segment["kind"] == "risen" for segment in found),
        )

    @property
    def name(self) -> str:
        """The week for people: its first day and its last."""
        first, last = (f"{day.day} {day:%b}" for day in (self.first, self.last))
        if first == last:
            return first
        return f"{self.first.day if self.first.month == self.last.month else first} to {last}"

    @property
    def line(self) -> str:
        """The week as a line of text."""
        answer = f", {self.answer}" * (self.answer == Outcome.CHANGED)
        told = "; ".join(one.line for one in self.measures) or "nothing can be estimated"
        return f"{self.name}: {self.flights:,} flights, {self.unlabelled:,} without a label{answer}: {told}"

    @property
    def accuracy(self) -> float | None:
        """The share of right answers among those with a label; None without one."""
        return next((one.realised for one in self.measures if one.measure == "accuracy"), None)


def number(value: float | None) -> str:
    """A measure for people.

    >>> number(0.56789), number(None)
    ('0.568', 'unknown')
    """
    return UNKNOWN if value is None else f"{value:.3f}"


def worst_of(weeks: Sequence[Week]) -> Week | None:
    """The week whose answers were right least often; None when no label came for any."""
    known = [(week.accuracy, at) for at, week in enumerate(weeks) if week.accuracy is not None]
    return weeks[min(known)[1]] if known else None


def table(weeks: Sequence[Week], worst: Week | None) -> Table:
    """The weeks, each with a row for every measure; the worst in bold."""
    drawn = Table(box=None, pad_edge=False, header_style="dim")
    drawn.add_column("week", no_wrap=True)
    drawn.add_column("no label", justify="right", no_wrap=True)
    drawn.add_column("measure", no_wrap=True)
    drawn.add_column("estimated", no_wrap=True)
    drawn.add_column("band", no_wrap=True)
    drawn.add_column("was", no_wrap=True)
    drawn.add_column("answer")
    for week in weeks:
        rows = [_cells(one) for one in week.measures] or [("", UNKNOWN, UNKNOWN, UNKNOWN)]
        for at, cells in enumerate(rows):
            first = (week.name, f"{week.unlabelled:,}") if not at else ("", "")
            last = mark(week.answer) if not at else ""
            drawn.add_row(*map(Text, (*first, *cells, last)), style="bold" if week is worst else "")
    return drawn


def _accuracy(measures: Sequence[dict[str, Any]]) -> float | None:
    value = next((one["value"] for one in measures if one["measure"] == "accuracy"), None)
    return None if isinstance(value, dict) else value


def _cells(one: Estimate) -> tuple[str, ...]:
    return (
        TOLD[one.measure],
        number(one.value),
        one.band,
        f"{'▼' if one.outside else ' '} {number(one.realised)}",
    )
