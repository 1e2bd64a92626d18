"""Arrow arrays as NumPy arrays, without a copy where there can be none.

`pyarrow.Array.to_numpy` imports pandas when it is installed; these do not.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def plain(array: pa.Array) -> npt.NDArray[Any]:
    """The values buffer of a primitive array, shape (n,); slots that are null hold anything."""
    dtype = np.dtype(array.type.to_pandas_dtype()) if not pa.types.is_temporal(array.type) else np.dtype(np.int64)
    data = array.buffers()[1]
    if data is None or not len(array):
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype, len(array), array.offset * dtype.itemsize)


def valid_mask(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    """Which values are not null, shape (n,); None when all are."""
    if not array.null_count:
        return None
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.zeros(len(array), np.bool_)
    first = array.offset
    bits = np.frombuffer(bitmap, np.uint8)[first // 8 : (first + len(array) + 7) // 8]
    mask = np.unpackbits(bits, bitorder="little")[first % 8 : first % 8 + len(array)]
    return mask.view(np.bool_)
