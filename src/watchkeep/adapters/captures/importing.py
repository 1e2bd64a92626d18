"""Brings records from elsewhere into the store: all of a source or nothing, and once however often it is told to."""

import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import pyarrow as pa

from watchkeep.adapters.captures.by_hour import ByHour
from watchkeep.adapters.captures.receipts import Receipts, Seen, group_of, key_of
from watchkeep.adapters.captures.sealing import record_file
from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.stored.layout import GIVEN, MARK, SUFFIX, TRAFFIC, Hour, hour_of, hours
from watchkeep.adapters.sources.stored.standing import IMPORTED, IMPORTING, digest_in, standing_of
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import EmptySourceError, StoreError, UnreadableSourceError
from watchkeep.service.ports import Progress, Shelf, Silent

_HOUR: Final = 3_600_000_000
_LEFT: Final = timedelta(days=1)
"""After which an import of another machine is taken for one that was killed."""


class Arriving(Protocol):
    """Records that are brought in together."""

    @property
    def endpoint(self) -> str:
        """Whose they are to be."""
        ...

    @property
    def variant(self) -> str:
        """Of that endpoint."""
        ...

    @property
    def members(self) -> Sequence[File]:
        """The files they come from."""
        ...

    def only(self, members: Collection[File]) -> "Arriving":
        """What comes of some of the files, at least one, where it can be told apart."""
        ...

    def tables(self, rejected: Counter[str], tallies: Tallies) -> Iterator[pa.Table]:
        """They as rows of the store, in any order.

        Args:
            rejected: counts records that cannot be stored, by reason.
            tallies: counts requests.

        Raises:
            SourceError: a file cannot be read.
        """
        ...


@dataclass(slots=True)
class Imported:
    """What an import did.

    Args:
        files: that were read.
        known: files that had been brought in before, and are the same.
        records: that are stored now, by endpoint and variant.
        rejected: records that could not be stored, by reason.
        written: files of the store.
    """

    files: int = 0
    known: int = 0
    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    written: int = 0

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {
            "files": self.files,
            "known": self.known,
            "written": self.written,
            "records": [
                {"endpoint": endpoint, "variant": variant, "records": count}
                for (endpoint, variant), count in sorted(self.records.items())
            ],
            "rejected": dict(+self.rejected),
        }


