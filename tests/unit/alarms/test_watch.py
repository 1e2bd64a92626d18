"""The promise of a watch, its power, and what it remembers."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import stats

import watchkeep as wk
from watchkeep.alarms.record import REOPENED
from watchkeep.alarms.watch import CALM, LENGTHS
from watchkeep.core.errors import MissingSourceError, OptionError, WatchError
from watchkeep.formats import watch_file

Doubles = npt.NDArray[np.float64]
BUDGET = 1 / 50
DAY = timedelta(days=1)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def people(rng: np.random.Generator, n: int) -> dict[str, npt.NDArray[Any]]:
    """Columns of every kind, some of which hang together."""
    age = rng.normal(40, 12, n)
    return {
        "age": np.round(age),
        "income": np.exp(0.02 * age + rng.normal(0, 0.6, n)),
        "score": age / 40 + rng.normal(0, 0.5, n),
        "kids": rng.poisson(1.2, n),
        "town": rng.choice(["a", "b", "c", "d"], n, p=[0.55, 0.3, 0.1, 0.05]),
        "job": rng.choice([f"j{i}" for i in range(25)], n),
        "owner": rng.random(n) < 0.3,
    }


def table(columns: Mapping[str, npt.NDArray[Any]]) -> pa.Table:
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


RNG = np.random.default_rng(20_240_101)
BASELINE = wk.DataQuality().baseline(table(people(RNG, 4_000)))


def report(columns: pa.Table, day: int | None = None) -> wk.Report:
    if day is None:
        return BASELINE.judge(BASELINE.scan(columns))
    return BASELINE.judge(BASELINE.scan(columns), start=BEGIN + day * DAY, end=BEGIN + (day + 1) * DAY)


def unchanged(n: int = 400) -> pa.Table:
    return table(people(RNG, n))


def shifted(n: int = 400, by: float = 6.0) -> pa.Table:
    rows = people(RNG, n)
    rows["kids"] = rows["kids"] + int(by)
    return table(rows)


@pytest.mark.parametrize("n", [60, 400])
def test_unchanged_windows_ring_no_more_often_than_the_budget(n: int) -> None:
    rings = windows = 0
    for seed in range(8):
        rng = np.random.default_rng([n, seed])
        watch = wk.Watch(wk.DataQuality().baseline(table(people(rng, 1_000))), false_alarms=BUDGET)
        for _ in range(40):
            rows = table(people(rng, n))
            baseline = watch.baseline
            rings += watch.observe(baseline.judge(baseline.scan(rows))).alarm
            windows += 1

    # Of as many independent windows that ring at the budget's rate, fewer than one in a thousand series rings more.
    assert rings <= stats.binom.isf(1e-3, windows, BUDGET)
    assert (
        stats.binom.isf(1e-3, windows, BUDGET) < 0.06 * windows
    )  # ringing at three times the rate would fail


CHANGES: dict[str, Callable[[dict[str, npt.NDArray[Any]]], object]] = {
    "location": lambda rows: rows.update(score=rows["score"] + 0.4),
    "spread": lambda rows: rows.update(score=1 + 1.6 * (rows["score"].astype(np.float64) - 1)),
    "category": lambda rows: rows.update(town=np.where(RNG.random(400) < 0.25, "c", rows["town"])),
    "strange": lambda rows: rows.update(town=np.where(RNG.random(400) < 0.05, "z", rows["town"])),
    "missing": lambda rows: rows.update(income=np.where(RNG.random(400) < 0.1, np.nan, rows["income"])),
    "far": lambda rows: rows.update(income=rows["income"].astype(np.float64) * 1000),
    "relation": lambda rows: rows.update(age=RNG.permutation(rows["age"])),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_rings_and_names_the_column_and_what_happened_to_it(kind: str) -> None:
    rows = people(RNG, 400)
    before = dict(rows)
    CHANGES[kind](rows)
    (column,) = [name for name in rows if rows[name] is not before[name]]
    watch = wk.Watch(BASELINE)
    watch.observe(report(unchanged()))

    decision = watch.observe(report(table(rows)))

    assert decision.alarm
    assert decision.level >= 1
    assert decision.named[0] == column or kind == "relation"
    assert kind == "far" or decision.changes[decision.named[0]] in (kind, "shape", "location")
    assert sum(decision.evidence.values()) == pytest.approx(1)


def test_small_signs_ring_together_and_tell_since_when() -> None:
    watch, rng = wk.Watch(BASELINE), np.random.default_rng(5)
    decisions = [watch.observe(report(table(people(rng, 200)), day)) for day in range(4)]
    while not decisions[-1].alarm and len(decisions) < 40:
        rows = people(rng, 200)
        rows["score"] = rows["score"].astype(np.float64) + 0.11
        decisions.append(watch.observe(report(table(rows), len(decisions))))

    assert 6 <= len(decisions) < 40  # no single one of them was enough
    assert isinstance(decisions[-1].since, datetime)
    assert decisions[-1].named == ("score",)
    assert BEGIN + 1 * DAY <= decisions[-1].since <= BEGIN + len(decisions) * DAY


def test_an_alarm_rings_once_until_it_is_over() -> None:
    watch = wk.Watch(BASELINE)
    watch.observe(report(unchanged()))

    first, *later = [watch.observe(report(shifted(by=1))) for _ in range(4)]
    other = watch.observe(report(shifted(by=4)))
    calm = [watch.observe(report(unchanged())) for _ in range(2 * CALM)]

    assert first.alarm
    assert not any(one.alarm for one in later)
    assert all(one.open == first.key and str(one.outcome) == "changed" for one in later)
    assert other.alarm  # more than what is already known
    assert calm[-1].open is None
    assert str(calm[-1].outcome) == "not changed"


def test_windows_that_ring_or_nearly_ring_teach_nothing() -> None:
    watch = wk.Watch(BASELINE)
    for _ in range(3):
        watch.observe(report(shifted(by=1)))
    watch.observe(report(unchanged()))

    assert [one.learnable for one in watch.record.history.sightings] == [False] * 4


def test_an_acknowledged_alarm_is_over_on_record_and_rings_again_if_the_change_lasts() -> None:
    watch = wk.Watch(BASELINE)
    assert watch.observe(report(shifted(by=1))).alarm
    assert not watch.observe(report(shifted(by=1))).alarm

    watch.acknowledge(by="ada", note="a new form")

    assert [(note.what, note.by, note.text, note.after) for note in watch.notes] == [
        ("acknowledged", "ada", "a new form", 2)
    ]
    assert watch.observe(report(shifted(by=1))).alarm


def test_a_new_baseline_is_a_decision_on_record_that_starts_the_evidence_again() -> None:
    watch = wk.Watch(BASELINE)
    watch.observe(report(shifted(by=1)))
    fresh = wk.DataQuality().baseline(shifted(4_000, by=1))

    watch.rebaseline(fresh, by="ada", note="the new form stays")
    decision = watch.observe(fresh.judge(fresh.scan(shifted(by=1))))

    assert not decision.alarm
    assert decision.number == 1
    assert [note.what for note in watch.notes] == ["new baseline"]
    with pytest.raises(WatchError, match="watches over baseline"):
        watch.observe(report(unchanged()))


def test_a_watch_goes_on_from_its_file_as_if_nothing_had_happened(tmp_path: Path) -> None:
    reports = [report(shifted(by=1) if day == 30 else unchanged(), day) for day in range(36)]
    whole, broken = wk.Watch(BASELINE), wk.Watch(BASELINE)

    for day, one in enumerate(reports):
        whole.observe(one)
        if day % 3 == 0:
            broken.save(tmp_path / "w")
            broken = wk.Watch.load(tmp_path / "w", BASELINE)
        broken.observe(one)
        broken.observe(one)  # seen twice

    assert list(broken.decisions) == list(whole.decisions)
    assert [one.alarm for one in whole.decisions].count(True) == 1
    assert watch_file.pack(broken.record) == watch_file.pack(whole.record)


def test_late_rows_give_the_decisions_of_rows_in_time() -> None:
    days = [unchanged() for _ in range(REOPENED + 6)]
    late = shifted(by=1)
    at = len(days) - 4
    watch, direct = wk.Watch(BASELINE), wk.Watch(BASELINE)
    for day, rows in enumerate(days):
        watch.observe(report(rows, day))
        direct.observe(report(late if day == at else rows, day))

    again = watch.observe(report(late, at))

    assert again.alarm
    assert list(watch.decisions) == list(direct.decisions)
    with pytest.raises(WatchError, match="too old"):
        watch.observe(report(late, 1))


def test_windows_must_come_in_order() -> None:
    watch = wk.Watch(BASELINE)
    watch.observe(report(unchanged(), 5))

    with pytest.raises(WatchError, match="begins before the last one ended"):
        watch.observe(report(unchanged(), 3))
    assert len(watch.decisions) == 1


@pytest.mark.parametrize(
    ("rows", "why"), [(1, "needs 5 rows"), (4, "needs 5 rows"), (8, "standard deviations")]
)
def test_too_few_rows_say_so(rows: int, why: str) -> None:
    decision = wk.Watch(BASELINE).observe(report(unchanged(rows)))

    assert str(decision.outcome) == "too little data to tell"
    assert why in decision.why
    assert not decision.alarm


def test_a_baseline_of_a_few_rows_decides_nothing() -> None:
    tiny = wk.DataQuality().baseline(unchanged(5))
    decision = wk.Watch(tiny).observe(tiny.check(unchanged(500)))

    assert str(decision.outcome) == "too little data to tell"
    assert "a baseline needs 30 rows, has 5" in decision.why


def test_what_would_have_been_seen_shrinks_with_rows_and_windows() -> None:
    small, large = (wk.Watch(BASELINE).observe(report(unchanged(n))) for n in (100, 1_600))

    assert small.detectable["score"] > large.detectable["score"] > 0
    sizes = [small.within[horizon]["score"] for horizon in (1, 7, 30)]
    assert all(a > b for a, b in pairwise(sizes))


def test_a_shift_of_the_size_told_is_seen_about_every_other_time() -> None:
    told = wk.Watch(BASELINE).observe(report(unchanged(300))).detectable["score"]
    seen = 0
    for _ in range(30):
        rows = people(RNG, 300)
        values = rows["score"].astype(np.float64)
        rows["score"] = values + told * 0.583  # its standard deviation
        seen += wk.Watch(BASELINE).observe(report(table(rows))).alarm

    assert seen >= 5  # it is conservative: other signs help


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("what", ["missing", "owner", "town", "score"])
def test_a_change_however_gross_is_dated_to_the_window_it_came_in(what: str, share: float) -> None:
    rng = np.random.default_rng([int(10 * share), len(what)])
    baseline = wk.DataQuality().baseline(table(people(rng, 40_000)))
    watch = wk.Watch(baseline)
    for _ in range(6):
        watch.observe(baseline.judge(baseline.scan(table(people(rng, 6_000)))))
    rows = people(rng, 6_000)
    hit = rng.random(6_000) < share
    rows["score"] = np.where(hit, np.nan, rows["score"]) if what == "missing" else rows["score"]
    rows["score"] = np.where(hit, 3.0, rows["score"]) if what == "score" else rows["score"]
    rows["owner"] |= hit & (what == "owner")
    rows["town"] = np.where(hit, "elsewhere", rows["town"]) if what == "town" else rows["town"]

    decision = watch.observe(baseline.judge(baseline.scan(table(rows))))

    assert decision.alarm
    assert decision.windows == 1


def test_columns_that_vanish_are_named() -> None:
    watch = wk.Watch(BASELINE)
    decision = watch.observe(report(unchanged().drop(["town"])))

    assert decision.alarm
    assert decision.named[0] == "town"


@pytest.mark.parametrize("budget", [0.0, -1.0, 0.7])
def test_a_budget_is_a_share(budget: float) -> None:
    with pytest.raises(OptionError, match="false_alarms"):
        wk.Watch(BASELINE, false_alarms=budget)


def test_a_margin_is_below_a_standard_deviation() -> None:
    with pytest.raises(OptionError, match="margin"):
        wk.Watch(BASELINE, margin=1.5)


def test_what_is_no_watch_is_refused(tmp_path: Path) -> None:
    watch = wk.Watch(BASELINE)
    watch.observe(report(unchanged()))
    path = tmp_path / "w"
    with pytest.raises(MissingSourceError):
        wk.Watch.load(path, BASELINE)
    watch.save(path)
    whole = path.read_bytes()

    path.write_bytes(b"something else")
    with pytest.raises(WatchError, match="no watch file"):
        wk.Watch.load(path, BASELINE)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(WatchError, match="damaged"):
        wk.Watch.load(path, BASELINE)
    path.write_bytes(whole)
    other = wk.DataQuality().baseline(unchanged(100))
    with pytest.raises(WatchError, match="it watches over baseline"):
        wk.Watch.load(path, other)


def test_the_order_of_columns_and_their_number_do_not_change_the_promise() -> None:
    rng = np.random.default_rng(5)
    columns = {f"c{i}": rng.normal(size=2_000) for i in range(120)}
    baseline = wk.DataQuality().baseline(table(columns))
    rings = [
        wk.Watch(baseline, false_alarms=BUDGET)
        .observe(baseline.judge(baseline.scan(table({name: rng.normal(size=150) for name in columns}))))
        .alarm
        for _ in range(40)
    ]

    assert sum(rings) <= stats.binom.isf(1e-3, 40, BUDGET)


def test_windows_taken_together_are_those_promised() -> None:
    assert LENGTHS[0] == 1
    assert all(a < b for a, b in pairwise(LENGTHS))


def test_a_record_is_a_value() -> None:
    watch = wk.Watch(BASELINE)
    before = watch.record
    watch.observe(report(unchanged()))

    assert before.decisions == ()
    assert replace(before) is not before
