"""Reads Parquet: one row group at a time, one column when somebody asks for it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.parquet_files import parquet_file, parquet_metadata
from watchkeep.adapters.sources.readers import Told
from watchkeep.adapters.sources.tables import (
    FEWEST_ROWS,
    MOST_BYTES,
    Leaf,
    batch_of,
    leaves,
    schema_of,
    settled,
)
from watchkeep.adapters.sources.window import micros
from watchkeep.frames.batches import Batch
from watchkeep.frames.times import event_times
from watchkeep.service.ports import WINDOW, Ask

_MOST_ROWS: Final = 2_000_000
_STREAMED_ROWS: Final = 131_072
_STREAMED_BYTES: Final = 16 * 1024 * 1024
_BUFFER: Final = 1024 * 1024
# A writer gives a dictionary up once it outgrows a page of about 1 MB, so a chunk larger than that page and a
# code per row holds its values plainly. Reading those as a dictionary costs three times as much.
_DICTIONARY_PAGE: Final = 1_400_000
_CODE_BYTES: Final = 3


@dataclass(frozen=True, slots=True)
class _Column:
    """One flattened column: its leaf, and the physical columns [first, last) that hold it."""

    leaf: Leaf
    first: int
    last: int

    @property
    def physical(self) -> range:
        return range(self.first, self.last)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A Parquet file, open twice: to give texts as they are, and to give repeated texts as dictionaries."""

    file: File
    plain: Any
    coded: Any
    columns: dict[str, _Column]


class Parquet:
    """The Parquet format.

    A column of a row group is decoded when it is asked for. A row group with more than two million rows, or a
    column of more than 64 MB in it, is read in slices instead, with all its asked columns together: memory
    then depends on neither. Row groups whose statistics place them outside the window are skipped.
    """

    clock: str | None = None

    def schema(self, file: File, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns of a file, flattened."""
        with reading(file.name):
            schema = parquet_file(file.name, file.open()).schema_arrow
        return schema_of({name: leaf.type for name, leaf in leaves(schema, source=file.name).items()})

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, by row groups; small ones are read together."""
        with reading(file.name):
            opened = _open(file, ask.columns)
            waiting: list[int] = []
            rows = size = 0
            for at in _groups(file, opened.plain.metadata):
                group = opened.plain.metadata.row_group(at)
                if not group.num_rows:
                    continue
                if _outside(opened, group, ask):
                    yield skipped(group.num_rows)
                    continue
                sizes = [_size(group, column) for column in opened.columns.values()]
                if group.num_rows > _MOST_ROWS or max(sizes, default=0) > MOST_BYTES:
                    yield from _together(opened, waiting)
                    yield from _in_slices(opened, at, sum(sizes))
                    waiting, rows, size = [], 0, 0
                    continue
                waiting.append(at)
                rows, size = rows + group.num_rows, size + sum(sizes)
                if rows >= FEWEST_ROWS or size >= MOST_BYTES:
                    yield from _together(opened, waiting)
                    waiting, rows, size = [], 0, 0
            yield from _together(opened, waiting)

    def cut(self, file: File, most: int) -> Sequence[File]:
        """A file in ranges of row groups."""
        with reading(file.name):
            metadata = parquet_metadata(file.name, file.open())
            sizes = [metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)]
        # They tell bytes before compression; of the file it is known how many it takes.
        scale = (file.size or sum(sizes)) / max(1, sum(sizes))
        ranges: list[tuple[int, int]] = []
        first, held = 0, 0.0
        for at, size in enumerate(sizes):
            held += size * scale
            if held >= most:
                ranges.append((first, at + 1))
                first, held = at + 1, 0.0
        if held:
            ranges.append((first, len(sizes)))
        return [file] if len(ranges) < 2 else [replace(file, groups=one) for one in ranges]

    def told(self, file: File, ask: Ask) -> Told:
        """See `Indexed`."""
        with reading(file.name):
            opened = _open(file, None)
            groups = [opened.plain.metadata.row_group(at) for at in _groups(file, opened.plain.metadata)]
            outside = [group.num_rows for group in groups if _outside(opened, group, ask)]
            rows = sum(group.num_rows for group in groups)
            return Told(rows, len(groups), len(outside), sum(outside))


def _groups(file: File, metadata: Any) -> range:
    """The row groups that are meant."""
    return range(metadata.num_row_groups) if file.groups is None else range(*file.groups)


def skipped(rows: int) -> Batch:
    """Rows that need not be read to know that they lie outside the window."""
    return Batch.of(pa.table({}), outside={WINDOW: rows})


