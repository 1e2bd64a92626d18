"""Where e-mail addresses and IP addresses stand in a text, in steps that grow with its length and no faster."""

import re
from collections.abc import Iterator
from typing import Final

from watchkeep.capture.shapes import OTHER, Shape

_AT: Final = re.compile("@|%40").finditer
_LATIN: Final = "\u00c0-\u024f\u0370-\u052f"
"""Letters of Latin, Greek and Cyrillic beyond ASCII."""
_LOCAL: Final = re.compile(rf"[0-9A-Za-z.!#$%'*+=^_`{{|}}~{_LATIN}-]*+").match
_DOMAIN: Final = re.compile(
    rf"(?:[0-9A-Za-z{_LATIN}-]{{1,63}}+\.){{1,64}}(?:xn--[0-9A-Za-z-]{{1,59}}+|[A-Za-z{_LATIN}]{{2,63}}+)(?![0-9])"
).match
_NAMED: Final = re.compile("[A-Za-z_][0-9A-Za-z_]*+=").match
_QUOTED: Final = 66
"""Characters of a name in quotes before the @, at most."""
_MARKS: Final = "'*=.!#$%^`{|}~-"
"""May begin a name, and rather belong to what stands before it."""


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Where e-mail addresses begin and end, also those of URLs (`%40` for `@`).

    >>> list(emails("to: ann@example.org."))
    [(4, 19)]
    """
    low = 0
    for mark in _AT(text):
        at, end = mark.span()
        domain = _DOMAIN(text, end)
        if domain is not None:
            before = text[low:at]
            name = _name(before)
            if name:
                yield at - len(name), domain.end()
                low = end = domain.end()
        low = max(low, end)


def _name(before: str) -> str:
    """The last word before an @ that can be the name of a mailbox."""
    if before.endswith('"'):
        start = before.rfind('"', max(0, len(before) - _QUOTED), len(before) - 1)
        return before[start:] if start >= 0 else ""
    found = _LOCAL(before[::-1])
    name = before[len(before) - (found.end() if found else 0) :]
    name = name.lstrip(_MARKS) or name
    named = _NAMED(name)
    return name[named.end() :] or name if named else name


_RUN: Final = re.compile("[0-9A-Fa-f:.]*+").match
_COLONS: Final = re.compile(":[0-9A-Fa-f]{0,4}:").search
_HEX: Final = "0123456789ABCDEFabcdef"
_LONGEST: Final = 64
"""Characters that a run of groups may have, at most, with what may stand before and after an address in it."""


def ipv6(text: str) -> Iterator[tuple[int, int]]:
    """Where IPv6 addresses begin and end, but for the shortest: `::1` says nothing about anybody, `1::2` is a slice.

    >>> list(ipv6("from [2001:db8::7]:443 at 12:30:59"))
    [(6, 17)]
    """
    low = 0
    while (found := _COLONS(text, low)) is not None:
        at = found.start()
        before = text[max(low, at - 5) : at]
        start = at - len(before) + len(before.rstrip(_HEX))
        run = _RUN(text, start)
        end = low = run.end() if run else found.end()
        if end - start > _LONGEST or text[end : end + 1].isalnum():
            continue
        written = text[start:end].rstrip(".")
        if written.endswith(":") and not written.endswith("::"):
            written = written[:-1]
        end = start + len(written)
        if text[start - 1 : start].isalnum():  # a word ends here, whose last letters look like a group
            start = text.index(":", start) + 1
        for _ in range(3):
            if _is_ipv6(text[start:end]):
                yield start, end
                break
            start = text.find(":", start, end) + 1
            if not start:
                break


def _is_ipv6(written: str) -> bool:
    head, shortened, tail = written.partition("::")
    groups = [*(head.split(":") if head else ()), *(tail.split(":") if tail else ())]
    mapped = bool(groups) and _OCTETS(groups[-1]) is not None
    sizes = [len(group) for group in groups[: len(groups) - mapped]]
    size = len(sizes) + 2 * mapped
    return (
        (
            all(1 <= one <= 4 for one in sizes)
            and "." not in written[: len(written) - len(groups[-1]) * mapped]
            and (size <= 7 if shortened else size == 8)
            and (size >= 3 or max(sizes, default=0) >= 3)
        )
        if groups
        else False
    )


_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_FOUR: Final = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_OCTETS: Final = re.compile(_FOUR).fullmatch
_IPV4: Final = re.compile(rf"(?!0){_FOUR}(?![0-9A-Za-z]|\.[0-9]|-[A-Za-z])").match
_VERSIONS: Final = ("version ", "version: ", "version=", "release ", "ver. ")


def _ipv4(text: str, at: int) -> tuple[int, int] | None:
    found = _IPV4(text, at)
    if found is None or text[max(0, at - 9) : at].lower().endswith(_VERSIONS):
        return None
    product = text[at - 1 : at] == "/" and text[max(0, at - 2) : at - 1].isalpha()
    return None if product and found[0].endswith(".0") else found.span()  # Chrome/120.0.0.0


IPV4: Final = Shape("ip", OTHER, (1, 2, 3), lambda: _ipv4)
