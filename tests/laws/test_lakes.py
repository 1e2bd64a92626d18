"""Laws of lake tables: they hold the rows written to them, in parts as in one, and whatever statistics they keep."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import cloudpickle
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sources import delta_tables, iceberg_tables
from tests.unit.sources.lakes import UTC_TIME, blind, rows_of, rows_of_parts, sorted_rows

from watchkeep.adapters.sources import file_source
from watchkeep.adapters.sources.delta import of_delta
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.iceberg import of_iceberg
from watchkeep.core.window import Window
from watchkeep.service.ports import Ask, parts_of

SCHEMA = pa.schema([("n", pa.int64()), ("s", pa.string()), ("at", UTC_TIME), ("g", pa.string())])
START = datetime(2024, 1, 1, tzinfo=UTC)


def written_by_delta(tables: Sequence[pa.Table], folder: Path) -> FileSource:
    return of_delta(f"delta:{delta_tables.made(folder, *tables, partition_by=['g'])}")


def written_by_iceberg(tables: Sequence[pa.Table], folder: Path) -> FileSource:
    return of_iceberg(f"iceberg:{iceberg_tables.folder_of(iceberg_tables.made(folder, *tables, by='g'))}")


LAKES: Mapping[str, Callable[[Sequence[pa.Table], Path], FileSource]] = {
    "delta": written_by_delta,
    "iceberg": written_by_iceberg,
}

moments = st.integers(0, 4000).map(lambda minutes: START + timedelta(minutes=minutes, microseconds=minutes))
# Of empty texts a partition makes nulls, and slashes and such end up in paths.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=4)
rows = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**60), 2**60),
        "s": st.none() | texts,
        "at": st.none() | moments,
        "g": st.none() | st.sampled_from(["a b", "é/=%", "c"]),
    }
)
tables = st.lists(rows, min_size=1, max_size=30).map(lambda found: pa.Table.from_pylist(found, SCHEMA))
cuts = st.lists(st.integers(1, 29), max_size=3)


def pieces(table: pa.Table, cut: Sequence[int]) -> list[pa.Table]:
    bounds = sorted({0, *(min(at, table.num_rows) for at in cut), table.num_rows})
    return [table.slice(start, end - start) for start, end in pairwise(bounds)]


@pytest.mark.parametrize("lake", LAKES)
@settings(max_examples=15, deadline=None)
@given(table=tables, cut=cuts)
def test_a_table_holds_the_rows_of_all_its_commits(lake: str, table: pa.Table, cut: list[int]) -> None:
    with TemporaryDirectory() as home:
        source = LAKES[lake](pieces(table, cut), Path(home))

        assert sorted_rows(rows_of(source)) == sorted_rows(table.to_pylist())
        assert rows_of(source) == rows_of(source)


@pytest.mark.parametrize("lake", LAKES)
@settings(max_examples=15, deadline=None)
@given(table=tables, cut=cuts, part=st.sampled_from([1, 2000, 10**9]))
def test_parts_give_the_rows_of_the_whole_in_their_order_wherever_they_are_read(
    lake: str, table: pa.Table, cut: list[int], part: int
) -> None:
    with TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        source = LAKES[lake](pieces(table, cut), Path(home))
        patch.setattr(file_source, "PART", part)

        sent = [cloudpickle.loads(cloudpickle.dumps(one)) for one in parts_of(source, Ask())]

        assert len(sent) >= (len(source.files.members) if part == 1 else 1)
        assert [row for one in sent for row in rows_of(one)] == rows_of(source)


@pytest.mark.parametrize("lake", LAKES)
@settings(max_examples=25, deadline=None)
@given(table=tables, cut=cuts, start=st.none() | moments, length=st.none() | st.integers(1, 3000))
def test_what_the_log_tells_changes_no_row_and_no_count(
    lake: str, table: pa.Table, cut: list[int], start: datetime | None, length: int | None
) -> None:
    end = None if length is None else (start or START) + timedelta(minutes=length)
    ask = Ask(timestamp="at", window=Window(start, end))
    with TemporaryDirectory() as home:
        source = LAKES[lake](pieces(table, cut), Path(home))

        assert rows_of(source, ask) == rows_of(blind(source), ask) == rows_of_parts(source, ask)
        assert counts(source, ask) == counts(blind(source), ask)
        assert sum(counts(source, ask)) + len(rows_of(source, ask)) == table.num_rows


def counts(source: FileSource, ask: Ask) -> tuple[int, int]:
    batches = list(source.batches(ask))
    rejected = sum(sum(batch.rejected.values()) for batch in batches)
    return rejected, sum(sum(batch.outside.values()) for batch in batches)
