"""Ground truth as it is stored: a folder for each endpoint, date and hour of arrival."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyarrow as pa

from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File, Files
from watchkeep.adapters.sources.parquet import Parquet
from watchkeep.adapters.sources.stored.layout import parted, quoted, unquoted
from watchkeep.adapters.sources.stored.source import place_of
from watchkeep.adapters.sources.stored.standing import put_aside, standing_of
from watchkeep.adapters.state_files import open_shelf
from watchkeep.core.errors import EmptySourceError, MissingSourceError, OptionError
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, Shelf, Source

PREFIX: Final = "labels:"
ID: Final = "inferenceId"
ARRIVAL: Final = "arrival"
"""The columns of stored labels, beside the outcome, which is called as it was where it came from."""
ENDPOINT: Final = "label_endpoint"
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


def folder_of(endpoint: str, arrival: datetime) -> str:
    """Where labels lie that arrived in an hour.

    >>> folder_of("churn", datetime.fromisoformat("2026-11-23T19:00Z"))
    'label_endpoint=churn/label_date=2026-11-23/label_hour=19'
    """
    return f"{ENDPOINT}={quoted(endpoint)}/label_date={arrival.date().isoformat()}/label_hour={arrival:%H}"


def of_labels(source: str) -> "Labels":
    """The labels that `labels:STORE#ENDPOINT` names.

    Raises:
        OptionError: it names none.
        MissingSourceError: the store holds none of that endpoint.
    """
    where, found, endpoint = source.removeprefix(PREFIX).rpartition("#")
    if not found or not where or not endpoint:
        raise OptionError("source", got=source, expected=f"{PREFIX}STORE#ENDPOINT")
    shelf = open_shelf(where)
    known = endpoints(shelf)
    if endpoint not in known:
        told = ", ".join(known[:12]) or "none"
        looked_for = f"an endpoint with labels in {shelf.name}: {told}"
        raise MissingSourceError(source, looked_for=looked_for, got=endpoint, choices=known)
    return Labels(shelf, endpoint)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of an endpoint, in the order in which they arrived.

    Args:
        shelf: the store.
        endpoint: whose.
    """

    shelf: Shelf
    endpoint: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"labels of {self.endpoint}"

    def schema(self, ask: Ask) -> pa.Schema:
        """See `Source`."""
        return self._files().schema(ask)

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """See `Source`."""
        yield from self._files().batches(ask)

    def parts(self, ask: Ask) -> Sequence[Source]:
        """See `Parted`."""
        return self._files().parts(ask)

    def _files(self) -> FileSource:
        members = [label_file(self.shelf, path) for path in paths(self.shelf, self.endpoint)]
        if not members:
            raise EmptySourceError(self.name, why="there are none")
        return FileSource(Files(self.name, members), Parquet())


@dataclass(frozen=True, slots=True, order=True)
class LabelHour:
    """One hour in which labels of an endpoint arrived.

    Args:
        endpoint: whose.
        start: when it begins, UTC.
    """

    endpoint: str
    start: datetime

    @property
    def folder(self) -> str:
        """Where its files lie."""
        return folder_of(self.endpoint, self.start)


def endpoints(shelf: Shelf) -> list[str]:
    """The endpoints that have labels, by name."""
    return sorted(unquoted(name) for name in parted(shelf, "", ENDPOINT))


def paths(shelf: Shelf, endpoint: str) -> Iterator[str]:
    """The files of an endpoint's labels that count, by hour of arrival."""
    for hour in hours(shelf, endpoint):
        yield from (f"{hour.folder}/{name}" for name in standing_of(shelf, hour.folder, importing=()).records)


def label_file(shelf: Shelf, path: str) -> File:
    """A file of labels, which others may put aside while it is read."""
    filesystem, root = place_of(shelf)
    return File(f"{shelf.name}/{path}", filesystem, f"{root}/{path}", aside=f"{root}/{put_aside(path)}")


def hours(shelf: Shelf, endpoint: str) -> Iterator[LabelHour]:
    """The hours in which labels of an endpoint arrived, in order."""
    above = f"{ENDPOINT}={quoted(endpoint)}"
    for date in parted(shelf, above, "label_date"):
        if not _DATE.fullmatch(date):
            continue
        for hour in parted(shelf, f"{above}/label_date={date}", "label_hour"):
            if hour.isdecimal() and int(hour) < 24:
                yield LabelHour(endpoint, datetime.fromisoformat(f"{date}T{int(hour):02}:00Z"))
