"""`constraints.json`: what the columns must keep to (reference of the schema: SageMaker Model Monitor)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Required, Self, TypedDict

from watchkeep.formats.monitoring import MonitoringConfig, Settings, overrides, settings
from watchkeep.formats.places import InferredType, Place, copied, known, unique

DOCUMENT: Final = "constraints.json"
OURS: Final = "watchkeep"
"""The key our own limits stand under, in a feature and at the top."""


class Limit(TypedDict, total=False):
    """One constraint of ours: the measure, one of the two sides with a number, and where it comes from."""

    measure: Required[str]
    at_least: float
    at_most: float
    rule: str
    reason: str
    evidence: dict[str, object]


_LIMIT_KEYS: Final = ("measure", "at_least", "at_most", "rule", "reason", "evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureConstraints:
    """What one column must keep to. What the document does not ask for is None.

    Args:
        name: the column.
        inferred_type: what its values must look like.
        completeness: smallest share of rows that must hold a value, in [0, 1].
        is_non_negative: whether its numbers must be >= 0.
        domains: the values that its texts must be of.
        limits: our own constraints.
        settings: what the column sets otherwise than `monitoring_config`.
        json: the object it was read from; the other fields are its reading.
    """

    name: str
    inferred_type: InferredType | None
    completeness: float | None
    is_non_negative: bool | None
    domains: tuple[str, ...] | None
    limits: tuple[Limit, ...]
    settings: Settings
    json: Mapping[str, object] = field(repr=False)

    @classmethod
    def read(cls, place: Place) -> Self:
        """From one item of the array `features`."""
        numbers, texts = place.child("num_constraints"), place.child("string_constraints")
        inferred, completeness = place.child("inferred_type"), place.child("completeness")
        non_negative = None if numbers is None else numbers.child("is_non_negative")
        domains = None if texts is None else texts.child("domains")
        return cls(
            name=place.need("name").text(),
            inferred_type=None if inferred is None else inferred.word(InferredType),
            completeness=None if completeness is None else completeness.number(0, 1),
            is_non_negative=None if non_negative is None else non_negative.flag(),
            domains=None if domains is None else tuple(value.text() for value in domains.array()),
            limits=_limits(place),
            settings=overrides(place),
            json=place.mapping(),
        )

    def document(self) -> dict[str, object]:
        """The JSON object: the one it was read from, unknown keys and all."""
        return copied(self.json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """A whole `constraints.json`.

    Args:
        version: of the schema; None when the document does not say.
        features: the columns, in the document's order; empty for a model-quality document.
        config: how the constraints are applied, unless a column says otherwise (see `config_for`).
        limits: our own constraints on all the rows.
        json: the object it was read from; the other fields are its reading.
    """

    version: float | None
    features: tuple[FeatureConstraints, ...]
    config: MonitoringConfig
    limits: tuple[Limit, ...]
    json: Mapping[str, object] = field(repr=False)

    def feature(self, name: str) -> FeatureConstraints | None:
        """The column of that name; None when there is none."""
        return next((feature for feature in self.features if feature.name == name), None)

    def config_for(self, feature_name: str) -> MonitoringConfig:
        """How the constraints of one column are applied; of a column not named here: as all are."""
        feature = self.feature(feature_name)
        return self.config if feature is None else replace(self.config, **feature.settings)

    def document(self) -> dict[str, object]:
        """The JSON object: equal to the one parsed, unknown keys and spelling of numbers included."""
        return copied(self.json)


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> Constraints:
    """A `constraints.json` read and checked.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.

    >>> age = {"name": "age", "inferred_type": "Integral", "completeness": 1.0,
    ...        "monitoringConfigOverrides": {"datatype_check_threshold": 0.9}}
    >>> constraints = parse({"version": 0.0, "features": [age]})
    >>> constraints.config_for("age").datatype_check_threshold, constraints.config.datatype_check_threshold
    (0.9, 1.0)
    """
    top = Place(copied(document), name)
    version = top.child("version")
    places = top.items("features")
    unique(tuple(place.need("name") for place in places))
    return Constraints(
        version=None if version is None else version.number(),
        features=tuple(FeatureConstraints.read(place) for place in places),
        config=replace(MonitoringConfig(), **settings(top.child("monitoring_config"))),
        limits=_limits(top),
        json=top.mapping(),
    )


def feature_constraints(
    name: str,
    inferred_type: InferredType,
    *,
    completeness: float | None,
    is_non_negative: bool | None = None,
    domains: Iterable[str] | None = None,
    limits: Iterable[Limit] = (),
) -> FeatureConstraints:
    """What one column must keep to, from parts; a part that is None is left out.

    Raises:
        DocumentError: a part has a value the schema does not allow.

    >>> color = feature_constraints("color", InferredType.STRING, completeness=0.99, domains=["red", "blue"])
    >>> color.document()["string_constraints"]
    {'domains': ['red', 'blue']}
    """
    json = known(
        {
            "name": name,
            "inferred_type": str(inferred_type),
            "completeness": completeness,
            "num_constraints": None if is_non_negative is None else {"is_non_negative": is_non_negative},
            "string_constraints": None if domains is None else {"domains": list(domains)},
            OURS: _ours(limits),
        }
    )
    return FeatureConstraints.read(Place(json, DOCUMENT, f"the feature {name!r}"))


def build(
    features: Iterable[FeatureConstraints],
    *,
    config: MonitoringConfig | None = None,
    limits: Iterable[Limit] = (),
    extra: Mapping[str, object] | None = None,
) -> Constraints:
    """A `constraints.json` of ours.

    Args:
        features: the columns.
        config: how the constraints are applied; None for the defaults.
        limits: our own constraints on all the rows.
        extra: more keys for the top.

    >>> build([], limits=[{"measure": "row_count", "at_least": 100.0}]).limits
    ({'measure': 'row_count', 'at_least': 100.0},)
    """
    return parse(
        {
            "version": 0.0,
            "features": [feature.document() for feature in features],
            "monitoring_config": (config or MonitoringConfig()).document(),
            **known({OURS: _ours(limits)}),
            **(extra or {}),
        }
    )


def _ours(limits: Iterable[Limit]) -> dict[str, object] | None:
    listed = [dict(limit) for limit in limits]
    return {"constraints": listed} if listed else None


def _limits(place: Place) -> tuple[Limit, ...]:
    ours = place.child(OURS)
    return () if ours is None else tuple(_limit(item) for item in ours.items("constraints"))


def _limit(place: Place) -> Limit:
    for key in place.mapping():
        if key not in _LIMIT_KEYS:
            raise place.refuse(f"an object without the key {key!r}; its keys are {', '.join(_LIMIT_KEYS)}")
    limit = Limit(measure=place.need("measure").text())
    if (child := place.child("at_least")) is not None:
        limit["at_least"] = child.number()
    if (child := place.child("at_most")) is not None:
        limit["at_most"] = child.number()
    if ("at_least" in limit) == ("at_most" in limit):
        raise place.refuse("an object with exactly one of the keys 'at_least' and 'at_most'")
    if (child := place.child("rule")) is not None:
        limit["rule"] = child.text()
    if (child := place.child("reason")) is not None:
        limit["reason"] = child.text()
    if (child := place.child("evidence")) is not None:
        limit["evidence"] = copied(child.mapping())
    return limit
