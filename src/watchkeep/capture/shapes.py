"""How numbers of people are written: what stands before the first digit, and what follows it.

No pattern here repeats anything without a bound, so that looking at one place takes no more than a fixed number of
steps, whatever the text.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

Find: TypeAlias = "Callable[[str, int], tuple[int, int] | None]"
"""Told where in a text a run of digits begins: where the number begins and ends, or None where there is none."""

LETTER: Final = "letter"
PLUS: Final = "plus"
OTHER: Final = "other"

BEFORE: Final = "(?<![0-9A-Za-z])"
AFTER: Final = r"(?![0-9A-Za-z]|\.(?!0{1,3}(?![0-9]))[0-9])"
"""No word goes on here, and no number but one whose decimals are zeros: tables may write whole numbers so."""
_BARE: Final = {ord(one): None for one in " .-/()+"}


class Shape(NamedTuple):
    """One way to write one kind of number.

    Args:
        kind: what it is.
        after: what stands before its first digit: a letter, a plus sign, or anything else.
        runs: how many digits its first run may have.
        make: gives what looks for it; asked only when somebody does, since patterns take their time to compile.
    """

    kind: str
    after: str
    runs: Sequence[int]
    make: Callable[[], Find]


def shape(
    kind: str,
    runs: int | Sequence[int],
    pattern: str,
    check: Callable[[str], bool] | None = None,
    *,
    after: str = OTHER,
    back: int = 0,
) -> Shape:
    """A shape by a pattern.

    Args:
        kind, runs, after: see `Shape`.
        pattern: matches all of it, less what may not stand around it.
        check: is told what matched, in capitals and without separators.
        back: how many characters of it stand before its first digit.
    """

    def make() -> Find:
        match = re.compile(BEFORE * (back > 0) + pattern + AFTER, re.ASCII | re.IGNORECASE).match

        def find(text: str, at: int) -> tuple[int, int] | None:
            found = match(text, at - back) if at >= back else None
            if found is None or (check is not None and not check(bare(found[0]))):
                return None
            return found.span()

        return find

    return Shape(kind, after, (runs,) if isinstance(runs, int) else runs, make)


def bare(text: str) -> str:
    """A number in capitals and without separators."""
    return text.translate(_BARE).upper()
