"""Rows of tables, to be brought into the store as records."""

import json
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.captures.arrivals import ANSWERED, made_id, marked
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.keys import key_texts
from watchkeep.adapters.sources.stored.columns import (
    EVENT_ID,
    INFERENCE_ID,
    INPUT,
    INPUT_TYPE,
    OUTPUT,
    OUTPUT_TYPE,
    OWN,
    PREFIX,
    ROW,
    ROWS,
    STATUS,
    TIME,
    WEIGHT,
)
from watchkeep.adapters.sources.stored.layout import EPOCH
from watchkeep.capture.record import Inference
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import MissingColumnError, OptionError
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import binaries, positions, strings
from watchkeep.frames.times import event_times
from watchkeep.service.ports import MISSING, UNREADABLE, Ask

_ROWS: Final = 32_768
_JSON: Final = "application/json"
_FIRST: Final = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_LAST: Final = (datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC) - EPOCH) // timedelta(microseconds=1)
"""The times that records may have, as microseconds since 1970."""
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the columns of a table are.

    Args:
        id: names the inference for those who join labels with it.
        timestamp: when it was made.
        at: when rows were made whose table has no such column.
        outputs: what the model answered; all other columns are what it was asked.
        ignored: columns that are left out.

    Raises:
        OptionError: nobody says when rows were made.
    """

    id: str | None = None
    timestamp: str | None = None
    at: datetime | None = None
    outputs: Sequence[str] = ()
    ignored: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.timestamp is None and self.at is None:
            raise OptionError(
                "--timestamp",
                got="nothing",
                expected="the column of the event time, or --at, the time of all rows: a table tells none by itself",
            )


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, one record each, whose bodies are JSON objects of the columns.

    Args:
        endpoint, variant: whose.
        source: the file.
        roles: what its columns are.
    """

    endpoint: str
    variant: str
    source: FileSource
    roles: Roles

    @property
    def members(self) -> list[File]:
        """See `Arriving`."""
        return list(self.source.files.members)

    def only(self, members: Collection[File]) -> "Table":  # noqa: ARG002 (part of the port)
        """See `Arriving`."""
        return self

    def tables(self, rejected: Counter[str], tallies: Tallies) -> Iterator[pa.Table]:
        """See `Arriving`."""
        before = 0
        for batch in self.source.batches(Ask(columns=None, timestamp=self.roles.timestamp)):
            rejected.update(batch.rejected)
            self._check(batch)
            whole = batch.decoded_once()
            for start in range(0, batch.rows, _ROWS):
                part = _Part(whole, start, min(_ROWS, batch.rows - start))
                table = self._table(part, before + start, rejected)
                if table.num_rows:
                    tallies.count(self._inferences(table))
                    yield table
            before += batch.rows

    def _check(self, batch: Batch) -> None:
        if not batch.rows:
            return
        for column in filter(None, (self.roles.id, self.roles.timestamp, *self.roles.outputs)):
            if column not in batch.names:
                raise MissingColumnError(column, reader="the import", available=batch.names)
        for name in batch.names:
            if name.startswith(PREFIX) and name not in self.roles.ignored:
                raise OptionError(
                    "source",
                    got=f"a column {name!r}",
                    expected=f"names that do not begin with {PREFIX!r}; --ignore it",
                )

    def _table(self, part: "_Part", before: int, rejected: Counter[str]) -> pa.Table:
        times, valid = self._times(part)
        missing = int(part.column(self.roles.timestamp).null_count) if self.roles.timestamp else 0
        rejected[MISSING] += missing
        rejected[UNREADABLE] += int(np.count_nonzero(~valid)) - missing
        names = [name for name in part.names if name not in self.roles.ignored]
        outputs = [name for name in names if name in self.roles.outputs]
        inputs = [name for name in names if name not in self.roles.outputs]
        given, answers = _objects(part, inputs), _objects(part, outputs)
        columns = {name: part.column(name) for name in (*outputs, *inputs)}
        own = self._own(part, before, times, given, answers if outputs else None)
        table = pa.table(columns | own)
        if not valid.all():
            table = table.take(positions(np.flatnonzero(valid)))
        return marked(table, part.textual & columns.keys())

    def _times(self, part: "_Part") -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        column = self.roles.timestamp
        if column is not None:
            times, valid = event_times(part.column(column), textual=column in part.textual)
            return times, valid & (times >= _FIRST) & (times <= _LAST)
        assert self.roles.at is not None  # noqa: S101 (see `Roles`)
        moment = (self.roles.at - EPOCH) // timedelta(microseconds=1)
        return np.full(part.rows, moment, np.int64), np.ones(part.rows, bool)

    def _own(
        self,
        part: "_Part",
        before: int,
        times: npt.NDArray[np.int64],
        given: Sequence[bytes],
        answers: Sequence[bytes] | None,
    ) -> dict[str, pa.Array]:
        rows, path = part.rows, self.source.files.members[0].path
        if self.roles.id is None:
            ids = pa.nulls(rows, pa.large_string())
            said = answers or [b""] * rows
            events = [
                made_id(self.endpoint, path, before + at, one, other)
                for at, (one, other) in enumerate(zip(given, said, strict=True))
            ]
        else:
            ids = key_texts(part.column(self.roles.id), column=self.roles.id, source=self.source.name)
            events = [
                made_id(self.endpoint, self.variant, name, time)
                if name is not None
                else made_id(self.endpoint, path, before + at, given[at])
                for at, (name, time) in enumerate(zip(ids.to_pylist(), times.tolist(), strict=True))
            ]
        told = {
            EVENT_ID: strings(events),
            INFERENCE_ID: ids,
            TIME: positions(times).cast(pa.timestamp("us", tz="UTC")),
            ROW: positions(np.zeros(rows, np.int64)).cast(pa.int32()),
            ROWS: positions(np.ones(rows, np.int64)).cast(pa.int32()),
            STATUS: positions(np.full(rows, ANSWERED)).cast(pa.int16()),
            WEIGHT: positions(np.ones(rows, np.int64)).cast(pa.float64()),
            INPUT_TYPE: strings([_JSON] * rows),
            INPUT: binaries(given),
        }
        if answers is not None:
            told |= {OUTPUT_TYPE: strings([_JSON] * rows), OUTPUT: binaries(answers)}
        return {part.name: told.get(part.name, pa.nulls(rows, part.type)) for part in OWN}

    def _inferences(self, table: pa.Table) -> list[Inference]:
        """What is counted of records: when they were made, and how large they are."""
        return [
            Inference(
                self.endpoint,
                self.variant,
                "",
                "",
                time,
                -1,
                -1,
                ANSWERED,
                1.0,
                "",
                "",
                "",
                "",
                given,
                answer,
            )
            for time, given, answer in zip(
                table.column(TIME).cast(pa.int64()).to_pylist(),
                table.column(INPUT).to_pylist(),
                table.column(OUTPUT).to_pylist(),
                strict=True,
            )
        ]


