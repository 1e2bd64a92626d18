"""Forgets a subject: deletes what a home holds of it, and looks whether it is gone."""

import os
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

from watchkeep.adapters.captures.forgetting import Gone, ids_in, label_ids, label_rows, without
from watchkeep.adapters.captures.forgetting_segments import (
    bytes_in,
    forget_in_segments,
    forget_torn,
    ids_in_segments,
    waiting_in,
)
from watchkeep.adapters.captures.importing import Importer
from watchkeep.adapters.captures.label_segments import labels_waiting
from watchkeep.adapters.captures.proof import Left, left_in, left_in_labels
from watchkeep.adapters.captures.replacing import finish
from watchkeep.adapters.captures.sealing import parquet
from watchkeep.adapters.captures.subjects import Subject
from watchkeep.adapters.sources.parquet_files import parquet_file
from watchkeep.adapters.sources.stored.columns import PREFIX
from watchkeep.adapters.sources.stored.labels import ID, paths
from watchkeep.adapters.sources.stored.labels import endpoints as label_endpoints
from watchkeep.adapters.sources.stored.labels import hours as label_hours
from watchkeep.adapters.sources.stored.layout import SUFFIX, endpoints, hours
from watchkeep.adapters.sources.stored.reading import opened_file
from watchkeep.adapters.sources.stored.source import file_of
from watchkeep.adapters.sources.stored.standing import ASIDE, OLD
from watchkeep.adapters.state_files import open_shelf
from watchkeep.app.captures import label_sealer, labels_of, store_of
from watchkeep.app.upkeep import alone_in, who_is
from watchkeep.capture.column_names import UNNAMED, told_in
from watchkeep.capture.home import LABEL_SEGMENTS, SEGMENTS, hold_sealing
from watchkeep.core.errors import MissingColumnError, MissingSourceError, StoreError
from watchkeep.frames.buffers import truths
from watchkeep.service.ports import LONG_AGO, Shelf

PATIENCE: Final = 90.0
"""Seconds that records are waited for which are being written: a segment is complete after sixty."""
_AGAIN: Final = 0.5
_ROUNDS: Final = 3


@dataclass(slots=True)
class Forgotten:
    """What was deleted, and what a look through everything found afterwards.

    Args:
        gone: of the store and of segments.
        torn: ends of segments that held it, and are deleted.
        labels: rows of ground truth that were about it.
        waiting: records in segments that a process is still writing; they are not deleted.
        left: where the value still stands.
    """

    gone: Gone = field(default_factory=Gone)
    torn: int = 0
    labels: int = 0
    waiting: int = 0
    left: list[Left] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether nothing is left by which records are known."""
        return not self.waiting and not any(one.meant for one in self.left)

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {
            "records": self.gone.records,
            "rows": self.gone.rows,
            "bodies_cut": self.gone.cut,
            "bodies_dropped": self.gone.dropped,
            "files": self.gone.files,
            "torn": self.torn,
            "labels": self.labels,
            "waiting": self.waiting,
            "left": [one.document() for one in self.left],
        }


def forget(
    home: Path, endpoint: str, subject: Subject, *, patience: float = PATIENCE, now: datetime | None = None
) -> Forgotten:
    """Delete what a home holds of a subject: in its store, in segments, and in labels.

    Args:
        home: whose captures.
        endpoint: of which.
        subject: whose records.
        patience: seconds that records are waited for which are being written.
        now: the time.

    Raises:
        MissingSourceError: nothing of the endpoint was captured.
        MissingColumnError: no file has the column.
        OptionError: another process imports, compacts, expires or forgets.
        StoreError: the store cannot be read or written, or somebody else compacts it.
    """
    now = now or datetime.now(UTC)
    segments, shelf, truth = home / SEGMENTS, open_shelf(store_of(home)), open_shelf(labels_of(home))
    told = Forgotten()
    with alone_in(home):
        Importer(shelf, who=who_is(home)).clean(now)
        _tidy(home, shelf, truth)
        known = _known(home, shelf, endpoint, subject)
        # Labels go first: when their records are gone, nobody knows any more which they were.
        if known:
            waiting = _labels_sealed(home, endpoint, known, patience)
            told.labels = _in_labels(truth, endpoint, known, now, who_is(home))
            if waiting and subject.column is not None:
                told.waiting = waiting
                return told
        told.waiting = _in_segments(home, segments, endpoint, subject, told.gone, patience)
        told.torn = forget_torn(segments, subject) + forget_torn(home / LABEL_SEGMENTS, subject)
        stored = endpoint in endpoints(shelf) or endpoint in label_endpoints(truth)
        if not stored and not told.gone.files and not told.waiting:
            raise MissingSourceError(
                f"captures of {endpoint}",
                looked_for=f"an endpoint that was captured: {', '.join(endpoints(shelf)) or 'none'}",
                got=endpoint,
                choices=endpoints(shelf),
            )
        _check_column(shelf, endpoint, subject, told)
        for _ in range(_ROUNDS):
            told.gone.add(_in_store(shelf, endpoint, subject, now, who_is(home)))
            told.left = list(left_in(shelf, endpoint, subject))
            if not any(one.meant for one in told.left):
                break
        ids = label_ids(told.gone.ids) | known
        if ids:  # more may have come meanwhile
            told.waiting += _labels_sealed(home, endpoint, ids, patience)
            told.labels += _in_labels(truth, endpoint, ids, now, who_is(home))
        told.left += left_in_labels(truth, endpoint, subject)
        for folder in (segments, home / LABEL_SEGMENTS):
            told.left += [Left(name) for name in bytes_in(folder, subject)]
    return told


def _known(home: Path, shelf: Shelf, endpoint: str, subject: Subject) -> set[str]:
    """The ids of the subject's records and rows; an id itself also where nothing was captured of it, or expired."""
    names = told_in(home).get(endpoint, UNNAMED)
    ids = ids_in_segments(home / SEGMENTS, endpoint, subject, names)
    for hour in hours(shelf, endpoint=endpoint):
        for name in shelf.names(hour.folder):
            if name.endswith((SUFFIX, f"{SUFFIX}{OLD}")):
                ids |= ids_in(file_of(shelf, hour, name), subject)
    return label_ids(ids if subject.column is not None else {*ids, subject.value})


