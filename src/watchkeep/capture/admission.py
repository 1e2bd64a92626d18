"""Whether a request is like what the model learned from: columns, types, ranges, categories, sizes."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from sys import float_info
from typing import Any, Final, Self

from watchkeep.capture.admission_columns import (
    BODY,
    INTEGER,
    NUMBER,
    SIZE,
    TEXT,
    UNKNOWN,
    AdmissionColumn,
    Problem,
    shown,
)
from watchkeep.capture.contents import is_csv, is_json, rows_of
from watchkeep.capture.payloads import NOT_BODY, Rejection, Row, flat, plain_row, rows_of_json
from watchkeep.core.errors import DocumentError, DuplicateColumnError, OptionError

DOCUMENT: Final = "admission.json"
VERSION: Final = 1
BYTES: Final = 6 * 1024 * 1024
"""Bytes of a request, at most, where a document says nothing else: as many as SageMaker takes."""
ROWS: Final = 10_000
"""Rows of a request, at most, where a document says nothing else."""
MOST: Final = 100
"""Problems of one request that are told; beyond them one of each column and kind."""
LONGEST: Final = 64
"""Characters of the name of a column that nobody knows."""
_KEYS: Final = ("version", "baseline", "columns", "known", "rows", "bytes")
_FORMS: Final = frozenset(
    {"instances", "predictions", "dataframe_records", "dataframe_split", "inputs", "outputs", "data"}
)
"""Keys of JSON objects that may be no columns, but hold rows."""
_LARGEST: Final = float_info.max


class Admission:
    """What requests must be like. Make one by `of` or `read`.

    Args:
        columns: of every row, in the order of values without names.
        known: columns that may come besides, and are not looked at.
        rows, bytes: of a request, at most.
    """

    def __init__(
        self,
        columns: Sequence[AdmissionColumn],
        *,
        known: Sequence[str] = (),
        rows: int = ROWS,
        bytes: int = BYTES,  # noqa: A002 (the document's name)
    ) -> None:
        self.columns, self.rows, self.bytes = tuple(columns), rows, bytes
        self._by_name = {one.name: one for one in columns}
        self._known = frozenset(self._by_name) | frozenset(known)
        self._quick = _Quick(columns)

    @classmethod
    def of(cls, told: Mapping[str, Any], *, document: str = DOCUMENT) -> Self:
        """The admission that a JSON document describes; `watchkeep admission` makes one of a baseline.

        Args:
            told: `columns`, objects with `name`, `type`, `nullable`, `min`, `max`, `categories`, `length`; `known`,
                names of columns that may come besides; `rows` and `bytes` of a request, at most.
            document: what errors call it.

        Raises:
            DocumentError: it does not follow the schema.
            OptionError: it has a key that is none of ours, or a value that cannot be used.

        >>> admission = Admission.of({"columns": [{"name": "age", "type": "integer", "nullable": False, "max": 120}]})
        >>> admission.check(b'{"age": 41}', "application/json")
        []
        >>> admission.check(b'[{"age": 430}, {"aeg": 41}]', "application/json")
        [Problem(row=0, column='age', what='range', got='430', expected='a whole number, at most 120'),
         Problem(row=1, column='aeg', what='unknown', got='41', expected='columns that are known'),
         Problem(row=1, column='age', what='missing', got='nothing', expected='a whole number, at most 120')]
        """
        if not isinstance(told, Mapping):
            raise DocumentError(document, at="the top", got=shown(told), expected="an object")
        for key in told:
            if key not in _KEYS:
                expected = f"one of {', '.join(_KEYS)}"
                raise OptionError(document, got=str(key), expected=expected, choices=_KEYS)
        if told.get("version", VERSION) != VERSION:
            raise DocumentError(document, at="version", got=shown(told["version"]), expected=str(VERSION))
        columns, known = told.get("columns"), told.get("known", [])
        if not isinstance(columns, Sequence) or isinstance(columns, str) or not columns:
            raise DocumentError(document, at="columns", got=shown(columns), expected="a list of columns")
        if not isinstance(known, list | tuple) or not all(isinstance(one, str) for one in known):
            raise DocumentError(document, at="known", got=shown(known), expected="a list of names")
        made = [AdmissionColumn.of(one, document, f"columns[{at}]") for at, one in enumerate(columns)]
        names = [one.name for one in made]
        for at, name in enumerate(names):
            if name in names[:at]:
                got, expected = shown(name), "a name that no other column has"
                raise DocumentError(document, at=f"columns[{at}].name", got=got, expected=expected)
        rows, size = (_limit(told, key, most, document) for key, most in (("rows", ROWS), ("bytes", BYTES)))
        return cls(made, known=known, rows=rows, bytes=size)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """The admission that a file describes.

        Raises:
            DocumentError: it does not follow the schema, or is no JSON.
            OptionError: it cannot be read, or has a key that is none of ours.
        """
        try:
            told = json.loads(Path(path).read_bytes())
        except OSError as error:
            expected = f"a file that can be read ({error.strerror})"
            raise OptionError("admission", got=str(path), expected=expected) from error
        except ValueError as error:
            raise DocumentError(str(path), at="the top", got="no JSON", expected="an object") from error
        return cls.of(told, document=str(path))

    def check(self, body: bytes, content_type: str, names: Sequence[str] | None = None) -> list[Problem]:
        """What is wrong with a request: row by row; nothing where nothing is.

        Args:
            body: its bytes.
            content_type: as its header says it; empty when there was none.
            names: of values that come without; those of the columns, in their order, when not given.
        """
        if len(body) > self.bytes:
            return [self.too_large(len(body))]
        try:
            rows = _rows(body, content_type)
        except Rejection as rejection:
            return [Problem(None, "", BODY, rejection.reason, "rows of JSON or CSV")]
        if rows and is_csv(content_type) and self._known.issuperset(rows[0]):  # the first line holds names
            rows = [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]  # type: ignore[arg-type]
        if not 0 < len(rows) <= self.rows:
            return [Problem(None, "", SIZE, _several(len(rows), "row"), f"1 to {self.rows} rows")]
        found = _Found()
        columns = self.columns if names is None else [self._by_name.get(name) for name in names]
        for at, row in enumerate(rows):
            if isinstance(row, dict):
                self._check_named(at, row, found)
            else:
                _check_placed(at, row, columns, found)
        return found.problems

    def too_large(self, size: int) -> Problem:
        """What is wrong with a request of so many bytes."""
        return Problem(None, "", SIZE, _several(size, "byte"), f"at most {self.bytes} bytes")

    def _check_named(self, at: int, row: dict[str, Any], found: "_Found") -> None:
        if not row.keys() <= self._known:
            row = self._flattened(at, row, found)
        for place in self._quick.suspects(row):
            one = self.columns[place]
            value = row.get(one.name)
            what = one.wrong(value)
            if what is not None:
                found.wrong(at, one, what, value)

    def _flattened(self, at: int, row: dict[str, Any], found: "_Found") -> dict[str, Any]:
        """A row whose nested values have dotted names; the columns that nobody knows are told."""
        if any(isinstance(value, dict) for value in row.values()):
            try:
                row = flat(row, source="")
            except DuplicateColumnError:
                found.add(at, "", BODY, "two values of one name", "a name for each value")
            except RecursionError:
                found.add(at, "", BODY, "objects nested too deep", "values by name")
        for name in row:
            if name not in self._known:
                found.unknown(at, name, shown(row[name]))
        return row


class _Quick:
    """Finds the columns of a row that may be wrong: what most values are is told without a call.

    Args:
        columns: what is expected of them.
    """

    def __init__(self, columns: Sequence[AdmissionColumn]) -> None:
        each = list(enumerate(columns))
        self._integers = [_bounded(at, one) for at, one in each if one.type == INTEGER]
        self._numbers = [_bounded(at, one) for at, one in each if one.type == NUMBER]
        texts = [(at, one) for at, one in each if one.type == TEXT]
        self._texts = [(at, one.name) for at, one in texts if one.categories is None]
        self._categories = [(at, one.name, one.categories) for at, one in texts if one.categories is not None]
        self._others = [at for at, one in each if one.type not in (INTEGER, NUMBER, TEXT)]

    def suspects(self, row: Mapping[str, Any]) -> list[int]:
        """The places of columns whose values need a closer look, in order."""
        get, found = row.get, self._others.copy()
        value: Any
        for at, name, low, high in self._integers:
            value = get(name)
            if value.__class__ is not int or not low <= value <= high:
                found.append(at)
        for at, name, low, high in self._numbers:
            value = get(name)
            kind = value.__class__
            if (kind is not float and kind is not int) or not low <= value <= high:
                found.append(at)
        for at, name, categories in self._categories:
            value = get(name)
            if value.__class__ is not str or value not in categories:
                found.append(at)
        for at, name in self._texts:
            if get(name).__class__ is not str:
                found.append(at)
        found.sort()
        return found


class _Found:
    """Problems as they are found: all of the first ones, then one of each column and kind."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._kinds: set[tuple[str, str]] = set()

    def add(self, row: int, column: str, what: str, got: str, expected: str) -> None:
        if len(self.problems) < MOST or (column, what) not in self._kinds:
            self._kinds.add((column, what))
            self.problems.append(Problem(row, column, what, got, expected))

    def wrong(self, row: int, column: AdmissionColumn, what: str, value: object) -> None:
        """A value of a column; nothing is put into words that is not told."""
        if len(self.problems) < MOST or (column.name, what) not in self._kinds:
            self.add(row, column.name, what, shown(value), column.expected)

    def unknown(self, row: int, column: str, got: str) -> None:
        """A column that nobody knows: these are one kind, whatever they are called."""
        if len(self.problems) < MOST or ("", UNKNOWN) not in self._kinds:
            self._kinds.add(("", UNKNOWN))
            self.problems.append(Problem(row, column[:LONGEST], UNKNOWN, got, "columns that are known"))


