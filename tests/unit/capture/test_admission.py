"""What is wrong with a request is found, whatever form it has, and nothing else is."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.capture.admission import LONGEST, MOST, Admission
from watchkeep.capture.admission_columns import KINDS, TYPES, AdmissionColumn, Problem
from watchkeep.capture.payloads import Cell
from watchkeep.core.errors import BadInputError, DocumentError, OptionError

JSON = "application/json"
COLUMNS: list[dict[str, Any]] = [
    {"name": "age", "type": "integer", "nullable": False, "min": 0, "max": 120},
    {"name": "fare", "type": "number", "min": -2.5, "max": 99.5},
    {"name": "city", "type": "text", "nullable": False, "categories": ["Oslo", "Rome"]},
    {"name": "member", "type": "boolean"},
    {"name": "at", "type": "time"},
    {"name": "seen", "type": "numbers", "length": 2},
    {"name": "note", "type": "text"},
    {"name": "user.id"},
]
GOOD: dict[str, Any] = {
    "age": 41,
    "fare": 12.5,
    "city": "Oslo",
    "member": True,
    "at": "2026-11-23T18:00:00Z",
    "seen": [1, 2.5],
    "note": "ü",
    "user.id": 7,
}
ADMISSION = Admission.of({"columns": COLUMNS, "known": ["trace"], "rows": 50, "bytes": 5000})


def check(body: Any, kind: str = JSON, names: list[str] | None = None) -> list[Problem]:
    return ADMISSION.check(body if isinstance(body, bytes) else json.dumps(body).encode(), kind, names)


def found(body: Any, kind: str = JSON) -> list[tuple[int | None, str, str]]:
    return [(one.row, one.column, one.what) for one in check(body, kind)]


def with_(**values: Any) -> dict[str, Any]:
    return GOOD | {name.replace("__", "."): value for name, value in values.items()}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names}


@pytest.mark.parametrize(
    "row",
    [
        GOOD,
        with_(age=41.0, fare=12),
        with_(age=0, fare=-2.5),
        with_(age=120, fare=99.5),
        with_(trace="known, and not looked at"),
        without("fare", "member", "at", "seen", "note", "user.id"),
        with_(fare=None, member=None, at=None, seen=None, note=None, user__id=None),
        without("user.id") | {"user": {"id": [1]}},
        with_(fare=float("nan")),
        with_(at=1_700_000_000),
    ],
)
def test_nothing_is_wrong_with_what_fits(row: dict[str, Any]) -> None:
    assert check(row) == []


@pytest.mark.parametrize(
    ("row", "column", "what", "got"),
    [
        (without("age"), "age", "missing", "nothing"),
        (with_(age=None), "age", "missing", "nothing"),
        (with_(city=None), "city", "missing", "nothing"),
        (with_(age=float("nan")), "age", "missing", "nan"),
        (with_(age="41"), "age", "type", '"41"'),
        (with_(age=41.5), "age", "type", "41.5"),
        (with_(age=True), "age", "type", "true"),
        (with_(age=[41]), "age", "type", "a list of 1"),
        (with_(age={"x": 1}), "age", "type", "an object"),
        (with_(fare="12"), "fare", "type", '"12"'),
        (with_(fare=False), "fare", "type", "false"),
        (with_(city=7), "city", "type", "7"),
        (with_(note=7), "note", "type", "7"),
        (with_(member="true"), "member", "type", '"true"'),
        (with_(member=1), "member", "type", "1"),
        (with_(at="soon"), "at", "type", '"soon"'),
        (with_(seen="1 2"), "seen", "type", '"1 2"'),
        (with_(seen=[1, "2"]), "seen", "type", "a list of 2"),
        (with_(age=-1), "age", "range", "-1"),
        (with_(age=121), "age", "range", "121"),
        (with_(age=10**40), "age", "range", "a whole number of many digits"),
        (with_(fare=99.6), "fare", "range", "99.6"),
        (with_(fare=float("inf")), "fare", "range", "inf"),
        (with_(city="oslo"), "city", "domain", '"oslo"'),
        (with_(city="x" * 1000), "city", "domain", '"' + "x" * 60 + "…"),
        (with_(seen=[1, 2, 3]), "seen", "size", "a list of 3"),
        (with_(aeg=41), "aeg", "unknown", "41"),
    ],
)
def test_what_is_wrong_is_told_with_its_row_and_column(
    row: dict[str, Any], column: str, what: str, got: str
) -> None:
    (problem,) = check([GOOD, row])

    assert problem[:4] == (1, column, what, got)
    assert what in KINDS


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"type": "integer", "min": 0, "max": 120}, "a whole number from 0 to 120"),
        ({"type": "number", "min": -2.5}, "a number, at least -2.5"),
        ({"type": "number", "max": 1e9}, "a number, at most 1000000000"),
        ({"type": "text", "categories": ["b", "a"]}, 'one of "a", "b"'),
        ({"type": "text", "categories": list("abcdefghijkl")}, '"h" and 4 more'),
        ({"type": "numbers", "length": 3}, "a list of 3 numbers"),
        ({"type": "time"}, "an ISO time"),
        ({}, "a value"),
    ],
)
def test_what_is_expected_is_told_in_words(told: dict[str, Any], expected: str) -> None:
    assert expected in AdmissionColumn.of({"name": "x", **told}, "d", "columns[0]").expected


ROWS = [[GOOD[str(column["name"])] for column in COLUMNS], [430, None, "Rome", None, None, None, None, None]]
FORMS: dict[str, Any] = {
    "instances": {"instances": [GOOD, with_(age=430)]},
    "records": {"dataframe_records": [GOOD, with_(age=430)]},
    "split": {"dataframe_split": {"columns": [column["name"] for column in COLUMNS], "data": ROWS}},
    "lists": {"instances": ROWS},
    "bare lists": ROWS,
    "seldon": {"data": {"names": [column["name"] for column in COLUMNS], "ndarray": ROWS}},
    "lines": b"%s\n%s\n" % (json.dumps(GOOD).encode(), json.dumps(with_(age=430)).encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_servers_is_read(form: str) -> None:
    assert found(FORMS[form]) == [(1, "age", "range")]


def test_tensors_are_columns() -> None:
    tensor: dict[str, Any] = {"name": "age", "shape": [2], "datatype": "INT64", "data": [41, 430]}
    other = {"name": "city", "shape": [2], "datatype": "BYTES", "data": ["Oslo", "Rome"]}

    assert found({"inputs": [tensor, other]}) == [(1, "age", "range")]
    assert found({"inputs": [tensor, other | {"data": None}]}) == [(None, "", "body")]


CSV = b"41,12.5,Oslo,true,2026-11-23,,ok,7\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (CSV, []),
        (CSV + CSV.replace(b"41", b" 41 "), []),
        (CSV.replace(b"41", b"NaN"), [(0, "age", "missing")]),
        (CSV.replace(b"41", b"4_1"), [(0, "age", "type")]),
        (CSV.replace(b"41", b"4.5e1"), []),
        (CSV.replace(b"41", b"4.55e1"), [(0, "age", "type")]),
        (CSV.replace(b"12.5", b"1e3"), [(0, "fare", "range")]),
        (CSV.replace(b"12.5", b""), []),
        (CSV.replace(b"true", b"yes"), [(0, "member", "type")]),
        (CSV.replace(b"2026-11-23", b"1700000000"), []),
        (CSV.replace(b"2026-11-23", b"noon"), [(0, "at", "type")]),
        (CSV + b"41,12.5\n", [(1, "", "size")]),
        (b"age,fare,city,member,at,seen,note,user.id\n" + CSV, []),
        (b"city,age\nOslo,7\nRome,430\n", [(1, "age", "range")]),
    ],
)
def test_csv_is_read_as_what_its_columns_are(body: bytes, expected: list[tuple[int, str, str]]) -> None:
    assert found(body, "text/csv; charset=utf-8") == expected


def test_values_without_names_take_the_names_that_are_given() -> None:
    assert check([["Oslo", 41]], names=["city", "age"]) == []
    assert [one.column for one in check([["Oslo", 430]], names=["city", "age"])] == ["age"]
    assert check([["Oslo", "whatever"]], names=["city", "other"]) == []


@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        (b"{", JSON, (None, "", "body", "payload cannot be parsed", "rows of JSON or CSV")),
        (b"\xff", "text/csv", (None, "", "body", "payload cannot be parsed", "rows of JSON or CSV")),
        (b"[" * 3000, JSON, (None, "", "body", "payload cannot be parsed", "rows of JSON or CSV")),
        (b"9" * 4900, JSON, (None, "", "body", "payload cannot be parsed", "rows of JSON or CSV")),
        (b"x", "image/png", (None, "", "body", "payload is neither CSV nor JSON", "rows of JSON or CSV")),
        (b"", JSON, (None, "", "size", "0 rows", "1 to 50 rows")),
        (b"[]", JSON, (0, "", "size", "0 values", "8 values")),
        (b'{"instances": []}', JSON, (None, "", "size", "0 rows", "1 to 50 rows")),
        (json.dumps([{}] * 51).encode(), JSON, (None, "", "size", "51 rows", "1 to 50 rows")),
        (b" " * 5001, JSON, (None, "", "size", "5001 bytes", "at most 5000 bytes")),
        (b'{"user": {"id": 1}, "user.id": 2}', JSON, None),
    ],
)
def test_requests_that_cannot_be_looked_into_are_told(
    body: bytes, kind: str, problem: tuple[Any, ...] | None
) -> None:
    if problem is None:
        assert (0, "", "body") in found(body, kind)
    else:
        assert check(body, kind) == [problem]


def test_of_many_problems_the_first_are_told_and_one_of_each_further_kind() -> None:
    admission = Admission.of({"columns": COLUMNS[:2]})
    rows: list[dict[str, Any]] = [{"age": -1, f"new{n}{'x' * 99}": 0} for n in range(500)]
    rows.append({"age": "x", "fare": 1e6})

    problems = admission.check(json.dumps(rows).encode(), JSON)

    assert len(problems) == MOST + 2
    assert [one[:3] for one in problems[-2:]] == [(500, "age", "type"), (500, "fare", "range")]
    assert max(len(one.column) for one in problems) == LONGEST


@given(st.binary(max_size=60), st.sampled_from([JSON, "text/csv", "application/jsonlines", "", "x"]))
def test_no_body_breaks_it(body: bytes, kind: str) -> None:
    for one in ADMISSION.check(body, kind):
        assert one.what in KINDS
        assert len(one.got) < 80


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-200, 200),
    st.integers(),
    st.floats(),
    st.sampled_from(["Oslo", "41", "", "2026-11-23"]),
    st.lists(st.one_of(st.integers(), st.text(max_size=2)), max_size=3),
)


@given(st.dictionaries(st.sampled_from([*GOOD, "other"]), VALUES))
def test_the_quick_look_finds_what_a_look_at_each_value_finds(row: dict[str, Any]) -> None:
    columns = [AdmissionColumn.of(column, "d", "c") for column in COLUMNS]
    expected = {("other", "unknown")} & {(name, "unknown") for name in row}
    expected |= {(one.name, what) for one in columns if (what := one.wrong(row.get(one.name))) is not None}

    assert {(column, what) for _, column, what in found(row)} == expected


@given(st.sampled_from(TYPES), VALUES)
def test_a_column_without_limits_is_about_types_alone(kind: str, value: Any) -> None:
    what = AdmissionColumn(name="x", type=kind).wrong(value)

    assert what in (None, "type") or (what == "range" and math.isinf(value))
    anything = AdmissionColumn(name="x").wrong(value)
    assert anything is None or (anything == "range" and math.isinf(value))


@given(st.integers(-(10**17), 10**17))
def test_a_field_of_csv_is_the_number_it_spells(number: int) -> None:
    column = AdmissionColumn(name="x", type="integer", low=number, high=number)

    assert column.wrong(Cell(str(number))) is None
    assert column.wrong(Cell(str(number + 1))) == "range"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ([], "at the top got a list of 0, expected an object"),
        ({}, "at columns got nothing, expected a list of columns"),
        ({"columns": []}, "at columns got a list of 0"),
        ({"columns": [{"name": "a"}], "row": 3}, "got 'row', .*did you mean 'rows'"),
        ({"columns": [{"name": "a"}], "rows": 0}, "at rows got 0, expected a whole number, 1 or more"),
        ({"columns": [{"name": "a"}], "bytes": True}, "at bytes got true"),
        ({"columns": [{"name": "a"}], "version": 2}, "at version got 2, expected 1"),
        ({"columns": [{"name": "a"}], "known": "b"}, 'at known got "b"'),
        ({"columns": ["a"]}, r'at columns\[0\] got "a", expected an object'),
        ({"columns": [{}]}, r"columns\[0\].name: got 'nothing', expected the name of a column"),
        ({"columns": [{"name": ""}]}, r"columns\[0\].name: got ''"),
        (
            {"columns": [{"name": "a"}, {"name": "a"}]},
            r"at columns\[1\].name got .a., expected a name that no",
        ),
        ({"columns": [{"name": "a", "typ": "text"}]}, "got 'typ', .*did you mean 'type'"),
        ({"columns": [{"name": "a", "type": "int"}]}, "got 'int', .*did you mean 'integer'"),
        ({"columns": [{"name": "a", "nullable": 1}]}, "nullable: got '1', expected true or false"),
        ({"columns": [{"name": "a", "min": "1"}]}, "min: got '1', expected a number"),
        (
            {"columns": [{"name": "a", "min": 2, "max": 1}]},
            "max got 1, expected at least 2, which is the min",
        ),
        ({"columns": [{"name": "a", "categories": "x"}]}, "categories: got 'x', expected a list of texts"),
        ({"columns": [{"name": "a", "length": -1}]}, "length: got '-1', expected a whole number"),
    ],
)
def test_documents_that_cannot_be_used_are_told(told: Any, error: str) -> None:
    with pytest.raises((DocumentError, OptionError), match=error):
        Admission.of(told)


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a file that can be read"):
        Admission.read(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(BadInputError, match=r"bad.json: at the top got no JSON"):
        Admission.read(tmp_path / "bad.json")
    (tmp_path / "good.json").write_text(json.dumps({"columns": COLUMNS}))
    assert [one.name for one in Admission.read(tmp_path / "good.json").columns] == list(GOOD)
