"""Puts tables of records apart by hour of event time, on disk where they do not fit in memory.

Where captures are encrypted, what is put there is, too: with a key that nobody else has, and that is gone with it.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from watchkeep.adapters.captures.evolution import fitted, inexact_in, settled_schema
from watchkeep.adapters.sources.stored.columns import TIME
from watchkeep.capture.encryption import SIZE, Keys
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import plain, positions

MEMORY: Final = 128 << 20
"""Bytes of tables that are held in memory."""
PORTION: Final = 64 << 20
"""Bytes of tables that become one file, about."""
_HOUR: Final = 3_600_000_000


class ByHour:
    """Tables by hour. It is a context manager; what it keeps on disk goes away with it.

    Args:
        memory: bytes of tables that are held in memory.
    """

    def __init__(self, *, memory: int = MEMORY) -> None:
        self._memory, self._held = memory, 0
        self._waiting: dict[int, list[pa.Table]] = {}
        self._spilled: dict[int, list[Path]] = {}
        self._pieces = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._keys = None if Keys.of_environment() is None else Keys([("", os.urandom(SIZE))])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, table: pa.Table) -> None:
        """Take rows, with `capture_time`; their schema says which columns are textual."""
        hours = plain(one_chunk(table.column(TIME))) // _HOUR
        different, starts = np.unique(np.sort(hours), return_index=True)
        if len(different) > 1:
            table = table.take(positions(np.argsort(hours, kind="stable")))
        ends = [*starts[1:].tolist(), len(hours)]
        for hour, start, end in zip(different.tolist(), starts.tolist(), ends, strict=True):
            own = table.slice(start, end - start)
            self._waiting.setdefault(hour, []).append(own)
            self._held += own.nbytes
        if self._held > self._memory:
            self._spill()

    def tables(self) -> Iterator[tuple[int, pa.Table]]:
        """The rows of each hour, counted in hours since 1970, in the order in which they came; of many in portions."""
        for hour in sorted({*self._waiting, *self._spilled}):
            several: list[pa.Table] = []
            size = 0
            for table in self._of(hour):
                if several and size + table.nbytes > PORTION:
                    yield hour, together(several)
                    several, size = [], 0
                several.append(table)
                size += table.nbytes
            yield hour, together(several)

    def _of(self, hour: int) -> Iterator[pa.Table]:
        for path in self._spilled.get(hour, ()):
            with pa.memory_map(str(path)) as file:
                opened = file if self._keys is None else pa.py_buffer(self._keys.opened(file.read()))
                yield pa.ipc.open_file(opened).read_all()
        yield from self._waiting.get(hour, ())

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="watchkeep-")
        for hour, tables in self._waiting.items():
            path = Path(self._folder.name, f"{hour}-{self._pieces}.arrow")
            table = together(tables)
            with pa.OSFile(str(path), "wb") as file:
                if self._keys is None:
                    _write(table, file)
                else:
                    sink = pa.BufferOutputStream()
                    _write(table, sink)
                    file.write(self._keys.sealed(sink.getvalue().to_pybytes()))
            self._spilled.setdefault(hour, []).append(path)
            self._pieces += 1
        self._waiting, self._held = {}, 0


def _write(table: pa.Table, sink: Any) -> None:
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def together(tables: list[pa.Table]) -> pa.Table:
    """Tables as one, whatever columns each of them has."""
    if all(table.schema.equals(tables[0].schema, check_metadata=True) for table in tables):
        return pa.concat_tables(tables) if len(tables) > 1 else tables[0]
    schemas = [table.schema for table in tables]
    schema = settled_schema(schemas, inexact=inexact_in(_extremes(tables)))
    return pa.concat_tables([fitted(table, schema) for table in tables])


def _extremes(tables: list[pa.Table]) -> Iterator[tuple[str, int, int]]:
    for table in tables:
        for name, column in zip(table.schema.names, table.columns, strict=True):
            if pa.types.is_integer(column.type):
                values = plain(one_chunk(column.drop_null()))
                if len(values):
                    yield name, int(values.min()), int(values.max())
