"""A few rows that stand for many."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import filled, positions
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import column_type, is_textual
from watchkeep.stats.k_means import k_means


def typical_rows(rows: pa.Table, *, seed: int) -> pa.Table:
    """A few rows that stand for many: those nearest to the centres of clusters.

    Text of unknown type (`frames.schema.is_textual`) is numbers where most of its values spell some.

    Args:
        rows: of any column types.
        seed: of where the search for clusters starts.
    """
    numbers, codes = [], []
    for name in rows.column_names:
        column = one_chunk(rows.column(name))
        textual = is_textual(rows.schema.field(name))
        read = read_numbers(column) if textual or column_type(column.type).numeric else None
        if read is not None and (not textual or 2 * len(read.values) > read.rows - read.missing):
            numbers.append(read.at(np.arange(rows.num_rows)))
        elif not pa.types.is_nested(column.type):  # lists and the like tell no cluster
            encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
            codes.append(filled(encoded.indices, -1))
    size = rows.num_rows
    found = k_means(
        np.stack(numbers, axis=1) if numbers else np.zeros((size, 0)),
        np.stack(codes, axis=1).astype(np.intp) if codes else np.zeros((size, 0), np.intp),
        seed=seed,
    )
    return rows.take(positions(np.sort(found.nearest)))
