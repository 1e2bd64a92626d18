"""What the use cases need of the world, small enough to fake in ten lines."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import pyarrow as pa

from watchkeep.core.errors import SourceError
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch

EVER: Final = Window()
"""The window that every row lies in."""
WINDOW: Final = "window"
RULE: Final = "rule"
EVENLY: Final = "even sample"
MISSING: Final = "timestamp is missing"
UNREADABLE: Final = "timestamp is not a time"
LONG_AGO: Final = 3600.0
"""Seconds in which a writer writes a file, or was killed amid it."""
"""Why rows are rejected that are to be placed in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a use case wants of a source.

    Args:
        columns: the columns to decode; None for all. One that a file lacks is left out of its batches.
        positional: names for the columns of rows that come without names (headerless CSV, captured CSV),
            by position; None to name them `_c0`, `_c1`, ...
        timestamp: the column that holds the event time; None when no role names one.
        window: only rows whose event time lies in it. Rows whose event time is missing or unreadable are
            rejected and counted; rows outside are neither: batches count them as such, by `WINDOW`, `RULE` or `EVENLY`.
        lenient: whether a schema is asked for without the files that cannot be read.
    """

    columns: Collection[str] | None = None
    positional: Sequence[str] | None = None
    timestamp: str | None = None
    window: Window = EVER
    lenient: bool = False


class Source(Protocol):
    """Rows that can be read, once or more than once, in bounded memory."""

    @property
    def name(self) -> str:
        """What people call it: a path, a URL, "standard input", "a pandas frame"."""
        ...

    def schema(self, ask: Ask) -> pa.Schema:
        """Names and types of the columns over all the files, in the order of first appearance.

        A column whose type differs between files has the type of the first file. Columns of textual sources
        are strings, and their fields carry the metadata `{b"textual": b"1"}`. A schema whose batches may bring
        further columns, or other types of a column, carries the metadata `{b"open": b"1"}`.

        Raises:
            SourceError: it cannot be read.
            DuplicateColumnError: two columns share one name.
        """
        ...

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows, in batches. May be called more than once.

        Raises:
            SourceError: a part of it cannot be read.
        """
        ...


@runtime_checkable
class Parted(Source, Protocol):
    """Rows that can be read in parts."""

    def parts(self, ask: Ask) -> "Sequence[Source]":
        """The same rows in the same order as several sources, of about one size where files can be cut.

        Where they are cut depends on the files alone, never on who is going to read them.
        """
        ...


@runtime_checkable
class OfFiles(Source, Protocol):
    """Rows of some files, each of which can be read without the others."""

    def singles(self) -> "Sequence[OfFiles]":
        """Each file by itself."""
        ...

    def lost(self, error: SourceError) -> Batch:
        """What stands for its file when that cannot be read: no row, its name, and how many rows it had if it tells."""
        ...


@dataclass(frozen=True, slots=True)
class Weights:
    """How many rows each row of a source stands for.

    Args:
        column: tells it.
        id: the column of what was drawn: rows of one id were kept together.
        least, most: of the rows asked for.
    """

    column: str
    id: str
    least: float
    most: float


@runtime_checkable
class Weighted(Source, Protocol):
    """Rows that may stand for others, which were left out."""

    def weights(self, ask: Ask) -> Weights | None:
        """How many rows each stands for; None where each stands for itself."""
        ...


def weights_of(source: Source, ask: Ask) -> Weights | None:
    """How many rows each row of a source stands for; None where each stands for itself."""
    return source.weights(ask) if isinstance(source, Weighted) else None


def parts_of(source: Source, ask: Ask) -> Sequence[Source]:
    """The parts of a source, in the order of its rows; itself, when it is in one piece."""
    return source.parts(ask) if isinstance(source, Parted) else [source]


class Shelf(Protocol):
    """Files by name, in folders. A file is written once, whole, and never changes."""

    @property
    def name(self) -> str:
        """What people call it: a path or a URL."""
        ...

    def names(self, folder: str) -> Sequence[str]:
        """What lies in a folder, in no order: files and folders by their own names; nothing where there is no folder.

        Raises:
            StoreError: it cannot be read.
        """
        ...

    def read(self, name: str) -> bytes:
        """The file of that name.

        Raises:
            FileNotFoundError: it is not there, or not any more.
            StoreError: it cannot be read.
        """
        ...

    def write(self, name: str, content: bytes) -> None:
        """Put a file there, whole or not at all; one of that name is replaced.

        Raises:
            StoreError: it cannot be written.
        """
        ...

    def delete(self, name: str) -> None:
        """Take a file away, if it is there.

        Raises:
            StoreError: it cannot be taken away.
        """
        ...

    def tidy(self, *, older: float = LONG_AGO) -> int:
        """Take away what writers that were killed left half written; gives how many that were.

        Args:
            older: seconds since they were written to; no writer takes so long.
        """
        ...


class Progress(Protocol):
    """Is told how a long read goes."""

    def start(self, what: str, *, rows: int | None) -> None:
        """A read begins; `rows` is the expected number if it is known."""
        ...

    def advance(self, rows: int) -> None:
        """So many rows more are done."""
        ...

    def stop(self) -> None:
        """The read is over."""
        ...

    def note(self, sentence: str) -> None:
        """Something that people should know at once."""
        ...


class Silent:
    """A progress that tells nobody."""

    def start(self, what: str, *, rows: int | None) -> None:
        """Tell nobody."""

    def advance(self, rows: int) -> None:
        """Tell nobody."""

    def stop(self) -> None:
        """Tell nobody."""

    def note(self, sentence: str) -> None:
        """Tell nobody."""
