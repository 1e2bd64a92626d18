"""Filling a store: the rows of a source become stored hours, and their total."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from watchkeep.core.errors import MissingSourceError, OptionError
from watchkeep.core.window import Window
from watchkeep.frames.batches import FilesMet
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.plan import ALL, AttributionPlan
from watchkeep.monitors.attribution.scan import AttributionScan, Reading
from watchkeep.profiles.profile import Profile, together
from watchkeep.service.attribution.explained import Nobody, of_part, way_of
from watchkeep.service.attribution.explainers import Method
from watchkeep.service.attribution.learned import AttributionLearned
from watchkeep.service.evenly import evenly
from watchkeep.service.folding import HERE, Engine, Fold, Tree, in_one, itself, nothing_counted
from watchkeep.service.hourly import HourlyScan, Hours
from watchkeep.service.joining import Labelled
from watchkeep.service.learned import Counting, Learned
from watchkeep.service.ports import WINDOW, Ask, Progress, Silent, Source
from watchkeep.service.reading import ask_of
from watchkeep.service.rows import rows_of
from watchkeep.service.state_store import StateStore
from watchkeep.service.state_tree import at, whole_hours

HELD: Final = 50_000
"""Columns times hours that are held at a time: half a gigabyte. A source of more is read again for each so many."""
_EXPLAINING: Final = "Explaining the hours"
_COUNTING: Final = "Counting the hours"


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a source's rows.

    Args:
        total: of all rows that were met, also those of which no hour is known.
        window: from the first hour to the last.
        hours: how many were met.
        new: of how many of them the store holds something else than before.
    """

    total: Profile
    window: Window
    hours: int
    new: int


