"""Finds what tells of a person in a text: addresses, and the numbers of telephones, cards, accounts and people.

Cards, accounts and most ids are told by their check digits, the rest by how they are written. A text is looked through
once for runs of digits; what a run may be is decided by its length and by what stands before it. The time this takes
grows with the length of the text and no faster, whatever the text.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple, Self

from watchkeep.capture import check_digits as checks
from watchkeep.capture.addresses import IPV4, emails, ipv6
from watchkeep.capture.national_ids import NATIONAL_IDS
from watchkeep.capture.phones import PHONES
from watchkeep.capture.shapes import LETTER, OTHER, PLUS, Find, Shape, bare, shape
from watchkeep.core.errors import OptionError


@cache
def _account(size: int) -> re.Pattern[str]:
    """What follows the two letters of an account number of so many characters."""
    return re.compile(f"[0-9]{{2}}(?:[ -]?[0-9A-Za-z]){{{size - 4}}}(?![0-9A-Za-z])")


def _iban(text: str, at: int) -> tuple[int, int] | None:
    size = checks.IBAN_SIZE.get(text[at - 2 : at].upper()) if at >= 2 else None
    found = _account(size).match(text, at) if size else None
    if found is None or text[at - 3 : at - 2].isalnum() or not checks.iban(bare(text[at - 2 : found.end()])):
        return None
    return at - 2, found.end()


_GAP: Final = "[ -]{1,3}"
_SHAPES: Final[tuple[Shape, ...]] = (
    IPV4,
    shape("card", range(13, 20), "[0-9]{13,19}", checks.card),
    shape("card", 4, f"[0-9]{{4}}(?:{_GAP}[0-9]{{4}}){{3}}{_GAP}[0-9]{{1,3}}", checks.card),
    shape("card", 4, f"[0-9]{{4}}(?:{_GAP}[0-9]{{4}}){{2}}{_GAP}[0-9]{{1,4}}", checks.card),
    shape("card", 4, r"[0-9]{4}(?:\.[0-9]{4}){3}", checks.card),
    shape("card", 4, f"3[0-9]{{3}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{4,5}}", checks.card),
    shape("card", 6, f"[0-9]{{6}}{_GAP}[0-9]{{7,13}}", checks.card),
    Shape("iban", LETTER, (2,), lambda: _iban),
    Shape("iban", LETTER, range(3, 33), lambda: _iban),
    *NATIONAL_IDS,
    *PHONES,
)
"""Where several could be meant, the first one is."""

KINDS: Final = ("email", *dict.fromkeys(one.kind for one in _SHAPES))
"""What can be found, each by its name."""
GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"all": KINDS, "national-id": tuple(dict.fromkeys(one.kind for one in NATIONAL_IDS))}
)
"""Names for several kinds together."""

_ENOUGH: Final = (
    r"(?:[ ./()-]{0,3}+[0-9]){5}|[0-9]{0,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"
    "|(?<=[A-Za-z]{3} [A-Za-z]{3} [0-9])[0-9A-Za-z]{4} [A-Za-z]"
)
_DECIMAL: Final = r"[0-9]*+\.(?!0{1,3}(?![0-9]))[0-9]++(?:[eE][+-]?[0-9]++)?(?![0-9A-Za-z./-])"
_UUID: Final = re.compile(
    "(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
).finditer
_UUID_SIZE: Final = 36
_RUNS: Final = re.compile(
    # The first digit of a run, and not of the decimals of a number.
    r"""[0-9](?<![0-9][0-9])(?<![0-9\s,:;=\[("'+-]\.[0-9])(?<!^\.[0-9])"""
    rf"(?:(?<![A-Za-z][0-9])(?={_ENOUGH})(?!{_DECIMAL})"
    # After one, two or six letters that begin a word.
    r"|(?<=[A-Za-z][0-9])(?=(?:[ -]?[0-9A-Za-z]){6})(?:(?<![0-9A-Za-z][A-Za-z][0-9])"
    r"|(?<=[A-Za-z]{2}[0-9])(?<![0-9A-Za-z][A-Za-z]{2}[0-9])"
    r"|(?<=[A-Za-z]{6}[0-9])(?<![0-9A-Za-z][A-Za-z]{6}[0-9]))())[0-9]*+"
).finditer
"""Runs of digits that can begin what we look for; those after letters of their own have the group."""
_ANY: Final = re.compile("[0-9@]").search


class Hit(NamedTuple):
    """Something that was found.

    Args:
        kind: one of `KINDS`.
        start, end: where it begins and ends, in characters.
    """

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Looks for some kinds. Make one by `of`.

    Args:
        kinds: what it looks for, out of `KINDS`.
        shapes: how that is written, by what stands before a run of digits and by how long the run is.
    """

    kinds: frozenset[str]
    shapes: Mapping[tuple[str, int], tuple[tuple[str, Find], ...]]

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """Looks for kinds and groups of kinds by name.

        Raises:
            OptionError: one of the names is neither.

        >>> sorted(Finder.of(["card", "email"]).kinds)
        ['card', 'email']
        """
        kinds: set[str] = set()
        for name in names:
            if name not in GROUPS and name not in KINDS:
                choices = (*GROUPS, *KINDS)
                raise OptionError(
                    "detect", got=str(name), expected=f"some of {', '.join(choices)}", choices=choices
                )
            kinds.update(GROUPS.get(name, (name,)))
        shapes: dict[tuple[str, int], list[tuple[str, Find]]] = {}
        for one in _SHAPES:
            if one.kind in kinds:
                find = one.make()
                for run in one.runs:
                    shapes.setdefault((one.after, run), []).append((one.kind, find))
        return cls(kinds=frozenset(kinds), shapes={key: tuple(found) for key, found in shapes.items()})

    def find(self, text: str) -> list[Hit]:
        """What is in a text, from left to right, nothing twice.

        >>> Finder.of(["all"]).find("Card 4111 1111 1111 1111 of ann@example.org")
        [Hit(kind='card', start=5, end=24), Hit(kind='email', start=28, end=43)]
        >>> Finder.of(["all"]).find("0.123456789 at 2024-01-19 18:20:48, v1.2.3.4, 1700000000")
        []
        """
        if not text.isascii():
            text = folded(text)
        if _ANY(text) is None and "::" not in text:
            return []
        hits: list[Hit] = []
        if self.shapes:
            self._numbers(text, hits)
        if "email" in self.kinds and ("@" in text or "%40" in text):
            hits += [Hit("email", *span) for span in emails(text)]
        if "ip" in self.kinds and ":" in text:
            hits += [Hit("ip", *span) for span in ipv6(text)]
        return _apart(hits) if len(hits) > 1 else hits

    def _numbers(self, text: str, hits: list[Hit]) -> None:
        shapes, done = self.shapes, 0
        for run in _RUNS(text):
            at, end = run.span()
            if at < done:
                continue
            after = LETTER if run.lastindex else PLUS if text[at - 1 : at] == "+" else OTHER
            for kind, find in shapes.get((after, end - at), ()):
                span = find(text, at)
                if span is not None and not _in_uuid(text, *span):
                    hits.append(Hit(kind, *span))
                    done = span[1]
                    break


def _in_uuid(text: str, start: int, end: int) -> bool:
    """Whether what was found is a part of a UUID, whose parts may look like anything."""
    around = _UUID(text, max(0, start - _UUID_SIZE), end + _UUID_SIZE) if end - start < _UUID_SIZE else ()
    return any(one.start() <= start and end <= one.end() for one in around)


def _apart(hits: list[Hit]) -> list[Hit]:
    """Hits from left to right; one that begins in another one makes that longer, so that nothing found is left."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
        elif hit.end > kept[-1].end:
            kept[-1] = kept[-1]._replace(end=hit.end)
    return kept


def replaced(text: str, hits: Iterable[Hit], template: str) -> str:
    """A text with something else in place of what was found in it.

    Args:
        text: in which it was found.
        hits: from left to right.
        template: what stands there instead; `{kind}` is replaced by the kind.

    >>> replaced("call 020 7946 0958", [Hit("phone", 5, 18)], "<{kind}>")
    'call <phone>'
    """
    pieces: list[str] = []
    done = 0
    for kind, start, end in hits:
        pieces += (text[done:start], template.replace("{kind}", kind))
        done = end
    return "".join((*pieces, text[done:]))


_FOREIGN: Final = re.compile(r"[^\x00-\x7f](?<=[\d\s\u2010-\u2015\u2212\ufe63\ufe6b\uff01-\uff5e])")


def folded(text: str) -> str:
    """A text with digits, spaces, dashes and signs as ASCII has them; every character keeps its place.

    >>> folded("４１１１\u00a01111\u20111111")
    '4111 1111-1111'
    """
    return _FOREIGN.sub(_fold, text)


def _fold(found: re.Match[str]) -> str:
    one = found[0]
    if "\uff01" <= one <= "\uff5e":
        return chr(ord(one) - 0xFEE0)
    digit = unicodedata.decimal(one, None)
    if digit is not None:
        return str(digit)
    return " " if one.isspace() else "@" if one == "\ufe6b" else "-"
