"""Reads inference captures as SageMaker endpoints write them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.json_columns import JsonColumns
from watchkeep.adapters.sources.json_lines import BLOCK, HEAD, lines, loads
from watchkeep.adapters.sources.keys import place_of
from watchkeep.adapters.sources.payloads import rows_of
from watchkeep.adapters.sources.tables import batch_of, schema_of
from watchkeep.adapters.sources.window import micros
from watchkeep.capture.payloads import Rejection, Row, joined
from watchkeep.frames.batches import Batch
from watchkeep.frames.times import event_times
from watchkeep.service.ports import Ask

METADATA: Final = ("eventId", "inferenceId", "inferenceTime")
PLACE: Final = "\x1feventRow"
"""The column of a row's place in a record of several rows; no body has a field of that name."""
NOT_CAPTURE: Final = "not a capture record"
UNPAIRED: Final = "input and output have different numbers of lines"
REPEATED: Final = "duplicate eventId"
_SIDES: Final = ("endpointOutput", "endpointInput")


class Capture:
    """JSON Lines whose records hold `captureData`: a request body, a response body, or both.

    The i-th row of the output is paired with the i-th row of the input; see `payloads` for how bodies become
    rows and how columns are named. Fields of CSV bodies are textual. `eventId`, `inferenceId` and
    `inferenceTime` of the record are columns when they are asked for by name and the bodies have no such
    columns, and so is `PLACE` (see `keys.place_of`); `inferenceTime` is the event time unless a role names
    another. A record whose `eventId` was seen before in the same file is rejected; repeats in other files are not
    noticed, because the ids of all files would not fit in memory.
    """

    clock: str | None = "inferenceTime"

    def schema(self, file: File, ask: Ask) -> pa.Schema:
        """The columns of about the first megabyte."""
        with reading(file.name):
            for table, textual, _ in _tables(file, HEAD, ask):
                return schema_of({part.name: part.type for part in table.schema}, textual, open_=True)
        return schema_of({})

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, some megabytes of records at a time."""
        with reading(file.name):
            for table, textual, rejected in _tables(file, BLOCK, ask):
                yield batch_of(
                    table, source=file.name, columns=ask.columns, textual=textual, rejected=rejected
                )


def _tables(file: File, size: int, ask: Ask) -> Iterator[tuple[pa.Table, frozenset[str], dict[str, int]]]:
    asked = {ask.timestamp, *(ask.columns or ())}
    metadata = tuple(name for name in (*METADATA, PLACE) if name in asked)
    seen: set[str] = set()
    with file.stream() as stream:
        for block in lines(stream, size, source=file.name):
            columns, lost = JsonColumns(), list[Rejection]()
            for line in block.split(b"\n"):
                if not line.strip():
                    continue
                try:
                    event, rows = _rows(line, seen, ask.positional, file.name)
                except Rejection as rejection:
                    lost.append(rejection)
                    continue
                for at, row in enumerate(rows):
                    own = {name: event.get(name) for name in metadata if name not in row}
                    if PLACE in own:
                        own[PLACE] = place_of(at, len(rows))
                    columns.add(own | row)
            table, textual = columns.finish()
            rejected = _counted(lost, ask)
            if columns.rows or rejected:
                yield _reordered(table, metadata), textual, rejected


def _counted(lost: Sequence[Rejection], ask: Ask) -> dict[str, int]:
    """Rows lost by reason, without those of records which say themselves that they lie outside the window."""
    counts: Counter[str] = Counter()
    by_event = ask.window.bounded and ask.timestamp == METADATA[-1]
    said = [rejection.at if isinstance(rejection.at, str) else None for rejection in lost]
    times, valid = event_times(pa.array(said, pa.string()))
    start, end = micros(ask.window)
    outside = valid & ((times < start) | (times >= end))
    for rejection, is_outside in zip(lost, outside, strict=True):
        if not (by_event and is_outside):
            counts[rejection.reason] += rejection.rows
    return dict(counts)


def _reordered(table: pa.Table, metadata: Sequence[str]) -> pa.Table:
    """The table with the columns of the bodies first."""
    names = table.schema.names
    return table.select([*(n for n in names if n not in metadata), *(n for n in metadata if n in names)])


def _rows(
    line: bytes, seen: set[str], positional: Sequence[str] | None, source: str
) -> tuple[Mapping[str, Any], list[dict[str, object]]]:
    """The metadata of one record, and its rows.

    Raises:
        Rejection: the record has no rows for us.
    """
    record, reason = loads(line)
    if reason is not None:
        raise Rejection(reason)
    data = record.get("captureData") if isinstance(record, dict) else None
    if not isinstance(data, dict):
        raise Rejection(NOT_CAPTURE)
    event = record.get("eventMetadata")
    event = event if isinstance(event, dict) else {}
    try:
        rows = paired(data, positional, source)
        _see(event.get("eventId"), seen, len(rows))
    except Rejection as rejection:
        rejection.at = event.get("inferenceTime")
        raise
    return event, rows


def _see(identity: object, seen: set[str], rows: int) -> None:
    """Remembers an event by its id, and rejects one that was seen before."""
    if isinstance(identity, str):
        if identity in seen:
            raise Rejection(REPEATED, rows)
        seen.add(identity)


def paired(data: Mapping[str, Any], positional: Sequence[str] | None, source: str) -> list[dict[str, object]]:
    """The rows of `captureData`: row i of the output with row i of the input; a side that is not there adds no columns.

    Raises:
        Rejection: it holds none.
    """
    sides = {side: rows_of(data[side], source=source) for side in _SIDES if isinstance(data.get(side), dict)}
    rows = max((len(side) for side in sides.values()), default=0)
    if not rows:
        raise Rejection("capture holds no rows")
    if any(len(side) != rows for side in sides.values()):
        raise Rejection(UNPAIRED, rows)
    nothing: list[Row] = [[]] * rows
    outputs, inputs = (sides.get(side, nothing) for side in _SIDES)
    return [joined(output, given, positional) for output, given in zip(outputs, inputs, strict=True)]
