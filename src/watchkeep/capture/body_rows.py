"""The rows of a record's bodies, side by side, read when somebody asks for them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from watchkeep.capture.column_names import UNNAMED, ColumnNames
from watchkeep.capture.contents import rows_of
from watchkeep.capture.payloads import Rejection, Row, plain_row
from watchkeep.capture.record import Inference

_PLACE: Final = re.compile("_c(0|[1-9][0-9]{0,8})").fullmatch
_NONE: Final[Row] = {}


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of an answer, and the row of the request that it answers."""

    output: Row
    input: Callable[[], Row]
    names: Sequence[str]
    columns: ColumnNames = UNNAMED

    def value(self, name: str) -> object:
        """That of a column; None when there is none."""
        found, there = self._of(self.output, name, 0, self.columns.output)
        if there:
            return found
        width = _width(self.output)
        own = self.columns.input
        found, there = self._of(self.input(), name, width, own)
        if not there and name.endswith("_input"):
            return self._of(self.input(), name.removesuffix("_input"), width, own)[0]
        return found

    def _of(self, row: Row, name: str, first: int, own: Sequence[str]) -> tuple[object, bool]:
        if isinstance(row, dict):
            return _within(row, name)
        at = own.index(name) if name in own else _place(name, self.names) - first
        return (row[at], True) if 0 <= at < len(row) else (None, False)


class BodyRows:
    """The rows of a record's bodies, read when somebody asks for them.

    Args:
        one: the record.
        names: of values that come without, the answer's first.
        columns: the same, by side.
    """

    def __init__(
        self,
        one: Inference,
        names: Sequence[str],
        columns: ColumnNames = UNNAMED,
    ) -> None:
        self._one, self._names, self._columns = one, names, columns
        self._input: list[Row] | None = None
        self._output: list[Row] | None = None

    def pairs(self) -> Iterator[Pair]:
        """Each row of the answer with that of the request; each by itself, where these are not as many.

        A record that holds no rows is a pair of empty ones.
        """
        if self._output is None:
            self._output = _rows(self._one.output, self._one.output_type)
        for at, row in enumerate(self._output):
            yield Pair(row, partial(self._beside, at), self._names, self._columns)
        if self._input is None and self._output:  # everything was found in the answer
            return
        inputs = self._inputs()
        if len(inputs) != len(self._output):
            for row in inputs:
                yield Pair(_NONE, partial(_same, row), self._names, self._columns)
        elif not inputs:
            yield Pair(_NONE, _nothing, self._names, self._columns)

    def _inputs(self) -> list[Row]:
        if self._input is None:
            self._input = _rows(self._one.input, self._one.input_type)
        return self._input

    def _beside(self, at: int) -> Row:
        inputs = self._inputs()
        return inputs[at] if len(inputs) == len(self._output or ()) else _NONE


def _nothing() -> Row:
    return _NONE


def _same(row: Row) -> Row:
    return row


def _rows(body: bytes | None, kind: str) -> list[Row]:
    if not body:
        return []
    try:
        return rows_of(body, kind, row=plain_row)
    except Rejection:
        return []


def _width(row: Row) -> int:
    """How many columns a row has: nested objects are columns with dotted names."""
    if isinstance(row, list):
        return len(row)
    return sum(_width(value) if isinstance(value, dict) else 1 for value in row.values())


def _within(row: dict[str, Any], name: str) -> tuple[object, bool]:
    """The value under a dotted name."""
    if name in row:
        return row[name], True
    at = name.find(".")
    while at >= 0:
        inner = row.get(name[:at])
        if isinstance(inner, dict):
            found = _within(inner, name[at + 1 :])
            if found[1]:
                return found
        at = name.find(".", at + 1)
    return None, False


def _place(name: str, names: Sequence[str]) -> int:
    """The place of a value that came without a name; -1 when it is none."""
    if name in names:
        return names.index(name)
    place = _PLACE(name)
    return int(place[1]) if place and int(place[1]) >= len(names) else -1