class Importer:
    """Brings records in. One at a time may work for a home.

    Args:
        shelf: the store.
        who: does it, so that what a killed import left is known by the next one.
        again: whether to bring in what was brought in before; records that are there already are seen once.
        progress: is told of rows.
    """

    def __init__(
        self, shelf: Shelf, *, who: str, again: bool = False, progress: Progress | None = None
    ) -> None:
        self._shelf, self._again = shelf, again
        self._progress = progress or Silent()
        self._who = who
        token = secrets.token_hex(8)
        self._name = f"{IMPORTING}{token}.json"
        self._salt = token if again else ""

    def bring(self, arriving: Sequence[Arriving], *, now: datetime) -> Imported:
        """Bring them in: they count when all are there.

        Raises:
            EmptySourceError: no record could be stored, though none had been before.
            SourceError: a file cannot be read; nothing was brought in.
            StoreError: the store cannot be written; nothing was brought in.
        """
        self.clean(now)
        told, receipts = Imported(), Receipts.of(self._shelf)
        fresh: dict[str, _Fresh] = {}
        for one in arriving:
            new = [file for file in one.members if self._again or not _is_known(one, file, receipts)]
            told.files += len(one.members)
            told.known += len(one.members) - len(new)
            if not new:
                continue
            some = one.only(new)
            held = {
                key_of(one.endpoint, one.variant, file): Seen.of(file).read(file) for file in some.members
            }
            group = group_of(one.endpoint, one.variant, held, salt=self._salt)
            if group in receipts.groups:
                told.known += len(new)
                receipts.files |= held
            else:
                before = group_of(one.endpoint, one.variant, held, salt="")
                fresh[group] = _Fresh(some, held, f"{TRAFFIC}{IMPORTED}{before}.json")
        if fresh:
            self._bring(fresh, told, receipts, now)
        else:
            receipts.write(self._shelf)
        return told

    def clean(self, now: datetime) -> int:
        """Take away what imports left that were killed; gives how many that were.

        Raises:
            StoreError: the store cannot be written.
        """
        left = 0
        receipts: Receipts | None = None
        for name in self._shelf.names(""):
            if not name.startswith(IMPORTING):
                continue
            try:
                told = json.loads(self._shelf.read(name))
                begun = datetime.fromtimestamp(told["at"], UTC)
            except FileNotFoundError:
                continue
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{self._shelf.name}/{name}", why="it is damaged") from error
            if told["by"] == self._who or now - begun > _LEFT:
                receipts = receipts or Receipts.of(self._shelf)
                if not receipts.groups.issuperset(told["digests"]):  # it was not done
                    for endpoint in told["endpoints"]:
                        self._take_away(endpoint, told["digests"])
                self._shelf.delete(name)
                left += 1
        return left

    def _bring(
        self, fresh: Mapping[str, "_Fresh"], told: Imported, receipts: Receipts, now: datetime
    ) -> None:
        shelf = self._shelf
        if MARK not in shelf.names(""):
            shelf.write(MARK, json.dumps({"version": 1}).encode())
        names = sorted({one.arriving.endpoint for one in fresh.values()})
        journal = {"by": self._who, "at": int(now.timestamp()), "endpoints": names, "digests": sorted(fresh)}
        self._write(self._name, {"version": 1} | journal)
        self._progress.start("Importing", rows=None)
        whole = False
        try:
            for digest, one in fresh.items():
                self._one(digest, one, told)
                one.check()
                receipts.files |= one.seen
            if not told.records and not told.known:
                first = next(iter(fresh.values())).arriving.members[0].name
                raise EmptySourceError(first, why=_nothing(+told.rejected))
            receipts.groups |= fresh.keys()
            receipts.write(shelf)
            whole = True
        finally:
            self._progress.stop()
            if not whole:
                for name in names:
                    self._take_away(name, fresh)
            shelf.delete(self._name)

    def _one(self, digest: str, fresh: "_Fresh", told: Imported) -> None:
        tallies, one = Tallies(), fresh.arriving
        number = 0
        with ByHour() as by_hour:
            for table in one.tables(told.rejected, tallies):
                by_hour.add(table)
                self._progress.advance(table.num_rows)
            for hour, table in by_hour.tables():
                folder = Hour(one.endpoint, one.variant, hour_of(hour * _HOUR)).folder
                if self._stands(folder, name := f"{GIVEN}{IMPORTED}{digest}-{number}{SUFFIX}"):
                    self._shelf.write(f"{folder}/{name}", record_file(table))
                    told.written += 1
                number += 1
        of_hours: dict[datetime, Tallies] = {}
        for (endpoint, variant, minute), traffic in tallies.of.items():
            hour_tallies = of_hours.setdefault(hour_of(minute * 60_000_000), Tallies())
            hour_tallies.at((endpoint, variant, minute)).merge(traffic)
            told.records[endpoint, variant] += traffic.invocations
        for start, own in of_hours.items():
            folder = Hour(one.endpoint, one.variant, start).folder
            name = f"{TRAFFIC}{IMPORTED}{digest}.json"
            if self._stands(folder, name) and not (self._again and self._was_counted(folder, fresh.counts)):
                self._write(f"{folder}/{name}", {"version": 1, "minutes": own.documents()})

    def _stands(self, folder: str, name: str) -> bool:
        """Whether a file is to be written: one that made way for others is in these."""
        return not any(
            name in one.files for one in standing_of(self._shelf, folder, importing=()).replacements
        )

    def _was_counted(self, folder: str, counts: str) -> bool:
        """Whether requests that are brought in again were counted when they were first, and have not expired."""
        return counts in self._shelf.names(folder) or not self._stands(folder, counts)

    def _take_away(self, endpoint: str, digests: Collection[str]) -> None:
        for hour in hours(self._shelf, endpoint=endpoint):
            for name in self._shelf.names(hour.folder):
                if digest_in(name) in digests:
                    self._shelf.delete(f"{hour.folder}/{name}")

    def _write(self, name: str, told: Mapping[str, Any]) -> None:
        self._shelf.write(name, json.dumps(told, separators=(",", ":")).encode())


def _nothing(rejected: Mapping[str, int]) -> str:
    told = ", ".join(f"{count:,} {reason}" for reason, count in rejected.items())
    return f"no record of it can be stored ({told})" if told else "it holds no records"


def _is_known(one: Arriving, file: File, receipts: Receipts) -> bool:
    """Whether a file was brought in before and is the same: by its size and time, or by what it holds."""
    before, now = receipts.files.get(key_of(one.endpoint, one.variant, file)), Seen.of(file)
    return now.is_as(before) or (
        before is not None and before.size == now.size and before.digest == now.read(file).digest
    )


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What was not brought in before, or is to be brought in again.

    Args:
        arriving: the records.
        seen: their files.
        counts: what the file of counts is called where they are brought in for the first time.
    """

    arriving: Arriving
    seen: Mapping[str, Seen]
    counts: str

    def check(self) -> None:
        """Check that the files are what they were."""
        for file, before in zip(self.arriving.members, self.seen.values(), strict=True):
            after = Seen.of(file)
            if (before.size, before.changed) != (after.size, after.changed):
                raise UnreadableSourceError(
                    file.name, why="it changed while it was read; nothing was imported"
                )
