"""The part of the story that is about the model's answers: how good they were, and what is known of that when."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from watchkeep.demo import flights
from watchkeep.demo.scenario import ITEM, Command, Stage, Step, Together, Work, play
from watchkeep.demo.weeks import Week, number, table, worst_of

ANSWERS: Final = "answers.parquet"
LABELS: Final = "labels.parquet"
BASELINE: Final = "baselines/quality"
ROLES: Final = (
    *("--label", "outcome", "--positive", flights.LATE, "--prediction", "prediction", "--score", "score"),
    *("--id", "id", "--timestamp", "scheduled"),
)
COLUMNS: Final = ("id", "scheduled", *flights.FEATURES, "prediction", "score")
"""What is known of a flight before it leaves, and what the model says of it."""

SEGMENTS: Final = ("from JFK: origin = 'JFK'", "ExpressJet: carrier = 'EV'")
"""Flights whose answers are measured apart."""

DAYS: Final = 7
_JUDGING: Final = "Check every week, once it is known which flights were late"


def learning() -> tuple[Step, ...]:
    """The steps before production: answers and what came true, and their baseline."""
    title = "Learn how good the answers are"
    return (
        Work(title=title, do=_answers),
        Command(
            title=title,
            arguments=(
                *("baseline", "model-quality", ANSWERS, "--out", BASELINE, *ROLES),
                *(word for rule in SEGMENTS for word in ("--segment", rule)),
                *flights.IGNORED,
            ),
        ),
    )


def judging(days: Sequence[date]) -> tuple[Step, ...]:
    """The steps once labels have come: one check a week."""

    def check(week: Sequence[date]) -> Command:
        return Command(
            title=_JUDGING,
            arguments=_check(week),
            tell=lambda home: _read(home, week).line,
        )

    weeks = Together(title=_JUDGING, commands=list(map(check, _weeks(days))))
    return (Work(title=_JUDGING, do=lambda home: _labels(home, days)), weeks)


def conclude(stage: Stage, days: Sequence[date]) -> tuple[tuple[Week, ...], Week | None]:
    """Tell the weeks, and search the worst for segments.

    Returns:
        The weeks in order, and the one whose answers were right least often; None when no label came for any.
    """
    found = tuple(_read(stage.home, week) for week in _weeks(days))
    worst = worst_of(found)
    stage.head("Was the model still right?")
    stage.console.print(table(found, worst))
    stage.tell(
        "▲ answers changed by more than chance explains. ▼ outside the band: an estimate knows the flights and "
        "their scores but no label, so it cannot see that the same scores have come to mean something else "
        "(concept drift). Both allow for it that the flights of one day are late together.",
        indent=0,
    )
    if worst is not None:
        week = next(week for week in _weeks(days) if week[0] == worst.first)
        search = Command(
            title="Where the worst week fails",
            arguments=_check(week, "--find-segments"),
            tell=lambda home: where(_read(home, week)),
        )
        play((search,), stage)
        worst = _read(stage.home, week)
    return found, worst


def _weeks(days: Sequence[date]) -> list[Sequence[date]]:
    """The days by week; the last may be shorter."""
    return [days[at : at + DAYS] for at in range(0, len(days), DAYS)]


def _name(week: Sequence[date]) -> str:
    return f"week-{week[0]}"


def _check(week: Sequence[date], *more: str) -> tuple[str, ...]:
    name = _name(week)
    command = ("check", BASELINE, f"{name}.parquet", "--labels", LABELS, "--id", "id")
    return (*command, *more, "--out", f"reports/{name}")


def _read(home: Path, week: Sequence[date]) -> Week:
    return Week.read(week, home / "reports" / _name(week))


def where(week: Week) -> str:
    """The segments: those given by a rule, and each that was found on a line."""
    given = "; ".join(f"{name} {number(accuracy)}" for name, accuracy in week.segments)
    lines = [f"Accuracy: all flights {number(week.accuracy)}; {given}"]
    if not week.found:
        lines.append("The search found no other segment whose answers are worse than chance explains.")
    elif not week.rose:
        lines.append(
            "The search found no segment in which wrong answers rose more than elsewhere. They abound in these:"
        )
    return "\n".join((*lines, *(f"{ITEM}{sentence}" for sentence in week.found)))


def _answers(home: Path) -> str:
    """Write what models that had not seen a flight's day said of the flight, beside what came true."""
    known = flights.with_outcome(pq.read_table(home / flights.TRAIN)).select([*COLUMNS, "outcome"])
    flights.write(known, home / ANSWERS)
    return (
        f"{ANSWERS}: January again, scored by models that had not seen the day, beside what came true. "
        f"{known['outcome'].null_count:,} of {known.num_rows:,} flights were cancelled or diverted: with no delay "
        "on arrival they have no label."
    )


def _labels(home: Path, days: Sequence[date]) -> str:
    """Write what the model said week by week, and apart from it what came true."""
    live = flights.with_outcome(pq.read_table(home / flights.LIVE))
    live = flights.between(live, (days[0], days[-1] + timedelta(days=1)))
    for week in _weeks(days):
        served = flights.between(live, (week[0], week[-1] + timedelta(days=1)))
        flights.write(served.select(COLUMNS), home / f"{_name(week)}.parquet")
    arrived = live.filter(live["outcome"].is_valid()).select(["id", "outcome"])
    flights.write(arrived, home / LABELS)
    return (
        f"{LABELS}: whether each of {arrived.num_rows:,} flights was late. The other "
        f"{live.num_rows - arrived.num_rows:,} were cancelled or diverted, and never get a label."
    )
