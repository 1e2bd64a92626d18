import json
from pathlib import Path

import pytest
from bench.alarms import keep
from bench.alarms.cells import Cell
from bench.alarms.keep import Kept
from bench.alarms.measure import (
    CENSORED,
    Found,
    Quiet,
    Rate,
    any_alarm,
    false_alarms,
    matched_limit,
    names,
    naming,
    power,
)
from bench.alarms.readings import Reading
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest


def found(*levels: float, columns: tuple[str, ...] = ("a",), shown: dict[str, float] | None = None) -> Found:
    readings = [Reading(level, {"a": level} if shown is None else shown) for level in levels]
    return Found.of("location", 0.1, columns, readings)


@given(st.integers(0, 40), st.integers(0, 500))
def test_bounds_are_clopper_and_pearsons(count: int, more: int) -> None:
    rate = Rate(count, count + more + 1)

    two_sided = binomtest(count, rate.of).proportion_ci(0.95)
    one_sided = binomtest(count, rate.of, alternative="less").proportion_ci(0.95)
    assert rate.interval == pytest.approx((1000 * two_sided.low, 1000 * two_sided.high))
    assert rate.upper == pytest.approx(1000 * one_sided.high)


def test_a_window_that_always_rings_has_no_higher_rate() -> None:
    assert Rate(5, 5).upper == 1000


def test_a_quiet_stream_counts_its_rings_and_says_whom_they_named() -> None:
    readings = [Reading(0.1, {"a": 0.1}), Reading(1.0, {"a": 0.2, "b": 1.0}), Reading(3.0, {"a": 3.0})]

    stream = Quiet.of(readings, 1.0)

    assert (stream.windows, stream.rings, stream.top) == (3, 2, 3.0)
    assert stream.told == ((1, 1.0, ("b",)), (2, 3.0, ("a",)))


def test_rates_are_of_windows_and_any_of_streams() -> None:
    streams = [Quiet(200, 3, 2.0), Quiet(200, 0, 0.5), Quiet(100, 0, 0.1), Quiet(100, 1, 1.0)]

    assert false_alarms(streams) == Rate(4, 600)
    assert any_alarm(streams) == 0.5


@given(st.lists(st.integers(0, 12), min_size=5, max_size=40))
def test_at_most_a_fifth_of_the_streams_rings_at_the_matched_limit(tops: list[int]) -> None:
    streams = [Quiet(200, 0, float(top)) for top in tops]

    limit = matched_limit(streams)

    assert limit is not None
    assert sum(top >= limit for top in tops) <= 0.2 * len(tops)
    # No lower limit would do: the next lower top rings in more streams than that.
    lower = max(top for top in tops if top < limit)
    assert sum(top >= lower for top in tops) > 0.2 * len(tops)


def test_few_streams_match_no_limit() -> None:
    assert matched_limit([Quiet(200, 0, 1.0)] * 4) is None


def test_only_windows_that_may_be_the_first_to_ring_are_kept() -> None:
    stream = found(0.3, 0.2, 0.3, 0.9, 0.8, 5.0)

    assert [(record.delay, record.reading.level) for record in stream.records] == [(1, 0.3), (4, 0.9), (6, 5)]
    assert [stream.first(limit) for limit in (0.3, 0.31, 6.0)] == [stream.records[0], stream.records[1], None]


def test_power_is_of_the_first_window_and_delays_are_censored() -> None:
    streams = [found(2.0, 3.0), found(0.5, 0.5, 1.0), found(0.1, 0.2)]

    seen = power(streams, 1.0)

    assert seen is not None
    assert seen.streams == 3
    assert seen.at_once == pytest.approx(1 / 3)
    assert seen.delay == pytest.approx((1 + 3 + CENSORED) / 3)
    assert power([], 1.0) is None


def test_names_are_what_the_tool_says_or_the_columns_above_the_limit() -> None:
    columns = {"a": 0.4, "b": 1.5, "c": 2.0}

    assert names(Reading(2.0, columns), 1.0) == ("c", "b")
    assert names(Reading(2.0, columns, ("b",)), 1.0) == ("b",)
    assert names(Reading(2.0, columns, ()), 1.0) == ("c",)


def test_naming_is_judged_at_the_first_alarm_about_changes_of_some_columns() -> None:
    streams = [
        found(2.0, shown={"a": 2.0, "b": 1.5}),
        found(2.0, shown={"b": 2.0}),
        found(0.1, 3.0, shown={"a": 3.0}),
        found(2.0, columns=(), shown={"b": 2.0}),
        found(0.1),
    ]

    told = naming(streams, 1.0)
    assert told is not None
    assert (told.alarms, told.precision) == (3, 0.5)
    assert told.first == pytest.approx(2 / 3)
    assert naming(streams[3:], 1.0) is None


def test_what_is_kept_is_read_back_as_it_was(tmp_path: Path) -> None:
    cell = Cell("changed", "adult", 100, "rules", 2)
    streams = [found(0.1, 2.0), Found.of("label", 0.2, (), [Reading(1.0, {"a": 0.5}, ("a",))])]
    kept = Kept(cell, 1.5, "", {"psi": [Quiet.of([Reading(1.0, {"a": 1.0})], 0.2)]}, {"psi": streams})

    keep.save(tmp_path, kept)

    assert keep.load(tmp_path, cell) == kept
    assert [path.name for path in tmp_path.iterdir()] == ["changed.adult.100.rules.json"]


def test_what_was_kept_of_fewer_streams_or_another_version_is_not_taken(tmp_path: Path) -> None:
    cell = Cell("unchanged", "adult", 100, "rules", 2)
    keep.save(tmp_path, Kept(cell, 1.0, "", {}, {}))
    more = Cell("unchanged", "adult", 100, "rules", 3)

    assert keep.load(tmp_path, cell) is not None
    assert keep.load(tmp_path, more) is None
    path = tmp_path / f"{cell.name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 0}))
    assert keep.load(tmp_path, cell) is None
