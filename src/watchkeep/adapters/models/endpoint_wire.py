"""What endpoints are sent, and how their answers are read: the encodings of rows and scores."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Doubles = npt.NDArray[np.float64]
Value: TypeAlias = "bool | int | float | str | None"

CONTENT_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonlines": "application/jsonlines",
    "mlflow": "application/json",
    "kserve-v1": "application/json",
    "kserve-v2": "application/json",
}
"""Every wire, and what its requests say they hold; each asks for an answer of the same type."""

_SCORES: Final = ("probabilities", "scores", "score", "probability", "predicted_label")
"""Where the score of a row, or of a tensor, is looked for: the first of these it has."""


class WireError(ValueError):
    """Rows cannot be written, or an answer cannot be read."""


class NoScoreError(WireError):
    """An answer can be read, and a score in it is no finite number."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one request was answered.

    Args:
        scores: all finite, shape (rows, scores of each).
        labels: what the scores are called; none when the answer does not say.
    """

    scores: Doubles
    labels: tuple[str, ...] = ()


def wire_of(path: str) -> str | None:
    """The wire that a URL's path tells; None when it must be tried.

    >>> wire_of("/v1/models/credit:predict"), wire_of("/v2/models/credit/infer"), wire_of("/invocations")
    ('kserve-v1', 'kserve-v2', None)
    """
    if path.endswith(":predict"):
        return "kserve-v1"
    return "kserve-v2" if "/v2/models/" in path and path.endswith("/infer") else None


def written(wire: str, names: Sequence[str], rows: pa.Table) -> bytes:
    """The body of a request.

    Integers stay integers, floats are written so that they read back the same, times are ISO 8601 (to the
    microsecond), text is as it is. Booleans are true and false in JSON, and 1 and 0 in CSV and in tensors of
    numbers. Values that are missing or NaN are null in JSON, and empty fields in CSV.

    Raises:
        WireError: a column's type cannot be written, or a number is infinite and JSON has no word for it.
    """
    columns = [_values(column, name) for column, name in zip(rows.columns, names, strict=True)]
    if wire == "csv":
        return "".join(_csv_line(row) for row in zip(*columns, strict=True)).encode()
    try:
        if wire == "jsonlines":
            lines = (_json({"features": row}) + "\n" for row in zip(*columns, strict=True))
            return "".join(lines).encode()
        if wire == "kserve-v2":
            return _json({"inputs": _tensors(columns, names)}).encode()
        table = list(zip(*columns, strict=True))
        if wire == "mlflow":
            return _json({"dataframe_split": {"columns": list(names), "data": table}}).encode()
        return _json({"instances": table}).encode()
    except ValueError as error:
        raise WireError("a value is infinite, which JSON cannot hold") from error


def _json(value: object) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _values(column: Any, name: str) -> list[Value]:
    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return _values(column.cast(kind.value_type), name)
    if types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    elif types.is_time64(kind):
        column = column.cast(pa.time64("us"), safe=False)
    elif types.is_decimal(kind) or types.is_floating(kind):
        column = column.cast(pa.float64())
        return [None if value is None or math.isnan(value) else value for value in column.to_pylist()]
    elif any(
        is_one(kind)
        for is_one in (
            types.is_boolean,
            types.is_integer,
            types.is_string,
            types.is_large_string,
            types.is_null,
        )
    ):
        found: list[Value] = column.to_pylist()
        return found
    if types.is_temporal(kind) and not types.is_duration(kind) and not types.is_interval(kind):
        return [None if value is None else value.isoformat() for value in column.to_pylist()]
    raise WireError(f"column {name!r} is of type {kind}, which cannot be sent")


def _csv_line(row: Sequence[Value]) -> str:
    line = ",".join(map(_csv_field, row))
    return (line or '""') + "\n"  # readers skip an empty line


def _csv_field(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        quoted = not value or any(mark in value for mark in ',"\r\n')
        return '"' + value.replace('"', '""') + '"' if quoted else value
    return str(int(value)) if isinstance(value, bool) else repr(value)


def _tensors(columns: Sequence[list[Value]], names: Sequence[str]) -> list[dict[str, object]]:
    texts = [any(isinstance(value, str) for value in column) for column in columns]
    plain = [[int(value) if isinstance(value, bool) else value for value in column] for column in columns]
    if not any(texts):
        shape, data = (
            [len(plain[0]), len(plain)],
            [value for row in zip(*plain, strict=True) for value in row],
        )
        return [{"name": "input-0", "shape": shape, "datatype": "FP64", "data": data}]
    return [
        {"name": name, "shape": [len(column), 1], "datatype": "BYTES" if text else "FP64", "data": column}
        for name, column, text in zip(names, plain, texts, strict=True)
    ]


def read(wire: str, body: bytes, rows: int) -> Answer:
    """The answer to a request of some rows.

    Raises:
        WireError: it holds no scores, not one for each row, or some that are not finite numbers.
    """
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise WireError("the answer is not UTF-8 text") from error
    if not text:
        raise WireError(f"the answer is empty, expected scores of {rows} rows")
    if text.startswith("<"):
        raise WireError(f"the answer is a page, expected scores: {shown(text)}")
    document = _document(text)
    if wire == "kserve-v2":
        return Answer(_checked(_tensor_rows(document, rows), rows))
    labels = document.get("label_headers") if isinstance(document, dict) else None
    told = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    return Answer(_checked(_rows(document, text, rows), rows), tuple(labels) if told and labels else ())


def shown(text: str) -> str:
    r"""The first 200 characters of an answer, in one line, without what would disturb a terminal.

    >>> shown("<h1>\n  oh\x1b[31m </h1>")
    '<h1> oh[31m </h1>'
    """
    return "".join(mark for mark in " ".join(text[:2000].split()) if mark.isprintable())[:200]


_NOT_JSON: Final = object()


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _rows(document: Any, text: str, rows: int) -> list[Any]:
    if document is _NOT_JSON:
        text = text.strip()
        return _json_lines(text) if text.startswith(("{", "[")) else _csv_rows(text, rows)
    if isinstance(document, dict) and "predictions" in document:
        found = document["predictions"]
        if isinstance(found, dict) and "data" in found:  # what online explanations come with
            inner = found["data"]
            return _rows(_document(inner), inner, rows) if isinstance(inner, str) else _listed(inner)
        return _listed(found)
    if isinstance(document, list) and rows == 1 and not any(isinstance(one, dict | list) for one in document):
        return [document]  # the scores of the one row, not one score each of several
    return _listed(document)


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _json_lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise WireError(f"the answer is neither JSON nor CSV: {shown(text)}") from error


def _csv_rows(text: str, rows: int) -> list[Any]:
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    except csv.Error as error:
        raise WireError(f"the answer cannot be read as CSV: {shown(text)}") from error
    found = [[_from_csv(field) for field in line] for line in lines]
    return list(found[0]) if len(found) == 1 and len(found[0]) == rows > 1 else found


def _from_csv(field: str) -> float:
    try:
        return float(field)
    except ValueError as error:
        raise WireError(f"the answer holds {shown(field)!r}, expected numbers") from error


def _tensor_rows(document: Any, rows: int) -> list[Any]:
    outputs = document.get("outputs") if isinstance(document, dict) else None
    if not isinstance(outputs, list) or not outputs or not all(isinstance(one, dict) for one in outputs):
        raise WireError("the answer has no list of outputs")
    output = _chosen(outputs)
    shape, data = output.get("shape"), output.get("data")
    if not isinstance(data, list) or not isinstance(shape, list) or not all(_is_size(size) for size in shape):
        raise WireError("an output's shape or data is not a list")
    flat = data
    while any(isinstance(one, list) for one in flat):  # servers may nest the data as the shape says
        flat = [value for one in flat for value in (one if isinstance(one, list) else [one])]
    if not shape or len(flat) != math.prod(shape):
        raise WireError(f"an output's shape is {shape}, and it holds {len(flat)} values")
    if shape[0] != rows:
        raise WireError(f"expected scores of {rows} rows, got {shape[0]}")
    width = math.prod(shape[1:])
    return [flat[at * width : (at + 1) * width] for at in range(rows)]


def _is_size(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size >= 0


def _chosen(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The output that holds scores: the only one, the one named so, or the only one of floating point."""
    if len(outputs) == 1:
        return outputs[0]
    by_name = {str(one.get("name")): one for one in outputs}
    named = [by_name[name] for name in _SCORES if name in by_name]
    floats = [one for one in outputs if str(one.get("datatype")).startswith(("FP", "BF"))]
    if named or len(floats) == 1:
        return (named or floats)[0]
    raise WireError(f"the answer has several outputs, none of them named scores: {shown(', '.join(by_name))}")


