"""What an endpoint answers that explains as it predicts (reference of the schema: SageMaker Clarify, online)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np

from watchkeep.core.undefined import Undefined
from watchkeep.stats.attribution_drift import Doubles

PREDICTIONS: Final = "predictions"
EXPLANATIONS: Final = "explanations"
SHAP: Final = "kernel_shap"
HEADERS: Final = "label_headers"

NO_ANSWER: Final = Undefined("no answer was captured")
NOT_EXPLAINED: Final = Undefined("the endpoint did not explain it")
UNREADABLE: Final = Undefined("its explanation cannot be read")
SEVERAL: Final = Undefined("its answer is about several records")


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """One record's answer.

    Args:
        features: in the answer's order; `feature0`, `feature1`, ... where it does not name them.
        labels: what its outputs are called; none where it does not say.
        values: attributions, shape (labels, features); those of the parts of a text are added up.
        scores: one of each label; none where the answer holds another number of numbers.
    """

    features: tuple[str, ...]
    labels: tuple[str, ...]
    values: Doubles
    scores: tuple[float, ...]


def explains(body: object) -> bool:
    """Whether a body is the answer of an endpoint that explains, whether or not it explained anything.

    >>> explains({"version": "1.0", "predictions": {"content_type": "text/csv", "data": "0.6"}, "explanations": {}})
    True
    """
    if not isinstance(body, Mapping):
        return False
    predictions = body.get(PREDICTIONS)
    data = predictions.get("data") if isinstance(predictions, Mapping) else None
    return isinstance(data, str) and isinstance(body.get(EXPLANATIONS), Mapping)


def record_answers(body: Mapping[str, object], lines: Sequence[str]) -> list[str] | None:
    """An answer about several records as an answer about each, in the same form, as JSON text.

    Args:
        body: of which `explains` is true.
        lines: what it predicts of each record.

    Returns:
        As many texts; None where it explains another number of records than it predicts.
    """
    predictions, told = body[PREDICTIONS], body[EXPLANATIONS]
    assert isinstance(predictions, Mapping)  # noqa: S101 (see `explains`)
    assert isinstance(told, Mapping)  # noqa: S101 (as above)
    records = told.get(SHAP) or [None] * len(lines)
    if not isinstance(records, list) or len(records) != len(lines):
        return None
    own = {key: body[key] for key in ("version", HEADERS) if key in body}
    return [
        json.dumps(
            own
            | {
                PREDICTIONS: {"content_type": predictions.get("content_type"), "data": line},
                EXPLANATIONS: {} if record is None else {SHAP: [record]},
            }
        )
        for line, record in zip(lines, records, strict=True)
    ]


def read_answer(text: object) -> Answered | Undefined:
    """The answer about one record, or why it tells no attributions.

    >>> shap = '[[{"feature_header": "age", "attributions": [{"attribution": [0.5]}, {"attribution": [-0.25]}]}]]'
    >>> read_answer(f'{{"explanations": {{"kernel_shap": {shap}}}}}').values.tolist()
    [[0.25]]
    >>> read_answer('{"explanations": {"kernel_shap": [null]}}').why
    'the endpoint did not explain it'
    """
    if not isinstance(text, str) or not text.strip():
        return NO_ANSWER
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return UNREADABLE
    told = body.get(EXPLANATIONS) if isinstance(body, dict) else None
    if not isinstance(told, dict):
        return UNREADABLE
    records = told.get(SHAP)
    if not records:
        return NOT_EXPLAINED
    if not isinstance(records, list):
        return UNREADABLE
    if len(records) > 1:
        return SEVERAL
    return NOT_EXPLAINED if records[0] is None else _answered(body, records[0])


def _answered(body: Mapping[str, object], record: object) -> Answered | Undefined:
    if not isinstance(record, list) or not record:
        return UNREADABLE
    names, columns = [], []
    for at, feature in enumerate(record):
        parts = feature.get("attributions") if isinstance(feature, dict) else None
        if not isinstance(parts, list) or not parts:
            return UNREADABLE
        names.append(str(feature.get("feature_header", f"feature{at}")))
        columns.append([one.get("attribution") if isinstance(one, dict) else None for one in parts])
    try:
        sums = [np.array(parts, np.float64).sum(axis=0) for parts in columns]
        values = np.stack(sums, axis=1)
    except (TypeError, ValueError):
        return UNREADABLE
    if not np.isfinite(values).all() or len(set(names)) < len(names):
        return UNREADABLE
    headers = body.get(HEADERS)
    labels = tuple(map(str, headers)) if isinstance(headers, list) and len(headers) == len(values) else ()
    scores = tuple(_numbers(_predicted(body.get(PREDICTIONS))))
    return Answered(tuple(names), labels, values, scores if len(scores) == len(values) else ())


def _predicted(predictions: object) -> object:
    """What is predicted of one record: values of a line of CSV, or of JSON."""
    data = predictions.get("data") if isinstance(predictions, Mapping) else None
    if not isinstance(data, str):
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data.strip().split(",")


def _numbers(value: object) -> Iterator[float]:
    """All numbers in a value, in order; nothing of other texts."""
    if isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _numbers(part)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return
        if isfinite(number):
            yield number
