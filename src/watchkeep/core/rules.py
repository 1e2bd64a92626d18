"""Rules: what the conditions of SQL's WHERE say of the columns of one row, as trees."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

Value: TypeAlias = bool | int | float | str
"""What a column is compared with."""

NAME: Final = r"[^\W\d][\w$]*"
"""How names look that need no quotes."""
WORDS: Final = frozenset(["AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE"])


class Span(float):
    """A span of time: microseconds."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Compare:
    """A column beside one value. `sign` is one of = < <= > >=; `at` is the place of the name in the rule."""

    column: str
    sign: str
    value: Value
    at: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column that equals one of some values."""

    column: str
    values: tuple[Value, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Like:
    """A column whose text is like a pattern: % stands for any characters, _ for one, a backslash for none."""

    column: str
    pattern: str
    at: int


@dataclass(frozen=True, slots=True)
class Null:
    """A column without a value."""

    column: str
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    """What a condition is not; unknown where the condition is."""

    part: "Rule"


@dataclass(frozen=True, slots=True)
class Every:
    """Several conditions that hold together."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Several conditions of which one holds."""

    parts: tuple["Rule", ...]


Rule: TypeAlias = Compare | OneOf | Like | Null | Not | Every | Some


def conditions(rule: Rule) -> Iterator[Compare | OneOf | Like | Null]:
    """The conditions of a rule on single columns, from left to right."""
    if isinstance(rule, Not):
        yield from conditions(rule.part)
    elif isinstance(rule, Every | Some):
        for part in rule.parts:
            yield from conditions(part)
    else:
        yield rule


def written_name(column: str) -> str:
    """A column's name as a rule spells it: bare where it can be.

    >>> print(written_name("age"), written_name("marital status"), written_name("in"))
    age "marital status" "in"
    """
    parts = column.split(".")
    if all(re.fullmatch(NAME, part) for part in parts) and column.upper() not in WORDS:
        return column
    return '"' + column.replace('"', '""') + '"'


def written_value(value: Value) -> str:
    """A value as a rule spells it; read back, it is the same value.

    >>> print(written_value("it's"), written_value(35.0), written_value(0.1), written_value(True))
    'it''s' 35 0.1 true
    """
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)
