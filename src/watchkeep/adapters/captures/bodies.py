"""Bodies of requests and answers as columns, a whole block at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from watchkeep.adapters.sources.arrow_json import doubled, is_simple, parsed
from watchkeep.adapters.sources.json_columns import JsonColumns
from watchkeep.adapters.sources.tables import leaves, take
from watchkeep.capture.contents import is_csv, is_json, rows_of
from watchkeep.capture.payloads import NOT_BODY, Rejection, Row
from watchkeep.capture.wrappers import BESIDE, MEMBERS, SIDES
from watchkeep.core.errors import DuplicateColumnError
from watchkeep.frames.buffers import plain, positions

Key: TypeAlias = "str | int"
"""What a column is called: its name, or its place where values have none."""
Columns: TypeAlias = "dict[Key, pa.Array]"

_PLACE: Final = "\x1f"
"""How the names of places begin, while rows are collected; fields whose names do so get one more."""
_FIRST: Final = 1 << 20
"""Bytes in which a first line is looked for."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """Bodies, each followed by a newline.

    Args:
        data: all of them.
        ends: where each ends, its newline included, shape (bodies,).
    """

    data: pa.Buffer
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def at(self, place: int) -> bytes:
        """One of them."""
        start = self.ends[place - 1] if place else 0
        return bytes(self.data[int(start) : int(self.ends[place]) - 1])

    def array(self) -> pa.Array:
        """They as a `large_binary` array."""
        offsets = np.zeros(len(self) + 1, np.int64)
        offsets[1:] = self.ends
        raw = pa.Array.from_buffers(pa.large_binary(), len(self), [None, pa.py_buffer(offsets), self.data])
        return pc.binary_slice(raw, 0, -1) if len(self) else raw


@dataclass(frozen=True, slots=True)
class Side:
    """What bodies hold.

    Args:
        rows: of each body, shape (bodies,); 0 where it holds none.
        columns: all rows, one column each, by name, and by place (a number) where values have no names.
        textual: columns whose texts are of unknown type.
        problems: why a body holds no rows, by its place.
        layouts: which columns the first row of each body has, as numbers that differ where these do, shape (bodies,);
            0 where it holds none. None where all have all.
    """

    rows: npt.NDArray[np.int64]
    columns: Columns
    textual: frozenset[Key]
    problems: dict[int, str]
    layouts: npt.NDArray[np.int64] | None = None


def columns_of(bodies: Bodies, kinds: Sequence[str], strings: set[tuple[str, ...]]) -> Side | None:
    """What bodies hold that are all alike, by Arrow's own parser; None where they must be looked at one by one.

    Args:
        bodies: at least one.
        kinds: their content types.
        strings: see `parsed`.
    """
    different = set(kinds)
    if all(map(is_csv, different)):
        return _of_csv(bodies)
    if not all(map(is_json, different)):
        return None
    lines = np.frombuffer(bodies.data, np.uint8) == ord("\n")
    if np.count_nonzero(lines) != len(bodies):  # some are of several lines
        return None
    table = parsed(bodies.data, strings)
    if table is None or table.num_rows != len(bodies):
        return None
    names = table.schema.names
    if "dataframe_split" in names or "data" in names:
        return None
    held = [name for name in (*MEMBERS, *SIDES) if name in names]
    if not held:
        found = _named(table)
        return None if found is None else Side(np.ones(len(bodies), np.int64), found, frozenset(), {})
    if len(held) > 1 or not BESIDE.issuperset(set(names) - set(held)):
        return None
    column = table.column(held[0])
    if not pa.types.is_list(column.type) or pa.types.is_null(column.type.value_type) or column.null_count:
        return None
    try:
        members = column.combine_chunks()
    except pa.ArrowException:  # lists of nothing but nulls, of which Arrow makes arrays that it cannot read
        return None
    columns = _of_members(members.flatten(), bodies.data, tensors=held[0] in SIDES)
    return (
        None
        if columns is None
        else Side(plain(members.value_lengths()).astype(np.int64), columns, frozenset(), {})
    )


def _of_csv(bodies: Bodies) -> Side | None:
    """Rows of CSV, as many as there are lines that hold something; None where fields are quoted or rows uneven."""
    data = np.frombuffer(bodies.data, np.uint8)
    if np.isin(data, np.frombuffer(b'"\r\0', np.uint8)).any():
        return None
    after = np.flatnonzero(data == ord("\n")) + 1
    held = np.diff(after, prepend=0) > 1
    rows = np.bincount(np.searchsorted(bodies.ends, after)[held], minlength=len(bodies))
    first = bytes(bodies.data[: min(len(data), _FIRST)]).lstrip(b"\n").partition(b"\n")[0]
    names = [str(at) for at in range(first.count(b",") + 1)]
    try:
        table = pacsv.read_csv(
            pa.BufferReader(bodies.data),
            pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            pacsv.ParseOptions(quote_char=False),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowException:
        return None
    if table.num_rows != rows.sum():
        return None
    arrays = [column.combine_chunks() for column in table.columns]
    columns: Columns = {
        at: pa.nulls(len(one)) if one.null_count == len(one) else one for at, one in enumerate(arrays)
    }
    return Side(rows, columns, frozenset(columns), {})


def _of_members(values: pa.Array, data: pa.Buffer, *, tensors: bool) -> "Columns | None":
    kind = values.type
    if values.null_count and not pa.types.is_null(kind) and pa.types.is_nested(kind):
        return None
    if pa.types.is_struct(kind):
        names = {kind.field(at).name for at in range(kind.num_fields)}
        if tensors and {"name", "shape"} <= names:
            return None
        return _named(pa.Table.from_struct_array(values))
    if pa.types.is_list(kind):
        lengths = plain(values.value_lengths())
        cells = values.flatten()
        if not len(lengths) or (lengths != lengths[0]).any() or pa.types.is_nested(cells.type):
            return None
        return _by_place(cells, int(lengths[0]), data)
    return {0: values}


def _by_place(cells: pa.Array, width: int, data: pa.Buffer) -> "Columns | None":
    """The columns of rows that are lists. Arrow gives all of them one type; whole numbers are whole numbers again."""
    columns: Columns = {at: cells.take(positions(np.arange(at, len(cells), width))) for at in range(width)}
    if not pa.types.is_floating(cells.type):
        return columns
    if not any(pc.all(pc.equal(pc.floor(column), column)).as_py() for column in columns.values()):
        return columns
    spelled = _spelled_whole(data)
    if len(spelled) + cells.null_count != len(cells) or cells.null_count:
        return None
    integral = [bool(spelled[at::width].all()) for at in range(width)]
    if not (np.abs(plain(cells)) < 2**53).all():
        return None
    return {
        at: column.cast(pa.int64()) if is_whole else column
        for (at, column), is_whole in zip(columns.items(), integral, strict=True)
    }


def _spelled_whole(data: pa.Buffer) -> npt.NDArray[np.bool_]:
    """Whether each number in some JSON is spelled without a point and an exponent, in their order."""
    text = np.frombuffer(data, np.uint8)
    apart = _IS_APART[text]
    starts = np.flatnonzero(_BEGINS[text][1:] & apart[:-1]) + 1
    ends = np.flatnonzero(apart)
    ends = ends[np.searchsorted(ends, starts)]
    broken = np.concatenate([[0], np.cumsum(_BREAKS[text])])
    whole: npt.NDArray[np.bool_] = broken[ends] == broken[starts]
    return whole


def _are(letters: bytes) -> npt.NDArray[np.bool_]:
    """Which bytes are one of some letters, shape (256,)."""
    return np.isin(np.arange(256), list(letters))


_IS_APART: Final = _are(b"[]{},: \n\t\r")
_BEGINS: Final = _are(b"-0123456789")
_BREAKS: Final = _are(b".eE")


def _named(table: pa.Table) -> "Columns | None":
    """The columns of objects as `rows_of_json` names and orders them; None where they are not simple."""
    try:
        known = leaves(table.schema, source="")
    except DuplicateColumnError:
        return None
    if not known or not all(is_simple(leaf.type) for leaf in known.values()):
        return None
    table = doubled(table)
    return {name: take(table, known[name].path) for name in sorted(known)}


def one_by_one(bodies: Bodies, kinds: Sequence[str]) -> Side:
    """What bodies hold, looked at one by one."""
    rows, layouts = np.zeros(len(bodies), np.int64), np.zeros(len(bodies), np.int64)
    known: dict[object, int] = {}
    problems: dict[int, str] = {}
    found: list[Row] = []
    for at, kind in enumerate(kinds):
        try:
            own = rows_of(bodies.at(at), kind)
        except Rejection as rejection:
            problems[at] = rejection.reason
            continue
        except Exception:  # noqa: BLE001 (anybody may send it, and the others are to be sealed)
            problems[at] = NOT_BODY
            continue
        rows[at] = len(own)
        if own:
            first = tuple(own[0]) if isinstance(own[0], dict) else len(own[0])
            layouts[at] = known.setdefault(first, len(known) + 1)
        found += own
    columns, textual = table_of(found)
    return Side(rows, columns, textual, problems, layouts)


def table_of(rows: Sequence[Row]) -> tuple[Columns, frozenset[Key]]:
    """Rows as columns, and which of these are texts of unknown type."""
    columns = JsonColumns()
    for row in rows:
        if isinstance(row, dict):
            places = any(name.startswith(_PLACE) for name in row)
            columns.add({_field(name): value for name, value in row.items()} if places else row)
        else:
            columns.add({f"{_PLACE}{at}": value for at, value in enumerate(row)})
    table, textual = columns.finish()
    arrays: Columns = {_key(name): table.column(name).combine_chunks() for name in table.schema.names}
    return arrays, frozenset(map(_key, textual))


def _field(name: str) -> str:
    return _PLACE + name if name.startswith(_PLACE) else name


def _key(name: str) -> Key:
    if not name.startswith(_PLACE):
        return name
    rest = name.removeprefix(_PLACE)
    return rest if rest.startswith(_PLACE) else int(rest)
