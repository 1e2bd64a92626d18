"""Reads Arrow IPC: files (also called Feather) and streams."""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.tables import batch_of, evened, leaves, schema_of
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask

FILE_MAGIC: Final = b"ARROW1"


class Ipc:
    """The Arrow IPC formats, told apart by their first bytes."""

    clock: str | None = None

    def schema(self, file: File, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns of a file, flattened."""
        with reading(file.name):
            schema = _open(file, None).schema
        return schema_of({name: leaf.type for name, leaf in leaves(schema, source=file.name).items()})

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, in batches of even size."""
        with reading(file.name):
            schema = _open(file, None).schema
            tops = None
            if ask.columns is not None:
                known = leaves(schema, source=file.name)
                tops = sorted({leaf.path[0] for name, leaf in known.items() if name in ask.columns})
            for table in evened(_records(file, tops)):
                yield batch_of(table, source=file.name, columns=ask.columns)


def _open(file: File, tops: list[int] | None) -> Any:
    stored = file.open()
    is_file = stored.read(len(FILE_MAGIC)) == FILE_MAGIC
    stored.seek(0)
    # An empty list of fields means all of them to Arrow; the first one alone then still counts the rows.
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=None if tops is None else tops or [0])
    return (
        pa.ipc.open_file(stored, options=options) if is_file else pa.ipc.open_stream(stored, options=options)
    )


def _records(file: File, tops: list[int] | None) -> Iterator[pa.RecordBatch]:
    opened = _open(file, tops)
    if isinstance(opened, pa.ipc.RecordBatchFileReader):
        for at in range(opened.num_record_batches):
            yield opened.get_batch(at)
    else:
        yield from opened
