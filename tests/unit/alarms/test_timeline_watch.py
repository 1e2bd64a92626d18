"""A watch over a baseline in time order keeps its promise where days differ by themselves, and still sees."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from watchkeep.adapters.sources import open_source
from watchkeep.alarms.decision import Decision
from watchkeep.alarms.evidence import Columns
from watchkeep.alarms.rates import Counted, rates
from watchkeep.alarms.relations import Relations
from watchkeep.alarms.sightings import panel_of, sighting_of
from watchkeep.alarms.sway import Sway, deviates
from watchkeep.alarms.watch import Panel
from watchkeep.alarms.witness import Change
from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.blocks import HOUR
from watchkeep.baselines.timeline import PARTS
from watchkeep.core.window import Window
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.service.baselining import learn
from watchkeep.service.checking import scan_window

Doubles = npt.NDArray[np.float64]
ROWS = 72
"""Of a day."""
WEEKS = 20
BUDGET = 1 / 200
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class World:
    """Days that differ: weekends, hours of the day, and an autoregression that columns have in common.

    Args:
        seed: of the random numbers.
        days: how many.
        rho: how alike a day is to the next.
    """

    def __init__(self, seed: int, days: int, *, rho: float = 0.5) -> None:
        self.rng = rng = np.random.default_rng(seed)
        effect = np.empty(days)
        effect[0] = rng.normal()
        for day in range(1, days):
            effect[day] = rho * effect[day - 1] + np.sqrt(1 - rho**2) * rng.normal()
        self.day = day_of = np.repeat(np.arange(days), ROWS)
        self.hour = np.tile(np.repeat(np.arange(24), ROWS // 24), days)
        weekend = day_of % 7 < 2
        x = rng.normal(size=len(day_of)) + 0.6 * effect[day_of] + np.sin(self.hour / 4) - weekend
        share = 1 / (1 + np.exp(1 - 0.6 * effect[day_of] + 0.7 * weekend))
        self.columns: dict[str, npt.NDArray[Any]] = {
            "x": x,
            "y": np.exp(rng.normal(size=len(day_of)) + 0.3 * x),
            "c": np.where(
                rng.random(len(day_of)) < share, "a", np.where(rng.random(len(day_of)) < 0.9, "b", "d")
            ),
        }

    def rows(self, start: int, end: int, hours: slice = slice(None)) -> pa.Table:
        """The rows of these days."""
        mine = (self.day >= start) & (self.day < end) & np.isin(self.hour, np.arange(24)[hours])
        at = (self.day[mine] * 24 + self.hour[mine]) * HOUR
        named = {name: pa.array(values[mine]) for name, values in self.columns.items()}
        return pa.table({**named, "at": pa.array(at, pa.timestamp("us"))})


def learned(table: pa.Table) -> Baseline:
    roles = Roles(timestamp="at")
    return learn(
        open_source(table), roles, kind="data-quality", dialect=Dialect.DEFAULT, created=BEGIN
    ).baseline


def watched(baseline: Baseline, windows: list[pa.Table], panel: Panel | None = None) -> list[Decision]:
    panel = panel or panel_of(baseline, false_alarms=BUDGET)
    history, decisions = panel.start(), []
    for table in windows:
        profile = scan_window(baseline, open_source(table), window=Window(), dialect=Dialect.DEFAULT)
        history, decision = panel.observe(history, sighting_of(panel, baseline, profile, Window()))
        decisions.append(decision)
    return decisions


WORLD = World(7, 7 * WEEKS + 60)
BASELINE = learned(WORLD.rows(0, 7 * WEEKS))
PANEL = panel_of(BASELINE, false_alarms=BUDGET)


def alarms(decisions: list[Decision]) -> int:
    return sum(decision.alarm for decision in decisions)


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_fresh_days_of_one_process_ring_no_more_than_the_budget_allows(rho: float) -> None:
    rung = 0
    for seed in range(2):
        world = World(seed, 7 * WEEKS + 40, rho=rho)
        baseline = learned(world.rows(0, 7 * WEEKS))
        rung += alarms(
            watched(baseline, [world.rows(day, day + 1) for day in range(7 * WEEKS, 7 * WEEKS + 40)])
        )

    assert rung <= 3  # of 80 windows, at 1 in 200: more have a chance of 0.001


def test_the_same_days_judged_as_rows_in_random_order_ring_all_the_time() -> None:
    days = [WORLD.rows(day, day + 1) for day in range(7 * WEEKS, 7 * WEEKS + 30)]
    blind = replace(BASELINE, timeline=None)

    assert alarms(watched(blind, days)) > 5
    assert alarms(watched(BASELINE, days)) <= 1


def test_hours_are_judged_by_their_own_hours() -> None:
    quarters = [
        WORLD.rows(day, day + 1, slice(begin, begin + 6))
        for day in range(7 * WEEKS, 7 * WEEKS + 15)
        for begin in (0, 6, 12, 18)
    ]

    assert (
        alarms(watched(BASELINE, quarters)) <= 3
    )  # of 60 windows, at 1 in 200: more have a chance of 0.0004


@pytest.mark.parametrize("seed", range(3))
def test_a_shift_by_three_deviations_of_a_day_rings_within_a_week_or_two(seed: int) -> None:
    world = World(seed, 7 * WEEKS + 24, rho=0.0)
    baseline = learned(world.rows(0, 7 * WEEKS))
    world.columns["x"] = world.columns["x"] + 3 * 0.6 * (world.day >= 7 * WEEKS + 10)
    days = [world.rows(day, day + 1) for day in range(7 * WEEKS, 7 * WEEKS + 24)]

    decisions = watched(baseline, days)

    assert alarms(decisions[:10]) == 0
    first = next(decision for decision in decisions if decision.alarm)
    assert first.number < 24
    assert "x" in first.named


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("x", lambda x: 1e4 * x),
        ("c", lambda c: np.where(np.arange(len(c)) % 2 == 0, "new", c)),
        ("y", lambda y: y * np.nan),
    ],
)
def test_gross_errors_ring_in_the_first_day(column: str, change: Any) -> None:
    day = 7 * WEEKS + 40
    world = World(7, day + 1)
    days = [world.rows(at, at + 1) for at in range(day - 3, day)]
    world.columns[column] = change(world.columns[column])

    decisions = watched(BASELINE, [*days, world.rows(day, day + 1)])

    assert [decision.alarm for decision in decisions] == [False, False, False, True]
    assert column in decisions[-1].named


def test_a_record_day_is_one_event_and_not_as_many_as_it_has_rows() -> None:
    world = World(11, 80)
    world.columns["x"] = 0.1 * world.columns["x"] + world.rng.normal(size=80)[world.day]
    baseline = learned(world.rows(0, 80))
    columns, rows = Columns(baseline.buckets, baseline.timeline), len(baseline.buckets.kinds)
    record = pa.array(np.full(ROWS, world.columns["x"].max() + 0.1))
    window = open_source(world.rows(79, 80).set_column(0, "x", record))
    profile = scan_window(baseline, window, window=Window(), dialect=Dialect.DEFAULT)
    panel = panel_of(baseline, false_alarms=BUDGET)
    sums = sighting_of(panel, baseline, profile, Window()).sums[0].astype(np.float64)[None]

    in_order = {one.change: one.logs for one in columns.chances(sums, columns.baseline[None], margin=0.0)}
    randomly = {
        one.change: one.logs
        for one in Columns(baseline.buckets).chances(
            sums[:, :rows], columns.baseline[None, :rows], margin=0.0
        )
    }

    assert randomly[Change.OUTSIDE].min() < np.log(1e-12)
    assert in_order[Change.OUTSIDE].min() > np.log(2e-3)


def counted(count: int, before: int, n: int, m: int) -> Counted:
    """Counts of one kind of rows in one segment."""
    each = (np.array([[value]], np.float64) for value in (count, before, n, m, m))
    seen, known, rows, reference, raw = each
    return Counted(seen, known, rows, reference, raw, np.array([0.5]))


def swayed(*values: float) -> Sway:
    """The variances of segments and references, degrees, share, skew and excess, of one mean."""
    segments, references, degrees, share, skew, excess = (np.full((1, 1), value) for value in values)
    return Sway(segments, references, degrees, share, skew, excess)


def test_what_is_not_known_to_sway_is_judged_as_in_random_order() -> None:
    counts = counted(4, 2, 500, 9_000)

    assert rates(counts, swayed(0.0, 0.0, 99.0, 0.0, 0.0, 0.0)) == pytest.approx(rates(counts), rel=1e-6)


def test_clumps_count_as_few() -> None:
    counts = counted(20, 40, 100, 9_000)

    assert rates(counts, swayed(0.0, 0.0, 99.0, 0.0, 0.0, 0.0))[0, 0] < np.log(1e-12)
    assert rates(counts, swayed(1.0, 0.01, 99.0, 1.0, 0.0, 0.0))[0, 0] > np.log(0.05)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_few_days_and_heavy_tails_make_a_difference_more_likely(sign: float) -> None:
    def chance(degrees: float, excess: float) -> float:
        gap, noise, tilt = (np.full((1, 1), value) for value in (sign * 4.0, 0.05, 0.0))
        sway = swayed(0.5, 0.0, degrees, 0.9, 0.0, excess)
        return float(deviates(gap, noise, tilt, sway).log_beyond()[0, 0])

    assert chance(1e6, 0.0) < chance(100.0, 0.0) < chance(8.0, 0.0)
    assert chance(1e6, 0.0) < chance(1e6, 1.0) < chance(1e6, 8.0)


def test_sums_of_windows_add_up_to_those_of_the_whole() -> None:
    days = [WORLD.rows(day, day + 1) for day in range(14)]
    whole, *parts = [
        sighting_of(
            PANEL,
            BASELINE,
            scan_window(BASELINE, open_source(table), window=Window(), dialect=Dialect.DEFAULT),
            Window(),
        )
        .sums[0]
        .astype(np.int64)
        for table in (pa.concat_tables(days), *days)
    ]

    np.testing.assert_array_equal(np.sum(parts, axis=0), whole)
    assert whole[-1] == 14 * 24 * PARTS


def test_a_window_without_times_is_told_by_its_bounds_or_its_rows() -> None:
    table = WORLD.rows(141, 142).drop_columns(["at"])
    profile = scan_window(BASELINE, open_source(table), window=Window(), dialect=Dialect.DEFAULT)
    bounds = Window(BEGIN + timedelta(days=141, hours=6), BEGIN + timedelta(days=141, hours=12))
    short = Window(bounds.start, BEGIN + timedelta(days=141, hours=6, minutes=15))
    width = len(BASELINE.buckets.kinds)

    unknown, told, brief = (
        sighting_of(PANEL, BASELINE, profile, window).sums[0][width:].astype(np.int64)
        for window in (Window(), bounds, short)
    )

    assert unknown[:-1].sum() == 0
    assert unknown[-1] == 24 * PARTS
    assert np.flatnonzero(told[:-1]).tolist() == [24 + at for at in range(6, 12)]
    assert [told[:-1].sum(), told[-1], brief[-1]] == [ROWS, 6 * PARTS, PARTS // 4]


def test_relations_are_judged_by_how_days_differ_and_not_for_parts_of_days() -> None:
    assert [type(witness) for witness, _ in PANEL.witnesses] == [Columns, Relations]
    witness = PANEL.witnesses[1][0]
    day, hour = (
        sighting_of(
            PANEL,
            BASELINE,
            scan_window(BASELINE, open_source(table), window=Window(), dialect=Dialect.DEFAULT),
            Window(),
        ).sums[1][None]
        for table in (WORLD.rows(141, 142), WORLD.rows(141, 142, slice(3, 12)))
    )
    torn = WORLD.rows(141, 148)
    broken = torn.set_column(1, "y", pa.array(np.random.default_rng(0).permutation(torn["y"].to_numpy())))

    of_day, of_hour = (witness.chances(one, witness.baseline[None], margin=0.0) for one in (day, hour))

    assert min(float(one.logs.min()) for one in of_day) > np.log(1e-4)
    assert all(not one.logs.any() for one in of_hour)
    assert watched(BASELINE, [broken])[0].level > 10 * watched(BASELINE, [torn])[0].level


def test_what_can_be_seen_of_one_day_is_no_less_than_what_days_differ_by() -> None:
    witness = PANEL.witnesses[0][0]

    one, month = (witness.detectable(rows, chance=1e-4, margin=0.0)[0] for rows in (ROWS, 30 * ROWS))

    assert np.isnan(one) or one > 3 * 0.3
    assert 0.3 < month < 2.0
