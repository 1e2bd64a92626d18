"""`monitoring_config`: how the constraints of a `constraints.json` are applied."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypedDict

from watchkeep.formats.places import Place, known


class ComparisonMethod(StrEnum):
    """The distance between two numeric distributions."""

    SIMPLE = "Simple"  # largest difference of the distribution functions
    ROBUST = "Robust"  # the same, less what samples of that size show by chance


class CategoricalMethod(StrEnum):
    """The distance between two distributions of categories."""

    LINFINITY = "LInfinity"  # largest difference of shares
    CHI_SQUARED = "ChiSquared"  # Pearson's test of goodness of fit


class Switch(StrEnum):
    """How documents spell on and off."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"


OTHER_METHODS: Final = MappingProxyType(
    {
        "linf_simple": ComparisonMethod.SIMPLE,
        "linf_robust": ComparisonMethod.ROBUST,
    }
)
OVERRIDE_KEYS: Final = ("monitoringConfigOverrides", "monitoring_config_overrides")


class Settings(TypedDict, total=False):
    """The fields of `MonitoringConfig` that a document, or an override in it, sets."""

    evaluate_constraints: bool
    emit_metrics: bool
    datatype_check_threshold: float
    domain_content_threshold: float
    perform_comparison: bool
    comparison_threshold: float
    comparison_method: ComparisonMethod
    categorical_comparison_threshold: float
    categorical_drift_method: CategoricalMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringConfig:
    """How constraints are applied; the defaults are those of the files SageMaker writes.

    Args:
        evaluate_constraints: whether anything is judged.
        emit_metrics: whether metrics are published per column.
        datatype_check_threshold: smallest share of the present values that must match the type, in [0, 1].
        domain_content_threshold: smallest share of the present values that must lie in `domains`, in [0, 1].
        perform_comparison: whether distributions are compared with the baseline's.
        comparison_threshold: largest distance that is no drift, of numeric columns, >= 0.
        comparison_method: that distance.
        categorical_comparison_threshold: that limit for columns of texts; None for the same.
        categorical_drift_method: the distance of those.

    >>> MonitoringConfig(comparison_threshold=0.2).categorical_threshold
    0.2
    """

    evaluate_constraints: bool = True
    emit_metrics: bool = True
    datatype_check_threshold: float = 1.0
    domain_content_threshold: float = 1.0
    perform_comparison: bool = True
    comparison_threshold: float = 0.1
    comparison_method: ComparisonMethod = ComparisonMethod.ROBUST
    categorical_comparison_threshold: float | None = None
    categorical_drift_method: CategoricalMethod = CategoricalMethod.LINFINITY

    @property
    def categorical_threshold(self) -> float:
        """The limit for columns of texts, as it applies."""
        own = self.categorical_comparison_threshold
        return self.comparison_threshold if own is None else own

    def document(self) -> dict[str, object]:
        """The JSON object, all fields spelled out as SageMaker spells them."""
        return {
            "evaluate_constraints": _switch(self.evaluate_constraints),
            "emit_metrics": _switch(self.emit_metrics),
            "datatype_check_threshold": self.datatype_check_threshold,
            "domain_content_threshold": self.domain_content_threshold,
            "distribution_constraints": known(
                {
                    "perform_comparison": _switch(self.perform_comparison),
                    "comparison_threshold": self.comparison_threshold,
                    "comparison_method": str(self.comparison_method),
                    "categorical_comparison_threshold": self.categorical_comparison_threshold,
                    "categorical_drift_method": str(self.categorical_drift_method),
                }
            ),
        }


def settings(place: Place | None) -> Settings:
    """What an object `monitoring_config`, or an override, sets; unknown keys are passed over.

    Files of 2019 are understood: their `enable_comparisons` is `perform_comparison`, and their
    `min_domain_mass` is `domain_content_threshold` where that is not given.

    Raises:
        DocumentError: a field has a value of another kind, or out of range.

    >>> settings(Place({"evaluate_constraints": "disabled"}, "constraints.json"))
    {'evaluate_constraints': False}
    """
    found = Settings()
    if place is None:
        return found
    drift = place.child("distribution_constraints")
    if drift is not None:
        _read_drift(drift, found)
    if (child := place.child("evaluate_constraints")) is not None:
        found["evaluate_constraints"] = _on(child)
    if (child := place.child("emit_metrics")) is not None:
        found["emit_metrics"] = _on(child)
    if (child := place.child("datatype_check_threshold")) is not None:
        found["datatype_check_threshold"] = child.number(0, 1)
    if (child := place.child("domain_content_threshold")) is not None:
        found["domain_content_threshold"] = child.number(0, 1)
    return found


def overrides(feature: Place) -> Settings:
    """What one feature of a `constraints.json` sets for itself.

    The object stands in the feature, or in its `num_constraints` or `string_constraints`, under
    `monitoringConfigOverrides` or `monitoring_config_overrides`; where several set a field, the last counts.

    Raises:
        DocumentError: a field has a value of another kind, or out of range.
    """
    found = Settings()
    inner = (feature.child("num_constraints"), feature.child("string_constraints"))
    for place in (feature, *(child for child in inner if child is not None)):
        for key in OVERRIDE_KEYS:
            found |= settings(place.child(key))
    return found


def _read_drift(place: Place, found: Settings) -> None:
    for key in ("enable_comparisons", "perform_comparison"):  # the name of 2019, then today's
        if (child := place.child(key)) is not None:
            found["perform_comparison"] = _on(child)
    if (child := place.child("min_domain_mass")) is not None:
        found["domain_content_threshold"] = child.number(0, 1)
    if (child := place.child("comparison_threshold")) is not None:
        found["comparison_threshold"] = child.number(0)
    if (child := place.child("comparison_method")) is not None:
        found["comparison_method"] = child.word(ComparisonMethod, OTHER_METHODS)
    if (child := place.child("categorical_comparison_threshold")) is not None:
        found["categorical_comparison_threshold"] = child.number(0)
    if (child := place.child("categorical_drift_method")) is not None:
        found["categorical_drift_method"] = child.word(CategoricalMethod)


def _on(place: Place) -> bool:
    return place.value if isinstance(place.value, bool) else place.word(Switch) is Switch.ENABLED


def _switch(on: bool) -> str:
    return str(Switch.ENABLED if on else Switch.DISABLED)
