"""Turns rows of JSON values into typed columns."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import pyarrow as pa

_INT64: Final = range(-(2**63), 2**63)


class JsonColumns:
    """Collects rows of values by name, and makes an Arrow table of them.

    A column of one JSON type is of that type: whole numbers are int64, with a fraction or an exponent among
    them double; booleans; strings; lists of numbers are lists of double. Other lists are their JSON text. A
    column that mixes types is text, numbers and booleans as JSON spells them, and is named textual.

    >>> columns = JsonColumns()
    >>> columns.add({"age": 41, "city": "Oslo"})
    >>> columns.add({"age": "old"})
    >>> table, textual = columns.finish()
    >>> table.to_pylist(), sorted(textual)
    ([{'age': '41', 'city': 'Oslo'}, {'age': 'old', 'city': None}], ['age'])
    """

    def __init__(self) -> None:
        self.rows = 0
        self._values: dict[str, list[object]] = {}

    def add(self, row: Mapping[str, object]) -> None:
        """One row more. A name it lacks is a null."""
        for name, value in row.items():
            values = self._values.setdefault(name, [])
            if len(values) < self.rows:
                values.extend([None] * (self.rows - len(values)))
            values.append(value)
        self.rows += 1

    def finish(self) -> tuple[pa.Table, frozenset[str]]:
        """The table of all rows, and the names of its textual columns."""
        arrays: list[pa.Array] = []
        textual: set[str] = set()
        names = _sound(self._values)
        for name, values in zip(names, self._values.values(), strict=True):
            values.extend([None] * (self.rows - len(values)))
            array, is_textual = _column(values)
            arrays.append(array)
            textual |= {name} if is_textual else set()
        return pa.Table.from_arrays(arrays, names=names), frozenset(textual)


def _sound(names: Collection[str]) -> list[str]:
    """The names; half a surrogate pair, which JSON can spell, is told as it spells it."""
    found: dict[str, None] = {}
    for name in names:
        own = name.encode("utf-8", "backslashreplace").decode()
        while own != name and (own in found or own in names):
            own += "_"
        found[own] = None
    return list(found)


def _column(values: Sequence[object]) -> tuple[pa.Array, bool]:
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.nulls(len(values)), False
    if kinds == {bool}:
        return pa.array(values, pa.bool_()), False
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return pa.array(values, pa.int64()), False
    if kinds <= {int, float}:
        return pa.array([_double(value) for value in values], pa.float64()), False
    if kinds == {list} and all(value is None or _is_numeric(value) for value in values):
        lists = [
            None if not isinstance(value, list) else [_double(item) for item in value] for value in values
        ]
        return pa.array(lists, pa.list_(pa.float64())), False
    return _texts([_text(value) for value in values]), kinds not in ({str}, {list})


def _is_numeric(value: object) -> bool:
    return isinstance(value, list) and set(map(type, value)) <= {int, float, type(None)}


def _double(value: object) -> float | None:
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if value > 0 else -math.inf


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _texts(texts: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:  # JSON can spell half a surrogate pair, which is no character
        sound = [None if text is None else text.encode("utf-8", "replace").decode() for text in texts]
        return pa.array(sound, pa.string())
