"""Values that are gone, and values of another type."""

import math
from collections.abc import Iterator
from typing import Final

from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern
from watchkeep.core.wording import percent
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import Column
from watchkeep.measures.shares import matching
from watchkeep.states.presence import Presence
from watchkeep.states.value_types import ValueTypes

LEAST: Final = 0.05
"""The smallest rise of the share of values of another type that is called a bug."""
LEAST_NEW: Final = 0.08
"""The smallest rise of the share of missing values, where hardly any were missing."""
LEAST_MORE: Final = 0.25
"""The same where values are missing for reasons of their own, as those of flights that never left are."""
RARELY: Final = 0.01
"""A share of missing values that is hardly any."""
LEAST_FIT: Final = 0.3
"""Where the other rows have moved so far that less is explained, more missing values are part of that move."""

_WORDS: Final = {
    "integral": "whole numbers",
    "fractional": "numbers",
    "boolean": "true or false",
    "string": "text",
    "other": "times or lists",
}


def absences(column: Column, explained: float) -> Iterator[Guess]:
    """Rows that should hold a value hold none.

    Args:
        column: the column.
        explained: how far the values that are there lie from the baseline's, in [0, 1].
    """
    before = column.before("presence", Presence)
    if before is None or not before.present:
        return
    if not column.window:
        sentence = f"{column.name}: the window has no such column."
        yield Guess(Bug(Pattern.MISSING, sentence, 1.0, 1.0))
        return
    now = column.presence
    if not now.rows:
        return
    rise, error = _rise(before.missing, before.rows, now.missing, now.rows)
    fit = _told(rise, explained)
    usual = before.missing / before.rows
    least = LEAST_NEW if usual <= RARELY else LEAST_MORE
    if now.missing < 5 or rise < max(least, 5 * error) or fit < LEAST_FIT:
        return
    sentence = (
        f"{column.name}: {percent(now.missing / now.rows)} of the values are missing, {percent(usual)} in the baseline,"
        " as if its source stopped filling it."
    )
    if now.present == 0:
        sentence = f"{column.name}: no value is there, where {percent(1 - usual)} of the rows held one."
    yield Guess(Bug(Pattern.MISSING, sentence, rise, fit))


def types(column: Column, explained: float) -> Iterator[Guess]:
    """Values are of another type than the column's."""
    before, now = column.before("types", ValueTypes), column.now("types", ValueTypes)
    if before is None or now is None or not before.total or now.total < 5:
        return
    if column.type is ColumnType.STRING:
        others = {name: getattr(now, name) / now.total for name in _WORDS if name != "string"}
        usual = 1 - before.string / before.total
        name = max(others, key=others.__getitem__)
        rise = others[name] - usual
        wrong = round(others[name] * now.total)
    else:
        wrong = now.total - matching(column.type, now)
        if column.type.numeric:  # numbers with a fraction are numbers
            wrong = now.total - now.integral - now.fractional
        # The column's own type is what most of the baseline was read as.
        rise, error = _rise(max(0, _strange(column, before)), before.total, wrong, now.total)
        if rise < max(LEAST, 5 * error):
            return
        counts = {name: getattr(now, name) for name in _WORDS if not _own(column.type, name)}
        name = max(counts, key=counts.__getitem__)
    if rise < LEAST or wrong < 5:
        return
    cause = (
        "a decimal comma, or a unit after the number,"
        if column.type.numeric and name == "string"
        else "another export"
    )
    sentence = (
        f"{column.name}: {percent(wrong / now.total)} of the values are {_WORDS[name]}, where the baseline has"
        f" {_told_type(column.type)}, as {cause} would make them."
    )
    share = min(1.0, rise * now.total / max(1, column.presence.rows))
    if share > 0:
        yield Guess(Bug(Pattern.TYPE, sentence, share, _told(rise, explained)), cost=0.05)


def _strange(column: Column, types: ValueTypes) -> int:
    if column.type.numeric:
        return types.total - types.integral - types.fractional
    return types.total - matching(column.type, types)


def _own(kind: ColumnType, name: str) -> bool:
    if kind.numeric:
        return name in ("integral", "fractional")
    if kind is ColumnType.BOOLEAN:
        return name == "boolean"
    return name == "other"


def _told_type(kind: ColumnType) -> str:
    if kind.numeric:
        return "numbers"
    if kind is ColumnType.BOOLEAN:
        return "true or false"
    return {ColumnType.TIME: "times", ColumnType.EMBEDDING: "lists of numbers"}.get(kind, "text")


def _rise(before: int, of: int, now: int, rows: int) -> tuple[float, float]:
    """By how much a share has grown, and the standard error of that were it the same."""
    pooled = (before + now) / max(1, of + rows)
    error = math.sqrt(pooled * (1 - pooled) * (1 / max(1, of) + 1 / max(1, rows)))
    return now / max(1, rows) - before / max(1, of), error


def _told(rise: float, left: float) -> float:
    """The fit of rows that are gone: what is left is how far the others have moved, weighed by how many they are."""
    before = max(rise, left)
    return max(0.0, 1 - left * (1 - rise) / before) if before > 0 else 0.0
