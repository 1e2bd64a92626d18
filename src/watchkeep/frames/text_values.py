"""Text that may be numbers: which type each value looks like, and the numbers it spells."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import plain, strings, truths, valid_mask


class Dialect(StrEnum):
    """By whose rules data is read and judged."""

    DEFAULT = "default"
    SAGEMAKER = "sagemaker"  # the current analyzer image
    SAGEMAKER_2020 = "sagemaker-2020"  # the value classes of images up to October 2020

    @property
    def sagemaker(self) -> bool:
        """Whether files and rules of SageMaker Model Monitor are followed to the letter."""
        return self is not Dialect.DEFAULT


_INTEGRAL: Final = r"[-+]? ?\d+"
_FRACTIONAL: Final = MappingProxyType(
    {
        Dialect.DEFAULT: r"[-+]? ?(\d+\.\d*|\.\d+)([eE][-+]?\d+)?|[-+]? ?\d+[eE][-+]?\d+|[-+]?(?i:inf|infinity)",
        Dialect.SAGEMAKER: r"[-+]? ?\d+(\.\d+([eE][-+]?\d+)?|[eE][-+]?\d+)",
        Dialect.SAGEMAKER_2020: r"[-+]? ?(\d+\.\d*|\.\d+)",
    }
)
NO_VALUE: Final = ("NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "none", "\\N", "")
"""Spellings of "no value" in a column of numbers, in the default dialect. In a column of text only "" is none."""


@dataclass(frozen=True, slots=True)
class TextValues:
    """What a text array holds, value by value; all arrays of shape (n,).

    Args:
        integral, fractional, boolean, missing: which values are of that class; the rest are strings.
    """

    integral: npt.NDArray[np.bool_]
    fractional: npt.NDArray[np.bool_]
    boolean: npt.NDArray[np.bool_]
    missing: npt.NDArray[np.bool_]

    @property
    def numeric(self) -> npt.NDArray[np.bool_]:
        """Which values are numbers."""
        return self.integral | self.fractional


def classify(texts: pa.Array, dialect: Dialect = Dialect.DEFAULT) -> TextValues:
    """The class each value of a string array looks like.

    References:
        The patterns of Deequ's data type analyzer, of both generations; ours also takes `.5`, `5.` and `inf`.

    >>> classify(pa.array(["7", "1e5", "red", ""])).numeric.tolist()
    [True, True, False, False]
    """
    stripped = pc.utf8_trim_whitespace(texts) if dialect is Dialect.DEFAULT else texts
    integral = _matches(stripped, _INTEGRAL)
    if integral.all():
        none = np.zeros(len(texts), np.bool_)
        return TextValues(integral, none, none, none)
    missing = _truths(pc.is_null(texts))
    if dialect is Dialect.DEFAULT:
        missing = missing | _truths(pc.is_in(stripped, value_set=strings(NO_VALUE).cast(stripped.type)))
    return TextValues(
        integral,
        _matches(stripped, _FRACTIONAL[dialect]) & ~integral,
        _matches(stripped, "true|false"),
        missing,
    )


def numbers_of(texts: pa.Array, numeric: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The numbers that the values marked `numeric` spell, shape (marked,).

    >>> numbers_of(pa.array(["+ 7", "red", "1e5"]), np.array([True, False, True])).tolist()
    [7.0, 100000.0]
    """
    chosen = texts.filter(truths(numeric))
    # Arrow's parser takes neither a plus sign nor spaces.
    clean = pc.replace_substring_regex(pc.utf8_trim_whitespace(chosen), r"^\+ ?|^(-) ", r"\1")
    parsed = pc.cast(clean, pa.float64())
    return plain(parsed)


def fast_numbers(texts: pa.Array) -> tuple[npt.NDArray[np.float64], int] | None:
    """The numbers of an array without nulls in which every value plainly is one, and how many are integral.

    None when a value is none, or needs a closer look.
    """
    if _hexadecimal(texts):
        return None
    try:
        parsed = pc.cast(texts, pa.int64())
        integral = len(texts)
    except pa.ArrowInvalid:
        try:
            parsed = pc.cast(texts, pa.float64())
        except pa.ArrowInvalid:
            return None
        integral = -1
    values = plain(parsed).astype(np.float64)
    if integral < 0:
        if not np.isfinite(values).all():
            return None
        integral = len(texts) - int(pc.sum(pc.match_substring_regex(texts, r"[.eE]")).as_py() or 0)
    return values, integral


def _hexadecimal(texts: pa.Array) -> bool:
    # Arrow's parser would read 0x1F as 31.
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return False
    kind = np.dtype(np.int32 if pa.types.is_string(texts.type) else np.int64)
    places = np.frombuffer(offsets, kind, len(texts) + 1, texts.offset * kind.itemsize)
    written = data[int(places[0]) : int(places[-1])].to_pybytes()
    return b"x" in written or b"X" in written


def _matches(texts: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    return _truths(pc.match_substring_regex(texts, rf"^(?:{pattern})$"))


def _truths(array: pa.Array) -> npt.NDArray[np.bool_]:
    known = plain(array.cast(pa.uint8())).astype(np.bool_)
    held = valid_mask(array)
    return known if held is None else known & held
