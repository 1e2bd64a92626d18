"""Labels as SageMaker's ground-truth trees hold them.

Below `{GroundTruthS3Uri}/yyyy/mm/dd/hh/`, where the hour says when the labels were collected, lie JSON Lines of
`{"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "..."}, "eventVersion": "0"}`.
"""

import csv
import json
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

DATA: Final = "groundTruthData.data"
ENCODING: Final = "groundTruthData.encoding"
EVENT_ID: Final = "eventMetadata.eventId"

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


def label_texts(data: pa.Array, encodings: pa.Array | None) -> pa.Array:
    """The labels that `data` holds, as texts; null where it does not hold exactly one value.

    CSV is a bare value. JSON is a scalar, or a list of one scalar: texts as they are, other scalars as JSON
    spells them. An encoding that is missing counts as CSV.

    Args:
        data: texts, or whatever else the source made of `groundTruthData.data`, shape (rows,).
        encodings: texts, shape (rows,); None where the source has no such column.

    >>> label_texts(pa.array(["1", "[0]", "b,c"]), pa.array(["CSV", "JSON", "CSV"])).to_pylist()
    ['1', '0', None]
    """
    if pa.types.is_list(data.type):  # `data` was JSON itself, not JSON in a text
        return pa.array([_scalar(value) for value in data.to_pylist()], pa.large_string())
    texts = data.cast(pa.large_string())
    if encodings is None or encodings.null_count == len(encodings):
        return _decoded(texts, _of_csv)
    spelled = pc.fill_null(pc.utf8_upper(encodings.cast(pa.large_string())), "CSV")
    found = pa.nulls(len(texts), pa.large_string())
    for encoding, decode in (("CSV", _of_csv), ("JSON", _of_json)):
        chosen = pc.equal(spelled, encoding)
        if pc.any(chosen).as_py():
            found = pc.if_else(chosen, _decoded(pc.if_else(chosen, texts, None), decode), found)
    return found


def _decoded(texts: pa.Array, decode: Callable[[str], str | None]) -> pa.Array:
    """Every text decoded; labels repeat, so each different one is decoded once."""
    coded = texts.dictionary_encode()
    values = [decode(text) for text in coded.dictionary.to_pylist()]
    return pa.array(values, pa.large_string()).take(coded.indices)


def _of_csv(text: str) -> str | None:
    try:
        rows = [row for row in csv.reader(text.splitlines(keepends=True)) if row]
    except csv.Error:
        return None
    return rows[0][0].strip() or None if len(rows) == 1 and len(rows[0]) == 1 else None


def _of_json(text: str) -> str | None:
    try:
        return _scalar(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _scalar(value: object) -> str | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or isinstance(value, list | dict):
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode() or None  # JSON can spell half a surrogate pair
