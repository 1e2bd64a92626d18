"""The captures of an endpoint as a source of rows."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.fs as pafs

from watchkeep.adapters.sources.capture import METADATA
from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File, Files
from watchkeep.adapters.sources.readers import Reader
from watchkeep.adapters.sources.stored.columns import EVENT_ID, WEIGHT
from watchkeep.adapters.sources.stored.layout import (
    EPOCH,
    MARK,
    Hour,
    endpoints,
    hours,
    variants,
)
from watchkeep.adapters.sources.stored.reading import Hourly, Sealed
from watchkeep.adapters.sources.stored.standing import importing_in, put_aside, standing_of
from watchkeep.adapters.sources.stored.weighing import weights_in
from watchkeep.adapters.sources.tables import union
from watchkeep.adapters.state_files import open_shelf
from watchkeep.capture.sampling import SAMPLED_OUT
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import EmptySourceError, MissingSourceError, OptionError
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, Shelf, Source, Weights

PREFIX: Final = "captures:"
_SAMPLE: Final = "sample"


def of_captures(source: str) -> "Captures":
    """The captures that `captures:STORE#ENDPOINT` or `captures:STORE#ENDPOINT/VARIANT` names.

    Raises:
        OptionError: it names none.
        MissingSourceError: the store holds none of it.
    """
    where, found, what = source.removeprefix(PREFIX).rpartition("#")
    if not found or not where or not what:
        raise OptionError(
            "source", got=source, expected=f"{PREFIX}STORE#ENDPOINT or {PREFIX}STORE#ENDPOINT/VARIANT"
        )
    endpoint, slash, variant = what.partition("/")
    shelf = open_shelf(where)
    known = endpoints(shelf)
    if endpoint not in known:
        told = ", ".join(known[:12]) or "none"
        raise MissingSourceError(
            source,
            looked_for=f"an endpoint that was captured into {shelf.name}: {told}",
            got=endpoint,
            choices=known,
        )
    if slash and variant not in (held := variants(shelf, endpoint)):
        raise MissingSourceError(
            source,
            looked_for=f"a variant of {endpoint} that was captured: {', '.join(held)}",
            got=variant,
            choices=held,
        )
    return Captures(shelf, endpoint, variant if slash else None)


def is_store(folder: str) -> bool:
    """Whether a folder or URL is a store of captures."""
    return MARK in open_shelf(folder).names("")


@dataclass(frozen=True, slots=True)
class Captures:
    """The captures of an endpoint, or of one of its variants, in the order of event time.

    Only the hours of the window are looked for. What was lost before it could be stored is told as rejected, and what
    the sample left out lies outside of it.

    Args:
        shelf: the store.
        endpoint: whose.
        variant: only its; None for all of them.
        reader: reads its files.
    """

    shelf: Shelf
    endpoint: str
    variant: str | None = None
    reader: Reader = Sealed()  # noqa: RUF009 (it never changes)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"captures of {self.endpoint}" + (f"/{self.variant}" if self.variant else "")

    def schema(self, ask: Ask) -> pa.Schema:
        """See `Source`."""
        return union([part.schema(ask) for part in self._hours(ask)])

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """See `Source`."""
        for part in self.parts(ask):
            yield from part.batches(ask)

    def parts(self, ask: Ask) -> Sequence[Source]:
        """See `Parted`."""
        found: list[Source] = []
        for part in self._hours(ask):
            found += part.parts(ask) if isinstance(part, FileSource) else [part]
        lost = self._lost(ask)
        return [*found, lost] if lost is not None else found

    def weights(self, ask: Ask) -> Weights | None:
        """See `Weighted`: records of which chance left others out weigh more than 1."""
        importing = importing_in(self.shelf)
        found = [
            weights_in(file)
            for hour in hours(self.shelf, endpoint=self.endpoint, variant=self.variant, window=_window(ask))
            for file in files_of(self.shelf, hour, importing=importing)
        ]
        least, most = min((one for one, _ in found), default=1.0), max((one for _, one in found), default=1.0)
        return None if least == most == 1.0 else Weights(WEIGHT, EVENT_ID, least, most)

    def _hours(self, ask: Ask) -> list["FileSource | Hourly"]:
        wanted = hours(self.shelf, endpoint=self.endpoint, variant=self.variant, window=_window(ask))
        found: list[FileSource | Hourly] = []
        importing = importing_in(self.shelf)
        for hour in sorted(wanted, key=lambda one: (one.start, one.variant)):
            standing = standing_of(self.shelf, hour.folder, importing=importing)
            files = _as_files(self.shelf, hour, standing.records)
            if not files:
                continue
            source = FileSource(Files(self.name, files), self.reader)
            found.append(Hourly(source) if standing.repeated else source)
        if not found:
            raise EmptySourceError(self.name, why="none were captured in that time")
        return found

    def _lost(self, ask: Ask) -> "Lost | None":
        lost: Counter[str] = Counter()
        importing = importing_in(self.shelf)
        for hour in hours(self.shelf, endpoint=self.endpoint, variant=self.variant, window=_window(ask)):
            for (_, _, minute), traffic in traffic_of(self.shelf, hour, importing=importing).of.items():
                if _within(minute, _window(ask)):
                    lost.update(traffic.lost)
        return Lost(self.name, dict(lost)) if lost else None


@dataclass(frozen=True, slots=True)
class Lost:
    """Records that are not there, by reason."""

    name: str
    counts: dict[str, int]

    def schema(self, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """See `Source`."""
        return pa.schema([])

    def batches(self, ask: Ask) -> Iterator[Batch]:  # noqa: ARG002 (part of the port)
        """See `Source`."""
        rejected = {f"not stored: {why}": n for why, n in self.counts.items() if why != SAMPLED_OUT}
        sampled = self.counts.get(SAMPLED_OUT)
        yield Batch.of(pa.table({}), rejected=rejected, outside={_SAMPLE: sampled} if sampled else {})


def files_of(shelf: Shelf, hour: Hour, *, importing: Collection[str] | None = None) -> list[File]:
    """The files of an hour that count, by name; see `standing_of`."""
    return _as_files(shelf, hour, standing_of(shelf, hour.folder, importing=importing).records)


def _as_files(shelf: Shelf, hour: Hour, names: Sequence[str]) -> list[File]:
    return [file_of(shelf, hour, name) for name in names]


def file_of(shelf: Shelf, hour: Hour, name: str) -> File:
    """A file of an hour, which others may put aside while it is read."""
    filesystem, root = place_of(shelf)
    path = f"{root}/{hour.folder}/{name}"
    return File(f"{shelf.name}/{hour.folder}/{name}", filesystem, path, aside=put_aside(path))


def traffic_of(shelf: Shelf, hour: Hour, *, importing: Collection[str] | None = None) -> Tallies:
    """What was counted in an hour; see `standing_of`."""
    tallies = Tallies()
    for name in standing_of(shelf, hour.folder, importing=importing).traffic:
        path = f"{hour.folder}/{name}"
        try:
            content = shelf.read(path)
        except FileNotFoundError:  # it was put aside just now
            content = shelf.read(put_aside(path))
        tallies.merge(Tallies.read(json.loads(content)["minutes"]))
    return tallies


def place_of(shelf: Any) -> tuple[pafs.FileSystem, str]:
    """Where the files of a store lie, for those who open them."""
    if hasattr(shelf, "folder"):
        return pafs.LocalFileSystem(), str(shelf.folder.absolute())
    return shelf.filesystem, shelf.path


def _window(ask: Ask) -> Window | None:
    """The window, where it is one of the time of captures."""
    return ask.window if ask.timestamp in (None, METADATA[-1], "capture_time") else None


def _within(minute: int, window: Window | None) -> bool:
    if window is None:
        return True
    start = EPOCH + timedelta(minutes=minute)
    return not (window.start is not None and start < window.start) and not (
        window.end is not None and start >= window.end
    )
