"""Keeps what can be read only once in a temporary file, so that it can be read again."""

import os
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa

from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File, Files, reading, sentence
from watchkeep.adapters.sources.ipc import Ipc
from watchkeep.core.errors import UnreadableSourceError, WatchkeepError
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, Source, parts_of

_PIECE: Final = 1024 * 1024


class Spool:
    """A temporary file that goes away with this object, and at the latest when the program ends.

    Args:
        name: what people call the data kept in it.
    """

    def __init__(self, name: str) -> None:
        handle, path = tempfile.mkstemp(prefix="watchkeep-")
        os.close(handle)
        self.path = Path(path)
        self.file = File.local(self.path, name=name)
        self._removal = weakref.finalize(self, self.path.unlink, missing_ok=True)

    def keep_bytes(self, stream: BinaryIO) -> None:
        """Copy a stream of bytes, a piece at a time."""
        with self._writing(), self.path.open("wb") as kept:
            while piece := stream.read(_PIECE):
                kept.write(piece)

    def keep_rows(self, reader: pa.RecordBatchReader) -> None:
        """Copy record batches, one at a time."""
        with (
            self._writing(),
            pa.OSFile(str(self.path), "wb") as kept,
            pa.ipc.new_stream(kept, reader.schema) as writer,
        ):
            for record in self._read(reader):
                writer.write_batch(record)

    def _read(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        with reading(self.file.name):
            yield from reader

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except WatchkeepError:
            raise
        except OSError as error:
            why = f"it can be read only once, and could not be kept in {self.path.parent}: {sentence(error)}"
            raise UnreadableSourceError(self.file.name, why=why) from error


@dataclass(frozen=True, slots=True)
class Kept:
    """A source that reads a spool, and keeps it from going away.

    Args:
        inner: reads the spool.
        spool: what it reads.
    """

    inner: Source
    spool: Spool

    @property
    def name(self) -> str:
        """What people call it."""
        return self.inner.name

    def schema(self, ask: Ask) -> pa.Schema:
        """The columns."""
        return self.inner.schema(ask)

    def parts(self, ask: Ask) -> Sequence[Source]:
        """See `Parted`."""
        return [replace(self, inner=part) for part in parts_of(self.inner, ask)]

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows."""
        yield from self.inner.batches(ask)  # the running generator holds this object, and so the file


class Once:
    """Rows that come as Arrow record batches and can be read only once. They are kept when first asked for.

    Args:
        name: what people call it.
        opener: gives the record batches.
    """

    def __init__(self, name: str, opener: Callable[[], pa.RecordBatchReader]) -> None:
        self.name = name
        self._opener = opener
        self._kept: Kept | None = None

    def schema(self, ask: Ask) -> pa.Schema:
        """The columns, flattened."""
        return self._rows().schema(ask)

    def parts(self, ask: Ask) -> Sequence[Source]:
        """See `Parted`."""
        return self._rows().parts(ask)

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows, in batches of even size."""
        return self._rows().batches(ask)

    def _rows(self) -> Kept:
        if self._kept is None:
            spool = Spool(self.name)
            with reading(self.name):
                reader = self._opener()
            spool.keep_rows(reader)
            self._kept = Kept(FileSource(Files(self.name, [spool.file]), Ipc()), spool)
        return self._kept
