"""When a monitor runs, and which stretch of time each of its runs looks at.

A schedule has ticks. The period of a tick is the time since the tick before it, so the periods of all ticks cover all
time, once.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol, Self
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window
from watchkeep.schedules.durations import Duration

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NOW: Final = "NOW"
_NONE: Final = Duration()
_SIX: Final = re.compile(r"cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)")
_FROM: Final = re.compile(r"(\d+)/(\d+)")
_EXPECTED: Final = "five fields of cron such as '0 5 * * *', cron(0 5 ? * * *), every 6h, or NOW"


class Schedule(Protocol):
    """When a monitor runs. Its text is what `watchkeep.yaml` has for it, and `schedule_of` reads."""

    def after(self, moment: datetime) -> datetime | None:
        """The first tick after a moment, UTC; None where there is none any more."""
        ...

    def before(self, tick: datetime) -> datetime | None:
        """The last tick before another one, UTC; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Cron:
    """Ticks at times of the calendar.

    Where clocks are put forward, a tick in the hour that is missing comes right after it; where they are put back, one
    at a fixed hour comes once, and those of every hour come in both. (As cron of Debian has it.)

    Args:
        expression: five fields, see crontab(5).
        zone: of the clocks, an IANA name.

    Raises:
        OptionError: it is no such expression, or a day that never comes, or there is no such zone.

    >>> daily = Cron("0 5 * * *", "Europe/Berlin")
    >>> daily.after(datetime(2026, 7, 1, tzinfo=UTC)).isoformat()
    '2026-07-01T03:00:00+00:00'
    """

    expression: str
    zone: str = "UTC"
    _clock: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.zone != "UTC" and self.zone not in available_timezones():
            raise OptionError(
                "time zone",
                got=self.zone,
                expected="an IANA time zone",
                choices=sorted(available_timezones()),
            )
        object.__setattr__(self, "_clock", ZoneInfo(self.zone))
        self.after(EPOCH)

    def __str__(self) -> str:
        return self.expression if self.zone == "UTC" else f"{self.expression} {self.zone}"

    def after(self, moment: datetime) -> datetime | None:
        """See `Schedule`."""
        return self._next(moment, reverse=False)

    def before(self, tick: datetime) -> datetime | None:
        """See `Schedule`."""
        return self._next(tick, reverse=True)

    def _next(self, moment: datetime, *, reverse: bool) -> datetime | None:
        try:
            found = CronSim(self.expression, moment.astimezone(self._clock), reverse=reverse)
        except CronSimError as error:
            raise OptionError("schedule", got=self.expression, expected=_EXPECTED) from error
        for one in found:
            tick: datetime = one.astimezone(UTC)
            if tick < moment if reverse else tick > moment:
                return tick
        return None


@dataclass(frozen=True, slots=True)
class Every:
    """Ticks at equal distances, from midnight UTC of 1 January 1970 on; of months, on its first day.

    Args:
        length: between them; whole minutes or whole months.
        starting: how long after midnight the first one is.

    Raises:
        OptionError: it is less than a minute, or neither minutes nor months.

    >>> Every(Duration(seconds=6 * 3600)).after(datetime(2026, 7, 1, 4, 30, tzinfo=UTC)).isoformat()
    '2026-07-01T06:00:00+00:00'
    """

    length: Duration
    starting: Duration = _NONE

    def __post_init__(self) -> None:
        months, seconds = self.length.months, self.length.seconds
        if not (months > 0 and seconds == 0) and not (months == 0 and seconds >= 60 and seconds % 60 == 0):
            raise OptionError(
                "schedule",
                got=f"every {self.length}",
                expected="whole minutes, or whole months, one at least",
            )
        if self.starting.months or self.starting.seconds < 0:
            raise OptionError("schedule: starting", got=str(self.starting), expected="a time after midnight")

    def __str__(self) -> str:
        return f"every {self.length}" + (f" starting {self.starting}" if self.starting else "")

    def after(self, moment: datetime) -> datetime | None:
        """See `Schedule`."""
        return self._tick(self._number(moment) + 1)

    def before(self, tick: datetime) -> datetime | None:
        """See `Schedule`."""
        number = self._number(tick)
        return self._tick(number - 1 if self._tick(number) == tick else number)

    def _number(self, moment: datetime) -> int:
        """Of the last tick at or before a moment."""
        since = moment.astimezone(UTC) - timedelta(seconds=self.starting.seconds)
        if self.length.seconds:
            return (since - EPOCH) // timedelta(seconds=self.length.seconds)
        return ((since.year - EPOCH.year) * 12 + since.month - 1) // self.length.months

    def _tick(self, number: int) -> datetime:
        length = Duration(self.length.months * number, self.length.seconds * number)
        return length.after(EPOCH) + timedelta(seconds=self.starting.seconds)


@dataclass(frozen=True, slots=True)
class Once:
    """One tick, as soon as it is asked for.

    Args:
        at: when that was, aware.
    """

    at: datetime

    def __str__(self) -> str:
        return NOW

    def after(self, moment: datetime) -> datetime | None:
        """See `Schedule`."""
        return self.at.astimezone(UTC) if moment < self.at else None

    def before(self, tick: datetime) -> datetime | None:  # noqa: ARG002 (part of the protocol)
        """See `Schedule`."""
        return None