def _checked(found: list[Any], rows: int) -> Doubles:
    if len(found) != rows:
        raise WireError(f"expected scores of {rows} rows, got {len(found)}")
    key = _key(found[0]) if isinstance(found[0], dict) else None
    listed = [_numbers(one, key) for one in found]
    widths = {len(one) for one in listed}
    if len(widths) > 1 or 0 in widths:
        raise WireError(f"expected as many scores of each row, got {sorted(widths)}")
    scores = np.array(listed, np.float64)
    bad = np.argwhere(~np.isfinite(scores))
    if len(bad):
        at = tuple(bad[0])
        raise NoScoreError(f"the score of row {at[0]} of {rows} is {scores[at]}, expected a finite number")
    return scores


def _key(row: Mapping[str, object]) -> str:
    for name in _SCORES:
        if name in row:
            return name
    raise WireError(f"a row's answer has {shown(', '.join(row))}, expected one of {', '.join(_SCORES)}")


def _numbers(one: Any, key: str | None) -> list[float]:
    if key is not None:
        if not isinstance(one, dict) or key not in one:
            raise WireError(f"the answer of some rows has {key}, of others not")
        one = one[key]
    values = one if isinstance(one, list) else [one]
    for value in values:
        if value is None:
            raise NoScoreError("the answer holds null, expected numbers")
        if not isinstance(value, int | float):
            raise WireError(f"the answer holds {shown(json.dumps(value))}, expected numbers")
    try:
        return [float(value) for value in values]
    except OverflowError as error:
        raise WireError("the answer holds a number beyond all floats") from error
