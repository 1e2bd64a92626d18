"""Bodies of every server's form hold the rows that were meant."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.capture.payloads import BINARY, NOT_BODY, UNEVEN, Rejection, bodies_of_json, rows_of_json


def tensor(name: str, shape: list[int], data: object) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": "FP64", "data": data}


ROWS = [{"age": 41, "fare": 7.5}, {"age": 8, "fare": 1.25}]
FORMS = {
    "rows": ROWS,
    "instances": {"instances": ROWS},
    "instances of TensorFlow Serving": {"signature_name": "serving_default", "instances": ROWS},
    "columns of TensorFlow Serving": {"inputs": {"age": [41, 8], "fare": [[7.5], [1.25]]}},
    "dataframe_split": {
        "dataframe_split": {"index": [0, 1], "columns": ["age", "fare"], "data": [[41, 7.5], [8, 1.25]]}
    },
    "dataframe_records": {"dataframe_records": ROWS, "params": {"x": 1}},
    "tensors, and the outputs that are wanted": {
        "parameters": {"content_type": "pd"},
        "inputs": [tensor("age", [2, 1], [[41], [8]]), tensor("fare", [2, 1], [7.5, 1.25])],
        "outputs": [{"name": "predict_proba", "parameters": {"content_type": "np"}}],
    },
    "tensors": {"id": "7", "inputs": [tensor("age", [2, 1], [41, 8]), tensor("fare", [2], [[7.5], [1.25]])]},
    "Seldon": {"data": {"names": ["age", "fare"], "ndarray": [[41, 7.5], [8, 1.25]]}},
    "Seldon's tensor": {
        "data": {"names": ["age", "fare"], "tensor": {"shape": [2, 2], "values": [41, 7.5, 8, 1.25]}}
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_the_same_rows(form: str) -> None:
    assert rows_of_json(FORMS[form], source="x") == ROWS


@pytest.mark.parametrize(
    "body",
    [
        [[41, 7.5], [8, 1.25]],
        {"instances": [[41, 7.5], [8, 1.25]]},
        {"inputs": [[41, 7.5], [8, 1.25]]},
        {"inputs": [tensor("x", [2, 2], [41, 7.5, 8, 1.25])]},
        {"dataframe_split": {"data": [[41, 7.5], [8, 1.25]]}},
        {"data": {"ndarray": [[41, 7.5], [8, 1.25]]}},
    ],
)
def test_values_without_names_keep_their_places(body: object) -> None:
    assert rows_of_json(body, source="x") == [[41, 7.5], [8, 1.25]]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"predictions": [0.25, 0.5]}, [[0.25], [0.5]]),
        ({"model_name": "m", "outputs": [tensor("p", [2], [0.25, 0.5])]}, [{"p": 0.25}, {"p": 0.5}]),
        (
            {"outputs": [tensor("label", [2], ["a", "b"]), tensor("p", [2, 2], [[0.25, 0.75], [1, 0]])]},
            [{"label": "a", "p.0": 0.25, "p.1": 0.75}, {"label": "b", "p.0": 1, "p.1": 0}],
        ),
        # Objects that only look like a wrapper are rows of their own.
        ({"predictions": 0.5, "age": 3}, [{"age": 3, "predictions": 0.5}]),
        ({"instances": [1], "age": 3}, [{"age": 3, "instances": [1]}]),
        ({"inputs": "a text"}, [{"inputs": "a text"}]),
        (
            {"inputs": [1], "outputs": [{"name": "p", "data": 2}]},
            [{"inputs": [1], "outputs": [{"name": "p", "data": 2}]}],
        ),
    ],
)
def test_answers(body: object, rows: object) -> None:
    assert rows_of_json(body, source="x") == rows


@pytest.mark.parametrize(
    ("body", "reason", "lost"),
    [
        ({"inputs": {"a": [1, 2], "b": [1]}}, UNEVEN, 2),
        ({"inputs": [tensor("a", [2], [1, 2, 3])]}, UNEVEN, 2),
        ({"inputs": [{"name": "a", "shape": [3, 4], "datatype": "FP32"}]}, BINARY, 3),
        ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, UNEVEN, 1),
        ({"dataframe_split": {"columns": ["a"]}}, NOT_BODY, 1),
        (None, NOT_BODY, 1),
    ],
)
def test_what_holds_no_rows_is_told_and_counted(body: object, reason: str, lost: int) -> None:
    with pytest.raises(Rejection) as raised:
        rows_of_json(body, source="x")
    assert (raised.value.reason, raised.value.rows) == (reason, lost)


VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


@given(
    JSON
    | st.dictionaries(
        st.sampled_from(
            ["inputs", "outputs", "instances", "dataframe_split", "data", "shape", "name", "tensor"]
        ),
        JSON
        | st.lists(st.fixed_dictionaries({"name": VALUES, "shape": JSON, "data": JSON}), max_size=2)
        | st.fixed_dictionaries({"tensor": st.fixed_dictionaries({"shape": JSON, "values": JSON})})
        | st.fixed_dictionaries({"ndarray": JSON, "names": JSON}),
        min_size=1,
        max_size=3,
    )
)
def test_whatever_the_body_it_has_rows_or_is_rejected(body: object) -> None:
    text = json.dumps(body)
    try:
        rows = [row for one in bodies_of_json(text) for row in rows_of_json(one, source="x")]
    except Rejection:
        return
    assert all(isinstance(row, dict | list) for row in rows)