def fill(
    store: StateStore,
    learned: Learned,
    source: Source,
    *,
    window: Window,
    dialect: Dialect,
    roles: Roles | None = None,
    again: bool = False,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> Filled:
    """Count the rows of a source by the hour, and store the hours.

    It may be cut short and done again: hours that are stored are stored once.

    Args:
        store: for the baseline's states.
        learned: the baseline, in force; of attribution, with its model.
        source: the rows.
        window: keeps only rows of this time; it begins and ends at whole hours.
        dialect: by whose rules rows are read.
        roles: which column is what, where that is given with the source; only the event time may differ.
        again: whether the hours were read before: what is stored of them then makes way, and so do hours within the
            window that the source has no row of.
        engine: who reads.
        progress: is told how it goes.

    Raises:
        EmptySourceError: no row has an hour.
        MissingColumnError: there is no column of that name.
        OptionError: it is not said which column is the event time; roles or the model are not the baseline's; or the
            window does not begin and end at whole hours.
        SourceError: the source cannot be read.
        StoreError: the store is of another baseline, damaged, or cannot be written.
    """
    first, end = whole_hours(window)
    reader = _Reader(learned, dialect, _timestamp(learned, roles), engine, progress or Silent())
    with suppress(MissingSourceError):
        store.files.require()  # before it takes long
    hours = reader.read(source, window)
    if not hours.known:
        ask = Ask(timestamp=reader.timestamp, window=window)
        raise nothing_counted(source, ask, hours.beside, reader="storing hours")
    known = sorted(hours.known)
    put = store.replace if again else store.put
    beside = _lasting(hours.beside)
    tree, new = Tree(together), 0
    for hour, profile in reader.each(source, hours):
        mine = profile.merge(beside) if len(known) == 1 else profile
        new += put(at(hour), mine)
        tree.add(profile)
    ends = known[0], known[-1]
    if len(known) > 1:
        store.put_beside(at(ends[0]), at(ends[1]), beside)
    if again:
        read = ends if first is None or end is None else (first, end - 1)
        store.clear_beside(
            at(read[0]), at(read[1]), but=None if len(known) == 1 else (at(ends[0]), at(ends[1]), beside)
        )
    if again and first is not None and end is not None:
        new += sum(store.withdraw(at(hour)) for hour in range(first, end) if hour not in hours.known)
    total = tree.whole() or Profile()
    return Filled(total.merge(hours.beside), Window(at(known[0]), at(known[-1] + 1)), len(known), new)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads a source by the hour.

    Args:
        learned: the baseline, in force.
        dialect: by whose rules.
        timestamp: the column of the event time.
        engine: who reads.
        progress: is told how it goes.
    """

    learned: Learned
    dialect: Dialect
    timestamp: str
    engine: Engine
    progress: Progress

    def read(self, source: Source, window: Window) -> Hours:
        """The hours of a window, or only which they are, when they are too many to be held."""
        learned = self.learned
        source = rows_of(source, learned.baseline.roles)
        source = evenly(source, learned.baseline.roles, window)
        roles = replace(learned.baseline.roles, timestamp=self.timestamp)
        ask = ask_of(source, roles, positional=learned.names or None, window=window)
        most = max(24, HELD // max(1, len(learned.columns)))
        if isinstance(learned, AttributionLearned):
            return self._explained(learned, source, ask, most)
        begin = partial(HourlyScan, learned.begin(self.dialect), self.timestamp, most)
        return self.engine.fold(
            source, ask, Fold(begin, HourlyScan.hours, in_one), progress=self.progress, what=_COUNTING
        )

    def each(self, source: Source, hours: Hours) -> Iterator[tuple[int, Profile]]:
        """Every hour and its profile, in order; read again, some at a time, where they are too many to be held."""
        if hours.profiles is not None:
            yield from sorted(hours.profiles.items())
            return
        known = sorted(hours.known)
        if isinstance(source, Labelled):
            raise OptionError(
                "labels",
                got=f"{len(known):,} hours at once",
                expected=f"at most {hours.most:,}, as labels are joined to all rows at once: see --start and --end",
            )
        for start in range(0, len(known), hours.most):
            some = known[start : start + hours.most]
            found = self.read(source, Window(at(some[0]), at(some[-1] + 1)))
            yield from sorted((found.profiles or {}).items())

    def _explained(self, learned: AttributionLearned, source: Source, ask: Ask, most: int) -> Hours:
        """The same where rows are explained: of each hour as many as of a window, within one budget."""
        way, plan = way_of(learned.model, learned.baseline, learned.options), learned.baseline.plan
        if way.name != learned.baseline.method and learned.baseline.known is None:
            raise OptionError(
                "model",
                got=way.name,
                expected=f"the way in which the baseline was made ({learned.baseline.method}): "
                "states of rows that were explained otherwise do not compare with it",
            )
        apart = plan.explained == ALL or isinstance(way, Reading)
        engine = self.engine.in_order("states")
        begin = partial(
            HourlyScan, partial(of_part, plan, way if apart else Nobody(), None), self.timestamp, most
        )
        fold = Fold(begin, itself, in_one)
        scan: HourlyScan = engine.fold(source, ask, fold, progress=self.progress, what=_EXPLAINING)
        return scan.hours(None if apart else partial(_explain, plan, way))


def _explain(plan: AttributionPlan, way: Method, scan: Counting, left: int) -> Profile:
    """The profile of an hour's rows that were chosen, for its share of what may still be explained."""
    assert isinstance(scan, AttributionScan)  # noqa: S101 (we made it)
    affordable = way.affordable()
    most = scan.most if affordable is None else max(1, min(scan.most, affordable // left))
    return AttributionScan(plan, way, most=most).merge(scan).profile()


def _timestamp(learned: Learned, roles: Roles | None) -> str:
    """The column of the event time.

    Raises:
        OptionError: it is not said, or other roles are than those of the baseline.
    """
    own = learned.baseline.roles
    given = own if roles is None else own.under(roles)
    if given.timestamp is None:
        raise OptionError(
            "timestamp",
            got="none",
            expected="the column of the event time, because states are kept by the hour",
        )
    if replace(given, timestamp=own.timestamp) != own:
        expected = "those of the baseline, but for the timestamp: states are kept as the baseline counts them"
        raise OptionError("roles", got=", ".join(map(str, given.document())), expected=expected)
    return given.timestamp


def _lasting(beside: Profile) -> Profile:
    """What is worth keeping of the rows without an hour: not those outside the window, which are other hours'."""
    outside = {what: rows for what, rows in beside.outside.items() if what != WINDOW}
    files = (
        beside.files if beside.skipped else FilesMet()
    )  # of which none is missing nothing needs to be told
    return Profile(0, beside.rejected, {}, {}, outside, beside.unplaced, beside.skipped, files)
