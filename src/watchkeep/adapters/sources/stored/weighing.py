"""How many records those of a file stand for, told by its end."""

from typing import Any

import pyarrow.compute as pc

from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.stored.columns import WEIGHT
from watchkeep.adapters.sources.stored.reading import opened_file


def weights_in(file: File) -> tuple[float, float]:
    """The least and the greatest weight in a sealed file. No row is read where the file tells them.

    Raises:
        SourceError: it cannot be read.
    """
    with opened_file(file) as opened:
        if WEIGHT not in opened.schema_arrow.names or not opened.metadata.num_rows:
            return 1.0, 1.0
        told = [_told(opened.metadata.row_group(at)) for at in range(opened.metadata.num_row_groups)]
        known = [one for one in told if one is not None]
        if len(known) < len(told):
            found = pc.min_max(pc.fill_null(opened.read([WEIGHT]).column(0), 1.0)).as_py()
            return found["min"], found["max"]
    return min(one for one, _ in known), max(one for _, one in known)


def _told(group: Any) -> tuple[float, float] | None:
    """The extremes that a row group tells; None where it does not."""
    for at in range(group.num_columns):
        column = group.column(at)
        if column.path_in_schema == WEIGHT:
            told = column.statistics
            if told is not None and told.has_min_max and not told.null_count:
                return told.min, told.max
    return None
