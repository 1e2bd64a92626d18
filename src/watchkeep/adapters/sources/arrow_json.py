"""JSON Lines by Arrow's own parser, held to what we promise about types."""

import re
from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.json as pajson

_NULL: Final = re.compile(rb"\n[ \t\r]*null")
_NULL_FIRST: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*null")
_MOST: Final = 2500
"""Levels of values within values that the parser has room for."""
_TEXTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_STEPS: Final = np.zeros(256, np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1
_DEEP: Final = 64
"""Levels of a type beyond which rows are made one by one."""


def parsed(block: bytes | pa.Buffer, strings: set[tuple[str, ...]]) -> pa.Table | None:
    """A row for each line; None where Arrow cannot read them, or must not be asked to.

    A line that is `null` is a row of nulls for it, and ends the process where it is the first one; so do values within
    values, some thousands of them.

    Args:
        block: whole lines of UTF-8.
        strings: paths of the fields that the parser is known to take for times; it grows.
    """
    try:
        str(block, "utf-8")
        if _NULL_FIRST.match(block) or _NULL.search(block) or _is_deep(block):
            return None
        table = _arrow(block, strings)
        if _has_deep(table.schema):
            return None
        times = {path for part in table.schema for path in _times(part)}
        if times:
            strings |= times
            table = _arrow(block, strings).select(table.schema.names)  # known strings come first otherwise
        table.validate()  # of lists of nothing but nulls and NaN it makes arrays that cannot be read
    except (pa.ArrowException, UnicodeDecodeError):
        return None
    return table


def is_simple(kind: pa.DataType) -> bool:
    """Whether a column of this type is one for us: of scalars, or of lists of numbers."""
    if pa.types.is_list(kind):
        return bool(pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type))
    return not pa.types.is_nested(kind)


def doubled(table: pa.Table) -> pa.Table:
    """A table whose lists of numbers are lists of double."""
    wanted = pa.schema([_double_lists(part) for part in table.schema])
    return table if table.schema.equals(wanted) else table.cast(wanted, safe=False)


def _is_deep(block: bytes | pa.Buffer) -> bool:
    """Whether a value may lie within more others than the parser has room for."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    starts = np.concatenate([[0], ends + 1])
    ends = np.append(ends, memoryview(block).nbytes)
    for at in np.flatnonzero(ends - starts > _MOST).tolist():
        line = bytes(memoryview(block)[starts[at] : ends[at]])
        if line.count(b"[") + line.count(b"{") > _MOST and _levels(line) > _MOST:
            return True
    return False


def _levels(line: bytes) -> int:
    """How many values lie within each other in a line, at most."""
    steps = _STEPS[np.frombuffer(_TEXTS.sub(b"", line), np.uint8)]
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def _has_deep(schema: pa.Schema) -> bool:
    kinds = list(schema.types)
    for _ in range(_DEEP):
        kinds = [kind.field(at).type for kind in kinds for at in range(kind.num_fields)]
        if not kinds:
            return False
    return True


def _arrow(block: bytes | pa.Buffer, strings: Collection[tuple[str, ...]]) -> pa.Table:
    return pajson.read_json(
        pa.BufferReader(block),
        read_options=pajson.ReadOptions(use_threads=False, block_size=len(block) + 1),
        parse_options=pajson.ParseOptions(
            explicit_schema=pa.schema(_strings(strings)), unexpected_field_behavior="infer"
        ),
    )


def _times(part: pa.Field) -> Iterator[tuple[str, ...]]:
    """Paths of the fields that were taken for times. A JSON string that looks like a time is a string."""
    inner = part.type
    if pa.types.is_list(inner):
        inner = inner.value_type
        if pa.types.is_struct(inner):
            for at in range(inner.num_fields):
                for path in _times(inner.field(at)):
                    yield (part.name, _MEMBER, *path)
        elif any(_times(pa.field("", inner))):
            yield (part.name, _MEMBER)
    elif pa.types.is_timestamp(inner):
        yield (part.name,)
    elif pa.types.is_struct(inner):
        for at in range(inner.num_fields):
            for path in _times(inner.field(at)):
                yield (part.name, *path)


_MEMBER = "\x00member"
"""What the members of a list are called in a path."""


def _strings(paths: Collection[tuple[str, ...]]) -> list[pa.Field]:
    """Fields, nested as the paths say, that are strings at the end of each path."""
    return [
        pa.field(name, _kind([path[1:] for path in paths if path[0] == name]))
        for name in sorted({path[0] for path in paths})
    ]


def _kind(paths: list[tuple[str, ...]]) -> pa.DataType:
    if not any(paths):
        return pa.string()
    if paths[0][0] == _MEMBER:
        return pa.list_(_kind([path[1:] for path in paths]))
    return pa.struct(_strings(paths))


def _double_lists(part: pa.Field) -> pa.Field:
    if pa.types.is_list(part.type):
        return pa.field(part.name, pa.list_(pa.float64()))
    if pa.types.is_struct(part.type):
        inner = [_double_lists(part.type.field(at)) for at in range(part.type.num_fields)]
        return pa.field(part.name, pa.struct(inner))
    return part
