"""What a document says of one column: its statistics, chart, measures, verdicts or constraints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from watchkeep.causes.ranking import chart_of
from watchkeep.views.values import mapping, objects, pairs, real, text
from watchkeep.views.words import bound, clip, count, figure, percent, why

OUTCOMES: Final = ("violated", "failed", "undecided", "kept")
"""Worst first: the order in which outcomes, and the columns that have them, are shown."""

STATISTICS: Final = ("rows", "missing", "distinct", "mean", "std", "min")
"""Statistics of a column in reading order, before its quantiles; the maximum follows them."""


_LONG: Final = 48  # characters of a name


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict of a report.

    `value` is a JSON value, for `words.figure`; `limit` is ready to be shown, and `edge` the same as a number.
    """

    check: str
    measure: str
    subject: str
    outcome: str
    value: object
    limit: str
    edge: float | None
    sentence: str
    evidence: tuple[tuple[str, str], ...]
    severity: float

    @classmethod
    def of(cls, verdict: Mapping[str, object]) -> Self:
        """The verdict of a document."""
        subject = text(verdict.get("subject"), "dataset")
        return cls(
            check=text(verdict.get("check")),
            measure=text(verdict.get("measure")),
            subject=subject,
            outcome=text(verdict.get("outcome"), "undecided"),
            value=verdict.get("value"),
            limit=bound(verdict.get("limit"), verdict.get("side")),
            edge=real(verdict.get("limit")),
            sentence=brief(text(verdict.get("sentence")), subject),
            evidence=pairs(verdict.get("evidence")),
            severity=real(verdict.get("severity")) or 0.0,
        )

    @property
    def reason(self) -> str:
        """Why there is no answer, for verdicts that have none."""
        return why(self.value) or self.sentence.removeprefix(f"{self.subject}: ") or "no reason given"


def brief(sentence: str, subject: str) -> str:
    """A sentence in which an overlong subject is cut, so that what is said of it is not.

    >>> brief("x" * 100 + " is missing", "x" * 100) == "x" * 47 + "… is missing"
    True
    """
    return sentence if len(subject) <= _LONG else sentence.replace(subject, clip(subject, _LONG))


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint of a baseline: what it says, and what it rests on."""

    check: str
    measure: str
    limit: object
    side: str
    sentence: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table of two sides: a name, the baseline's value and the window's."""

    name: str
    baseline: object
    window: object


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report or baseline, with all that is said of it.

    Args:
        lines: its statistics.
        verdicts: worst first.
        measures: name and JSON value.
        constraints: of a baseline's column; empty in a report.
    """

    name: str
    role: str
    type: str
    outcome: str
    severity: float
    lines: tuple[Line, ...]
    chart: Mapping[str, object]
    verdicts: tuple[Judged, ...] = ()
    measures: tuple[tuple[str, object], ...] = ()
    constraints: tuple[Rule, ...] = ()

    @property
    def anchor(self) -> str:
        """What its card is called on a page."""
        return chart_of(self.name)[1:]

    @property
    def blanks(self) -> list[tuple[str, list[str]]]:
        """Why some numbers are missing: each reason once, with the names it holds for."""
        found: dict[str, list[str]] = {}
        for line in self.lines:
            for side, value in (("baseline", line.baseline), ("window", line.window)):
                reason = why(value)
                if reason is not None:
                    found.setdefault(reason, []).append(f"{line.name} ({side})")
        for name, value in self.measures:
            reason = why(value)
            if reason is not None:
                found.setdefault(reason, []).append(name)
        return list(found.items())


def rules(value: object) -> tuple[Rule, ...]:
    """The constraints in a list of a baseline document."""
    return tuple(
        Rule(
            check=text(rule.get("check")),
            measure=text(rule.get("measure")),
            limit=rule.get("limit"),
            side=text(rule.get("side")),
            sentence=text(rule.get("sentence")),
            details=tuple(
                figure(part)
                for part in (rule.get("measure"), rule.get("limit"), rule.get("rule"), rule.get("reason"))
                if part is not None
            ),
        )
        for rule in objects(value)
    )


def rank(outcome: str) -> int:
    """Where an outcome stands: 0 is the worst; unknown ones come last."""
    return OUTCOMES.index(outcome) if outcome in OUTCOMES else len(OUTCOMES)


def column_of(
    column: Mapping[str, object], verdicts: Sequence[Judged], measures: Mapping[str, object]
) -> Column:
    """The column of a document, with the verdicts and measures that are about it."""
    worst = verdicts[0].outcome if verdicts else "kept"
    return Column(
        name=text(column.get("name")),
        role=text(column.get("role")),
        type=text(column.get("type")),
        outcome=text(column.get("outcome"), worst),
        severity=max((verdict.severity for verdict in verdicts), default=0.0),
        lines=_lines(mapping(column.get("baseline")), mapping(column.get("window"))),
        chart=mapping(column.get("chart")),
        verdicts=tuple(verdicts),
        measures=tuple(measures.items()),
        constraints=rules(column.get("constraints")),
    )


def _lines(baseline: Mapping[str, object], window: Mapping[str, object]) -> tuple[Line, ...]:
    lines = [Line(name, _statistic(baseline, name), _statistic(window, name)) for name in STATISTICS]
    left, right = mapping(baseline.get("quantiles")), mapping(window.get("quantiles"))
    levels = [level for level in {**left, **right} if _level(level) is not None]
    lines += [
        Line(_quantile(level), left.get(level), right.get(level))
        for level in sorted(levels, key=lambda level: _level(level) or 0.0)
    ]
    lines.append(Line("max", baseline.get("max"), window.get("max")))
    return tuple(line for line in lines if line.baseline is not None or line.window is not None)


def _statistic(side: Mapping[str, object], name: str) -> object:
    """A statistic as it stands; of missing values, also which share of the rows they are."""
    value = side.get(name)
    rows, missing = real(side.get("rows")), real(value)
    if name != "missing" or not missing or not rows:
        return value
    return f"{count(missing)} ({percent(missing / rows)})"


def _level(text: str) -> float | None:
    try:
        level = float(text)
    except ValueError:
        return None
    return level if 0 <= level <= 1 else None


def _quantile(level: str) -> str:
    return "median" if _level(level) == 0.5 else f"p{100 * float(level):.4g}"
