"""Which columns are kept beside the features of reference rows: those that tell kinds of rows apart."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import plain
from watchkeep.frames.categories import row_texts
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import column_type, is_text

_LONG: Final = 64.0
"""Columns of text that is longer on average, in bytes, are not kept beside the features."""
_LOOKED: Final = 1_000
"""Rows of the first batch that tell whether a column is such text."""
_MANY: Final = 1_000
"""Different values of text beyond which it is not kept: it tells rows apart one by one."""
_IDS: Final = 0.9
"""The share of different texts among all beyond which they are ids, names or the like."""
_FEWEST: Final = 100
"""Values that it takes to tell ids from others."""


def short(batch: Batch, names: Sequence[str]) -> tuple[str, ...]:
    """Columns without those whose values are long in the first rows; those that a batch lacks stay."""
    return tuple(
        name for name in names if name not in batch.names or _is_short(batch.column(name).slice(0, _LOOKED))
    )


def _is_short(column: pa.Array) -> bool:
    """Whether values are no lists, no bytes, and no long text."""
    is_, kind = pa.types, column.type
    kind = kind.value_type if is_.is_dictionary(kind) else kind
    if is_.is_nested(kind) or any(
        test(kind)
        for test in (is_.is_binary, is_.is_large_binary, is_.is_fixed_size_binary, is_.is_binary_view)
    ):
        return False
    if not is_text(kind):
        return True
    lengths = plain(pc.binary_length(row_texts(column).drop_null()))
    return not len(lengths) or float(lengths.mean()) <= _LONG


def tells_apart(column: pa.Array) -> bool:
    """Whether values are short, and tell kinds of rows apart rather than single rows, as ids do.

    >>> tells_apart(pa.array(["EU", "US"] * 100)), tells_apart(pa.array([f"id {at}" for at in range(200)]))
    (True, False)
    """
    if not _is_short(column):
        return False
    numeric = column_type(column.type).numeric
    if not numeric and not is_text(column.type):
        return True
    read, present = read_numbers(column), len(column) - column.null_count
    different = len(pc.unique(row_texts(column).drop_null()))
    if numeric or 2 * len(read.values) > present:  # text that spells numbers, too
        ids = present >= _FEWEST and different == present and read.integral == present
        return not ids
    return different <= _MANY and not (present >= _FEWEST and different > _IDS * present)
