"""Stored hours as a tree of names: days, weeks, and weeks by fours above them.

A piece is what was counted in an hour, or in a part of its rows, and is named by its start and the digest of what it
holds. What is merged is named by its start and the digest of the names below: change any piece, and every name
above it is another one. So a name is either right or nobody's, and files never change.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from watchkeep.core.errors import OptionError
from watchkeep.core.window import Window, iso

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
ORIGIN: Final = 96
"""The hour, counted from 1970, that weeks are counted from: Monday the fifth of January 1970, 00:00."""
ADDED, REPLACING, WITHDRAWN, KEPT, MERGED = "p", "r", "w", "k", "m"
"""What a file holds: rows; all rows of an hour, in place of those before; none, in place of those before; all of a
stretch whose pieces were dropped; what was merged of others, and can be again."""


@dataclass(frozen=True, slots=True)
class Level:
    """A floor of the tree.

    Args:
        rank: its place, from 0.
        name: in names.
        hours: of each of its stretches; 0 for one stretch that has no end.
    """

    rank: int
    name: str
    hours: int

    def start(self, hour: int) -> int:
        """The first hour of the stretch that an hour is in."""
        return (hour - ORIGIN) // self.hours * self.hours + ORIGIN if self.hours else ORIGIN


LEVELS: Final = tuple(
    Level(rank, name, hours)
    for rank, (name, hours) in enumerate(
        [
            ("hour", 1),
            ("day", 24),
            ("week", 168),
            *((f"{weeks}-weeks", weeks * 168) for weeks in (4, 16, 64, 256, 1024)),
            ("ever", 0),
        ]
    )
)
OF_HOURS, OF_DAYS, OF_WEEKS, *_, OF_EVER = LEVELS
_BY_NAME: Final = {level.name: level for level in LEVELS}


class Entry(NamedTuple):
    """A file of a store.

    Args:
        level: of the tree.
        start: its first hour, from 1970.
        tag: what it holds.
        round: of an hour's pieces: those of an earlier round were replaced.
        digest: of what it holds, or of the names of what was merged.
    """

    level: Level
    start: int
    tag: str
    round: int
    digest: str

    @property
    def name(self) -> str:
        """Its path in the store."""
        number = self.round if self.tag in (ADDED, REPLACING, WITHDRAWN) else ""
        folder, start = folder_of(self.level, self.start), told(self.level, self.start)
        return f"{folder}/{start}.{self.level.name}.{self.tag}{number}.{self.digest}"

    @property
    def end(self) -> int | None:
        """The hour after its last; None for one without end."""
        return self.start + self.level.hours if self.level.hours else None


def at(hour: int) -> datetime:
    """When an hour, counted from 1970, begins."""
    return EPOCH + hour * HOUR


def told(level: Level, start: int) -> str:
    """A stretch by its start, as names have it."""
    if not level.hours:
        return "all"
    return at(start).isoformat()[: 13 if level is OF_HOURS else 10]


def folder_of(level: Level, start: int) -> str:
    """Where the files of a stretch lie."""
    if level.rank > OF_DAYS.rank:
        return "weeks"
    return f"{level.name}s/{at(start).isoformat()[:7]}"


def entry_of(name: str) -> Entry | None:
    """The entry of a file's own name, without its folder; None when it is none of ours."""
    words = name.split(".")
    level = _BY_NAME.get(words[1]) if len(words) == 4 else None
    if level is None or not words[2]:
        return None
    text, _, tag, digest = words
    try:
        start = _hour(text[:7], text[8:10], text[11:13]) if level.hours else ORIGIN
        return Entry(level, start, tag[0], int(tag[1:] or 0), digest)
    except ValueError:
        return None


def _hour(month: str, day: str, hour: str) -> int:
    return _month(month) + int(day) * 24 + int(hour or 0)


@lru_cache(maxsize=4096)
def _month(text: str) -> int:
    """The hour, from 1970, a day before a month begins."""
    return (datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC) - EPOCH) // HOUR - 24


