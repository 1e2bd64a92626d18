"""Reads records as a script of the user makes rows of them."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

import pyarrow as pa

from watchkeep.adapters.preprocessing import DROPPED, Script, rows_by
from watchkeep.adapters.preprocessing.script import Kind
from watchkeep.adapters.sources.capture import METADATA, NOT_CAPTURE, PLACE, REPEATED, Capture, paired
from watchkeep.adapters.sources.delimited import Delimited
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.json_columns import JsonColumns
from watchkeep.adapters.sources.json_lines import BLOCK, HEAD, NOT_OBJECT, NOT_UTF8, JsonLines, lines, loads
from watchkeep.adapters.sources.keys import place_of
from watchkeep.adapters.sources.readers import Reader
from watchkeep.adapters.sources.several import Several
from watchkeep.adapters.sources.spool import Kept
from watchkeep.adapters.sources.stored.columns import EVENT_ID, INFERENCE_ID, ROW, ROWS, TIME, WEIGHT
from watchkeep.adapters.sources.stored.layout import EPOCH
from watchkeep.adapters.sources.stored.lines import lines_in
from watchkeep.adapters.sources.stored.source import Captures
from watchkeep.adapters.sources.tables import batch_of, schema_of
from watchkeep.capture.payloads import Cell, Rejection, flat, named, rows_of_csv
from watchkeep.core.errors import DuplicateColumnError, OptionError, ScriptError
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, Source

_ABOUT: Final = (*METADATA, PLACE, EVENT_ID, INFERENCE_ID, TIME, ROW, ROWS, WEIGHT)


class _Taken(NamedTuple):
    """A record that goes to the script.

    Args:
        text: of it.
        own: columns about it, for those who name them.
    """

    text: str
    own: Mapping[str, object]


@dataclass(slots=True)
class _Taking:
    """Some records of a file."""

    records: list[_Taken] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)


def scripted(source: Source, script: Script) -> Source:
    """A source whose records go through a script.

    Raises:
        OptionError: it is neither of captures, nor of lines of CSV or JSON.
    """
    if isinstance(source, Several):
        return Several([scripted(member, script) for member in source.members])
    if isinstance(source, Kept):
        return replace(source, inner=scripted(source.inner, script))
    if isinstance(source, Captures):
        return replace(source, reader=ScriptedStore(script))
    reader: Reader | None = None
    if isinstance(source, FileSource):
        if isinstance(source.reader, Capture):
            reader = ScriptedCaptures(script)
        elif isinstance(source.reader, JsonLines):
            reader = ScriptedLines(script, "json")
        elif isinstance(source.reader, Delimited):
            reader = ScriptedLines(script, "csv", header=source.reader.header is True)
        if reader is not None:
            return replace(source, reader=reader)
    raise OptionError(
        "--preprocess",
        got=source.name,
        expected="captures, CSV or JSON Lines: a script is given records one by one",
    )


@dataclass(frozen=True, slots=True)
class ScriptedCaptures:
    """Captures as SageMaker writes them, through a script. See `Capture` for what can be named beside its columns."""

    script: Script
    clock: str | None = METADATA[-1]

    def schema(self, file: File, ask: Ask) -> pa.Schema:
        """The columns that the script makes of about the first megabyte."""
        return _schema(_batches(file, self.script, "capture", _captures(file, HEAD), ask))

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, some megabytes of records at a time."""
        yield from _batches(file, self.script, "capture", _captures(file, BLOCK), ask)


@dataclass(frozen=True, slots=True)
class ScriptedStore:
    """Files of the store, through a script, which is given their records as SageMaker writes them."""

    script: Script
    clock: str | None = METADATA[-1]

    def schema(self, file: File, ask: Ask) -> pa.Schema:
        """The columns that the script makes of the first records."""
        return _schema(_batches(file, self.script, "capture", _stored(file), ask))

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, some megabytes of records at a time."""
        yield from _batches(file, self.script, "capture", _stored(file), ask)


@dataclass(frozen=True, slots=True)
class ScriptedLines:
    """Files of lines, as batch transforms write them, through a script: texts of CSV, or what lines of JSON say.

    Args:
        script: makes rows of them.
        kind: what they are.
        header: whether the first line is none of them.
    """

    script: Script
    kind: Kind
    header: bool = False
    clock: str | None = None

    def schema(self, file: File, ask: Ask) -> pa.Schema:
        """The columns that the script makes of about the first megabyte."""
        return _schema(_batches(file, self.script, self.kind, self._lines(file, HEAD), ask))

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, some megabytes of lines at a time."""
        yield from _batches(file, self.script, self.kind, self._lines(file, BLOCK), ask)

    def _lines(self, file: File, size: int) -> Iterator[_Taking]:
        skip = self.header
        with reading(file.name), file.stream() as stream:
            for block in lines(stream, size, source=file.name):
                taking = _Taking()
                for line in block.split(b"\n"):
                    if not line.strip():
                        continue
                    if skip:
                        skip = False
                        continue
                    self._take(line.rstrip(b"\r"), taking)
                yield taking

    def _take(self, line: bytes, taking: _Taking) -> None:
        if self.kind == "json":
            value, reason = loads(line)
            if not isinstance(value, dict):
                taking.rejected[reason or NOT_OBJECT] += 1
                return
        try:
            taking.records.append(_Taken(line.decode(), {}))
        except UnicodeDecodeError:
            taking.rejected[NOT_UTF8] += 1


