"""Requests and answers that payload loggers send as CloudEvents (KServe, Seldon), joined by their id.

A logger beside a model sends each request and each answer as an event of its own, both with the id of the request:
`org.kubeflow.serving.inference.request` and `.response`, or `io.seldon.serving.inference.request` and `.response`.
"""

import base64
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from watchkeep.capture.exchange import VARIANT
from watchkeep.capture.names import EXPECTED, is_name
from watchkeep.capture.record import Inference

REQUEST: Final = ".inference.request"
RESPONSE: Final = ".inference.response"
"""How the types of the two events end."""
_ENDPOINTS: Final = ("inferenceservicename", "deploymentname", "endpoint")
_VARIANTS: Final = ("component", "predictor", "model")
_MODEL_SERVER: Final = "predictor"
"""What KServe calls the only component that answers."""
_LONGEST: Final = 1024
"""Characters of an id, or of a content type."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NotAnEventError(ValueError):
    """What was sent is no event of a payload logger; the message says why."""


@dataclass(frozen=True, slots=True)
class Half:
    """One side of an inference.

    Args:
        endpoint, variant, id: whose.
        time: when it was sent, microseconds since 1970.
        is_answer: which side.
        body: its bytes.
        content_type: what they hold.
    """

    endpoint: str
    variant: str
    id: str
    time: int
    is_answer: bool
    body: bytes
    content_type: str


def half_of(headers: Mapping[str, str], body: bytes) -> Half:
    """The event of an HTTP request, in binary mode (`ce-...` headers) or as JSON (`application/cloudevents+json`).

    Args:
        headers: names in lower case.
        body: of the request.

    Raises:
        NotAnEventError: it is none.

    >>> headers = {
    ...     "ce-id": "7",
    ...     "ce-type": "org.kubeflow.serving.inference.request",
    ...     "ce-inferenceservicename": "churn",
    ...     "ce-time": "2026-11-23T19:00:00Z",
    ... }
    >>> half_of(headers, b'{"instances": [[41]]}').endpoint
    'churn'
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/cloudevents+json":
        return _structured(body)
    attributes = {
        name.removeprefix("ce-"): value for name, value in headers.items() if name.startswith("ce-")
    }
    if not attributes:
        raise NotAnEventError(
            "it has no ce-... headers, and its content type is not application/cloudevents+json"
        )
    return _half(attributes, body, headers.get("content-type", ""))


def _structured(body: bytes) -> Half:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotAnEventError("its body is no JSON") from error
    if not isinstance(event, dict):
        raise NotAnEventError("its body is no JSON object")
    attributes = {name: value for name, value in event.items() if isinstance(value, str)}
    if "data_base64" in event:
        try:
            data = base64.b64decode(str(event["data_base64"]), validate=True)
        except ValueError as error:
            raise NotAnEventError("its data_base64 is not base64") from error
    else:
        given = event.get("data")
        try:
            data = given.encode() if isinstance(given, str) else json.dumps(given).encode()
            "".join(attributes.values()).encode()
        except (UnicodeEncodeError, RecursionError) as error:
            raise NotAnEventError("it holds halves of characters, or lists without end") from error
    return _half(attributes, data, attributes.get("datacontenttype", "application/json"))


def _half(attributes: Mapping[str, str], body: bytes, content_type: str) -> Half:
    kind, name = attributes.get("type", ""), attributes.get("id", "")
    if not kind.endswith((REQUEST, RESPONSE)):
        raise NotAnEventError(f"its type is {kind!r}; expected one that ends with {REQUEST} or {RESPONSE}")
    if not name:
        raise NotAnEventError("it has no id")
    if len(name) > _LONGEST:
        raise NotAnEventError(f"its id has {len(name)} characters; expected {_LONGEST} at most")
    endpoint = next((attributes[key] for key in _ENDPOINTS if attributes.get(key)), "")
    if not endpoint:
        raise NotAnEventError(f"it names no endpoint; expected one of {', '.join(_ENDPOINTS)}")
    variant = next((attributes[key] for key in _VARIANTS if attributes.get(key)), VARIANT)
    for named in (endpoint, variant):
        if not is_name(named):
            raise NotAnEventError(f"its endpoint or variant is {named[:_LONGEST]!r}; expected {EXPECTED}")
    return Half(
        endpoint,
        VARIANT if variant == _MODEL_SERVER else variant,
        name,
        _micros(attributes.get("time")),
        kind.endswith(RESPONSE),
        body,
        content_type[:_LONGEST],
    )


def _micros(text: str | None) -> int:
    if text is None:
        raise NotAnEventError("it has no time")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotAnEventError(f"its time is {text!r}; expected one such as 2026-11-23T19:00:00Z") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


class Pairing:
    """Joins requests with their answers. A side whose other one does not come is recorded alone.

    Args:
        patience: seconds for which a side waits.
        most: sides that wait, at most; then the one that waits longest is recorded alone.
        memory: bytes of their bodies, at most; then likewise.
    """

    def __init__(self, *, patience: float = 60.0, most: int = 100_000, memory: int = 64 << 20) -> None:
        self._patience, self._most, self._memory = patience, most, memory
        self._held = 0
        self._waiting: OrderedDict[tuple[str, str], tuple[Half, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, half: Half, now: float) -> list[Inference]:
        """The records that are complete now.

        Args:
            half: one side more.
            now: seconds, by a clock that is never set back.
        """
        key = half.endpoint, half.id
        other = self._waiting.get(key)
        if other is not None and other[0].is_answer != half.is_answer:
            del self._waiting[key]
            self._held -= len(other[0].body)
            return [joined(half, other[0]), *self.expired(now)]
        if other is None:
            self._waiting[key] = half, now
            self._held += len(half.body)
        return self.expired(now)

    def expired(self, now: float) -> list[Inference]:
        """Sides that waited long enough, as records of their own.

        Args:
            now: as in `add`.
        """
        found = []
        while self._waiting:
            half, since = next(iter(self._waiting.values()))
            fits = len(self._waiting) <= self._most and self._held <= self._memory
            if now - since < self._patience and fits:
                break
            self._waiting.popitem(last=False)
            self._held -= len(half.body)
            found.append(joined(half, None))
        return found

    def rest(self) -> list[Inference]:
        """Everything that still waits, as records of their own."""
        found = [joined(half, None) for half, _ in self._waiting.values()]
        self._waiting.clear()
        self._held = 0
        return found


def joined(half: Half, other: Half | None) -> Inference:
    """The record of two sides, or of one alone."""
    asked = other if half.is_answer else half
    answered = half if half.is_answer else other
    first = asked or half
    latency = -1 if asked is None or answered is None else max(0, answered.time - asked.time)
    one = Inference(
        half.endpoint,
        first.variant,
        half.id,
        half.id,
        first.time,
        latency,
        -1,
        0,
        1.0,
        "",
        "",
        "",
        "",
        None,
        None,
    )
    if asked is not None:
        one = one._replace(input=asked.body, input_type=asked.content_type)
    if answered is not None:
        # Loggers log answers that were given; one of an error has no status of its own.
        one = one._replace(output=answered.body, output_type=answered.content_type, status=200)
    return one
