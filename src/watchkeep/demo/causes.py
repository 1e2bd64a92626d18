"""The part of the story that asks why: what lies behind the worst week, and a unit error found by its name."""

import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from watchkeep.demo import answers, flights
from watchkeep.demo.scenario import ITEM, Command, Stage, Step, Work, play
from watchkeep.demo.weeks import Week

BASELINES: Final = "baselines"
"""The folder of the model's baselines, which are checked together."""
MODEL: Final = "delays.py"
INCHES: Final = "inches.parquet"
FOREIGN: Final = "EWR"
"""The airport whose pressure of the air is sent in inches of mercury in the story."""
MILLIBARS_AN_INCH: Final = 33.8639
_MOST: Final = 3
_LEAST: Final = 0.005
_CODE: Final = '''"""The model, as a function of flights."""

import pickle
from pathlib import Path

DELAYS = pickle.loads((Path(__file__).parent / "delays.pkl").read_bytes())


def late(rows):
    """The chance that each flight arrives late; rows are an Arrow table."""
    return DELAYS.score(rows)


late.takes = "arrow"
'''


def learning(model: flights.Delays, home: Path) -> str:
    """Write the model as a user has it: a file of Python that answers for flights."""
    (home / "delays.pkl").write_bytes(pickle.dumps(model))
    (home / MODEL).write_text(_CODE, encoding="utf-8")
    return f"{MODEL}: the model, a function of flights"


def explaining() -> tuple[Step, ...]:
    """The step before production: which features the model's answers rest on."""
    return (
        Command(
            title="Learn what the answers rest on",
            arguments=(
                *("baseline", "attribution", answers.ANSWERS, "--out", f"{BASELINES}/why"),
                *("--model", f"{MODEL}:late", "--label", "outcome", "--prediction", "prediction"),
                *("--score", "score", "--id", "id", "--timestamp", "scheduled"),
            ),
            tell=rests,
        ),
    )


@dataclass(frozen=True, slots=True)
class Why:
    """What was found behind the worst week, and behind the break that was planted.

    Args:
        causes: of the worst week, the first to look at first: its subject, and the data bug it looks like if any.
        planted: the same of the week that was broken.
    """

    causes: tuple[tuple[str, str | None], ...]
    planted: tuple[tuple[str, str | None], ...]


def conclude(stage: Stage, weeks: Sequence[Week], worst: Week) -> Why:
    """Tell what lies behind the worst week; then break the quietest one and find the break."""
    quiet = max(weeks, key=lambda week: week.accuracy or 0.0)
    play((_why(worst), *_broken(quiet)), stage)
    found = (
        tuple((one["subject"], one["pattern"]) for one in causes_of(stage.home / "reports" / name))
        for name in ("why", "inches")
    )
    return Why(*found)


def rests(home: Path) -> str:
    """What the answers rest on most, by the baseline."""
    analysis = json.loads((home / BASELINES / "why" / "analysis.json").read_text(encoding="utf-8"))
    (told,) = analysis["explanations"]["kernel_shap"].values()
    shares = told["global_shap_values"]
    whole = sum(shares.values())
    ranked = sorted(shares, key=lambda name: -shares[name])[:_MOST]
    return "Most on " + ", ".join(f"{name} ({shares[name] / whole:.0%})" for name in ranked)


def causes_of(report: Path) -> list[dict[str, Any]]:
    """The causes of a report, the first to look at first."""
    causes: list[dict[str, Any]] = json.loads((report / "report.json").read_text(encoding="utf-8"))["causes"]
    return causes


def told(report: Path) -> str:
    """The first causes of a report, an item each."""
    found = causes_of(report)
    if not found:
        return "Nothing lies behind it: nothing changed for sure."
    lines = [f"{ITEM}{_named(one)}{one['sentence']}" for one in found[:_MOST]]
    more = len(found) - _MOST
    return "\n".join([*lines, f"and {more} more in {report.name}/report.html"] if more > 0 else lines)


def _named(cause: dict[str, Any]) -> str:
    known = isinstance(cause["share"], float) and cause["share"] >= _LEAST
    share = f"{cause['share']:.0%} " if known else ""
    return f"{share}{cause['pattern'] + ': ' if cause['pattern'] else ''}"


def _why(worst: Week) -> Command:
    start, end = (flights.midnight(day).isoformat(timespec="minutes") for day in _days(worst))
    return Command(
        title="Why? All monitors of the model together",
        arguments=(
            *("check", BASELINES, flights.LIVE, "--start", start, "--end", end, "--labels", answers.LABELS),
            *("--id", "id", "--model", f"{MODEL}:late", "--out", "reports/why"),
        ),
        note=(f"The worst week, {worst.name}: what moved, times how much the answers rest on it.",),
        tell=lambda home: told(home / "reports" / "why"),
    )


def _broken(quiet: Week) -> tuple[Step, ...]:
    def write(home: Path) -> str:
        first, end = _days(quiet)
        rows = flights.between(pq.read_table(home / flights.LIVE), (first, end))
        flights.write(in_inches(rows), home / INCHES)
        return (
            f"{INCHES}: a good week, {quiet.name}, as if {FOREIGN} had begun to send the air's pressure in inches. "
            f"{rows.num_rows:,} flights; the model is not told, and answers."
        )

    title = "A unit error, planted"
    check = Command(
        title=title,
        arguments=(*("check", BASELINES, INCHES, "--model", f"{MODEL}:late", "--out", "reports/inches"),),
        tell=lambda home: told(home / "reports" / "inches"),
    )
    return Work(title=title, do=write), check


def in_inches(rows: pa.Table) -> pa.Table:
    """Flights of which one airport's have their pressure in inches of mercury."""
    pressure, foreign = rows["pressure"], pc.equal(rows["origin"], FOREIGN)
    wrong = pc.if_else(foreign, pc.divide(pressure, MILLIBARS_AN_INCH), pressure)
    return rows.set_column(rows.column_names.index("pressure"), "pressure", wrong)


def _days(week: Week) -> tuple[date, date]:
    return week.first, week.last + timedelta(days=1)
