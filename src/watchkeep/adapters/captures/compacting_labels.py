"""Makes few files of labels of the many that an hour gathers; see `compacting`."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from watchkeep.adapters.captures.compacting import LARGE, Compacted
from watchkeep.adapters.captures.replacing import KEPT, finish
from watchkeep.adapters.captures.sealing import parquet
from watchkeep.adapters.sources.parquet_files import parquet_file
from watchkeep.adapters.sources.stored.labels import LabelHour, endpoints, hours
from watchkeep.adapters.sources.stored.layout import HOUR, SUFFIX
from watchkeep.adapters.sources.stored.standing import (
    COMPACTED,
    REPLACED,
    Replacement,
    Standing,
    standing_of,
)
from watchkeep.service.ports import Shelf


@dataclass(frozen=True, slots=True)
class _File:
    """A file of labels, read."""

    name: str
    size: int
    table: pa.Table


def compact_labels(
    shelf: Shelf,
    *,
    until: datetime,
    now: datetime,
    who: str,
    endpoint: str | None = None,
    kept: timedelta = KEPT,
    large: int = LARGE,
) -> Compacted:
    """Make one file of the files of each hour, outcome and type; of very many several. No label is lost or changed.

    Args:
        shelf: the store of labels.
        until: only hours that were over by then.
        now: the time.
        who: does it, so that what was broken off is known by the next one.
        endpoint: only its hours.
        kept: how long files are kept that make way, for those who are reading them.
        large: bytes of files that become one, at most.

    Raises:
        SourceError: a file cannot be read; the hours before it are compacted.
        StoreError: the store cannot be read or written.
    """
    told = Compacted()
    shelf.tidy()
    for name in [endpoint] if endpoint is not None else endpoints(shelf):
        for hour in hours(shelf, name):
            if hour.start + HOUR > until:
                continue
            removed = finish(shelf, hour, now=now, kept=kept, who=who)
            if removed is None:  # another one is at it
                continue
            _compact(shelf, hour, standing_of(shelf, hour.folder, importing=()), told, now, who, large)
            told.removed += removed + (finish(shelf, hour, now=now, kept=kept, who=who) or 0)
    return told


def _compact(
    shelf: Shelf, hour: LabelHour, standing: Standing, told: Compacted, now: datetime, who: str, large: int
) -> None:
    names = standing.records
    if len(names) < 2:
        return
    groups = [group for group in _groups(shelf, hour.folder, names, large) if len(group) > 1]
    if not groups:
        return
    made = {f"{COMPACTED}{_digest([file.name for file in group])}{SUFFIX}": group for group in groups}
    files = {file.name for group in groups for file in group}
    for other in standing.whole:  # what its sidecar told is told by this one
        files |= other.files if not other.by.isdisjoint(files) else set()
    by = frozenset(made)
    name = f"{REPLACED}{_digest(sorted(by))}.json"
    sidecar = Replacement(name, by, frozenset(files), int(now.timestamp()), who)
    shelf.write(f"{hour.folder}/{name}", sidecar.content())
    for name, group in made.items():
        table = pa.concat_tables([file.table for file in group])
        shelf.write(f"{hour.folder}/{name}", parquet(table, frozenset()))
        told.rows += table.num_rows
    told.hours += 1
    told.before += len(names)
    told.after += len(names) - sum(map(len, groups)) + len(groups)


def _groups(shelf: Shelf, folder: str, names: Sequence[str], large: int) -> Iterator[list[_File]]:
    """Files that become one, as they have the same columns: as many as fit."""
    open_: dict[str, list[_File]] = {}
    for name in names:
        content = shelf.read(f"{folder}/{name}")
        if len(content) >= large:
            continue
        table = parquet_file(f"{folder}/{name}", pa.BufferReader(content)).read(use_threads=False)
        key = table.schema.to_string(show_schema_metadata=False)
        group = open_.setdefault(key, [])
        if sum(file.size for file in group) + len(content) > large:
            yield group
            group = open_[key] = []
        group.append(_File(name, len(content), table))
    yield from open_.values()


def _digest(names: Sequence[str]) -> str:
    return hashlib.blake2b("\x1f".join(names).encode(), digest_size=12).hexdigest()
