"""JSON as text: strict when we write, lenient when we read."""

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Final

from watchkeep.core.errors import DocumentError, StateError

MAX_DEPTH: Final = 100
"""Objects and arrays inside one another, at most: more than any schema has, less than Python's stack."""
_SCALARS: Final = (str, int, float)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def dumps(document: Mapping[str, object]) -> str:
    r"""A document as JSON text: keys in their order, two spaces a level, a line end last.

    An array without arrays or objects inside stays on one line: a sketch of thousands of numbers is one line,
    not thousands. Letters of all scripts are written as they are.

    Raises:
        StateError: the document holds something JSON cannot say (NaN, infinity, a key that is no text, a
            date). That is a fault of ours, not of a user.

    >>> print(dumps({"version": 0.0, "data": [[1.0, 2.5], []]}), end="")
    {
      "version": 0.0,
      "data": [
        [1.0, 2.5],
        []
      ]
    }
    """
    text = "".join(_pieces(document, "", "")) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: JSON can say it only escaped
        return "".join(c if ord(c) < 0x80 else json.dumps(c)[1:-1] for c in text)
    return text


def loads(text: str, document: str = "statistics.json") -> dict[str, object]:
    """JSON text as a dictionary, keys in their order.

    Tolerated: a byte order mark; the bare tokens NaN, Infinity and -Infinity, and numbers too large for a
    double, which all become the strings "NaN", "Infinity" and "-Infinity" (as SageMaker's own files spell
    undefined numbers); a key given twice, of which the last counts.

    Args:
        text: the whole document.
        document: what errors call it.

    Raises:
        DocumentError: it is no JSON, no object, or nested over `MAX_DEPTH` deep.

    >>> loads('{"mean": NaN, "rows": 3, "sum": 9.0}')
    {'mean': 'NaN', 'rows': 3, 'sum': 9.0}
    """
    try:
        value = json.loads(text.removeprefix("\ufeff"), parse_constant=str, parse_float=_float)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise DocumentError(document, at=at, got=_near(error), expected=f"JSON ({error.msg})") from error
    except RecursionError as error:
        raise _too_deep(document) from error
    except ValueError as error:  # Python refuses to read integers of thousands of digits
        raise DocumentError(document, at="a number", got="thousands of digits", expected="fewer") from error
    if not isinstance(value, dict):
        raise DocumentError(document, at="the top", got=shown(value), expected="an object")
    if _depth_exceeds(value, MAX_DEPTH):
        raise _too_deep(document)
    return value


def shown(value: object, limit: int = 60) -> str:
    """A value for an error's sentence: scalars as JSON, the others by what they are.

    >>> shown("high"), shown([1, 2]), shown(None), shown({})
    ('"high"', 'an array', 'null', 'an object')
    """
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "an array"
    try:
        text = json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def flat(values: "list[object] | tuple[object, ...]") -> bool:
    """Whether an array holds neither arrays nor objects, told by its types rather than by each item.

    >>> flat([1.0, "a", None]), flat([1.0, []])
    (True, False)
    """
    return not any(issubclass(kind, Mapping | list | tuple) for kind in set(map(type, values)))


def _pieces(value: object, indent: str, at: str) -> Iterator[str]:
    inner = indent + "  "
    if isinstance(value, Mapping):
        yield "{"
        for i, (key, item) in enumerate(value.items()):
            if not isinstance(key, str):
                raise StateError(
                    f"a document of ours has the key {key!r} at {at or 'the top'}; keys are texts"
                )
            start = f"{',' if i else ''}\n{inner}{_ENCODER.encode(key)}: "
            if item is None or isinstance(item, _SCALARS):
                yield start + _flat(item, f"{at}.{key}" if at else key)
                continue
            yield start
            yield from _pieces(item, inner, f"{at}.{key}" if at else key)
        yield f"\n{indent}}}" if value else "}"
    elif isinstance(value, list | tuple) and not flat(value):
        yield "["
        for i, item in enumerate(value):
            yield f"{',' if i else ''}\n{inner}"
            yield from _pieces(item, inner, f"{at}[{i}]")
        yield f"\n{indent}]"
    else:
        yield _flat(value, at)


def _flat(value: object, at: str) -> str:
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError) as error:
        culprit = _culprit(value)
        raise StateError(f"a document of ours holds {culprit!r} at {at}, which JSON cannot say") from error


def _culprit(value: object) -> object:
    items = value if isinstance(value, list | tuple) else (value,)
    kinds = (str, int, float, type(None))
    bad = (x for x in items if not isinstance(x, kinds) or (isinstance(x, float) and not isfinite(x)))
    return next(bad, "a number of thousands of digits")


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if isfinite(number) else f"{'-' if number < 0 else ''}Infinity"


def _near(error: json.JSONDecodeError) -> str:
    rest = error.doc[error.pos : error.pos + 20]
    return json.dumps(rest) if rest else "the end of the text"


def _depth_exceeds(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        inside: list[object] = []
        for box in level:
            items = box.values() if isinstance(box, dict) else box if isinstance(box, list) else ()
            inside.extend(item for item in items if isinstance(item, dict | list))
        if not inside:
            return False
        level = inside
    return True


def _too_deep(document: str) -> DocumentError:
    expected = f"at most {MAX_DEPTH} objects and arrays inside one another"
    return DocumentError(document, at="some place", got="deeper nesting", expected=expected)
