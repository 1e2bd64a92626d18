import json
from math import inf, nan

import numpy as np
import pytest

from watchkeep.core.errors import DocumentError
from watchkeep.core.undefined import Undefined
from watchkeep.formats import json_text, kll
from watchkeep.formats.places import InferredType
from watchkeep.formats.statistics import (
    Feature,
    build,
    numeric_feature,
    parse,
    string_feature,
    unknown_feature,
)


def age() -> Feature:
    values, counts = np.array([10.0, 25.0, 30.0]), np.array([1, 2, 1])
    return numeric_feature(
        "age",
        InferredType.INTEGRAL,
        present=4,
        missing=1,
        mean=22.5,
        total=90.0,
        std=7.5,
        minimum=10.0,
        maximum=30.0,
        buckets=kll.equal_width_buckets(values, counts, 10.0, 30.0, buckets=2),
        sketch_levels=kll.levels(values, counts),
    )


def test_a_numeric_column_of_ours_is_spelled_as_published() -> None:
    assert json.dumps(age().document()) == json.dumps(
        {
            "name": "age",
            "inferred_type": "Integral",
            "numerical_statistics": {
                "common": {"num_present": 4, "num_missing": 1},
                "mean": 22.5,
                "sum": 90.0,
                "std_dev": 7.5,
                "min": 10.0,
                "max": 30.0,
                "distribution": {
                    "kll": {
                        "buckets": [
                            {"lower_bound": 10.0, "upper_bound": 20.0, "count": 1.0},
                            {"lower_bound": 20.0, "upper_bound": 30.0, "count": 3.0},
                        ],
                        "sketch": {
                            "parameters": {"c": 0.64, "k": 2048.0},
                            "data": [[10.0, 25.0, 25.0, 30.0]],
                        },
                    }
                },
            },
        }
    )


def test_a_column_of_texts_of_ours_is_spelled_as_published() -> None:
    color = string_feature("color", present=3, missing=0, distinct=2, categories={"red": 2, "blue": 1})
    phone = string_feature("phone", present=3, missing=0, distinct=3, categories=None)

    assert json.dumps(color.document()["string_statistics"]) == json.dumps(
        {
            "common": {"num_present": 3, "num_missing": 0},
            "distinct_count": 2.0,
            "distribution": {
                "categorical": {"buckets": [{"value": "red", "count": 2}, {"value": "blue", "count": 1}]}
            },
        }
    )
    assert phone.string is not None
    assert phone.string.categories is None


def test_undefined_numbers_are_left_out() -> None:
    column = numeric_feature(
        "age",
        InferredType.FRACTIONAL,
        present=0,
        missing=5,
        mean=Undefined("mean needs 1 value, has 0"),
        total=inf,
        std=nan,
        minimum=None,
        maximum=-0.5,
    )

    assert column.document()["numerical_statistics"] == {
        "common": {"num_present": 0, "num_missing": 5},
        "max": -0.5,
    }
    assert column.numeric is not None
    assert (column.numeric.mean, column.numeric.total, column.numeric.maximum) == (None, None, -0.5)


def test_a_whole_document_of_ours_is_read_back() -> None:
    columns = [age(), unknown_feature("notes", present=0, missing=5)]

    ours = build(
        5, columns, dataset={"evaluation_time": "2024-01-01T00:00:00Z"}, extra={"watchkeep": {"v": 1}}
    )
    back = parse(json_text.loads(json_text.dumps(ours.document())))

    assert back == ours
    assert list(ours.document()) == ["version", "dataset", "features", "watchkeep"]
    assert (back.version, back.item_count, back.feature("age"), back.feature("x")) == (0.0, 5, age(), None)
    assert back.features[1].common == (0, 5)


def test_neither_the_given_nor_the_written_document_is_shared() -> None:
    given: dict[str, dict[str, int]] = {"dataset": {"item_count": 1}}
    read = parse(given)
    given["dataset"]["item_count"] = 2
    read.document().clear()

    assert read.document() == {"dataset": {"item_count": 1}}


def column(**changes: object) -> dict[str, object]:
    numbers = {"common": {"num_present": 1, "num_missing": 0}, **changes}
    feature = {"name": "age", "inferred_type": "Integral", "numerical_statistics": numbers}
    return {"dataset": {"item_count": 1}, "features": [feature]}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "the top got an object, expected an object with the key 'dataset'"),
        ({"dataset": {"item_count": -1}}, "dataset.item_count got -1, expected a whole number of at least 0"),
        ({"dataset": {"item_count": 1}, "features": {}}, "features got an object, expected an array"),
        ({"dataset": {"item_count": 1}, "features": [3]}, "features[0] got 3, expected an object"),
        (
            {"dataset": {"item_count": 1}, "features": [{"name": "age", "inferred_type": "Boolean"}]},
            'at features[0].inferred_type got "Boolean", expected "Integral" or "Fractional" or "String" or',
        ),
        (
            {"dataset": {"item_count": 1}, "features": [{"name": "a", "inferred_type": "String"}] * 2},
            'features[1].name got "a", expected a name that no feature before it has',
        ),
        (column(mean="high"), 'features[0].numerical_statistics.mean got "high", expected a number'),
        (
            column(common={"num_present": 1}),
            "numerical_statistics.common got an object, expected an object with the key 'num_missing'",
        ),
        (
            column(distribution={"kll": {"sketch": {"data": [[1.0], [None]]}}}),
            "features[0].numerical_statistics.distribution.kll.sketch.data[1][0] got null, expected a number",
        ),
        (
            column(distribution={"kll": {"buckets": [{"lower_bound": 0, "upper_bound": 1, "count": -1}]}}),
            "kll.buckets[0].count got -1, expected a number of at least 0",
        ),
    ],
)
def test_what_breaks_the_schema_is_refused_with_its_path(document: dict[str, object], sentence: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(document, "base/statistics.json")

    assert str(caught.value).startswith("base/statistics.json: at ")
    assert sentence in str(caught.value)


def test_a_category_listed_twice_counts_together() -> None:
    buckets = [{"value": "a", "count": 2}, {"value": "b", "count": 1}, {"value": "a", "count": 3}]
    texts = {"distribution": {"categorical": {"buckets": buckets}}}
    feature = {"name": "x", "inferred_type": "String", "string_statistics": texts}

    read = parse({"dataset": {"item_count": 6}, "features": [feature]}).features[0].string

    assert read is not None
    assert (read.categories, read.distinct, read.common) == ({"a": 5, "b": 1}, None, None)
