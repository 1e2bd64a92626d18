"""Reads the files of the store: rows as the monitors want them, as SageMaker's captures are read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from watchkeep.adapters.sources.capture import METADATA, PLACE, REPEATED
from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.keys import place_of
from watchkeep.adapters.sources.parquet import Parquet
from watchkeep.adapters.sources.parquet_files import parquet_file
from watchkeep.adapters.sources.readers import Told
from watchkeep.adapters.sources.stored.columns import EVENT_ID, INFERENCE_ID, PREFIX, PROBLEM, ROW, ROWS, TIME
from watchkeep.adapters.sources.stored.empties import with_empty
from watchkeep.adapters.sources.tables import schema_of
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import filled
from watchkeep.frames.schema import TEXTUAL
from watchkeep.service.ports import Ask, Source

_OWN: Final = dict(zip(METADATA, (EVENT_ID, INFERENCE_ID, TIME), strict=True))
_PARQUET: Final = Parquet()


@dataclass(frozen=True, slots=True)
class Sealed:
    """Files that were sealed: columns of bodies, and `capture_...` columns, which are given to those who name them.

    `eventId`, `inferenceId` and `inferenceTime` are other names of three of these, as SageMaker's captures have them.
    Rows of records that hold none for us are rejected, by the reason that the file gives.
    """

    clock: str | None = METADATA[-1]

    def schema(self, file: File, ask: Ask) -> pa.Schema:
        """The columns."""
        stored = _stored(file)
        types = {part.name: part.type for part in stored}
        held, textual = _held(stored.names, ask), _textual(stored)
        kinds = {
            name: types.get(held.get(name, name), pa.string()) for name in _given(stored.names, held, ask)
        }
        return schema_of(kinds, [name for name in kinds if held.get(name, name) in textual], open_=True)

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows."""
        stored = _stored(file)
        held = _held(stored.names, ask)
        names = [
            name
            for name in _given(stored.names, held, ask)
            if ask.columns is None or name in ask.columns or name == ask.timestamp
        ]
        texts = _textual(stored)
        textual = frozenset(name for name in names if held.get(name, name) in texts)
        empty = frozenset(part.name for part in stored if pa.types.is_null(part.type))
        for batch in _PARQUET.batches(file, _inner(ask, names, held)):
            yield _renamed(_sound(batch), names, held, textual, empty)

    def cut(self, file: File, most: int) -> Sequence[File]:
        """See `Indexed`."""
        return _PARQUET.cut(file, most)

    def told(self, file: File, ask: Ask) -> Told | None:
        """See `Indexed`."""
        return _PARQUET.told(file, _inner(ask, (), _OWN))


@contextmanager
def opened_file(file: File) -> Iterator[pq.ParquetFile]:
    """A file of the store.

    Raises:
        SourceError: it cannot be read.
    """
    with reading(file.name), file.open() as stream, parquet_file(file.name, stream) as opened:
        yield opened


def _stored(file: File) -> pa.Schema:
    """The columns of a file."""
    with opened_file(file) as opened:
        return with_empty(opened.schema_arrow)


def _textual(stored: pa.Schema) -> frozenset[str]:
    """Columns whose texts are of unknown type."""
    return frozenset(part.name for part in stored if part.metadata and TEXTUAL in part.metadata)


def _held(stored: Sequence[str], ask: Ask) -> dict[str, str]:
    """The columns of the file by the names under which they are given, where these are others.

    Ids that a body has are given in place of the record's; the event time is the record's. Values that came without
    names take those that are given for them, by their place.
    """
    places = {f"_c{at}": name for at, name in enumerate(ask.positional or ())}
    named = {places[name]: name for name in stored if name in places and places[name] not in stored}
    own = {given: name for given, name in _OWN.items() if given not in stored or given == METADATA[-1]}
    return own | named


def _inner(ask: Ask, names: Sequence[str], held: Mapping[str, str]) -> Ask:
    """What to ask of the file."""
    places = (ROW, ROWS) if PLACE in names else ()
    columns = {PROBLEM, *places, *(held.get(name, name) for name in names)}
    return replace(ask, columns=columns, timestamp=held.get(ask.timestamp or METADATA[-1], ask.timestamp))


def _given(stored: Sequence[str], held: Mapping[str, str], ask: Ask) -> list[str]:
    """The columns to give: those of bodies, and what is asked for by name of the others."""
    asked = {ask.timestamp, *(ask.columns or ())}
    names = {own: name for name, own in held.items() if own not in _OWN.values()}
    bodies = [names.get(name, name) for name in stored if not name.startswith(PREFIX)]
    return [*bodies, *(name for name in (*METADATA, PLACE, *stored) if name in asked and name not in bodies)]


def _sound(batch: Batch) -> Batch:
    """The rows that can be analysed; the others are rejected."""
    if PROBLEM not in batch.names:
        return batch
    problems = batch.column(PROBLEM)
    if problems.null_count == len(problems):
        return batch
    keep = np.asarray(pc.is_null(problems))
    counts = Counter(text for text in problems.to_pylist() if text is not None)
    kept = batch.filter(keep)
    return replace(kept, rejected=dict(Counter(kept.rejected) + counts))


def _renamed(
    batch: Batch,
    names: Sequence[str],
    held: Mapping[str, str],
    textual: frozenset[str],
    empty: frozenset[str],
) -> Batch:
    inner = batch.load

    def load(name: str) -> pa.Array:
        if held.get(name, name) in empty:
            return pa.nulls(len(inner(PROBLEM)))
        return _places(inner(ROW), inner(ROWS)) if name == PLACE else inner(held.get(name, name))

    return replace(batch, names=tuple(names), load=load, textual=textual)


def _places(rows: pa.Array, of: pa.Array) -> pa.Array:
    """Where rows stand in their records, as `place_of` says it."""
    several = filled(of, 1)
    if (several <= 1).all():
        return pa.nulls(len(rows), pa.large_string())
    places = [place_of(at, n) for at, n in zip(filled(rows, 0).tolist(), several.tolist(), strict=True)]
    return pa.array(places, pa.large_string())


@dataclass(frozen=True, slots=True)
class Hourly:
    """The files of one hour, whose records may have come more than once: of each event the first one counts.

    Args:
        source: the files.
    """

    source: Source

    @property
    def name(self) -> str:
        """See `Source`."""
        return self.source.name

    def schema(self, ask: Ask) -> pa.Schema:
        """See `Source`."""
        return self.source.schema(ask)

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """See `Source`."""
        asked = self.source.schema(ask).names if ask.columns is None else ask.columns
        seen = _Seen()
        for batch in self.source.batches(replace(ask, columns=[*asked, EVENT_ID, ROW])):
            if not batch.rows:
                yield batch
                continue
            keep = seen.new(batch.column(EVENT_ID), batch.column(ROW))
            names = tuple(name for name in batch.names if name not in (EVENT_ID, ROW) or name in asked)
            yield replace(batch.filter(keep, reason=REPEATED), names=names)


class _Seen:
    """Which events were seen: their ids, as digests of eight bytes."""

    def __init__(self) -> None:
        self._digests: set[int] = set()

    def new(self, ids: pa.Array, rows: pa.Array) -> npt.NDArray[np.bool_]:
        """Which rows are of an event that was not seen before, shape (rows,)."""
        keys = [hash(key) for key in zip(ids.to_pylist(), filled(rows, 0).tolist(), strict=True)]
        keep = np.ones(len(keys), np.bool_)
        for at, key in enumerate(keys):
            if key in self._digests:
                keep[at] = False
            self._digests.add(key)
        return keep
