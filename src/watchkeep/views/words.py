"""How numbers, times and outcomes read, for the page, the terminal and the notebook alike.

Nothing here ever says "NaN" or "inf": a number that does not exist is a dash, with the reason told beside it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import floor, isfinite, log10
from typing import Final

DASH: Final = "–"
"""Stands where a number would, if there were one."""

SYMBOLS: Final = {"violated": "▲", "failed": "✕", "undecided": "◌", "kept": "✓"}
"""A shape per outcome, so that colour never speaks alone."""

_LARGE: Final = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_PREFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    r"""Text with its invisible characters spelled out: line ends, controls, direction marks, lone surrogates.

    A column named with a right-to-left override could otherwise rewrite the line it stands in, and a lone
    surrogate cannot be written to a file.

    >>> print(visible("a\u202eb\n"))
    a\u202eb\n
    """
    return _HIDDEN.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}")


def clip(text: str, limit: int) -> str:
    """Text of at most `limit` characters, invisible ones spelled out; what is cut is marked.

    >>> clip("a_very_long_column_name", 10)
    'a_very_lo…'
    """
    shown = visible(text[: limit + 1])  # cut first: a name may be megabytes
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def number(value: float, *, digits: int = 4) -> str:
    """A number with `digits` significant digits; digits left of the point are never dropped below 1e15.

    >>> [number(x) for x in (0.30412, 27004.6, 1350, 1.2e-7, -0.0, float("nan"))]
    ['0.3041', '27,005', '1,350', '1.2e-7', '0', '–']
    """
    if not isfinite(value):
        return DASH
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e15 or size < 1e-4:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    if float(value).is_integer():
        return f"{int(value):,}"
    decimals = max(0, digits - 1 - floor(log10(size)))
    return _trimmed(f"{value:,.{decimals}f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact(value: float) -> str:
    """A number for a narrow place: three significant digits, with an SI prefix from 100,000 up to 1e15.

    >>> [compact(x) for x in (0.30412, 2400, -13_824_000_000, 5e17)]
    ['0.304', '2,400', '-13.8 G', '5e17']
    """
    size = abs(value)
    if 1e5 <= size < 1e15:
        for unit, prefix in _PREFIXES:
            if size >= 0.9995 * unit:
                return f"{number(float(f'{value / unit:.3g}'))} {prefix}"
    return number(value, digits=3)


def count(value: float) -> str:
    """How many: exact below ten million, then three digits and a word.

    >>> count(27004), count(2_413_000_000)
    ('27,004', '2.41 billion')
    """
    if not isfinite(value):
        return DASH
    if abs(value) >= 1e7:
        for size, word in _LARGE:
            if abs(value) >= size:
                return f"{number(value / size, digits=3)} {word}"
    return f"{round(value):,}"


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage. Only nothing reads 0 %, and only everything reads 100 %.

    >>> [percent(x) for x in (0.0, 0.00001, 0.0123, 0.5, 0.99999, 1.0)]
    ['0 %', '<0.01 %', '1.2 %', '50 %', '>99.99 %', '100 %']
    """
    if not isfinite(share):
        return DASH
    points = 100 * share
    if 0 < points < 0.01:
        return "<0.01 %"
    if 99.99 < points < 100:
        return ">99.99 %"
    exact = points < 1 or 99 < points < 100
    return f"{_trimmed(f'{points:.{2 if exact else 1}f}')} %"


def amount(n: int, noun: str) -> str:
    """A count and its noun in the right number.

    >>> amount(1, "check"), amount(1200, "check")
    ('1 check', '1,200 checks')
    """
    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def bound(limit: object, side: object) -> str:
    """A limit with the side of it that is allowed, when that is known.

    >>> bound(0.98, "at_least"), bound(0.1, "at_most"), bound(3, None), bound(None, "at_most")
    ('≥ 0.98', '≤ 0.1', '3', '–')
    """
    sign = {"at_least": "≥ ", "at_most": "≤ "}.get(side, "") if isinstance(side, str) else ""
    told = figure(limit)
    return told if told == DASH else f"{sign}{told}"


