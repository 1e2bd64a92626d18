"""Rows that are kept on disk, to be put in order, or to be looked through for repeats."""

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from watchkeep.adapters.sources.files import sentence
from watchkeep.core.errors import StoreError, WatchkeepError

MEMORY: Final = 256 << 20
_OF_A_THREAD: Final = 128 << 20
_GROUP: Final = 32 << 20
_ROWS: Final = 8192


class OnDisk:
    """Rows in a temporary folder. It is a context manager, and the folder goes away with it.

    Args:
        schema: their columns.
        memory: bytes that it may take to put them in order.
    """

    def __init__(self, schema: pa.Schema, *, memory: int = MEMORY) -> None:
        self._schema, self._memory = schema, memory
        self._folder: Any = None
        self._writer: Any = None
        self.rows = 0

    def __enter__(self) -> Self:
        with self._room():
            self._folder = tempfile.TemporaryDirectory(prefix="watchkeep-")
            self._writer = pq.ParquetWriter(
                self._path("rows"),
                self._schema,
                compression="lz4",
                use_dictionary=False,
                write_statistics=False,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
        self._folder.cleanup()

    def keep(self, table: pa.Table) -> None:
        """Keep rows, of the schema."""
        with self._room():
            self._writer.write_table(table)
        self.rows += table.num_rows

    def ask(self, query: str) -> Iterator[pa.RecordBatch]:
        """What a query over the view `kept` gives. No row can be kept any more.

        Raises:
            StoreError: the disk is full.
        """
        import duckdb  # a quarter of a second that most commands do not need

        if self._writer is not None:
            self._writer.close()
            self._writer = None
        try:
            with duckdb.connect(":memory:", config=self._config()) as connection:
                connection.execute("SET enable_progress_bar = false")
                kept = _quoted(glob.escape(self._path("rows")))
                connection.execute(f"CREATE VIEW kept AS SELECT * FROM read_parquet({kept})")  # noqa: S608 (our own path)
                target = _quoted(self._path("answer"))
                connection.execute(
                    f"COPY ({query}) TO {target} (FORMAT parquet, ROW_GROUP_SIZE_BYTES '32MB')"
                )
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise StoreError(
                self._path(""),
                why=f"{self._memory >> 20} MB of memory were not enough, and the rest could not be kept here:"
                f" {sentence(error)}",
            ) from error
        with pq.ParquetFile(self._path("answer")) as file:
            yield from file.iter_batches(_ROWS, use_threads=False)

    def _config(self) -> dict[str, str]:
        return {
            "memory_limit": f"{self._memory}B",
            "temp_directory": self._path("spilled"),
            "threads": str(max(1, min(os.cpu_count() or 1, self._memory // _OF_A_THREAD))),
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
        }

    def _path(self, what: str) -> str:
        return str(Path(self._folder.name, what))

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except WatchkeepError:
            raise
        except OSError as error:
            where = str(Path(self._folder.name).parent) if self._folder else tempfile.gettempdir()
            raise StoreError(where, why=f"it cannot be written: {error.strerror or error}") from error


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
