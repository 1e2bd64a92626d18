"""A column read as numbers, whatever it is stored as: what is no number is counted, not guessed."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import plain, valid_mask
from watchkeep.frames.schema import ColumnType, column_type, is_text
from watchkeep.frames.text_values import Dialect, classify, fast_numbers, numbers_of

Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers of a column in one batch, and an account of the values that are none.

    Args:
        rows: rows of the batch.
        values: the numbers, contiguous, infinities included, without NaN; shape (numbers,).
        where: which rows they stand in, shape (rows,); None when every row holds one.
        missing: rows without a value, NaN included.
        nan: rows that hold NaN.
        integral, fractional, boolean, string, other: present values by class. Those beyond the numbers are
            values of another type than the column's.
    """

    rows: int
    values: Doubles
    where: Mask | None = None
    missing: int = 0
    nan: int = 0
    integral: int = 0
    fractional: int = 0
    boolean: int = 0
    string: int = 0
    other: int = 0

    def at(self, rows: npt.NDArray[np.intp]) -> Doubles:
        """The numbers of these rows, NaN where there is none."""
        if self.where is None:
            return self.values[rows]
        held = self.where[rows]
        out = np.full(len(rows), np.nan)
        out[held] = self.values[np.flatnonzero(self.where).searchsorted(rows[held])]
        return out


def read_numbers(array: pa.Array, dialect: Dialect = Dialect.DEFAULT) -> Numbers:
    """A column as numbers.

    Integers, floats and decimals are numbers; text is where it spells one; booleans, times and lists are not.

    >>> read_numbers(pa.array(["7", "red", None])).string
    1
    """
    rows = len(array)
    kind = column_type(array.type)
    if kind is ColumnType.UNKNOWN:
        return Numbers(rows=rows, values=np.zeros(0), where=np.zeros(rows, np.bool_), missing=rows)
    if is_text(array.type):
        return _from_text(array, dialect)
    if not kind.numeric:
        count = rows - array.null_count
        empty = Numbers(
            rows=rows, values=np.zeros(0), where=np.zeros(rows, np.bool_), missing=array.null_count
        )
        return replace(empty, boolean=count) if kind is ColumnType.BOOLEAN else replace(empty, other=count)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    where = valid_mask(array)
    values = plain(pc.cast(array, pa.float64()) if pa.types.is_decimal(array.type) else array)
    if where is not None:
        values = values[where]
    values = np.ascontiguousarray(values, np.float64)
    if kind is ColumnType.INTEGRAL:
        return Numbers(rows=rows, values=values, where=where, missing=array.null_count, integral=len(values))
    read = Numbers(rows=rows, values=values, where=where, missing=array.null_count, fractional=len(values))
    return _without_nan(read)


def _without_nan(read: Numbers) -> Numbers:
    if not len(read.values) or not np.isnan(read.values.min()):  # NaN spreads to the least of all
        return read
    real = ~np.isnan(read.values)
    nan = int(len(real) - np.count_nonzero(real))
    where = real if read.where is None else read.where.copy()
    if read.where is not None:
        where[read.where] = real
    return replace(
        read,
        values=read.values[real],
        where=where,
        missing=read.missing + nan,
        nan=nan,
        fractional=read.fractional - nan,
    )


def _from_text(array: pa.Array, dialect: Dialect) -> Numbers:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    rows = len(array)
    array = pc.cast(array, pa.large_string()) if not pa.types.is_string(array.type) else array
    where = valid_mask(array)
    if dialect is Dialect.DEFAULT and array.null_count < rows:
        fast = fast_numbers(array.drop_null())
        if fast is not None:
            values, integral = fast
            return Numbers(
                rows=rows,
                values=values,
                where=where,
                missing=array.null_count,
                integral=integral,
                fractional=len(values) - integral,
            )
    seen = classify(array, dialect)
    numeric = seen.numeric
    integral, fractional, boolean, missing = (
        int(np.count_nonzero(each)) for each in (seen.integral, seen.fractional, seen.boolean, seen.missing)
    )
    return Numbers(
        rows=rows,
        values=numbers_of(array, numeric),
        where=numeric,
        missing=missing,
        integral=integral,
        fractional=fractional,
        boolean=boolean,
        string=rows - integral - fractional - boolean - missing,
    )
