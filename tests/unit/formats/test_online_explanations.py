import json
from typing import Any

import pytest

from watchkeep.core.undefined import Undefined
from watchkeep.formats.online_explanations import (
    NO_ANSWER,
    NOT_EXPLAINED,
    SEVERAL,
    UNREADABLE,
    Answered,
    explains,
    read_answer,
    record_answers,
)


def body(records: object, data: str = "0.6\n", **more: object) -> dict[str, Any]:
    return {
        "version": "1.0",
        "predictions": {"content_type": "text/csv", "data": data},
        "explanations": {"kernel_shap": records},
        **more,
    }


def part(*attribution: float, name: str | None = "age") -> dict[str, Any]:
    told: dict[str, Any] = {"attributions": [{"attribution": list(attribution)}]}
    return told if name is None else told | {"feature_header": name}


def test_an_answer_tells_features_labels_values_and_scores() -> None:
    shap = [[part(0.5, -0.5), part(0.25, -0.25, name="income")]]
    told = read_answer(json.dumps(body(shap, "0.9,0.1", label_headers=["yes", "no"])))

    assert isinstance(told, Answered)
    assert (told.features, told.labels, told.scores) == (("age", "income"), ("yes", "no"), (0.9, 0.1))
    assert told.values.tolist() == [[0.5, 0.25], [-0.5, -0.25]]


def test_what_an_answer_does_not_name_is_called_by_its_place() -> None:
    told = read_answer(json.dumps(body([[part(0.5, name=None), part(0.25, name=None)]])))

    assert isinstance(told, Answered)
    assert (told.features, told.labels) == (("feature0", "feature1"), ())


def test_the_parts_of_a_text_are_added_up() -> None:
    text = {"feature_header": "note", "attributions": [{"attribution": [0.5]}, {"attribution": [-0.125]}]}
    told = read_answer(json.dumps(body([[text, part(1.0)]])))

    assert isinstance(told, Answered)
    assert told.values.tolist() == [[0.375, 1.0]]


@pytest.mark.parametrize(
    ("data", "scores"),
    [
        ("0.6\n", (0.6,)),
        ('{"score": 0.6}', (0.6,)),
        ('{"score": "0.6", "class": "yes"}', (0.6,)),
        ("[0.6]", (0.6,)),
        ("1,0.6", ()),
        ("yes", ()),
        ("nan", ()),
    ],
)
def test_scores_are_told_where_there_are_as_many_as_labels(data: str, scores: tuple[float, ...]) -> None:
    told = read_answer(json.dumps(body([[part(0.5)]], data)))

    assert isinstance(told, Answered)
    assert told.scores == scores


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, NO_ANSWER),
        (" ", NO_ANSWER),
        (7, NO_ANSWER),
        ("0.6", UNREADABLE),
        ("{", UNREADABLE),
        ("[" * 100_000, UNREADABLE),
        ('{"predictions": {}}', UNREADABLE),
        ('{"explanations": {}}', NOT_EXPLAINED),
        (json.dumps(body([None])), NOT_EXPLAINED),
        (json.dumps(body([])), NOT_EXPLAINED),
        (json.dumps(body([[part(0.5)], None])), SEVERAL),
        (json.dumps(body("x")), UNREADABLE),
        (json.dumps(body([[]])), UNREADABLE),
        (json.dumps(body([[part(0.5), part(0.5)]])), UNREADABLE),
        (json.dumps(body([[part(0.5), part(0.5, 0.5, name="b")]])), UNREADABLE),
        (json.dumps(body([[{"feature_header": "age", "attributions": []}]])), UNREADABLE),
        (
            json.dumps(body([[{"feature_header": "age", "attributions": [{"attribution": ["x"]}]}]])),
            UNREADABLE,
        ),
        (json.dumps(body([[{"feature_header": "age", "attributions": [{}]}]])), UNREADABLE),
        (json.dumps(body([[part(float("nan"))]])), UNREADABLE),
    ],
)
def test_an_answer_without_attributions_says_why(text: object, why: Undefined) -> None:
    assert read_answer(text) == why


def test_answers_about_several_records_are_parted_and_stay_answers() -> None:
    whole = body([[part(0.5)], None, [part(0.25)]], "1\n2\n3\n", label_headers=["p"])
    texts = record_answers(whole, ["1", "2", "3"])

    assert explains(whole)
    assert texts is not None
    assert all(explains(json.loads(text)) for text in texts)
    told = [read_answer(text) for text in texts]
    assert told[1] == NOT_EXPLAINED
    assert [one.values.tolist() for one in told if isinstance(one, Answered)] == [[[0.5]], [[0.25]]]
    assert [one.scores for one in told if isinstance(one, Answered)] == [(1.0,), (3.0,)]
    assert record_answers(whole, ["1", "2"]) is None


@pytest.mark.parametrize("other", [[], {"predictions": [0.5]}, {"explanations": {}}, None, "x"])
def test_other_bodies_are_no_such_answers(other: object) -> None:
    assert not explains(other)
