"""Bodies of requests and answers as rows of values, whatever server's form they have."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from watchkeep.capture.wrappers import MEMBERS, SIDES, is_wrapper
from watchkeep.core.errors import DuplicateColumnError

Row: TypeAlias = "dict[str, object] | list[object]"
"""Values by name (of a JSON object), or by place (of a line of CSV, or a JSON array)."""
MakeRow: TypeAlias = Callable[[object, str], Row]
"""Makes a row of a JSON value, given what an error names."""

NOT_BODY: Final = "payload cannot be parsed"
UNEVEN: Final = "columns of a payload have different lengths"
BINARY: Final = "payload holds binary tensors"
_LINES: Final = re.compile("[\r\n]+").split
"""Gives the lines of JSON Lines: texts in them may hold whatever else ends a line elsewhere, such as U+2028."""


class Rejection(Exception):  # noqa: N818 (it is counted, never shown)
    """A record that holds no rows for us.

    Args:
        reason: under which it is counted.
        rows: how many rows are lost.
    """

    def __init__(self, reason: str, rows: int = 1) -> None:
        self.reason, self.rows = reason, rows
        self.at: object = None
        """When the record was made, as it says itself; None when it does not."""
        super().__init__(reason)


class Cell(str):
    """A text of unknown type, such as a field of CSV, beside JSON strings, which are texts for sure."""

    __slots__ = ()


def named(width: int, positional: Sequence[str] | None) -> tuple[str, ...]:
    """Names for so many columns that come without names.

    >>> named(3, ["age", "city"])
    ('age', 'city', '_c2')
    """
    given = tuple(positional or ())[:width]
    return given + tuple(f"_c{at}" for at in range(len(given), width))


def flat(value: Mapping[str, object], *, source: str) -> dict[str, object]:
    """The scalars and lists of an object by dotted name.

    Raises:
        DuplicateColumnError: two of them would have one name.

    >>> flat({"id": 1, "user": {"age": 41, "tags": ["x"]}}, source="x")
    {'id': 1, 'user.age': 41, 'user.tags': ['x']}
    """
    found: dict[str, object] = {}
    _flatten(value, "", found, source)
    return found


def _flatten(value: Mapping[str, object], prefix: str, found: dict[str, object], source: str) -> None:
    for key, inner in value.items():
        name = prefix + key
        if isinstance(inner, dict):
            _flatten(inner, f"{name}.", found, source)
        elif name in found:
            raise DuplicateColumnError(name, source=source)
        else:
            found[name] = inner


def rows_of_csv(data: str) -> list[Row]:
    r"""A row a line; fields are texts of unknown type, and an empty one is missing.

    Raises:
        Rejection: it is no CSV.

    >>> rows_of_csv("34,red\n\n51,\n")
    [['34', 'red'], ['51', None]]
    """
    try:
        return [
            [Cell(cell) if cell else None for cell in row]
            for row in csv.reader(io.StringIO(data, newline=""))
            if row
        ]
    except csv.Error as error:
        raise Rejection(NOT_BODY) from error


def bodies_of_json(data: str) -> list[object]:
    r"""The JSON value of a body, or those of its lines.

    Raises:
        Rejection: it is no JSON.

    >>> bodies_of_json('{"a": 1}\n{"a": 2}\n')
    [{'a': 1}, {'a': 2}]
    """
    try:
        return [json.loads(data)]
    except RecursionError as error:
        raise Rejection(NOT_BODY) from error
    except ValueError:
        return [_of_line(line) for line in _LINES(data) if line.strip()]


def _of_line(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Rejection(NOT_BODY) from error


def flat_row(item: object, source: str) -> Row:
    """A JSON value as a row: the scalars and lists of an object by dotted name, in the order of names."""
    if isinstance(item, dict):
        return dict(sorted(flat(item, source=source).items()))
    return plain_row(item, source)


def plain_row(item: object, source: str) -> Row:  # noqa: ARG001 (of the shape of `MakeRow`)
    """A JSON value as a row, objects as they are."""
    return item if isinstance(item, dict | list) else [item]


def rows_of_json(body: object, *, source: str, row: MakeRow = flat_row) -> list[Row]:
    """The rows of a JSON value.

    It is an object, an array of objects or of arrays, or one of the forms of servers: `instances` and `predictions`
    (KServe V1, TensorFlow Serving), `inputs` and `outputs` as tensors (Open Inference Protocol), as columns or as rows
    (TensorFlow Serving, MLflow), `dataframe_split` and `dataframe_records` (MLflow), `data` with `ndarray` or
    `tensor` (Seldon). An array of scalars is one row, except where such a name says that each is a row of its own.

    Args:
        body: what the JSON says.
        source: what an error names.
        row: makes a row of a JSON value.

    Raises:
        Rejection: it holds no rows.
        DuplicateColumnError: two values of a row would have one name.

    >>> rows_of_json({"predictions": [0.1, 0.7]}, source="x")
    [[0.1], [0.7]]
    >>> tensor = {"name": "age", "shape": [2, 1], "datatype": "FP64", "data": [41, 7]}
    >>> rows_of_json({"inputs": [tensor, {**tensor, "name": "fare"}]}, source="x")
    [{'age': 41, 'fare': 41}, {'age': 7, 'fare': 7}]
    >>> rows_of_json({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}, source="x")
    [{'a': 1, 'b': 2}]
    """
    if isinstance(body, dict):
        return _of_object(body, source, row)
    if isinstance(body, list) and not any(isinstance(item, dict | list) for item in body):
        return [list(body)]
    if isinstance(body, list):
        return [row(item, source) for item in body]
    if body is None:
        raise Rejection(NOT_BODY)
    return [[body]]


def _of_object(body: dict[str, Any], source: str, row: MakeRow) -> list[Row]:
    for name in MEMBERS:
        held = body.get(name)
        if isinstance(held, list) and is_wrapper(body, name):
            return [row(item, source) for item in held]
    split = body.get("dataframe_split")
    if isinstance(split, dict):
        return _of_split(split)
    for name in SIDES:
        held = body.get(name)
        if isinstance(held, list | dict) and is_wrapper(body, name):
            return _of_side(held, source, row)
    data = body.get("data")
    if isinstance(data, dict) and ("ndarray" in data or "tensor" in data):
        return _of_seldon(data, source, row)
    return [row(body, source)]


def _of_split(split: Mapping[str, Any]) -> list[Row]:
    names, data = split.get("columns"), split.get("data")
    if not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        raise Rejection(NOT_BODY)
    if not isinstance(names, list):
        return list(data)
    if any(len(row) != len(names) for row in data):
        raise Rejection(UNEVEN, max(1, len(data)))
    return [dict(zip(map(str, names), row, strict=True)) for row in data]


def _of_side(held: "list[Any] | dict[str, Any]", source: str, row: MakeRow) -> list[Row]:
    if isinstance(held, dict):
        return _of_columns(
            {name: value if isinstance(value, list) else [value] for name, value in held.items()}
        )
    if held and all(isinstance(one, dict) and "name" in one and "shape" in one for one in held):
        return _of_tensors(held)
    return [row(item, source) for item in held]


def _of_tensors(tensors: Sequence[Mapping[str, Any]]) -> list[Row]:
    columns: dict[str, list[object]] = {}
    for tensor in tensors:
        data, shape = tensor.get("data"), tensor["shape"]
        if data is None:
            raise Rejection(BINARY, _first(shape))
        cells = _level(data)
        rows = _first(shape)
        width = len(cells) // rows if rows else 0
        if not rows or width * rows != len(cells):
            raise Rejection(UNEVEN, max(1, rows))
        if width == 1:
            columns[str(tensor["name"])] = cells
        elif len(tensors) == 1:
            return [cells[at * width : (at + 1) * width] for at in range(rows)]
        else:
            columns |= {f"{tensor['name']}.{place}": cells[place::width] for place in range(width)}
    return _of_columns(columns)


def _first(shape: object) -> int:
    """How many rows a tensor of this shape has."""
    first = shape[0] if isinstance(shape, list) and shape else 1
    return first if isinstance(first, int) and not isinstance(first, bool) and first >= 0 else 1


def _level(data: object) -> list[object]:
    """Nested lists as one; each value is looked at once, however deep they are nested."""
    cells: list[object] = []
    left = [iter(data if isinstance(data, list) else [data])]
    while left:
        for cell in left[-1]:
            if isinstance(cell, list):
                left.append(iter(cell))
                break
            cells.append(cell)
        else:
            left.pop()
    return cells


def _of_columns(columns: Mapping[str, Sequence[object]]) -> list[Row]:
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise Rejection(UNEVEN, max(lengths))
    names = list(columns)
    # A tensor of one column may come as lists of one.
    return [
        dict(zip(names, (_bare(cell) for cell in row), strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def _bare(cell: object) -> object:
    return cell[0] if isinstance(cell, list) and len(cell) == 1 else cell


def _of_seldon(data: Mapping[str, Any], source: str, row: MakeRow) -> list[Row]:
    tensor, names = data.get("tensor"), data.get("names")
    if isinstance(tensor, dict):
        rows = _of_tensors([{"name": "", "shape": tensor.get("shape"), "data": tensor.get("values")}])
    elif "ndarray" in data:
        rows = rows_of_json(data["ndarray"], source=source, row=row)
    else:
        raise Rejection(NOT_BODY)
    bare = [list(row.values()) if isinstance(row, dict) and tensor is not None else row for row in rows]
    if not isinstance(names, list) or any(isinstance(row, dict) or len(row) != len(names) for row in bare):
        return bare
    return [dict(zip(map(str, names), row, strict=True)) for row in bare]


def joined(output: Row, given: Row, positional: Sequence[str] | None) -> dict[str, object]:
    """One row of both sides: the output's columns, then the input's.

    Values without names are called by their place in that order. Where both sides have a name, the input's
    gets the suffix `_input`.

    >>> joined(["0.12"], ["34", "red"], ["score", "age"])
    {'score': '0.12', 'age': '34', '_c2': 'red'}
    >>> joined({"id": 7, "score": 0.1}, {"age": 34, "id": 7}, None)
    {'id': 7, 'score': 0.1, 'age': 34, 'id_input': 7}
    """
    names = named(len(output) + len(given), positional)
    row = output if isinstance(output, dict) else dict(zip(names, output, strict=False))
    inputs = given if isinstance(given, dict) else dict(zip(names[len(output) :], given, strict=True))
    return {**row, **{_free(name, row): value for name, value in inputs.items()}}


def _free(name: str, taken: Mapping[str, object]) -> str:
    return f"{name}_input" if name in taken else name
