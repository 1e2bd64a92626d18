"""The fold: the rows of a source, part by part, into one value. Who reads the parts is an engine's business.

A source is cut into parts by its files alone, never by who reads them, and what the parts give is merged in one
tree, whose shape depends on their number alone. So one process, several and a cluster give the same value to the
last bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from watchkeep.core.errors import BadInputError, EmptySourceError, MissingColumnError, SourceError
from watchkeep.profiles.profile import Profile, together
from watchkeep.service.ports import MISSING, Ask, OfFiles, Progress, Source, parts_of
from watchkeep.service.reading import nothing_in

FAN: Final = 32
"""Values that are merged at a time."""


class Mergeable(Protocol):
    """A value that merges with its like."""

    def merge(self, *others: Self) -> Self:
        """All together, in this order."""
        ...


M = TypeVar("M")
G = TypeVar("G", bound=Mergeable)
R = TypeVar("R")


def in_one(values: Sequence[G]) -> G:
    """Some values, at least one, as one."""
    return values[0].merge(*values[1:]) if len(values) > 1 else values[0]


@dataclass(frozen=True, slots=True)
class Fold(Generic[M]):
    """What is done with the rows of each part of a source. Its functions can be sent to other machines.

    Args:
        begin: makes what reads the rows of a part, by the part's number.
        done: what that gives when all rows of the part are read.
        merge: values of parts as one, in their order.
    """

    begin: Callable[[int], Any]
    done: Callable[[Any], M]
    merge: Callable[[Sequence[M]], M]

    @classmethod
    def counting(cls, make: Callable[..., Any], *given: Any) -> "Fold[Profile]":
        """The profile that a scan gives; a scan is made of what is `given`."""
        return Fold(fresh(make, *given), _profile, together)

    @classmethod
    def surveying(cls, make: Callable[..., G], *given: Any) -> "Fold[G]":
        """A survey, which is itself what it gives, and merges."""
        return Fold(fresh(make, *given), itself, in_one)


def fresh(make: Callable[..., R], *given: Any) -> Callable[[int], R]:
    """What makes the same of every part, whatever its number; it can be sent to other machines."""
    return partial(_made, make, given)


def _made(make: Callable[..., Any], given: tuple[Any, ...], part: int) -> Any:  # noqa: ARG001 (all parts are alike)
    return make(*given)


def _profile(scan: Any) -> Profile:
    profile: Profile = scan.profile()
    return profile


def itself(survey: G) -> G:
    """A survey is what it gives."""
    return survey


class Engine(Protocol):
    """Reads sources, here or elsewhere."""

    @property
    def skip(self) -> bool:
        """Whether files that cannot be read are left out, named and counted."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def fold(self, source: Source, ask: Ask, fold: Fold[M], *, progress: Progress, what: str) -> M:
        """Fold all rows of a source.

        Args:
            source: the rows.
            ask: which of them.
            fold: what is done with them.
            progress: is told how it goes.
            what: is done, for people.

        Raises:
            EmptySourceError: none of its files holds anything.
            SourceError: it cannot be read.
        """
        ...

    def in_order(self, why: str) -> "Engine":
        """An engine that reads the parts here, one after the other.

        Args:
            why: the option that needs it.

        Raises:
            OptionError: this one does not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tree(Generic[M]):
    """Merges values as they come, in their order, `FAN` at a time: so many of them are held at most on each level.

    Args:
        merge: values as one.

    >>> tree = Tree(sum)
    >>> for value in range(100):
    ...     tree.add(value)
    >>> tree.whole(), [len(level) for level in tree.levels]
    (4950, [4, 3])
    """

    merge: Callable[[Sequence[M]], M]
    levels: list[list[M]] = field(default_factory=list)

    def add(self, value: M, *, level: int = 0) -> None:
        """The next value; of a level above the first one, what `FAN` of the level below have given."""
        while len(self.levels) <= level:
            self.levels.append([])
        self.levels[level].append(value)
        if len(self.levels[level]) == FAN:
            whole = self.merge(self.levels[level])
            self.levels[level] = []
            self.add(whole, level=level + 1)

    def whole(self) -> M | None:
        """All so far; None when nothing came."""
        rest: list[M] = []
        for level in self.levels:
            held = [*level, *rest]
            rest = [self.merge(held)] if held else []
        return rest[0] if rest else None


@dataclass(frozen=True, slots=True)
class Folded(Generic[M]):
    """What a part gave.

    Args:
        value: of its rows; of none, when it is empty.
        rows: how many were met.
        empty: why its files hold nothing at all; None when they hold something.
    """

    value: M
    rows: int
    empty: EmptySourceError | None = None


def folded(
    part: Source, at: int, ask: Ask, fold: Fold[M], *, skip: bool, progress: Progress | None = None
) -> Folded[M]:
    """Fold one part.

    Args:
        part, at: which one.
        ask: which of its rows.
        fold: what is done with them.
        skip: whether a file that cannot be read is left out, named and counted. What was read of it does not count.
        progress: is told of batches.

    Raises:
        SourceError: a file cannot be read, and none is to be left out.
    """
    try:
        return _read(part, at, ask, fold, progress)
    except SourceError as error:
        if not skip or not isinstance(part, OfFiles):
            raise
        files = part.singles()
        if len(files) == 1:
            reader = fold.begin(at)
            reader.add(part.lost(error))
            return Folded(fold.done(reader), 0)
    each = [folded(one, at, ask, fold, skip=skip) for one in files]
    empty = each[0].empty if all(one.empty for one in each) else None
    return Folded(fold.merge([one.value for one in each]), sum(one.rows for one in each), empty)


def _read(part: Source, at: int, ask: Ask, fold: Fold[M], progress: Progress | None) -> Folded[M]:
    reader, rows = fold.begin(at), 0
    try:
        for batch in part.batches(ask):
            reader.add(batch)
            met = batch.rows + sum(batch.rejected.values())
            rows += met
            if progress is not None:
                progress.advance(met)
    except EmptySourceError as error:
        return Folded(fold.done(reader), 0, error)
    return Folded(fold.done(reader), rows)


class Gathering(Generic[M]):
    """What the parts of a source gave, taken in their order.

    Args:
        source: the parts'.
        fold: what is done.
    """

    def __init__(self, source: Source, fold: Fold[M]) -> None:
        self._source, self._fold = source, fold
        self._tree = Tree(fold.merge)
        self._empty: list[EmptySourceError] = []
        self._parts = 0

    def add(self, found: Folded[M], *, level: int = 0) -> None:
        """The next part's or, of level 1, that of the next `FAN` parts, which were merged elsewhere."""
        self._parts += 1
        self._empty += [] if found.empty is None else [found.empty]
        self._tree.add(found.value, level=level)

    def whole(self) -> M:
        """All of it.

        Raises:
            EmptySourceError: none of the files holds anything.
        """
        if self._empty and len(self._empty) == self._parts:
            raise (
                self._empty[0]
                if self._parts == 1
                else EmptySourceError(self._source.name, why="all its files are empty")
            )
        whole = self._tree.whole()
        return self._fold.done(self._fold.begin(0)) if whole is None else whole


