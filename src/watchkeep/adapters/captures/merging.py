"""Records that are made into tables apart from each other, and brought together in their order."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.captures.bodies import Side
from watchkeep.adapters.captures.evolution import fitted, inexact_in, settled_schema
from watchkeep.adapters.sources.stored.columns import ROW
from watchkeep.adapters.sources.tables import schema_of
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import plain
from watchkeep.frames.schema import TEXTUAL

Part = tuple[tuple[pa.Table, frozenset[str]], npt.NDArray[np.int64]]
"""A table with a row for each row of its records, which of its columns are texts of unknown type, and which records
these are, in order."""


_LAYOUTS: Final = 32
"""Answers of more layouts than these are taken together, and named by all of their columns."""


def differing(output: Side | None, given: Side | None) -> npt.NDArray[np.int64] | None:
    """The layouts of answers, where by these a value of a request may be called in several ways.

    None where all answers have the same, or there are too many to take each apart.
    """
    if output is None or given is None or output.layouts is None:
        return None
    if not any(isinstance(key, int) or key in output.columns for key in given.columns):
        return None
    return output.layouts if 1 < len(np.unique(output.layouts[output.rows > 0])) <= _LAYOUTS else None


def in_order(parts: Sequence[Part]) -> tuple[pa.Table, frozenset[str]]:
    """The rows of all, record by record, and which of their columns are texts of unknown type.

    Args:
        parts: at least one.
    """
    marked = [
        table.cast(schema_of(dict(zip(table.schema.names, table.schema.types, strict=True)), textual))
        for (table, textual), _ in parts
    ]
    extremes = [
        (name, *pc.min_max(table.column(name)).as_py().values())
        for table in marked
        for name, kind in zip(table.schema.names, table.schema.types, strict=True)
        if pa.types.is_integer(kind) and table.column(name).null_count < table.num_rows
    ]
    schema = settled_schema([table.schema for table in marked], inexact=inexact_in(extremes))
    records = np.concatenate(
        [_records(table, places) for table, (_, places) in zip(marked, parts, strict=True)]
    )
    whole = pa.concat_tables([fitted(table, schema) for table in marked])
    told = frozenset(part.name for part in schema if part.metadata and TEXTUAL in part.metadata)
    return whole.take(pa.array(np.argsort(records, kind="stable"))), told


def _records(table: pa.Table, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Of which record each row is."""
    first = plain(one_chunk(table.column(ROW))) == 0
    found: npt.NDArray[np.int64] = places[np.cumsum(first) - 1]
    return found
