"""The store's names, its mark, and what is told of what it holds."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.states_store.shelves import KEY, Memory, bits, hour, profile, store

from watchkeep.core.errors import MissingSourceError, StoreError
from watchkeep.core.window import Window
from watchkeep.profiles.profile import Profile
from watchkeep.service.state_catalogue import Key
from watchkeep.service.state_store import StateStore
from watchkeep.service.state_tree import (
    ADDED,
    KEPT,
    LEVELS,
    MERGED,
    OF_EVER,
    OF_HOURS,
    ORIGIN,
    REPLACING,
    WITHDRAWN,
    Entry,
    at,
    entry_of,
    whole_hours,
)
from watchkeep.service.state_upkeep import compact, forget
from watchkeep.states.extremes import Extremes

INSTANTS = st.integers(-16_000_000, 69_000_000)


@given(
    st.sampled_from(LEVELS),
    INSTANTS,
    st.sampled_from([ADDED, REPLACING, WITHDRAWN, KEPT, MERGED]),
    st.integers(0, 99),
)
def test_a_name_tells_what_it_was_made_of(level: object, number: int, tag: str, again: int) -> None:
    assert isinstance(level, type(OF_HOURS))
    round_ = again if tag in (ADDED, REPLACING, WITHDRAWN) else 0
    entry = Entry(level, level.start(number), tag, round_, "0123456789abcdef" * 2)

    folder, _, own = entry.name.rpartition("/")

    assert entry_of(own) == entry
    assert folder == "weeks" or folder[-7:] == at(entry.start).isoformat()[:7]


@given(
    st.one_of(st.text(), st.from_regex(r"[0-9-]{0,12}(T[0-9]+)?\.(hour|day|week)\.[a-z]?[0-9]*\.[0-9a-f]*"))
)
def test_a_name_of_something_else_is_no_entry_or_one_of_that_name(text: str) -> None:
    entry = entry_of(text)

    assert entry is None or isinstance(entry, Entry)


@given(INSTANTS, st.sampled_from(LEVELS))
def test_a_stretch_lies_whole_in_one_of_the_level_above(number: int, level: object) -> None:
    assert isinstance(level, type(OF_HOURS))
    start = level.start(number)
    if level is OF_EVER:
        assert start == ORIGIN
        return
    assert start <= number < start + level.hours
    above = LEVELS[level.rank + 1]
    assert above.start(start) == above.start(start + level.hours - 1)
    assert level.rank < 2 or at(start).weekday() == 0
    assert at(start).hour == 0 or level is OF_HOURS


def test_whole_hours_of_windows_are_counted_from_1970() -> None:
    window = Window(datetime(1969, 12, 31, 22, tzinfo=UTC), datetime(1970, 1, 1, 5, tzinfo=UTC))

    assert whole_hours(window) == (-2, 5)
    assert whole_hours(Window()) == (None, None)


def test_what_was_put_is_told_by_a_mark_for_people_and_machines() -> None:
    shelf = Memory()
    store(shelf).put(hour(0), profile(1))

    (mark,) = (name for name in shelf.files if "/" not in name)
    assert mark == "watchkeep-states.1.0123456789ab.default"
    assert json.loads(shelf.files[mark]) == {
        "version": 1,
        "baseline": "0123456789ab",
        "dialect": "default",
        "monitor": "data-quality",
    }


def test_a_store_that_is_not_there_is_missing_until_something_is_put() -> None:
    states = store()

    for look in (states.over, states.held, lambda: compact(states), lambda: forget(states, hour(0))):
        with pytest.raises(
            MissingSourceError, match="memory: there is no such folder; expected states of hours"
        ):
            look()
    assert states.put(hour(0), profile(1))
    assert bits(states.over()) == bits(store(states.files.shelf).over())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (Key(baseline="fedcba987654", dialect="default", kind=""), "states of baseline 0123456789ab"),
        (
            Key(baseline="0123456789ab", dialect="sagemaker", kind=""),
            "and this one is 0123456789ab .sagemaker",
        ),
    ],
)
def test_another_baselines_states_are_refused_and_stay_as_they_are(key: Key, told: str) -> None:
    shelf = Memory()
    store(shelf).put(hour(0), profile(1))
    before = dict(shelf.files)
    other = StateStore(shelf, key)

    for act in (other.over, lambda: other.put(hour(1), profile(2)), lambda: compact(other)):
        with pytest.raises(StoreError, match=told):
            act()
    assert shelf.files == before


def test_two_baselines_that_begin_a_store_at_once_both_see_it() -> None:
    class Beaten(Memory):
        def write(self, name: str, content: bytes) -> None:
            super().write(name, content)
            if name == KEY.mark:
                super().write("watchkeep-states.1.fedcba987654.default", b"{}")

    with pytest.raises(StoreError, match="holds states of baseline fedcba987654"):
        store(Beaten()).put(hour(0), profile(1))


def test_a_folder_of_something_else_is_refused() -> None:
    shelf = Memory({"report.json": b"{}"})

    with pytest.raises(StoreError, match=r"memory: it holds 'report.json', and no states of ours"):
        store(shelf).put(hour(0), profile(1))
    assert list(shelf.files) == ["report.json"]


def test_the_same_piece_is_of_two_hours_where_it_is_put_twice() -> None:
    states = store()
    states.put(hour(0), profile(1))
    states.put(hour(1), profile(1))

    assert states.over().rows == 2 * profile(1).rows


def test_an_hour_of_no_rows_is_an_hour_that_is_known() -> None:
    states = store()

    assert states.put(hour(0), Profile())
    assert states.held().hours == 1
    assert states.over().rows == 0


def test_missing_hours_are_told_between_the_stored_ones_and_within_what_was_asked() -> None:
    states = store()
    for number in (3, 4, 9, 30):
        states.put(hour(number), profile(number))
    forgotten = store(states.files.shelf)  # type: ignore[arg-type]

    def gaps(first: int | None, end: int | None) -> list[tuple[int, int]]:
        asked = Window(None if first is None else hour(first), None if end is None else hour(end))
        return [
            (int((gap.start - hour(0)) / timedelta(hours=1)), int((gap.end - hour(0)) / timedelta(hours=1)))
            for gap in states.held(asked).missing
            if gap.start is not None and gap.end is not None
        ]

    assert gaps(None, None) == [(5, 9), (10, 30)]
    assert gaps(0, 12) == [(0, 3), (5, 9), (10, 12)]
    assert gaps(40, 50) == [(40, 50)]
    held = states.held()
    assert (held.hours, held.window) == (4, Window(hour(3), hour(31)))
    forget(forgotten, hour(24))
    assert gaps(None, None) == [(24, 30)]  # a day that was kept is a day


def test_pieces_that_were_counted_in_two_ways_are_named_by_their_hour() -> None:
    states = store()
    states.put(hour(5), profile(1))
    states.put(hour(5), Profile(1, parts={("x", "moments"): Extremes(1.0, 2.0)}))

    with pytest.raises(StoreError, match=r"the hour 2024-01-01T05 cannot be merged: moments of column 'x'"):
        states.over()


def test_merging_leaves_the_present_alone_and_takes_away_what_is_stale() -> None:
    shelf = Memory()
    states = store(shelf)
    for number in range(30):
        states.put(hour(number), profile(number))

    assert compact(states, until=hour(23)).merged == 0
    assert compact(states).merged == 1
    assert (compact(states).merged, compact(states).removed) == (0, 0)
    states.put(hour(3), profile(99))
    done = compact(states)
    assert (done.merged, done.removed) == (2, 1)  # the hour and its day; the day as it was
    assert len([name for name in shelf.files if ".m." in name]) == 2


def test_merging_passes_over_what_is_taken_away_meanwhile() -> None:
    class Losing(Memory):
        def read(self, name: str) -> bytes:
            if "01T03" in name:
                self.files.pop(name, None)
            return super().read(name)

    shelf = Memory()
    for number in range(30):
        store(shelf).put(hour(number), profile(number))
    losing = store(Losing(shelf.files))

    assert compact(losing).merged == 0
    assert losing.over().rows == 29 * profile(1).rows


def test_files_that_go_away_all_the_time_are_told_of() -> None:
    class Gone(Memory):
        def read(self, name: str) -> bytes:
            raise FileNotFoundError(name)

    shelf = Memory()
    store(shelf).put(hour(0), profile(1))

    with pytest.raises(StoreError, match="memory: its files change faster than they can be read"):
        store(Gone(shelf.files)).over()


def test_a_listing_asks_for_the_months_of_a_window_only() -> None:
    class Listing(Memory):
        asked: list[str] = []  # noqa: RUF012 (of one test)

        def names(self, folder: str) -> list[str]:
            self.asked.append(folder)
            return list(super().names(folder))

    shelf = Memory()
    for days in (0, 40, 80, 300):
        store(shelf).put(hour(24 * days), profile(days))
    states = store(Listing(shelf.files))
    states.over(Window(hour(24 * 39), hour(24 * 42)))

    assert sorted(folder for folder in Listing.asked if folder.startswith("hours/")) == ["hours/2024-02"]


def test_nothing_else_than_days_and_weeks_is_kept() -> None:
    states = store()
    states.put(hour(0), profile(1))

    with pytest.raises(ValueError, match="keep: got 'hour', expected day or week"):
        forget(states, hour(1), keep=OF_HOURS)
