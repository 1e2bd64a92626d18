"""Hours that are read again: what was stored of them makes way, rows without a time with them."""

from pathlib import Path

import pyarrow as pa

import watchkeep as wk


def rows(hours: range, untimed: int) -> pa.Table:
    times = [hour * 3600 + at * 36 for hour in hours for at in range(100)]
    stamps = [*times, *[None] * untimed]
    return pa.table(
        {"n": [float(at % 7) for at in range(len(stamps))], "at": pa.array(stamps, pa.timestamp("s", "UTC"))}
    )


def test_rows_without_a_time_make_way_with_the_hours_they_came_with(tmp_path: Path) -> None:
    baseline = wk.DataQuality().baseline(wk.read(rows(range(10), 0), timestamp="at"))
    for before, after in ((range(2), range(1)), (range(6), range(5)), (range(3), range(3))):
        states = wk.States(baseline, tmp_path / f"{before.stop}-{after.stop}")
        end = f"1970-01-01T{before.stop:02}:00:00Z"
        states.fill(rows(before, 7), start="1970-01-01T00:00:00Z", end=end)
        states.fill(rows(after, 4), start="1970-01-01T00:00:00Z", end=end, again=True)

        whole = states.over("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z")

        assert whole.rows == 100 * after.stop
        assert sum(whole.rejected.values()) == 4
