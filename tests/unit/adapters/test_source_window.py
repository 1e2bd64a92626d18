from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import watchkeep as wk
from watchkeep.adapters.sources import open_source
from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.core.window import Window
from watchkeep.service.ports import WINDOW, Ask

Read = Callable[..., Any]
DAY = Window.between("2024-01-02", "2024-01-03")
TIMES = ["2024-01-01T23:59:59.999999Z", "2024-01-02", "2024-01-02T23:59:59Z", "2024-01-03", None, "soon"]
TABLE = pa.table({"at": TIMES, "n": range(6)})


def test_a_window_holds_its_start_and_not_its_end(read: Read) -> None:
    answer = read(TABLE, Ask(timestamp="at", window=DAY))

    assert [row["n"] for row in answer.rows] == [1, 2]
    assert answer.rejected == {"timestamp is missing": 1, "timestamp is not a time": 1}


@pytest.mark.parametrize(
    ("start", "end", "rows"), [("2024-01-02T12:00:00Z", None, [2, 3]), (None, "2024-01-02", [0])]
)
def test_a_side_may_be_open(read: Read, start: str | None, end: str | None, rows: list[int]) -> None:
    answer = read(TABLE, Ask(timestamp="at", window=Window.between(start, end)))

    assert [row["n"] for row in answer.rows] == rows


def test_without_a_window_no_time_is_looked_at(read: Read) -> None:
    answer = read(TABLE, Ask(timestamp="at"))

    assert len(answer.rows) == 6
    assert answer.rejected == {}


def test_the_time_column_is_given_only_when_it_is_asked_for(read: Read) -> None:
    ask = Ask(timestamp="at", window=DAY, columns=["n"])

    assert read(TABLE, ask).rows == [{"n": 1}, {"n": 2}]
    assert list(read(TABLE, Ask(timestamp="at", window=DAY)).rows[0]) == ["at", "n"]


def test_nan_is_a_missing_time_and_zones_count(read: Read) -> None:
    epochs = pa.table({"at": [float("nan"), 1704153600.5, None]})
    zoned = pa.table({"at": pa.array([1704153600, 1704150000], pa.timestamp("s", "Europe/Oslo"))})

    assert read(epochs, Ask(timestamp="at", window=DAY)).rejected == {"timestamp is missing": 2}
    assert len(read(zoned, Ask(timestamp="at", window=DAY)).rows) == 1


def test_a_window_needs_a_time_column() -> None:
    with pytest.raises(OptionError, match="--timestamp"):
        next(open_source(TABLE).batches(Ask(window=DAY)))
    with pytest.raises(MissingColumnError, match="the window reads column 'when'"):
        next(open_source(TABLE).batches(Ask(window=DAY, timestamp="when")))


def test_of_a_window_without_rows_only_their_number_is_told() -> None:
    ask = Ask(timestamp="at", window=Window.between("1999-01-01", "1999-01-02"))

    (batch,) = open_source(TABLE.slice(0, 4)).batches(ask)

    assert (batch.rows, dict(batch.outside)) == (0, {WINDOW: 4})


def test_rows_of_a_file_without_times_are_rejected_where_other_files_have_them(tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 4), tmp_path / "a.parquet")
    pq.write_table(TABLE.select(["n"]), tmp_path / "b.parquet")
    source = open_source(str(tmp_path))

    batches = list(source.batches(Ask(timestamp="at", window=DAY)))

    assert sum(batch.rows for batch in batches) == 2
    assert [dict(batch.rejected) for batch in batches if batch.rejected] == [{"timestamp is missing": 6}]


def test_where_no_file_has_times_that_is_told(tmp_path: Path) -> None:
    baseline = wk.DataQuality().baseline(wk.read(TABLE.slice(0, 4), timestamp="at"))
    for name in ("a", "b"):
        pq.write_table(TABLE.select(["n"]), tmp_path / f"{name}.parquet")
    source, states = str(tmp_path / "*.parquet"), wk.States(baseline, tmp_path / "states")

    with pytest.raises(
        MissingColumnError, match=r"^the window reads column 'at', which the data does not have"
    ):
        baseline.check(source, start="2024-01-02")
    with pytest.raises(
        MissingColumnError, match=r"^storing hours reads column 'at', which the data does not"
    ):
        states.fill(source)


def test_hours_leave_out_files_without_times(tmp_path: Path) -> None:
    baseline = wk.DataQuality().baseline(wk.read(TABLE.slice(0, 4), timestamp="at"))
    pq.write_table(TABLE.slice(0, 4), tmp_path / "a.parquet")
    pq.write_table(TABLE.select(["n"]), tmp_path / "b.parquet")

    report = wk.States(baseline, tmp_path / "states").fill(str(tmp_path / "*.parquet"))

    assert report.findings.profile.rows == 4
    assert report.findings.profile.rejected == {"timestamp is missing": 6}
