"""`replay`: stored hours are judged again, by other limits, with late rows, and after files were damaged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.world import Answer, baseline, found, program, rows, watchkeep, write

import watchkeep as wk

HOURS = 4
YEAR = 365
TIME = pa.timestamp("us", "UTC")


def people(days: int, *, seed: int, first: str = "2024-03-01", richer: int | None = None) -> pa.Table:
    """Eight people an hour, of four hours a day; from day `richer` on incomes are 1.8 times as large."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), 8 * HOURS)
    hour = np.tile(np.repeat(np.arange(HOURS) * 6, 8), days)
    micros = (day * 24 + hour) * 3_600_000_000 + rng.integers(0, 3_600_000_000, len(day))
    income = rng.lognormal(3, 1, len(day))
    return pa.table(
        {
            "age": rng.integers(18, 90, len(day)),
            "income": np.where(day >= (days if richer is None else richer), 1.8 * income, income),
            "at": pa.array(np.datetime64(first, "us") + micros).cast(TIME),
        }
    )


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return baseline(tmp_path, people(120, seed=1, first="2023-06-01"), "--timestamp", "at")


@pytest.fixture
def states(at: Path) -> Path:
    """The states of thirty days, of which the last ten are of richer people."""
    wk.States(wk.load(at), at.parent / "states").fill(people(30, seed=2, richer=20))
    return at.parent / "states"


def replayed(at: Path, states: Path, *options: object) -> Any:
    answer = watchkeep("replay", at, "--states", states, "--json", *options)
    assert answer.code in (0, 1), answer.err
    assert answer.code == int(bool(answer.document["alarms"] or answer.document["violated"]))
    return answer.document


def rings(document: Any) -> list[str]:
    """The days at which it rang."""
    return [one["window"]["start"][:10] for one in document["windows"] if one["decision"]["alarm"]]


def refused(*arguments: object) -> Answer:
    answer = watchkeep(*arguments)
    assert answer.is_one_sentence, (answer.code, answer.out, answer.err)
    return answer


def test_stored_days_are_judged_one_after_the_other_as_a_watch_sees_them(at: Path, states: Path) -> None:
    document = replayed(at, states)

    assert document["kind"] == "replay"
    assert document["hours"] == {"stored": 120, "missing": document["hours"]["missing"]}
    assert len(document["hours"]["missing"]) == 119
    assert [one["rows"]["analysed"] for one in document["windows"]] == [32] * 30
    (rang,) = rings(document)
    assert "2024-03-21" <= rang <= "2024-03-25"
    (alarm,) = [one["decision"] for one in document["windows"] if one["decision"]["alarm"]]
    assert alarm["named"] == ["income"]

    watch = wk.Watch(wk.load(at))
    data = people(30, seed=2, richer=20)
    for day, one in enumerate(document["windows"][:23]):
        window = one["window"]
        decision = watch.observe(wk.load(at).check(data, start=window["start"], end=window["end"]))
        assert decision.level == pytest.approx(one["decision"]["level"], rel=1e-6)
        assert day == decision.number


def test_a_table_tells_the_same_to_people(at: Path, states: Path) -> None:
    told = program("replay", at, "--states", states, "--start", "2024-03-15", cwd=at.parent)

    assert told.code == 1
    assert told.err == ""
    assert "Of 16 windows it rang in 1" in told.out
    assert "rings: income, since 2024-03-2" in told.out
    assert "64 hours stored" in told.out
    assert "missing: 2024-03-15 01:00 to 2024-03-15 06:00 UTC" in told.out
    quiet = watchkeep("replay", at, "--states", states, "--end", "2024-03-10", "--every", "week")
    assert quiet.code == 0
    assert "Of 2 windows it rang in none, and limits were violated in none." in quiet.out


