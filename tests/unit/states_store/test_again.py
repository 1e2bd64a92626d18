"""Hours that are read again: what was stored of them makes way, rows without a time with them."""

from pathlib import Path

import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.core.errors import StoreError


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


def test_a_damaged_hour_that_is_read_again_is_whole_again(tmp_path: Path) -> None:
    baseline = wk.DataQuality().baseline(wk.read(rows(range(10), 0), timestamp="at"))
    states = wk.States(baseline, tmp_path / "states")
    states.fill(rows(range(3), 2))
    before = states.replay(every="hour").document()["windows"]
    (piece,) = (tmp_path / "states").rglob("1970-01-01T01.hour.p0.*")
    whole = piece.read_bytes()
    for again in (True, False):
        piece.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
        with pytest.raises(
            StoreError, match="--again --start 1970-01-01T01:00:00Z --end 1970-01-01T02:00:00Z`"
        ):
            states.replay(every="hour")

        states.fill(rows(range(3), 2), again=again)

        assert states.replay(every="hour").document()["windows"] == before
        assert piece.read_bytes() == whole


def test_the_same_hour_compressed_otherwise_is_left_as_it_is(tmp_path: Path) -> None:
    """What counts is what a file holds: another version of the library may pack it otherwise."""
    baseline = wk.DataQuality().baseline(wk.read(rows(range(10), 0), timestamp="at"))
    states = wk.States(baseline, tmp_path / "states")
    states.fill(rows(range(1), 0))
    (piece,) = (tmp_path / "states").rglob("*.hour.p0.*")
    content = piece.read_bytes()
    start = content.index(b"\x28\xb5\x2f\xfd")  # as zstd begins
    size = int.from_bytes(content[start - 8 : start], "little")
    block = pa.Codec("zstd").decompress(content[start:], size, asbytes=True)
    other = content[:start] + pa.Codec("zstd", compression_level=9).compress(block, asbytes=True)
    piece.write_bytes(other)

    states.fill(rows(range(1), 0), again=True)

    assert other != content
    assert piece.read_bytes() == other