def _check_placed(
    at: int, row: Sequence[object], columns: Sequence[AdmissionColumn | None], found: _Found
) -> None:
    if len(row) != len(columns):
        found.add(at, "", SIZE, _several(len(row), "value"), _several(len(columns), "value"))
        return
    for one, value in zip(columns, row, strict=True):
        what = None if one is None else one.wrong(value)
        if one is not None and what is not None:
            found.wrong(at, one, what, value)


def _bounded(at: int, one: AdmissionColumn) -> tuple[int, str, float, float]:
    low = -_LARGEST if one.low is None else one.low
    return at, one.name, low, _LARGEST if one.high is None else one.high


def _rows(body: bytes, content_type: str) -> list[Row]:
    if not is_json(content_type):
        return rows_of(body, content_type)
    try:
        told = json.loads(body)
    except RecursionError as error:
        raise Rejection(NOT_BODY) from error
    except ValueError:  # it may be JSON in each line
        return rows_of(body, content_type, row=plain_row)
    if isinstance(told, dict) and _FORMS.isdisjoint(told):
        return [told]
    return rows_of_json(told, source="", row=plain_row)


def _several(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _limit(told: Mapping[str, Any], key: str, default: int, document: str) -> int:
    value = told.get(key, default)
    if type(value) is not int or value < 1:
        raise DocumentError(document, at=key, got=shown(value), expected="a whole number, 1 or more")
    return value
