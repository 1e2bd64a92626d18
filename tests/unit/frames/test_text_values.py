"""Value classes of text, by the table of both generations of Deequ's data type analyzer, and by ours."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.text_values import Dialect, classify, fast_numbers, numbers_of

I, F, B, S, N = "integral", "fractional", "boolean", "string", "missing"  # noqa: E741 (short names make the table)
TABLE = [
    # value, 2020 and before, current, ours
    ("7", I, I, I),
    ("-7", I, I, I),
    ("+7", I, I, I),
    ("- 7", I, I, I),
    ("+ 7", I, I, I),
    ("007", I, I, I),
    ("1.5", F, F, F),
    ("-1.5", F, F, F),
    ("+ 1.5", F, F, F),
    (".5", F, S, F),
    ("5.", F, S, F),
    ("1e5", S, F, F),
    ("1.5E-3", S, F, F),
    ("1.5e+3", S, F, F),
    ("5.e3", S, S, F),
    ("1e", S, S, S),
    ("e5", S, S, S),
    (".", F, S, S),
    ("-", S, S, S),
    ("1,5", S, S, S),
    ("1 000", S, S, S),
    ("0x1F", S, S, S),
    ("1_000", S, S, S),
    ("१२", S, S, S),
    ("true", B, B, B),
    ("false", B, B, B),
    ("True", S, S, S),
    ("FALSE", S, S, S),
    ("NaN", S, S, N),
    ("inf", S, S, F),
    ("-inf", S, S, F),
    ("Infinity", S, S, F),
    ("red", S, S, S),
    ("2024-01-19", S, S, S),
    ("", S, S, N),
    ("NA", S, S, N),
    (" 7", I, I, I),
    ("7 ", S, S, I),
    ("7\n", S, S, I),
    (None, N, N, N),
]
DIALECTS = (Dialect.SAGEMAKER_2020, Dialect.SAGEMAKER, Dialect.DEFAULT)


def class_of(value: str | None, dialect: Dialect) -> str:
    found = classify(pa.array([value], pa.string()), dialect)
    named = [name for name in (I, F, B, N) if getattr(found, name)[0]]
    assert len(named) <= 1
    return named[0] if named else S


@pytest.mark.parametrize(("value", "old", "current", "ours"), TABLE)
def test_the_class_of_a_value(value: str | None, old: str, current: str, ours: str) -> None:
    if value == ".":
        old = S  # the published pattern asks for a digit on one side
    assert [class_of(value, dialect) for dialect in DIALECTS] == [old, current, ours]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_values_of_the_table_together_are_classed_as_each_alone(dialect: Dialect) -> None:
    values = [value for value, *_ in TABLE]
    read = read_numbers(pa.array(values, pa.string()), dialect)
    alone = [class_of(value, dialect) for value in values]

    assert (read.integral, read.fractional, read.boolean, read.string, read.missing) == tuple(
        alone.count(name) for name in (I, F, B, S, N)
    )
    assert len(read.values) == read.integral + read.fractional


@pytest.mark.parametrize("value", ["0x1F", "0X10", "0xff"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_hexadecimal_is_no_number_even_where_nothing_else_is(value: str, kind: pa.DataType) -> None:
    assert read_numbers(pa.array([value, value], kind)).string == 2
    assert read_numbers(pa.array(["x", "7", "8"], kind)[1:]).integral == 2


@given(
    st.lists(
        st.one_of(
            st.from_regex(r"\A[-+]? ?[0-9]{0,12}\.?[0-9]{0,8}([eE][-+]?[0-9]{1,2})?\Z"), st.text(max_size=5)
        )
    )
)
def test_the_fast_way_and_the_careful_way_agree(texts: list[str]) -> None:
    array = pa.array(texts, pa.string())
    fast = fast_numbers(array)
    seen = classify(array)

    if fast is not None:
        assert seen.numeric.all()
        assert fast[1] == int(seen.integral.sum())
        assert fast[0].tolist() == numbers_of(array, seen.numeric).tolist()


@given(
    st.lists(
        st.one_of(st.integers(-(10**15), 10**15), st.floats(allow_nan=False, allow_infinity=False)),
        min_size=1,
    )
)
def test_numbers_are_read_as_python_reads_them(numbers: list[float]) -> None:
    read = read_numbers(pa.array([repr(number) for number in numbers], pa.string()))

    assert read.values.tolist() == [float(number) for number in numbers]
    assert read.integral == sum(isinstance(number, int) for number in numbers)


def test_a_number_too_large_or_small_for_a_double_is_infinite_or_zero() -> None:
    assert read_numbers(pa.array(["1e999", "-1e999", "1e-999", "red"])).values.tolist() == [
        np.inf,
        -np.inf,
        0.0,
    ]
