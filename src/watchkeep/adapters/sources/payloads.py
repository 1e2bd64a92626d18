"""The sides of a SageMaker capture as rows of values."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from watchkeep.capture.payloads import (
    NOT_BODY,
    Cell,
    Rejection,
    Row,
    bodies_of_json,
    named,
    rows_of_csv,
    rows_of_json,
)
from watchkeep.formats.online_explanations import (
    EXPLANATIONS,
    HEADERS,
    PREDICTIONS,
    explains,
    record_answers,
)

MISCOUNTED: Final = "predictions and explanations have different numbers of records"


def rows_of(side: Mapping[str, object], *, source: str) -> list[Row]:
    """The rows of one side of a capture (`endpointInput`, `endpointOutput`).

    CSV bodies hold a row a line, JSON bodies a value or one a line, see `rows_of_json`. The answer of a SageMaker
    endpoint that explains holds a row for each record: what it predicts, by label where it names as many, and under
    `explanations` the answer about this record, as JSON text.

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
    return rows_of_csv(data) if encoding == "CSV" else _of_json(data, source)


def _of_json(data: str, source: str) -> list[Row]:
    return [
        row
        for body in bodies_of_json(data)
        for row in (_of_answer(body, source) if explains(body) else rows_of_json(body, source=source))
    ]


def _of_answer(body: object, source: str) -> list[Row]:
    assert isinstance(body, Mapping)  # noqa: S101 (it is an answer that explains)
    predictions = body[PREDICTIONS]
    data, is_csv = str(predictions["data"]), "csv" in str(predictions.get("content_type"))
    told = rows_of_csv(data) if is_csv else _of_json(data, source)
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
