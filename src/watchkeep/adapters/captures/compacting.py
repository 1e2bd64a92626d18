"""Makes few files of the many that an hour gathers, at any moment safe to be killed, and without a reader noticing."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.adapters.captures.evolution import fitted, inexact_in, settled_schema
from watchkeep.adapters.captures.on_disk import OnDisk
from watchkeep.adapters.captures.replacing import KEPT, finish
from watchkeep.adapters.captures.sealing import written_as
from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.parquet_files import parquet_writer
from watchkeep.adapters.sources.stored.columns import EVENT_ID, ROW
from watchkeep.adapters.sources.stored.empties import with_empty, without_empty
from watchkeep.adapters.sources.stored.layout import (
    GIVEN,
    HOUR,
    SUFFIX,
    TRAFFIC,
    Hour,
    endpoints,
    hours,
)
from watchkeep.adapters.sources.stored.lines import batches_of
from watchkeep.adapters.sources.stored.reading import opened_file
from watchkeep.adapters.sources.stored.source import file_of, place_of
from watchkeep.adapters.sources.stored.standing import (
    COMPACTED,
    REPLACED,
    Replacement,
    Standing,
    importing_in,
    standing_of,
)
from watchkeep.capture.traffic import Tallies
from watchkeep.core.window import Window
from watchkeep.frames.buffers import plain, positions
from watchkeep.service.ports import Progress, Shelf, Silent

LARGE: Final = 96 << 20
"""Bytes of a file from which on it is left as it is."""
_AT_A_TIME: Final = 16 << 20
_GROUP: Final = 48 << 20
"""Bytes of rows that are written together."""
_IDS: Final = pa.schema([("event", pa.large_string()), ("row", pa.int32()), ("place", pa.int64())])
_REPEATS: Final = (
    'SELECT place FROM kept QUALIFY row_number() OVER (PARTITION BY event, "row" ORDER BY place) > 1'
    " ORDER BY place"
)


@dataclass(slots=True)
class Compacted:
    """What compaction did.

    Args:
        hours: in which files were made of others.
        before, after: files of records in these hours.
        rows: in the files that were made.
        repeated: rows that were there more than once, and now are not.
        removed: files that had made way, and are gone now.
    """

    hours: int = 0
    before: int = 0
    after: int = 0
    rows: int = 0
    repeated: int = 0
    removed: int = 0

    def document(self) -> dict[str, object]:
        """It as JSON."""
        names = ("hours", "before", "after", "rows", "repeated", "removed")
        return {name: getattr(self, name) for name in names}


def compact(
    shelf: Shelf,
    *,
    until: datetime,
    now: datetime,
    who: str,
    endpoint: str | None = None,
    kept: timedelta = KEPT,
    large: int = LARGE,
    progress: Progress | None = None,
) -> Compacted:
    """Make one file of the files of each hour; of very many several.

    Records that are there twice are there once afterwards. Columns that differ between files are what
    `settled_schema` makes of them. Counts of requests are put together, too.

    Args:
        shelf: the store.
        until: only hours that were over by then.
        now: the time.
        who: does it, so that what was broken off is known by the next one.
        endpoint: only its hours.
        kept: how long files are kept that make way, for those who are reading them.
        large: bytes of a file from which on it is left as it is.
        progress: is told of rows.

    Raises:
        SourceError: a file cannot be read; the hours before it are compacted.
        StoreError: the store cannot be read or written.
    """
    told, progress = Compacted(), progress or Silent()
    shelf.tidy()
    importing = importing_in(shelf)
    progress.start("Compacting", rows=None)
    try:
        for name in [endpoint] if endpoint is not None else endpoints(shelf):
            for hour in hours(shelf, endpoint=name, window=Window(end=until)):
                if hour.start + HOUR > until:
                    continue
                removed = finish(shelf, hour, now=now, kept=kept, who=who)
                if removed is None:  # another one is at it
                    continue
                one = _Hour(shelf, hour, standing_of(shelf, hour.folder, importing=importing), told, progress)
                one.compact(now, who, large)
                told.removed += removed + (finish(shelf, hour, now=now, kept=kept, who=who) or 0)
    finally:
        progress.stop()
    return told


@dataclass(slots=True)
class _Hour:
    """One hour that is compacted."""

    shelf: Shelf
    hour: Hour
    standing: Standing
    told: Compacted
    progress: Progress

    def compact(self, now: datetime, who: str, large: int) -> None:
        """Make few files of its many."""
        filesystem, root = place_of(self.shelf)
        names = self.standing.records
        infos = filesystem.get_file_info([f"{root}/{self.hour.folder}/{name}" for name in names])
        files = [
            replace(file_of(self.shelf, self.hour, name), size=info.size)
            for name, info in zip(names, infos, strict=True)
        ]
        repeats = self._repeats(files) if self.standing.repeated else {}
        groups = [
            group
            for group in _groups(files, large)
            if len(group) > 1 or len(repeats.get(group[0].path, ())) or _name(group[0]).startswith(GIVEN)
        ]  # one that may hold repeats is looked through once, not whenever somebody compacts or reads
        if groups or len(self.standing.traffic) > 1:
            self._replace(groups, repeats, now, who)

    def _repeats(self, files: Sequence[File]) -> dict[str, npt.NDArray[np.int64]]:
        """The rows of files, by their places in these, that were there before."""
        ends = []
        with OnDisk(_IDS) as kept:
            for file in files:
                for batch in batches_of(file, (EVENT_ID, ROW), size=_AT_A_TIME):
                    places = positions(np.arange(kept.rows, kept.rows + batch.num_rows))
                    events = batch.column(EVENT_ID).cast(pa.large_string())
                    kept.keep(pa.table([events, batch.column(ROW), places], schema=_IDS))
                ends.append(kept.rows)
            found = [plain(batch.column(0)) for batch in kept.ask(_REPEATS)] if kept.rows else []
        whole = np.concatenate([np.zeros(0, np.int64), *found])
        starts = [0, *ends[:-1]]
        return {
            file.path: whole[(whole >= start) & (whole < end)] - start
            for file, start, end in zip(files, starts, ends, strict=True)
        }

    def _replace(
        self,
        groups: Sequence[Sequence[File]],
        repeats: dict[str, npt.NDArray[np.int64]],
        now: datetime,
        who: str,
    ) -> None:
        made = {_made_of(group): group for group in groups}
        traffic = self.standing.traffic if len(self.standing.traffic) > 1 else []
        counts = f"{TRAFFIC}{COMPACTED}{_digest(traffic)}.json"
        files = {_name(file) for group in groups for file in group} | set(traffic)
        by = {*made, *([counts] if traffic else [])}
        for other in self.standing.whole:  # what its sidecar told is told by this one
            files |= other.files if not other.by.isdisjoint(files) else set()
        sidecar = Replacement(
            f"{REPLACED}{_digest(sorted(by))}.json",
            frozenset(by),
            frozenset(files),
            int(now.timestamp()),
            who,
        )
        folder = self.hour.folder
        self.shelf.write(f"{folder}/{sidecar.name}", sidecar.content())
        for name, group in made.items():
            self.shelf.write(f"{folder}/{name}", self._together(group, repeats))
        if traffic:
            self.shelf.write(f"{folder}/{counts}", self._counts(traffic))
        self.told.hours += 1
        self.told.before += len(self.standing.records)
        self.told.after += len(self.standing.records) - sum(map(len, groups)) + len(groups)

    def _counts(self, names: Sequence[str]) -> bytes:
        """Counts of requests as one."""
        tallies = Tallies()
        for name in names:
            told = json.loads(self.shelf.read(f"{self.hour.folder}/{name}"))
            tallies.merge(Tallies.read(told["minutes"]))
        return json.dumps({"version": 1, "minutes": tallies.documents()}, separators=(",", ":")).encode()

    def _together(self, group: Sequence[File], repeats: dict[str, npt.NDArray[np.int64]]) -> bytes:
        """Files as one."""
        schema = _schema(group)
        stream = io.BytesIO()
        with parquet_writer(stream, schema, **written_as(schema)) as writer:
            waiting: list[pa.Table] = []
            size = 0
            for table in self._tables(group, schema, repeats):
                waiting.append(table)
                size += table.nbytes
                if size >= _GROUP:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting, size = [], 0
            writer.write_table(pa.concat_tables([schema.empty_table(), *waiting]))
        return stream.getvalue()

    def _tables(
        self, group: Sequence[File], schema: pa.Schema, repeats: dict[str, npt.NDArray[np.int64]]
    ) -> Iterator[pa.Table]:
        for file in group:
            at, again = 0, repeats.get(file.path, np.zeros(0, np.int64))
            for batch in batches_of(file, schema.names, size=_AT_A_TIME):
                table = fitted(batch, schema)
                own = again[(again >= at) & (again < at + batch.num_rows)] - at
                at += batch.num_rows
                if len(own):
                    table = table.take(positions(np.delete(np.arange(batch.num_rows), own)))
                self.told.repeated += len(own)
                self.told.rows += table.num_rows
                self.progress.advance(table.num_rows)
                yield table


def _groups(files: Sequence[File], large: int) -> Iterator[list[File]]:
    """Files that become one; a large one stays alone."""
    group: list[File] = []
    size = 0
    for file in files:
        own = file.size or 0
        if group and size + own > large:
            yield group
            group, size = [], 0
        group.append(file)
        size += own
    if group:
        yield group


def _schema(group: Sequence[File]) -> pa.Schema:
    schemas, extremes = [], []
    for file in group:
        with opened_file(file) as opened:
            schemas.append(with_empty(opened.schema_arrow))
            extremes += list(_extremes(opened.schema_arrow, opened.metadata))
    return without_empty(settled_schema(schemas, inexact=inexact_in(extremes)))


def _extremes(schema: pa.Schema, metadata: Any) -> Iterator[tuple[str, Any, Any]]:
    """The least and greatest values of columns of whole numbers, as the file tells them."""
    places = {metadata.schema.column(at).path: at for at in range(metadata.num_columns)}
    for part in schema:
        if not pa.types.is_integer(part.type):
            continue
        for at in range(metadata.num_row_groups):
            told = metadata.row_group(at).column(places[part.name]).statistics
            if told is not None and told.null_count == metadata.row_group(at).num_rows:
                continue
            known = told is not None and told.has_min_max
            yield part.name, *((told.min, told.max) if known else (None, None))


def _name(file: File) -> str:
    return file.path.rpartition("/")[2]


def _made_of(group: Sequence[File]) -> str:
    return f"{COMPACTED}{_digest([_name(file) for file in group])}{SUFFIX}"


def _digest(names: Sequence[str]) -> str:
    return hashlib.blake2b("\x1f".join(names).encode(), digest_size=12).hexdigest()
