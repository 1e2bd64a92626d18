"""Hours of states, stored and merged: any stretch of time is judged without reading a row of it.

Files are written once, under names that say what they hold (`state_tree`), so there is nothing to lock: whoever
writes the same writes the same file, a writer that is killed leaves a whole file or none, and what was merged of
pieces that are not all there any more has a name that nobody looks for.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from watchkeep.core.errors import EmptySourceError, OptionError, StoreError
from watchkeep.core.window import Window, iso
from watchkeep.profiles.profile import Profile
from watchkeep.service.ports import EVER, Shelf
from watchkeep.service.state_catalogue import Catalogue, Key, Tree
from watchkeep.service.state_tree import (
    ADDED,
    KEPT,
    LEVELS,
    OF_HOURS,
    REPLACING,
    WITHDRAWN,
    Entry,
    Level,
    at,
    cover,
    inside,
    live,
    meets,
    stretches,
    whole_hours,
)

_TRIES: Final = 5
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Held:
    """Which hours a store holds.

    Args:
        window: from the first of them to the last; None when there are none.
        hours: how many they are.
        missing: the stretches between them, or within the window that was asked about, that it does not hold.
    """

    window: Window | None
    hours: int
    missing: tuple[Window, ...]


class StateStore:
    """Hours of states on a shelf.

    Args:
        shelf: where they lie.
        key: whose states they are.
    """

    def __init__(self, shelf: Shelf, key: Key) -> None:
        self.files = Catalogue(shelf, key)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.files.shelf.name

    def put(self, start: datetime, profile: Profile) -> bool:
        """Keep what was counted of rows of an hour, beside what is kept of that hour already.

        The same again changes nothing, so it can be tried again.

        Args:
            start: when the hour begins.
            profile: of its rows.

        Returns:
            Whether it was new.

        Raises:
            OptionError: no hour begins then.
            StoreError: the store is of another baseline, damaged, or cannot be written.
        """
        return self._add(OF_HOURS, _hour(start), profile, ADDED)

    def replace(self, start: datetime, profile: Profile) -> bool:
        """Keep what was counted of all rows of an hour, in place of what was kept of that hour: they were read again.

        See `put`.

        Raises:
            OptionError: the hour was put together with others, and dropped.
        """
        return self._add(OF_HOURS, _hour(start), profile, REPLACING)

    def withdraw(self, start: datetime) -> bool:
        """Keep nothing of an hour any more. Gives whether anything was kept of it. See `replace`."""
        return self._add(OF_HOURS, _hour(start), Profile(), WITHDRAWN)

    def put_beside(self, first: datetime, last: datetime, profile: Profile) -> bool:
        """Keep what is known of rows of which nobody can tell the hour, only that they came with others.

        They count wherever the smallest stretch counts that holds all the hours of those others: a day, a week, ...

        Args:
            first, last: when the first and the last of those hours begin.
            profile: of the rows without an hour.

        Returns:
            Whether it was new.
        """
        ends = _hour(first), _hour(last)
        level = _holding(ends)
        told = bool(profile.read or profile.outside or profile.skipped)
        return told and self._add(level, level.start(ends[0]), profile, ADDED, ends)

    def clear_beside(
        self, first: datetime, last: datetime, *, but: tuple[datetime, datetime, Profile] | None = None
    ) -> None:
        """Keep nothing any more of rows without an hour that came with hours of a stretch: it was read again.

        Args:
            first, last: when the first and the last hour of the stretch begin.
            but: what was just kept and stays, as `put_beside` takes it.
        """
        ends, stays = (_hour(first), _hour(last)), None
        if but is not None:
            own = _hour(but[0]), _hour(but[1])
            level = _holding(own)
            stays = self.files.packed(level, level.start(own[0]), but[2], hours=own).digest
        self.files.require(create=True)
        for one in self.files.listing(ends[0], ends[1] + 1).pieces:
            if one.tag == ADDED and one.level is not OF_HOURS and one.digest != stays:
                self._remove(one, ends)

    def _remove(self, one: Entry, hours: tuple[int, int]) -> None:
        """Take away what is kept of rows without an hour, if they came with some of these hours."""
        with suppress(FileNotFoundError):
            told = self.files.read(one).meta.get("hours")
            if isinstance(told, list) and hours[0] <= told[0] and told[1] <= hours[1]:
                self.files.shelf.delete(one.name)

    def _add(
        self, level: Level, start: int, profile: Profile, tag: str, hours: tuple[int, int] | None = None
    ) -> bool:
        self.files.require(create=True)
        more = {} if hours is None else {"hours": hours}
        packed = self.files.packed(level, start, profile, **more)
        entry, there = self._place(level, start, tag, packed.digest)
        if entry is None:
            return there is not None and self._mended(there, packed.content)
        self.files.shelf.write(entry.name, packed.content)
        if tag != ADDED and any(one.tag == KEPT for one in self.files.near(level, start)):  # since we looked
            self.files.shelf.delete(entry.name)
            raise _dropped(start)
        return True

    def _mended(self, there: Entry, content: bytes) -> bool:
        """Write a piece again that is there already, if what is there is damaged. Gives whether it was."""
        try:
            if self.files.shelf.read(there.name) == content:
                return False
            self.files.read(there)  # the same may be compressed otherwise
        except FileNotFoundError:
            return False
        except StoreError:
            self.files.shelf.write(there.name, content)
            return True
        return False

    def _place(self, level: Level, start: int, tag: str, digest: str) -> tuple[Entry | None, Entry | None]:
        """What to call a piece; None when it is there already, and then what it is called, if it is one by itself."""
        near = self.files.near(level, start)
        mine = [one for one in near if one.level is level and one.tag != KEPT]
        counting = live(mine)
        known = [one.digest for one in counting]
        same = next((one for one in counting if one.digest == digest), None)
        last = max((one.round for one in mine), default=0)
        kept = [one for one in near if one.tag == KEPT]
        if tag == ADDED:
            there = digest in known or any(digest in self.files.covered(one) for one in kept)
            return (None, same) if there else (Entry(level, start, tag, last, digest), None)
        if kept:
            raise _dropped(start)
        if known == ([digest] if tag == REPLACING else []):
            return None, same
        return Entry(level, start, tag, last + bool(mine), digest), None

    def over(self, window: Window = EVER) -> Profile:
        """All that is stored of a window, together. It depends on the window and the pieces in it, on nothing else.

        Raises:
            EmptySourceError: nothing is.
            MissingSourceError: there is no store.
            OptionError: the window does not begin and end at whole hours, or cuts days whose hours were dropped.
            StoreError: the store is of another baseline, or a file of it is damaged.
        """
        first, end = whole_hours(window)
        self.files.require()

        def merged() -> Profile:
            profile = self._merged(Tree(self.files.listing(first, end)), first, end)
            if profile is None:
                raise self.nothing()
            return profile

        return _steady(self.name, merged)

    def nothing(self) -> EmptySourceError:
        """What to raise where nothing is stored of a window."""
        whole = self.held().window
        more = "" if whole is None else f"; it holds hours from {iso(whole.start)} to {iso(whole.end)}"
        return EmptySourceError(self.name, why=f"no hour of the window is stored{more}")

    def each(self, level: Level, window: Window = EVER) -> Iterator[tuple[Window, Profile]]:
        """What is stored of a window, stretch after stretch of a level: of each what `over` gives.

        The first and the last may be cut by the window. Days whose hours were dropped are not taken apart.
        """
        first, end = whole_hours(window)
        self.files.require()
        tree = Tree(_steady(self.name, lambda: self.files.listing(first, end)))
        for node in (one for root in tree.roots for one in stretches(root, level)):
            start = node.start if first is None else max(first, node.start)
            stop = node.end if end is None or node.end is None else min(end, node.end)
            part = Window(at(start), None if stop is None else at(stop))
            try:
                profile = self._merged(tree, start, stop)
            except FileNotFoundError:  # since it was listed
                profile = self.over(part)
            if profile is not None:
                yield part, profile

    def beside(self, level: Level, window: Window = EVER) -> Profile:
        """What `each` leaves out: rows of which only a longer stretch than those of a level is known."""
        first, end = whole_hours(window)
        self.files.require()

        def merged() -> Profile:
            longer = [
                one
                for one in self.files.listing(first, end).pieces
                if one.tag == ADDED and one.level.rank > level.rank
            ]
            return Profile().merge(*(self.files.read(one).profile for one in longer))

        return _steady(self.name, merged)

    def held(self, window: Window = EVER) -> Held:
        """Which hours are stored. Of days whose hours were dropped all count."""
        first, end = whole_hours(window)
        self.files.require()
        tree = Tree(_steady(self.name, lambda: self.files.listing(first, end)))
        found = [
            (node.start, node.end)
            for root in tree.roots
            for node in stretches(root, OF_HOURS)
            if node.end is not None
        ]
        if not found:
            return Held(None, 0, () if first is None or end is None else (window,))
        missing, reached = [], found[0][0] if first is None else first
        for start, stop in [*found, *([] if end is None else [(end, end)])]:
            if start > reached:
                missing.append(Window(at(reached), at(start)))
            reached = max(reached, stop)
        whole = Window(at(found[0][0]), at(found[-1][1]))
        return Held(whole, sum(stop - start for start, stop in found), tuple(missing))

    def _merged(self, tree: Tree, first: int | None, end: int | None) -> Profile | None:
        """All of a tree between two hours; None of nothing.

        Raises:
            FileNotFoundError: a piece is not there any more.
            OptionError: an end cuts a stretch whose hours were dropped.
        """
        for one in tree.kept:
            if meets(one, first, end) and not inside(one, first, end):
                raise _cut(one, first, end)
        nodes = [node for root in tree.roots for node in cover(root, first, end)]
        if not nodes:
            return None
        return self.files.joined([self.files.value(node, tree.merged) for node in nodes], nodes[0])


def _holding(ends: tuple[int, int]) -> Level:
    """The smallest level of which one stretch holds both hours."""
    return next(one for one in LEVELS if one.start(ends[0]) == one.start(ends[1]))


def _hour(start: datetime) -> int:
    """An hour, counted from 1970.

    Raises:
        OptionError: none begins then.
    """
    first, _ = whole_hours(Window(start, None))
    assert first is not None  # noqa: S101 (for the type checker)
    return first


def _steady(name: str, look: Callable[[], V]) -> V:
    """What somebody sees who looks again when a file that was listed is not there any more."""
    for _ in range(_TRIES):
        try:
            return look()
        except FileNotFoundError:
            continue
    raise StoreError(name, why="its files change faster than they can be read; try again")


def _dropped(start: int) -> OptionError:
    return OptionError(
        "hour",
        got=str(iso(at(start))),
        expected="one whose pieces are kept: those of this day were put together, and no hour can be taken out",
    )


def _cut(kept: Entry, first: int | None, end: int | None) -> OptionError:
    """What to say of a window that cuts a stretch whose hours were dropped."""
    start = kept.start if first is None else min(first, kept.start)
    stop = kept.end if end is None or kept.end is None else max(end, kept.end)
    sides = [[None if one is None else at(one) for one in pair] for pair in ((first, end), (start, stop))]
    got, near = (f"{iso(one) or ''}/{iso(other) or ''}" for one, other in sides)
    return OptionError(
        "window", got=got, expected=f"whole {kept.level.name}s where their hours were dropped, such as {near}"
    )
