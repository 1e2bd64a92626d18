"""Records become rows: those that each record has by itself, whatever else is sealed with it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.capture.records import inference

from watchkeep.adapters.captures.rows import UNPAIRED, Flattening, records_of
from watchkeep.adapters.sources.stored.columns import EVENT_ID, PREFIX, PROBLEM, ROW
from watchkeep.capture.column_names import ColumnNames
from watchkeep.capture.contents import rows_of
from watchkeep.capture.payloads import joined
from watchkeep.capture.record import Inference, decode, encode


def rows(
    *records: Inference, columns: tuple[str, ...] = (), answer: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The rows of records that are sealed together; nulls of bodies are left out."""
    block, _ = decode(
        memoryview(b"".join(encode([one._replace(event_id=str(at)) for at, one in enumerate(records)])))
    )
    assert block is not None
    table, _ = Flattening(ColumnNames(columns, answer)).table(records_of([block]))
    return [
        {name: value for name, value in row.items() if value is not None or name.startswith(PREFIX)}
        for row in table.to_pylist()
    ]


def bodies(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith(PREFIX)}


def tensor(name: str, shape: list[int], data: list[Any], kind: str = "FP64") -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": kind, "data": data}


def test_what_mlflow_is_asked_and_answers() -> None:
    columns, data = ["age", "city"], [[41, "Ulm"], [8, "Köln"]]
    objects = [dict(zip(columns, row, strict=True)) for row in data]
    asked = [
        {"dataframe_split": {"columns": columns, "data": data}},
        {"dataframe_split": {"index": [0, 1], "columns": columns, "data": data}, "params": {"best_of": 1}},
        {"dataframe_records": objects},
        {"instances": objects},
        {"inputs": {"age": [41, 8], "city": ["Ulm", "Köln"]}},
    ]
    found = rows(*(inference(one, {"predictions": [0, 1]}) for one in asked))

    assert [bodies(row) for row in found] == [
        {"_c0": at, **own} for _ in asked for at, own in enumerate(objects)
    ]
    assert not any(row[PROBLEM] for row in found)


def test_what_mlserver_is_asked_and_answers() -> None:
    said = {"model_name": "churn", "model_version": "v1", "id": "7", "parameters": {}}
    labels = {
        **said,
        "outputs": [{**tensor("predict", [2, 1], [0, 1], "INT64"), "parameters": {"content_type": "np"}}],
    }
    chances = {**said, "outputs": [tensor("predict_proba", [2, 2], [0.75, 0.25, 0.5, 0.5])]}
    whole = {"id": "7", "inputs": [tensor("x", [2, 2], [41.0, 2500.5, 8.0, 0.5])]}
    lists = {
        "inputs": [tensor("x", [2, 2], [[41.0, 2500.5], [8.0, 0.5]])],
        "outputs": [{"name": "predict_proba"}],
    }
    named = {
        "parameters": {"content_type": "pd"},
        "inputs": [tensor("age", [2, 1], [41.0, 8.0]), tensor("city", [2, 1], ["Ulm", "Köln"], "BYTES")],
    }
    found = rows(inference(whole, labels), inference(lists, chances), inference(named, labels))

    assert [bodies(row) for row in found] == [
        {"predict": 0, "_c1": 41.0, "_c2": 2500.5},
        {"predict": 1, "_c1": 8.0, "_c2": 0.5},
        {"_c0": 0.75, "_c1": 0.25, "_c2": 41.0, "_c3": 2500.5},
        {"_c0": 0.5, "_c1": 0.5, "_c2": 8.0, "_c3": 0.5},
        {"predict": 0, "age": 41.0, "city": "Ulm"},
        {"predict": 1, "age": 8.0, "city": "Köln"},
    ]


