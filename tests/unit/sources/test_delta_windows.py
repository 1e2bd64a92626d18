from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.sources.delta_tables import actions, commits, made, with_deletions
from tests.unit.sources.lakes import (
    UTC_TIME,
    blind,
    days,
    outside,
    rows_of,
    rows_of_parts,
    summed_elsewhere,
    within,
)

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.delta import of_delta
from watchkeep.adapters.sources.readers import Told
from watchkeep.core.errors import (
    UnreadableSourceError,
)
from watchkeep.service.ports import Ask


def test_files_outside_the_window_are_counted_and_not_opened(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1, 2], "at": days(1, 2)}), pa.table({"n": [3], "at": days(5)}))
    source = open_source(f"delta:{lake}")
    (lake / next(a["path"] for a in actions(lake, "add") if '"numRecords":2' in a["stats"])).unlink()

    later = within("2024-01-03", None)

    assert [row["n"] for row in rows_of(source, later)] == [3]
    assert rows_of_parts(source, later) == rows_of(source, later)
    assert outside(source, later) == 2
    with pytest.raises(UnreadableSourceError):
        rows_of(source, within("2024-01-02T12:00:00Z", None))


def test_what_a_file_says_is_told_by_the_log_where_it_suffices(tmp_path: Path) -> None:
    lake = made(tmp_path, pa.table({"n": [1, 2], "at": days(1, 2)}))
    source = of_delta(f"delta:{lake}")
    (file,) = source.files.members
    assert source.told(file, within("2024-01-02", None)) == Told(rows=2, groups=1, skipped=0, outside=0)

    Path(file.path).unlink()

    assert source.told(file, within("2024-01-03", None)) == Told(rows=2, groups=1, skipped=1, outside=2)
    assert source.told(file, within("2024-01-02", None)) == Told(rows=2, groups=0, skipped=0, outside=0)


def test_files_with_nulls_in_the_time_column_are_opened(tmp_path: Path) -> None:
    source = open_source(f"delta:{made(tmp_path, pa.table({'n': [1, 2], 'at': days(1, None)}))}")

    (batch,) = source.batches(within("2024-02-01", None))

    assert (dict(batch.rejected), dict(batch.outside)) == ({"timestamp is missing": 1}, {"window": 1})


def test_the_last_time_of_a_file_may_be_cut_to_a_millisecond(tmp_path: Path) -> None:
    last = datetime(2024, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    lake = made(tmp_path, pa.table({"at": pa.array([last], UTC_TIME)}))
    assert "12:00:00.123Z" in commits(lake)[0].read_text()

    assert rows_of(open_source(f"delta:{lake}"), within("2024-01-01T12:00:00.123400Z", None)) == [
        {"at": last}
    ]


def test_a_partition_may_hold_the_event_time(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 2, 3], "day": [date(2024, 1, 1), date(2024, 1, 2), None]})
    lake = made(tmp_path, table, partition_by=["day"])
    source = of_delta(f"delta:{lake}")

    ask = within("2024-01-02", None, timestamp="day")

    assert [row["n"] for row in rows_of(source, ask)] == [2]
    rejected = [dict(batch.rejected) for batch in source.batches(ask) if batch.rejected]
    assert (outside(source, ask), rejected) == (1, [{"timestamp is missing": 1}])


@pytest.mark.parametrize("start", ["2024-01-01", "2024-01-02T12:00:00Z", "2024-01-04", "2024-02-01"])
def test_a_window_holds_the_same_rows_as_without_the_statistics_of_the_log(
    tmp_path: Path, start: str
) -> None:
    lake = made(tmp_path, *(pa.table({"n": [at], "at": days(at)}) for at in range(1, 7)))
    source = of_delta(f"delta:{lake}")

    ask = within(start, "2024-01-05" if start < "2024-01-05" else None, columns=["n"])

    assert rows_of(source, ask) == rows_of(blind(source), ask)
    assert outside(source, ask) == outside(blind(source), ask)


def test_parts_can_be_read_elsewhere_without_the_library(tmp_path: Path) -> None:
    (part,) = of_delta(f"delta:{with_deletions(tmp_path)}").parts(Ask())

    assert summed_elsewhere(part) == sum(row["n"] for row in rows_of(part))
