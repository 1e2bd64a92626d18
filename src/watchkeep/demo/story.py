"""The story the demo tells, from the data to the report of the worst day."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console

from watchkeep.core.errors import OptionError
from watchkeep.demo import answers, causes, flights
from watchkeep.demo.flights import LIVE, TRAIN
from watchkeep.demo.found import Day, table
from watchkeep.demo.scenario import Command, Stage, Step, Together, Work, play
from watchkeep.demo.weeks import Week

HOME: Final = Path(".watchkeep/demo")
"""Where the demo keeps its files unless told otherwise."""

BASELINE: Final = f"{causes.BASELINES}/data"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo found.

    Args:
        home: the folder with the data, the baselines and the reports.
        days: the replayed days, in order.
        worst: the day furthest outside the baseline; None when nothing was violated on any day.
        weeks: the replayed weeks, in order.
        worst_week: the week whose answers were right least often, with the segments found in it; None when no
            label came for any.
        why: what lies behind that week, and behind a break that was planted; None without one.
    """

    home: Path
    days: tuple[Day, ...]
    worst: Day | None
    weeks: tuple[Week, ...]
    worst_week: Week | None
    why: causes.Why | None


def run(home: Path, console: Console, *, days: tuple[date, date] = flights.REPLAY) -> DemoResult:
    """Train a model on January's flights, make its baselines, and check the days and weeks after it.

    The data are checked day by day; the model's answers week by week, once it is known which flights were late.
    What an earlier demo left in the folder is replaced.

    Args:
        home: the folder to work in; made if it is not there.
        console: where the story is told.
        days: the days to replay, [first, end), within `flights.REPLAY`.

    Raises:
        OptionError: `home` is a file, or `days` is no stretch of the days that can be replayed.
        MissingExtraError: the libraries of the extra `demo` are not installed.
        WatchkeepError: a command failed.
    """
    first, end = flights.REPLAY
    if not first <= days[0] < days[1] <= end:
        raise OptionError("days", got=f"{days[0]} to {days[1]}", expected=f"days between {first} and {end}")
    try:
        home.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OptionError("--home", got=str(home), expected="a folder, or a place to make one") from error
    for report in (home / "reports").glob("*/report.json"):
        shutil.rmtree(report.parent)
    stage = Stage(home, console)
    stage.tell(
        "A model foretells which of the flights that leave New York arrive late. It learned from January 2013, "
        "and is watched through February: the data day by day, its answers week by week. On the 8th and 9th a "
        "blizzard came.",
        indent=0,
    )
    stage.say(f"The commands below run in {home}", style="dim")
    replayed = tuple(days[0] + timedelta(days=number) for number in range((days[1] - days[0]).days))
    play(
        (
            *learning(),
            *answers.learning(),
            *causes.explaining(),
            *watching(replayed),
            *answers.judging(replayed),
        ),
        stage,
    )
    return _conclude(stage, replayed)


def learning() -> tuple[Step, ...]:
    """The steps before production: data, a model, and its baseline."""
    return (
        Work(title="Train a model", do=_train),
        Command(
            title="Learn what is normal",
            arguments=(
                *("baseline", "data-quality", TRAIN, "--out", BASELINE),
                *("--timestamp", "scheduled", "--id", "id", "--prediction", "prediction", "--score", "score"),
                *flights.IGNORED,
            ),
            note=(
                "A day has one weekday and one weather, never those of a month: these columns are left out.",
                "What the model makes of them, its score, is watched.",
            ),
        ),
    )


def watching(days: Sequence[date]) -> tuple[Step, ...]:
    """The steps of production: one check a day, over the day's hours in New York."""

    def check(day: date) -> Command:
        start, end = (
            flights.midnight(at).isoformat(timespec="minutes") for at in (day, day + timedelta(days=1))
        )
        report = f"reports/{day}"
        return Command(
            title="Check every day",
            arguments=("check", BASELINE, LIVE, "--start", start, "--end", end, "--out", report),
            tell=lambda home: Day.read(day, home / report).line,
        )

    return (Together(title="Check every day", commands=[check(day) for day in days]),)


def _train(home: Path) -> str:
    """Write the flights the model learned from and those it then met, each with what the model says of it."""
    known = flights.load()
    train, live = flights.between(known, flights.TRAINING), flights.between(known, flights.REPLAY)
    model = flights.Delays.learn(train)
    flights.write(flights.with_predictions(train, flights.held_out(train)), home / TRAIN)
    flights.write(flights.with_predictions(live, model.score(live)), home / LIVE)
    told = causes.learning(model, home)
    return f"{train.num_rows:,} flights to learn from: {TRAIN}; {live.num_rows:,} that came later: {LIVE}; {told}"


def _conclude(stage: Stage, replayed: Sequence[date]) -> DemoResult:
    days = tuple(Day.read(day, stage.home / "reports" / str(day)) for day in replayed)
    worst = max((day for day in days if day.violations), key=lambda day: day.severity, default=None)
    stage.head("What was found")
    stage.console.print(table(days, worst))
    stage.tell(
        "▲ changed by more than chance, and the usual difference of days, explain. Violations are limits that "
        "were broken, usual or not.",
        indent=0,
    )
    if worst is not None:
        play((Command(title="Look at the worst day", arguments=("show", f"reports/{worst.day}")),), stage)
    weeks, worst_week = answers.conclude(stage, replayed)
    why = None if worst_week is None else causes.conclude(stage, weeks, worst_week)
    stage.head("In short")
    for kind, finding in (("day", worst), ("week", worst_week)):
        if finding is not None:
            stage.tell(f"The worst {kind} was {finding.line}", indent=0)
            stage.say(f"Its report, for a browser: {finding.report / 'report.html'}")
    stage.say(f"All reports: {stage.home / 'reports'}")
    return DemoResult(stage.home, days, worst, weeks, worst_week, why)