def test_a_record_that_cannot_be_used_brings_no_columns() -> None:
    sound = inference({"instances": [{"age": 41}]}, {"predictions": [0.5]})
    odd = inference(
        {"instances": [{"age": "old", "shoe": 42}, {"age": 7, "shoe": 41}]}, {"predictions": [0.5]}
    )
    found = rows(sound, odd, sound)

    assert [row[PROBLEM] for row in found] == [None, UNPAIRED, None]
    assert [bodies(row) for row in found] == [{"_c0": 0.5, "age": 41}, {}, {"_c0": 0.5, "age": 41}]
    assert found[1]["capture_input"] == odd.input


NUMBERS = st.lists(st.integers(0, 9), min_size=1, max_size=3)
SAID = st.one_of(NUMBERS, st.dictionaries(st.sampled_from("pq"), st.integers(0, 9), min_size=1))


@settings(max_examples=40)
@given(st.lists(st.tuples(SAID, NUMBERS | st.just({"age": 4, "p": 5})), min_size=1, max_size=5))
def test_a_record_has_the_same_columns_whatever_is_sealed_with_it(pairs: list[tuple[Any, Any]]) -> None:
    records = [
        inference({"dataframe_records": [asked] * 2}, {"data": {"ndarray": [said] * 2}})
        for said, asked in pairs
    ]
    found = rows(*records)

    assert [(row[EVENT_ID], row[ROW]) for row in found] == [
        (str(at), n) for at in range(len(pairs)) for n in (0, 1)
    ]
    for one, row in zip(records, found[::2], strict=True):
        assert one.input is not None
        assert one.output is not None
        output, asked = (rows_of(body, "application/json")[0] for body in (one.output, one.input))
        assert bodies(row) == joined(output, asked, None)


def test_no_name_hides_another_column() -> None:
    (same,) = rows(inference({"a": 6, "a_input": 5}, {"a": 1}))
    (swapped,) = rows(inference(b"5,6", b"1", kind="text/csv"), columns=("a_input", "a"), answer=("a",))
    (ours,) = rows(inference({"capture": 5, "capture_x": 3}, {"capture": 6}))

    assert bodies(same) == {"a": 1, "a_input": 6, "a_input_input": 5}
    assert bodies(swapped) == {"a": "1", "a_input": "5", "a_input_input": "6"}
    assert bodies(ours) == {"capture": 6, "input_capture": 5, "input_capture_x": 3}
    assert ours["capture_input"] == b'{"capture": 5, "capture_x": 3}'


DEEP = 20_000


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"null", None),
        (b"\xef\xbb\xbf null", None),
        (b'{"a": ' + b"[" * DEEP + b"]" * DEEP + b"}", None),
        (b'{"]\\"": ' * DEEP + b"1" + b"}" * DEEP, None),
        (b'{"a": ' + b'{"a": ' * 700 + b"1" + b"}" * 701, {".".join("a" * 701)}),
        (b'{"\\ud800": 1, "\\\\ud800": 2}', {"\\ud800_", "\\ud800"}),
        (b'{"\\u001fx": 1, "\\u001f7": 2, "n": [["q"]]}', {"\x1fx", "\x1f7", "n"}),
        (b'{"data": {"tensor": 5, "names": ["a"]}}', None),
        (b'{"a": [-9223372036854775808]}', {"a"}),
        (b'{"a": [null, NaN]}', {"a"}),
    ],
    ids=range(10),
)
def test_no_body_keeps_others_from_being_sealed(body: bytes, named: set[str] | None) -> None:
    odd, sound = rows(inference(body), inference({"age": 41}))

    assert (odd[PROBLEM] is None) == (named is not None)
    assert bodies(odd).keys() == (named or set())
    assert bodies(sound) == {"age": 41}
    assert odd["capture_input"] == body
    assert [row[PROBLEM] for row in rows(inference(body))] == [odd[PROBLEM]]


def test_numbers_that_are_no_doubles_stay_what_they_are() -> None:
    large = inference([[7]], {"data": {"ndarray": [[1, 2**60 + 1]]}})
    small = inference([[0.5]], {"data": {"ndarray": [[1]]}})

    assert [bodies(row) for row in rows(large, small)] == [
        {"_c0": 1, "_c1": str(2**60 + 1), "_c2": 7},
        {"_c0": 1, "_c1": "0.5"},
    ]
