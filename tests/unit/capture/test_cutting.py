"""Rows are cut out of bodies of every form, or the body is not given at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.adapters.captures.cutting import without_rows
from watchkeep.capture.contents import rows_of

JSON = "application/json"


def cut(body: Any, *rows: int) -> Any:
    found = without_rows(json.dumps(body).encode(), JSON, set(rows))
    return None if found is None else json.loads(found)


def tensor(name: str, shape: list[int], data: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP64", "data": data}


@pytest.mark.parametrize(
    ("body", "rows", "expected"),
    [
        ([[1, 2], [3, 4]], [0], [[3, 4]]),
        ([{"a": 1}, {"a": 2}, {"a": 3}], [0, 2], [{"a": 2}]),
        (
            {"instances": [{"a": 1}, {"a": 2}], "signature_name": "x"},
            [1],
            {"instances": [{"a": 1}], "signature_name": "x"},
        ),
        ({"dataframe_records": [{"a": 1}, {"a": 2}]}, [0], {"dataframe_records": [{"a": 2}]}),
        (
            {"dataframe_split": {"columns": ["a"], "index": [7, 8], "data": [[1], [2]]}},
            [0],
            {"dataframe_split": {"columns": ["a"], "index": [8], "data": [[2]]}},
        ),
        ({"inputs": {"a": [1, 2], "b": [[3], [4]]}}, [1], {"inputs": {"a": [1], "b": [[3]]}}),
        ({"outputs": [[1], [2]]}, [1], {"outputs": [[1]]}),
        (
            {"inputs": [tensor("a", [2, 1], [1, 2]), tensor("b", [2, 2], [3, 4, 5, 6])], "id": "x"},
            [0],
            {"inputs": [tensor("a", [1, 1], [2]), tensor("b", [1, 2], [5, 6])], "id": "x"},
        ),
        (
            {"inputs": [tensor("a", [2, 1], [1, 2])], "outputs": [{"name": "p"}]},
            [1],
            {"inputs": [tensor("a", [1, 1], [1])], "outputs": [{"name": "p"}]},
        ),
        (
            {"outputs": [tensor("a", [2, 2], [[1, 2], [3, 4]])]},
            [1],
            {"outputs": [tensor("a", [1, 2], [[1, 2]])]},
        ),
        (
            {"data": {"names": ["a", "b"], "ndarray": [[1, 2], [3, 4]]}},
            [0],
            {"data": {"names": ["a", "b"], "ndarray": [[3, 4]]}},
        ),
    ],
)
def test_rows_of_json_are_cut_out(body: Any, rows: list[int], expected: Any) -> None:
    assert cut(body, *rows) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"names": ["a"], "tensor": {"shape": [2, 1], "values": [1, 2]}}},
        {"inputs": [tensor("a", [2, 1], None)]},
        {"instances": [1, 2], "labels": [0, 1]},
        7,
    ],
)
def test_a_body_that_is_understood_in_part_is_not_given(body: Any) -> None:
    assert cut(body, 0) is None


@pytest.mark.parametrize("kind", ["application/zip", JSON, "text/csv"])
def test_what_is_no_body_is_not_given(kind: str) -> None:
    assert without_rows(b"\xff{", kind, {0}) is None


CELL = st.text(st.sampled_from('ab1,"\n ü'), min_size=1, max_size=4)


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=5),
    st.sets(st.integers(0, 4)),
    st.sampled_from(["\n", "\r\n", ""]),
)
def test_rows_of_csv_are_cut_out_and_all_else_is_as_it_was(
    rows: list[list[str]], gone: set[int], end: str
) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    body = ((end or "\n").join(lines) + end).encode()

    found = without_rows(body, "text/csv", gone)

    left = [line for at, line in enumerate(lines) if at not in gone]
    assert found is not None
    assert found.decode().rstrip("\r\n") == (end or "\n").join(left).rstrip("\r\n")


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers()), min_size=2, max_size=5),
    st.sets(st.integers(0, 4), max_size=1),
)
def test_rows_of_json_lines_are_cut_out(rows: list[dict[str, int]], gone: set[int]) -> None:
    body = "".join(json.dumps(row) + "\n" for row in rows).encode()
    found = without_rows(body, "application/jsonlines", gone)

    assert found is not None
    left = [row for at, row in enumerate(rows) if at not in gone]
    assert rows_of(found, JSON) == [dict(sorted(row.items())) for row in left]
