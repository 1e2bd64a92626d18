"""Predictions with their labels, which arrive in a source of their own."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.sources.candidates import Candidates, TooManyError
from watchkeep.adapters.sources.capture import PLACE
from watchkeep.adapters.sources.keys import key_texts, placed
from watchkeep.adapters.sources.labels import COLUMNS, LabelRows, LabelType, times_of
from watchkeep.adapters.sources.matching import MEMORY, Found, Matching, Slice
from watchkeep.core.errors import MissingColumnError, UnreadableSourceError, WatchkeepError
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import truths
from watchkeep.frames.schema import OPEN, is_textual
from watchkeep.service.joining import DUPLICATE, JoinAccount
from watchkeep.service.ports import Ask, Source, Weights, parts_of, weights_of

_CAPTURED: Final = ("inferenceId", "eventId")
"""The ids of a captured record, the one that counts first."""
_CLOCK: Final = "inferenceTime"
KEYS: Final = pa.schema([("row", pa.int64()), ("id", pa.large_string()), ("moment", pa.int64())])


class JoinedSource:
    """The rows of the predictions, each with its label or a null, in bounded memory.

    Predictions are read twice: for their ids and times, and when all is matched as they are asked for. Of two
    predictions with one id the one with the later event time is kept, or the later one in the source; the
    other is rejected. The last label by arrival wins. Ids match when `key_texts` spells them alike. The
    window holds for the predictions; labels are read whole, however late they came.

    Where the predictions are SageMaker captures, and `id` is `inferenceId` or `eventId`, a record is known by
    its `inferenceId` or, when it has none, by its `eventId`; of a record of several rows each is known by its
    place, and meets the label of that place among as many labels. Captured records tell their event time by
    themselves, whatever `id` is. Labels of a SageMaker ground-truth tree are known
    by their columns; `label` is then the name they are given.

    Args:
        predictions, labels: the two sources.
        id: the column of the ids, in both.
        label: the column of the labels, in `labels`.
        label_id: the column of the ids in `labels`, where it has another name there.
        label_name: the name of the labels in the joined rows; a prediction's column of that name is replaced.
        arrival: the column in `labels` of the times of arrival. Without one, the hours of their folders
            (`yyyy/mm/dd/hh`) say when they arrived, or else their order.
        memory: bytes that the join may take beside the rows it reads; beyond them it uses temporary files.

    >>> from watchkeep.adapters.sources import open_source
    >>> served = open_source(pa.table({"id": [1, 2, 3], "p": [0.9, 0.2, 0.7]}))
    >>> truth = open_source(pa.table({"id": ["1", "2", "2"], "y": [1, 1, 0]}))
    >>> joined = JoinedSource(served, truth, id="id", label="y")
    >>> [batch.column("y").to_pylist() for batch in joined.batches(Ask())]
    [[1, 0, None]]
    >>> joined.account().match_rate, joined.account().changed_labels
    (0.6666666666666666, 1)
    """

    def __init__(
        self,
        predictions: Source,
        labels: Source,
        *,
        id: str,  # noqa: A002 (the role has this name)
        label: str,
        label_id: str | None = None,
        label_name: str | None = None,
        arrival: str | None = None,
        memory: int = MEMORY,
    ) -> None:
        self.predictions, self._labels = predictions, labels
        self._id, self._label, self._label_id = id, label, label_id or id
        self.label_name, self._arrival = label_name or label, arrival
        self._memory = memory
        self._account: JoinAccount | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.predictions.name} with labels of {self._labels.name}"

    def weights(self, ask: Ask) -> Weights | None:
        """Those of the predictions; see `Weighted`."""
        return weights_of(self.predictions, ask)

    def account(self) -> JoinAccount:
        """What the last read found; known as soon as its first batch is out."""
        if self._account is None:
            raise WatchkeepError(f"{self.name}: it was not read yet, so there is no account of the join")
        return self._account

    def schema(self, ask: Ask) -> pa.Schema:
        """The columns of the predictions, and the label."""
        schema = self.predictions.schema(self._without_label(ask))
        found, open_ = self.label_rows().schema_type()
        fields = {field.name: field for field in schema}
        fields[self.label_name] = found.field(self.label_name)
        metadata = dict(schema.metadata or {}) | ({OPEN: b"1"} if open_ else {})
        return pa.schema(list(fields.values()), metadata=metadata or None)

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows of the predictions, with labels.

        Raises:
            MissingColumnError: one of the two has no such column.
            SourceError: one of the two cannot be read, or the disk is full.
        """
        with Matching(self.name, memory=self._memory) as matching:
            keys, labels = self.keys(ask), self.label_rows()
            candidates = Candidates(self._memory)
            matching.keep("labels", COLUMNS, candidates.noting(labels.tables()))
            try:
                matching.keep("predictions", KEYS, candidates.among(keys.tables()))
                if candidates.any_repeated():
                    others = candidates.repeated(self.keys(ask).tables())
                    matching.keep("predictions", KEYS, chain(matching.kept("predictions"), others))
            except TooManyError:
                keys = self.keys(ask)
                matching.keep("predictions", KEYS, keys.tables())
            repeated = {
                "predictions": candidates.predictions_repeated,
                "labels": candidates.labels_repeated,
            }
            found = matching.match(
                slack=labels.slack, repeated=[what for what, may in repeated.items() if may]
            )
            self.matched(keys, labels, found)
            with closing(matching.slices()) as slices:
                yield from LabelledRows(
                    self.predictions, keys, self.label_name, labels.type, slices
                ).batches()

    def parts_of_predictions(self, ask: Ask) -> Sequence[Source]:
        """Parts of the predictions, each of which can be read with what was found for its rows."""
        return parts_of(self.predictions, self.keys(ask).again)

    def keys(self, ask: Ask) -> "Keys":
        """What to read of the predictions first."""
        return Keys(self.predictions, self._id, self._without_label(ask))

    def label_rows(self) -> LabelRows:
        """What to read of the labels."""
        return LabelRows(self._labels, self._label_id, self._label, self._arrival)

    def matched(self, keys: "Keys", labels: LabelRows, found: Found) -> None:
        """Keep account of a match, wherever it was made.

        Args:
            keys, labels: all that were read.
            found: what was matched.
        """
        self._account = _account(keys, labels, found)

    def _without_label(self, ask: Ask) -> Ask:
        """What to ask of the predictions: rows that come without names come without a label too."""
        if ask.positional is None:
            return ask
        return replace(ask, positional=[name for name in ask.positional if name != self.label_name])


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """The second read of predictions: each row with its label, or without.

    Args:
        source: the predictions.
        keys: the first read of the same.
        label: the name of the labels.
        kind: their type.
        found: what was found for the rows, in their order.
    """

    source: Source
    keys: "Keys"
    label: str
    kind: LabelType
    found: Iterator[Slice]

    def batches(self) -> Iterator[Batch]:
        """The rows.

        Raises:
            SourceError: they cannot be read, or are not those of the first read.
        """
        keys, outcome, first = self.keys, _Outcome(self.found), 0
        for batch in self.source.batches(keys.again):
            first += batch.rows
            if first > keys.rows:
                break
            part = outcome.until(first)
            yield _with_labels(
                keys.narrowed(batch), self.label, self.kind, part, first - batch.rows, keys.asked
            )
        if first != keys.rows:
            raise UnreadableSourceError(self.source.name, why="it changed while it was being read")


