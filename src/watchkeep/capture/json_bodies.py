"""Rules on the columns of JSON bodies: read without losing a digit or a key that comes twice, and written again."""

import json
from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias, TypeGuard

from watchkeep.capture.changes import Number, Value
from watchkeep.capture.columns import Columns, Places, Rule, Unreadable


class Pairs(list[Any]):
    """The members of an object in their order, those of one name as well: tuples of key and value."""

    __slots__ = ()


Names: TypeAlias = Sequence[str] | None
"""What columns are called that have a place and no name; None when nobody knows."""

ODD: Final = "its columns are others than were named"
TWICE: Final = "a name comes twice where it tells what a value is"
DEEP: Final = "it is nested too deep"
DEPTH: Final = 64
"""Levels of nesting of a body, at most, when columns have rules."""
_ROWS: Final = frozenset({"instances", "predictions", "inputs", "outputs", "dataframe_records"})
"""Under these names lie rows, or columns, or tensors."""
_VALUES: Final = frozenset({"data", "ndarray", "tensor"})
_TENSOR: Final = frozenset({"name", "shape", "datatype", "data"})
_GONE: Final = object()
"""Stands where a member was that is dropped."""
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_float=Number, parse_int=Number, parse_constant=Number
)
_quote: Final = json.encoder.encode_basestring


def read(text: str) -> Any:
    """A JSON value: objects as `Pairs`, numbers as `Number`.

    Raises:
        ValueError: it is no JSON.
    """
    return _DECODER.decode(text)