def _tidy(home: Path, shelf: Shelf, truth: Shelf) -> None:
    """Take away what killed writers left half written."""
    lock = hold_sealing(home)
    try:
        shelf.tidy(older=LONG_AGO if lock is None else 0)  # nobody else writes there now
        truth.tidy()
    finally:
        if lock is not None:
            os.close(lock)


def _in_segments(
    home: Path, segments: Path, endpoint: str, subject: Subject, gone: Gone, patience: float
) -> int:
    """Forget in what is not sealed; how many records are left in what others write."""
    names = told_in(home).get(endpoint, UNNAMED)
    deadline = time.monotonic() + patience
    while True:
        lock = hold_sealing(home)
        if lock is not None:  # else another process seals them, and they are in the store soon
            try:
                gone.add(forget_in_segments(segments, endpoint, subject, names))
            finally:
                os.close(lock)
        waiting = waiting_in(segments, endpoint, subject, names)
        if not waiting or time.monotonic() >= deadline:
            return waiting
        time.sleep(_AGAIN)


def _labels_sealed(home: Path, endpoint: str, ids: Collection[str], patience: float) -> int:
    """Have labels of some inferences sealed that were told a moment ago; how many are left that others write."""
    deadline = time.monotonic() + patience
    while True:
        lock = hold_sealing(home)
        if lock is not None:  # else another process seals them, and they are in the store soon
            try:
                label_sealer(home).seal()
            finally:
                os.close(lock)
        waiting = labels_waiting(home / LABEL_SEGMENTS, endpoint, ids)
        if not waiting or time.monotonic() >= deadline:
            return waiting
        time.sleep(_AGAIN)


def _in_store(shelf: Shelf, endpoint: str, subject: Subject, now: datetime, who: str) -> Gone:
    gone = Gone()
    for hour in hours(shelf, endpoint=endpoint):
        if finish(shelf, hour, now=now, kept=timedelta(0), who=who) is None:
            raise StoreError(
                f"{shelf.name}/{hour.folder}", why="somebody else is compacting it; try again later"
            )
        for name in shelf.names(hour.folder):
            if name.startswith(ASIDE):
                shelf.delete(f"{hour.folder}/{name}")
            elif name.endswith(SUFFIX):
                found = without(file_of(shelf, hour, name), subject)
                if found is not None:
                    shelf.write(f"{hour.folder}/{name}", found[0])
                    gone.add(found[1])
    return gone


def _check_column(shelf: Shelf, endpoint: str, subject: Subject, told: Forgotten) -> None:
    if subject.column is None or told.gone.files:
        return
    known: dict[str, None] = {}
    for hour in hours(shelf, endpoint=endpoint):
        for name in shelf.names(hour.folder):
            if name.endswith(SUFFIX):
                with opened_file(file_of(shelf, hour, name)) as opened:
                    known |= dict.fromkeys(opened.schema_arrow.names)
                if known.keys() & set(subject.columns):
                    return
    available = [name for name in known if not name.startswith(PREFIX)]
    raise MissingColumnError(subject.column, reader="forget", available=available)


def _in_labels(shelf: Shelf, endpoint: str, ids: Collection[str], now: datetime, who: str) -> int:
    count = 0
    for hour in label_hours(shelf, endpoint):
        if finish(shelf, hour, now=now, kept=timedelta(0), who=who) is None:
            raise StoreError(
                f"{shelf.name}/{hour.folder}", why="somebody else is compacting it; try again later"
            )
        for name in shelf.names(hour.folder):
            if name.startswith(ASIDE):
                shelf.delete(f"{hour.folder}/{name}")
    for path in list(paths(shelf, endpoint)):
        table = parquet_file(path, pa.BufferReader(shelf.read(path))).read(use_threads=False)
        held = label_rows(table, ID, ids)
        if held.any():
            shelf.write(path, parquet(table.filter(truths(~held)), frozenset()))
            count += int(held.sum())
    return count
