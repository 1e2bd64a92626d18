"""Labels as SageMaker's ground-truth trees hold them.

Below `{GroundTruthS3Uri}/yyyy/mm/dd/hh/`, where the hour says when the labels were collected, lie JSON Lines of
`{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "..."}, "eventVersion": "0"}`.
"""

import csv
import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import strings

DATA: Final = "groundTruthData.data"
ENCODING: Final = "groundTruthData.encoding"
EVENT_ID: Final = "eventMetadata.eventId"

_LISTS: Final = pa.list_(pa.large_string())
_UNREADABLE: Final[list[str | None]] = [None]
_HOUR: Final = re.compile(r"(?:^|/)(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")


def is_ground_truth(columns: Collection[str]) -> bool:
    """Whether flattened rows of JSON with these columns are ground truth.

    >>> is_ground_truth(["eventVersion", "eventMetadata.eventId", "groundTruthData.data"])
    True
    """
    return DATA in columns and EVENT_ID in columns


def hour_of(path: str) -> datetime | None:
    """The hour that the folders above a file name (`yyyy/mm/dd/hh`); None where they name none.

    >>> hour_of("bucket/labels/2024/01/19/18/a.jsonl").isoformat()
    '2024-01-19T18:00:00+00:00'
    >>> hour_of("bucket/labels/2024/13/40/99/a.jsonl")
    """
    found = _HOUR.search(path)
    if found is None:
        return None
    year, month, day, hour = (int(part) for part in found.groups())
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:  # four numbers that are no hour
        return None


def label_lists(data: pa.Array, encodings: pa.Array | None) -> pa.Array:
    """The labels that each `data` holds, as lists of texts: of a captured record of several rows one for each.

    CSV is a bare value a line. JSON is a scalar, or a list of scalars: texts as they are, other scalars as JSON
    spells them. An encoding that is missing counts as CSV. What cannot be read is a list of one null.

    Args:
        data: texts, or whatever else the source made of `groundTruthData.data`, shape (rows,).
        encodings: texts, shape (rows,); None where the source has no such column.

    >>> label_lists(pa.array(["1", "[0, 1]", "b,c"]), pa.array(["CSV", "JSON", "CSV"])).to_pylist()
    [['1'], ['0', '1'], [None]]
    """
    if pa.types.is_list(data.type):  # `data` was JSON itself, not JSON in a text
        return pa.array([_scalars(value) for value in data.to_pylist()], _LISTS)
    texts = data.cast(pa.large_string())
    if encodings is None or encodings.null_count == len(encodings):
        return _decoded(texts, strings(["CSV"] * len(texts)))
    return _decoded(texts, pc.fill_null(pc.utf8_upper(encodings.cast(pa.large_string())), "CSV"))


def _decoded(texts: pa.Array, encodings: pa.Array) -> pa.Array:
    """Every text decoded; labels repeat, so each different one is decoded once."""
    pairs = pc.binary_join_element_wise(
        encodings.cast(pa.large_string()), texts, strings(["\n"])[0]
    ).dictionary_encode()
    values = [
        _UNREADABLE if pair is None else _labels(*pair.split("\n", 1))
        for pair in pairs.dictionary.to_pylist()
    ]
    values.append(_UNREADABLE)
    return pa.array(values, _LISTS).take(pc.fill_null(pairs.indices, len(values) - 1))


def _labels(encoding: str, text: str) -> list[str | None]:
    if encoding == "CSV":
        return _of_csv(text)
    return _of_json(text) if encoding == "JSON" else _UNREADABLE


def _of_csv(text: str) -> list[str | None]:
    try:
        rows = [row for row in csv.reader(text.splitlines(keepends=True)) if row]
    except csv.Error:
        return _UNREADABLE
    if not rows or any(len(row) != 1 for row in rows):
        return _UNREADABLE
    return [row[0].strip() or None for row in rows]


def _of_json(text: str) -> list[str | None]:
    try:
        return _scalars(json.loads(text))
    except (ValueError, RecursionError):
        return _UNREADABLE


def _scalars(value: object) -> list[str | None]:
    if isinstance(value, list):
        return [_scalar(each) for each in value] or _UNREADABLE
    return [_scalar(value)]


def _scalar(value: object) -> str | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or isinstance(value, list | dict):
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode() or None  # JSON can spell half a surrogate pair
