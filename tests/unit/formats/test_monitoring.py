import pytest

from watchkeep.core.errors import DocumentError
from watchkeep.formats.monitoring import (
    CategoricalMethod,
    ComparisonMethod,
    MonitoringConfig,
    overrides,
    settings,
)
from watchkeep.formats.places import Place


def read(config: dict[str, object]) -> MonitoringConfig:
    return MonitoringConfig(**settings(Place(config, "constraints.json")))


def drift(**fields: object) -> MonitoringConfig:
    return read({"distribution_constraints": fields})


def test_the_defaults_are_those_of_generated_files() -> None:
    assert settings(None) == {}
    assert read({}).document() == {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
            "categorical_drift_method": "LInfinity",
        },
    }


def test_what_is_written_is_read_back() -> None:
    config = MonitoringConfig(
        evaluate_constraints=False,
        emit_metrics=False,
        datatype_check_threshold=0.9,
        domain_content_threshold=0.8,
        perform_comparison=False,
        comparison_threshold=0.3,
        comparison_method=ComparisonMethod.SIMPLE,
        categorical_comparison_threshold=0.4,
        categorical_drift_method=CategoricalMethod.CHI_SQUARED,
    )

    assert read(config.document()) == config


@pytest.mark.parametrize(
    ("spelling", "method"),
    [
        ("Simple", ComparisonMethod.SIMPLE),
        ("linf_simple", ComparisonMethod.SIMPLE),
        ("LINF_SIMPLE", ComparisonMethod.SIMPLE),
        ("robust", ComparisonMethod.ROBUST),
        ("linf_robust", ComparisonMethod.ROBUST),
    ],
)
def test_both_spellings_of_a_method_are_understood(spelling: str, method: ComparisonMethod) -> None:
    assert drift(comparison_method=spelling).comparison_method is method


@pytest.mark.parametrize(
    ("spelling", "on"),
    [("Enabled", True), ("DISABLED", False), ("disabled", False), (True, True), (False, False)],
)
def test_switches_are_understood_in_any_case_and_as_booleans(spelling: object, on: bool) -> None:
    config = read({"evaluate_constraints": spelling, "emit_metrics": spelling})

    assert (config.evaluate_constraints, config.emit_metrics) == (on, on)
    assert drift(perform_comparison=spelling).perform_comparison is on
    assert drift(enable_comparisons=spelling).perform_comparison is on


def test_todays_names_win_over_those_of_2019() -> None:
    both = read({"domain_content_threshold": 0.5, "distribution_constraints": {"min_domain_mass": 0.9}})

    assert both.domain_content_threshold == 0.5
    assert drift(min_domain_mass=0.9).domain_content_threshold == 0.9
    assert drift(perform_comparison="Enabled", enable_comparisons=False).perform_comparison


@pytest.mark.parametrize("threshold", [-0.1, "0.1", "NaN", True, []])
def test_a_threshold_that_is_none_is_refused(threshold: object) -> None:
    with pytest.raises(DocumentError, match=r"at distribution_constraints\.comparison_threshold got"):
        drift(comparison_threshold=threshold)
    with pytest.raises(
        DocumentError, match=r"at distribution_constraints\.categorical_comparison_threshold got"
    ):
        drift(categorical_comparison_threshold=threshold)


def test_a_method_that_is_none_is_refused() -> None:
    with pytest.raises(DocumentError, match='got "psi", expected "Simple" or "Robust"'):
        drift(comparison_method="psi")
    with pytest.raises(DocumentError, match='got "psi", expected "LInfinity" or "ChiSquared"'):
        drift(categorical_drift_method="psi")


@pytest.mark.parametrize("key", ["monitoringConfigOverrides", "monitoring_config_overrides"])
@pytest.mark.parametrize("box", [None, "num_constraints", "string_constraints"])
def test_overrides_are_found_in_both_spellings_at_every_place(key: str, box: str | None) -> None:
    override = {key: {"evaluate_constraints": "Disabled"}}
    feature = override if box is None else {box: override}

    assert overrides(Place(feature, "constraints.json")) == {"evaluate_constraints": False}
