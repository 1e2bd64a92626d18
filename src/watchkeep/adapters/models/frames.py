"""Rows as a frame of pandas, for models that were made to read one."""

from typing import Any

import numpy as np
import pyarrow as pa

from watchkeep.adapters.models.libraries import library, told
from watchkeep.core.errors import ModelError
from watchkeep.frames.buffers import doubles
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import is_text, is_textual


def frame_of(rows: pa.Table, model: str) -> Any:
    """Rows as a pandas frame. Columns that arrived as text of unknown type are numbers where all values spell one.

    Raises:
        MissingExtraError: pandas is not installed.
        ModelError: a column cannot be told in pandas.
    """
    library("pandas", "a model that reads a pandas frame")
    for at, field in enumerate(rows.schema):
        if is_textual(field) and is_text(field.type):
            column = (
                rows.column(at).combine_chunks()
                if rows.column(at).num_chunks != 1
                else rows.column(at).chunk(0)
            )
            read = read_numbers(column)
            if not read.string and not read.boolean:
                rows = rows.set_column(at, field.name, _numbers(read.values, read.where))
    try:
        return rows.to_pandas()
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise ModelError(model, why=f"its rows cannot be told in pandas: {told(error)}") from error


def _numbers(values: Any, where: Any) -> pa.Array:
    if where is None:
        return doubles(values)
    held = np.full(len(where), np.nan)
    held[where] = values
    return doubles(held)
