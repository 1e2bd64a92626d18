"""Rows as the matrix of doubles that models read: NaN where there is no value."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.errors import ModelError
from watchkeep.frames.buffers import filled, plain, strings, valid_mask
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import ColumnType, column_type, is_text
from watchkeep.frames.text_values import classify

Doubles = npt.NDArray[np.float64]
Order = Literal["C", "F"]
Categories = tuple[object, ...]
_Held = tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]
"""Values of a column in any numeric type, and which rows hold one; None when all do."""

_TRUTHS: Final = {"false": 0.0, "true": 1.0}
_BLOCK: Final = 2048  # rows written together: a block of some dozen columns stays in the processor's cache


def chosen(
    rows: pa.Table, features: Sequence[str], model: str, *, count: int | None = None
) -> tuple[list[str], list[pa.Array]]:
    """The names and columns that a model reads, in its order.

    Args:
        rows: the data; may hold other columns, too, when the features are known.
        features: their names; none when they are not known, and all columns are read.
        model: its name.
        count: how many columns it reads, where that is known.

    Raises:
        ModelError: a feature is missing, or there are more or fewer columns than it reads.
    """
    names = list(rows.column_names)
    if features:
        held = set(names)
        for feature in features:
            if feature not in held:
                raise ModelError(model, why=missing(feature, names))
        names = list(features)
    elif count is not None and len(names) != count:
        raise ModelError(
            model,
            why=f"it reads {count} features and does not know their names; the rows have {len(names)} columns: "
            f"{_listed(names)}; name them in its order with --feature, once for each",
        )
    columns = [rows.column(name) if features else rows.column(at) for at, name in enumerate(names)]
    return names, [one.chunk(0) if one.num_chunks == 1 else one.combine_chunks() for one in columns]


def missing(feature: str, names: Sequence[str]) -> str:
    """The sentence for a feature that is not among the columns.

    >>> missing("age", ["Age", "income"])
    "it reads the feature 'age', which the rows do not have; they have 'Age', 'income'; did you mean 'Age'?"
    """
    near = get_close_matches(feature, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"it reads the feature {feature!r}, which the rows do not have; they have {_listed(names)}{hint}"


def matrix_of(
    names: Sequence[str],
    columns: Sequence[pa.Array],
    model: str,
    *,
    categories: Mapping[int, Categories] | None = None,
    order: Order = "C",
) -> Doubles:
    """Columns as one contiguous matrix, shape (rows, columns): NaN for null, 0 and 1 for booleans.

    Text is read as the numbers it spells, unless the column has categories.

    Args:
        names: of the columns.
        columns: without chunks.
        model: its name.
        categories: of the columns, by their place: values become positions in them, and those that are not among
            them NaN.
        order: "F" when the library reads it as fast as "C", for writing it is faster.

    Raises:
        ModelError: a column holds what is no number.
    """
    held = [
        _positions(column, name, model, categories[at])
        if categories and at in categories
        else _numbers(column, name, model)
        for at, (name, column) in enumerate(zip(names, columns, strict=True))
    ]
    rows = len(columns[0]) if columns else 0
    found = np.empty((rows, len(held)), np.float64, order)
    step = max(rows, 1) if order == "F" else _BLOCK
    for start in range(0, rows, step):
        for at, (values, where) in enumerate(held):
            part = found[start : start + step, at]
            part[:] = values[start : start + step]
            if where is not None:
                part[~where[start : start + step]] = np.nan
    return found


def _numbers(array: pa.Array, name: str, model: str) -> _Held:
    kind = column_type(array.type)
    if kind is ColumnType.UNKNOWN:
        return np.full(len(array), np.nan), None
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if is_text(array.type):
        return _spelled(array, name, model)
    if kind is ColumnType.BOOLEAN:
        return plain(array.cast(pa.uint8())), valid_mask(array)
    if not kind.numeric:
        raise ModelError(
            model, why=f"it reads numbers from column {name!r}, which holds values of type {array.type}"
        )
    if pa.types.is_decimal(array.type):
        array = pc.cast(array, pa.float64())
    return plain(array), valid_mask(array)


def _spelled(array: pa.Array, name: str, model: str) -> _Held:
    read = read_numbers(array)
    if not read.string and not read.boolean:
        if read.where is None:
            return read.values, None
        values = np.full(len(array), np.nan)
        values[read.where] = read.values
        return values, None
    coded = array.dictionary_encode()
    spelled = np.full(len(coded.dictionary) + 1, np.nan)  # the last is that of nulls
    seen = classify(coded.dictionary)
    for at in np.flatnonzero(~seen.missing):
        text = coded.dictionary[int(at)].as_py()
        truth = _TRUTHS.get(text.strip().lower())
        if truth is None and not seen.numeric[at]:
            raise ModelError(
                model, why=f"it reads numbers from column {name!r}, which holds the text {text!r}"
            )
        spelled[at] = truth if truth is not None else float(text)
    return spelled[filled(coded.indices, -1)], None


def _positions(array: pa.Array, name: str, model: str, categories: Categories) -> _Held:
    """Values as positions in the categories; nulls, and values that are not among them, as missing."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not categories or all(isinstance(each, bool | int | float) for each in categories):
        return _nearest(_numbers(array, name, model), categories)
    texts = _texts(array)
    found = pc.index_in(texts, value_set=strings([str(each) for each in categories]))
    known = valid_mask(found)
    return plain(found), known


def _nearest(held: _Held, categories: Categories) -> _Held:
    values, where = held
    known = np.array([float(str(each)) if not isinstance(each, bool) else each for each in categories], float)
    if not len(known):
        return np.full(len(values), np.nan), None
    order = np.argsort(known)
    at = np.minimum(np.searchsorted(known[order], values), len(known) - 1)
    right = known[order][at] == values
    return order[at], right if where is None else right & where


def _texts(array: pa.Array) -> pa.Array:
    """Values as categories of text would spell them: numbers that are whole without a point, truths as Python does."""
    kind = array.type
    if pa.types.is_boolean(kind):
        return pc.utf8_capitalize(pc.cast(array, pa.large_string()))
    if pa.types.is_floating(kind):
        with suppress(pa.ArrowInvalid):  # not all of them are whole: as they are
            array = pc.cast(array, pa.int64())
    return pc.cast(array, pa.large_string())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:12])
    return f"{shown or 'no columns'}{f' and {len(names) - 12} more' if len(names) > 12 else ''}"