@dataclass(frozen=True, slots=True)
class Local:
    """Reads on this machine, one part after the other.

    Args:
        skip: whether files that cannot be read are left out, named and counted.
    """

    skip: bool = False

    @property
    def name(self) -> str:
        """See `Engine`."""
        return "local"

    def in_order(self, why: str) -> "Local":  # noqa: ARG002 (part of the port)
        """See `Engine`."""
        return self

    def fold(self, source: Source, ask: Ask, fold: Fold[M], *, progress: Progress, what: str) -> M:
        """See `Engine`."""
        gathering = Gathering(source, fold)
        progress.start(what, rows=None)
        try:
            for at, part in enumerate(parts_of(source, ask)):
                gathering.add(folded(part, at, ask, fold, skip=self.skip, progress=progress))
        finally:
            progress.stop()
        return gathering.whole()


HERE: Final = Local()
"""One part after the other; a file that cannot be read is an error."""


def counted(
    engine: Engine, source: Source, ask: Ask, fold: Fold[Profile], *, progress: Progress, what: str
) -> Profile:
    """The profile of all rows of a source.

    Raises:
        EmptySourceError: no row is left to analyse.
        MissingColumnError: no file has the column of the event time.
        SourceError: the source cannot be read.
    """
    profile = engine.fold(source, ask, fold, progress=progress, what=what)
    if not profile.rows:
        raise nothing_counted(source, ask, profile)
    return profile


def nothing_counted(
    source: Source, ask: Ask, profile: Profile, *, reader: str = "the window"
) -> BadInputError:
    """What to raise where there is no row to analyse.

    Args:
        source, ask: what was asked for.
        profile: of no row.
        reader: who needs the column of the event time, for people.
    """
    if ask.timestamp is not None and profile.rejected.get(MISSING):
        names = source.schema(replace(ask, columns=None, lenient=True)).names
        if ask.timestamp not in names:
            return MissingColumnError(ask.timestamp, reader=reader, available=names)
    return EmptySourceError(source.name, why=no_rows(profile, bounded=ask.window.bounded))


def told_left_out(profile: Profile, source: str, progress: Progress) -> None:
    """Tell people of the files that were left out, where no report is going to.

    Args:
        profile: of the rows that could be read.
        source: what was read, for people.
        progress: is told.
    """
    names = list(profile.skipped)
    if not names:
        return
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    gone = f"{profile.files.lost:,} of {profile.files.met:,} files could not be read, and were left out"
    progress.note(f"{source}: {gone}: {', '.join(names[:3])}{more}")


def no_rows(profile: Profile, *, bounded: bool) -> str:
    """Why there is nothing to analyse.

    Args:
        profile: of no row.
        bounded: whether only rows of a window were asked for.
    """
    why = nothing_in(profile.rejected)
    if profile.skipped:
        name, first = next(iter(profile.skipped.items()))
        more = f" and {len(profile.skipped) - 1} more" if len(profile.skipped) > 1 else ""
        return f"{why}; left out: {name} ({first}){more}"
    return f"{why} in the window" if bounded and not profile.rejected else why
