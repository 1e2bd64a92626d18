"""Whole blocks of bodies are read as they would be one by one."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.adapters.captures.bodies import Bodies, Side, columns_of, one_by_one


def bodies(*texts: str) -> Bodies:
    pieces = [text.encode() + b"\n" for text in texts]
    return Bodies(pa.py_buffer(b"".join(pieces)), np.cumsum([len(piece) for piece in pieces]))


def listed(side: Side) -> Any:
    names, columns = list(side.columns), list(side.columns.values())
    return (
        side.rows.tolist(),
        # An empty column has no type, and a column without a value may be left out.
        {n: c.to_pylist() for n, c in zip(names, columns, strict=True) if c.null_count < len(c)},
        {n: str(c.type) for n, c in zip(names, columns, strict=True) if c.null_count < len(c)},
    )


def agree(texts: Sequence[str], kind: str) -> bool:
    """Whether the quick way took them, and whether it is the same as the slow way then."""
    given_ = bodies(*texts)
    quick = columns_of(given_, [kind] * len(texts), set())
    if quick is None:
        return False
    slow = one_by_one(given_, [kind] * len(texts))
    assert listed(quick) == listed(slow)
    assert not slow.problems
    return True


NUMBER = st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False, width=32)
NAMES = st.sampled_from(["age", "fare", "city", "predictions", "user", "capture_time"])
SCALAR = (
    NUMBER
    | st.booleans()
    | st.none()
    | st.sampled_from(["", "Oslo", "2024-01-01", "2024-01-01T10:00:00Z", "ü\n"])
)
OBJECT = st.dictionaries(NAMES, SCALAR | st.lists(NUMBER, max_size=3), max_size=4) | st.dictionaries(
    NAMES, st.dictionaries(NAMES, SCALAR, max_size=2), max_size=2
)
ROWS = (
    st.lists(OBJECT, max_size=3)
    | st.lists(st.lists(NUMBER, min_size=2, max_size=2), max_size=3)
    | st.lists(SCALAR)
)
BODY = st.one_of(
    OBJECT,
    st.fixed_dictionaries({"instances": ROWS}),
    st.fixed_dictionaries({"predictions": ROWS, "model_name": st.just("m")}),
    st.fixed_dictionaries({"inputs": ROWS}),
)


@given(st.lists(BODY, min_size=1, max_size=5))
def test_json(values: list[Any]) -> None:
    agree([json.dumps(value) for value in values], "application/json")


@given(
    st.lists(st.lists(NUMBER, min_size=3, max_size=3), min_size=1, max_size=4), st.sampled_from(["", "\n"])
)
def test_csv(rows: list[list[float]], end: str) -> None:
    line = [",".join(map(str, row)) for row in rows]
    assert agree([one + end for one in line] + ["\n".join(line)], "text/csv; charset=utf-8")


@given(st.lists(st.text(st.sampled_from('ab,"\n\r 0.5ü'), max_size=9), min_size=1, max_size=4))
def test_csv_of_any_kind(texts: list[str]) -> None:
    given_ = bodies(*texts)
    quick = columns_of(given_, ["text/csv"] * len(texts), set())
    if quick is not None:
        slow = one_by_one(given_, ["text/csv"] * len(texts))
        assert listed(quick) == listed(slow)


@pytest.mark.parametrize(
    "value",
    [
        {"age": 41, "city": "Oslo", "at": "2024-01-01T00:00:00Z"},
        {"instances": [{"age": 41, "at": "2024-01-01"}]},
        {"instances": [[1, 2], [3, 4]]},
        {"predictions": [0.5, 0.25], "model_name": "x"},
        {"user": {"age": 41}, "tags": [1.5]},
    ],
)
def test_what_servers_are_mostly_asked_goes_the_quick_way(value: Any) -> None:
    assert agree([json.dumps(value)] * 3, "application/json")
