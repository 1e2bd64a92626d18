import numpy as np
import pandas as pd
import pytest
from bench.alarms import streams
from bench.alarms.changes import Misread
from bench.alarms.data import blocks


def table(rows: int = 5_000) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame({"serial": np.arange(rows), "value": rng.normal(size=rows)})


def hours(days: int) -> pd.DataFrame:
    """Hours from a Wednesday on, without those of one afternoon; the values say the day and the hour."""
    at = pd.date_range("2024-01-03", periods=24 * days, freq="h")
    frame = pd.DataFrame({"day": np.repeat(np.arange(days), 24), "hour": at.hour, "at": at})
    return frame[~((frame["day"] == 3) & (frame["hour"] > 15))].reset_index(drop=True)


def test_a_baseline_has_no_row_twice_and_belongs_to_its_seed() -> None:
    first, again, other = (streams.baseline(table(), "t", seed, rows=1_000) for seed in (1, 1, 2))

    assert first["serial"].is_unique
    assert first.equals(again)
    assert not first.equals(other)


def test_windows_are_the_same_for_whoever_asks_and_drawn_with_replacement() -> None:
    first, again = (list(streams.unchanged(table(), "t", 1, rows=4_000, windows=3)) for _ in range(2))

    assert all(a.rows.equals(b.rows) for a, b in zip(first, again, strict=True))
    assert not first[0].rows["serial"].is_unique
    assert not first[0].rows.equals(first[1].rows)
    assert first[0].end == first[1].start


def test_a_change_begins_after_four_windows_and_lasts() -> None:
    change = Misread("value", 1.0)

    quiet = streams.unchanged(table(), "t", 1, rows=50, windows=streams.BEFORE + streams.AFTER)
    loud = streams.changed(table(), "t", 1, rows=50, change=change, reference=table())

    same = [a.rows.equals(b.rows) for a, b in zip(quiet, loud, strict=True)]
    assert same == [True] * 4 + [False] * 20


def test_all_strengths_of_a_kind_are_of_one_column() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(size=500) for name in "abcdefgh"})

    drawn = list(streams.changes(frame, "t", 5, None))

    columns: dict[str, set[tuple[str, ...]]] = {}
    for kind, _, change in drawn:
        columns.setdefault(kind, set()).add(change.columns)
    assert {len(found) for found in columns.values()} == {1}
    assert len(set.union(*columns.values())) > 1


def test_exchanged_days_keep_their_weekday_their_hours_and_their_rows_together() -> None:
    series = hours(60)

    after = streams.exchanged(series, "t", 4, days=1)

    assert (after["at"].dt.hour == after["hour"]).all()
    assert after["at"].is_monotonic_increasing
    placed = pd.DataFrame({"day": after["day"], "block": blocks(after, 1)})
    assert (placed.groupby("block")["day"].nunique() == 1).all()
    original = blocks(series, 1)[0] + after["day"]
    assert (original % 7 == placed["block"] % 7).all()
    assert sorted(after["day"]) == sorted(series["day"])
    assert (original != placed["block"]).mean() > 0.5


def test_exchanged_weeks_change_places_as_they_are() -> None:
    series = pd.DataFrame({"day": np.arange(140), "at": pd.date_range("2024-01-01", periods=140, freq="D")})

    after = streams.exchanged(series, "t", 4, days=7)

    weeks = after["day"].to_numpy().reshape(20, 7)
    assert (np.diff(weeks, axis=1) == 1).all()
    assert after["at"].equals(series["at"])
    assert not (np.diff(weeks[:, 0]) == 7).all()


@pytest.mark.parametrize(("days", "count"), [(1, 60), (7, 9)])
def test_blocks_follow_each_other_and_hold_all_rows(days: int, count: int) -> None:
    series = hours(60)

    found = list(streams.in_blocks(series, days=days))

    assert len(found) == count
    assert pd.concat([look.rows for look in found], ignore_index=True).equals(series)
    assert all(((look.rows["at"] >= look.start) & (look.rows["at"] < look.end)).all() for look in found)
