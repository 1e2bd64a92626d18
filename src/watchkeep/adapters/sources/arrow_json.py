"""JSON Lines by Arrow's own parser, held to what we promise about types."""

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.json as pajson


def parsed(block: bytes | pa.Buffer, strings: set[tuple[str, ...]]) -> pa.Table | None:
    """A row for each line; None where Arrow cannot read them.

    Args:
        block: whole lines of UTF-8.
        strings: paths of the fields that the parser is known to take for times; it grows.
    """
    try:
        str(block, "utf-8")
        table = _arrow(block, strings)
        times = {path for part in table.schema for path in _times(part)}
        if times:
            strings |= times
            table = _arrow(block, strings).select(table.schema.names)  # known strings come first otherwise
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
    return table if table.schema.equals(wanted) else table.cast(wanted)


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
