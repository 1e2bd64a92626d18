"""`analysis.json` of attribution, and `out.csv` of local values (reference of the schema: SageMaker Clarify)."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from watchkeep.formats.places import Place, copied
from watchkeep.monitors.attribution.measures import Attributed
from watchkeep.monitors.attribution.plan import AttributionPlan
from watchkeep.monitors.attribution.plan import Place as Summed
from watchkeep.stats.attribution_drift import Doubles

DOCUMENT: Final = "analysis.json"
EXPLANATIONS: Final = "explanations"
LOCAL: Final = "explanations_shap/out.csv"
"""Where a folder holds local values."""
_SHAP: Final = "kernel_shap"
_PDP: Final = "pdp"
_GLOBAL: Final = "global_shap_values"
_EXPECTED: Final = "expected_value"


@dataclass(frozen=True, slots=True)
class Explanations:
    """What an `analysis.json` tells of attributions.

    Args:
        labels: of each output of the model the attribution of each feature, in the document's order.
        expected: of each output the score that contributions are counted from; None where it does not say.
        json: the object it was read from; the other fields are its reading.
    """

    labels: Mapping[str, Mapping[str, float]]
    expected: Mapping[str, float | None]
    json: Mapping[str, object] = field(repr=False)


def explanations(
    plan: AttributionPlan,
    attributed: Mapping[Summed, Attributed],
    expected: Sequence[float],
    curves: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """The `analysis.json` of some rows.

    Args:
        plan: how they were explained.
        attributed: of every place that had rows.
        expected: of each output the score that contributions are counted from.
        curves: of partial dependence, see `dependence.pdp`; nothing is said of none.
    """
    told: dict[str, object] = {}
    for label, name in enumerate(plan.labels):
        one = attributed.get(Summed(label))
        if one is not None:
            values = zip(plan.features, one.values.tolist(), strict=True)
            told[name] = {
                _GLOBAL: {feature: float(f"{value:.12g}") for feature, value in values},
                _EXPECTED: float(f"{expected[label]:.12g}"),
            }
    return {"version": "1.0", EXPLANATIONS: {_SHAP: told} | ({_PDP: list(curves)} if curves else {})}


def parse(document: Mapping[str, object], name: str = DOCUMENT) -> Explanations:
    """An `analysis.json` of attribution read and checked; its other sections are left alone.

    Args:
        document: the JSON object, as `json_text.loads` gives it.
        name: what errors call it.

    Raises:
        DocumentError: it does not follow the schema.

    >>> told = {"label0": {"global_shap_values": {"age": 0.09}, "expected_value": 0.25}}
    >>> found = parse({"explanations": {"kernel_shap": told}})
    >>> found.labels["label0"]["age"], found.expected["label0"]
    (0.09, 0.25)
    """
    top = Place(copied(document), name)
    held = top.need(EXPLANATIONS).need(_SHAP)
    labels: dict[str, dict[str, float]] = {}
    expected: dict[str, float | None] = {}
    for label in held.mapping():
        values, base = held.need(label).need(_GLOBAL), held.need(label).child(_EXPECTED)
        labels[label] = {feature: values.need(feature).number() for feature in values.mapping()}
        expected[label] = None if base is None else base.number()
    features = [tuple(one) for one in labels.values()]
    if not labels or any(set(one) != set(features[0]) for one in features):
        raise held.refuse("an object with the same features for each label")
    return Explanations(labels, expected, top.mapping())


def local_values(plan: AttributionPlan, values: Doubles) -> str:
    """Local values as `out.csv` has them: a column `<feature>_<label>` of each pair, and a line for each row.

    Args:
        plan: whose features and labels they are of.
        values: shape (rows, labels, features).

    >>> from watchkeep.frames.roles import Roles
    >>> import numpy as np
    >>> plan = AttributionPlan(roles=Roles(), features=("age",), labels=("label0",), units=((1.0,),))
    >>> local_values(plan, np.array([[[0.25]], [[-1.0]]])).split()
    ['age_label0', '0.25', '-1.0']
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(plan))
    writer.writerows([repr(value) for value in row] for row in values.reshape(len(values), -1).tolist())
    return text.getvalue()


def _columns(plan: AttributionPlan) -> Iterable[str]:
    return (f"{feature}_{label}" for label in plan.labels for feature in plan.features)
