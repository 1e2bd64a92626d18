"""Records that come from elsewhere as tables, the same as sealing makes of our own."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from watchkeep.adapters.captures.bodies import Bodies
from watchkeep.adapters.captures.rows import Flattening, Records
from watchkeep.adapters.sources.stored.columns import (
    FILE,
    INPUT_TYPE,
    LINE,
    OUTPUT_TYPE,
    ROW,
    SPELLING,
)
from watchkeep.capture.contents import is_csv, is_json
from watchkeep.capture.record import Inference
from watchkeep.formats.capture_lines import Said, Side
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import plain
from watchkeep.frames.schema import TEXTUAL

OPAQUE: Final = "application/octet-stream"
ANSWERED: Final = 200
"""The status of records that do not tell theirs: who captures elsewhere keeps what was answered."""


class Place(NamedTuple):
    """Where a record stood.

    Args:
        file: below its variant.
        line: in it, the first is 1.
        spelling: of the line.
    """

    file: str
    line: int
    spelling: str


def kind_of(side: Side) -> str:
    """The content type by which a body is read: what says how it was encoded counts more than what was observed.

    >>> kind_of(Side(b"41", "CSV", "application/x-features")), kind_of(Side(b"41", "BASE64", ""))
    ('text/csv', 'application/octet-stream')
    """
    if side.encoding != "BASE64":
        return "text/csv" if side.encoding == "CSV" else "application/json"
    known = side.content_type and (is_csv(side.content_type) or is_json(side.content_type))
    return side.content_type if known else OPAQUE


def made_id(*told: object) -> str:
    """An id for a record that has none, in the form of a UUID: the same record has the same one again.

    >>> made_id("churn", 7) == made_id("churn", 7) != made_id("churn", 8)
    True
    """
    text = hashlib.blake2b(
        "\x1f".join(map(str, told)).encode("utf-8", "surrogatepass"), digest_size=16
    ).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-8{text[17:20]}-{text[20:]}"


def table_of(said: Sequence[Said], places: Sequence[Place], flattening: Flattening) -> pa.Table:
    """Records as a table; its schema says which columns are textual.

    Args:
        said: the records, at least one; each has an event id.
        places: where they stood, one each, or none at all when that is not to be kept.
        flattening: makes rows of bodies.
    """
    table, textual = flattening.table(_records(said))
    first = plain(one_chunk(table.column(ROW))) == 0
    parents = np.cumsum(first) - 1
    for name, sides in (
        (INPUT_TYPE, [one.input for one in said]),
        (OUTPUT_TYPE, [one.output for one in said]),
    ):
        kinds = pa.array([None if side is None else side.content_type or None for side in sides], pa.string())
        table = table.set_column(table.schema.get_field_index(name), name, kinds.take(pa.array(parents)))
    if places:
        at = pa.array(parents)
        table = table.append_column(FILE, pa.array([one.file for one in places], pa.string()).take(at))
        table = table.append_column(LINE, pa.array([one.line for one in places], pa.int64()).take(at))
        spellings = pa.array([one.spelling for one in places], pa.string())
        table = table.append_column(SPELLING, spellings.take(pa.array(parents, mask=~first)))
    return marked(table, textual)


def marked(table: pa.Table, textual: frozenset[str]) -> pa.Table:
    """A table whose schema says which columns are textual."""
    fields = [part.with_metadata({TEXTUAL: b"1"}) if part.name in textual else part for part in table.schema]
    return table.cast(pa.schema(fields)) if textual else table


def inference_of(one: Said, endpoint: str, variant: str) -> Inference:
    """A record in our own form; nobody knows how long it took."""
    given, answer = one.input, one.output
    return Inference(
        endpoint,
        variant,
        one.event_id,
        one.inference_id,
        one.time,
        -1,
        -1,
        ANSWERED,
        1.0,
        "",
        one.attributes,
        "" if given is None else given.content_type,
        "" if answer is None else answer.content_type,
        None if given is None else given.body,
        None if answer is None else answer.body,
    )


def _records(said: Sequence[Said]) -> Records:
    count = len(said)
    inputs, outputs = [one.input for one in said], [one.output for one in said]
    unknown = np.full(count, -1, np.int64)
    return Records(
        texts={
            "event_id": [one.event_id for one in said],
            "inference_id": [one.inference_id for one in said],
            "flags": [""] * count,
            "attributes": [one.attributes for one in said],
            "input_type": ["" if side is None else kind_of(side) for side in inputs],
            "output_type": ["" if side is None else kind_of(side) for side in outputs],
        },
        numbers={
            "time": np.array([one.time for one in said], np.int64),
            "latency": unknown,
            "overhead": unknown,
            "status": np.full(count, ANSWERED, np.int16),
            "weight": np.ones(count),
        },
        bodies={"input": _bodies(inputs), "output": _bodies(outputs)},
        there={
            "input": np.array([side is not None for side in inputs], bool),
            "output": np.array([side is not None for side in outputs], bool),
        },
    )


def _bodies(sides: Sequence[Side | None]) -> Bodies:
    pieces = [b"" if side is None else side.body for side in sides]
    ends = np.cumsum([len(piece) + 1 for piece in pieces], dtype=np.int64)
    return Bodies(pa.py_buffer(b"".join(piece + b"\n" for piece in pieces)), ends)
