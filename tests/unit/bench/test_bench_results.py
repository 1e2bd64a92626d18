import json
from collections.abc import Mapping

import pytest
from bench.goals import Goal, goals, missed
from bench.machine import Machine, this_machine
from bench.measure import Cost, Job, Samples
from bench.render import page
from bench.results import Results, Row, floor, rows_of

MEGA = 1_000_000
MACHINE = Machine(
    processor="Difference Engine",
    cores=2,
    memory=2**34,
    system="steam",
    python="CPython 3.11.7",
    libraries={"pyarrow": "26.0.1"},
    load=0.5,
)


def cpu(*runs: float) -> Samples:
    return Samples(tuple(Cost(wall=2 * run, cpu=run, peak=100 * MEGA) for run in runs))


def results(*rows: Row, facts: Mapping[str, float] | None = None) -> Results:
    peers = {"slowpoke": "not installed: no wheel"}
    return Results("2026-11-22T12:00+00:00", MACHINE, 5, rows, facts or {}, peers)


def by_figure(found: Results, start: str) -> Goal:
    return next(goal for goal in goals(found) if goal.figure.startswith(start))


def measured(*, check: float, baseline: float, rows: int, peak: int) -> list[Row]:
    samples = {
        "start of decode": cpu(1.0),
        "decode_columns current": cpu(3.0),
        "decode_groups current": cpu(2.0),
        "decode_columns reference": cpu(5.0),
        "start of check": cpu(1.0),
        "check": Samples((Cost(9.0, 1.0 + check, peak),)),
        "baseline": Samples((Cost(9.0, 1.0 + 4 * baseline, peak // 2),)),
    }
    sides = {"decode_columns reference": "reference", "baseline": "reference"}
    starts = {"check": "start of check", "baseline": "start of check"}
    jobs = [
        Job(name=name, command=(), side=sides.get(name, "current"), start=starts.get(name))
        for name in samples
    ]
    return rows_of(jobs, samples, rows)


def test_the_floor_is_the_cheapest_way_to_decode_the_same_file() -> None:
    samples = {
        "decode_columns current": cpu(3, 3, 3),
        "decode_groups current": cpu(1, 9, 2),
        "decode_threads reference": cpu(0.1),
        "decode_batches current": Samples(why="no"),
    }

    assert floor(samples, "current") is samples["decode_groups current"]
    assert floor(samples, "csv").costs == ()


def test_the_floor_of_both_files_is_the_sum_of_theirs() -> None:
    samples = {"decode_columns current": cpu(3, 4), "decode_groups reference": cpu(1, 2)}

    assert [cost.cpu for cost in floor(samples, "both").costs] == [4, 6]


def test_a_row_is_compared_with_decoding_what_it_reads_start_up_apart() -> None:
    rows = {row.name: row for row in measured(check=2.0, baseline=3.0, rows=MEGA, peak=1)}

    check, baseline = rows["check"].times, rows["baseline"].times
    assert check is not None
    assert check.median == pytest.approx(2.0)
    assert baseline is not None
    assert baseline.median == pytest.approx(3.0)
    assert rows["check"].start == 1.0
    assert rows["decode_columns current"].times is None


def test_nothing_is_compared_with_a_decode_that_drowns_in_noise() -> None:
    jobs = [Job(name="check", command=(), start="start of check")]
    samples = {"decode_columns current": cpu(0.09), "start of check": cpu(0.5), "check": cpu(0.9)}

    (check,) = rows_of(jobs, samples, 10)

    assert check.times is None
    assert check.cpu == 0.9


def test_a_command_without_runs_keeps_its_reason() -> None:
    jobs = [Job(name="check", command=()), Job(name="late", command=())]

    failed, idle = rows_of(jobs, {"check": Samples(why="exit code 3: boom"), "late": Samples()}, 10)

    assert (failed.why, failed.cpu) == ("exit code 3: boom", None)
    assert idle.why == "not run"


def test_goals_are_judged_at_their_limits() -> None:
    rows = measured(check=2.1, baseline=3.1, rows=10 * MEGA, peak=599 * MEGA)
    rows += measured(check=2.1, baseline=2.9, rows=MEGA, peak=400 * MEGA)
    found = results(*rows)

    assert by_figure(found, "`check` of 10M").met is True
    assert by_figure(found, "`baseline` of 10M").met is False
    assert by_figure(found, "peak memory").measured == 599
    assert by_figure(found, "the same above").measured == pytest.approx(49.75)
    assert missed(goals(found)) == ["`baseline` of 10M rows: CPU over decoding", "the same above 1M rows"]


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    nothing = goals(results())

    assert {goal.met for goal in nothing} == {None}
    assert missed(nothing) == []


def test_figures_without_rows_have_goals_too() -> None:
    found = results(
        Row(0, "watchkeep --help", wall=0.31),
        Row(0, "import watchkeep", wall=0.1),
        Row(0, "watchkeep show --html", wall=0.9),
        Row(100_000, "check", wall=1.6),
        facts={"report.html bytes": 250_000.0, "hourly seconds": 0.4},
    )

    assert by_figure(found, "`report.html`").measured == 250
    assert missed(goals(found)) == ["`check` of 100k rows, start-up included", "`watchkeep --help`"]


def test_the_page_shows_every_goal_and_row_in_whole_tables() -> None:
    rows = measured(check=2.5, baseline=2.0, rows=MEGA, peak=1_234 * MEGA)
    found = results(*rows, Row(MEGA, "compare", why="exit code 2: no such command"))

    text = page(found, goals(found))

    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count(" | ") for line in tables} == {4, 6}
    for goal in goals(found):
        assert sum(line.startswith(f"| {goal.figure} |") for line in tables) == 1
    assert (
        "| `check` of 1M rows: CPU over decoding | 2.20x | 1.50x | 2.50x (2.50 to 2.50) | **no** |" in tables
    )
    assert "| check | 9.00 | 3.50 | 1.00 | 2.50 | 1,234 | 1 |" in tables
    assert "compare: exit code 2: no such command." in text
    assert "- slowpoke: not installed: no wheel" in text
    assert "Difference Engine, 2 cores, 16.0 GiB memory" in text


def test_the_document_holds_every_run_and_only_numbers_json_has() -> None:
    found = results(*measured(check=1.0, baseline=1.0, rows=MEGA, peak=1))

    again = json.loads(json.dumps(found.document(), allow_nan=False))

    check = next(row for row in again["rows"] if row["name"] == "check")
    assert check["runs"] == [2.0]
    assert check["times"] == {"least": 1.0, "median": 1.0, "low": 1.0, "high": 1.0}
    assert again["machine"]["libraries"] == {"pyarrow": "26.0.1"}


def test_a_row_is_found_by_its_name_and_size_if_it_has_figures() -> None:
    found = results(Row(10, "check", why="failed"), Row(20, "check", wall=1.0))

    assert found.find("check", 10) is None
    assert found.find("check", 20) == found.rows[1]


def test_this_machine_has_a_name_cores_and_memory() -> None:
    here = this_machine()

    assert here.processor
    assert here.cores >= 1
    assert here.memory > 2**28
    assert here.libraries["numpy"][0].isdigit()