@dataclass(frozen=True, slots=True)
class _Part:
    """Some rows of a batch."""

    batch: Batch
    start: int
    rows: int

    @property
    def names(self) -> Sequence[str]:
        return self.batch.names

    @property
    def textual(self) -> frozenset[str]:
        return self.batch.textual

    def column(self, name: str) -> pa.Array:
        array = self.batch.column(name).slice(self.start, self.rows)
        return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _objects(part: _Part, names: Sequence[str]) -> list[bytes]:
    """The rows as JSON objects. Texts of unknown type that spell a number are numbers."""
    if not names:
        return [b"{}"] * part.rows
    columns = []
    for at, name in enumerate(names):
        start = ("," if at else "{") + json.dumps(name, ensure_ascii=False) + ":"
        bare = name in part.textual
        columns.append([start + _token(value, bare=bare) for value in _values(part.column(name))])
    return [("".join(row) + "}").encode("utf-8", "replace") for row in zip(*columns, strict=True)]


def _values(array: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(array.type):
        utc = array.cast(pa.timestamp(array.type.unit))
        array = pc.binary_join_element_wise(pc.strftime(utc, format="%Y-%m-%dT%H:%M:%S"), "Z", "")
    values: list[Any] = array.to_pylist()
    return values


def _token(value: Any, *, bare: bool) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "null"
    if isinstance(value, str):
        return value if bare and _NUMBER(value) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    return json.dumps(value, ensure_ascii=False, default=str)
