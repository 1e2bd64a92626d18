"""Ids as texts, so that those of two sources can be compared whatever their types are."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import UnreadableSourceError
from watchkeep.frames.buffers import strings

_WHOLE: Final = r"^(0|-?[1-9][0-9]*)\.0+$"
_INT64: Final = float(2**63)
_UNIT: Final = strings(["\x1f"])[0]  # pa.scalar imports pandas


def key_texts(array: pa.Array, *, column: str, source: str) -> pa.Array:
    """Ids as texts: two ids are the same when their texts are equal, byte by byte.

    A whole number is spelled without a point, whatever spelled it: 7, 7.0, "7" and "7.0" are one id, and "07"
    is another. An empty text and NaN are no ids, and become nulls.

    Args:
        array: the ids, shape (rows,).
        column, source: what an error names.

    Returns:
        A `large_string` array, shape (rows,).

    Raises:
        UnreadableSourceError: the column is of a type that names no rows, such as lists.

    >>> key_texts(pa.array([7.0, 0.5, None]), column="id", source="x").to_pylist()
    ['7', '0.5', None]
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    texts = _texts(array)
    if texts is None:
        why = f"its column {column!r} holds values of type {array.type}; expected texts or numbers as ids"
        raise UnreadableSourceError(source, why=why)
    whole = pc.match_substring_regex(texts, _WHOLE) if _has_point(texts) else None
    if whole is not None and pc.any(whole).as_py():
        texts = pc.if_else(whole, pc.replace_substring_regex(texts, _WHOLE, r"\1"), texts)
    empty = pc.equal(pc.binary_length(texts), 0)
    return pc.if_else(empty, None, texts) if pc.any(empty).as_py() else texts


def _has_point(texts: pa.Array) -> bool:
    """Whether there is a point somewhere in the bytes of some texts: mostly there is none."""
    data = texts.buffers()[2]
    return data is not None and bool((np.frombuffer(data, np.uint8) == ord(".")).any())


def place_of(at: int, rows: int) -> str | None:
    """Where a row stands in a captured record of so many rows; None where it is the only one.

    The number of rows is part of it: labels of another number are not those of the record's rows.
    """
    return f"{at}/{rows}" if rows > 1 else None


def placed(ids: pa.Array, places: pa.Array) -> pa.Array:
    r"""Ids of records, as ids of their rows.

    >>> placed(pa.array(["a", "b", "b"], pa.large_string()), pa.array([None, "0/2", "1/2"])).to_pylist()
    ['a', 'b\x1f0/2', 'b\x1f1/2']
    """
    if places.null_count == len(places):
        return ids
    return pc.if_else(
        pc.is_valid(places), pc.binary_join_element_wise(ids, places.cast(ids.type), _UNIT), ids
    )


def sound_texts(array: pa.Array) -> pa.Array:
    """Values as a `large_string` array; bytes that are not UTF-8 are spelled with backslashes."""
    if not _is_bytes(array.type):
        return array.cast(pa.large_string())
    try:
        texts = array.cast(pa.large_string())
        texts.validate(full=True)  # readers of Parquet take the writer's word for UTF-8
    except pa.ArrowInvalid:
        raw = array.cast(pa.large_binary()).to_pylist()
        spelled = [None if value is None else value.decode("utf-8", "backslashreplace") for value in raw]
        return pa.array(spelled, pa.large_string())
    return texts


def _texts(array: pa.Array) -> pa.Array | None:
    kind = array.type
    if pa.types.is_floating(kind):
        return _of_floats(array)
    return None if pa.types.is_nested(kind) else sound_texts(array)


def _is_bytes(kind: pa.DataType) -> bool:
    tests = ("string", "large_string", "binary", "large_binary", "fixed_size_binary")
    return any(getattr(pa.types, f"is_{test}")(kind) for test in tests)


def _of_floats(array: pa.Array) -> pa.Array:
    wide = array.cast(pa.float64())
    array = pc.if_else(pc.is_nan(wide), None, array)
    whole = pc.and_(pc.equal(pc.floor(wide), wide), pc.less(pc.abs(wide), _INT64))
    integers = pc.if_else(whole, wide, 0.0).cast(pa.int64()).cast(pa.large_string())
    return pc.if_else(whole, integers, array.cast(pa.large_string()))