def written(value: Any) -> str:
    """A value that was read, as JSON.

    >>> written(read('{"a": 1.10, "a": [NaN, true, "x"]}'))
    '{"a":1.10,"a":[NaN,true,"x"]}'
    """
    if isinstance(value, str):
        return value if isinstance(value, Number) else _quote(value)
    if isinstance(value, Pairs):
        return "{" + ",".join([f"{_quote(key)}:{written(inner)}" for key, inner in value]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([written(inner) for inner in value]) + "]"
    return "null" if value is None else "true" if value else "false"


class Ruling:
    """Rules, applied to the values of bodies. `changed` tells whether any value is another one now.

    Args:
        columns: the rules.
        names: what columns are called that have a place and no name; None when nobody knows.
        counts: of values by the label of a rule; more are added.
    """

    def __init__(self, columns: Columns, names: Names, counts: dict[str, int]) -> None:
        self._columns, self._names, self._counts = columns, names, counts
        self._known: tuple[Names, Places] | None = None
        self.changed = False

    def body(self, value: Any) -> Any:
        """A value that was read, after the rules. Lists and objects are changed in place.

        Raises:
            Unreadable: it cannot be told which values the rules are about, or it is nested too deep.
        """
        if isinstance(value, Pairs):
            self._object(value, "", 1, top=True)
        elif isinstance(value, list):
            self._rows(value, "", self._names, 1)
        else:
            self._placed(one := [value], self._names, 1)
            [value] = one
        return value

    def _object(self, pairs: Pairs, prefix: str, depth: int, *, top: bool = False) -> None:
        """Rules on the members of an object. `prefix` is its dotted name, with a dot."""
        _bounded(depth)
        done = self._table(pairs, prefix, depth)
        find, gone = self._columns.rule, False
        for at, (key, value) in enumerate(pairs):
            if key in done:
                continue
            rule = find(prefix + key, key)
            if rule is not None:
                gone = gone or rule.change is None
                pairs[at] = key, self._governed(value, rule, prefix + key, depth)
            elif isinstance(value, list):
                self._member(
                    key, value, prefix + key, depth + 1, rows=top and key in _ROWS, alone=len(pairs) == 1
                )
            elif top and key in _ROWS and self._names:
                self._placed(one := [value], self._names, depth)
                pairs[at] = key, one[0]
        if gone:
            pairs[:] = [pair for pair in pairs if pair[1] is not _GONE]

    def _member(self, key: str, value: list[Any], path: str, depth: int, *, rows: bool, alone: bool) -> None:
        """Rules on what is inside a member of an object; `alone` when it has no other."""
        if rows and isinstance(value, Pairs):
            self._object(value, "", depth)
        elif rows:
            self._rows(value, key, self._names, depth)
        elif (
            key == "features"  # SageMaker's name of a row whose values have a place and no name
            and _is_list(value)
            and (alone if self._names is None else len(value) == len(self._names))
        ):
            self._placed(value, self._names, depth)
        else:
            self._inside(value, path, depth)

    def _inside(self, value: list[Any], path: str, depth: int) -> None:
        """Rules on what is inside a list or an object that has none of its own."""
        _bounded(depth)
        if isinstance(value, Pairs):
            self._object(value, f"{path}.", depth)
        else:
            for inner in value:
                if isinstance(inner, list):
                    self._inside(inner, path, depth + 1)

    def _governed(self, value: Any, rule: Rule, path: str, depth: int) -> Any:
        """A value after the rule on it; of a list or an object, every value inside that has no rule of its own."""
        _bounded(depth)
        if rule.change is None:
            self._count(rule)
            return _GONE
        if isinstance(value, Pairs):
            inner = [
                (key, self._governed(held, self._columns.rule(full, key) or rule, full, depth + 1))
                for key, held in value
                for full in (f"{path}.{key}",)
            ]
            value[:] = [pair for pair in inner if pair[1] is not _GONE]
        elif isinstance(value, list):
            value[:] = [self._governed(held, rule, path, depth + 1) for held in value]
        elif value is not None:
            new = rule.change(value)
            if new != value:
                self._count(rule)
            return new
        return value

    def _count(self, rule: Rule) -> None:
        self._counts[rule.label] = self._counts.get(rule.label, 0) + 1
        self.changed = True

    def _rows(self, values: list[Any], key: str, names: Names, depth: int) -> None:
        """Rules on rows: objects, lists by place, or bare values, which are named by the key they lie under."""
        bare = not any(isinstance(value, list) for value in values)
        rule = self._columns.of_path(key) if bare and key else None
        if bare and (not key or (names and len(names) == len(values))):
            self._placed(values, names, depth)
            return
        for at, value in enumerate(values):
            if isinstance(value, Pairs):
                self._object(value, "", depth + 1)
            elif isinstance(value, list):
                self._placed(value, names, depth + 1)
            elif rule is not None:
                values[at] = self._in_place(value, key, rule, depth)
            elif names is not None or not bare:
                self._placed(one := [value], names, depth)
                [values[at]] = one

    def _placed(self, row: list[Any], names: Names, depth: int) -> None:
        """Rules on values by their place. What is dropped leaves a null, so that the rest keep their places."""
        places = self._places(names)
        if places.width is not None and len(row) != places.width:
            raise Unreadable(ODD)
        for at, value in enumerate(row):
            if at in places.rules:
                row[at] = self._in_place(value, *places.rules[at], depth)
            elif isinstance(value, list):
                self._inside(value, names[at] if names and at < len(names) else f"_c{at}", depth + 1)

    def _in_place(self, value: Any, name: str, rule: Rule, depth: int) -> Any:
        if rule.change is None:
            rule = rule._replace(change=_nothing)
        return self._governed(value, rule, name, depth)

    def _places(self, names: Names) -> Places:
        """Rules by place, found once for all rows of these names."""
        if self._known is None or self._known[0] is not names:
            self._known = names, self._columns.places(names)
        return self._known[1]

    def _table(self, pairs: Pairs, prefix: str, depth: int) -> Collection[str]:
        """Rules on an object that holds values beside what they are called. Gives its members that need no other."""
        held = dict(pairs)
        if _VALUES.isdisjoint(held):
            return ()
        name, shape, data = held.get("name"), held.get("shape"), held.get("data")
        names = held.get("columns", held.get("names"))
        tensor = isinstance(name, str) and _is_list(shape) and "data" in held and not isinstance(data, Pairs)
        if not (tensor or "ndarray" in held or "tensor" in held or (_is_list(names) and _is_list(data))):
            return ()
        if len(held) != len(pairs):
            raise Unreadable(TWICE)
        free = {key for key in _VALUES & held.keys() if self._columns.rule(prefix + key, key) is None}
        if tensor:
            cells = data if isinstance(data, list) else [data]
            if "data" in free:
                self._tensor(str(name), cells, shape, depth + 1)
                pairs[[key for key, _ in pairs].index("data")] = "data", data if cells is data else cells[0]
            return _TENSOR & {*free, "name", "shape", "datatype"}
        own = [str(name) for name in names] if _is_list(names) else self._names
        done = {key for key in free if _is_list(held[key]) and key != "tensor"}
        for key in done:
            self._rows(held[key], "", own, depth + 1)
        if "tensor" in free and isinstance(held["tensor"], Pairs):
            inner = dict(held["tensor"])
            if len(inner) != len(held["tensor"]):
                raise Unreadable(TWICE)
            if _is_list(inner.get("values")):
                self._cells(inner["values"], inner.get("shape"), self._places(own), depth + 2)
        return done

    def _tensor(self, name: str, cells: list[Any], shape: Any, depth: int) -> None:
        """Rules on a tensor of the Open Inference Protocol: its name is that of its column, or of several."""
        rule = self._columns.of_path(name)
        parts = self._columns.parts(name)
        alone = self._names is not None and len(self._names) == 1
        if rule is not None:
            cells[:] = [self._in_place(cell, name, rule, depth) for cell in cells]
        elif parts:
            self._cells(cells, shape, Places(None, parts), depth)
        elif alone or _width(cells, shape) != 1:
            self._cells(cells, shape, self._places(self._names), depth)

    def _cells(self, cells: list[Any], shape: Any, places: Places, depth: int) -> None:
        """Rules by place on the values of a tensor, which lie row after row, in lists of lists or in one."""
        if places.rules:
            width = _width(cells, shape)
            if width == 0 or (places.width is not None and width != places.width):
                raise Unreadable(ODD)
            self._spread(cells, places, width, 0, depth)

    def _spread(self, cells: list[Any], places: Places, width: int, start: int, depth: int) -> int:
        _bounded(depth)
        for at, cell in enumerate(cells):
            if _is_list(cell):
                start = self._spread(cell, places, width, start, depth + 1)
                continue
            if start % width in places.rules:
                cells[at] = self._in_place(cell, *places.rules[start % width], depth)
            start += 1
        return start


def _nothing(value: Value) -> None:  # noqa: ARG001 (as all changes)
    return None


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and not isinstance(value, Pairs)


def _bounded(depth: int) -> None:
    if depth > DEPTH:
        raise Unreadable(DEEP)


def _width(cells: Sequence[Any], shape: Any) -> int:
    """How many values a row of a tensor has; 0 where its values are no whole number of rows."""
    first = shape[0] if _is_list(shape) and shape else Number("1")
    rows = int(first) if isinstance(first, Number) and first.isdigit() and len(first) < 10 else 0
    count = _leaves(cells)
    return count // rows if rows and count % rows == 0 else 0


def _leaves(cells: Sequence[Any]) -> int:
    return sum(_leaves(cell) if _is_list(cell) else 1 for cell in cells)
