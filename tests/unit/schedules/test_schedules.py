"""Ticks come in order, and the periods between them cover all time once, whatever clocks do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep import schedules
from watchkeep.core.errors import OptionError
from watchkeep.schedules import CatchUp, Cron, Duration, Every, Look, Once, Schedule, due, schedule_of

BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = st.datetimes(datetime(1995, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
FIELDS = st.tuples(
    st.sampled_from(["0", "30", "*/15", "59"]),
    st.sampled_from(["*", "2", "3", "0", "*/6", "1-4"]),
    st.sampled_from(["*", "1", "31"]),
    st.sampled_from(["*", "1-12/2", "3"]),
    st.sampled_from(["*", "SUN", "1-5"]),
)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca"]
)
CRONS = st.builds(lambda fields, zone: Cron(" ".join(fields), zone), FIELDS, ZONES)
LENGTHS = st.builds(lambda n: Duration(seconds=60 * n), st.integers(1, 100_000)) | st.builds(
    lambda n: Duration(months=n), st.integers(1, 24)
)
EVERY = st.builds(Every, LENGTHS, st.builds(lambda n: Duration(seconds=n), st.integers(0, 86_399)))


@given(CRONS | EVERY, MOMENTS)
@settings(max_examples=150)
def test_ticks_come_in_order_and_their_periods_cover_all_time_once(
    schedule: Schedule, moment: datetime
) -> None:
    ticks = [schedule.after(moment)]
    for _ in range(4):
        assert ticks[-1] is not None
        ticks.append(schedule.after(ticks[-1]))

    assert ticks[0] is not None
    assert ticks[0] > moment
    for one, other in pairwise(ticks):
        assert one is not None
        assert other is not None
        assert one < other
        assert schedule.before(other) == one
        window = Look().window(schedule, other)
        assert (window.start, window.end) == (one, other)


@given(CRONS | EVERY)
@settings(max_examples=60)
def test_a_schedule_is_read_back_from_its_text(schedule: Schedule) -> None:
    assert schedule_of(str(schedule)) == schedule


@given(
    st.sampled_from([1, -1]),
    st.integers(0, 40),
    st.sampled_from([0, 1, 60, 3599, 3600, 86_400, 604_800, 90_061]),
)
def test_a_length_of_time_is_read_back_from_its_text(sign: int, months: int, seconds: int) -> None:
    duration = Duration(sign * months, sign * seconds)
    assert Duration.read(str(duration), option="x") == duration


def ticks(schedule: Schedule, since: datetime, count: int) -> list[str]:
    found: list[str] = []
    at: datetime | None = since
    for _ in range(count):
        assert at is not None
        at = schedule.after(at)
        assert at is not None
        found.append(f"{at.astimezone(BERLIN):%d %H:%M%z}")
    return found


def test_an_hour_that_is_missing_or_there_twice() -> None:
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    night, hourly = Cron("30 2 * * *", "Europe/Berlin"), Cron("0 * * * *", "Europe/Berlin")

    assert ticks(night, spring, 2) == ["29 03:00+0200", "30 02:30+0200"]
    assert ticks(night, autumn, 2) == ["25 02:30+0200", "26 02:30+0100"]
    assert ticks(hourly, datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 3) == [
        "25 02:00+0200",
        "25 02:00+0100",
        "25 03:00+0100",
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("cron(0 * ? * * *)", "2020-01-09T14:00"),
        ("cron(0 5 ? * * *)", "2020-01-10T05:00"),
        ("cron(0 17 ? * * *)", "2020-01-09T17:00"),
        ("cron(0 0/12 ? * * *)", "2020-01-10T00:00"),
        ("cron(0 1/6 ? * * *)", "2020-01-09T19:00"),
        ("cron(0/20 * ? * MON-FRI *)", "2020-01-09T13:40"),
        ("every 1mo", "2020-02-01T00:00"),
        ("every 90min starting 1h", "2020-01-09T14:30"),
        ("0 5 * * * Asia/Kolkata", "2020-01-09T23:30"),
    ],
)
def test_what_texts_mean(text: str, first: str) -> None:
    found = schedule_of(text).after(datetime(2020, 1, 9, 13, 30, tzinfo=UTC))
    assert found is not None
    assert found.isoformat().startswith(first)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "five fields"),
        ("0 5 * *", "five fields"),
        ("61 * * * *", "five fields"),
        ("0 0 31 2 *", "five fields"),
        ("0 5 * * * Europe/Berlim", "did you mean 'Europe/Berlin'"),
        ("cron(0 5 ? * 2 *)", "by name"),
        ("cron(0 5 ? * * 2027)", "every year"),
        ("every 30s", "whole minutes"),
        ("every", "five fields"),
        ("every 5 bananas", "five fields"),
        ("every 5x", "a length of time"),
        ("hourly", "five fields"),
    ],
)
def test_what_is_no_schedule_is_told(text: str, word: str) -> None:
    with pytest.raises(OptionError, match=word):
        schedule_of(text)


def test_windows_lie_where_offsets_say() -> None:
    tick = datetime(2020, 1, 9, 13, tzinfo=UTC)
    hourly = schedule_of("cron(0 * ? * * *)")

    assert Look.of("-PT1H", "-PT0H").window(hourly, tick) == Look().window(hourly, tick)
    with pytest.raises(OptionError, match="a time after"):
        Look.of("-PT1H", "-PT2H").window(hourly, tick)
    once = Once(tick)
    assert once.after(tick - timedelta(seconds=1)) == tick
    assert once.after(tick) is None
    assert Look.of("-PT3H", "-PT0H").window(once, tick).start == tick - timedelta(hours=3)
    with pytest.raises(OptionError, match="nothing came before"):
        Look().window(once, tick)


def test_after_a_pause_all_ticks_come_or_the_last_or_none() -> None:
    hourly, start = schedule_of("every 1h"), datetime(2026, 7, 1, tzinfo=UTC)
    now, grace = start + timedelta(hours=5, minutes=30), timedelta(minutes=5)

    found = {
        one: [tick.hour for tick in due(hourly, start, now, catch_up=one, grace=grace)] for one in CatchUp
    }

    assert found == {CatchUp.ALL: [1, 2, 3, 4, 5], CatchUp.LATEST: [5], CatchUp.NONE: []}
    on_time = list(
        due(hourly, start, start + timedelta(hours=2, minutes=1), catch_up=CatchUp.NONE, grace=grace)
    )
    assert [tick.hour for tick in on_time] == [2]


def test_people_write_them_with_functions() -> None:
    assert schedules.hourly(minute=10) == "10 * * * *"
    assert schedules.daily(hour=5, zone="Europe/Berlin") == "0 5 * * * Europe/Berlin"
    assert schedules.every(days=1, hours=6) == "every 30h"
    assert schedules.every(months=3) == "every 3mo"


WRONG: list[Callable[[], str]] = [
    lambda: schedules.daily(hour=24),
    schedules.every,
    lambda: schedules.every(months=1, days=1),
    lambda: schedules.hourly(minute=-1),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_time_is_refused(wrong: Callable[[], str]) -> None:
    with pytest.raises(OptionError):
        wrong()
