"""A source folded by the hour: one pass over its rows, and a profile for every hour of event time.

Every row is in one hour's profile. What has no hour is beside them: rows whose time is missing or cannot be read,
rows that the source rejected or left out, files it passed over. Together they account for all that was met.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.frames.batches import Batch, FilesMet
from watchkeep.frames.buffers import positions
from watchkeep.frames.times import event_times
from watchkeep.profiles.account import RowAccount
from watchkeep.profiles.profile import Profile, together
from watchkeep.service.learned import Begin, Counting
from watchkeep.service.ports import MISSING, UNREADABLE

HOUR: Final = 3_600_000_000
"""Microseconds."""
EARLIEST, LATEST = -16_393_000, 69_500_000
"""Hours, from 1970: the years 100 to 9898. Times beyond stand for something else."""

Done = Callable[[Counting, int], Profile]


@dataclass(frozen=True, slots=True)
class Hours:
    """What was counted of rows, hour by hour: a value that merges.

    Args:
        profiles: by hour, counted from 1970; None when there were more of them than may be held.
        known: the hours that there are.
        beside: of rows that no hour is known of, and of those that were left out.
        most: how many profiles may be held.
    """

    profiles: Mapping[int, Profile] | None
    known: frozenset[int]
    beside: Profile
    most: int

    def merge(self, *others: Self) -> Self:
        """All together, in this order."""
        every = (self, *others)
        known = frozenset().union(*(one.known for one in every))
        beside = together([one.beside for one in every])
        if len(known) > self.most or any(one.profiles is None for one in every):
            return replace(self, profiles=None, known=known, beside=beside)
        pieces: dict[int, list[Profile]] = {}
        for one in every:
            for hour, profile in (one.profiles or {}).items():
                pieces.setdefault(hour, []).append(profile)
        merged = {hour: together(profiles) for hour, profiles in pieces.items()}
        return replace(self, profiles=merged, known=known, beside=beside)


class HourlyScan:
    """Reads batches, and counts the rows of each hour apart.

    Args:
        begin: makes what counts an hour's.
        timestamp: the column of the event time.
        most: hours that may be counted; of more, only which they are is known.
        part: the number of the part that is read.
    """

    def __init__(self, begin: Begin, timestamp: str, most: int, part: int = 0) -> None:
        self._begin, self._timestamp, self._most, self._part = begin, timestamp, most, part
        self._account = RowAccount()
        self._scans: dict[int, Counting] = {}
        self._known: set[int] = set()

    def add(self, batch: Batch) -> None:
        """Read a batch; rows of a file without the column of the event time are rejected."""
        self._account.met(replace(batch, rows=0, names=()))
        batch = replace(batch, rejected={}, outside={}, skipped={}, files=FilesMet())
        if not batch.rows:
            return
        if self._timestamp not in batch.names:  # another file may have it
            self._account.met(Batch.of(pa.table({}), rejected={MISSING: batch.rows}))
            return
        array = batch.column(self._timestamp)
        micros, valid = event_times(array, textual=self._timestamp in batch.textual)
        hours = micros // HOUR
        valid &= (hours >= EARLIEST) & (hours < LATEST)
        if not valid.all():
            self._reject(array, valid)
            batch, hours = replace(batch.filter(valid), rejected={}), hours[valid]
        for hour, rows in _apart(batch, hours):
            self._known.add(hour)
            if len(self._known) > self._most:
                self._scans.clear()
            else:
                self._counting(hour).add(rows)

    def _counting(self, hour: int) -> Counting:
        if hour not in self._scans:
            self._scans[hour] = self._begin(self._part)
        return self._scans[hour]

    def _reject(self, array: pa.Array, valid: npt.NDArray[np.bool_]) -> None:
        wrong = int(np.count_nonzero(~valid))
        missing = min(wrong, int(array.is_null(nan_is_null=True).true_count))
        reasons = {MISSING: missing, UNREADABLE: wrong - missing}
        rejected = {reason: rows for reason, rows in reasons.items() if rows}
        self._account.met(Batch.of(pa.table({}), rejected=rejected))

    def merge(self, *others: Self) -> Self:
        """All together, where what counts the rows merges before it is done."""
        for other in others:
            self._account.merge(other._account)  # noqa: SLF001 (our own)
            self._known |= other._known  # noqa: SLF001
            for hour, scan in other._scans.items():  # noqa: SLF001
                mine = self._scans.get(hour)
                self._scans[hour] = scan if mine is None else mine.merge(scan)  # type: ignore[attr-defined]
            if len(self._known) > self._most:
                self._scans.clear()
        return self

    def hours(self, done: Done | None = None) -> Hours:
        """What was counted.

        Args:
            done: what becomes of the count of an hour, and how many hours are left, itself included; its profile
                when not given.
        """
        profiles: dict[int, Profile] = {}
        for at_hour, hour in enumerate(sorted(self._scans)):
            scan, left = self._scans.pop(hour), len(self._known) - at_hour
            profiles[hour] = scan.profile() if done is None else done(scan, left)
        known = frozenset(self._known)
        held = profiles if len(known) <= self._most else None
        return Hours(held, known, self._account.profile({}), self._most)


def _apart(batch: Batch, hours: npt.NDArray[np.int64]) -> Iterator[tuple[int, Batch]]:
    """The rows of a batch by hour."""
    if not len(hours):
        return
    if (hours == hours[0]).all():
        yield int(hours[0]), batch
        return
    order = None if (hours[1:] >= hours[:-1]).all() else np.argsort(hours, kind="stable")
    ordered = hours if order is None else hours[order]
    arrays: dict[str, pa.Array] = {}

    def column(name: str) -> pa.Array:
        if name not in arrays:
            whole = batch.column(name)
            arrays[name] = whole if order is None else whole.take(positions(order))
        return arrays[name]

    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(ordered)], strict=True):
        load = partial(_slice, column, start, end - start)
        yield int(ordered[start]), replace(batch, rows=end - start, load=load, keep=None)


def _slice(column: Callable[[str], pa.Array], start: int, rows: int, name: str) -> pa.Array:
    return column(name).slice(start, rows)
