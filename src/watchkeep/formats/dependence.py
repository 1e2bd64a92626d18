"""Partial dependence in documents: the list `pdp` of SageMaker Clarify's `analysis.json`, and our own of both sides."""

from collections.abc import Mapping, Sequence

import numpy as np

from watchkeep.core.undefined import Undefined
from watchkeep.monitors.attribution.dependence import Category, Curve, Dependence
from watchkeep.stats.attribution_drift import Doubles

NUMERICAL = "numerical"


def pdp(told: Sequence[Dependence], labels: Sequence[str], *, window: bool) -> list[dict[str, object]]:
    """The curves of a window, or of a baseline, as `explanations.pdp` lists them.

    Args:
        told: of each feature.
        labels: what the model's outputs are called.
        window: whose curves.
    """
    return [_head(one) | _curve(one, one.window if window else one.baseline, labels) for one in told]


def dependence_document(told: Sequence[Dependence], labels: Sequence[str]) -> list[dict[str, object]]:
    """What a report says under `attribution.dependence`: the baseline's curves, and under `window` the window's.

    A curve that there is none of is an `error`, as in SageMaker's list; what is left is told all the same.
    """
    listed = pdp(told, labels, window=False)
    for one, document in zip(told, listed, strict=True):
        if isinstance(one.baseline, Curve):
            document["rows"] = one.baseline.rows
        if one.window is not None:
            curve = _curve(one, one.window, ())
            curve.pop("feature_values", None)
            document["window"] = curve | {"rows": one.window.rows} if isinstance(one.window, Curve) else curve
            if isinstance(one.window, Curve) and "feature_values" not in document:
                document["feature_values"] = list(one.values)
    return listed


def _head(one: Dependence) -> dict[str, object]:
    return {"feature_name": one.feature, "data_type": NUMERICAL if one.numerical else "categorical"}


def _curve(one: Dependence, curve: Curve | Undefined | None, labels: Sequence[str]) -> dict[str, object]:
    if not isinstance(curve, Curve):
        return {"error": "no window is compared" if curve is None else curve.why}
    told: dict[str, object] = {
        "feature_values": list(one.values),
        "model_predictions": [_numbers(line) for line in curve.predictions],
        "data_distribution": _numbers(curve.distribution),
    }
    return told | ({"label_headers": list(labels)} if labels else {})


def parse_dependence(listed: object) -> tuple[Dependence, ...]:
    """The baseline's curves out of the list that `dependence_document` made.

    Raises:
        TypeError, KeyError, ValueError: it is damaged.

    >>> parse_dependence([{"feature_name": "age", "data_type": "numerical", "error": "nobody answers"}])[0].baseline
    Undefined(why='nobody answers')
    """
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise TypeError("the curves are no list of objects")
    return tuple(_parsed(one) for one in listed)


def _parsed(told: Mapping[str, object]) -> Dependence:
    values = told.get("feature_values", [])
    if not isinstance(values, list):
        raise TypeError("the values of a curve are no list")
    grid: tuple[Category, ...] = tuple(values)
    curve: Curve | Undefined
    if "error" in told:
        curve = Undefined(str(told["error"]))
    else:
        lines = np.array(told["model_predictions"], np.float64).reshape(-1, len(grid))
        shares = np.array(told["data_distribution"], np.float64)
        curve = Curve(lines, shares, int(str(told["rows"])))
    return Dependence(str(told["feature_name"]), told["data_type"] == NUMERICAL, grid, curve)


def _numbers(values: Doubles) -> list[float]:
    return [float(f"{value:.9g}") for value in values.tolist()]
