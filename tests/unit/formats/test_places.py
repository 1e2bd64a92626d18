from enum import StrEnum

import pytest

from watchkeep.core.errors import DocumentError
from watchkeep.formats.places import Place, copied


class Color(StrEnum):
    RED = "Red"
    BLUE = "Blue"


def at(value: object) -> Place:
    return Place(value, "d.json", "a.b")


def test_null_counts_as_absent() -> None:
    assert at({"x": None}).child("x") is None
    assert at({}).items("x") == ()
    with pytest.raises(
        DocumentError, match=r"d\.json: at a\.b got an object, expected an object with the key 'x'"
    ):
        at({"x": None}).need("x")


def test_places_name_their_path() -> None:
    top = Place({"features": [{"x": [0, {"y": 1}]}]}, "d.json")

    assert top.items("features")[0].items("x")[1].need("y").at == "features[0].x[1].y"
    with pytest.raises(DocumentError, match="at the top got an array, expected an object"):
        Place([], "d.json").mapping()


@pytest.mark.parametrize("value", [True, "1", None, [], {}, float("nan"), 10**400])
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(DocumentError, match=r"at a\.b got .*, expected a number$"):
        at(value).number()


def test_ranges_of_numbers_are_told() -> None:
    assert (at(0).number(0, 1), at(1.0).number(0, 1), at(7).number(0)) == (0.0, 1.0, 7.0)
    with pytest.raises(DocumentError, match=r"got 1\.01, expected a number in \[0, 1\]"):
        at(1.01).number(0, 1)
    with pytest.raises(DocumentError, match=r"got -1, expected a number of at least 0"):
        at(-1).number(0)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", float("nan"), float("inf")])
def test_undefined_numbers_are_none_where_they_may_be(value: object) -> None:
    assert at(value).maybe_number() is None


def test_a_text_that_is_no_undefined_number_is_refused() -> None:
    with pytest.raises(DocumentError, match='got "nan", expected a number'):
        at("nan").maybe_number()


def test_counts_are_whole_however_they_are_spelled() -> None:
    assert (at(330).count(), at(330.0).count(), at(2**60 + 1).count()) == (330, 330, 2**60 + 1)
    for value in (1.5, -1, "3", True, None):
        with pytest.raises(DocumentError, match="expected a whole number of at least 0"):
            at(value).count()


def test_arrays_of_numbers_name_the_item_that_is_none() -> None:
    assert at([1, 2.5]).numbers() == (1.0, 2.5)
    with pytest.raises(DocumentError, match=r'at a\.b\[1\] got "x", expected a number'):
        at([1, "x", None]).numbers()
    with pytest.raises(DocumentError, match="got null, expected an array of numbers"):
        at(None).numbers()


def test_words_are_read_in_any_case_and_other_spellings() -> None:
    assert at("rED").word(Color) is Color.RED
    assert at("Azure").word(Color, {"azure": Color.BLUE}) is Color.BLUE
    for value in ("green", 3):
        with pytest.raises(DocumentError, match='expected "Red" or "Blue"'):
            at(value).word(Color)


def test_texts_flags_and_arrays_are_not_guessed() -> None:
    for value, read, expected in (
        (1, Place.text, "a text"),
        ("true", Place.flag, "true or false"),
        ("abc", Place.array, "an array"),
    ):
        with pytest.raises(DocumentError, match=f"expected {expected}"):
            read(at(value))


def test_a_copy_shares_nothing() -> None:
    original: dict[str, list[dict[str, list[int]]]] = {"a": [{"b": [1]}]}
    copy = copied(original)
    original["a"][0]["b"].append(2)

    assert copy == {"a": [{"b": [1]}]}
