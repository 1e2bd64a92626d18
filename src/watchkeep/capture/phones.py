"""How telephone numbers are written: with a country's code, or as people of a country write them.

A telephone number has no check digit, so its form must tell it from other numbers: ten or eleven digits that begin
with a zero, or groups of digits as a country has them. Other digits that stand alone are none.
"""

import re
from typing import Final

from watchkeep.capture.shapes import OTHER, PLUS, Shape, shape

_UNKNOWN: Final = frozenset({"28", "83", "89"})
"""What no country code begins with (ITU-T E.164), beside 0."""
_MOST: Final = 15
"""Digits of an international number, at most."""
_DAY: Final = re.compile(r"[0-9]{2}[ ./-][0-9]{2}[ ./-](?:19|20)[0-9]{2}(?![0-9])").match
_GOES_ON: Final = re.compile("[0-9][ ./-]").fullmatch
_GROUPS: Final = re.compile("[0-9]++").findall
_BETWEEN: Final = "[ ./()-]{0,3}"
_ENDS: Final = "(?![:@][0-9A-Za-z])"
"""The last digits rather belong to what follows."""


def _abroad(digits: str) -> bool:
    number = digits.removeprefix("00")
    return number[:2] not in _UNKNOWN and 8 <= len(number) <= _MOST


def _at_home(text: str, start: int, end: int) -> bool:
    """Whether digits that begin with a zero are in groups that telephone numbers have."""
    written = text[start:end]
    groups = _GROUPS(written)
    separators = set(written) - set("0123456789")
    if not separators:
        return len(written) in (10, 11)
    if _DAY(written) or _GOES_ON(text[max(0, start - 2) : start]) or min(map(len, groups)) < 2:
        return False
    if separators == {"."}:
        return (len(groups) == 3 and len(groups[1]) > 2) or [len(group) for group in groups] == [2] * 5
    return written.count("/") <= 1


_ZERO: Final = re.compile("0[1-9](?:[ ./()-]{0,2}[0-9]){7,10}(?![0-9A-Za-z]|[.:][0-9])", re.ASCII).match


def _with_zero(text: str, at: int) -> tuple[int, int] | None:
    found = _ZERO(text, at)
    if found is None or not _at_home(text, at, found.end()):
        return None
    return at - (text[at - 1 : at] == "("), found.end()


_LONG: Final = tuple(range(1, _MOST + 1))
_NANP: Final = "[2-9][0-9]{2}"

PHONES: Final[tuple[Shape, ...]] = (
    shape("phone", _LONG, rf"\+1(?:{_BETWEEN}[2-9])(?:{_BETWEEN}[0-9]){{9}}", after=PLUS, back=1),
    shape("phone", _LONG, rf"\+[2-9](?:{_BETWEEN}[0-9]){{6,14}}{_ENDS}", _abroad, after=PLUS, back=1),
    shape("phone", _LONG, f"001(?:{_BETWEEN}[2-9])(?:{_BETWEEN}[0-9]){{9}}"),
    shape("phone", _LONG, f"00[2-9](?:{_BETWEEN}[0-9]){{6,14}}{_ENDS}", _abroad),
    Shape("phone", OTHER, range(2, 13), lambda: _with_zero),
    # North America: (212) 555-1234, 212-555-1234, 1 212 555 1234
    shape("phone", 3, rf"{_NANP}[ ./-]{_NANP}[ .-][0-9]{{4}}(?!-[0-9])"),
    shape("phone", 1, rf"1[ .-]{_NANP}[ .-]{_NANP}[ .-][0-9]{{4}}(?!-[0-9])"),
    shape("phone", 3, rf"\({_NANP}\)[ .-]?{_NANP}[ .-]?[0-9]{{4}}", back=1),
    shape("phone", 1, rf"1[ .-]?\({_NANP}\)[ .-]?{_NANP}[ .-]?[0-9]{{4}}"),
    # Spain: 612 34 56 78
    shape("phone", 3, r"[6-9][0-9]{2}([ .-])[0-9]{2}\1[0-9]{2}\1[0-9]{2}"),
    # India: 98765 43210
    shape("phone", 5, "[6-9][0-9]{4}[ -][0-9]{5}"),
    # Brazil: (11) 91234-5678
    shape("phone", 2, r"\([1-9][0-9]\) ?9?[0-9]{4}[ -]?[0-9]{4}", back=1),
    # China: 138 1234 5678
    shape("phone", 3, r"1[3-9][0-9]([ -])[0-9]{4}\1[0-9]{4}"),
    # Russia: 8 (912) 345-67-89
    shape("phone", 1, r"8[ -]?\(?[3489][0-9]{2}\)?[ -]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}"),
)
