"""What tests of lake tables share."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import cloudpickle
import pyarrow as pa

from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.core.window import Window
from watchkeep.service.ports import Ask, Source, parts_of

UTC_TIME = pa.timestamp("us", tz="UTC")
Rows = list[dict[str, Any]]


def rows_of(source: Source, ask: Ask | None = None) -> Rows:
    """All rows, as dicts."""
    found: Rows = []
    for batch in source.batches(ask or Ask()):
        columns = [batch.column(name).to_pylist() for name in batch.names]
        assert all(len(column) == batch.rows for column in columns)
        found += [dict(zip(batch.names, row, strict=True)) for row in zip(*columns, strict=True)]
    return found


def rows_of_parts(source: Source, ask: Ask | None = None) -> Rows:
    """All rows, part by part."""
    asked = ask or Ask()
    return [row for part in parts_of(source, asked) for row in rows_of(part, asked)]


def outside(source: Source, ask: Ask) -> int:
    """Rows that were left out because they lie outside the window."""
    return sum(sum(batch.outside.values()) for batch in source.batches(ask))


def within(
    start: str | None, end: str | None, *, timestamp: str = "at", columns: Iterable[str] | None = None
) -> Ask:
    """What is asked of a window."""
    window = Window.between(start, end)
    return Ask(timestamp=timestamp, window=window, columns=None if columns is None else set(columns))


def days(*numbers: int | None) -> pa.Array:
    """Noons of January 2024."""
    times = [None if day is None else datetime(2024, 1, day, 12, tzinfo=UTC) for day in numbers]
    return pa.array(times, UTC_TIME)


def sorted_rows(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Rows whose order does not matter."""
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


def blind(source: FileSource) -> FileSource:
    """The same files without what the log tells of them."""
    members = [replace(file, known=None) for file in source.files.members]
    return replace(source, files=replace(source.files, members=members))


READ = """
import pickle, sys
from watchkeep.service.ports import Ask

source, ask = pickle.load(sys.stdin.buffer)
print(sum(batch.column("n").sum().as_py() for batch in source.batches(ask)))
assert not {"deltalake", "pyiceberg"} & sys.modules.keys(), "whoever reads a part needs no library"
"""


def summed_elsewhere(source: Source) -> int:
    """The sum of the column n, read by another process, which was sent the source."""
    sent = cloudpickle.dumps((source, Ask()))
    read = subprocess.run([sys.executable, "-c", READ], input=sent, capture_output=True, check=False)
    assert (read.returncode, read.stderr) == (0, b"")
    return int(read.stdout)