class Keys:
    """The first read of the predictions: their ids and event times.

    The second read must give the same rows in the same order. Rows of text that cannot be decoded are
    rejected by the columns that are read, so both reads of a text ask for the same columns; elsewhere the
    first read asks for no more than it needs.
    """

    def __init__(self, source: Source, id_: str, ask: Ask) -> None:
        self._source, self.asked = source, ask
        self.rows = self.without_id = 0
        self.schema = source.schema(replace(ask, columns=None))
        # Captured records give their ids only to those who ask for them by name.
        captured = id_ in _CAPTURED and id_ not in self.schema.names
        self._id, self._columns = id_, _CAPTURED if captured else (id_,)
        self._captured = captured
        self.timestamp = ask.timestamp
        clocked = False
        if ask.timestamp is None or ask.timestamp not in self.schema.names:
            clocked = captured or _CLOCK in source.schema(replace(ask, columns={_CLOCK})).names
            self.timestamp = _CLOCK if clocked else ask.timestamp
        needed = {
            *self._columns,
            *((PLACE,) if captured else ()),
            *([self.timestamp] if self.timestamp else ()),
        }
        if not captured and not clocked and any(is_textual(field) for field in self.schema):
            columns = None if ask.columns is None else {*ask.columns, *needed}
            self._first = self.again = replace(ask, columns=columns)
        else:
            self._first, self.again = replace(ask, columns=needed), ask

    def on(self, part: Source) -> "Keys":
        """The same of a part of the predictions, of which nothing was read yet."""
        own = copy(self)
        own._source, own.rows, own.without_id = part, 0, 0  # noqa: SLF001 (our own)
        return own

    def tables(self) -> Iterator[pa.Table]:
        """All rows with an id, as `KEYS`."""
        names = self.schema.names
        seen = any(column in names for column in self._columns)
        if not seen and not (self.schema.metadata and OPEN in self.schema.metadata):
            raise self._lacks()
        for batch in self._source.batches(self._first):
            if batch.rows:
                seen |= any(column in batch.names for column in self._columns)
                yield self._table(batch)
        if self.rows and not seen:
            raise self._lacks()

    def narrowed(self, batch: Batch) -> Batch:
        """A batch of the second read without the columns that only we asked for."""
        if self.asked.columns is None:
            return batch
        names = tuple(name for name in batch.names if name in self.asked.columns)
        return batch if len(names) == len(batch.names) else replace(batch, names=names)

    def _lacks(self) -> MissingColumnError:
        reader = f"the join of {self._source.name} with its labels"
        return MissingColumnError(self._id, reader=reader, available=self.schema.names)

    def _table(self, batch: Batch) -> pa.Table:
        ids: pa.Array | None = None
        for column in self._columns:
            if column in batch.names and (ids is None or ids.null_count):
                own = key_texts(batch.column(column), column=column, source=self._source.name)
                ids = own if ids is None else pc.coalesce(ids, own)
        if ids is None:
            ids = pa.nulls(batch.rows, pa.large_string())
        if self._captured and PLACE in batch.names:
            ids = placed(ids, batch.column(PLACE))
        timed = self.timestamp is not None and self.timestamp in batch.names
        moments = times_of(batch, self.timestamp or "") if timed else pa.nulls(batch.rows, pa.int64())
        rows = pa.array(np.arange(self.rows, self.rows + batch.rows))
        self.rows += batch.rows
        self.without_id += ids.null_count
        return pa.Table.from_arrays([rows, ids, moments], schema=KEYS).filter(pc.is_valid(ids))