def figure(value: object) -> str:
    """Any JSON value of a document, short: numbers as `number` writes them, undefined ones as a dash.

    >>> figure({"undefined": "mean needs 1 value, has 0"}), figure({"a": 0.25, "b": [1, 2]}), figure(True)
    ('–', 'a 0.25, b 1, 2', 'yes')
    """
    if value is None or why(value) is not None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value) if abs(value) < 1e300 else DASH
    if isinstance(value, str):
        return clip(value, 200)
    if isinstance(value, Mapping):
        parts = [f"{name} {figure(part)}" for name, part in list(value.items())[:12]]
        return clip(", ".join(parts) + (", …" if len(value) > 12 else ""), 300)
    if isinstance(value, Sequence):
        listed = ", ".join(figure(part) for part in value[:12])
        return clip(listed + (", …" if len(value) > 12 else ""), 300)
    return clip(str(value), 200)


def why(value: object) -> str | None:
    """The reason why a value has no number, or None if it has one.

    >>> why({"undefined": "psi needs 30 rows, has 3"})
    'psi needs 30 rows, has 3'
    """
    if isinstance(value, Mapping) and "undefined" in value:
        return clip(str(value["undefined"]), 300)
    if isinstance(value, float) and not isfinite(value):
        return "the file holds no finite number"
    return None


def spaced(name: str) -> str:
    """A status in words.

    >>> spaced("CompletedWithViolations")
    'Completed with violations'
    """
    return re.sub(r"(?<=[a-z])[A-Z]", lambda found: f" {found.group().lower()}", clip(name, 60))


def moment(value: object) -> str:
    """An ISO 8601 time as people write it, in UTC; text that is no time stays as it is.

    >>> moment("2026-01-02T03:04:05Z")
    '2026-01-02 03:04 UTC'
    """
    if not isinstance(value, str):
        return DASH
    try:
        at = datetime.fromisoformat(value)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return clip(value, 40)
    return f"{at:%Y-%m-%d %H:%M} UTC"


def span(start: object, end: object) -> str:
    """A window in words; its end is not part of it.

    >>> span(None, None), span("2013-02-08T00:00:00Z", "2013-02-09T00:00:00Z")
    ('all rows of the source', '2013-02-08 00:00 to 2013-02-09 00:00 UTC')
    """
    if start is None and end is None:
        return "all rows of the source"
    if start is None:
        return f"until {moment(end)}"
    if end is None:
        return f"from {moment(start)}"
    return f"{moment(start).removesuffix(' UTC')} to {moment(end)}"


def listing(names: Sequence[str], *, most: int = 3) -> str:
    """Names as a clause, long ones cut, the many counted.

    >>> listing(["a", "b"]), listing(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    shown = [clip(name, 40) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {count(len(names) - most)} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def headline(
    *, status: str, subjects: Sequence[str], outcomes: Mapping[str, int], analysed: float | None = None
) -> str:
    """What happened, in one sentence.

    Args:
        status: of the run; "Failed" is told as such.
        subjects: what is outside its limits, worst first.
        outcomes: how many verdicts of each outcome.
        analysed: rows looked at, if known.

    >>> headline(status="Completed", subjects=[], outcomes={"kept": 80, "undecided": 2})
    'Nothing is outside its limits, but of 82 checks 2 could not be decided.'
    """
    total, violated = sum(outcomes.values()), outcomes.get("violated", 0)
    failed, undecided = outcomes.get("failed", 0), outcomes.get("undecided", 0)
    fault = f"; {amount(failed, 'check')} could not be run" if failed else ""
    if subjects:
        named = ["the dataset as a whole" if name == "dataset" else name for name in subjects]
        if named[0].startswith("the dataset as"):
            named[0] = named[0].capitalize()
        clause = "is outside its" if len(named) == 1 else "are outside their"
        return f"{listing(named)} {clause} limits{fault}."
    if violated:
        return f"{count(violated)} of {amount(total, 'check')} {_be(violated)} violated{fault}."
    if status == "Failed":
        return f"The run failed{fault}."
    if total == 0:
        return "There was no row to look at." if analysed == 0 else "Nothing was checked."
    if undecided == total:
        return f"Nothing could be decided: {amount(total, 'check')} had too little to go by."
    but = [f"{count(failed)} could not be run"] * bool(failed)
    but += [f"{count(undecided)} could not be decided"] * bool(undecided)
    if but:
        return f"Nothing is outside its limits, but of {amount(total, 'check')} {' and '.join(but)}."
    return f"Nothing is outside its limits: {_all(total)} kept."


def _be(n: int) -> str:
    return "was" if n == 1 else "were"


def _all(n: int) -> str:
    return "the one check was" if n == 1 else f"all {count(n)} checks were"
