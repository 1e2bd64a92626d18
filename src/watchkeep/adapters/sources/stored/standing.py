"""Which files of an hour count, while some make way for others and some are only being brought in.

Files that make way are told before what holds their records too is written: `_replaced-NAME.json` names both. Once all
that replaces them is there they do not count any more, and before that what replaces them does not. So each record
counts once at any moment, whoever is killed. The sidecar stays, and files that are brought again do not count either.

What an import brings counts when all of it is there: until then `_importing-NAME.json`, at the top of the store, tells
what to leave alone.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from watchkeep.adapters.sources.stored.layout import GIVEN, SUFFIX, TRAFFIC
from watchkeep.core.errors import StoreError
from watchkeep.service.ports import Shelf

REPLACED: Final = "_replaced-"
IMPORTING: Final = "_importing-"
COMPACTED: Final = "c-"
"""How files begin that were made of others; in these no record is there twice."""
IMPORTED: Final = "i-"
"""How files go on after `GIVEN` that an import brought, before the 32 characters of its digest."""
DIGEST: Final = 32


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a sidecar says.

    Args:
        name: its own.
        by: files that replace others.
        files: the others, and those that they had replaced.
        at: when it was written, seconds since 1970.
        who: wrote it.
    """

    name: str
    by: frozenset[str]
    files: frozenset[str]
    at: int
    who: str

    def content(self) -> bytes:
        """It as a file."""
        told = {
            "version": 1,
            "by": sorted(self.by),
            "files": sorted(self.files),
            "at": self.at,
            "who": self.who,
        }
        return json.dumps(told, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Standing:
    """What lies in an hour.

    Args:
        names: all its files.
        counting: those that count, records and counts of requests, in order.
        replacements: its sidecars.
        whole: those of which all that replaces others is there, or was replaced itself.
        doubtful: whether records may be in two files that count, as two replaced the same ones.
    """

    names: Sequence[str]
    counting: Sequence[str]
    replacements: Sequence[Replacement]
    whole: Sequence[Replacement]
    doubtful: bool

    @property
    def records(self) -> list[str]:
        """The files of records that count."""
        return [name for name in self.counting if name.endswith(SUFFIX)]

    @property
    def traffic(self) -> list[str]:
        """The files of counts that count."""
        return [name for name in self.counting if name.startswith(TRAFFIC)]

    @property
    def repeated(self) -> bool:
        """Whether a record may be there more than once."""
        return self.doubtful or any(name.startswith(GIVEN) for name in self.records)


def standing_of(shelf: Shelf, folder: str, *, importing: Collection[str] | None = None) -> Standing:
    """What lies in the folder of an hour.

    Args:
        shelf: the store.
        folder: of the hour.
        importing: what `importing_in` told; looked up when not given.

    Raises:
        StoreError: it cannot be read, or a sidecar is damaged.
    """
    names = shelf.names(folder)
    if any(_is_made(name) for name in names) and not any(name.startswith(REPLACED) for name in names):
        names = shelf.names(folder)  # the sidecar was written while the folder was listed
    read = (_read(shelf, folder, name) for name in sorted(names) if name.startswith(REPLACED))
    replacements = [one for one in read if one is not None]
    whole, hidden = _hidden(names, replacements)
    foreign = importing_in(shelf) if importing is None and any(map(digest_in, names)) else importing or ()
    counting = sorted(
        name
        for name in names
        if (name.endswith(SUFFIX) or name.startswith(TRAFFIC))
        and name not in hidden
        and digest_in(name) not in foreign
    )
    return Standing(names, counting, replacements, whole, _doubtful(whole, hidden))


def importing_in(shelf: Shelf) -> frozenset[str]:
    """The digests of what is being brought into a store.

    Raises:
        StoreError: it cannot be read.
    """
    found: set[str] = set()
    for name in shelf.names(""):
        if name.startswith(IMPORTING):
            try:
                found.update(json.loads(shelf.read(name))["digests"])
            except FileNotFoundError:  # it is over
                continue
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{shelf.name}/{name}", why="it is damaged") from error
    return frozenset(found)


def digest_in(name: str) -> str | None:
    """The digest in the name of a file that an import brought; None in other names.

    >>> digest_in("g-i-0123456789abcdef0123456789abcdef-0.parquet")
    '0123456789abcdef0123456789abcdef'
    """
    for start in (GIVEN + IMPORTED, TRAFFIC + IMPORTED):
        if name.startswith(start):
            return name[len(start) : len(start) + DIGEST]
    return None


def put_aside(path: str) -> str:
    """Where a file is kept for a while that does not count any more, for those who are reading it.

    >>> put_aside("a/b.parquet")
    'a/_was-b.parquet.old'
    """
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{ASIDE}{name}{OLD}"


ASIDE: Final = "_was-"
OLD: Final = ".old"


def _is_made(name: str) -> bool:
    return name.startswith(COMPACTED) and name.endswith(SUFFIX)


def _hidden(
    names: Collection[str], replacements: Sequence[Replacement]
) -> tuple[list[Replacement], set[str]]:
    """The replacements that are whole, and the files that do not count."""
    whole: list[Replacement] = []
    there = set(names)
    while found := [one for one in replacements if one not in whole and one.by <= there]:
        whole += found
        there.update(name for one in found for name in one.files)
    hidden = {name for one in whole for name in one.files}
    return whole, hidden | {name for one in replacements if one not in whole for name in one.by}


def _doubtful(whole: Sequence[Replacement], hidden: Collection[str]) -> bool:
    """Whether two replaced the same files, and what they made of them counts both times."""
    seen: set[str] = set()
    for one in whole:
        if one.by.isdisjoint(hidden):
            if not seen.isdisjoint(one.files):
                return True
            seen |= one.files
    return False


def _read(shelf: Shelf, folder: str, name: str) -> Replacement | None:
    try:
        told = json.loads(shelf.read(f"{folder}/{name}"))
        return Replacement(name, frozenset(told["by"]), frozenset(told["files"]), told["at"], told["who"])
    except FileNotFoundError:  # another one says the same now
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{shelf.name}/{folder}/{name}", why="it is damaged") from error
