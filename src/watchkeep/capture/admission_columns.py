"""What one column of a request must be like, compiled into what tells quickly whether a value is."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, NamedTuple, Self

from watchkeep.capture.payloads import Cell
from watchkeep.capture.values import NO_VALUE, number_of, time_of, truth_of
from watchkeep.core.errors import DocumentError, OptionError

INTEGER: Final = "integer"
NUMBER: Final = "number"
TEXT: Final = "text"
BOOLEAN: Final = "boolean"
TIME: Final = "time"
NUMBERS: Final = "numbers"
ANY: Final = "any"
TYPES: Final = (INTEGER, NUMBER, TEXT, BOOLEAN, TIME, NUMBERS, ANY)
"""What a column's values may be. `numbers` are lists of numbers; `any` is whatever comes."""

MISSING: Final = "missing"
UNKNOWN: Final = "unknown"
TYPE: Final = "type"
RANGE: Final = "range"
DOMAIN: Final = "domain"
SIZE: Final = "size"
BODY: Final = "body"
KINDS: Final = (MISSING, UNKNOWN, TYPE, RANGE, DOMAIN, SIZE, BODY)
"""What may be wrong: no value, a column that nobody knows, the type, the range, a category that nobody knows, too many
or too few values, rows or bytes, and a body that cannot be read."""
"""Of these, `UNKNOWN` alone is no reason to refuse a request."""

_SHOWN: Final = 60
"""Characters of a value that are told."""
_LISTED: Final = 8
"""Categories that are told."""
_NAMES: Final = {
    INTEGER: "a whole number",
    NUMBER: "a number",
    TEXT: "a text",
    BOOLEAN: "true or false",
    TIME: "an ISO time",
    NUMBERS: "a list of numbers",
    ANY: "a value",
}
_EPOCH: Final = re.compile(r"\d{9,19}").fullmatch


