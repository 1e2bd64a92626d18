"""Deletes what the store holds of one subject."""

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.captures.arrivals import kind_of
from watchkeep.adapters.captures.cutting import DROPPED, FORGOTTEN, without_rows
from watchkeep.adapters.captures.sealing import written_as
from watchkeep.adapters.captures.subjects import Subject
from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.keys import key_texts
from watchkeep.adapters.sources.parquet_files import parquet_writer
from watchkeep.adapters.sources.stored.columns import (
    EVENT_ID,
    FLAGS,
    INFERENCE_ID,
    INPUT,
    INPUT_TYPE,
    OUTPUT,
    OUTPUT_TYPE,
    ROW,
    ROWS,
    SPELLING,
)
from watchkeep.adapters.sources.stored.lines import batches_of, encoding_of
from watchkeep.adapters.sources.stored.reading import opened_file
from watchkeep.capture.flags import with_flag
from watchkeep.formats import capture_lines
from watchkeep.formats.capture_lines import Side, encoding_in, tells_bodies
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import filled, strings, truths

_AT_A_TIME: Final = 16 << 20
_SIDES: Final = ((INPUT, INPUT_TYPE, capture_lines.INPUT), (OUTPUT, OUTPUT_TYPE, capture_lines.OUTPUT))


@dataclass(slots=True)
class Gone:
    """What was deleted.

    Args:
        records: that are gone whole.
        rows: that are gone, of records and of records that stay.
        cut, dropped: bodies of records that stay: without the row, and dropped as it could not be cut out of them.
        files: that were written anew.
        ids: of the records that are gone, as labels know them; and of rows of records that stay.
    """

    records: int = 0
    rows: int = 0
    cut: int = 0
    dropped: int = 0
    files: int = 0
    ids: set[str] = field(default_factory=set)

    def add(self, other: "Gone") -> None:
        """Take in what was deleted elsewhere."""
        self.records += other.records
        self.rows += other.rows
        self.cut += other.cut
        self.dropped += other.dropped
        self.files += other.files
        self.ids |= other.ids


@dataclass(slots=True)
class _Record:
    """A record of which rows go.

    Args:
        gone: these rows.
        rows: all that are there.
        of: how many it had.
        name: by which labels know it.
        first: its bodies, types, spelling and flags, by column.
    """

    gone: set[int]
    rows: list[int] = field(default_factory=list)
    of: int = 1
    name: str = ""
    first: dict[str, Any] = field(default_factory=dict)

    @property
    def kept(self) -> list[int]:
        return [row for row in self.rows if row not in self.gone]

    def ids(self, event: str) -> set[str]:
        """What labels may be told of: of rows that go, or of all of it."""
        return {f"{self.name}\x1f{row}/{self.of}" for row in self.gone} if self.kept else {self.name, event}


def without(file: File, subject: Subject) -> tuple[bytes, Gone] | None:
    """A file of the store without what it holds of a subject; None where that is nothing.

    Rows of a record are cut out of its bodies. A body out of which they cannot be cut is dropped, and the record says
    so in its flags.

    Args:
        file: of the store.
        subject: whose records go.

    Raises:
        SourceError: it cannot be read.
    """
    records = _found(file, subject)
    if not records:
        return None
    _gathered(file, records)
    gone = Gone(files=1)
    changed: dict[str, tuple[int, dict[str, Any]]] = {}
    for event, one in records.items():
        gone.rows += len(one.gone & set(one.rows))
        gone.ids |= one.ids(event)
        if kept := one.kept:
            changed[event] = min(kept), _changed(one, subject, gone)
        else:
            gone.records += 1
    return _rewritten(file, records, changed), gone


def ids_in(file: File, subject: Subject) -> set[str]:
    """The ids of what a file holds of a subject, by which labels are told of it.

    Raises:
        SourceError: it cannot be read.
    """
    records = _found(file, subject)
    if records:
        _gathered(file, records)
    return {name for event, one in records.items() for name in one.ids(event)}


def _found(file: File, subject: Subject) -> dict[str, _Record]:
    """The records that hold the subject, and the rows that do."""
    records: dict[str, _Record] = {}
    for batch in batches_of(file, (*dict.fromkeys((EVENT_ID, ROW, *subject.columns)),), size=_AT_A_TIME):
        for at in np.flatnonzero(subject.held_in(batch)).tolist():
            event, row = batch.column(EVENT_ID)[at].as_py(), batch.column(ROW)[at].as_py()
            records.setdefault(event, _Record(set())).gone.add(row or 0)
    return records


