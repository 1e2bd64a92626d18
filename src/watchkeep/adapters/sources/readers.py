"""What a file format must be able to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pyarrow as pa

from watchkeep.adapters.sources.files import File
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask


class Reader(Protocol):
    """Reads the files of one format. It leaves windows and partition keys to its caller."""

    @property
    def clock(self) -> str | None:
        """The column that holds the event time when no role names one; None where the format has none."""
        ...

    def schema(self, file: File, ask: Ask) -> pa.Schema:
        """The columns of a file, whatever `ask.columns` says, marked as `Source.schema` marks them."""
        ...

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """All rows of a file, with those of `ask.columns` that it has.

        `ask.window` may be used to skip rows that lie outside; it need not be.
        """
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a file says of itself, before its rows are read.

    Args:
        rows: how many it holds.
        groups: in how many groups.
        skipped: groups that need not be read for the window that was asked for.
        outside: rows of those.
    """

    rows: int
    groups: int
    skipped: int
    outside: int


@runtime_checkable
class Indexed(Reader, Protocol):
    """Reads a format whose files tell where parts of them begin, and how many rows they hold."""

    def cut(self, file: File, most: int) -> Sequence[File]:
        """A file in parts of about `most` bytes.

        Raises:
            SourceError: it cannot be read.
        """
        ...

    def told(self, file: File, ask: Ask) -> Told:
        """What a file, or a part of one, says of itself.

        Raises:
            SourceError: it cannot be read.
        """
        ...
