"""What texts spell: numbers, truths, times. Fields of CSV are texts, and so are many values of JSON."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

NO_VALUE: Final = frozenset({"NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "none", "\\N", ""})
"""Spellings of "no value" where a number is expected."""
_INTEGRAL: Final = re.compile(r"\s*([-+]?) ?(\d+)\s*", re.ASCII).fullmatch
_FRACTIONAL: Final = re.compile(
    r"\s*([-+]?) ?((?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?|(?i:inf|infinity))\s*", re.ASCII
).fullmatch
_SIMPLE: Final = re.compile(r"-?\d+\.\d+", re.ASCII).fullmatch
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_LONGEST: Final = 300
"""Characters of a number; longer ones are none."""


def number_of(text: str) -> int | float | None:
    """The number that a text spells; None when it spells none.

    >>> number_of(" +7 "), number_of("1e3"), number_of(".5"), number_of("red"), number_of("1_000")
    (7, 1000.0, 0.5, None, None)
    """
    if len(text) > _LONGEST:
        return None
    if _SIMPLE(text):
        return float(text)
    found = _INTEGRAL(text)
    if found is not None:
        return int(found[1] + found[2])
    found = _FRACTIONAL(text)
    return None if found is None else float(found[1] + found[2])


def truth_of(text: str) -> bool | None:
    """The truth that a text spells; None when it spells none.

    >>> truth_of("True"), truth_of("false"), truth_of("yes")
    (True, False, None)
    """
    lower = text.lower()
    return True if lower == "true" else False if lower == "false" else None


def time_of(text: str) -> int | None:
    """The microseconds since 1970 of an ISO time, UTC unless it says otherwise; None when it is none.

    >>> time_of("1970-01-02"), time_of("1970-01-01T01:00:01+01:00"), time_of("7")
    (86400000000, 1000000, None)
    """
    if not (10 <= len(text) <= 40 and text[4] == "-" == text[7]):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _MICRO
