"""Arrow tables of any make as batches: flattened, in plain layouts, of even sizes."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import DuplicateColumnError
from watchkeep.frames.batches import Batch, one_chunk
from watchkeep.frames.schema import OPEN, TEXTUAL

FEWEST_ROWS: Final = 65_536
"""Smaller record batches are joined until they have this many rows: a batch has a price of its own."""
MOST_ROWS: Final = 1_048_576
"""Larger ones are cut, so that what a scan needs beside a column stays small."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Record batches are not joined beyond this size."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column after nested ones are flattened.

    Args:
        path: the position of the top column, then of the field within it, and so on.
        type: the Arrow type that its arrays have once settled.
    """

    path: tuple[int, ...]
    type: pa.DataType


def leaves(schema: pa.Schema, *, source: str) -> dict[str, Leaf]:
    """The columns of a schema by name; a field `age` of a struct column `user` is the column `user.age`.

    Raises:
        DuplicateColumnError: two columns share one name.

    >>> list(leaves(pa.schema([("id", pa.int64()), ("user", pa.struct([("age", pa.int8())]))]), source="x"))
    ['id', 'user.age']
    """
    found: dict[str, Leaf] = {}
    for at, field in enumerate(schema):
        for name, leaf in _below(field, (at,)):
            if name in found:
                raise DuplicateColumnError(name, source=source)
            found[name] = leaf
    return found


def _below(field: pa.Field, path: tuple[int, ...]) -> Iterator[tuple[str, Leaf]]:
    if not pa.types.is_struct(field.type):
        yield field.name, Leaf(path, settled_type(field.type))
        return
    for at in range(field.type.num_fields):
        for name, leaf in _below(field.type.field(at), (*path, at)):
            yield f"{field.name}.{name}", leaf


def distinct(names: Iterable[str], *, source: str) -> tuple[str, ...]:
    """The names, when no two are the same.

    Raises:
        DuplicateColumnError: two are.
    """
    seen: dict[str, None] = {}
    for name in names:
        if name in seen:
            raise DuplicateColumnError(name, source=source)
        seen[name] = None
    return tuple(seen)


def settled_type(kind: pa.DataType) -> pa.DataType:
    """The layout we keep a type's values in: views, extensions and run-end encoding become plain."""
    is_ = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return settled_type(kind.storage_type)
    if is_.is_run_end_encoded(kind):
        return settled_type(kind.value_type)
    if is_.is_dictionary(kind):
        return pa.dictionary(pa.int32(), settled_type(kind.value_type))
    if is_.is_string_view(kind):
        return pa.large_string()
    if is_.is_binary_view(kind):
        return pa.large_binary()
    return kind


def settled(column: "pa.Array | pa.ChunkedArray") -> pa.Array:
    """A column as one array in the layout of `settled_type`."""
    array = one_chunk(column)
    while isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    if pa.types.is_run_end_encoded(array.type):
        return settled(pc.run_end_decode(array))
    if pa.types.is_dictionary(array.type):
        wanted = settled_type(array.type)
        if array.type.equals(wanted):
            return array
        return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), settled(array.dictionary))
    wanted = settled_type(array.type)
    return array if array.type.equals(wanted) else array.cast(wanted)


def take(table: "pa.Table | pa.RecordBatch", path: tuple[int, ...]) -> pa.Array:
    """One flattened column of a table. A null struct gives nulls."""
    column = table.column(path[0])
    return settled(pc.struct_field(column, list(path[1:])) if len(path) > 1 else column)


def batch_of(
    table: "pa.Table | pa.RecordBatch",
    *,
    source: str,
    columns: Collection[str] | None = None,
    textual: frozenset[str] = frozenset(),
    rejected: Mapping[str, int] | None = None,
) -> Batch:
    """A batch over a table whose columns are flattened and settled when they are asked for."""
    known = leaves(table.schema, source=source)
    names = tuple(name for name in known if columns is None or name in columns)

    def load(name: str) -> pa.Array:
        return take(table, known[name].path)

    return Batch(table.num_rows, names, load, textual & set(names), rejected or {})


def schema_of(
    columns: Mapping[str, pa.DataType], textual: Collection[str] = (), *, open_: bool = False
) -> pa.Schema:
    """A schema whose textual columns carry the mark of `Source.schema`, and so does an open schema."""
    mark = {TEXTUAL: b"1"}
    return pa.schema(
        [pa.field(name, kind, metadata=mark if name in textual else None) for name, kind in columns.items()],
        metadata={OPEN: b"1"} if open_ else None,
    )


def union(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """All columns in the order of first appearance, each with its first type that is not null; open if one is.

    >>> union([pa.schema([("a", pa.null())]), pa.schema([("b", pa.int8()), ("a", pa.string())])]).names
    ['a', 'b']
    """
    fields: dict[str, pa.Field] = {}
    open_ = False
    for schema in schemas:
        open_ |= bool(schema.metadata and OPEN in schema.metadata)
        for field in schema:
            if field.name not in fields or pa.types.is_null(fields[field.name].type):
                fields[field.name] = field
    return pa.schema(list(fields.values()), metadata={OPEN: b"1"} if open_ else None)


def evened(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows in the same order, in tables neither tiny nor huge."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        if waiting and rows + batch.num_rows > MOST_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
        if batch.num_rows > MOST_ROWS:
            for start in range(0, batch.num_rows, MOST_ROWS):
                yield pa.Table.from_batches([batch.slice(start, MOST_ROWS)])
            continue
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= FEWEST_ROWS or size >= MOST_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)