def schedule_of(text: str, *, zone: str = "UTC", now: datetime | None = None) -> Schedule:
    """The schedule that a text names.

    Args:
        text: five fields of cron, one of SageMaker's `cron(0 H/N ? * * *)`, `every 6h`, `every 6h starting 2h`, or
            `NOW`.
        zone: of the clocks that cron goes by, where the text does not end with one.
        now: the time, for `NOW`.

    Raises:
        OptionError: it names none.

    >>> str(schedule_of("cron(0 2/6 ? * * *)")), str(schedule_of("every 6h starting 2h"))
    ('0 2-23/6 * * *', 'every 6h starting 2h')
    """
    told = " ".join(text.split())
    if told.upper() == NOW:
        return Once(datetime.now(UTC) if now is None else now)
    words = told.split()
    if words[:1] == ["every"] and len(words) in (2, 4) and words[2:3] in ([], ["starting"]):
        starting = Duration.read(words[3], option="schedule: starting") if words[2:] else Duration()
        return Every(Duration.read(words[1], option="schedule: every"), starting)
    if six := _SIX.fullmatch(told):
        return Cron(_five(text, *six.groups()), zone)
    if len(words) == 6:
        return Cron(" ".join(words[:5]), words[5])
    if len(words) != 5:
        raise OptionError("schedule", got=text, expected=_EXPECTED)
    return Cron(told, zone)


def _five(text: str, minute: str, hour: str, day: str, month: str, weekday: str, year: str) -> str:
    """Six fields of Amazon's cron as five of ours."""
    if year != "*":
        raise OptionError("schedule", got=text, expected="every year: * as the last of six fields")
    if numbers := set(re.findall(r"\d", weekday)):
        # Theirs begins at 1, on Sunday.
        raise OptionError(
            "schedule",
            got=text,
            expected=f"days of the week by name (SUN to SAT), not by number ({min(numbers)})",
        )
    hours = _FROM.sub(r"\1-23/\2", hour) if _FROM.fullmatch(hour) else hour
    minutes = _FROM.sub(r"\1-59/\2", minute) if _FROM.fullmatch(minute) else minute
    return " ".join((minutes, hours, day.replace("?", "*"), month, weekday.replace("?", "*")))


@dataclass(frozen=True, slots=True)
class Look:
    """Which stretch of time a run looks at: the period of its tick, or what lies so far from its tick.

    Args:
        start, end: from the tick, mostly negative; None for the period's.

    >>> Look.of("-P8D", "-P1D").window(schedule_of("0 13 * * *"), datetime(2020, 1, 9, 13, tzinfo=UTC)).document()
    {'start': '2020-01-01T13:00:00Z', 'end': '2020-01-08T13:00:00Z'}
    """

    start: Duration | None = None
    end: Duration | None = None

    @classmethod
    def of(cls, start: str | None = None, end: str | None = None) -> Self:
        """What texts say.

        Raises:
            OptionError: they are no lengths of time.
        """
        return cls(
            None if start is None else Duration.read(start, option="window: start"),
            None if end is None else Duration.read(end, option="window: end"),
        )

    def window(self, schedule: Schedule, tick: datetime) -> Window:
        """That of a tick.

        Raises:
            OptionError: it would end before it starts, or the schedule has no tick before.
        """
        end = tick if self.end is None else self.end.after(tick)
        if self.start is not None:
            return Window(self.start.after(tick), end)
        before = schedule.before(tick)
        if before is None:
            raise OptionError("window: start", got="nothing", expected="a start, as nothing came before")
        return Window(before, end)


class CatchUp(StrEnum):
    """What becomes of ticks that nobody was there for."""

    ALL = "all"
    LATEST = "latest"
    NONE = "none"


def due(
    schedule: Schedule, since: datetime, now: datetime, *, catch_up: CatchUp = CatchUp.ALL, grace: timedelta
) -> Iterator[datetime]:
    """The ticks after a moment, up to now, that are to be run.

    Args:
        schedule: whose.
        since: the last tick that was run, or when the schedule began.
        now: the time.
        catch_up: what becomes of those that are older than `grace`.
        grace: how late a tick may be and still be on time.

    >>> hourly, day = schedule_of("every 1h"), datetime(2026, 7, 1, tzinfo=UTC)
    >>> late = {"now": day + timedelta(hours=3, minutes=1), "grace": timedelta(minutes=5)}
    >>> [sum(1 for _ in due(hourly, day, catch_up=one, **late)) for one in CatchUp]
    [3, 1, 1]
    """
    latest: datetime | None = None
    tick = schedule.after(since)
    while tick is not None and tick <= now:
        if catch_up is CatchUp.ALL or now - tick <= grace:
            yield tick
            latest = None
        else:
            latest = tick
        tick = schedule.after(tick)
    if latest is not None and catch_up is CatchUp.LATEST:
        yield latest


def jitter(name: str, most: timedelta) -> timedelta:
    """How long after its ticks a monitor runs, so that not all run at once: always as long, told by its name.

    >>> jitter("churn", timedelta(minutes=10)) == jitter("churn", timedelta(minutes=10)) < timedelta(minutes=10)
    True
    """
    chance = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest()) / 2**64
    return most * chance
