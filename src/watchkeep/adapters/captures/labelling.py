"""Takes ground truth into the store."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.captures.sealing import parquet
from watchkeep.adapters.sources.labels import LabelRows
from watchkeep.adapters.sources.stored.labels import ARRIVAL, ID, folder_of
from watchkeep.adapters.sources.stored.layout import EPOCH, SUFFIX, hour_of
from watchkeep.service.ports import Shelf

_ROWS: Final = 1_000_000
_HOUR: Final = 3_600_000_000


@dataclass(slots=True)
class Taken:
    """What became of labels.

    Args:
        labels: that are stored now.
        known: those of them that were there before.
        files: that were written.
        without_id, without_value: rows that name no inference, or no outcome.
        rejected: rows that could not be read, by reason.
    """

    labels: int = 0
    known: int = 0
    files: int = 0
    without_id: int = 0
    without_value: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {
            "labels": self.labels,
            "known": self.known,
            "files": self.files,
            "without_id": self.without_id,
            "without_value": self.without_value,
            "rejected": dict(self.rejected),
        }


def take_labels(shelf: Shelf, endpoint: str, rows: LabelRows, *, now: datetime) -> Taken:
    """Store labels. The same labels once more are the same files, so nothing is doubled.

    Args:
        shelf: the store.
        endpoint: whose inferences they are about.
        rows: the labels.
        now: when those arrived that do not say so themselves.

    Raises:
        MissingColumnError: the source lacks a column.
        SourceError: it cannot be read.
        StoreError: the store cannot be written.
    """
    taken = Taken()
    arrived = (now - EPOCH) // timedelta(microseconds=1)
    for table in _portions(rows):
        arrivals = pc.fill_null(table.column("arrival"), arrived)
        hours = np.asarray(arrivals) // _HOUR
        labels = (
            table.column("label").cast(rows.type.type) if not rows.type.textual else table.column("label")
        )
        own = pa.table(
            {
                ID: table.column("id"),
                rows.label: labels,
                ARRIVAL: arrivals.cast(pa.timestamp("us", tz="UTC")),
            }
        )
        textual = frozenset([rows.label]) if rows.type.textual else frozenset[str]()
        for hour in np.unique(hours).tolist():
            some = own.filter(pa.array(hours == hour))
            content = parquet(some, textual)
            # What was told without a time has another time when it is told again, and is still the same.
            named = some.select([ID, rows.label]) if table.column("arrival").null_count else some
            folder, name = folder_of(endpoint, hour_of(hour * _HOUR)), f"{_digest(named)}{SUFFIX}"
            taken.known += some.num_rows if name in shelf.names(folder) else 0
            shelf.write(f"{folder}/{name}", content)
            taken.files += 1
            taken.labels += some.num_rows
    taken.without_id, taken.without_value = rows.without_id, rows.without_value
    taken.rejected = dict(rows.rejected)
    return taken


def _portions(rows: LabelRows) -> Iterator[pa.Table]:
    """The labels, as many at a time as fit in memory."""
    waiting: list[pa.Table] = []
    held = 0
    for table in rows.tables():
        waiting.append(table)
        held += table.num_rows
        if held >= _ROWS:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, held = [], 0
    if held:
        yield pa.concat_tables(waiting).combine_chunks()


def _digest(table: pa.Table) -> str:
    digest = hashlib.blake2b(digest_size=16)
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    digest.update(stream.getvalue())
    return digest.hexdigest()