class Problem(NamedTuple):
    """What is wrong with a request.

    Args:
        row: the place of the row, from 0; None when it is the whole request.
        column: its name; empty when it is the whole row, or request.
        what: one of `KINDS`.
        got: what came, shortened.
        expected: what was expected.
    """

    row: int | None
    column: str
    what: str
    got: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionColumn:
    """What a column must be like. Make one by `of`.

    Args:
        name: the column.
        type: one of `TYPES`.
        nullable: whether it may have no value, or not be there.
        low, high: the least and the greatest number; None when there is no such limit.
        categories: the texts it may be; None when it may be any.
        length: how many numbers its lists hold; None when they may hold any.
    """

    name: str
    type: str = ANY
    nullable: bool = True
    low: float | None = None
    high: float | None = None
    categories: frozenset[str] | None = None
    length: int | None = None

    @classmethod
    def of(cls, told: object, document: str, at: str) -> Self:
        """The column that a JSON object describes.

        Raises:
            DocumentError: it is no object, or its range is empty.
            OptionError: a key is none of ours, or its value none that can be used.
        """
        if not isinstance(told, Mapping):
            raise DocumentError(document, at=at, got=shown(told), expected="an object")
        for key, value in {"name": None, **told}.items():
            if key not in _KEYS:
                expected = f"one of {', '.join(_KEYS)}"
                raise OptionError(f"{document}: {at}", got=str(key), expected=expected, choices=tuple(_KEYS))
            fits, expected, choices = _KEYS[key]
            if (value is not None or key == "name") and not fits(value):
                got = value if isinstance(value, str) else shown(value)
                raise OptionError(f"{document}: {at}.{key}", got=got, expected=expected, choices=choices)
        low, high, categories = told.get("min"), told.get("max"), told.get("categories")
        if low is not None and high is not None and low > high:
            expected = f"at least {low:g}, which is the min"
            raise DocumentError(document, at=f"{at}.max", got=shown(high), expected=expected)
        return cls(
            name=told["name"],
            type=told.get("type") or ANY,
            nullable=told.get("nullable") is not False,
            low=low,
            high=high,
            categories=None if categories is None else frozenset(categories),
            length=told.get("length"),
        )

    @property
    def expected(self) -> str:
        """What it must be like, for people."""
        told = _NAMES[self.type]
        if self.categories is not None:
            listed = sorted(self.categories)
            more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
            return f"one of {', '.join(shown(one) for one in listed[:_LISTED])}{more}"
        if self.low is not None and self.high is not None:
            return f"{told} from {self.low:.12g} to {self.high:.12g}"
        if self.low is not None or self.high is not None:
            return (
                f"{told}, at {'least' if self.low is not None else 'most'} "
                f"{self.low if self.low is not None else self.high:.12g}"
            )
        return told if self.length is None else f"a list of {self.length} numbers"

    def wrong(self, value: object) -> str | None:
        """What is wrong with a value; None when nothing is.

        >>> age = AdmissionColumn(name="age", type="integer", low=0, high=120)
        >>> age.wrong(41), age.wrong(41.5), age.wrong(430), age.wrong("41")
        (None, 'type', 'range', 'type')
        """
        if isinstance(value, Cell):
            value = self._of_text(value)
        if value is None or value != value:  # NaN is no value
            return None if self.nullable else MISSING
        kind = self.type
        if kind in (INTEGER, NUMBER):
            return self._wrong_number(value)
        if kind == TEXT:
            if not isinstance(value, str):
                return TYPE
            return DOMAIN if self.categories is not None and value not in self.categories else None
        if kind == ANY:
            numeric = _is_number(value) and self.categories is None
            return self._wrong_number(value) if numeric else self._wrong_word(value)
        if kind == NUMBERS:
            return self._wrong_numbers(value)
        if kind == BOOLEAN:
            return None if isinstance(value, bool) else TYPE
        is_time = time_of(value) is not None if isinstance(value, str) else _is_number(value)
        return None if is_time else TYPE

    def _wrong_number(self, value: Any) -> str | None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return TYPE
        if isinstance(value, float):
            if not isfinite(value):
                return RANGE
            if self.type == INTEGER and not value.is_integer():
                return TYPE
        below = self.low is not None and value < self.low
        return RANGE if below or (self.high is not None and value > self.high) else None

    def _wrong_word(self, value: object) -> str | None:
        """What is wrong with a value of any type, where it must be of a category: truths are spelled as texts."""
        if self.categories is None:
            return None
        if isinstance(value, bool):
            fits = ("true" if value else "false") in {one.lower() for one in self.categories}
        else:
            fits = value in self.categories if isinstance(value, str) else False
        return None if fits else DOMAIN

    def _wrong_numbers(self, value: object) -> str | None:
        if not isinstance(value, list) or not all(map(_is_number, value)):
            return TYPE
        return SIZE if self.length is not None and len(value) != self.length else None

    def _of_text(self, text: str) -> object:
        """The value that a field of CSV spells, where the column is of a type; else the text."""
        if self.type in (INTEGER, NUMBER):
            return (
                None
                if text.strip() in NO_VALUE
                else found
                if (found := number_of(text)) is not None
                else text
            )
        if self.type == BOOLEAN:
            truth = truth_of(text)
            return str(text) if truth is None else truth
        if self.type == TIME and _EPOCH(text):
            return int(text)
        return str(text)


def shown(value: object) -> str:
    """A value for people, shortened: no more is looked at than is told.

    >>> shown("red"), shown([1, 2]), shown(None), shown("x" * 100)[-3:]
    ('"red"', 'a list of 2', 'nothing', 'xx…')
    """
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= _SHOWN else f'"{value[:_SHOWN]}…'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a whole number of many digits"
    return "an object" if isinstance(value, Mapping) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


_KEYS: Final[dict[str, tuple[Callable[[Any], bool], str, Sequence[str]]]] = {
    "name": (lambda value: isinstance(value, str) and value != "", "the name of a column", ()),
    "type": (TYPES.__contains__, f"one of {', '.join(TYPES)}", TYPES),
    "nullable": (lambda value: isinstance(value, bool), "true or false", ()),
    "min": (_is_number, "a number", ()),
    "max": (_is_number, "a number", ()),
    "categories": (_are_texts, "a list of texts", ()),
    "length": (lambda value: type(value) is int and value >= 0, "a whole number", ()),
}
"""Of each key: what it may be, how that is told, and words that are near."""
