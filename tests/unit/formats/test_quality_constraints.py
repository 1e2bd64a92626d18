import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.constraints.constraint import Side
from watchkeep.core.errors import DocumentError
from watchkeep.core.undefined import Undefined, Value
from watchkeep.formats import json_text
from watchkeep.formats.constraints import Limit
from watchkeep.formats.quality_constraints import (
    Operator,
    QualityConstraint,
    build,
    metric_of,
    parse,
    violation,
)
from watchkeep.formats.quality_statistics import METRICS
from watchkeep.formats.violations import Violation, Violations
from watchkeep.formats.violations import parse as parse_violations
from watchkeep.monitors.model_quality.plan import Problem

LAW = settings(max_examples=60, deadline=None)
TEXT = re.compile(r"Metric (\w+) with (\S+) \+/- (\S+) was (\w+) '(\S+)'")
EVERY = sorted({name for names in METRICS.values() for name in names})
SECTION = "multiclass_classification_constraints"
numbers = st.floats(-1e9, 1e9)
values: st.SearchStrategy[Value] = numbers | st.just(Undefined("no rows"))
metrics = st.sampled_from(EVERY) | st.text(max_size=5)
unknown = st.dictionaries(
    st.text(max_size=6).map("x-".__add__), st.none() | st.integers(-9, 9) | st.text(max_size=3), max_size=2
)
constraint = st.builds(
    QualityConstraint, metrics, numbers | st.just(Undefined("no rows")), st.sampled_from(Operator), unknown
)


@LAW
@given(
    st.sampled_from(["regression", "binary_classification", "multiclass_classification"]),
    st.dictionaries(
        metrics,
        st.builds(
            lambda threshold, operator, extra: {
                **extra,
                "comparison_operator": operator,
                "threshold": threshold,
            },
            numbers | st.integers(-9, 9) | st.sampled_from(["NaN", "Infinity"]),
            st.sampled_from(["GreaterThanThreshold", "LessThanThreshold", "lessthanthreshold"]),
            unknown,
        )
        | st.none(),
        max_size=3,
    ),
    unknown,
)
def test_a_document_comes_back_as_it_came(
    prefix: str, section: dict[str, Any], beside: dict[str, Any]
) -> None:
    document = {**beside, f"{prefix}_constraints": section, "version": 0.0}
    before = json.dumps(document)

    read = parse(document)

    assert json.dumps(read.document()) == before
    assert json.dumps(json_text.loads(json_text.dumps(read.document()))) == before
    assert set(read.constraints) == {name for name, item in section.items() if item is not None}


@LAW
@given(st.sampled_from(Problem), st.lists(constraint, max_size=3, unique_by=lambda one: one.metric))
def test_what_is_written_is_read_back(problem: Problem, listed: list[QualityConstraint]) -> None:
    limit: Limit = {"measure": "brier", "at_most": 0.25, "rule": "noise", "reason": "4 standard errors"}

    back = parse(json_text.loads(json_text.dumps(build(problem, listed, limits=[limit]).document())))

    assert (back.problem, back.limits, list(back.constraints)) == (
        problem,
        (limit,),
        [one.metric for one in listed],
    )
    for one in listed:
        read = back.constraints[one.metric]
        assert (read.metric, read.operator, read.extra) == (one.metric, one.operator, one.extra)
        undefined = isinstance(one.threshold, Undefined)
        assert isinstance(read.threshold, Undefined) if undefined else read.threshold == one.threshold


def test_a_document_of_ours_is_spelled_as_published() -> None:
    extra = {"threshold": "never", "watchkeep": {"reason": "noise"}}
    listed = [
        QualityConstraint("recall", 1, Operator.LESS, extra),
        QualityConstraint("auc", Undefined("one class"), Operator.LESS),
    ]

    assert json.dumps(build(Problem.MULTICLASS, listed, extra={"note": 1}).document()) == json.dumps(
        {
            "version": 0.0,
            SECTION: {
                "recall": {
                    "threshold": 1.0,
                    "comparison_operator": "LessThanThreshold",
                    "watchkeep": {"reason": "noise"},
                },
                "auc": {"threshold": "NaN", "comparison_operator": "LessThanThreshold"},
            },
            "note": 1,
        }
    )


def test_the_bad_side_of_every_published_metric_is_the_published_one() -> None:
    greater = {"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"}  # the reference's table

    assert {name for name in EVERY if Operator.of(name) is Operator.GREATER} == greater
    assert {name: Operator.of(name).side for name in ("log_loss", "pinball_0_9", "matthews")} == {
        "log_loss": Side.AT_MOST,
        "pinball_0_9": Side.AT_MOST,
        "matthews": Side.AT_LEAST,
    }


@LAW
@given(constraint.filter(lambda one: one.metric in EVERY), values, values)
def test_the_sentence_of_a_violation_tells_its_numbers(
    one: QualityConstraint, value: Value, deviation: Value
) -> None:
    told = violation(one, value, deviation)

    found = TEXT.fullmatch(told.description)
    assert found is not None
    metric, *numbers_told, limit = (found[1], found[2], found[3], found[5])
    assert metric_of(told) == one.metric
    assert metric == told.extra["metric_name"]
    assert found[4] == told.constraint_check_type == str(one.operator)
    for text, number in zip((*numbers_told, limit), (value, deviation, one.threshold), strict=True):
        assert text == "NaN" if isinstance(number, Undefined) else float(text) == number


def test_a_violation_comes_back_and_our_fields_never_take_the_metrics_place() -> None:
    one = QualityConstraint("false_positive_rate", 0.25, Operator.GREATER)
    ours = violation(
        one, 0.5, Undefined("few rows"), extra={"metric_name": "other", "watchkeep": {"value": 0.5}}
    )

    document = json_text.loads(json_text.dumps(Violations((ours,)).document()))

    assert document == {
        "violations": [
            {
                "constraint_check_type": "GreaterThanThreshold",
                "description": "Metric falsePositiveRate with 0.5 +/- NaN was GreaterThanThreshold '0.25'",
                "metric_name": "falsePositiveRate",
                "watchkeep": {"value": 0.5},
            }
        ]
    }
    assert parse_violations(document).violations == (ours,)


def test_a_violation_of_data_quality_has_no_metric() -> None:
    assert metric_of(Violation("age", "completeness_check", "text")) is None


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "c.json: at the top got an object, expected an object with exactly one of the keys"),
        ({SECTION: []}, f"at {SECTION} got an array, expected an object"),
        ({SECTION: {"auc": 0.5}}, f"at {SECTION}.auc got 0.5, expected an object"),
        (
            {SECTION: {"auc": {}}},
            f"at {SECTION}.auc got an object, expected an object with the key 'threshold'",
        ),
        ({SECTION: {"auc": {"threshold": 1}}}, "expected an object with the key 'comparison_operator'"),
        (
            {SECTION: {"auc": {"threshold": True, "comparison_operator": "LessThanThreshold"}}},
            f"at {SECTION}.auc.threshold got true, expected a number",
        ),
        (
            {SECTION: {"auc": {"threshold": 1, "comparison_operator": "Less"}}},
            'comparison_operator got "Less", expected "GreaterThanThreshold" or "LessThanThreshold"',
        ),
        ({SECTION: {}, "watchkeep": {"constraints": [{"measure": "auc"}]}}, "'at_least' and 'at_most'"),
    ],
)
def test_what_breaks_the_schema_is_refused_with_its_path(document: dict[str, object], sentence: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(sentence)):
        parse(document, "c.json")
