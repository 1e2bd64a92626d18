"""Documents of the published shapes are read whole and written back as they came."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from watchkeep.formats import constraints, json_text, statistics, violations
from watchkeep.formats.monitoring import CategoricalMethod, ComparisonMethod, MonitoringConfig
from watchkeep.formats.places import InferredType

FOLDER = Path(__file__).parent / "sagemaker"
Parse = Callable[
    [Mapping[str, object]], statistics.Statistics | constraints.Constraints | violations.Violations
]


def golden(name: str) -> dict[str, object]:
    return json_text.loads((FOLDER / name).read_text(encoding="utf-8"), name)


def parser(name: str) -> Parse:
    kind = name.partition("_")[0]
    parsers: dict[str, Parse] = {
        "statistics": statistics.parse,
        "constraints": constraints.parse,
        "violations": violations.parse,
    }
    return parsers[kind]


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.glob("*.json")))
def test_a_published_document_comes_back_with_the_order_and_spelling_it_had(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    told = json.loads(text, parse_constant=str)  # the standard library's own reading

    written = parser(name)(golden(name)).document()

    assert json.dumps(written) == json.dumps(told)  # text, because 330 == 330.0 in Python
    assert json.dumps(json_text.loads(json_text.dumps(written))) == json.dumps(told)


def test_the_numbers_of_a_numeric_column_are_read() -> None:
    tenure = statistics.parse(golden("statistics_data_quality.json")).features[0]

    assert tenure.inferred_type is InferredType.INTEGRAL
    assert tenure.common == (330, 3)
    assert tenure.numeric is not None
    assert (tenure.numeric.mean, tenure.numeric.total, tenure.numeric.std) == (37.5, 12375.0, 13.25)
    assert (tenure.numeric.minimum, tenure.numeric.maximum) == (17.0, 87.0)
    assert tenure.numeric.buckets == ((17.0, 24.0, 61.0), (24.0, 87.0, 269.0))
    assert tenure.numeric.sketch == ((25.0, 38.0, 17.0), (17.0, 87.0))
    assert tenure.string is None


def test_columns_of_texts_are_read_with_and_without_their_categories() -> None:
    read = statistics.parse(golden("statistics_data_quality.json"))
    color, phone = read.feature("color"), read.feature("phone")

    assert color is not None
    assert color.string is not None
    assert (color.string.distinct, color.string.categories) == (3.0, {"red": 200, "grün": 100, "": 30})
    assert phone is not None
    assert phone.string is not None
    assert (phone.string.distinct, phone.string.categories) == (331.0, None)


def test_a_column_without_values_may_say_how_many_are_missing() -> None:
    read = statistics.parse(golden("statistics_data_quality.json"))
    notes, remarks = read.feature("notes"), read.feature("remarks")

    assert notes is not None
    assert remarks is not None
    assert (notes.common, remarks.common) == (None, (0, 333))
    assert notes.inferred_type is remarks.inferred_type is InferredType.UNKNOWN


def test_undefined_numbers_are_read_as_none_however_they_are_spelled() -> None:
    score = statistics.parse(golden("statistics_bare_tokens.json")).features[0].numeric

    assert score is not None
    assert (score.mean, score.total, score.std, score.minimum, score.maximum) == (None, 0.0, None, None, None)


def test_statistics_of_model_quality_have_rows_and_no_columns() -> None:
    read = statistics.parse(golden("statistics_model_quality.json"))

    assert (read.item_count, read.features) == (2096, ())


def test_constraints_of_data_quality_are_read() -> None:
    read = constraints.parse(golden("constraints_data_quality.json"))
    tenure, balance, color, phone, notes = read.features

    assert (tenure.inferred_type, tenure.completeness, tenure.is_non_negative) == ("Integral", 1.0, True)
    assert (balance.is_non_negative, color.is_non_negative) == (False, None)
    assert (color.domains, phone.domains) == (("red", "grün", ""), None)
    assert (notes.inferred_type, notes.completeness) == ("Unknown", 0.0)
    assert read.config == MonitoringConfig(categorical_comparison_threshold=0.25)
    assert read.config_for("color") == read.config_for("a column it lacks") == read.config


def test_constraints_of_2019_are_read() -> None:
    config = constraints.parse(golden("constraints_2019.json")).config

    assert config == MonitoringConfig(
        datatype_check_threshold=0.75,
        domain_content_threshold=0.9,
        perform_comparison=False,
        comparison_threshold=1.0,
    )


def test_a_column_overrides_the_config_in_both_spellings_and_at_every_place() -> None:
    read = constraints.parse(golden("constraints_overrides.json"))
    whole = MonitoringConfig(
        datatype_check_threshold=0.95, categorical_drift_method=CategoricalMethod.CHI_SQUARED
    )

    assert read.config == read.config_for("phone") == whole
    tenure, color, charge = map(read.config_for, ("tenure", "color", "charge"))
    assert (tenure.datatype_check_threshold, tenure.comparison_threshold) == (0.8, 0.3)
    assert (tenure.comparison_method, tenure.categorical_threshold) == (ComparisonMethod.SIMPLE, 0.3)
    assert tenure.categorical_drift_method is CategoricalMethod.CHI_SQUARED
    assert (color.evaluate_constraints, color.datatype_check_threshold) == (False, 0.95)
    assert (charge.emit_metrics, charge.datatype_check_threshold) == (False, 0.6)


def test_our_own_limits_stand_beside_theirs() -> None:
    read = constraints.parse(golden("constraints_overrides.json"))
    charge = read.feature("charge")

    assert charge is not None
    assert charge.completeness is None
    assert charge.limits == (
        {
            "measure": "outliers",
            "at_most": 0.01,
            "rule": "quantile",
            "reason": "seen in 99 of 100 days",
            "evidence": {"rows": 1200, "days": [100]},
        },
        {"measure": "mean", "at_least": 3.0},
    )
    assert read.limits == ({"measure": "row_count", "at_least": 500.0},)


def test_violations_are_read_with_and_without_a_column() -> None:
    data = violations.parse(golden("violations_data_quality.json"))
    model = violations.parse(golden("violations_model_quality.json")).violations[0]

    assert [v.feature_name for v in data.violations] == ["tenure", "charge", "color", "tenure"]
    assert data.violations[3].extra == {"watchkeep": {"value": 0.1578947368421053, "limit": 0.1}}
    assert data.extra == {"window": {"start": "2024-01-01T02:00:00Z"}}
    assert (model.feature_name, model.extra) == (None, {"metric_name": "precision"})


def test_our_sentences_are_those_of_the_published_violations() -> None:
    told = [v.description for v in violations.parse(golden("violations_data_quality.json")).violations]

    assert told == [
        violations.data_type_text("Integral", 1.0, 1912 / 1919),
        violations.completeness_text(0.98),
        violations.categorical_text(0.75),
        violations.drift_text(0.1578947368421053, 0.1),
    ]
