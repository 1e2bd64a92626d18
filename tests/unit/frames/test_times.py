from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.frames.times import event_times

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2024, 1, 19, 12, 30, 15, tzinfo=UTC)
NOON_MICROS = (NOON - EPOCH) // timedelta(microseconds=1)

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.one_of(st.just(UTC), zones))  # noqa: DTZ001


@given(st.lists(moments))
def test_texts_are_read_as_the_standard_library_reads_them(times: list[datetime]) -> None:
    micros, valid = event_times(pa.array([time.isoformat() for time in times], pa.string()))

    assert valid.all()
    assert micros.tolist() == [(time - EPOCH) // timedelta(microseconds=1) for time in times]


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=40), st.from_regex(r"[0-9T:+\-.Z ]{8,36}", fullmatch=True))
    )
)
def test_any_text_is_a_time_of_the_standard_library_or_no_time(texts: list[str | None]) -> None:
    micros, valid = event_times(pa.array(texts, pa.string()))

    for text, at, is_time in zip(texts, micros.tolist(), valid.tolist(), strict=True):
        if is_time:
            assert text is not None
            parsed = datetime.fromisoformat(text.strip().upper())
            aware = parsed.replace(tzinfo=parsed.tzinfo or UTC)
            assert (aware - EPOCH) // timedelta(microseconds=1) == at
        else:
            assert at == 0


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-19T12:30:15",
        "2024-01-19 12:30:15Z",
        "2024-01-19t12:30:15.0000009z",
        "2024-01-19T13:30:15+01",
        "2024-01-19T13:30:15+0100",
        "2024-01-19T11:00:15,0-01:30",
        "  2024-01-19T12:30:15Z ",
    ],
)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.string_view()])
def test_a_time_has_many_spellings(text: str, kind: pa.DataType) -> None:
    micros, valid = event_times(pa.array([text], pa.string()).cast(kind))

    assert valid.tolist() == [True]
    assert micros.tolist() == [NOON_MICROS]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2023-02-29",
        "1900-02-29",
        "2024-13-01",
        "2024-00-10",
        "0000-01-01",
        "2024-01-19Z",
        "2024-01-19T24:00",
        "2024-01-19T12",
        "2024-01-19T12:60",
        "2024-01-19T12:30:1",
        "2024-01-19T12:30:15.",
        "2024-01-19T12:30:15+1:00",
        "2024-01-19T12:30:15+24:00",
        "2024-01-19T12:30:15 UTC",
        "２０２４-01-19",
        "1706000000",
    ],
)
def test_other_texts_are_no_times(text: str) -> None:
    assert event_times(pa.array([text]))[1].tolist() == [False]


def test_bytes_that_are_no_text_are_no_time() -> None:
    assert event_times(pa.array([b"\xff\xff", b"1970-01-01"]))[1].tolist() == [False, True]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Oslo"])
def test_timestamps_of_any_unit_and_zone_are_the_same_moment(unit: str, zone: str | None) -> None:
    array = pa.array([NOON_MICROS, None], pa.timestamp("us", tz=zone)).cast(pa.timestamp(unit, tz=zone))

    micros, valid = event_times(array)

    assert micros.tolist() == [NOON_MICROS, 0]
    assert valid.tolist() == [True, False]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_dates_begin_at_midnight(kind: pa.DataType) -> None:
    array = pa.array([NOON.date(), None], kind)

    micros, valid = event_times(array)

    assert micros.tolist() == [NOON_MICROS - (12 * 3600 + 30 * 60 + 15) * 10**6, 0]
    assert valid.tolist() == [True, False]


@pytest.mark.parametrize("scale", [10**-6, 10**-3, 1, 10**3])
@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.float64(), pa.string(), pa.decimal128(22)])
def test_numbers_count_from_1970_in_the_unit_of_their_magnitude(scale: float, kind: pa.DataType) -> None:
    count = pa.array([int(NOON_MICROS * scale), None], pa.int64()).cast(kind, safe=False)

    micros, valid = event_times(count, textual=True)

    assert micros.tolist() == [NOON_MICROS, 0]
    assert valid.tolist() == [True, False]


def test_numbers_may_have_fractions_and_be_missing() -> None:
    micros, valid = event_times(pa.array([1.5, float("nan"), float("inf"), None, -1.0]))

    assert micros.tolist() == [1_500_000, 0, 0, 0, -1_000_000]
    assert valid.tolist() == [True, False, False, False, True]
    assert event_times(pa.array(["1.5", "1e0", "x"]), textual=True)[0].tolist() == [1_500_000, 1_000_000, 0]


@pytest.mark.parametrize("values", [[True], [b""], [[1.0]], [None]])
def test_other_values_are_no_times(values: list[Any]) -> None:
    assert event_times(pa.array(values))[1].tolist() == [False]


def test_dictionaries_and_slices_are_read_like_plain_arrays() -> None:
    plain = pa.array(["1970-01-01T00:00:02Z", None, "soon", "1970-01-01T00:00:01Z"])

    for array in (plain, plain.dictionary_encode()):
        micros, valid = event_times(array.slice(1))
        assert micros.tolist() == [0, 0, 1_000_000]
        assert valid.tolist() == [False, False, True]

    empty = pa.DictionaryArray.from_arrays(pa.nulls(2, pa.int32()), pa.array([], pa.string()))
    assert event_times(empty)[1].tolist() == [False, False]


def test_more_texts_than_a_grid_holds_are_read_in_order() -> None:
    seconds = list(range(100_000))
    texts = [(EPOCH + timedelta(seconds=second)).isoformat() for second in seconds]

    assert event_times(pa.array(texts))[0].tolist() == [second * 10**6 for second in seconds]
