"""What is noticed of a record besides: JSON text, since it is nothing of most of them."""

import json
from typing import Any, Final

ADMISSION: Final = "admission"
"""The key of what admission found."""


def admission_of(flags: str) -> list[Any]:
    """What admission found of a record.

    >>> len(admission_of('{"admission": [{"column": "age", "what": "range"}]}')), admission_of("")
    (1, [])
    """
    found: list[Any] = json.loads(flags).get(ADMISSION, []) if flags else []
    return found


def with_flag(flags: str, name: str, value: object) -> str:
    """The flags of a record, and one more.

    >>> with_flag('{"input": "larger than the limit"}', "admission", [])
    '{"input":"larger than the limit","admission":[]}'
    """
    told = json.loads(flags) if flags else {}
    return json.dumps(told | {name: value}, separators=(",", ":"))
