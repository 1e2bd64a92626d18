"""What Watchkeep has to reach, judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.alarms.cells import SIZES
from bench.alarms.data import SERIES, TABLES
from bench.alarms.measure import Naming, Rate
from bench.alarms.summary import Summary

WATCH: Final = "watchkeep"
POWER: Final = {"adult": 0.62, "housing": 0.72, "employment": 0.70}
DELAY: Final = {"adult": 4.5, "housing": 3.2, "employment": 3.2}
RATE: Final = 1.5
EXCHANGED: Final = 2.0
SHUFFLED: Final = 0.65
FIRST: Final = 0.90
PRECISION: Final = 0.85


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure and its limit.

    Args:
        figure: what is judged.
        must: the limit.
        most: whether it is the most that is allowed; otherwise it is the least.
        measured: None when it was not.
        detail: what the figure rests on.
    """

    figure: str
    must: float
    most: bool
    measured: float | None
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it is reached; None when not measured."""
        if self.measured is None:
            return None
        return self.measured <= self.must if self.most else self.measured >= self.must


def goals(summary: Summary) -> list[Goal]:
    """All of them, in the page's order."""
    quiet = [
        _rate(summary, "unchanged", table, rows, f"{table}, {rows:,} rows", RATE)
        for table in TABLES
        for rows in SIZES
    ]
    days = [_rate(summary, "exchanged", series, 0, f"{series}, exchanged", EXCHANGED) for series in SERIES]
    return [*quiet, *days, *_power(summary), *_shuffled(summary), *_named(summary)]


def missed(judged: Sequence[Goal]) -> list[str]:
    """The figures of goals that were measured and not reached."""
    return [goal.figure for goal in judged if goal.met is False]


def _rate(summary: Summary, part: str, table: str, rows: int, where: str, must: float) -> Goal:
    calm = summary.quiet(part, table, rows, WATCH)
    figure = f"false alarms per 1,000, upper bound: {where}"
    if calm is None:
        return Goal(figure, must, True, None)
    detail = f"{calm.rate.count} in {calm.rate.of:,} windows"
    if Rate(0, calm.rate.of).upper > must >= calm.rate.interval[0]:
        return Goal(figure, must, True, None, f"{detail}: too few to tell")
    return Goal(figure, must, True, calm.rate.upper, detail)


def _power(summary: Summary) -> list[Goal]:
    out = []
    for table in TABLES:
        seen = summary.power(table, 1_000, WATCH)
        found = None if seen is None else seen.matched
        detail = "" if found is None else f"{found.streams:,} streams"
        power, delay = (None, None) if found is None else (found.at_once, found.delay)
        out.append(Goal(f"power in the first changed window: {table}", POWER[table], False, power, detail))
        out.append(Goal(f"mean delay in windows: {table}", DELAY[table], True, delay, detail))
    return out


def _shuffled(summary: Summary) -> list[Goal]:
    found = [
        seen.matched
        for table in TABLES
        if (seen := summary.power(table, 1_000, WATCH, "shuffled", 1.0)) and seen.matched
    ]
    streams = sum(each.streams for each in found)
    power = sum(each.at_once * each.streams for each in found) / streams if found else None
    return [Goal("power, all rows of a column shuffled", SHUFFLED, False, power, _many(streams, "streams"))]


def _named(summary: Summary) -> list[Goal]:
    found: list[Naming] = [
        seen.default_names
        for table in TABLES
        if (seen := summary.power(table, 1_000, WATCH)) and seen.default_names
    ]
    alarms = sum(each.alarms for each in found)
    first = sum(each.first * each.alarms for each in found) / alarms if found else None
    # Names are counted by alarm here: tables with many names do not drown the others.
    precision = sum(each.precision * each.alarms for each in found) / alarms if found else None
    detail = _many(alarms, "alarms")
    return [
        Goal("first name is right", FIRST, False, first, detail),
        Goal("names that are right", PRECISION, False, precision, detail),
    ]


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number else ""
