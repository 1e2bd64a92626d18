"""Whether records weigh otherwise than 1, told by the ends of their files."""

import pyarrow.parquet as pq

from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.stored.columns import WEIGHT
from watchkeep.core.errors import MissingSourceError


def weighs(file: File) -> bool:
    """Whether any row of a sealed file may weigh otherwise than 1; no row is read.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with reading(file.name):
            told = pq.read_metadata(file.open())
    except MissingSourceError:  # others may have put it aside since it was found
        return True
    names = [told.schema.column(at).name for at in range(told.num_columns)]
    if WEIGHT not in names:
        return False
    at = names.index(WEIGHT)
    for group in range(told.num_row_groups):
        statistics = told.row_group(group).column(at).statistics
        if statistics is None or not statistics.has_min_max or statistics.min != 1.0 or statistics.max != 1.0:
            return True
    return False