def _gathered(file: File, records: Mapping[str, _Record]) -> None:
    """Add what else the file holds of the records."""
    wanted = pa.array(list(records), pa.large_string())
    columns = (EVENT_ID, INFERENCE_ID, ROW, ROWS, INPUT, OUTPUT, INPUT_TYPE, OUTPUT_TYPE, SPELLING, FLAGS)
    for batch in batches_of(file, columns, size=_AT_A_TIME):
        own = pa.Table.from_batches([batch])
        own = own.filter(pc.is_in(own.column(EVENT_ID).cast(pa.large_string()), value_set=wanted))
        for row in own.to_pylist():
            one = records[row[EVENT_ID]]
            one.rows.append(row[ROW] or 0)
            one.of, one.name = row[ROWS] or 1, row.get(INFERENCE_ID) or row[EVENT_ID]
            if not one.first or row.get(INPUT) is not None or row.get(OUTPUT) is not None:
                one.first = row


def _changed(one: _Record, subject: Subject, gone: Gone) -> dict[str, Any]:
    """What the first row that stays holds from now on."""
    first = one.first
    told: dict[str, Any] = {SPELLING: first.get(SPELLING)}
    flags = first.get(FLAGS) or ""
    flags = "" if subject.stands_in(flags.encode()) else flags
    # Rows are counted among those that are there: some may have been forgotten before. A record may be there twice.
    places = {at for at, row in enumerate(sorted(set(one.rows))) if row in one.gone}
    for name, kind, side in _SIDES:
        body = first.get(name)
        told[name] = None
        if body is None:
            continue
        spelling = first.get(SPELLING)
        content_type = first.get(kind) or ""
        encoding = (encoding_in(spelling, side) if spelling else None) or encoding_of(body, content_type)
        told[name] = cut = without_rows(body, kind_of(Side(body, encoding, content_type)), places)
        flags = with_flag(flags, name.removeprefix("capture_"), DROPPED if cut is None else FORGOTTEN)
        gone.cut += cut is not None
        gone.dropped += cut is None
    spelling = told[SPELLING]
    if spelling and (tells_bodies(spelling) or subject.stands_in(spelling.encode("utf-8", "surrogatepass"))):
        told[SPELLING] = None
    told[FLAGS] = flags or None
    return told


def _rewritten(
    file: File, records: Mapping[str, _Record], changed: Mapping[str, tuple[int, dict[str, Any]]]
) -> bytes:
    stream = io.BytesIO()
    with opened_file(file) as opened:
        schema = opened.schema_arrow
        with parquet_writer(stream, schema, **written_as(schema)) as writer:
            for at in range(opened.metadata.num_row_groups):
                table = opened.read_row_group(at, use_threads=False)
                writer.write_table(_kept(table, records, changed).cast(schema))
    return stream.getvalue()


def _kept(
    table: pa.Table, records: Mapping[str, _Record], changed: Mapping[str, tuple[int, dict[str, Any]]]
) -> pa.Table:
    events = one_chunk(table.column(EVENT_ID)).cast(pa.large_string())
    rows = filled(one_chunk(table.column(ROW)), 0)
    keep = np.ones(len(events), bool)
    news: dict[int, dict[str, Any]] = {}
    held = pc.is_in(events, value_set=pa.array(list(records), pa.large_string()))
    for at in np.flatnonzero(np.asarray(held)).tolist():
        event = events[at].as_py()
        if int(rows[at]) in records[event].gone:
            keep[at] = False
        elif event in changed and changed[event][0] == rows[at]:
            news[at] = changed[event][1]
    for name in (INPUT, OUTPUT, SPELLING, FLAGS):
        if news and name in table.schema.names:
            table = _with(table, name, {at: new[name] for at, new in news.items()})
    return table.filter(truths(keep))


def _with(table: pa.Table, name: str, values: Mapping[int, Any]) -> pa.Table:
    """A table with other values in some rows of a column."""
    where = table.schema.get_field_index(name)
    part = table.schema.field(where)
    places = sorted(values)
    mask = np.zeros(table.num_rows, bool)
    mask[places] = True
    new = pa.array([values[at] for at in places], part.type)
    array = pc.replace_with_mask(one_chunk(table.column(where)), truths(mask), new)
    return table.set_column(where, part, array)


def label_ids(ids: Collection[str]) -> set[str]:
    r"""The ids of records and of their rows, as they came and as labels spell them.

    >>> sorted(label_ids({"7.0", "8.0\x1f0/2"}))
    ['7', '7.0', '8\x1f0/2', '8.0\x1f0/2']
    """
    several = [one.partition("\x1f") for one in ids]
    keys = key_texts(strings([name for name, _, _ in several]), column="id", source="labels").to_pylist()
    return {
        *ids,
        *(f"{key}{mark}{place}" for key, (_, mark, place) in zip(keys, several, strict=True) if key),
    }


def label_rows(table: pa.Table, name: str, ids: Collection[str]) -> npt.NDArray[np.bool_]:
    """Which labels are of some records, shape (rows,): of records as a whole, and of their rows."""
    whole = {one for one in ids if "\x1f" not in one}
    texts = table.column(name).cast(pa.large_string()).to_pylist()
    return np.array(
        [text is not None and (text in ids or text.partition("\x1f")[0] in whole) for text in texts], bool
    )
