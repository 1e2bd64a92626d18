"""Tables whose columns differ, as tables of one schema: new columns, missing ones, and ones of another type."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.sources.stored.columns import OF_LINES, OWN, PREFIX
from watchkeep.adapters.sources.tables import schema_of
from watchkeep.frames.buffers import strings
from watchkeep.frames.schema import is_text, is_textual

_EXACT: Final = 2**53
"""Whole numbers up to here are doubles without loss."""
_OURS: Final = {part.name: part.type for part in (*OWN, *OF_LINES)}


def settled_schema(schemas: Sequence[pa.Schema], *, inexact: Collection[str] = ()) -> pa.Schema:
    """The columns of all, each of a type that holds all its values: those of bodies first, in order of appearance.

    Whole numbers and fractions together are doubles. Types that have none in common are texts of unknown type, as is a
    column that is one already somewhere.

    Args:
        schemas: at least one.
        inexact: columns with whole numbers that are no doubles, see `inexact_in`.

    >>> one = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    >>> other = pa.schema([("b", pa.string()), ("a", pa.float64())])
    >>> [(part.name, str(part.type), bool(part.metadata)) for part in settled_schema([one, other])]
    [('a', 'double', False), ('b', 'string', True)]
    """
    fields: dict[str, list[pa.Field]] = {}
    for schema in schemas:
        for part in schema:
            fields.setdefault(part.name, []).append(part)
    names = sorted(fields, key=lambda name: name.startswith(PREFIX))  # stable
    kinds = {name: _settled(name, fields[name], exact=name not in inexact) for name in names}
    return schema_of(
        {name: kind for name, (kind, _) in kinds.items()}, [name for name in names if kinds[name][1]]
    )


def inexact_in(extremes: Iterable[tuple[str, Any, Any]]) -> set[str]:
    """The columns with whole numbers that are no doubles.

    Args:
        extremes: names of columns of whole numbers, and their least and greatest values; None where nobody knows.
    """
    return {
        name
        for name, least, most in extremes
        if least is None or max(abs(int(least)), abs(int(most))) > _EXACT
    }


def fitted(table: "pa.Table | pa.RecordBatch", schema: pa.Schema) -> pa.Table:
    """A table with the columns of a schema that `settled_schema` made of its own and others."""
    held = set(table.schema.names)
    arrays = [
        _as(table.column(part.name), table.schema.field(part.name), part)
        if part.name in held
        else pa.nulls(table.num_rows, part.type)
        for part in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _settled(name: str, parts: Sequence[pa.Field], *, exact: bool) -> tuple[pa.DataType, bool]:
    """The type of a column, and whether its texts are of unknown type."""
    ours = _OURS.get(name)
    told = [part for part in parts if not pa.types.is_null(part.type)]
    if ours is not None:
        wide = any(pa.types.is_large_string(part.type) for part in told)
        return (pa.large_string() if wide else ours), False
    if not told:
        return pa.null(), False
    kinds = list(dict.fromkeys(_plain(part.type) for part in told))
    texts = [is_text(kind) for kind in kinds]
    if all(texts):
        wide = any(map(pa.types.is_large_string, kinds))
        return (pa.large_string() if wide else pa.string()), any(map(is_textual, told))
    kind = None if any(texts) else _common(kinds, exact=exact)
    return (pa.string(), True) if kind is None else (kind, False)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _common(kinds: Sequence[pa.DataType], *, exact: bool) -> pa.DataType | None:
    """A type that holds the values of some types; None where there is none."""
    if len(kinds) == 1:
        return kinds[0]
    if any(map(pa.types.is_boolean, kinds)):
        return None
    if any(map(pa.types.is_floating, kinds)) and any(map(pa.types.is_integer, kinds)) and not exact:
        return None
    try:
        schema = pa.unify_schemas([pa.schema([("", kind)]) for kind in kinds], promote_options="permissive")
    except pa.ArrowInvalid:
        return None
    except pa.ArrowTypeError:
        return None
    kind = schema.field(0).type
    return pa.float64() if pa.types.is_floating(kind) else kind


def _as(column: Any, was: pa.Field, wanted: pa.Field) -> Any:
    kind = wanted.type
    if column.type.equals(kind):
        return column
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
        if column.type.equals(kind):
            return column
    if not is_text(kind) or is_text(column.type) or pa.types.is_null(column.type):
        return column.cast(kind)
    return _texts(column, was).cast(kind)


def _texts(column: Any, was: pa.Field) -> pa.Array:
    """Values as JSON spells them; times as ISO 8601 does."""
    if pa.types.is_integer(was.type) or pa.types.is_date(was.type):
        return _one(column.cast(pa.string()))
    if pa.types.is_timestamp(was.type):
        utc = column.cast(pa.timestamp(was.type.unit))
        return _one(pc.binary_join_element_wise(pc.strftime(utc, format="%Y-%m-%dT%H:%M:%S"), "Z", ""))
    values = column.to_pylist()
    mask = np.array([value is None for value in values], bool)
    texts = strings(["" if value is None else _spelled(value) for value in values])
    return pc.if_else(pa.array(mask), pa.nulls(len(values), pa.large_string()), texts)


def _one(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _spelled(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list | bool | int | float):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
