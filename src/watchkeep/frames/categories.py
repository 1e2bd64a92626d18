"""A column read as categories: codes into a list of different values."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import plain, strings, truths, valid_mask
from watchkeep.frames.schema import ColumnType, column_type, is_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """The values of a column in one batch, as counts of different texts.

    Args:
        rows: rows of the batch.
        texts: different values, an Arrow string array, shape (different,); some may not occur.
        counts: rows that hold each, shape (different,).
        stored: the type the values are stored as.
    """

    rows: int
    texts: pa.Array
    counts: npt.NDArray[np.int64]
    stored: ColumnType

    @property
    def present(self) -> int:
        """Rows that hold a value."""
        return int(self.counts.sum())

    def lengths(self) -> npt.NDArray[np.int64]:
        """Characters of each text, shape (different,)."""
        return plain(pc.utf8_length(self.texts)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Texts:
    """The different values of a column in one batch, or all of them, as texts.

    Args:
        texts: an Arrow large string array without nulls; a value may occur more than once.
        present: rows that hold a value.
    """

    texts: pa.Array
    present: int


def read_texts(array: pa.Array) -> Texts:
    """A column as texts, without counting how often each occurs.

    >>> read_texts(pa.array([7, None, 9])).texts.to_pylist()
    ['7', '9']
    """
    if pa.types.is_dictionary(array.type) or pa.types.is_nested(array.type):
        read = read_categories(array)
        return Texts(read.texts.filter(truths(read.counts > 0)), read.present)
    present = array.drop_null()
    return Texts(_as_text(_scalars(present)), len(present))


def row_texts(array: pa.Array) -> pa.Array:
    """A column as one text for each row, a large string array; null where there is no value.

    >>> row_texts(pa.array([7, None])).to_pylist()
    ['7', None]
    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return _as_text(_scalars(array))


def text_bytes(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of a large string array, and where each text starts and ends: offsets of shape (texts + 1,)."""
    _, offsets, data = texts.buffers()
    if not len(texts):
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    places = np.frombuffer(offsets, np.int64, len(texts) + 1, texts.offset * 8)
    return (np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)), places


def read_categories(array: pa.Array) -> Categories:
    """A column as categories: its texts; numbers, booleans and times as they are written in JSON.

    Bytes that are not UTF-8 are shown with replacement characters. An empty text is a value.

    >>> read_categories(pa.array(["a", "b", "a", None])).counts.tolist()
    [2, 1]
    """
    stored = column_type(array.type)
    if stored is ColumnType.UNKNOWN:
        return Categories(rows=len(array), texts=strings([]), counts=np.zeros(0, np.int64), stored=stored)
    if stored is ColumnType.BOOLEAN and not pa.types.is_dictionary(array.type):
        true = array.true_count
        counts = np.array([len(array) - array.null_count - true, true], np.int64)
        return Categories(rows=len(array), texts=strings(["false", "true"]), counts=counts, stored=stored)
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(_scalars(array))
    counts = _counts(array)
    texts = _as_text(array.dictionary)
    if texts.null_count:  # a dictionary may itself hold a null: such rows hold no value
        held = valid_mask(texts)
        texts, counts = texts.drop_null(), counts[held]
    return Categories(rows=len(array), texts=texts, counts=counts, stored=stored)


def _scalars(array: pa.Array) -> pa.Array:
    if pa.types.is_nested(array.type):
        return pa.array(
            [None if value is None else str(value) for value in array.to_pylist()], pa.large_string()
        )
    if pa.types.is_boolean(array.type):
        return pc.cast(array, pa.string())
    return array


def _counts(array: pa.DictionaryArray) -> npt.NDArray[np.int64]:
    codes = plain(array.indices)
    held = valid_mask(array.indices)
    if held is not None:
        codes = codes[held]
    return np.bincount(codes, minlength=len(array.dictionary)).astype(np.int64, copy=False)


def _as_text(values: pa.Array) -> pa.Array:
    if is_text(values.type):
        return pc.cast(values, pa.large_string())
    if (
        pa.types.is_binary(values.type)
        or pa.types.is_large_binary(values.type)
        or pa.types.is_fixed_size_binary(values.type)
    ):
        return pa.array(
            [None if value is None else value.decode("utf-8", "replace") for value in values.to_pylist()],
            pa.large_string(),
        )
    return pc.cast(values, pa.large_string())
