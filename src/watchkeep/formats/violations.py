"""`constraint_violations.json`: which constraints were not kept (reference: SageMaker Model Monitor)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf, isnan
from typing import Final, Self

from watchkeep.formats.places import Place, copied, known

DOCUMENT: Final = "constraint_violations.json"

DATA_TYPE_CHECK: Final = "data_type_check"
COMPLETENESS_CHECK: Final = "completeness_check"
CATEGORICAL_VALUES_CHECK: Final = "categorical_values_check"
BASELINE_DRIFT_CHECK: Final = "baseline_drift_check"
MISSING_COLUMN_CHECK: Final = "missing_column_check"
EXTRA_COLUMN_CHECK: Final = "extra_column_check"

_KEYS: Final = ("feature_name", "constraint_check_type", "description")


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that was not kept.

    Args:
        feature_name: the column; None where the document names none (model quality names a metric).
        constraint_check_type: the check, such as `DATA_TYPE_CHECK`.
        description: the sentence, made by the functions of this module where tools parse it.
        extra: all other keys: those we do not know, and our structured fields.

    >>> Violation("age", COMPLETENESS_CHECK, completeness_text(0.5)).document()["description"]
    'Value: 0.5 does not meet the constraint requirement!'
    """

    feature_name: str | None
    constraint_check_type: str
    description: str
    extra: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, place: Place) -> Self:
        """From one item of the array `violations`."""
        feature = place.child("feature_name")
        return cls(
            None if feature is None else feature.text(),
            place.need("constraint_check_type").text(),
            place.need("description").text(),
            {key: item for key, item in place.mapping().items() if item is None or key not in _KEYS},
        )

    def document(self) -> dict[str, object]:
        """The JSON object; the three known keys come first."""
        own = known({key: getattr(self, key) for key in _KEYS})
        return own | {key: item for key, item in copied(self.extra).items() if key not in own}


@dataclass(frozen=True, slots=True)
class Violations:
    """A whole `constraint_violations.json`; without violations it is written all the same.

    Args:
        violations: in the document's order.
        extra: all other keys of the top.

    >>> Violations().document()
    {'violations': []}
    """

    violations: tuple[Violation, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The JSON object."""
        extra = {key: item for key, item in copied(self.extra).items() if key != "violations"}
        return {"violations": [violation.document() for violation in self.violations], **extra}


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> Violations:
    """A `constraint_violations.json` read and checked.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.

    >>> parse({"violations": []})
    Violations(violations=(), extra={})
    """
    top = Place(copied(document), name)
    listed = tuple(Violation.read(place) for place in top.need("violations").array())
    return Violations(listed, {key: item for key, item in top.mapping().items() if key != "violations"})


def data_type_text(expected: str, threshold: float, observed_ratio: float) -> str:
    """The sentence of `DATA_TYPE_CHECK`.

    Args:
        expected: the type, such as Integral.
        threshold: smallest share of the present values that must match, in [0, 1].
        observed_ratio: the share that does, in [0, 1].

    >>> data_type_text("Integral", 1.0, 0.75).partition("Observed: ")[2]
    'Only 75.0% of data is Integral.'
    """
    return (
        f"Data type match requirement is not met. Expected data type: {expected}, "
        f"Expected match: {double(threshold * 100)}%. "
        f"Observed: Only {double(observed_ratio * 100)}% of data is {expected}."
    )


def completeness_text(ratio: float) -> str:
    """The sentence of `COMPLETENESS_CHECK`, of the share of rows that hold a value, in [0, 1]."""
    return f"Value: {double(ratio)} does not meet the constraint requirement!"


def categorical_text(ratio: float) -> str:
    """The sentence of `CATEGORICAL_VALUES_CHECK`, of the share of values inside the domain, in [0, 1]."""
    return f"Value: {double(ratio)} does not meet the constraint requirement!"


def drift_text(distance: float, threshold: float) -> str:
    """The sentence of `BASELINE_DRIFT_CHECK`.

    >>> drift_text(0.24, 0.1)
    'Baseline drift distance: 0.24 exceeds threshold: 0.1'
    """
    return f"Baseline drift distance: {double(distance)} exceeds threshold: {double(threshold)}"


def missing_text(column: str) -> str:
    """The sentence of `MISSING_COLUMN_CHECK`."""
    return f"Column {column!r} of the baseline is missing from the current data."


def extra_text(column: str) -> str:
    """The sentence of `EXTRA_COLUMN_CHECK`."""
    return f"Column {column!r} of the current data is not in the baseline."


def double(number: float) -> str:
    """A number as SageMaker's files spell doubles in texts (Java's `Double.toString`).

    >>> [double(x) for x in (100, 0.98, 0.00025, 12345678.0, -0.0)]
    ['100.0', '0.98', '2.5E-4', '1.2345678E7', '-0.0']
    """
    number = float(number)
    if isnan(number):
        return "NaN"
    if abs(number) == inf:
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    fraction = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{fraction}E{int(exponent) + len(digits) - 1}"
