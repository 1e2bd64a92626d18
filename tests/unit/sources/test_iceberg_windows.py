from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.sources.iceberg_tables import folder_of, made, with_deletions
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
from watchkeep.adapters.sources.iceberg import of_iceberg
from watchkeep.core.errors import (
    UnreadableSourceError,
)
from watchkeep.service.ports import Ask


def test_files_outside_the_window_are_counted_and_not_opened(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1, 2], "at": days(1, 2)}), pa.table({"n": [3], "at": days(5)}))
    source = open_source(f"iceberg:{folder_of(table)}")
    (first,) = (one.file.file_path for one in table.scan().plan_files() if one.file.record_count == 2)
    Path(first.removeprefix("file://")).unlink()

    later = within("2024-01-03", None)

    assert [row["n"] for row in rows_of(source, later)] == [3]
    assert rows_of_parts(source, later) == rows_of(source, later)
    assert outside(source, later) == 2
    with pytest.raises(UnreadableSourceError):
        rows_of(source, within("2024-01-02T12:00:00Z", None))


def test_files_with_nulls_in_the_time_column_are_opened(tmp_path: Path) -> None:
    table = made(tmp_path, pa.table({"n": [1, 2], "at": days(1, None)}))

    (batch,) = open_source(f"iceberg:{folder_of(table)}").batches(within("2024-02-01", None))

    assert (dict(batch.rejected), dict(batch.outside)) == ({"timestamp is missing": 1}, {"window": 1})


@pytest.mark.parametrize("start", ["2024-01-01", "2024-01-02", "2024-01-04", "2024-02-01"])
@pytest.mark.parametrize("kind", [UTC_TIME, pa.timestamp("us"), pa.date32()])
def test_a_window_holds_the_same_rows_as_without_the_statistics_of_the_files(
    tmp_path: Path, start: str, kind: pa.DataType
) -> None:
    parts = (pa.table({"n": [day], "at": days(day).cast(kind, safe=False)}) for day in range(1, 7))
    source = of_iceberg(f"iceberg:{folder_of(made(tmp_path, *parts))}")
    known = [file.known for file in source.files.members]

    ask = within(start, None, columns=["n"])

    assert all(one is not None and "at" in one.times for one in known)
    assert rows_of(source, ask) == rows_of(blind(source), ask)
    assert outside(source, ask) == outside(blind(source), ask)


def test_parts_can_be_read_elsewhere_without_the_library(tmp_path: Path) -> None:
    (part,) = of_iceberg(f"iceberg:{with_deletions(tmp_path, 'PARQUET')[0]}").parts(Ask())

    assert summed_elsewhere(part) == sum(row["n"] for row in rows_of(part))
