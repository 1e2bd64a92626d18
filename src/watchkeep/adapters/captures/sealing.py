"""Turns complete segments into Parquet files of the store, each exactly once."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from watchkeep.adapters.captures.rows import Flattening, Records, records_of
from watchkeep.adapters.sources.parquet_files import parquet_bytes
from watchkeep.adapters.sources.stored.columns import EVENT_ID, INPUT, OUTPUT
from watchkeep.adapters.sources.stored.empties import without_empty
from watchkeep.adapters.sources.stored.layout import GIVEN, MARK, SUFFIX, TRAFFIC, Hour, hour_of
from watchkeep.capture.column_names import UNNAMED, ColumnNames
from watchkeep.capture.record import Block
from watchkeep.capture.segment import TORN, blocks_of, complete
from watchkeep.capture.traffic import Tallies
from watchkeep.core.errors import StoreError, WatchkeepError
from watchkeep.frames.schema import TEXTUAL
from watchkeep.service.ports import Shelf

_AT_A_TIME: Final = 96 << 20
"""Bytes of bodies that are sealed together."""
_HOUR: Final = 3_600_000_000


@dataclass(slots=True)
class Sealed:
    """What sealing did.

    Args:
        segments: that were sealed.
        records: in them.
        files: that were written.
        torn: bytes at the ends of segments that were no whole record, as whoever wrote them was killed.
        labels: that were sealed.
    """

    segments: int = 0
    records: int = 0
    files: int = 0
    torn: int = 0
    labels: int = 0

    def add(self, other: "Sealed") -> None:
        """Take in what was done later."""
        self.segments += other.segments
        self.records += other.records
        self.files += other.files
        self.torn += other.torn
        self.labels += other.labels

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {
            "segments": self.segments,
            "records": self.records,
            "files": self.files,
            "torn_bytes": self.torn,
            "labels": self.labels,
        }


@dataclass(slots=True)
class Sealer:
    """Seals the segments of a folder.

    A file is named after its segment, so a segment whose sealing was broken off is sealed again into the same files.

    Args:
        segments: the folder.
        shelf: the store.
        columns: names of values that come without, by endpoint.
        payloads: whether bodies are kept as they came, beside their columns.
        counted: told what was counted in a segment, after it was sealed and before it is gone.
    """

    segments: Path
    shelf: Shelf
    columns: dict[str, ColumnNames] = field(default_factory=dict)
    payloads: bool = True
    counted: Callable[[str, Tallies], None] | None = None
    _flattenings: dict[tuple[str, str], Flattening] = field(default_factory=dict)

    def seal(self) -> Sealed:
        """Seal what is complete.

        Raises:
            StoreError: the store cannot be written; what is sealed so far is, and the rest is still there. Or a segment
                is encrypted with a key that is not in the environment, or holds what nobody thought of; the others are
                sealed.
            OSError: a segment cannot be read.
        """
        told = Sealed()
        closed: StoreError | None = None
        for path in complete(self.segments):
            try:
                blocks, torn = blocks_of(path)
            except StoreError as error:
                closed = closed or error
                continue
            if torn:
                told.torn += torn
                keep_torn(path, torn)
            try:
                told.files += self._sealed(path.stem, blocks)
            except (WatchkeepError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 (it is kept, and the others are to be sealed)
                closed = closed or StoreError(str(path), why=f"it cannot be sealed: {error!r}")
                continue
            told.records += sum(block.rows for block in blocks)
            path.unlink()
            told.segments += 1
        if closed is not None:
            raise closed
        return told

    def _sealed(self, name: str, blocks: Sequence[Block]) -> int:
        files = 0
        if blocks and MARK not in self.shelf.names(""):
            self.shelf.write(MARK, json.dumps({"version": 1}).encode())
        for number, several in enumerate(_portions(blocks)):
            for (endpoint, variant), records in records_of(several).groups():
                for hour, own in _hours(records):
                    table, textual = self._flattening(endpoint, variant).table(own)
                    where = Hour(endpoint, variant, hour_of(hour * _HOUR)).folder
                    start = GIVEN if any(block.given for block in several) else ""
                    self.shelf.write(f"{where}/{start}{name}-{number}{SUFFIX}", record_file(table, textual))
                    files += 1
        self._count(name, blocks)
        return files

    def _flattening(self, endpoint: str, variant: str) -> Flattening:
        made = self._flattenings.get((endpoint, variant))
        if made is None:
            made = Flattening(self.columns.get(endpoint, UNNAMED), payloads=self.payloads)
            self._flattenings[endpoint, variant] = made
        return made

    def _count(self, name: str, blocks: Sequence[Block]) -> None:
        tallies = tallies_of(blocks)
        if self.counted is not None:
            self.counted(name, tallies)
        hours: dict[Hour, Tallies] = {}
        for (endpoint, variant, minute), traffic in tallies.of.items():
            hour = Hour(endpoint, variant, hour_of(minute * 60_000_000))
            hours.setdefault(hour, Tallies()).at((endpoint, variant, minute)).merge(traffic)
        for hour, own in hours.items():
            text = json.dumps({"version": 1, "minutes": own.documents()}, separators=(",", ":"))
            self.shelf.write(f"{hour.folder}/{TRAFFIC}{name}.json", text.encode())


def tallies_of(blocks: Iterable[Block]) -> Tallies:
    """What was counted in some blocks."""
    tallies = Tallies()
    for block in blocks:
        tallies.merge(Tallies.read(block.tallies))
    return tallies


def record_file(table: pa.Table, textual: frozenset[str] = frozenset()) -> bytes:
    """Records as a file of the store; see `parquet`. Columns without any value are told, and not held."""
    schema = without_empty(table.schema)
    return parquet(table.select(schema.names).replace_schema_metadata(schema.metadata), textual)


def parquet(table: pa.Table, textual: frozenset[str]) -> bytes:
    """A table as a Parquet file; columns of texts of unknown type are marked."""
    fields = [part.with_metadata({TEXTUAL: b"1"}) if part.name in textual else part for part in table.schema]
    table = table.cast(pa.schema(fields, table.schema.metadata)) if textual else table
    return parquet_bytes(table, **written_as(table.schema))


def written_as(schema: pa.Schema) -> dict[str, Any]:
    """How Parquet files of the store are written."""
    coded = [
        part.name
        for part in schema
        if (pa.types.is_string(part.type) or pa.types.is_large_string(part.type)) and part.name != EVENT_ID
    ]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": coded,
        "write_statistics": [name for name in schema.names if name not in (INPUT, OUTPUT)],
    }


def _portions(blocks: Sequence[Block]) -> Iterator[Sequence[Block]]:
    """The blocks in order, as many at a time as fit in memory."""
    several: list[Block] = []
    size = 0
    for block in blocks:
        own = sum(map(len, block.columns.values()))
        if several and size + own > _AT_A_TIME:
            yield several
            several, size = [], 0
        if block.rows:
            several.append(block)
            size += own
    if several:
        yield several


def _hours(records: Records) -> Iterator[tuple[int, Records]]:
    """The records of each hour of event time, in hours since 1970."""
    hours = records.numbers["time"] // _HOUR
    different = np.unique(hours).tolist()
    for hour in different:
        yield hour, records if len(different) == 1 else records.take(np.flatnonzero(hours == hour))


def keep_torn(path: Path, size: int) -> None:
    """Put the end of a segment that is no whole block aside, for whoever wants to look at it."""
    with path.open("rb") as file:
        file.seek(-size, 2)
        path.with_suffix(TORN).write_bytes(file.read())
