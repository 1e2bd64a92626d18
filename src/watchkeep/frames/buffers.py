"""Arrow arrays from and to NumPy arrays, without a copy where there can be none.

`pyarrow.array` and `pyarrow.Array.to_numpy` import pandas when it is installed, which takes longer than checking a
small window; these do not.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def plain(array: pa.Array) -> npt.NDArray[Any]:
    """The values buffer of a primitive array, shape (n,); slots that are null hold anything."""
    dtype = (
        np.dtype(array.type.to_pandas_dtype()) if not pa.types.is_temporal(array.type) else np.dtype(np.int64)
    )
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


def filled(array: pa.Array, other: int) -> npt.NDArray[np.int64]:
    """The integers of an array, shape (n,), with another number in the place of nulls.

    `pyarrow.compute.fill_null` does the same, but turns a Python number into an Arrow one, and for that imports pandas
    where it is installed, which costs a second.

    >>> filled(pa.array([7, None]), -1).tolist()
    [7, -1]
    """
    values, held = plain(array).astype(np.int64), valid_mask(array)
    return values if held is None else np.where(held, values, other)


def positions(integers: npt.NDArray[np.integer[Any]]) -> pa.Array:
    """Integers, shape (n,), as an Arrow int64 array."""
    return pa.Array.from_buffers(
        pa.int64(), len(integers), [None, pa.py_buffer(np.ascontiguousarray(integers, np.int64))]
    )


def doubles(values: npt.NDArray[np.float64]) -> pa.Array:
    """Doubles, shape (n,), as an Arrow float64 array."""
    return pa.Array.from_buffers(
        pa.float64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values, np.float64))]
    )


def truths(mask: npt.NDArray[np.bool_]) -> pa.Array:
    """Truth values, shape (n,), as an Arrow boolean array."""
    return pa.Array.from_buffers(
        pa.bool_(), len(mask), [None, pa.py_buffer(np.packbits(mask, bitorder="little"))]
    )


def strings(values: Sequence[str]) -> pa.Array:
    """Texts as an Arrow large string array.

    >>> strings(["a", "", "ü"]).to_pylist()
    ['a', '', 'ü']
    """
    return _of_lengths(pa.large_string(), [value.encode("utf-8", "replace") for value in values])


def binaries(values: Sequence[bytes]) -> pa.Array:
    r"""Bytes as an Arrow large binary array.

    >>> binaries([b"a", b"", b"\x00"]).to_pylist()
    [b'a', b'', b'\x00']
    """
    return _of_lengths(pa.large_binary(), values)


def _of_lengths(kind: pa.DataType, values: Sequence[bytes]) -> pa.Array:
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(value) for value in values], out=offsets[1:])
    return pa.Array.from_buffers(
        kind, len(values), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    )
