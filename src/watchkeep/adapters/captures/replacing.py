"""Ends what a compaction began: files that made way are put aside, and taken away when nobody reads them any more."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Protocol

from watchkeep.adapters.sources.stored.standing import Replacement, put_aside, standing_of
from watchkeep.service.ports import Shelf

KEPT: Final = timedelta(hours=1)
"""How long files are kept that made way, for those who are reading them."""
_LEFT: Final = timedelta(hours=6)
"""After which a compaction by somebody else is taken for one that was killed."""


class Hourly(Protocol):
    """An hour of the store."""

    @property
    def folder(self) -> str:
        """Where its files lie."""


def finish(shelf: Shelf, hour: Hourly, *, now: datetime, who: str, kept: timedelta = KEPT) -> int | None:
    """Put aside what made way, and take away what did so long ago.

    Args:
        shelf: the store.
        hour: in which a compaction may have been broken off.
        now: the time.
        who: does it.
        kept: how long files are kept that made way.

    Returns:
        How many files are gone; None where somebody else is compacting the hour now.

    Raises:
        StoreError: the store cannot be read or written.
    """
    standing = standing_of(shelf, hour.folder, importing=())
    names, removed = set(standing.names), 0
    for one in standing.replacements:
        if one in standing.whole:
            continue
        if one.who != who and now.timestamp() - one.at < _LEFT.total_seconds():
            return None
        for name in (*sorted(one.by & names), one.name):  # nothing has made way yet
            shelf.delete(f"{hour.folder}/{name}")
    for one in standing.whole:
        if not any(not one.by.isdisjoint(other.files) for other in standing.whole if other is not one):
            _without_earlier(shelf, hour, one, standing.whole)
            removed += _made_way(shelf, hour, one, names, now=now, kept=kept)
    return removed


def _without_earlier(shelf: Shelf, hour: Hourly, one: Replacement, several: Collection[Replacement]) -> None:
    """Take away the sidecars of what was replaced since."""
    for other in several:
        if other is not one and not other.by.isdisjoint(one.files):
            shelf.delete(f"{hour.folder}/{other.name}")


def _made_way(
    shelf: Shelf, hour: Hourly, one: Replacement, names: Collection[str], *, now: datetime, kept: timedelta
) -> int:
    over = now.timestamp() - one.at >= kept.total_seconds()
    removed = 0
    for name in sorted(one.files):
        path = f"{hour.folder}/{name}"
        aside = put_aside(path)
        if name in names:
            if not over:
                shelf.write(aside, shelf.read(path))
            shelf.delete(path)
            removed += over
        if over and aside.rpartition("/")[2] in names:
            shelf.delete(aside)
            removed += 1
    return removed
