"""Deletes hours that are old enough."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchkeep.adapters.sources.files import reading
from watchkeep.adapters.sources.parquet_files import parquet_metadata
from watchkeep.adapters.sources.stored.layout import HOUR, Hour, endpoints, hours
from watchkeep.adapters.sources.stored.source import files_of, place_of
from watchkeep.core.errors import UnreadableSourceError
from watchkeep.core.window import Window
from watchkeep.service.ports import Shelf


@dataclass(slots=True)
class Expired:
    """What was deleted of one variant.

    Args:
        endpoint, variant: whose.
        hours: how many.
        rows: in their files, those that can be read.
        bytes: of these.
        first, last: the first and the last of these hours.
    """

    endpoint: str
    variant: str
    hours: int = 0
    rows: int = 0
    bytes: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def document(self) -> dict[str, object]:
        """It as JSON."""
        told = {name: getattr(self, name) for name in ("endpoint", "variant", "hours", "rows", "bytes")}
        return told | {
            name: None if moment is None else f"{moment:%Y-%m-%dT%H:%MZ}"
            for name, moment in (("first", self.first), ("last", self.last))
        }


def expire(shelf: Shelf, *, before: datetime, endpoint: str | None = None) -> list[Expired]:
    """Delete whole hours, with their counts of requests.

    Args:
        shelf: the store.
        before: hours that were over by then.
        endpoint: only its.

    Raises:
        StoreError: the store cannot be read, or a file not be taken away.
    """
    shelf.tidy()  # else what a killed writer left half written stays, and its folder too
    found: dict[tuple[str, str], Expired] = {}
    for name in [endpoint] if endpoint is not None else endpoints(shelf):
        for hour in hours(shelf, endpoint=name, window=Window(end=before)):
            if hour.start + HOUR > before:
                continue
            if not shelf.names(hour.folder):  # buckets may keep the folder of an hour that is gone
                continue
            told = found.setdefault((hour.endpoint, hour.variant), Expired(hour.endpoint, hour.variant))
            for rows, size in _held(shelf, hour):
                told.rows += rows
                told.bytes += size
            told.hours += 1
            told.first, told.last = told.first or hour.start, hour.start
            _delete(shelf, hour)
    return list(found.values())


def _held(shelf: Shelf, hour: Hour) -> Iterator[tuple[int, int]]:
    """Rows and bytes of the files of an hour."""
    for file in files_of(shelf, hour):
        with reading(file.name):
            opened = file.open()
        try:
            with reading(file.name):
                rows = parquet_metadata(file.name, opened).num_rows
        except UnreadableSourceError:  # its key may be gone, and what is to go need not be read
            rows = 0
        yield rows, opened.size()


def _delete(shelf: Shelf, hour: Hour) -> None:
    # Sidecars last: what replaced others does not come back while it is deleted.
    for name in sorted(shelf.names(hour.folder), key=lambda name: (name.startswith("_"), name)):
        shelf.delete(f"{hour.folder}/{name}")
    filesystem, root = place_of(shelf)
    if filesystem.type_name == "local":
        folder = Path(root, hour.folder)
        for _ in range(4):  # hour, date, variant, endpoint
            with suppress(OSError):  # it is not empty
                folder.rmdir()
            folder = folder.parent
