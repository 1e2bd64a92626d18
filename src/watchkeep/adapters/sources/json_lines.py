"""Reads JSON Lines, and top-level JSON arrays of objects."""

import codecs
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.sources.arrow_json import doubled, is_simple, parsed
from watchkeep.adapters.sources.files import File, read_fully, reading
from watchkeep.adapters.sources.json_columns import JsonColumns
from watchkeep.adapters.sources.tables import Leaf, leaves, schema_of, take
from watchkeep.capture.payloads import flat
from watchkeep.core.errors import DuplicateColumnError, EmptySourceError, UnreadableSourceError
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask

BLOCK: Final = 8 * 1024 * 1024
HEAD: Final = 1024 * 1024
NOT_JSON: Final = "not JSON"
NOT_OBJECT: Final = "not a JSON object"
NOT_UTF8: Final = "not UTF-8"
_LONGEST: Final = 256 * 1024 * 1024
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ROWS: Final = 65_536


@dataclass(frozen=True, slots=True)
class Parsed:
    """Rows made of some JSON text.

    Args:
        table: the rows.
        textual: the columns that mix types.
        rejected: lines that are no rows, by reason.
    """

    table: pa.Table
    textual: frozenset[str] = frozenset()
    rejected: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JsonLines:
    """One JSON object a line, plain or compressed; or one JSON array of objects.

    Fields of nested objects are columns with dotted names (`user.age`). Lists of numbers stay lists; other
    lists are their JSON text. Strings stay strings, also those that look like times. `NaN` and `Infinity` are
    numbers. The type of a column is decided for some megabytes of lines at a time, and a column that mixes
    types there is textual. Lines that are no JSON objects are rejected and counted; blank lines are no lines.
    One line, or one element of an array, may take up to 256 MB.
    """

    clock: str | None = None

    def schema(self, file: File, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns of about the first megabyte."""
        with reading(file.name):
            for block in _parse(file, HEAD):
                names = leaves(block.table.schema, source=file.name)
                return schema_of({name: leaf.type for name, leaf in names.items()}, block.textual, open_=True)
        return schema_of({})

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, some megabytes of lines at a time."""
        with reading(file.name):
            for block in _parse(file, BLOCK):
                yield _batch(block, leaves(block.table.schema, source=file.name), ask)


def _batch(parsed: Parsed, known: Mapping[str, Leaf], ask: Ask) -> Batch:
    names = tuple(name for name in known if ask.columns is None or name in ask.columns)

    def load(name: str) -> pa.Array:
        column = take(parsed.table, known[name].path)
        return pa.nulls(len(column)) if column.null_count == len(column) else column

    return Batch(parsed.table.num_rows, names, load, parsed.textual & set(names), parsed.rejected)


def lines(stream: Any, size: int, *, source: str) -> Iterator[bytes]:
    """The text of a stream in blocks of whole lines, about `size` bytes each.

    Raises:
        EmptySourceError: there is not one byte.
        UnreadableSourceError: it is not UTF-8 by its first bytes, or a line is longer than 256 MB.
    """
    piece = read_fully(stream, size)
    rest = piece.removeprefix(codecs.BOM_UTF8)
    if rest.startswith(_UTF16):
        raise UnreadableSourceError(source, why="it is UTF-16; expected UTF-8")
    if not rest:
        raise EmptySourceError(source, why="it is empty")
    while len(piece) == size:
        cut = rest.rfind(b"\n") + 1
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
        elif len(rest) > _LONGEST:
            raise UnreadableSourceError(source, why=f"a line is longer than {_LONGEST // 1024**2} MB")
        piece = read_fully(stream, size)
        rest += piece
    if rest.strip():
        yield rest


def _parse(file: File, size: int) -> Iterator[Parsed]:
    with file.stream() as stream:
        blocks = lines(stream, size, source=file.name)
        first = next(blocks, b"")
        start = first.lstrip()
        if start.startswith(b"["):
            yield from _elements(start, blocks, source=file.name)
            return
        if start.split(b"\n", 1)[0].strip() == b"{":
            why = "it holds one JSON document spread over lines; expected one JSON object a line"
            raise UnreadableSourceError(file.name, why=why)
        strings: set[tuple[str, ...]] = set()
        for block in _chain(first, blocks):
            fast = _fast(block, strings)
            yield Parsed(fast) if fast is not None else _slow(block, source=file.name)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first.strip():
        yield first
    yield from rest


def _fast(block: bytes, strings: set[tuple[str, ...]]) -> pa.Table | None:
    """The rows by Arrow's own parser; None where it reads a block otherwise than we promise."""
    rows = sum(1 for line in block.split(b"\n") if line.strip())
    table = parsed(block, strings)
    if table is None or table.num_rows != rows:
        return None
    try:
        known = leaves(table.schema, source="")
    except DuplicateColumnError:
        return None
    return doubled(table) if all(is_simple(leaf.type) for leaf in known.values()) else None


def _slow(block: bytes, *, source: str) -> Parsed:
    """The rows line by line, with every promise kept."""
    columns = JsonColumns()
    rejected: Counter[str] = Counter()
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        value, reason = loads(line)
        if isinstance(value, dict):
            columns.add(flat(value, source=source))
        else:
            rejected[reason or NOT_OBJECT] += 1
    table, textual = columns.finish()
    return Parsed(_tall(table, columns.rows), textual, dict(rejected))


def _tall(table: pa.Table, rows: int) -> pa.Table:
    """The table, with its rows also when it has no columns (lines of `{}`)."""
    return table if table.num_columns else pa.table({"": pa.nulls(rows)}).select([])


def loads(text: bytes) -> tuple[Any, str | None]:
    """A JSON value, or None and why the text is none."""
    try:
        return json.loads(text.decode()), None
    except UnicodeDecodeError:
        return None, NOT_UTF8
    except ValueError:
        return None, NOT_JSON
    except RecursionError:
        return None, "nested too deeply"


def _elements(start: bytes, blocks: Iterator[bytes], *, source: str) -> Iterator[Parsed]:
    """The elements of a JSON array as rows, some thousands at a time."""
    columns, rejected = JsonColumns(), Counter[str]()
    for value in _array(start, blocks, source=source):
        if isinstance(value, dict):
            columns.add(flat(value, source=source))
        else:
            rejected[NOT_OBJECT] += 1
        if columns.rows >= _ROWS:
            table, textual = columns.finish()
            yield Parsed(table, textual, dict(rejected))
            columns, rejected = JsonColumns(), Counter[str]()
    if columns.rows or rejected:
        table, textual = columns.finish()
        yield Parsed(_tall(table, columns.rows), textual, dict(rejected))


def _array(start: bytes, blocks: Iterator[bytes], *, source: str) -> Iterator[object]:
    """Walks a JSON array without holding all of it: text is added only when an element is not yet whole."""
    decoder, utf8 = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8")()
    text, at, wants_value = utf8.decode(start), 1, True
    while True:
        at = len(text) - len(text[at:].lstrip())
        mark = text[at : at + 1]
        if mark == "]":
            return
        if mark == "," and not wants_value:
            at, wants_value = at + 1, True
            continue
        if mark and wants_value:
            try:
                value, end = decoder.raw_decode(text, at)
            except ValueError:
                end = len(text)
            if end < len(text):  # a number that ends the text may go on
                yield value
                at, wants_value = end, False
                continue
        more = next(blocks, None)
        if more is None or len(text) - at > _LONGEST or (mark and not wants_value):
            raise UnreadableSourceError(
                source, why=f"its JSON array breaks off or goes wrong near {text[at : at + 40]!r}"
            )
        text, at = text[at:] + utf8.decode(more), 0