def test_other_limits_and_another_budget_give_other_answers(at: Path, states: Path) -> None:
    before = (at / "constraints.json").read_bytes()
    limits = json.loads(before)
    (age,) = [one for one in limits["features"] if one["name"] == "age"]
    (distinct,) = [one for one in age["watchkeep"]["constraints"] if one["measure"] == "distinct"]
    distinct["at_least"] = 40.0
    strict = at.parent / "strict.json"
    strict.write_text(json.dumps(limits))

    plain, other = replayed(at, states), replayed(at, states, "--limits", strict)

    assert other["limits"] == str(strict)
    assert other["violated"] == 30 > plain["violated"]
    assert {each["subject"] for one in other["windows"] for each in one["violations"]} >= {"age"}
    assert rings(other) == rings(plain)
    assert (at / "constraints.json").read_bytes() == before
    early = replayed(at, states, "--false-alarms", "0.2")
    assert rings(early)[0] <= rings(plain)[0]
    assert len(rings(early)) > len(rings(plain))
    assert rings(replayed(at, states, "--false-alarms", "1e-30")) == []


def test_all_of_it_as_one_window_is_the_report_of_a_check(at: Path, states: Path) -> None:
    data = write(people(30, seed=2, richer=20), at.parent / "month.parquet")
    window = ("--start", "2024-03-01", "--end", "2024-03-30T19:00")
    checked = watchkeep("check", at, data, "--out", at.parent / "checked", "--json", *window).document

    answer = watchkeep("replay", at, "--states", states, "--every", "all", "--out", at.parent / "report")

    report = json.loads((at.parent / "report" / "report.json").read_text())
    assert sorted(one.name for one in (at.parent / "report").iterdir()) == sorted(
        one.name for one in (at.parent / "checked").iterdir()
    )
    assert found(report) == found(checked)
    assert report["rows"] == checked["rows"]
    assert report["window"] == checked["window"]
    assert f"Report: {at.parent / 'report' / 'report.html'}" in answer.out
    values = {(one["measure"], one["subject"]): one["value"] for one in checked["measures"]}
    for one in report["measures"]:
        if isinstance(one["value"], float):
            assert one["value"] == pytest.approx(values[one["measure"], one["subject"]], rel=1e-6, abs=1e-9)


def test_late_rows_change_their_own_day_and_are_counted_once(at: Path, states: Path) -> None:
    before = replayed(at, states)
    late = people(1, seed=50, first="2024-03-05")

    for _ in range(3):
        wk.States(wk.load(at), states).fill(late)

    after = replayed(at, states)
    assert [one["rows"]["analysed"] for one in after["windows"]] == [32] * 4 + [64] + [32] * 25
    assert after["windows"][:4] == before["windows"][:4]


def test_a_damaged_piece_is_named_and_what_was_merged_is_made_again(at: Path, states: Path) -> None:
    before = replayed(at, states)
    for merged in states.rglob("*.m.*"):
        content = bytearray(merged.read_bytes())
        content[len(content) // 2] ^= 1
        merged.write_bytes(content)

    assert replayed(at, states)["windows"] == before["windows"]

    piece = sorted(states.rglob("*.p0.*"))[7]
    content = bytearray(piece.read_bytes())
    content[len(content) // 2] ^= 1
    piece.write_bytes(content)
    answer = refused("replay", at, "--states", states)
    assert str(piece) in answer.err
    assert "it is damaged" in answer.err

    piece.write_bytes(sorted(states.rglob("*.p0.*"))[8].read_bytes())
    assert "it does not hold what its name says" in refused("replay", at, "--states", states).err
    piece.unlink()
    assert replayed(at, states)["hours"]["stored"] == 119


@pytest.mark.slow
def test_a_year_of_hours_is_merged_and_judged_whatever_was_merged_before(at: Path) -> None:
    states, folder = wk.States(wk.load(at), at.parent / "states"), at.parent / "states"
    year = people(YEAR, seed=3, first="2024-01-01", richer=300)
    report = states.fill(year)
    assert states.over().rows == YEAR * HOURS * 8 == report.findings.profile.rows

    weeks = replayed(at, folder, "--every", "week")
    whole = replayed(at, folder, "--every", "all", "--compact")
    assert len(weeks["windows"]) == 53
    assert sum(one["rows"]["analysed"] for one in weeks["windows"]) == YEAR * HOURS * 8
    assert "2024-10-21" <= rings(weeks)[0] <= "2024-11-04"
    assert whole["windows"][0]["rows"]["analysed"] == YEAR * HOURS * 8

    for merged in folder.rglob("*.m.*"):
        merged.unlink()
    assert replayed(at, folder, "--every", "all")["windows"] == whole["windows"]
    assert not list(folder.rglob("*.m.*"))  # a replay writes nothing unless it is told to

    states.forget("2024-12-01", keep="week")
    assert len(list(folder.rglob("*.hour.p0.*"))) < 200
    assert replayed(at, folder, "--every", "all")["windows"] == whole["windows"]
    assert replayed(at, folder, "--every", "week")["windows"] == weeks["windows"]


def model(table: pa.Table) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(table["age"], np.float64) / 50))


