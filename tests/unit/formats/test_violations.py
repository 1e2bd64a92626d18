import re
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.errors import DocumentError
from watchkeep.formats.violations import (
    EXTRA_COLUMN_CHECK,
    Violation,
    Violations,
    categorical_text,
    completeness_text,
    data_type_text,
    double,
    drift_text,
    extra_text,
    missing_text,
    parse,
)

# The two patterns by which the published visualizer reads descriptions.
DRIFT = re.compile(r"distance: (.+) exceeds")
VALUE = re.compile(r"Value: (.+) does not meet the constraint requirement!")

shares = st.floats(0, 1)


@given(shares, shares)
def test_the_published_patterns_read_our_numbers_back(value: float, limit: float) -> None:
    drift = DRIFT.search(drift_text(value, limit))
    categorical, complete = VALUE.search(categorical_text(value)), VALUE.search(completeness_text(value))

    assert drift is not None
    assert categorical is not None
    assert complete is not None
    assert [float(match[1]) for match in (drift, categorical, complete)] == [value] * 3
    assert float(drift_text(value, limit).rpartition("threshold: ")[2]) == limit


def test_the_sentence_of_types_tells_percentages() -> None:
    assert data_type_text("Fractional", 0.95, 0.0) == (
        "Data type match requirement is not met. Expected data type: Fractional, Expected match: 95.0%. "
        "Observed: Only 0.0% of data is Fractional."
    )


def test_sentences_about_columns_name_them() -> None:
    assert missing_text("a 'b'") == "Column \"a 'b'\" of the baseline is missing from the current data."
    assert extra_text("age") == "Column 'age' of the current data is not in the baseline."


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0.0"),
        (0.001, "0.001"),
        (0.000999, "9.99E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-1.5e-9, "-1.5E-9"),
        (123456789012.5, "1.234567890125E11"),
        (1e300, "1.0E300"),
        (nan, "NaN"),
        (inf, "Infinity"),
        (-inf, "-Infinity"),
    ],
)
def test_numbers_are_spelled_as_java_spells_doubles(number: float, text: str) -> None:
    assert double(number) == text  # expected: the rules of java.lang.Double.toString


@given(st.floats(allow_nan=False))
def test_a_spelled_number_is_that_number(number: float) -> None:
    assert float(double(number)) == number


def test_violations_are_written_with_the_known_keys_first_and_extras_never_in_their_place() -> None:
    extra = {"watchkeep": {"value": 0.5}, "description": "other", "feature_name": "other"}
    named = Violation("age", EXTRA_COLUMN_CHECK, "text", extra)

    assert list(named.document()) == ["feature_name", "constraint_check_type", "description", "watchkeep"]
    assert named.document()["description"] == "text"
    assert Violations((named,), {"violations": 3, "window": "w"}).document() == {
        "violations": [named.document()],
        "window": "w",
    }


def test_a_null_column_is_kept() -> None:
    listed = [{"feature_name": None, "constraint_check_type": "x", "description": "y"}]

    assert parse({"violations": listed}).violations[0].feature_name is None
    assert parse({"violations": listed}).document() == {"violations": listed}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "v.json: at the top got an object, expected an object with the key 'violations'"),
        ({"violations": {}}, "v.json: at violations got an object, expected an array"),
        ({"violations": [{"description": "x"}]}, "expected an object with the key 'constraint_check_type'"),
        (
            {"violations": [{"feature_name": 3, "constraint_check_type": "x", "description": "y"}]},
            "v.json: at violations[0].feature_name got 3, expected a text",
        ),
    ],
)
def test_what_breaks_the_schema_is_refused_with_its_path(document: dict[str, object], sentence: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(sentence)):
        parse(document, "v.json")
