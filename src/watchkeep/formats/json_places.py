"""Where texts stand in JSON text, so that they can be replaced and all else be left as it is spelled."""

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Final

Places = Mapping[str, Any]
"""Keys of an object, and of objects in it; nothing below those whose text is wanted."""
Found = tuple[tuple[str, ...], int, int]

_SPACE: Final = re.compile(r"[ \t\r\n]*").match
_ANY: Final = json.JSONDecoder().raw_decode


def texts_at(text: str, places: Places) -> Iterator[Found]:
    """The texts at some places of a JSON object: the keys that lead there, and where the text begins and ends.

    Args:
        text: a JSON object; it was parsed before.
        places: whose texts are wanted: the value itself, or the first one of a list. Of a key given twice the last
            one counts.

    >>> line = '{"a": {"b": "x"}, "c": ["y", 1], "d": 2}'
    >>> [(path, line[start:end]) for path, start, end in texts_at(line, {"a": {"b": {}}, "c": {}, "d": {}})]
    [(('a', 'b'), '"x"'), (('c',), '"y"')]
    """
    yield from _of_object(text, _after(text, 0), places, ())[0]


def _of_object(text: str, at: int, places: Places, path: tuple[str, ...]) -> tuple[Iterator[Found], int]:
    """The texts of the object that begins somewhere, and where it ends."""
    found: dict[str, list[Found]] = {}
    at = _after(text, at + 1)
    while text[at] != "}":
        at = _after(text, at + 1) if text[at] == "," else at
        key, at = scanstring(text, at + 1)
        at = _after(text, _after(text, at) + 1)
        inner, own = places.get(key), (*path, key)
        if inner and text[at] == "{":
            several, end = _of_object(text, at, inner, own)
            found[key] = list(several)
        else:
            end = scanstring(text, at + 1)[1] if text[at] == '"' else _ANY(text, at)[1]
            found[key] = [] if inner is None else [(own, *span) for span in _texts(text, at, end)]
        at = _after(text, end)
    return (one for several in found.values() for one in several), at + 1


def _texts(text: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    if text[at] == "[":
        at = _after(text, at + 1)
        end = scanstring(text, at + 1)[1] if text[at] == '"' else at
    if text[at] == '"':
        yield at, end


def _after(text: str, at: int) -> int:
    """The first place from here on that is no space."""
    match = _SPACE(text, at)
    return match.end() if match else at