MONITORS: dict[str, Any] = {
    "model-quality": wk.ModelQuality(),
    "bias": wk.Bias(),
    "attribution": wk.Attribution(model=model, explained=50),
}


@pytest.mark.parametrize("kind", MONITORS)
def test_stored_days_of_every_monitor_are_judged(tmp_path: Path, kind: str) -> None:
    def answered(days: int, seed: int) -> pa.Table:
        table, rng = people(days, seed=seed), np.random.default_rng(seed)
        score = rng.random(len(table))
        told = {"score": score, "y": (rng.random(len(table)) < score).astype(int)}
        told["sex"] = rng.choice(["F", "M"], len(table))
        for name, values in told.items():
            table = table.append_column(name, pa.array(values))
        return table

    roles: dict[str, Any] = {"label": "y", "score": "score", "facets": {"sex": ["F"]}, "timestamp": "at"}
    made = MONITORS[kind].baseline(wk.read(answered(20, 1), **roles, features=["age"]))
    made.save(tmp_path / "baseline")
    wk.States(made, tmp_path / "states").fill(answered(5, 2))

    document = replayed(
        tmp_path / "baseline", tmp_path / "states", "--out", tmp_path / "report", "--every", "all"
    )
    days = replayed(tmp_path / "baseline", tmp_path / "states")

    assert document["monitor"] == kind
    assert [one["rows"]["analysed"] for one in days["windows"]] == [32] * 5
    assert document["windows"][0]["rows"]["analysed"] == 160
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["kind"] == kind
    assert all(one["outcome"] != "failed" for one in report["verdicts"])
    assert (tmp_path / "report" / "report.html").exists()


def test_hours_of_another_baseline_are_refused(at: Path, states: Path) -> None:
    other = baseline(at.parent / "other", rows(500, seed=9))

    answer = refused("replay", other, "--states", states)

    assert f"{states}: it holds states of baseline {wk.load(at).states_id} (default dialect)" in answer.err
    assert wk.load(other).states_id in answer.err


def test_a_store_of_a_newer_version_is_refused(at: Path, states: Path) -> None:
    (mark,) = states.glob("watchkeep-states.1.*")
    mark.rename(states / mark.name.replace(".1.", ".2.", 1))

    assert (
        "it has version 2, and this Watchkeep reads version 1; upgrade"
        in refused("replay", at, "--states", states).err
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--start", "2024-03-05T00:30"], "expected whole hours, such as 2024-03-05T00:00:00Z/"),
        (["--start", "2030-01-01", "--every", "all"], "no hour of the window is stored"),
        (["--out", "report"], "expected --every all beside it"),
        (["--limits", "nowhere.json"], "nowhere.json: there is no such file; expected limits"),
        (["--every", "month"], "'month' is not one of"),
        (["--states", "nowhere"], "nowhere: there is no such folder; expected states of hours"),
        (["--false-alarms", "0.7"], "false_alarms"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    at: Path, states: Path, options: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(at.parent)

    assert told in refused("replay", at, "--states", states, *options).err


def test_a_stretch_of_which_nothing_is_stored_is_an_error(at: Path, states: Path) -> None:
    """As a check of a window without rows is."""
    for every in ("day", "all"):
        answer = refused("replay", at, "--states", states, "--start", "2030-01-01", "--every", every)

        assert answer.err == (
            f"watchkeep: {states}: no hour of the window is stored;"
            " it holds hours from 2024-03-01T00:00:00Z to 2024-03-30T19:00:00Z\n"
        )


def test_options_that_do_not_go_together_are_told(tmp_path: Path) -> None:
    known = baseline(tmp_path, rows(2000, seed=1), "--timestamp", "at")
    data = write(rows(500, seed=2), tmp_path / "w.parquet")

    again = watchkeep("check", known, data, "--out", tmp_path / "r", "--again")

    assert again.is_one_sentence
    assert "--states" in again.err