class _Outcome:
    """What was found for each row, read in step with the rows."""

    def __init__(self, slices: Iterator[Slice]) -> None:
        self._slices = slices
        self._rest: Slice | None = None

    def until(self, end: int) -> Slice:
        """What was found for the rows before `end` that were not yet given."""
        parts: list[Slice] = []
        while (part := self._rest or next(self._slices, None)) is not None:
            cut = int(np.searchsorted(part.rows, end))
            parts.append(Slice(part.rows[:cut], part.labels.slice(0, cut), part.kept[:cut]))
            self._rest = None
            if cut < len(part.rows):
                self._rest = Slice(part.rows[cut:], part.labels.slice(cut), part.kept[cut:])
                break
        if not parts:
            return Slice(np.zeros(0, np.int64), pa.nulls(0, pa.string()), np.zeros(0, np.bool_))
        return Slice(
            np.concatenate([part.rows for part in parts]),
            pa.concat_arrays([part.labels for part in parts]),
            np.concatenate([part.kept for part in parts]),
        )


def _account(keys: Keys, labels: LabelRows, found: Found) -> JoinAccount:
    predictions = keys.rows - found.duplicate_predictions
    replaced = found.duplicate_labels + found.changed_labels
    ids = labels.rows - labels.without_id - labels.without_value - replaced
    return JoinAccount(
        predictions=predictions,
        matched=found.matched,
        unmatched=predictions - found.matched,
        labels=labels.rows,
        duplicate_labels=found.duplicate_labels,
        changed_labels=found.changed_labels,
        unmatched_labels=ids - found.matched,
        labels_without_id=labels.without_id,
        labels_without_value=labels.without_value,
        delay=found.delay,
        predictions_without_id=keys.without_id,
        duplicate_predictions=found.duplicate_predictions,
        rejected_labels=dict(labels.rejected),
    )


def _with_labels(batch: Batch, name: str, kind: LabelType, part: Slice, first: int, ask: Ask) -> Batch:
    """A batch with its labels, less the rows that are rejected.

    Args:
        batch: rows of the predictions.
        name: the column of the labels.
        kind: their type.
        part: what was found for these rows.
        first: the place of the first of them among all predictions.
        ask: what the caller wants.
    """
    places = part.rows - first
    kept = np.ones(batch.rows, np.bool_)
    kept[places] = part.kept
    if ask.columns is not None and name not in ask.columns:
        return batch.filter(kept, reason=DUPLICATE)
    if batch.keep is not None:  # columns are loaded whole and filtered then
        places = np.flatnonzero(batch.keep)[places]
    whole = batch.rows if batch.keep is None else len(batch.keep)
    inner = batch.load

    def load(column: str) -> pa.Array:
        if column != name:
            return inner(column)
        if pa.types.is_null(kind.type):  # no label was ever seen
            return pa.nulls(whole)
        return _scattered(part.labels.cast(kind.type), places, whole)

    names = batch.names if name in batch.names else (*batch.names, name)
    textual = (batch.textual - {name}) | ({name} if kind.textual else set())
    return replace(batch, names=names, load=load, textual=textual).filter(kept, reason=DUPLICATE)


def _scattered(values: pa.Array, places: npt.NDArray[np.int64], rows: int) -> pa.Array:
    """The values at their places among so many rows, and nulls elsewhere."""
    at, there = np.zeros(rows, np.int64), np.zeros(rows, np.bool_)
    at[places], there[places] = np.arange(len(places)), True
    indices = pa.Array.from_buffers(pa.int64(), rows, [truths(there).buffers()[1], pa.py_buffer(at)])
    return values.take(indices)
