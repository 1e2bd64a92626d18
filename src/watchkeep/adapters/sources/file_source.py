"""Files of one format as one source."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.sources.files import File, Files
from watchkeep.adapters.sources.parquet import skipped
from watchkeep.adapters.sources.readers import Indexed, Reader, Told
from watchkeep.adapters.sources.tables import schema_of, union
from watchkeep.adapters.sources.window import narrowed, widened
from watchkeep.core.errors import EmptySourceError, SourceError
from watchkeep.core.window import Window
from watchkeep.frames.batches import DAMAGED, Batch, FilesMet
from watchkeep.service.ports import Ask, Source

PART: Final = 128 * 1024 * 1024
"""Bytes of files that are read apart from others."""
_HOUR: Final = re.compile(r"/(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files that one reader reads, in the order of their paths.

    Partition keys (`day=2024-01-19/`) are textual columns, unless the file has a column of that name itself.
    A file of no bytes among others holds no rows; when no file holds anything, that is an error.

    Args:
        files: the files, and what people call them together.
        reader: knows their format.
    """

    files: Files
    reader: Reader

    @property
    def name(self) -> str:
        """What people call it."""
        return self.files.name

    def schema(self, ask: Ask) -> pa.Schema:
        """The columns over all files."""
        schemas: list[pa.Schema] = []
        for file in self.files.members:
            try:
                schema = self.reader.schema(file, ask)
            except SourceError as error:
                passed = isinstance(error, EmptySourceError) or ask.lenient
                if not passed or len(self.files.members) == 1:
                    raise
                continue
            schemas.append(schema)
            schemas.append(
                schema_of({key: pa.string() for key, _ in file.keys}, [key for key, _ in file.keys])
            )
        if not schemas:
            raise EmptySourceError(self.name, why="all its files are empty")
        return union({id(schema): schema for schema in schemas}.values())

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows, file by file."""
        wide = widened(ask, clock=self.reader.clock)
        by_hour = self.reader.clock is not None and wide.timestamp == self.reader.clock
        empty = 0
        for file in self.files.members:
            if by_hour and _is_outside(file, ask.window):
                continue
            told = _told_outside(file, wide)
            if told is not None:
                yield skipped(told)
                continue
            found = (_keyed(batch, file, wide) for batch in self.reader.batches(file, wide))
            try:
                yield from _counted(narrowed(found, ask, wide, several=True), file)
            except EmptySourceError:
                empty += 1
                if len(self.files.members) == 1:
                    raise
            file.passed()
        if empty == len(self.files.members):
            raise EmptySourceError(self.name, why="all its files are empty")

    def parts(self, ask: Ask) -> Sequence[Source]:
        """Small files taken together, large ones cut where their format tells how; see `Parted`."""
        by_hour = self.reader.clock is not None and (ask.timestamp or self.reader.clock) == self.reader.clock
        parts: list[Source] = []
        waiting: list[File] = []
        held = 0
        for file in self.files.members:
            if by_hour and _is_outside(file, ask.window):
                continue
            size = PART if file.size is None else file.size
            size = size if _told_outside(file, ask) is None else 0
            cut = self._cut(file) if size > 2 * PART else [file]
            if waiting and (held + size > PART or len(cut) > 1):
                parts.append(self._of(waiting))
                waiting, held = [], 0
            if len(cut) > 1:
                parts += [self._of([one]) for one in cut]
                continue
            waiting.append(file)
            held += size
        return [*parts, self._of(waiting)] if waiting else parts

    def singles(self) -> Sequence["FileSource"]:
        """See `Parted`."""
        return [self._of([file]) for file in self.files.members]

    def lost(self, error: SourceError) -> Batch:
        """See `Parted`."""
        (file,) = self.files.members
        why = str(error).removeprefix(file.name).lstrip(":, ")
        name = (
            file.name
            if file.groups is None
            else f"{file.name}, row groups {file.groups[0]} to {file.groups[1] - 1}"
        )
        told = self.told(file, Ask())
        rejected = {} if told is None else {DAMAGED: told.rows}
        size = _bytes(file)
        return replace(
            Batch.of(pa.table({}), rejected=rejected),
            skipped={name: why},
            files=FilesMet(1, 1, size, size),
        )

    def told(self, file: File, ask: Ask) -> Told | None:
        """What one of the files says of itself; None when it says nothing."""
        if not isinstance(self.reader, Indexed):
            return None
        try:
            return self.reader.told(file, ask)
        except SourceError:  # whoever reads it is going to say so
            return None

    def _cut(self, file: File) -> Sequence[File]:
        if not isinstance(self.reader, Indexed):
            return [file]
        try:
            return self.reader.cut(file, PART)
        except SourceError:  # whoever reads it is going to say so
            return [file]

    def _of(self, members: Sequence[File]) -> "FileSource":
        return replace(self, files=Files(self.name, members))


def _counted(batches: Iterator[Batch], file: File) -> Iterator[Batch]:
    """The batches of a file, of which the first that has rows inside the window counts it."""
    told = False
    for batch in batches:
        if told or not (batch.rows or batch.rejected):
            yield batch
        else:
            told = True
            yield replace(batch, files=FilesMet(1, 0, _bytes(file), 0))


def _bytes(file: File) -> int:
    """About how many bytes are read of a file, 0 where nobody knows."""
    return (file.size or 0) if file.groups is None else PART


def _keyed(batch: Batch, file: File, ask: Ask) -> Batch:
    """A batch with the partition keys of its file as columns."""
    keys = {
        key: value
        for key, value in file.keys
        if key not in batch.names and (ask.columns is None or key in ask.columns)
    }
    if not keys:
        return batch
    rows, inner = batch.rows, batch.load

    def load(name: str) -> pa.Array:
        if name not in keys:
            return inner(name)
        if keys[name] is None:
            return pa.nulls(rows, pa.string())
        codes = pa.Array.from_buffers(pa.int32(), rows, [None, pa.py_buffer(np.zeros(rows, np.int32))])
        text = (keys[name] or "").encode()
        ends = pa.py_buffer(np.array([0, len(text)], np.int32))
        # `pa.array` and `pa.scalar` import pandas where it is installed, which costs a second.
        texts = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(text)])
        return pa.DictionaryArray.from_arrays(codes, texts)

    return replace(batch, names=(*batch.names, *keys), load=load, textual=batch.textual | keys.keys())


def _told_outside(file: File, ask: Ask) -> int | None:
    """How many rows a file has, where its table's log proves that all lie outside the window."""
    return None if file.known is None or file.groups is not None else file.known.outside(ask)


def _is_outside(file: File, window: Window) -> bool:
    """Whether the hour folders above a file (`yyyy/mm/dd/hh`) place all of it outside the window."""
    found = _HOUR.search(file.path)
    if not window.bounded or found is None:
        return False
    try:
        start = datetime(*(int(part) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:  # four numbers that are no hour
        return False
    late = window.end is not None and start >= window.end
    return late or (window.start is not None and start + timedelta(hours=1) <= window.start)
