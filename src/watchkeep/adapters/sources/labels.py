"""Reads a source of labels as ids, labels and times of arrival."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.ground_truth import (
    DATA,
    ENCODING,
    EVENT_ID,
    hour_of,
    is_ground_truth,
    label_lists,
)
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import Files
from watchkeep.adapters.sources.keys import key_texts, place_of, placed, sound_texts
from watchkeep.adapters.sources.several import Several
from watchkeep.core.errors import EmptySourceError, MissingColumnError, UnreadableSourceError
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import filled, truths
from watchkeep.frames.schema import OPEN, TEXTUAL, is_text, is_textual
from watchkeep.frames.times import event_times
from watchkeep.service.ports import Ask, Source, parts_of

COLUMNS: Final = pa.schema(
    [("row", pa.int64()), ("id", pa.large_string()), ("label", pa.large_string()), ("arrival", pa.int64())]
)
_HOUR: Final = timedelta(hours=1) // timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LabelType:
    """What the labels are: an Arrow type, and whether they are texts of unknown type."""

    type: pa.DataType
    textual: bool = False

    def field(self, name: str) -> pa.Field:
        """A column of this type."""
        return pa.field(name, self.type, metadata={TEXTUAL: b"1"} if self.textual else None)

    def merge(self, other: "LabelType") -> "LabelType":
        """The type of labels some of which are of this type and some of the other."""
        if pa.types.is_null(self.type) or self == other:
            return other
        if pa.types.is_null(other.type):
            return self
        if not self.textual and not other.textual:
            if is_text(self.type) and is_text(other.type):
                return LabelType(pa.large_string())
            if _is_number(self.type) and _is_number(other.type):
                return LabelType(pa.float64())
        return LabelType(pa.string(), textual=True)

    @classmethod
    def of(cls, stored: pa.DataType, *, textual: bool) -> "LabelType":
        """What labels of this type become: numbers, truth values and texts stay, others become texts."""
        kind = stored.value_type if pa.types.is_dictionary(stored) else stored
        if textual:
            return cls(pa.string(), textual=True)
        if pa.types.is_float16(kind):
            return cls(pa.float64())
        kept = pa.types.is_null(kind) or pa.types.is_boolean(kind) or is_text(kind) or _is_number(kind)
        return cls(kind if kept else pa.string())


UNKNOWN: Final = LabelType(pa.null())


@dataclass(slots=True)
class LabelRows:
    """The rows of a source of labels, read once; what was counted on the way is known afterwards.

    A ground-truth tree of SageMaker is known by its columns, unless `label` names another one.

    Args:
        source: the labels.
        id, label: its columns of the ids and the labels.
        arrival: its column of the times of arrival; None for the hours of the folders (`yyyy/mm/dd/hh`).
        rows, without_id, without_value, rejected: counts, as in `JoinAccount`.
        type: the type of all labels read so far.
    """

    source: Source
    id: str
    label: str
    arrival: str | None = None
    rows: int = 0
    without_id: int = 0
    without_value: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    type: LabelType = UNKNOWN

    @property
    def slack(self) -> int:
        """How much later than its time of arrival a label may have come, in microseconds."""
        return _HOUR if self.arrival is None else 0

    def parts(self) -> "list[LabelRows]":
        """The same in parts, in the order of the rows, each with counts of its own."""
        return [replace(self, source=part, rejected=Counter()) for part in parts_of(self.source, Ask())]

    def merge(self, other: "LabelRows") -> None:
        """Take in what was counted elsewhere."""
        self.rows += other.rows
        self.without_id += other.without_id
        self.without_value += other.without_value
        self.rejected += other.rejected
        self.type = self.type.merge(other.type)

    def schema_type(self) -> tuple[LabelType, bool]:
        """The type that the labels seem to have, and whether reading them may show another."""
        schema = self._schema()
        open_ = bool(schema.metadata and OPEN in schema.metadata)
        if self._is_tree(schema):
            return LabelType(pa.string(), textual=True), False
        if self.label not in schema.names:
            return UNKNOWN, True
        column = schema.field(self.label)
        return LabelType.of(column.type, textual=is_textual(column)), open_

    def tables(self) -> Iterator[pa.Table]:
        """All rows with an id and a label, as `COLUMNS`; `row` is their place.

        Raises:
            MissingColumnError: the source has no such column.
            SourceError: it cannot be read.
        """
        schema = self._schema()
        tree = self._is_tree(schema)
        names = [EVENT_ID, DATA] if tree else [self.id, self.label]
        if self.arrival is not None:
            names.append(self.arrival)
        missing = [name for name in names if name not in schema.names]
        if missing and schema.names and not (schema.metadata and OPEN in schema.metadata):
            raise self._lacks(missing[0], schema)
        ask = Ask(columns=[*names, ENCODING] if tree else names)
        for batch, hour in _batches(self.source, ask):
            missing = [name for name in missing if name not in batch.names]
            self.rejected.update(batch.rejected)
            if batch.rows:
                yield self._table(batch, names[0], hour, tree=tree)
        if missing and self.rows:
            raise self._lacks(missing[0], schema)

    def _schema(self) -> pa.Schema:
        try:
            return self.source.schema(Ask())
        except EmptySourceError:  # no labels yet is no error
            return pa.schema([], metadata={OPEN: b"1"})

    def _is_tree(self, schema: pa.Schema) -> bool:
        return is_ground_truth(schema.names) and (self.label == DATA or self.label not in schema.names)

    def _lacks(self, column: str, schema: pa.Schema) -> MissingColumnError:
        return MissingColumnError(column, reader=f"the join with {self.source.name}", available=schema.names)

    def _table(self, batch: Batch, id_: str, hour: datetime | None, *, tree: bool) -> pa.Table:
        ids = key_texts(_column(batch, id_), column=id_, source=self.source.name)
        arrivals = self._arrivals(batch, hour)
        if tree:
            lists = self._of_tree(batch)
            rows, labels = pc.list_parent_indices(lists), pc.list_flatten(lists)
            ids, arrivals = placed(ids.take(rows), _places(lists)), arrivals.take(rows)
        else:
            labels = self._plain(batch)
        places = np.arange(self.rows, self.rows + len(labels))
        self.rows += len(labels)
        named = pc.is_valid(ids)
        sound = pc.and_(named, pc.is_valid(labels))
        self.without_id += len(labels) - (named.true_count or 0)
        self.without_value += (named.true_count or 0) - (sound.true_count or 0)
        table = pa.Table.from_arrays([pa.array(places), ids, labels, arrivals], schema=COLUMNS)
        return table.filter(sound)

    def _of_tree(self, batch: Batch) -> pa.Array:
        self.type = self.type.merge(LabelType(pa.string(), textual=True))
        encodings = _column(batch, ENCODING) if ENCODING in batch.names else None
        return label_lists(_undone(_column(batch, DATA)), None if encodings is None else _undone(encodings))

    def _plain(self, batch: Batch) -> pa.Array:
        labels = _undone(_column(batch, self.label))
        if pa.types.is_nested(labels.type):
            why = f"its column {self.label!r} holds values of type {labels.type}; expected one label a row"
            raise UnreadableSourceError(self.source.name, why=why)
        if labels.null_count < len(labels):
            found = LabelType.of(labels.type, textual=self.label in batch.textual)
            self.type = self.type.merge(found)
        if pa.types.is_floating(labels.type):  # NaN is how NumPy and pandas write a missing number
            labels = pc.if_else(pc.is_nan(labels.cast(pa.float64())), None, labels)
        texts = sound_texts(labels)
        return pc.if_else(pc.equal(pc.binary_length(texts), 0), None, texts)

    def _arrivals(self, batch: Batch, hour: datetime | None) -> pa.Array:
        if self.arrival is not None and self.arrival in batch.names:
            return times_of(batch, self.arrival)
        if hour is None or self.arrival is not None:
            return pa.nulls(batch.rows, pa.int64())
        return pa.array(np.full(batch.rows, (hour - _EPOCH) // timedelta(microseconds=1)))


def _places(lists: pa.Array) -> pa.Array:
    """Where each member of lists stands in its own, as captured rows are placed; null for the only one."""
    lengths = filled(pc.list_value_length(lists), 0)
    if (lengths <= 1).all():
        return pa.nulls(int(lengths.sum()), pa.large_string())
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    of = np.repeat(lengths, lengths)
    texts = [
        place_of(at, n) for at, n in zip((np.arange(len(first)) - first).tolist(), of.tolist(), strict=True)
    ]
    return pa.array(texts, pa.large_string())


def times_of(batch: Batch, column: str) -> pa.Array:
    """A column of times as microseconds since 1970, null where there is none."""
    micros, valid = event_times(batch.column(column), textual=column in batch.textual)
    bits = truths(np.ascontiguousarray(valid)).buffers()[1]
    return pa.Array.from_buffers(pa.int64(), len(micros), [bits, pa.py_buffer(micros)])


def _batches(source: Source, ask: Ask) -> Iterator[tuple[Batch, datetime | None]]:
    """The batches, each with the hour that the folders above its file name."""
    for part, hour in _parts(source):
        try:
            for batch in part.batches(ask):
                yield batch, hour
        except EmptySourceError:
            continue


def _parts(source: Source) -> Iterator[tuple[Source, datetime | None]]:
    if isinstance(source, Several):
        for member in source.members:
            yield from _parts(member)
    elif isinstance(source, FileSource):
        for file in source.files.members:
            yield replace(source, files=Files(file.name, [file])), hour_of(file.path)
    else:
        yield source, None


def _column(batch: Batch, name: str) -> pa.Array:
    """A column; nulls where the rows have none, because files differ."""
    return batch.column(name) if name in batch.names else pa.nulls(batch.rows)


def _undone(array: pa.Array) -> pa.Array:
    """The array, without a dictionary."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
