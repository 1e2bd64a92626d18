"""What is done with the values of a column."""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from functools import partial
from typing import Final, TypeAlias

from watchkeep.capture.tokens import Tokeniser, checked, hasher
from watchkeep.core.errors import OptionError


class Number(str):
    """A number of a JSON body, just as it is written there."""

    __slots__ = ()


Value: TypeAlias = str | bool | Number
Change: TypeAlias = Callable[[Value], str | None]
"""What stands in place of a value; None where nothing may."""


_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?").fullmatch
_NONE: Final = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity"})
_WIDEST: Final = 400
"""Digits that a number may have as text without an exponent."""


def canonical(value: Value) -> str:
    """A value as text, alike for equal numbers of JSON however they are written.

    >>> canonical(Number("42")), canonical(Number("42.0")), canonical(Number("4.2e1"))
    ('42', '42', '42')
    >>> canonical("42.0"), canonical(True)
    ('42.0', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, Number) or value.isdigit():
        return str(value)
    try:
        number = Decimal(value).normalize(Context(prec=len(value)))
    except InvalidOperation:
        return str(value)
    if not number:
        return "0"
    return f"{number:f}" if number.is_finite() and abs(number.adjusted()) < _WIDEST else str(number)


def truncated(value: Value, size: int) -> str:
    """The first characters of a text, or the first digits of a whole number, which stays a number.

    >>> truncated("94105-1234", 3), truncated(Number("-94105"), 3)
    ('941', '-941')
    """
    text = str(value) if isinstance(value, Number) else canonical(value)
    if not isinstance(value, Number) or not value.lstrip("-").isdigit():
        return text[:size] if len(text) > size else value if isinstance(value, str) else text
    return Number(value[: size + value.startswith("-")])


def rounded(value: Value, places: int) -> str | None:
    """A number with so many decimals, a half to the even side; with places below 0, tens, hundreds, thousands.

    What is no number becomes None; a number that is as coarse already stays as it is written, as do NaN and infinities.

    >>> rounded(Number("52345.67"), -3), rounded(Number("0.125"), 2), rounded("1.10", 3), rounded("much", 0)
    ('52000.0', '0.12', '1.10', None)
    """
    if isinstance(value, bool):
        return None
    if _NUMBER(value.strip()) is None:
        return value if value.strip().lower() in _NONE else None
    try:
        number = Decimal(value)
    except InvalidOperation:  # an exponent beyond all bounds
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -places:
        return value
    most = Context(prec=max(number.adjusted() + places + 2, 1), rounding=ROUND_HALF_EVEN)
    text = f"{number.quantize(Decimal((0, (1,), -places)), context=most):f}"
    whole = places <= 0 and not value.lstrip("+-").isdigit()
    return type(value)(f"{text}.0" if whole else text)


ACTIONS: Final = ("drop", "hash", "round", "tokenise", "truncate")
_AMOUNTS: Final = {"truncate": (1, 1_000_000), "round": (-_WIDEST, _WIDEST)}


def action_of(column: str, wanted: object) -> tuple[str, int]:
    """What is to be done with a column, and with how many characters or places.

    Raises:
        OptionError: it is nothing that can be done.

    >>> action_of("zip", {"truncate": 3}), action_of("ssn", "drop")
    (('truncate', 3), ('drop', 0))
    """
    expected = "drop, hash, tokenise, {'truncate': characters} or {'round': places}"
    if isinstance(wanted, Mapping) and len(wanted) == 1:
        [(action, amount)] = wanted.items()
        if action not in _AMOUNTS:
            raise OptionError(f"columns.{column}", got=str(action), expected=expected, choices=ACTIONS)
        least, most = _AMOUNTS[action]
        if not isinstance(amount, int) or isinstance(amount, bool) or not least <= amount <= most:
            raise OptionError(
                f"columns.{column}.{action}", got=str(amount), expected=f"an integer from {least} to {most}"
            )
        return str(action), amount
    if wanted not in ("drop", "hash", "tokenise"):
        raise OptionError(f"columns.{column}", got=str(wanted), expected=expected, choices=ACTIONS)
    return str(wanted), 0


def changes_of(
    columns: Mapping[str, object], key: bytes | None
) -> tuple[dict[str, tuple[str, Change | None]], Tokeniser | None]:
    """What is done with columns: an action, and what it makes of each value, None for columns that are dropped.

    Args:
        columns: what is to be done with each, by name.
        key: by which columns are hashed and tokenised.

    Returns:
        Actions and changes by name, and what turns tokens back, None when no column is tokenised.

    Raises:
        OptionError: something cannot be done, or needs a key and there is none.
        MissingExtraError: a column is to be tokenised, and the library for it is not installed.
    """
    actions = {name: action_of(name, wanted) for name, wanted in columns.items()}
    used = {action for action, _ in actions.values()}
    made: dict[str, Callable[[int], Change | None]] = {
        "drop": lambda _: None,
        "truncate": lambda size: partial(truncated, size=size),
        "round": lambda places: partial(rounded, places=places),
    }
    tokeniser = None
    if "hash" in used:
        hashed = hasher(checked(key, "hash"))
        made["hash"] = lambda _: lambda value: hashed(canonical(value))
    if "tokenise" in used:
        token = (tokeniser := Tokeniser(checked(key, "tokenise"))).token
        made["tokenise"] = lambda _: lambda value: token(canonical(value))
    return {name: (action, made[action](amount)) for name, (action, amount) in actions.items()}, tokeniser