def _open(file: File, wanted: Collection[str] | None) -> _Opened:
    # Without `pre_buffer=False` the library reads a whole row group at once, whatever the size of its buffer.
    plain = parquet_file(file.name, file.open(), buffer_size=_BUFFER, pre_buffer=False)
    columns: dict[str, _Column] = {}
    first = 0
    schema = plain.schema_arrow  # made anew at each asking
    for name, leaf in leaves(schema, source=file.name).items():
        last = first + _width(_type_at(schema, leaf.path))
        if wanted is None or name in wanted:
            columns[name] = _Column(leaf, first, last)
        first = last
    repeated = [name for name, column in columns.items() if _is_repeated(plain.metadata, column)]
    if not repeated:
        return _Opened(file, plain, plain, columns)
    coded = parquet_file(
        file.name, file.open(), metadata=plain.metadata, read_dictionary=repeated, pre_buffer=False
    )
    return _Opened(file, plain, coded, columns)


def _type_at(schema: pa.Schema, path: Sequence[int]) -> pa.DataType:
    kind = schema.field(path[0]).type
    for step in path[1:]:
        kind = kind.field(step).type
    return kind


def _width(kind: pa.DataType) -> int:
    """How many physical columns hold a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return _width(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return 1
    return sum(_width(kind.field(at).type) for at in range(kind.num_fields)) or 1


def _is_repeated(metadata: Any, column: _Column) -> bool:
    kind = column.leaf.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)
    if not is_text or len(column.physical) != 1:
        return False
    for at in range(metadata.num_row_groups):
        chunk = metadata.row_group(at).column(column.first)
        if chunk.total_uncompressed_size > _DICTIONARY_PAGE + _CODE_BYTES * chunk.num_values:
            return False
        if not chunk.has_dictionary_page and chunk.num_values:
            return False
    return True


def _size(group: Any, column: _Column) -> int:
    return sum(int(group.column(at).total_uncompressed_size) for at in column.physical)


def _together(opened: _Opened, groups: Sequence[int]) -> Iterator[Batch]:
    """One batch over some row groups; nothing is decoded yet."""
    if not groups:
        return
    members = tuple(groups)  # the caller goes on collecting

    def load(name: str) -> pa.Array:
        column = opened.columns[name]
        with reading(f"{opened.file.name}, column {name!r}"):
            # By position: the names that `read_row_groups` takes are ambiguous when one holds a dot.
            table = opened.coded.reader.read_row_groups(
                list(members), column_indices=list(column.physical), use_threads=False
            )
            nested = len(column.leaf.path) - 1
            array = table.column(0)
            return settled(pc.struct_field(array, [0] * nested) if nested else array)

    rows = sum(opened.plain.metadata.row_group(at).num_rows for at in members)
    yield Batch(rows, tuple(opened.columns), load)


def _in_slices(opened: _Opened, at: int, size: int) -> Iterator[Batch]:
    rows = opened.plain.metadata.row_group(at).num_rows
    rows = min(max(_STREAMED_BYTES * rows // max(size, 1), 1024), _STREAMED_ROWS)
    physical = [position for column in opened.columns.values() for position in column.physical]
    for record in opened.plain.reader.iter_batches(
        rows, row_groups=[at], column_indices=physical, use_threads=False
    ):
        yield batch_of(record, source=opened.file.name)


def _outside(opened: _Opened, group: Any, ask: Ask) -> bool:
    """Whether the statistics of the time column prove that no row of the group is in the window."""
    column = opened.columns.get(ask.timestamp or "")
    if not ask.window.bounded or column is None or len(column.physical) != 1:
        return False
    found = group.column(column.first).statistics
    # A null is a rejected row, which must be counted, so its group must be read.
    if found is None or not found.has_min_max or not found.has_null_count or found.null_count:
        return False
    extremes = _as_times(opened.plain.schema.column(column.first), found)
    if extremes is None:
        return False
    times, valid = event_times(extremes)
    start, end = micros(ask.window)
    return bool(valid.all() and (times[1] < start or times[0] >= end))


def _as_times(column: Any, statistics: Any) -> pa.Array | None:
    """Least and greatest value of a column of timestamps or dates; None for other types.

    Taken raw, because the library makes pandas objects of nanoseconds.
    """
    raw = (statistics.min_raw, statistics.max_raw)
    logical = column.logical_type
    if logical.type == "DATE":
        return _array(raw, pa.date32(), np.int32)
    units = {"milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}
    for spelled, unit in units.items():
        if logical.type == "TIMESTAMP" and f"timeUnit={spelled}" in str(logical):
            return _array(raw, pa.timestamp(unit), np.int64)
    return None


def _array(values: Sequence[int], kind: pa.DataType, width: type[np.signedinteger[Any]]) -> pa.Array:
    # `pa.array` imports pandas where it is installed, which costs more than the rows it saves us.
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.array(values, width))])
