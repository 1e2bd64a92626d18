"""What blocks of time are learned to differ by, where the truth is known."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.baselines.blocks import Blocks
from watchkeep.baselines.buckets import Buckets, Kind
from watchkeep.baselines.foretelling import terms_of
from watchkeep.baselines.seasons import Clock, Season, phase_of, phases_of
from watchkeep.baselines.spread import FEWEST
from watchkeep.baselines.timeline import PARTS, Timeline, timeline_of

Doubles = npt.NDArray[np.float64]
ROWS = 100
"""Of a day."""


def process(rng: np.random.Generator, days: int, *, rho: float, deviation: float) -> Doubles:
    """An autoregression of such deviation."""
    out = np.empty(days)
    out[0] = rng.normal()
    for day in range(1, days):
        out[day] = rho * out[day - 1] + np.sqrt(1 - rho**2) * rng.normal()
    return deviation * out


def blocks_of(values: Doubles, place: npt.NDArray[np.int64], step: int) -> tuple[Blocks, Buckets]:
    """A column of numbers, of 30 buckets, by block."""
    edges = np.quantile(values, np.linspace(0, 1, 31))[1:-1]
    codes = 2 + np.searchsorted(edges, values)
    kinds = [Kind.FAR, Kind.BEYOND, *[Kind.NUMBER] * 30, Kind.BEYOND, Kind.FAR, Kind.STRANGE, Kind.MISSING]
    places, of = np.unique(place, return_inverse=True)
    counts = np.bincount(of * 36 + codes, minlength=36 * len(places)).reshape(-1, 36)
    buckets = Buckets(
        ("x",), np.array([0, 36]), np.array(kinds, np.int8), counts.sum(axis=0), np.zeros(1, np.int64)
    )
    return Blocks(step, places, counts.sum(axis=1), counts.astype(np.int32)), buckets


def days_of(effects: Doubles, rng: np.random.Generator, step: int = 24) -> Timeline:
    day = np.repeat(np.arange(len(effects)), ROWS)
    found = timeline_of(*blocks_of(effects[day] + rng.normal(size=len(day)), day, step))
    assert found is not None
    return found


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_the_variance_of_stretches_of_days_is_that_of_the_process(rho: float) -> None:
    rng = np.random.default_rng(1)

    timeline = days_of(process(rng, 1_500, rho=rho, deviation=0.5), rng)

    assert timeline.unrest is not None
    lags = {days: [(days - lag) * rho**lag for lag in range(1, days)] for days in (1, 4, 16)}
    truth = np.array([0.2 * (days + 2 * sum(sums)) / days**2 for days, sums in lags.items()])  # 0.25 / 1.25
    found = timeline.unrest.means.variance(np.array([1.0, 4.0, 16.0]))[:, 0]
    np.testing.assert_allclose(found, truth, rtol=0.25)
    assert timeline.unrest.means.degrees[0, 0] == pytest.approx(1_500 * (1 - rho**2) / (1 + rho**2), rel=0.4)


def test_days_of_rows_in_random_order_are_told_so() -> None:
    verdicts = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        verdicts.append(days_of(np.zeros(30), rng).exchangeable)

    assert verdicts.count(False) <= 3  # one in a hundred; with 40, four have a chance of 0.0008
    assert days_of(np.zeros(30), np.random.default_rng(0)).sentence == (
        "rows judged as exchangeable: 30 days differ no more than random rows would"
    )


@given(st.integers(0, 1_000))
def test_days_that_differ_by_a_third_of_a_row_are_told_so(seed: int) -> None:
    rng = np.random.default_rng(seed)

    assert not days_of(process(rng, 40, rho=0.3, deviation=0.35), rng).exchangeable


def hourly(rng: np.random.Generator, days: int, *, of_day: float, of_week: float) -> Timeline:
    hour = np.repeat(np.arange(days * 24), 5)
    values = rng.normal(size=len(hour)) + of_day * np.sin(2 * np.pi * hour / 24)
    values += of_week * ((hour // 24) % 7 < 2) + 0.2 * rng.normal(size=days)[hour // 24]
    found = timeline_of(*blocks_of(values, hour, 1))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("of_day", "of_week", "days", "season"),
    [
        (0.0, 0.0, 42, Season.NONE),
        (1.0, 0.0, 42, Season.HOUR_OF_DAY),
        (0.0, 1.5, 42, Season.DAY_OF_WEEK),
        (1.5, 2.0, 70, Season.HOUR_OF_WEEK),
        (0.0, 1.5, 14, Season.NONE),
    ],
)
def test_a_column_is_foretold_by_the_season_it_has(
    of_day: float, of_week: float, days: int, season: Season
) -> None:
    timeline = hourly(np.random.default_rng(3), days, of_day=of_day, of_week=of_week)

    assert set(timeline.seasons.tolist()) == {season}
    known = "by how blocks of time differ" if season is Season.NONE else f"by {season.words}"
    assert timeline.sentence == f"judged {known}; {days} days"


def test_phases_foretell_their_rows_and_no_phase_the_whole() -> None:
    timeline = hourly(np.random.default_rng(4), 42, of_day=2.0, of_week=0.0)
    assert not timeline.exchangeable
    six, eighteen = np.zeros((2, 168))
    six[[6, 30]], eighteen[[18, 42]] = 10.0, 3.0

    high, low, every = timeline.foretold(np.stack([six, eighteen, np.zeros(168)]))

    assert high[2:17].sum() < 0.2 < 0.8 < low[2:17].sum()
    np.testing.assert_allclose(
        every[2:32], timeline.phases.sum(axis=0)[2:32] / timeline.phase_rows.sum(), rtol=0.01
    )
    np.testing.assert_allclose([high.sum(), low.sum(), every.sum()], 1.0)


def test_too_few_days_teach_nothing() -> None:
    day = np.repeat(np.arange(FEWEST - 1), 24 * ROWS)
    hour = np.tile(np.repeat(np.arange(24), ROWS), FEWEST - 1)
    values = np.random.default_rng(0).normal(size=len(day))

    assert timeline_of(*blocks_of(values, day * 24 + hour, 1)) is None


def test_a_window_is_told_by_its_hours_and_how_much_of_a_block_it_fills() -> None:
    timeline = hourly(np.random.default_rng(5), 30, of_day=1.0, of_week=0.0)
    hours = np.array([24 * 4, 24 * 4 + 1, 24 * 11 + 1])

    when = timeline.when(hours, np.array([5, 2, 1]), 99.0)
    quarter = timeline.when(hours[:1], np.array([7]), 0.25)
    instant = timeline.when(hours[:1], np.array([7]), 0.0)

    assert when[96:98].tolist() == [5, 3]
    assert when[:-1].sum() == 8
    assert [when[-1], quarter[-1], instant[-1]] == [3 * PARTS, PARTS // 4, PARTS]
    assert timeline.sums.tolist() == [*timeline.phase_rows.tolist(), 30 * 24 * PARTS]


@given(st.integers(1, 168), st.integers(-(10**6), 10**6))
def test_phases_come_round_every_week(step: int, place: int) -> None:
    if 168 % step:
        return
    phases = phases_of(step)
    found = phase_of(np.array([place, place + phases]), step)

    assert found[0] == found[1]
    assert 0 <= found[0] < phases


def test_days_with_gaps_make_stretches_of_days_that_hold_rows() -> None:
    places = np.array([24 * day + hour for day in (0, 1, 5, 9, 10, 11, 20, 21) for hour in (8, 9, 10)])
    counts = np.ones((len(places), 1), np.int32)

    clock = Clock.of(Blocks(1, places, np.ones(len(places), np.int64), counts))

    assert clock.days.tolist() == np.repeat(np.arange(8), 3).tolist()
    assert [[each.length for each in chain] for chain in clock.chains] == [[1.0, 2.0], [3.0]]
    assert clock.chains[1][0].sums(np.ones(len(places))).tolist() == [3.0] * 8


def test_terms_are_runs_of_about_an_eighth_and_what_holds_no_row_goes_with_a_neighbour() -> None:
    rows = np.array([0, 0, 10, 10, 10, 200, 10, 10, 0, 0, 0, 50], np.float64)
    valued = np.array([1.0] * 11 + [0.0])

    assert terms_of(rows, valued).tolist() == [0, 5, 6, 11]


def test_fewer_columns_keep_what_is_theirs() -> None:
    rng = np.random.default_rng(9)
    day = np.repeat(np.arange(60), ROWS)
    pieces = [
        blocks_of(process(rng, 60, rho=0.5, deviation=each)[day] + rng.normal(size=len(day)), day, 24)
        for each in (0.2, 0.9)
    ]
    starts = np.array([0, 36, 72])
    both = Buckets(
        ("a", "b"),
        starts,
        np.tile(pieces[0][1].kinds, 2),
        np.concatenate([one[1].baseline for one in pieces]),
        np.zeros(2, np.int64),
    )
    counts = np.concatenate([one[0].counts for one in pieces], axis=1)
    whole = timeline_of(Blocks(24, pieces[0][0].places, pieces[0][0].rows, counts), both)
    alone = timeline_of(pieces[1][0], pieces[1][1])
    assert whole is not None
    assert alone is not None
    assert whole.unrest is not None
    assert alone.unrest is not None
    second = Buckets(
        ("b",), pieces[1][1].starts, pieces[1][1].kinds, pieces[1][1].baseline, np.zeros(1, np.int64)
    )

    kept = whole.only(both, second)

    assert kept is not None
    assert kept.unrest is not None
    np.testing.assert_array_equal(kept.terms, alone.terms)
    np.testing.assert_array_equal(kept.phases, alone.phases)
    np.testing.assert_allclose(kept.unrest.means.variances, alone.unrest.means.variances)
    np.testing.assert_allclose(kept.unrest.histograms.variances, alone.unrest.histograms.variances)
    assert whole.only(second, both) is None
