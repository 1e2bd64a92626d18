"""Captured request and response bodies as rows of values."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, TypeAlias

from watchkeep.adapters.sources.delimited import named
from watchkeep.adapters.sources.json_columns import Cell, flat
from watchkeep.formats.online_explanations import (
    EXPLANATIONS,
    HEADERS,
    PREDICTIONS,
    explains,
    record_answers,
)

Row: TypeAlias = "dict[str, object] | list[object]"
"""Values by name (of a JSON object), or by place (of a line of CSV, or a JSON array)."""

NOT_BODY: Final = "payload cannot be parsed"
MISCOUNTED: Final = "predictions and explanations have different numbers of records"
_WRAPPERS: Final = ("instances", "predictions")


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


def rows_of(side: Mapping[str, object], *, source: str) -> list[Row]:
    """The rows of one side of a capture (`endpointInput`, `endpointOutput`).

    CSV bodies hold a row a line. JSON bodies hold an object, an object a line, an array of objects or of
    arrays, or one of these under `instances` or `predictions`; an array of scalars is one row, except under
    such a name, where each scalar is a row of its own. The answer of a SageMaker endpoint that explains holds a row
    for each record: what it predicts, by label where it names as many, and under `explanations` the answer about
    this record, as JSON text.

    Raises:
        Rejection: the body is encoded otherwise, or is broken.

    >>> rows_of({"encoding": "CSV", "data": "34,red"}, source="x")
    [['34', 'red']]
    >>> rows_of({"encoding": "JSON", "data": '{"predictions": [0.1, 0.7]}'}, source="x")
    [[0.1], [0.7]]
    """
    data, encoding = side.get("data"), side.get("encoding")
    if encoding == "BASE64":
        raise Rejection("encoding BASE64")
    if not isinstance(data, str) or encoding not in ("CSV", "JSON"):
        raise Rejection("encoding is neither CSV nor JSON" if isinstance(data, str) else NOT_BODY)
    return _of_csv(data) if encoding == "CSV" else _of_json(data, source)


def _of_csv(data: str) -> list[Row]:
    try:
        return [
            [Cell(cell) if cell else None for cell in row]
            for row in csv.reader(io.StringIO(data, newline=""))
            if row
        ]
    except csv.Error as error:
        raise Rejection(NOT_BODY) from error


def _of_json(data: str, source: str) -> list[Row]:
    try:
        body = json.loads(data)
    except RecursionError as error:
        raise Rejection(NOT_BODY) from error
    except ValueError:
        return [row for line in data.splitlines() if line.strip() for row in _of_line(line, source)]
    return _of_body(body, source)


def _of_line(line: str, source: str) -> list[Row]:
    try:
        return _of_body(json.loads(line), source)
    except (ValueError, RecursionError) as error:
        raise Rejection(NOT_BODY) from error


def _of_answer(body: Mapping[str, object], source: str) -> list[Row]:
    predictions = body[PREDICTIONS]
    assert isinstance(predictions, Mapping)  # noqa: S101 (it is an answer that explains)
    data, is_csv = str(predictions["data"]), "csv" in str(predictions.get("content_type"))
    told = _of_csv(data) if is_csv else _of_json(data, source)
    answers = record_answers(body, [_line(row) for row in told])
    if answers is None:
        raise Rejection(MISCOUNTED, max(1, len(told)))
    return [
        _by_label(row, body.get(HEADERS)) | {EXPLANATIONS: answer}
        for row, answer in zip(told, answers, strict=True)
    ]


def _line(row: Row) -> str:
    return json.dumps(row if isinstance(row, dict) else [_number(cell) for cell in row])


def _number(cell: object) -> object:
    """A field of CSV as the number it spells."""
    if isinstance(cell, Cell):
        with suppress(ValueError):
            return float(cell)
    return cell


def _by_label(row: Row, headers: object) -> dict[str, object]:
    if isinstance(row, dict):
        return row
    names = headers if isinstance(headers, list) and len(headers) == len(row) else named(len(row), None)
    return dict(zip(map(str, names), row, strict=True))


def _of_body(body: object, source: str) -> list[Row]:
    if isinstance(body, dict):
        if explains(body):
            return _of_answer(body, source)
        for wrapper in _WRAPPERS:
            if len(body) == 1 and isinstance(body.get(wrapper), list):
                return [_row(item, source) for item in body[wrapper]]
        return [_row(body, source)]
    if isinstance(body, list) and not any(isinstance(item, dict | list) for item in body):
        return [list(body)]
    if isinstance(body, list):
        return [_row(item, source) for item in body]
    if body is None:
        raise Rejection(NOT_BODY)
    return [[body]]


def _row(item: object, source: str) -> Row:
    if isinstance(item, dict):
        return dict(sorted(flat(item, source=source).items()))
    return list(item) if isinstance(item, list) else [item]


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
