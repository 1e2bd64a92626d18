"""Records for tests."""

import json
from typing import Any

from watchkeep.capture.record import Inference


def inference(
    given: Any = None,
    said: Any = None,
    *,
    name: str = "",
    event: str = "e",
    status: int = 200,
    latency: int = 250,
    variant: str = "A",
    endpoint: str = "churn",
    kind: str = "application/json",
    flags: str = "",
) -> Inference:
    """A record; bodies that are not bytes are made JSON."""
    asked, answered = (
        one if isinstance(one, bytes) or one is None else json.dumps(one).encode() for one in (given, said)
    )
    asked_as, answered_as = ("" if body is None else kind for body in (asked, answered))
    return Inference(
        endpoint,
        variant,
        event,
        name,
        0,
        latency,
        -1,
        status,
        1.0,
        flags,
        "",
        asked_as,
        answered_as,
        asked,
        answered,
    )
