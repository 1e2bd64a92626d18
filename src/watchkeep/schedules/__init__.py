"""When monitors run: `wk.schedules.daily(hour=5)` and others make the texts that `watchkeep.yaml` has for it.

>>> hourly(), daily(hour=5), every(hours=6, starting=2), every(minutes=15)
('0 * * * *', '0 5 * * *', 'every 6h starting 2h', 'every 15min')
"""

from watchkeep.core.errors import OptionError
from watchkeep.schedules.durations import Duration
from watchkeep.schedules.schedule import (
    CatchUp,
    Cron,
    Every,
    Look,
    Once,
    Schedule,
    due,
    jitter,
    schedule_of,
)

__all__ = [
    "CatchUp",
    "Cron",
    "Duration",
    "Every",
    "Look",
    "Once",
    "Schedule",
    "daily",
    "due",
    "every",
    "hourly",
    "jitter",
    "schedule_of",
]


def hourly(*, minute: int = 0) -> str:
    """Every hour.

    Args:
        minute: 0 to 59.

    Raises:
        OptionError: there is no such minute.
    """
    return str(Cron(f"{_within('minute', minute, 59)} * * * *"))


def daily(*, hour: int = 0, minute: int = 0, zone: str = "UTC") -> str:
    """Every day.

    Args:
        hour: 0 to 23.
        minute: 0 to 59.
        zone: of the clock, an IANA name.

    Raises:
        OptionError: there is no such time, or no such zone.
    """
    return str(Cron(f"{_within('minute', minute, 59)} {_within('hour', hour, 23)} * * *", zone))


def every(*, months: int = 0, days: int = 0, hours: int = 0, minutes: int = 0, starting: int = 0) -> str:
    """Again and again, after so much time.

    Args:
        months, days, hours, minutes: how much; months alone.
        starting: the hour of the day, UTC, from which it is counted.

    Raises:
        OptionError: it is less than a minute, or months and something else.
    """
    length = Duration(months, ((days * 24 + hours) * 60 + minutes) * 60)
    return str(Every(length, Duration(seconds=_within("starting", starting, 23) * 3600)))


def _within(name: str, value: int, most: int) -> int:
    if not 0 <= value <= most:
        raise OptionError(name, got=str(value), expected=f"0 to {most}")
    return value
