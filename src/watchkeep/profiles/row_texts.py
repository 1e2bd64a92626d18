"""Texts of single rows as numbers that tell them apart."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import filled, plain, strings
from watchkeep.frames.categories import row_texts, text_bytes
from watchkeep.stats.hashing import Hashes, hash_bytes

_EXACT = np.uint64(11)  # bits too many for a double


def text_hashes(array: pa.Array) -> Hashes:
    """A hash of each row's text, shape (rows,); 0 where there is none."""
    if pa.types.is_dictionary(array.type):
        of = text_hashes(array.dictionary)
        codes = filled(array.indices, len(of))
        by_row: Hashes = np.append(of, np.uint64(0))[codes]
        return by_row
    texts = row_texts(array)
    hashes = hash_bytes(*text_bytes(pc.fill_null(texts, strings([""])[0])))
    return np.where(plain(pc.is_valid(texts).cast(pa.uint8())).astype(np.bool_), hashes, np.uint64(0))


def text_codes(array: pa.Array) -> npt.NDArray[np.float64]:
    """A whole number below 2**53 for each row's text, shape (rows,); NaN where there is none."""
    texts = row_texts(array)
    held = plain(pc.is_valid(texts).cast(pa.uint8())).astype(np.bool_)
    return np.where(held, (text_hashes(texts) >> _EXACT).astype(np.float64), np.nan)
