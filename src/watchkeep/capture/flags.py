"""What is noticed of a record besides: JSON text, since it is nothing of most of them."""

import json
from typing import Any, Final

ADMISSION: Final = "admission"
"""The key of what admission found."""
MORE: Final = "admission_more"
"""The key of how many problems it found besides."""


def admission_of(flags: str) -> list[Any]:
    """What admission found of a record.

    >>> len(admission_of('{"admission": [{"column": "age", "what": "range"}]}')), admission_of("")
    (1, [])
    """
    found: list[Any] = json.loads(flags).get(ADMISSION, []) if flags else []
    return found


def problems_of(flags: str) -> int:
    """How many problems admission found of a record, told or not.

    >>> problems_of('{"admission": [{"column": "age", "what": "range"}], "admission_more": 4}'), problems_of("")
    (5, 0)
    """
    told = json.loads(flags) if flags else {}
    return len(told.get(ADMISSION, ())) + int(told.get(MORE, 0))


def with_flag(flags: str, name: str, value: object) -> str:
    """The flags of a record, and one more.

    >>> with_flag('{"input": "larger than the limit"}', "admission", [])
    '{"input":"larger than the limit","admission":[]}'
    """
    told = json.loads(flags) if flags else {}
    return json.dumps(told | {name: value}, separators=(",", ":"))