def _captures(file: File, size: int) -> Iterator[_Taking]:
    seen: set[str] = set()
    with reading(file.name), file.stream() as stream:
        for block in lines(stream, size, source=file.name):
            taking = _Taking()
            for line in block.split(b"\n"):
                if not line.strip():
                    continue
                record, reason = loads(line)
                if not isinstance(record, dict) or not isinstance(record.get("captureData"), dict):
                    taking.rejected[reason or NOT_CAPTURE] += 1
                    continue
                event = record.get("eventMetadata")
                own = {name: event.get(name) for name in METADATA} if isinstance(event, dict) else {}
                if isinstance(name := own.get(METADATA[0]), str):
                    if name in seen:
                        taking.rejected[REPEATED] += 1
                        continue
                    seen.add(name)
                taking.records.append(_Taken(line.decode().strip(), own))
            yield taking


def _stored(file: File) -> Iterator[_Taking]:
    for several in lines_in(file):
        taking = _Taking()
        for one in several:
            if not 200 <= one.status < 300:
                reason = f"answered with status {one.status}" if one.status else "no answer"
                taking.rejected[reason] += 1
                continue
            said = one.said
            moment = (EPOCH + timedelta(microseconds=said.time)).isoformat()
            stored = {EVENT_ID: said.event_id, INFERENCE_ID: said.inference_id or None, TIME: moment}
            own = dict(zip(METADATA, stored.values(), strict=True)) | stored | {WEIGHT: one.weight}
            taking.records.append(_Taken(one.text.rstrip("\n"), own))
        yield taking


def _schema(batches: Iterator[Batch]) -> pa.Schema:
    for batch in batches:
        if batch.names:
            types = {name: batch.column(name).type for name in batch.names}
            return schema_of(types, batch.textual, open_=True)
    return schema_of({}, open_=True)


def _batches(file: File, script: Script, kind: Kind, takings: Iterator[_Taking], ask: Ask) -> Iterator[Batch]:
    asked = {ask.timestamp, *(ask.columns or ())}
    for taking in takings:
        columns, rejected = JsonColumns(), Counter(taking.rejected)
        answers = rows_by(script, [one.text for one in taking.records], kind)
        for one, answer in zip(taking.records, answers, strict=True):
            try:
                rows = (
                    _itself(one.text, kind, ask.positional, file.name)
                    if answer is None
                    else _made(answer, script)
                )
            except Rejection as rejection:
                rejected[rejection.reason] += rejection.rows
                continue
            rejected[DROPPED] += not rows
            for at, row in enumerate(rows):
                columns.add(_about(one.own, at, len(rows), asked, row) | row)
        table, textual = columns.finish()
        rejected = +rejected
        if columns.rows or rejected:
            yield batch_of(
                _ordered(table),
                source=file.name,
                columns=ask.columns,
                textual=textual,
                rejected=dict(rejected),
            )


def _about(
    own: Mapping[str, object], at: int, rows: int, asked: set[str | None], row: Mapping[str, object]
) -> dict[str, object]:
    """The columns about a record that are asked for by name, and that its rows do not have themselves."""
    told = {**own, ROW: at, ROWS: rows} if EVENT_ID in own else dict(own)
    if PLACE in asked:
        told[PLACE] = place_of(at, rows)
    return {name: value for name, value in told.items() if name in asked and name not in row}


def _ordered(table: pa.Table) -> pa.Table:
    """The table with the columns of the script first."""
    names = table.schema.names
    return table.select([*(n for n in names if n not in _ABOUT), *(n for n in names if n in _ABOUT)])


def _made(answer: Sequence[Mapping[str, Any]], script: Script) -> list[dict[str, object]]:
    """The rows that a script made. Its texts are of unknown type: it may have cut them out of lines of CSV."""
    try:
        return [
            {
                name: Cell(value) if isinstance(value, str) else value
                for name, value in flat(row, source="x").items()
            }
            for row in answer
        ]
    except DuplicateColumnError as error:
        why = f"it returned two values for the column {error.column!r}"
        raise ScriptError(script.name, line=None, why=why) from error


def _itself(text: str, kind: Kind, positional: Sequence[str] | None, source: str) -> list[dict[str, object]]:
    """The rows of a record as it is."""
    if kind == "capture":
        return paired(json.loads(text)["captureData"], positional, source)
    if kind == "json":
        return [flat(json.loads(text), source=source)]
    return [
        dict(zip(named(len(row), positional), row, strict=True)) if isinstance(row, list) else row
        for row in rows_of_csv(text)
    ]
