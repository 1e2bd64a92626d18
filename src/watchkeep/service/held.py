"""Rows of a table that is held in memory, as a source."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from watchkeep.frames.batches import Batch
from watchkeep.frames.schema import is_textual
from watchkeep.service.ports import Ask


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of a table, whose schema marks text of unknown type.

    Args:
        table: the rows.
        name: what people call them.
    """

    table: pa.Table
    name: str

    def schema(self, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns."""
        return self.table.schema

    def batches(self, ask: Ask) -> Iterator[Batch]:  # noqa: ARG002 (part of the port)
        """All the rows in one."""
        texts = frozenset(field.name for field in self.table.schema if is_textual(field))
        yield Batch.of(self.table.combine_chunks(), textual=texts)
