import json
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import DocumentError, StateError
from watchkeep.formats.json_text import MAX_DEPTH, dumps, loads, shown

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
documents = st.dictionaries(
    st.text(),
    st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8),
    max_size=4,
)


@given(documents)
def test_what_is_written_is_what_the_standard_library_reads(document: dict[str, object]) -> None:
    text = dumps(document)

    assert json.dumps(json.loads(text)) == json.dumps(document)
    assert json.dumps(loads(text)) == json.dumps(document)
    assert text.endswith("}\n")


def test_an_array_of_scalars_is_one_line_and_others_are_indented_by_two_spaces() -> None:
    text = dumps({"levels": [[1.0, 2.0], []], "names": ("a", None), "none": {}})

    assert text.splitlines() == [
        "{",
        '  "levels": [',
        "    [1.0, 2.0],",
        "    []",
        "  ],",
        '  "names": ["a", null],',
        '  "none": {}',
        "}",
    ]


@pytest.mark.parametrize("value", [nan, inf, -inf, {1, 2}, b"bytes", object])
def test_what_json_cannot_say_is_a_fault_of_ours_and_named(value: object) -> None:
    with pytest.raises(StateError, match=r"at features\[0\]\.mean, which JSON cannot say"):
        dumps({"features": [{"mean": value}]})
    with pytest.raises(StateError, match="at data, which"):
        dumps({"data": [1.0, value]})


def test_a_key_that_is_no_text_is_a_fault_of_ours() -> None:
    with pytest.raises(StateError, match="has the key 3 at features"):
        dumps({"features": {3: "x"}})


def test_letters_are_written_as_they_are_and_half_a_surrogate_pair_is_escaped() -> None:
    assert "grün 名" in dumps({"name": "grün 名"})

    halved = dumps({"name": "\ud800 é"})
    assert halved.isascii()
    assert json.loads(halved) == {"name": "\ud800 é"}


def test_bare_tokens_and_numbers_beyond_a_double_become_the_strings_of_undefined_numbers() -> None:
    read = loads('{"a": NaN, "b": Infinity, "c": -Infinity, "d": 1e999, "e": -1e999, "f": [NaN, 1e3]}')

    assert read == {
        "a": "NaN",
        "b": "Infinity",
        "c": "-Infinity",
        "d": "Infinity",
        "e": "-Infinity",
        "f": ["NaN", 1000],
    }
    assert loads(dumps(read)) == read


def test_a_byte_order_mark_and_keys_given_twice_are_tolerated() -> None:
    assert loads('\ufeff{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"c\.json: at line 1, column 1 got the end of the text, expected JSON"),
        (
            '{"a": 1,\n "b": oops}',
            r'c\.json: at line 2, column 7 got "oops}", expected JSON \(Expecting value\)',
        ),
        ("[1]", r"c\.json: at the top got an array, expected an object"),
        ('"text"', r'c\.json: at the top got "text", expected an object'),
        ('{"a": ' + "9" * 5000 + "}", r"c\.json: at a number got thousands of digits"),
        ('{"a":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", r"got deeper nesting, expected at most 100"),
        ('{"a":' + "[" * 100_000, r"got deeper nesting, expected at most 100"),
    ],
)
def test_what_is_no_json_object_is_refused_with_the_place(text: str, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        loads(text, "c.json")


def test_nesting_up_to_the_limit_is_read_and_written() -> None:
    text = '{"a":' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}"

    assert loads(dumps(loads(text))) == json.loads(text)


def test_values_are_shown_short() -> None:
    assert [shown(value) for value in (True, None, 1.5, "x", (), nan)] == [
        "true", "null", "1.5", '"x"', "an array", "NaN",
    ]  # fmt: skip
    assert len(shown("x" * 1000)) < 70
    assert shown({1}) == "{1}"
