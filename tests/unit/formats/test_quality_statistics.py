import json
import re
from datetime import UTC, datetime, timedelta, timezone
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.core.errors import DocumentError
from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats import json_text
from watchkeep.formats.quality_statistics import METRICS, CurvePoints, Metric, build, parse, spelled
from watchkeep.monitors.model_quality.plan import Problem
from watchkeep.stats.score_curves import Curve, roc

LAW = settings(max_examples=60, deadline=None)
PROBLEM = st.sampled_from(Problem)
numbers = st.floats(-1e9, 1e9)
values: st.SearchStrategy[Value] = numbers | st.just(Undefined("no rows"))
names = st.text("abc_", min_size=1, max_size=6)
anything = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.lists(st.integers(0, 3))
unknown = st.dictionaries(st.text(max_size=6).map("x-".__add__), anything, max_size=2)
points = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=4)
counted = st.integers(0, 10**6).map(float) | st.floats(0, 1e6)
confusions = st.dictionaries(names, st.dictionaries(names, counted, max_size=3), max_size=3)
SECTION = "binary_classification_metrics"


def curve(pairs: list[tuple[float, float]]) -> CurvePoints:
    return CurvePoints(tuple(x for x, _ in pairs), tuple(y for _, y in pairs))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents as others may write them: with keys we do not know, in any order, undefined numbers and all."""
    number = st.one_of(numbers, st.integers(-9, 9), st.sampled_from(["NaN", "Infinity", "-Infinity"]))
    problem = draw(PROBLEM)
    known = st.sampled_from(METRICS[problem])
    metric = st.builds(
        lambda value, deviation, extra: {"value": value, **deviation, **extra},
        number,
        st.fixed_dictionaries({}, optional={"standard_deviation": number | st.none()}),
        unknown,
    )
    section: dict[str, Any] = draw(st.dictionaries(known | names, metric, max_size=3)) | draw(unknown)
    if draw(st.booleans()):
        section["confusion_matrix"] = draw(confusions)
    if draw(st.booleans()):
        x = draw(st.lists(number, max_size=3))
        section["precision_recall_curve"] = {"precisions": x, "recalls": x[::-1], **draw(unknown)}
    prefix = {
        Problem.REGRESSION: "regression",
        Problem.BINARY: "binary_classification",
        Problem.MULTICLASS: "multiclass_classification",
    }[problem]
    dataset = {"item_count": draw(st.integers(0, 99)), **draw(unknown)}
    top = {"version": 0.0, "dataset": dataset, f"{prefix}_metrics": section, **draw(unknown)}
    return dict(draw(st.permutations(list(top.items()))))


@LAW
@given(documents())
def test_a_document_comes_back_as_it_came(document: dict[str, Any]) -> None:
    before = json.dumps(document)

    written = parse(document).document()

    assert json.dumps(written) == before
    assert json.dumps(json_text.loads(json_text.dumps(written))) == before


@LAW
@given(
    PROBLEM,
    st.integers(0, 10**9),
    st.data(),
    st.integers(0, 7_000_000_000_000).map(
        lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)
    ),
    st.none() | confusions,
    st.none() | points.map(curve),
)
def test_what_is_written_is_read_back(
    problem: Problem,
    rows: int,
    data: st.DataObject,
    time: datetime,
    confusion: dict[str, dict[str, float]] | None,
    drawn: CurvePoints | None,
) -> None:
    of = st.builds(Metric, values, values)
    metrics = data.draw(st.dictionaries(st.sampled_from(METRICS[problem]) | names, of, max_size=4))
    built = build(
        problem,
        rows,
        metrics,
        evaluation_time=time,
        confusion=confusion,
        roc=drawn,
        precision_recall=drawn,
        extra={"watchkeep": {"a": 1}},
    )
    back = parse(json_text.loads(json_text.dumps(built.document())))

    assert back == built
    assert (back.problem, back.item_count, back.evaluation_time) == (problem, rows, time)
    assert (back.confusion, back.roc, back.precision_recall) == (confusion, drawn, drawn)
    assert back.document()["watchkeep"] == {"a": 1}
    assert set(back.metrics) == set(metrics)
    for name, metric in metrics.items():
        for ours, theirs in (
            (metric.value, back.value(name)),
            (metric.standard_deviation, back.metrics[name].standard_deviation),
        ):
            assert isinstance(theirs, Undefined) if isinstance(ours, Undefined) else theirs == ours


def test_a_document_of_ours_is_spelled_as_published() -> None:
    built = build(
        Problem.BINARY,
        2096,
        {
            "brier": Metric(0.25, 0.5),
            "auc": Metric(nan, Undefined("fewer than 200 rows")),
            "recall": Metric(1),
        },
        evaluation_time=datetime(2024, 1, 1, 5, tzinfo=timezone(timedelta(hours=1))),
        confusion={"0": {"0": 1600.0, "1": 90.5}},
        roc=CurvePoints((0.0, 1.0), (0.0, 1.0)),
        precision_recall=CurvePoints((0.0, 1.0), (1.0, 0.5)),
        dataset={"start_time": "2024-01-01T02:00:00.000Z"},
    )

    assert json.dumps(built.document()) == json.dumps(
        {
            "version": 0.0,
            "dataset": {
                "item_count": 2096,
                "evaluation_time": "2024-01-01T04:00:00.000Z",
                "start_time": "2024-01-01T02:00:00.000Z",
            },
            SECTION: {
                "confusion_matrix": {"0": {"0": 1600, "1": 90.5}},
                "recall": {"value": 1.0, "standard_deviation": "NaN"},
                "auc": {"value": "NaN", "standard_deviation": "NaN"},
                "brier": {"value": 0.25, "standard_deviation": 0.5},
                "receiver_operating_characteristic_curve": {
                    "false_positive_rates": [0.0, 1.0],
                    "true_positive_rates": [0.0, 1.0],
                },
                "precision_recall_curve": {"recalls": [0.0, 1.0], "precisions": [1.0, 0.5]},
            },
        }
    )


@pytest.mark.parametrize("number", [nan, inf, -inf, Undefined("no rows")])
def test_a_number_that_does_not_exist_is_a_text(number: Value) -> None:
    assert spelled(number) == "NaN"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_bare_tokens_are_numbers_that_do_not_exist(word: str) -> None:
    text = f'{{"dataset": {{"item_count": 3}}, "{SECTION}": {{"auc": {{"value": {word}}}}}}}'

    read = parse(json_text.loads(text))

    assert read.value("auc") == Undefined(f'the document says "{word}" at {SECTION}.auc.value')
    assert read.metrics["auc"].standard_deviation == Undefined("no standard deviation is told")
    assert read.value("recall") == Undefined("the document tells no recall")


def test_points_of_a_curve_that_have_no_place_are_left_out() -> None:
    drawn = {"precisions": ["NaN", 1.0, 0.5], "recalls": [0.0, 0.25, 1]}

    read = parse({"dataset": {"item_count": 3}, SECTION: {"precision_recall_curve": drawn}})

    assert read.precision_recall == CurvePoints((0.25, 1.0), (1.0, 0.5))
    assert (read.roc, read.confusion, read.evaluation_time) == (None, None, None)


def test_what_stands_beside_the_metrics_is_kept_and_read_where_it_is_one() -> None:
    beside = {
        "gini": {"value": 1},
        "lift": {"value": "NaN"},
        "note": "x",
        "by": {"value": "age"},
        "on": {"value": True},
    }

    read = parse({"dataset": {"item_count": 3}, "regression_metrics": beside})

    assert set(read.metrics) == {"gini", "lift"}
    assert read.value("gini") == 1.0
    assert read.document()["regression_metrics"] == beside


def test_a_time_without_a_zone_is_utc() -> None:
    read = parse({"dataset": {"item_count": 3, "evaluation_time": "2024-01-01T04:00:00"}, SECTION: {}})

    assert read.evaluation_time == datetime(2024, 1, 1, 4, tzinfo=UTC)


def test_a_long_curve_is_thinned_for_the_document() -> None:
    rng = np.random.default_rng(3)
    long = roc(rng.integers(0, 9, 2048), rng.integers(0, 9, 2048))
    assert isinstance(long, Curve)

    short = CurvePoints.of(long)

    assert len(short.x) == len(short.y) <= 200
    assert (short.x[0], short.y[0], short.x[-1], short.y[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"auc": 0.5}, f"at {SECTION}.auc got 0.5, expected an object"),
        ({"auc": {}}, f"at {SECTION}.auc got an object, expected an object with the key 'value'"),
        ({"auc": {"value": "high"}}, f'at {SECTION}.auc.value got "high", expected a number'),
        (
            {"auc": {"value": 1, "standard_deviation": True}},
            "auc.standard_deviation got true, expected a number",
        ),
        ({"confusion_matrix": []}, f"at {SECTION}.confusion_matrix got an array, expected an object"),
        (
            {"confusion_matrix": {"0": {"1": -1}}},
            "confusion_matrix.0.1 got -1, expected a number of at least 0",
        ),
        (
            {"receiver_operating_characteristic_curve": {"false_positive_rates": [0.0]}},
            "expected an object with the key 'true_positive_rates'",
        ),
        (
            {"precision_recall_curve": {"precisions": [0.0], "recalls": []}},
            "expected as many recalls as precisions (they are 0 and 1)",
        ),
        ("x", f'at {SECTION} got "x", expected an object'),
    ],
)
def test_what_breaks_the_schema_is_refused_with_its_path(section: object, sentence: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(sentence)):
        parse({"dataset": {"item_count": 3}, SECTION: section}, "s.json")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (
            {"dataset": {"item_count": 3}},
            "s.json: at the top got an object, expected an object with exactly one of",
        ),
        (
            {"regression_metrics": {}, SECTION: {}},
            "expected an object with exactly one of the keys 'regression_metrics'",
        ),
        ({SECTION: {}}, "expected an object with the key 'dataset'"),
        (
            {SECTION: {}, "dataset": {"item_count": 1.5}},
            "at dataset.item_count got 1.5, expected a whole number",
        ),
        (
            {SECTION: {}, "dataset": {"item_count": 1}, "version": "x"},
            'at version got "x", expected a number',
        ),
        (
            {SECTION: {}, "dataset": {"item_count": 1, "evaluation_time": "noon"}},
            'at dataset.evaluation_time got "noon", expected a time such as 2024-01-01T04:13:20.193Z',
        ),
    ],
)
def test_a_document_of_no_problem_or_of_several_is_refused(
    document: dict[str, object], sentence: str
) -> None:
    with pytest.raises(DocumentError, match=re.escape(sentence)):
        parse(document, "s.json")
