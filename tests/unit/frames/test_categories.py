from collections import Counter
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.frames.buffers import strings, valid_mask
from watchkeep.frames.categories import read_categories, read_texts, text_bytes
from watchkeep.frames.schema import ColumnType, column_type

texts = st.lists(st.one_of(st.none(), st.text(max_size=6)))


def counted(array: pa.Array) -> Counter[str]:
    read = read_categories(array)
    found: Counter[str] = Counter()
    for text, count in zip(read.texts.to_pylist(), read.counts.tolist(), strict=True):
        found[text] += count
    return +found


@given(texts, st.integers(0, 3))
def test_categories_are_the_counts_of_texts_however_they_are_stored(
    values: list[str | None], cut: int
) -> None:
    expected = Counter(value for value in values[cut:] if value is not None)

    for kind in (pa.string(), pa.large_string()):
        array = pa.array(values, kind)[cut:]
        assert counted(array) == counted(array.dictionary_encode()) == expected
        assert read_categories(array).present == expected.total()


@given(texts, st.integers(0, 3))
def test_texts_and_their_bytes_are_those_of_the_column(values: list[str | None], cut: int) -> None:
    read = read_texts(pa.array(values, pa.string())[cut:])
    data, places = text_bytes(read.texts)
    present = [value for value in values[cut:] if value is not None]

    assert read.present == len(present)
    assert [data[a:b].tobytes().decode() for a, b in pairwise(places)] == present


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([True, None, False, True]), {"true": 2, "false": 1}),
        (pa.array([7, 7, None]), {"7": 2}),
        (pa.array([date(2024, 1, 19)]), {"2024-01-19": 1}),
        (pa.array([b"caf\xc3\xa9", b"\xff", None]), {"café": 1, "\ufffd": 1}),
        (pa.DictionaryArray.from_arrays([0, 1, 0, 2], pa.array(["a", None, "b"])), {"a": 2, "b": 1}),
        (pa.DictionaryArray.from_arrays([0, 1, None], pa.array(["a", "a"])), {"a": 2}),
        (pa.array([{"a": 1}, None]), {"{'a': 1}": 1}),
        (pa.nulls(2), {}),
    ],
    ids=str,
)
def test_any_type_can_be_read_as_categories(array: pa.Array, expected: dict[str, int]) -> None:
    assert counted(array) == expected
    assert read_categories(array).rows == len(array)


@given(st.lists(st.booleans()), st.integers(0, 20), st.integers(0, 20))
def test_the_mask_of_a_slice_is_the_slice_of_the_mask(held: list[bool], start: int, size: int) -> None:
    array = pa.array([1 if here else None for here in held], pa.int64()).slice(min(start, len(held)), size)
    mask = valid_mask(array)

    expected = [value is not None for value in array.to_pylist()]
    assert (np.ones(len(array), bool) if mask is None else mask).tolist() == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8)))
def test_strings_go_into_arrow_and_come_back(values: list[str]) -> None:
    assert strings(values).to_pylist() == values


@pytest.mark.parametrize(
    ("arrow", "expected"),
    [
        (pa.int8(), ColumnType.INTEGRAL),
        (pa.uint64(), ColumnType.INTEGRAL),
        (pa.float16(), ColumnType.FRACTIONAL),
        (pa.decimal128(9, 2), ColumnType.FRACTIONAL),
        (pa.bool_(), ColumnType.BOOLEAN),
        (pa.date32(), ColumnType.TIME),
        (pa.timestamp("ns", "UTC"), ColumnType.TIME),
        (pa.list_(pa.float32()), ColumnType.EMBEDDING),
        (pa.list_(pa.float64(), 8), ColumnType.EMBEDDING),
        (pa.list_(pa.string()), ColumnType.STRING),
        (pa.string_view(), ColumnType.STRING),
        (pa.dictionary(pa.int32(), pa.int64()), ColumnType.INTEGRAL),
        (pa.null(), ColumnType.UNKNOWN),
    ],
    ids=str,
)
def test_the_type_of_a_column_is_told_by_how_it_is_stored(arrow: pa.DataType, expected: ColumnType) -> None:
    assert column_type(arrow) is expected
