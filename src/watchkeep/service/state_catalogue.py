"""The files of a store of states: whose they are, which there are, and what they hold."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from watchkeep.core.errors import MissingSourceError, StateError, StoreError
from watchkeep.core.window import iso
from watchkeep.formats.profile_archive import Archived, Unpacked, pack_profile, unpack_profile
from watchkeep.profiles.profile import Profile, together
from watchkeep.service.ports import Shelf
from watchkeep.service.state_tree import (
    ADDED,
    KEPT,
    LEVELS,
    MERGED,
    OF_HOURS,
    REPLACING,
    Entry,
    Level,
    Node,
    at,
    entry_of,
    folder_of,
    grown,
    inside,
    meets,
    told,
)

VERSION: Final = 1
"""Of the names in a store; one of a newer version is refused."""
_MARK: Final = "watchkeep-states"
_FOLDERS: Final = ("hours", "days")
_FEW: Final = (
    12  # files of one week that hold the same pieces: whoever keeps days and weeks at once leaves them
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Whose states a store holds.

    Args:
        baseline: the identity of the baseline's states (`Learned.states_id`).
        dialect: by whose rules rows were read.
        kind: the baseline's monitor.
    """

    baseline: str
    dialect: str
    kind: str

    @property
    def mark(self) -> str:
        """The name of the file that says so."""
        return f"{_MARK}.{VERSION}.{self.baseline}.{self.dialect}"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a store holds of some stretch.

    Args:
        pieces: those that nothing else holds too.
        spare: pieces that something else holds too: a file they were kept together in.
        merged: names of files that hold what was merged.
    """

    pieces: list[Entry] = field(default_factory=list)
    spare: list[Entry] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)


class Tree:
    """What was listed, as a tree.

    Args:
        listing: of a stretch.
    """

    def __init__(self, listing: Listing) -> None:
        self.roots = list(grown(listing.pieces)[-1].values())
        self.kept = [one for one in listing.pieces if one.tag == KEPT]
        self.merged = listing.merged


class Catalogue:
    """The files on a shelf, as states of hours and of what was merged of them.

    Args:
        shelf: where they lie.
        key: whose they are.
    """

    def __init__(self, shelf: Shelf, key: Key) -> None:
        self.shelf, self.key = shelf, key
        self._ready = False
        self._covered: dict[str, frozenset[str]] = {}

    def require(self, *, create: bool = False) -> None:
        """Check whose states they are.

        Args:
            create: whether to begin a store where there is none.

        Raises:
            MissingSourceError: there is no store.
            StoreError: it is of another baseline, of a newer version, or something else lies there.
        """
        if self._ready:
            return
        if not self._marked(self.shelf.names("")):
            if not create:
                looked_for = "states of hours, as `watchkeep check BASELINE SOURCE --states DIR` stores them"
                raise MissingSourceError(self.shelf.name, looked_for=looked_for, what="folder")
            about = {"version": VERSION, "baseline": self.key.baseline, "dialect": self.key.dialect}
            self.shelf.write(self.key.mark, json.dumps(about | {"monitor": self.key.kind}).encode())
            self._marked(self.shelf.names(""))  # another baseline's may have been begun at the same time
        self._ready = True

    def _marked(self, names: Sequence[str]) -> bool:
        """Whether it is begun."""
        marks = [name for name in names if name.startswith(f"{_MARK}.")]
        for mark in marks:
            version, baseline, dialect = (*mark.split(".")[1:], "", "", "")[:3]
            if version != str(VERSION):
                why = (
                    f"it has version {version}, and this Watchkeep reads version {VERSION}; upgrade Watchkeep"
                )
                raise StoreError(self.shelf.name, why=why)
            if mark != self.key.mark:
                raise StoreError(
                    self.shelf.name,
                    why=f"it holds states of baseline {baseline} ({dialect} dialect), and this one is"
                    f" {self.key.baseline} ({self.key.dialect} dialect); name another folder",
                )
        if names and not marks:
            why = f"it holds {min(names)!r}, and no states of ours; name an empty folder, or one of states"
            raise StoreError(self.shelf.name, why=why)
        return bool(marks)

    def listing(self, first: int | None = None, end: int | None = None) -> Listing:
        """What there is of the hours from `first` to before `end`; None for an open side."""
        found, ever = Listing(), first is None and end is None
        # Pieces before what they may be kept in: whoever drops them has written that before.
        for name in [*self._months(first, end), "weeks"]:
            for entry in self._entries(name):
                if not ever and not meets(entry, first, end):
                    continue
                if entry.tag == MERGED:
                    found.merged.add(entry.name)
                else:
                    found.pieces.append(entry)
        return self._resolved(found)

    def near(self, level: Level, start: int) -> list[Entry]:
        """The pieces of a stretch, and of those above that hold it."""
        wanted: dict[str, list[str]] = {}
        for one in LEVELS[level.rank :]:
            wanted.setdefault(folder_of(one, one.start(start)), []).append(
                f"{told(one, one.start(start))}.{one.name}."
            )
        names = (
            name
            for folder, beginnings in wanted.items()
            for name in self.shelf.names(folder)
            if name.startswith(tuple(beginnings))
        )
        return [one for one in map(entry_of, names) if one is not None and one.tag != MERGED]

    def _months(self, first: int | None, end: int | None) -> Iterable[str]:
        for folder in _FOLDERS:
            for month in sorted(self.shelf.names(folder)):
                if (first is None or month >= folder_of(LEVELS[0], first)[-7:]) and (
                    end is None or month <= folder_of(LEVELS[0], end - 1)[-7:]
                ):
                    yield f"{folder}/{month}"

    def _entries(self, folder: str) -> Iterable[Entry]:
        return filter(None, map(entry_of, self.shelf.names(folder)))

    def _resolved(self, found: Listing) -> Listing:
        """Without the pieces that are in a file they were kept together in: they wait to be dropped."""
        kept = [one for one in found.pieces if one.tag == KEPT]
        if not kept:
            return found
        longest = max((one.level for one in kept), key=lambda level: level.rank)
        groups: dict[int, list[Entry]] = {}
        for one in found.pieces:
            if one.level.rank <= longest.rank:
                groups.setdefault(longest.start(one.start), []).append(one)
        covered: set[str] = set()
        for group in groups.values():
            files = [one for one in group if one.tag == KEPT]
            if not any(_beside(group, one) for one in files):
                continue
            holds = {one.digest: self.covered(one) for one in files}
            loose = {one.digest for one in group if one.digest not in holds}
            chosen = _chosen(holds, loose)
            covered.update(set(holds).difference(chosen), *(holds[digest] for digest in chosen))
        if not covered:
            return found
        pieces = [one for one in found.pieces if one.digest not in covered]
        return Listing(pieces, [one for one in found.pieces if one.digest in covered], found.merged)

    def covered(self, kept: Entry) -> frozenset[str]:
        """The digests of the pieces that were kept together in a file."""
        if kept.name not in self._covered:
            told = self.read(kept).meta.get("of")
            self._covered[kept.name] = frozenset(map(str, told if isinstance(told, list) else ()))
        return self._covered[kept.name]

    def read(self, entry: Entry) -> Unpacked:
        """What a file holds.

        Raises:
            FileNotFoundError: it is not there, or not any more.
            StoreError: it is damaged, or is not what its name says.
        """
        path = f"{self.shelf.name}/{entry.name}"
        try:
            found = unpack_profile(self.shelf.read(entry.name), path)
        except StoreError as error:
            if "damaged" not in error.why:
                raise
            raise StoreError(path, why=f"{error.why}{_mending(entry)}") from error
        meant = found.meta.get("id") if entry.tag == MERGED else found.digest
        if (meant, found.meta.get("baseline")) != (entry.digest, self.key.baseline):
            raise StoreError(
                path, why="it does not hold what its name says; it was renamed, or copied from elsewhere"
            )
        return found

    def packed(self, level: Level, start: int, profile: Profile, **more: object) -> Archived:
        """A profile as a file of the store."""
        meta = {"baseline": self.key.baseline, "dialect": self.key.dialect, "level": level.name}
        return pack_profile(profile, {**meta, "start": start, **more})

    def value(self, node: Node, merged: set[str]) -> Profile:
        """All of a stretch together, merged along the tree.

        Args:
            node: the stretch.
            merged: names of what was merged before.

        Raises:
            FileNotFoundError: a piece is not there any more.
            StoreError: a piece is damaged.
        """
        known = node.merged
        if known is not None and known.name in merged:
            try:
                return self.read(known).profile
            except (FileNotFoundError, StoreError):
                merged.discard(known.name)  # it can be made again of what is below
        pieces = [self.read(one).profile for one in node.own]
        return self.joined([*pieces, *(self.value(below, merged) for below in node.below)], node)

    def joined(self, profiles: Sequence[Profile], node: Node) -> Profile:
        """Profiles of a stretch, at least one, as one.

        Raises:
            StoreError: they were counted in different ways.
        """
        try:
            return profiles[0] if len(profiles) == 1 else together(profiles)
        except StateError as error:
            why = f"what is stored of the {node.level.name} {told(node.level, node.start)} cannot be merged: {error}"
            raise StoreError(self.shelf.name, why=why) from error


def _mending(entry: Entry) -> str:
    """What else can be done about a damaged file than to restore it."""
    if entry.level is OF_HOURS and entry.tag in (ADDED, REPLACING):
        start, end = iso(at(entry.start)), iso(at(entry.start + 1))
        return f", or read its hour again: `check ... --states ... --again --start {start} --end {end}`"
    if entry.tag == ADDED:
        return ", or take it away: it tells only of rejected rows"
    return ""


def _beside(group: Sequence[Entry], kept: Entry) -> bool:
    """Whether there is anything else of the stretch that was kept together in a file."""
    return any(inside(one, kept.start, kept.end) for one in group if one is not kept)


def _chosen(holds: Mapping[str, frozenset[str]], loose: set[str]) -> tuple[str, ...]:
    """Which of several files to take, so that no piece is in two of them, and none is missing.

    Who drops pieces does so only where no other such file has come, so there is a choice that lacks nothing.
    """
    apart = {one for one in holds if not any(holds[one] & holds[other] for other in holds if other != one)}
    files = sorted(holds.keys() - apart)[:_FEW]
    best: tuple[int, int, tuple[str, ...]] = (len(loose), 0, ())
    for count in range(1, len(files) + 1):
        for some in combinations(files, count):
            every = [digest for one in some for digest in holds[one]]
            if len(set(every)) == len(every):
                best = max(best, (len(loose.union(every)), -count, some))
    return (*apart, *best[2])
