from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.frames.numbers import Numbers, read_numbers
from watchkeep.frames.text_values import Dialect

words = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "",
            "NA",
            "nan",
            "true",
            "False",
            "7",
            "-7.5",
            " 8 ",
            "1e3",
            "inf",
            "-Infinity",
            "red",
            "0x10",
            "null",
        ]
    ),
    st.text(max_size=4),
    st.floats().map(str),
)
reals = st.one_of(st.none(), st.floats())


def accounted(read: Numbers) -> int:
    return len(read.values) + read.missing + read.boolean + read.string + read.other


@given(st.lists(words), st.sampled_from(list(Dialect)), st.booleans())
def test_every_text_is_a_number_missing_or_of_another_class(
    values: list[str | None], dialect: Dialect, encoded: bool
) -> None:
    array = pa.array(values, pa.string())
    read = read_numbers(array.dictionary_encode() if encoded else array, dialect)

    assert read.rows == len(values) == accounted(read)
    assert len(read.values) == read.integral + read.fractional
    assert not np.isnan(read.values).any()
    assert read.where is None or read.where.sum() == len(read.values)


@given(st.lists(reals), st.sampled_from([pa.float64(), pa.float32()]), st.integers(0, 3))
def test_every_real_is_a_number_or_missing_and_nan_is_told_apart(
    values: list[float | None], kind: pa.DataType, cut: int
) -> None:
    with np.errstate(over="ignore"):
        array = pa.array(values, pa.float64()).cast(kind, safe=False)[cut:]
    kept = array.to_pylist()
    read = read_numbers(array)

    assert read.rows == len(kept) == accounted(read)
    assert read.nan == sum(value is not None and np.isnan(value) for value in kept)
    assert read.missing == read.nan + kept.count(None)
    assert read.values.tolist() == [value for value in kept if value is not None and not np.isnan(value)]


@given(st.lists(reals, min_size=1), st.data())
def test_numbers_are_found_again_by_their_row(values: list[float | None], data: st.DataObject) -> None:
    read = read_numbers(pa.array(values, pa.float64()))
    rows = data.draw(st.lists(st.integers(0, len(values) - 1)))

    found = read.at(np.array(rows, np.intp))

    assert np.array_equal(found, np.array([values[row] for row in rows], np.float64), equal_nan=True)


@pytest.mark.parametrize(
    ("array", "values", "integral", "fractional"),
    [
        (pa.array([1, None, -3], pa.int8()), [1, -3], 2, 0),
        (pa.array([2**64 - 1], pa.uint64()), [2.0**64], 1, 0),
        (pa.array([Decimal("1.25"), None], pa.decimal128(9, 2)), [1.25], 0, 1),
        (pa.array([0.5, None], pa.float16()), [0.5], 0, 1),
        (pa.array([5, 5, None, 9]).dictionary_encode(), [5, 5, 9], 3, 0),
        (pa.DictionaryArray.from_arrays([0, 1, 0], pa.array([7, None])), [7, 7], 2, 0),
        (pa.array([1.0, np.inf, -np.inf, None]), [1.0, np.inf, -np.inf], 0, 3),
        (pa.array([1e308, 1e308, -np.inf]), [1e308, 1e308, -np.inf], 0, 3),
    ],
    ids=str,
)
def test_numbers_are_read_from_every_type_they_are_stored_as(
    array: pa.Array, values: list[float], integral: int, fractional: int
) -> None:
    read = read_numbers(array)

    assert read.values.tolist() == values
    assert (read.integral, read.fractional, accounted(read)) == (integral, fractional, len(array))


@pytest.mark.parametrize(
    ("array", "counted"),
    [
        (pa.array([True, None, False]), {"boolean": 2, "missing": 1}),
        (pa.array([[1.0], None]), {"other": 1, "missing": 1}),
        (pa.array([0, None], pa.timestamp("us")), {"other": 1, "missing": 1}),
        (pa.nulls(3), {"missing": 3}),
        (pa.array([], pa.float64()), {}),
        (pa.array([b"7", None]), {"other": 1, "missing": 1}),
    ],
    ids=str,
)
def test_what_is_no_number_is_counted_not_guessed(array: pa.Array, counted: dict[str, int]) -> None:
    read = read_numbers(array)
    found: dict[str, Any] = {name: getattr(read, name) for name in ("missing", "boolean", "string", "other")}

    assert {name: count for name, count in found.items() if count} == counted
    assert not len(read.values)
