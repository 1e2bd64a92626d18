"""Upkeep of stored states: merging what is past, dropping what nobody needs. It may be cut short at any moment.

Nothing is dropped before what holds it too is written, and two who do this at once write the same files under the
same names.
"""

from dataclasses import dataclass
from datetime import datetime

from watchkeep.core.errors import OptionError
from watchkeep.service.ports import Progress, Silent
from watchkeep.service.state_catalogue import Catalogue, Listing
from watchkeep.service.state_store import StateStore
from watchkeep.service.state_tree import (
    EPOCH,
    HOUR,
    KEPT,
    OF_DAYS,
    OF_HOURS,
    OF_WEEKS,
    REPLACING,
    WITHDRAWN,
    Entry,
    Level,
    Node,
    grown,
    inside,
    live,
)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done.

    Args:
        merged: files written that hold what was merged.
        removed: files taken away.
    """

    merged: int = 0
    removed: int = 0

    def __add__(self, other: "Upkeep") -> "Upkeep":
        return Upkeep(self.merged + other.merged, self.removed + other.removed)


def compact(store: StateStore, *, until: datetime | None = None, progress: Progress | None = None) -> Upkeep:
    """Merge the pieces of past hours, hours of past days, days of past weeks and so on, where that is not done yet.

    What was merged of pieces that are not the same any more is taken away, and so are pieces that were replaced.

    Args:
        store: the states.
        until: when the present begins, of which nothing is merged; the end of the last stored hour when not given.
        progress: is told of every merge.

    Raises:
        MissingSourceError: there is no store.
        StoreError: it is of another baseline, a piece is damaged, or it cannot be written.
    """
    files, progress = store.files, progress or Silent()
    files.require()
    before = files.listing()  # what others merge of newer pieces, meanwhile, is not in it
    listing = files.listing()
    levels = grown(listing.pieces)
    end = 1 + max(levels[OF_HOURS.rank], default=0)
    if until is not None:
        end = min(end, (until - EPOCH) // HOUR)
    merges = [(node, one) for level in levels for node in level.values() if (one := node.merged) is not None]
    written = 0
    progress.start("Merging the past", rows=None)
    try:
        for node, one in merges:  # from the hours upwards
            if node.end is not None and node.end <= end and one.name not in listing.merged:
                written += _merge(files, node, one, listing, progress)
    finally:
        progress.stop()
    stale = before.merged.difference(one.name for _, one in merges)
    gone = [*sorted(stale), *(one.name for one in _replaced(listing))]
    for name in gone:
        files.shelf.delete(name)
    return Upkeep(written, len(gone) + files.shelf.tidy())


def _merge(files: Catalogue, node: Node, one: Entry, listing: Listing, progress: Progress) -> int:
    """Write what was merged of a stretch; gives how many files that were."""
    try:
        profile = files.value(node, listing.merged)
    except FileNotFoundError:  # a piece was replaced or dropped since it was listed
        return 0
    files.shelf.write(one.name, files.packed(node.level, node.start, profile, id=node.id).content)
    listing.merged.add(one.name)
    progress.advance(profile.rows)
    return 1


def _replaced(listing: Listing) -> list[Entry]:
    """Pieces of hours that were read again since, earlier rounds first; and what says so, when none is left."""
    of_hour: dict[int, list[Entry]] = {}
    for one in listing.pieces:
        if one.level is OF_HOURS:
            of_hour.setdefault(one.start, []).append(one)
    found = []
    for pieces in of_hour.values():
        if len(pieces) == 1 and pieces[0].tag != WITHDRAWN:
            continue
        counting, last = live(pieces), max(one.round for one in pieces)
        alone = all(one.round == last for one in pieces)
        found += [one for one in pieces if one not in counting and (one.tag != WITHDRAWN or alone)]
    return sorted(found, key=lambda one: one.round)


def forget(store: StateStore, before: datetime, *, keep: Level | None = OF_DAYS) -> Upkeep:
    """Drop the hours before some time, and keep the days or weeks they made, or nothing of them.

    What is kept is one file a day or week, which can be merged with others and not be taken apart. Rows that come
    later are kept beside it.

    Args:
        store: the states.
        before: days or weeks that end by then are put together.
        keep: which of the two; None to keep nothing of what ends by then.

    Raises:
        MissingSourceError: there is no store.
        OptionError: nothing else than days or weeks can be kept.
        StoreError: it is of another baseline, a piece is damaged, or it cannot be written.
    """
    if keep not in (None, OF_DAYS, OF_WEEKS):
        raise OptionError("keep", got=keep.name, expected="day or week, or nothing")
    files, end = store.files, (before - EPOCH) // HOUR
    files.require()
    listing = files.listing(None, end)
    if keep is None:
        every = [one for one in (*listing.pieces, *listing.spare) if inside(one, None, end)]
        return _dropped(files, every)
    done = Upkeep()
    for node in grown(listing.pieces)[keep.rank].values():
        if node.end is None or node.end > end:
            continue
        pieces = _of(node, listing)
        if [one.tag for one in pieces] != [KEPT]:
            done += _keep(files, node, listing, pieces)
    return done


def _keep(files: Catalogue, node: Node, listing: Listing, pieces: list[Entry]) -> Upkeep:
    """Put all pieces of a stretch into one file, and drop them. Whoever is not alone in this drops nothing."""
    of = {one.digest for one in pieces}
    known = of.union(one.digest for one in listing.pieces)
    try:
        of.update(*(files.covered(one) for one in pieces if one.tag == KEPT))
        alone = not node.below and [one.tag for one in node.own] == [KEPT]
        if alone:  # whoever wrote it was cut short before the pieces were dropped
            kept = node.own[0]
        else:
            packed = files.packed(node.level, node.start, files.value(node, listing.merged), of=sorted(of))
            kept = Entry(node.level, node.start, KEPT, 0, packed.digest)
            files.shelf.write(kept.name, packed.content)
    except FileNotFoundError:  # somebody else does this, or replaced a piece: later, then
        return Upkeep()
    now = files.listing(node.start, node.end)
    every = [*now.pieces, *now.spare]
    since = [one for one in every if one.digest not in known and one.digest != kept.digest]
    if not alone and any(one.tag in (REPLACING, WITHDRAWN) for one in since):
        files.shelf.delete(kept.name)  # it would count beside what replaces a part of it
        return Upkeep()
    if any(one.tag == KEPT for one in since):
        return Upkeep(not alone)
    gone = [one for one in every if one.digest in of and one.digest != kept.digest]
    return Upkeep(not alone) + _dropped(files, gone)


def _of(node: Node, listing: Listing) -> list[Entry]:
    """All the pieces of a stretch, also those that were replaced."""
    every = (*listing.pieces, *listing.spare)
    return [one for one in every if one.level.rank <= node.level.rank and inside(one, node.start, node.end)]


def _dropped(files: Catalogue, pieces: list[Entry]) -> Upkeep:
    for one in sorted(pieces, key=lambda one: one.round):  # what was replaced before what replaced it
        files.shelf.delete(one.name)
    return Upkeep(0, len(pieces))
