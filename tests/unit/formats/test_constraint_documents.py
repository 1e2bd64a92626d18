import pytest

from watchkeep.core.errors import DocumentError
from watchkeep.formats import json_text
from watchkeep.formats.constraints import Limit, build, feature_constraints, parse
from watchkeep.formats.monitoring import MonitoringConfig
from watchkeep.formats.places import InferredType

OUTLIERS: Limit = {
    "measure": "outliers",
    "at_most": 0.01,
    "rule": "quantile",
    "reason": "was 0.004",
    "evidence": {"rows": 10},
}


def test_constraints_of_ours_are_spelled_as_published() -> None:
    age = feature_constraints("age", InferredType.INTEGRAL, completeness=1.0, is_non_negative=True)
    color = feature_constraints(
        "color", InferredType.STRING, completeness=0.99, domains=("red",), limits=[OUTLIERS]
    )
    notes = feature_constraints("notes", InferredType.UNKNOWN, completeness=None)

    assert age.document() == {
        "name": "age",
        "inferred_type": "Integral",
        "completeness": 1.0,
        "num_constraints": {"is_non_negative": True},
    }
    assert color.document() == {
        "name": "color",
        "inferred_type": "String",
        "completeness": 0.99,
        "string_constraints": {"domains": ["red"]},
        "watchkeep": {"constraints": [OUTLIERS]},
    }
    assert notes.document() == {"name": "notes", "inferred_type": "Unknown"}


def test_a_whole_document_of_ours_is_read_back() -> None:
    config = MonitoringConfig(evaluate_constraints=False, comparison_threshold=0.2)
    color = feature_constraints("color", InferredType.STRING, completeness=0.5, limits=[OUTLIERS])

    ours = build(
        [color], config=config, limits=[{"measure": "row_count", "at_least": 5.0}], extra={"by": "us"}
    )
    back = parse(json_text.loads(json_text.dumps(ours.document())))

    assert back == ours
    assert (back.config, back.limits) == (config, ({"measure": "row_count", "at_least": 5.0},))
    assert (back.feature("color"), back.feature("x")) == (color, None)
    assert color.limits == (OUTLIERS,)
    assert list(ours.document()) == ["version", "features", "monitoring_config", "watchkeep", "by"]


def test_a_document_without_our_limits_has_no_key_of_ours() -> None:
    assert list(build([]).document()) == ["version", "features", "monitoring_config"]


def test_a_part_of_ours_out_of_range_is_refused() -> None:
    with pytest.raises(
        DocumentError, match=r"at the feature 'age'\.completeness got 1\.5, expected a number in"
    ):
        feature_constraints("age", InferredType.INTEGRAL, completeness=1.5)


def one(**changes: object) -> dict[str, object]:
    plain = [{"name": f"x{i}"} for i in range(3)]
    return {"features": [*plain, {"name": "age", **changes}]}


def ours(*limits: object) -> dict[str, object]:
    return {"watchkeep": {"constraints": list(limits)}}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (one(completeness="high"), 'at features[3].completeness got "high", expected a number in [0, 1]'),
        (one(completeness=True), "at features[3].completeness got true, expected a number in [0, 1]"),
        (one(inferred_type="int"), 'at features[3].inferred_type got "int", expected "Integral" or'),
        (
            one(num_constraints={"is_non_negative": "yes"}),
            'at features[3].num_constraints.is_non_negative got "yes", expected true or false',
        ),
        (
            one(string_constraints={"domains": ["a", 1]}),
            "at features[3].string_constraints.domains[1] got 1, expected a text",
        ),
        (
            one(num_constraints={"monitoringConfigOverrides": {"emit_metrics": 1}}),
            'at features[3].num_constraints.monitoringConfigOverrides.emit_metrics got 1, expected "Enabled"',
        ),
        (
            {"features": [{"inferred_type": "String"}]},
            "at features[0] got an object, expected an object with the key",
        ),
        (
            {"features": [{"name": "a"}, {"name": "a"}]},
            'at features[1].name got "a", expected a name that no',
        ),
        (
            {"monitoring_config": {"datatype_check_threshold": 1.5}},
            "at monitoring_config.datatype_check_threshold got 1.5, expected a number in [0, 1]",
        ),
        (ours(3), "at watchkeep.constraints[0] got 3, expected an object"),
        (ours({"at_most": 1}), "expected an object with the key 'measure'"),
        (
            ours({"measure": "psi"}),
            "expected an object with exactly one of the keys 'at_least' and 'at_most'",
        ),
        (ours({"measure": "psi", "at_most": 1, "at_least": 0}), "with exactly one of the keys"),
        (
            ours({"measure": "psi", "atmost": 1}),
            "expected an object without the key 'atmost'; its keys are measure",
        ),
        (
            ours({"measure": "psi", "at_most": "1"}),
            'at watchkeep.constraints[0].at_most got "1", expected a number',
        ),
        (ours({"measure": "psi", "at_least": "NaN"}), 'at_least got "NaN", expected a number'),
        (ours({"measure": "psi", "at_most": 1, "evidence": []}), "evidence got an array, expected an object"),
        (one(**ours({"measure": 1, "at_most": 1})), "at features[3].watchkeep.constraints[0].measure got 1"),
    ],
)
def test_what_breaks_the_schema_is_refused_with_its_path(document: dict[str, object], sentence: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse(document, "mine.json")

    assert str(caught.value).startswith("mine.json: at ")
    assert sentence in str(caught.value)
