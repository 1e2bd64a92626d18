"""What a file format must be able to do."""

from collections.abc import Iterator
from typing import Protocol

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
