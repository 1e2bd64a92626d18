"""Conditions of rules, answered for one row at a time: with SQL's three truths, and types as segments read them."""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from watchkeep.capture.values import number_of, time_of, truth_of
from watchkeep.core.rules import Compare, Every, Like, Not, Null, OneOf, Rule, Some, Value

Look: TypeAlias = Callable[[str], object]
"""Gives the value of a name; None when there is none."""
Test: TypeAlias = Callable[[Look], bool | None]
"""Whether a condition holds; None when that is unknown, as a value is not there."""

_SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holding(rule: Rule, costs: Callable[[Rule], bool]) -> Test:
    """What tells whether a rule holds.

    Args:
        rule: the rule.
        costs: whether a part of it takes long to answer; the others are asked first.
    """
    if isinstance(rule, Not):
        inner = holding(rule.part, costs)

        def negated(look: Look) -> bool | None:
            found = inner(look)
            return None if found is None else not found

        return negated
    if isinstance(rule, Every | Some):
        parts = [holding(part, costs) for part in sorted(rule.parts, key=costs)]
        return _together(parts, decides=isinstance(rule, Some))
    return _condition(rule)


def _together(parts: Sequence[Test], *, decides: bool) -> Test:
    """Conditions together: one that is `decides` settles it, else one that is unknown."""

    def test(look: Look) -> bool | None:
        unknown = False
        for part in parts:
            found = part(look)
            if found is decides:
                return decides
            unknown |= found is None
        return None if unknown else not decides

    return test


def _condition(rule: Compare | OneOf | Like | Null) -> Test:
    column = rule.column
    if isinstance(rule, Null):
        return lambda look: _is_none(look(column))
    if isinstance(rule, Like):
        like = _pattern(rule.pattern)
        return lambda look: like(value) is not None if isinstance(value := look(column), str) else None
    if isinstance(rule, Compare):
        compare = _compared(rule.sign, rule.value)
        return lambda look: compare(look(column))
    each = [_compared("=", value) for value in rule.values]
    tests = [lambda look, one=one: one(look(column)) for one in each]
    return _together(tests, decides=True)


def _is_none(value: object) -> bool:
    return value is None or value != value  # NaN is no value


def _pattern(pattern: str) -> Callable[[str], object]:
    """What tells whether a text is like a pattern of SQL."""
    pieces = [""]
    for part in re.findall(r"\\.|.", pattern, re.DOTALL):
        if part == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if part == "_" else re.escape(part[-1])
    if len(pieces) == 1:
        return re.compile(pieces[0], re.DOTALL).fullmatch
    first, *between, last = pieces
    # Whatever stands between two of them is found where it comes first, and nowhere else: no text takes long.
    middle = "".join(f"(?>.*?{piece})" for piece in between if piece)
    return re.compile(f"{first}{middle}.*{last}", re.DOTALL).fullmatch


def _compared(sign: str, wanted: Value) -> Callable[[object], bool | None]:
    """What tells whether a value compares so; None when the two cannot be compared."""
    holds = _SIGNS[sign]
    if isinstance(wanted, bool):
        read: Callable[[object], Any] = _truth
    elif isinstance(wanted, int | float):
        read = _number
    else:
        return _beside_text(sign, wanted)

    def test(value: object) -> bool | None:
        found = read(value)
        return None if found is None else holds(found, wanted)

    return test


def _beside_text(sign: str, wanted: str) -> Callable[[object], bool | None]:
    holds = _SIGNS[sign]
    number, truth = number_of(wanted), truth_of(wanted)
    time = None if sign == "=" else time_of(wanted)

    def test(value: object) -> bool | None:
        if isinstance(value, str):
            if time is None:
                return holds(value, wanted)
            found: Any = time_of(value)
            return None if found is None else holds(found, time)
        found, other = (value, truth) if isinstance(value, bool) else (_number(value), number)
        return None if found is None or other is None else holds(found, other)

    return test


def _number(value: object) -> int | float | None:
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if value == value else None
    return number_of(value) if isinstance(value, str) else None


def _truth(value: object) -> int | float | bool | None:
    return truth_of(value) if isinstance(value, str) else _number(value)
