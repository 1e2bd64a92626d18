"""Codes of rows by the few values they have: each value is looked at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.frames.buffers import filled, plain

SmallCodes = npt.NDArray[np.integer[Any]]
"""Codes of the smallest type that holds them."""


def looked_up(array: pa.Array, codes_of: Callable[[pa.Array], SmallCodes], *, missing: int) -> SmallCodes:
    """The code of each row, shape (rows,).

    Args:
        array: a column; of a dictionary, or of whole numbers of a byte, only the different values are looked at.
        codes_of: gives codes >= 0 of any column.
        missing: the code of a row without a value, the largest there is.

    >>> column = pa.array(["b", None, "a", "b"]).dictionary_encode()
    >>> looked_up(column, lambda values: np.array([ord(one) - 97 for one in values.to_pylist()]), missing=9).tolist()
    [1, 9, 0, 1]
    """
    kind = np.min_scalar_type(missing)
    if pa.types.is_dictionary(array.type):
        table = np.append(codes_of(array.dictionary), missing).astype(kind)
        indices = array.indices
        return table[filled(indices, len(table) - 1) if indices.null_count else plain(indices)]
    if array.type in (pa.int8(), pa.uint8()) and not array.null_count and len(array) > 256:
        domain = pa.Array.from_buffers(array.type, 256, [None, pa.py_buffer(np.arange(256, dtype=np.uint8))])
        table = codes_of(domain).astype(kind)
        return table[plain(array).view(np.uint8)]
    return codes_of(array).astype(kind)