class Node(NamedTuple):
    """A stretch of time, and all that is known of it.

    Args:
        level, start: which.
        id: changes with any piece in it.
        own: the pieces that belong to it and to nothing below, in order.
        below: its parts, in order of time.
    """

    level: Level
    start: int
    id: str
    own: tuple[Entry, ...]
    below: tuple["Node", ...]

    @property
    def end(self) -> int | None:
        """The hour after its last; None for one without end."""
        return self.start + self.level.hours if self.level.hours else None

    @property
    def merged(self) -> Entry | None:
        """The file that holds all of it together; None where it is of one piece."""
        if len(self.own) + len(self.below) < 2:
            return None
        return Entry(self.level, self.start, MERGED, 0, self.id)

    def every(self) -> Iterator[Entry]:
        """All its pieces."""
        yield from self.own
        for node in self.below:
            yield from node.every()


def live(pieces: Sequence[Entry]) -> list[Entry]:
    """The pieces of a stretch that count: those of the last round, of which only one replaces what was before."""
    if len(pieces) == 1 and pieces[0].tag == ADDED:
        return list(pieces)
    last = max((one.round for one in pieces), default=0)
    found = sorted(
        {one for one in pieces if one.round == last or one.tag == KEPT}, key=lambda one: (one.tag, one.digest)
    )
    whole = [one for one in found if one.tag in (REPLACING, WITHDRAWN)]
    return [one for one in found if one.tag in (ADDED, KEPT) or (one is whole[-1] and one.tag == REPLACING)]


def grown(pieces: Iterable[Entry]) -> list[dict[int, Node]]:
    """The tree over some pieces: on each level the stretches that hold anything, by start, in order of time."""
    own: list[dict[int, list[Entry]]] = [{} for _ in LEVELS]
    for one in pieces:
        own[one.level.rank].setdefault(one.start, []).append(one)
    levels: list[dict[int, Node]] = []
    for level, of_level in zip(LEVELS, own, strict=True):
        parts: dict[int, list[Node]] = {}
        for start, node in levels[-1].items() if levels else ():
            parts.setdefault(level.start(start), []).append(node)
        found = {}
        for start in sorted({*parts, *of_level}):
            mine, below = tuple(live(of_level.get(start, ()))), tuple(parts.get(start, ()))
            if mine or below:
                found[start] = Node(level, start, _id(level, mine, below), mine, below)
        levels.append(found)
    return levels


def _id(level: Level, own: Sequence[Entry], below: Sequence[Node]) -> str:
    if len(own) + len(below) == 1:
        return own[0].digest if own else below[0].id
    names = [level.name, *(one.digest for one in own), *(f"{node.start}:{node.id}" for node in below)]
    return hashlib.blake2b(" ".join(names).encode(), digest_size=16).hexdigest()


def whole_hours(window: Window) -> tuple[int | None, int | None]:
    """The first hour of a window and the one after its last; None for an open side.

    Raises:
        OptionError: it begins or ends within an hour.
    """
    sides = [None if side is None else divmod(side - EPOCH, HOUR) for side in (window.start, window.end)]
    for side in sides:
        if side is not None and side[1]:
            near = Window(
                *(None if one is None else at(one[0] + (up and bool(one[1]))) for up, one in enumerate(sides))
            )
            raise OptionError(
                "window",
                got=f"{iso(window.start) or ''}/{iso(window.end) or ''}",
                expected=f"whole hours, such as {iso(near.start) or ''}/{iso(near.end) or ''}: "
                "states are kept by the hour, and an hour cannot be cut",
            )
    return tuple(None if side is None else side[0] for side in sides)  # type: ignore[return-value]


def meets(one: "Entry | Node", first: int | None, end: int | None) -> bool:
    """Whether any of it lies between two hours; None for an open side."""
    return (first is None or one.end is None or one.end > first) and (
        end is None or one.end is None or one.start < end
    )


def inside(one: "Entry | Node", first: int | None, end: int | None) -> bool:
    """Whether all of it lies between two hours; None for an open side. What has no end lies between no two."""
    if one.end is None:
        return first is None and end is None
    return (first is None or first <= one.start) and (end is None or one.end <= end)


def cover(node: Node, first: int | None, end: int | None) -> Iterator[Node]:
    """The fewest stretches of a tree that make up the hours from `first` to before `end`; None for an open side."""
    if inside(node, first, end):
        yield node
    elif meets(node, first, end):
        for below in node.below:
            yield from cover(below, first, end)


def stretches(node: Node, level: Level) -> Iterator[Node]:
    """The stretches of a tree on some level; longer ones where nothing shorter was kept of them."""
    if node.level.rank <= level.rank or any(one.tag == KEPT for one in node.own):
        yield node
        return
    for below in node.below:
        yield from stretches(below, level)
