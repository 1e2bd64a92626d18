"""Laws of stored hours: whatever was merged before, in whatever order hours were put, and whoever was killed."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.states_store.shelves import CutError, Memory, bits, hour, profile, store

from watchkeep.core.errors import EmptySourceError, MissingSourceError, OptionError
from watchkeep.core.window import Window
from watchkeep.profiles.profile import Profile
from watchkeep.service.state_store import StateStore
from watchkeep.service.state_tree import LEVELS, OF_DAYS, OF_HOURS, OF_WEEKS
from watchkeep.service.state_upkeep import compact, forget

HOURS = st.integers(0, 24 * 40)
PIECES = st.lists(st.tuples(HOURS, st.integers(0, 50)), min_size=1, max_size=25, unique=True)
SIDES = st.one_of(st.none(), HOURS)


def window(first: int | None, end: int | None) -> Window:
    if first is not None and end is not None and end <= first:
        first, end = end, first + 1
    return Window(None if first is None else hour(first), None if end is None else hour(end))


def over(states: StateStore, asked: Window) -> str:
    try:
        return bits(states.over(asked))
    except EmptySourceError:
        return "nothing"


def put_all(states: StateStore, pieces: list[tuple[int, int]]) -> None:
    for at, seed in pieces:
        states.put(hour(at), profile(seed))


@settings(max_examples=60, deadline=None)
@given(PIECES, st.data())
def test_an_answer_depends_on_the_pieces_and_the_window_alone(
    pieces: list[tuple[int, int]], data: st.DataObject
) -> None:
    plain, other = store(), store()
    put_all(plain, sorted(pieces))
    for at, seed in data.draw(st.permutations(pieces)):
        other.put(hour(at), profile(seed))
        if data.draw(st.booleans()):
            other.put(hour(at), profile(seed))
        if data.draw(st.integers(0, 3)) == 0:
            compact(other, until=hour(data.draw(HOURS)) if data.draw(st.booleans()) else None)

    for _ in range(4):
        asked = window(data.draw(SIDES), data.draw(SIDES))
        assert over(other, asked) == over(plain, asked)


@settings(max_examples=40, deadline=None)
@given(PIECES, SIDES, SIDES)
def test_a_window_holds_every_row_of_its_hours_once(
    pieces: list[tuple[int, int]], first: int | None, end: int | None
) -> None:
    states, asked = store(), window(first, end)
    put_all(states, pieces)
    inside = [
        profile(seed)
        for at, seed in pieces
        if (asked.start is None or asked.start <= hour(at)) and (asked.end is None or hour(at) < asked.end)
    ]
    for _ in range(2):
        if not inside:
            with pytest.raises(EmptySourceError, match="memory: no hour of the window is stored"):
                states.over(asked)
            continue
        found, whole = states.over(asked), Profile().merge(*inside)
        assert (found.rows, found.rejected) == (whole.rows, whole.rejected)
        assert found.parts["x", "presence"] == whole.parts["x", "presence"]
        compact(states)


@settings(max_examples=40, deadline=None)
@given(PIECES, st.sampled_from(LEVELS[:4]), SIDES, SIDES)
def test_stretch_after_stretch_is_the_whole(
    pieces: list[tuple[int, int]], level: object, first: int | None, end: int | None
) -> None:
    states, asked = store(), window(first, end)
    put_all(states, pieces)
    each = list(states.each(level, asked))  # type: ignore[arg-type]

    assert [bits(one) for _, one in each] == [bits(states.over(part)) for part, _ in each]
    assert all(a.end <= b.start for (a, _), (b, _) in pairwise(each))  # type: ignore[operator]
    total = sum(one.rows for _, one in each)
    assert total == (states.over(asked).rows if each else 0)


@settings(max_examples=40, deadline=None)
@given(PIECES, st.data())
def test_an_hour_that_was_read_again_counts_as_it_was_read_last(
    pieces: list[tuple[int, int]], data: st.DataObject
) -> None:
    states, plain = store(), store()
    held: dict[int, list[int]] = {}
    for at, seed in pieces:
        act = data.draw(st.sampled_from(["put", "replace", "withdraw", "compact"]))
        if act == "put":
            states.put(hour(at), profile(seed))
            held.setdefault(at, []).append(seed)
        elif act == "replace":
            states.replace(hour(at), profile(seed))
            held[at] = [seed]
        elif act == "withdraw":
            assert states.withdraw(hour(at)) == bool(held.pop(at, None))
        elif held:
            compact(states)
    for at, seeds in held.items():
        for seed in seeds:
            plain.put(hour(at), profile(seed))

    if not held:
        assert met(states.files.shelf.files) == 0  # type: ignore[attr-defined]
        return
    rows = states.over().rows
    assert rows == plain.over().rows
    assert states.held().hours == len(held)
    compact(states)
    compact(states)
    assert states.over().rows == rows


@settings(max_examples=40, deadline=None)
@given(PIECES, st.sampled_from([OF_DAYS, OF_WEEKS]), st.integers(0, 40), st.booleans())
def test_days_that_are_kept_without_their_hours_are_what_they_were(
    pieces: list[tuple[int, int]], keep: object, days: int, first: bool
) -> None:
    states = store()
    put_all(states, pieces)
    asked = [Window(), *(window(24 * 7 * a, 24 * 7 * b) for a, b in [(0, 1), (1, 4), (0, 6)])]
    before = [over(states, one) for one in asked]
    if first:
        compact(states)

    forget(states, hour(24 * days), keep=keep)  # type: ignore[arg-type]

    assert [over(states, one) for one in asked] == before
    again = forget(states, hour(24 * days), keep=keep)  # type: ignore[arg-type]
    assert (again.merged, again.removed) == (0, 0)
    compact(states)
    assert [over(states, one) for one in asked] == before
    for at, seed in pieces:  # whoever tries again does not count again
        assert not states.put(hour(at), profile(seed))


@settings(max_examples=30, deadline=None)
@given(PIECES, PIECES, st.integers(0, 40))
def test_late_rows_of_kept_days_count_once(
    pieces: list[tuple[int, int]], late: list[tuple[int, int]], days: int
) -> None:
    states = store()
    put_all(states, pieces)
    forget(states, hour(24 * days))
    put_all(states, late)
    rows = sum(profile(seed).rows for _, seed in {*pieces, *late})

    assert states.over().rows == rows
    forget(states, hour(24 * days))
    assert states.over().rows == rows
    put_all(states, pieces + late)
    assert states.over().rows == rows
    forget(states, hour(24 * 41), keep=OF_WEEKS)
    assert states.over().rows == rows
    forget(states, hour(24 * 7 * 10), keep=None)
    with pytest.raises(EmptySourceError):
        states.over()


Act = Callable[[StateStore], object]
BUSY: tuple[Act, ...] = (
    *(partial(lambda at, states: states.put(hour(at), profile(at)), at) for at in range(0, 60, 7)),
    *(partial(lambda at, states: states.put(hour(at), profile(at + 1)), at) for at in range(0, 60, 14)),
    compact,
    lambda states: states.replace(hour(7), profile(3)),
    lambda states: states.withdraw(hour(14)),
    lambda states: states.put_beside(hour(0), hour(30), Profile(0, {"no time": 2}, unplaced=2)),
    compact,
    lambda states: states.put(hour(7), profile(99)),
    compact,
    compact,
    lambda states: forget(states, hour(24)),
    lambda states: states.put(hour(3), profile(98)),
    lambda states: forget(states, hour(48)),
    compact,
    lambda states: forget(states, hour(168), keep=OF_WEEKS),
    lambda states: forget(states, hour(168), keep=None),
)
"""Things to do with a store, after each of which its rows are known."""


def met(files: dict[str, bytes]) -> int:
    """Rows that a store holds, which somebody opens who knows nothing of it."""
    try:
        return store(Memory(files)).over().read
    except (EmptySourceError, MissingSourceError):
        return 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=len(BUSY), max_size=len(BUSY)))
def test_whoever_is_killed_leaves_the_old_answer_or_the_new_one_and_can_begin_again(kills: list[int]) -> None:
    files: dict[str, bytes] = {}
    for act, kill in zip(BUSY, kills, strict=True):
        whole, killed, before = Memory(dict(files)), Memory(files, left=kill), met(files)
        act(store(whole))
        after = met(whole.files)

        with suppress(CutError):
            act(store(killed))

        # Hours that are dropped for good are dropped one by one: that is the one thing that can be seen half done.
        assert met(files) in (before, after) or (not after and met(files) < before)
        act(store(Memory(files)))
        assert met(files) == after


@settings(max_examples=60, deadline=None)
@given(PIECES, st.data())
def test_two_who_work_at_once_do_no_harm(pieces: list[tuple[int, int]], data: st.DataObject) -> None:
    """One is stopped before any of its writes, the other does all of its work, and then the first goes on."""
    shelf = Memory()
    put_all(store(shelf), pieces)
    rows = store(shelf).over().rows
    acts: list[Act] = [
        compact,
        lambda states: forget(states, hour(24 * 20)),
        lambda states: forget(states, hour(24 * 30), keep=OF_WEEKS),
    ]
    one, other = data.draw(st.sampled_from(acts)), data.draw(st.sampled_from(acts))
    stop = data.draw(st.integers(0, 30))

    class Interrupted(Memory):
        def _act(self, what: str, name: str) -> None:
            if len([1 for did, _ in self.done if did != "read"]) == stop and not self.stopped:
                self.stopped = True
                other(store(Memory(self.files)))
                assert store(Memory(self.files)).over().rows == rows
            super()._act(what, name)
            assert store(Memory(self.files)).over().rows == rows

        stopped = False

    one(store(Interrupted(shelf.files)))

    assert store(shelf).over().rows == rows
    for act in acts:
        act(store(shelf))
        assert store(shelf).over().rows == rows


def test_a_window_is_covered_by_few_files() -> None:
    shelf = Memory()
    for at in range(24 * 7 * 9):
        store(shelf).put(hour(at), profile(at % 40))
    compact(store(shelf))

    # Weeks by fours are counted from 1970: the fourth week of 2024 begins one.
    for first, end, files in [
        (168 * 3, 168 * 7, 1),
        (0, 168 * 8, 5),
        (24, 168, 6),
        (168 * 3 - 5, 168 * 7 + 26, 9),
    ]:
        shelf.done.clear()
        store(shelf).over(window(first, end))
        assert len(shelf.done) == files


@pytest.mark.parametrize(
    "wrong", [timedelta(minutes=1), timedelta(microseconds=1), timedelta(hours=1, seconds=59)]
)
def test_a_window_that_cuts_an_hour_is_refused_and_the_nearest_is_named(wrong: timedelta) -> None:
    states = store()
    states.put(hour(0), profile(1))

    with pytest.raises(
        OptionError, match=r"whole hours, such as 2024-01-01T0[01]:00:00Z/2024-01-02T00:00:00Z"
    ):
        states.over(Window(hour(0) + wrong, hour(24)))
    with pytest.raises(OptionError, match="whole hours"):
        states.put(hour(0) + wrong, profile(1))


def test_a_day_whose_hours_were_dropped_cannot_be_cut() -> None:
    states = store()
    put_all(states, [(at, at) for at in range(60)])
    forget(states, hour(24))

    with pytest.raises(OptionError, match=r"whole days .* such as 2024-01-01T00:00:00Z/2024-01-02T06:00:00Z"):
        states.over(window(3, 30))
    with pytest.raises(OptionError, match="no hour can be taken out"):
        states.replace(hour(3), profile(1))
    assert [part.document()["start"] for part, _ in states.each(OF_HOURS)][:2] == [
        "2024-01-01T00:00:00Z",
        "2024-01-02T00:00:00Z",
    ]
