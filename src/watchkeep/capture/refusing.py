"""What is answered to a request that is refused."""

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from watchkeep.capture.admission_columns import UNKNOWN, Problem

if TYPE_CHECKING:
    from watchkeep.capture.admission import Admission

STATUS: Final = 422
CONTENT_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:watchkeep:admission"
TITLE: Final = "The request is not like what the model learned from"
_log = logging.getLogger(__name__)


def looked_at(
    admission: "Admission", body: bytes, content_type: str, names: Sequence[str] | None
) -> list[Problem]:
    """What is wrong with a request; nothing where the look itself fails, which is a fault of ours, and logged.

    Args:
        admission, body, content_type, names: see `Admission.check`.
    """
    try:
        return admission.check(body, content_type, names)
    except Exception as error:  # noqa: BLE001 (a fault of ours keeps no request from its model)
        _log.error("a request could not be looked at, and passes: %s", type(error).__name__)
        return []


def reasons(problems: Sequence[Problem]) -> list[Problem]:
    """Those problems for which a request is refused: a column that nobody knows is none."""
    return [one for one in problems if one.what != UNKNOWN]


def sentence(one: Problem) -> str:
    """A problem for people.

    >>> sentence(Problem(2, "age", "range", "430", "a whole number from 0 to 120"))
    'row 2, age: got 430, expected a whole number from 0 to 120'
    """
    where = ", ".join(
        [*([] if one.row is None else [f"row {one.row}"]), *([one.column] if one.column else [])]
    )
    return f"{where or 'the request'}: got {one.got}, expected {one.expected}"


def refusal(problems: Sequence[Problem], *, message: bool = False) -> bytes:
    """The problem document (RFC 9457) that a request is answered with.

    Args:
        problems: for which it is refused, at least one.
        message: whether a member `message` tells the detail, where AWS's clients look for it.

    >>> told = json.loads(refusal([Problem(0, "age", "range", "430", "a whole number from 0 to 120")]))
    >>> told["status"], told["detail"]
    (422, 'row 0, age: got 430, expected a whole number from 0 to 120')
    """
    more = f"; and {len(problems) - 1} more" if len(problems) > 1 else ""
    detail = sentence(problems[0]) + more
    document = {
        "type": TYPE,
        "title": TITLE,
        "status": STATUS,
        "detail": detail,
        **({"message": detail} if message else {}),
        "errors": [one._asdict() | {"detail": sentence(one)} for one in problems],
    }
    return json.dumps(document).encode()
