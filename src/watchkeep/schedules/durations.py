"""Lengths of time as people and ISO 8601 write them: some of months, some of seconds."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from watchkeep.core.errors import OptionError

_ISO: Final = re.compile(
    r"([+-]?)P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)
_SHORT: Final = re.compile(r"(\d+)\s*(s|min|h|d|w|mo)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_EXPECTED: Final = "a length of time such as 15min, 6h, 1d, 2w, 1mo, or PT6H as ISO 8601 has it"
_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time. Months are those of the calendar, everything else is seconds.

    Args:
        months: whole ones.
        seconds: whole ones; both have one sign.

    >>> Duration.read("-P8D", option="start"), str(Duration.read("90min", option="every"))
    (Duration(months=0, seconds=-691200), '90min')
    """

    months: int = 0
    seconds: int = 0

    @classmethod
    def read(cls, text: str, *, option: str) -> Self:
        """What a text says.

        Raises:
            OptionError: it is no length of time.
        """
        told = text.strip()
        if found := _SHORT.fullmatch(told):
            number, unit = int(found[1]), found[2]
            return cls(months=number) if unit == "mo" else cls(seconds=number * _SECONDS[unit])
        found = _ISO.fullmatch(told.upper())
        if found is None or not any(found.groups()[1:]) or told[-1:] in "Tt":
            raise OptionError(option, got=text, expected=_EXPECTED)
        sign = -1 if found[1] == "-" else 1
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
        whole = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        return cls(sign * (years * _YEAR + months), sign * int(whole.total_seconds()))

    def __str__(self) -> str:
        """As `read` reads it: short where that can be."""
        if self.months > 0 and not self.seconds:
            return f"{self.months}mo"
        if self.seconds > 0 and not self.months:
            unit = next(unit for unit in reversed(_SECONDS) if self.seconds % _SECONDS[unit] == 0)
            return f"{self.seconds // _SECONDS[unit]}{unit}"
        sign = "-" if self.months < 0 or self.seconds < 0 else ""
        days, rest = divmod(abs(self.seconds), 86_400)
        parts = (f"{abs(self.months)}M" if self.months else "") + (f"{days}D" if days else "")
        return f"{sign}P{parts}" + (f"T{rest}S" if rest or not parts else "")

    def __bool__(self) -> bool:
        """Whether it takes any time."""
        return bool(self.months or self.seconds)

    def after(self, moment: datetime) -> datetime:
        """The moment that is so much later, in UTC; the last day of a month where it has no such day.

        >>> Duration(months=1).after(datetime(2024, 1, 31, tzinfo=UTC)).isoformat()
        '2024-02-29T00:00:00+00:00'
        """
        found = moment.astimezone(UTC)
        if self.months:
            year, month = divmod(found.year * _YEAR + found.month - 1 + self.months, _YEAR)
            found = found.replace(year=year, month=month + 1, day=min(found.day, _days_in(year, month + 1)))
        return found + timedelta(seconds=self.seconds)


def _days_in(year: int, month: int) -> int:
    following = datetime(year + month // _YEAR, month % _YEAR + 1, 1, tzinfo=UTC)
    return (following - timedelta(days=1)).day
