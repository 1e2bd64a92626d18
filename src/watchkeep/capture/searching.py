"""Replaces what detectors find in the text of a JSON body, and leaves the rest as it is, byte for byte."""

import json
import re
from typing import Final

from watchkeep.capture.detectors import Finder, Hit, replaced

_quote: Final = json.encoder.encode_basestring
_unquote: Final = json.JSONDecoder(strict=False).raw_decode
_NUMBER: Final = re.compile("[0-9.eE+-]*+").match


def searched(text: str, finder: Finder, template: str, counts: dict[str, int]) -> str:
    r"""JSON after what was found in its keys, texts and numbers is replaced; the same text when nothing was.

    Nothing that is looked for can go on over a quote, so the text is looked through as a whole, but for
    strings with escapes, which are looked through as what they say.

    Args:
        text: JSON, or several after each other; nothing is said of what is not.
        finder: looks.
        template: stands in place of what is found, `{kind}` for its kind.
        counts: of what was found, by its kind; more are added.

    >>> searched('{"a\\u0040b.org": 4111111111111111, "n": 1.10}', Finder.of(["all"]), "<{kind}>", {})
    '{"<email>": "<card>", "n": 1.10}'
    """
    plain, edits = (text, []) if "\\" not in text else _escaped(text, finder, template, counts)
    done, quotes = 0, 0
    for hit in finder.find(plain):
        quotes += plain.count('"', done, hit.start)
        done = hit.start
        counts[hit.kind] = counts.get(hit.kind, 0) + 1
        new = template.replace("{kind}", hit.kind)
        edits.append((hit.start, hit.end, new) if quotes % 2 else _number(plain, hit, new))
    if not edits:
        return text
    pieces: list[str] = []
    done = 0
    for start, end, new in sorted(edits):
        pieces += (text[done:start], new)
        done = end
    return "".join((*pieces, text[done:]))


def _number(text: str, hit: Hit, new: str) -> tuple[int, int, str]:
    """What replaces a whole number in which something was found."""
    rest = _NUMBER(text, hit.end)
    start = hit.start - (text[hit.start - 1 : hit.start] == "-")
    return start, rest.end() if rest else hit.end, _quote(new)


def _escaped(
    text: str, finder: Finder, template: str, counts: dict[str, int]
) -> tuple[str, list[tuple[int, int, str]]]:
    """A text whose strings with escapes are blank, and what replaces such strings."""
    pieces: list[str] = []
    edits: list[tuple[int, int, str]] = []
    at = 0
    while (escape := text.find("\\", at)) >= 0:
        start = text.rfind('"', at, escape)
        value, end = _unquote(text, start)
        hits = finder.find(value)
        if hits:
            edits.append((start, end, _quote(replaced(value, hits, template))))
            for hit in hits:
                counts[hit.kind] = counts.get(hit.kind, 0) + 1
        pieces += (text[at : start + 1], "x" * (end - start - 2), '"')
        at = end
    return "".join((*pieces, text[at:])), edits
