"""Matches predictions with labels by id, on disk where they do not fit in memory."""

import glob
import os
import tempfile
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from watchkeep.adapters.sources.files import sentence
from watchkeep.adapters.sources.matching_once import Matched, match_once
from watchkeep.core.errors import UnreadableSourceError, WatchkeepError
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import plain
from watchkeep.service.joining import DelayQuantiles

MEMORY: Final = 256 * 1024 * 1024
"""Bytes that a join may take beside the rows it reads."""

_OF_A_THREAD: Final = 128 * 1024 * 1024
_ROWS: Final = 65_536
_BOTH: Final = ("predictions", "labels")
_FAR: Final = 1 << 61
"""Microseconds, some 73,000 years: times that are nearer can be subtracted."""

# A row without a time is older than any that has one; of two of one time, the later one in the source is later.
_LATER: Final = """
CREATE MACRO later(moment, place) AS
    coalesce(moment, -9223372036854775808)::HUGEINT * 9223372036854775807 + place;
CREATE MACRO spelled(label) AS regexp_replace(
    CASE lower(label) WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE label END, '^(-?[0-9]+)\\.0+$', '\\1');
"""
_VIEWS: Final = """
CREATE VIEW predictions AS SELECT *, later(moment, "row") AS place FROM read_parquet({predictions});
CREATE VIEW labels AS SELECT *, later(arrival, "row") AS place FROM read_parquet({labels});
"""
_REPEATED: Final = """
CREATE TABLE repeated_{what} AS
    SELECT id, max(place) AS place, count(*) AS copies FROM {what} GROUP BY id HAVING count(*) > 1;
"""
_NONE_REPEATED: Final = """
CREATE TABLE repeated_{what} AS SELECT id, place, 0 AS copies FROM {what} LIMIT 0;
"""
_STALE: Final = "SELECT coalesce(sum(copies - 1), 0)::BIGINT FROM repeated_{what}"
_REPLACED: Final = """
WITH winners AS (SELECT labels.* FROM labels JOIN repeated_labels USING (id, place))
SELECT count(*) FILTER (spelled(labels.label) = spelled(winners.label)), count(*)
FROM labels JOIN winners ON labels.id = winners.id AND labels.place <> winners.place
"""
_LAST: Final = """
SELECT {what}.* FROM {what} LEFT JOIN repeated_{what} AS repeated ON {what}.id = repeated.id
WHERE repeated.id IS NULL OR {what}.place = repeated.place
"""
_MATCHED: Final = """
COPY (
    SELECT one."row" AS "row", truth.label AS label, true AS kept,
        CASE WHEN truth.arrival < one.moment AND one.moment < truth.arrival + {slack} THEN 0.0
            ELSE (truth.arrival::HUGEINT - one.moment::HUGEINT)::DOUBLE / 1e6 END AS delay
    FROM ({one}) AS one JOIN ({truth}) AS truth ON one.id = truth.id
    UNION ALL
    SELECT predictions."row", NULL, false, NULL
    FROM predictions JOIN repeated_predictions AS repeated
        ON predictions.id = repeated.id AND predictions.place <> repeated.place
) TO {matched} (FORMAT parquet)
"""
_SORTED: Final = """
COPY (SELECT * FROM read_parquet({matched}) ORDER BY "row") TO {outcome} (FORMAT parquet)
"""
_COUNTS: Final = """
SELECT count(*) FILTER (kept), count(delay), count(*) FILTER (delay < 0) FROM read_parquet({outcome})
"""
_DELAYS: Final = """
COPY (SELECT delay FROM read_parquet({outcome}) WHERE delay IS NOT NULL ORDER BY delay)
TO {delays} (FORMAT parquet)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a match counted; the words are those of `JoinAccount`."""

    matched: int
    duplicate_predictions: int
    duplicate_labels: int
    changed_labels: int
    delay: DelayQuantiles | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the rows that are matched or rejected.

    Args:
        rows: their places among all predictions, ascending, shape (n,).
        labels: texts, null where a row is rejected, shape (n,).
        kept: false where a row is rejected, shape (n,).
    """

    rows: npt.NDArray[np.int64]
    labels: pa.Array
    kept: npt.NDArray[np.bool_]


class Matching:
    """Where predictions and labels are laid down, matched, and read back by place: memory, or a folder.

    It is a context manager, and the folder goes away with it.

    Args:
        name: what an error names.
        memory: bytes that rows or the database may take; what is beyond them is kept in the folder.
    """

    def __init__(self, name: str, *, memory: int = MEMORY) -> None:
        self._name, self._memory = name, memory
        self._folder: Any = None
        self._held: dict[str, list[pa.Table]] = {}
        self._once: Matched | None = None

    def __enter__(self) -> Self:
        with self._room():
            self._folder = tempfile.TemporaryDirectory(prefix="watchkeep-")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def keep(self, what: str, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
        """Lay rows down under a name: `predictions` (row, id, moment) or `labels` (row, id, label, arrival)."""
        held = self._held[what] = [schema.empty_table()]
        room = self._memory * 3 // 4 - sum(
            table.nbytes for several in self._held.values() for table in several
        )
        for table in tables:
            held.append(table)
            room -= table.nbytes
            if room < 0:
                del self._held[what]
                self._write(what, schema, chain(held, tables))
                return

    def _write(self, what: str, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
        waiting: list[pa.Table] = []
        with (
            self._room(),
            pq.ParquetWriter(
                self._path(what), schema, compression="lz4", use_dictionary=False, write_statistics=False
            ) as writer,
        ):
            for table in tables:
                waiting.append(table)
                if sum(map(len, waiting)) >= _ROWS:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
            writer.write_table(pa.concat_tables([schema.empty_table(), *waiting]))

    def kept(self, what: str) -> Iterator[pa.Table]:
        """What was laid down under a name; it may be laid down anew meanwhile."""
        if what in self._held:
            return iter(self._held[what])
        with self._room():
            before = Path(self._path(what)).rename(self._path(f"{what}-before"))
        return _tables(before)

    def match(self, *, slack: int, repeated: Collection[str] = _BOTH) -> Found:
        """Match what was laid down; afterwards it can be read by `slices`.

        Args:
            slack: microseconds that a label may have come later than its time of arrival.
            repeated: of what some ids may be there twice.

        Raises:
            UnreadableSourceError: the disk is full.
        """
        if not repeated and len(self._held) == len(_BOTH) and self._near():
            found = match_once(self._column, slack=slack)
            self._once = found
            return Found(len(found.rows), 0, 0, 0, found.delay)
        import duckdb  # a quarter of a second that most commands do not need

        for what, held in list(self._held.items()):
            self._write(what, held[0].schema, iter(held))
            del self._held[what]
        try:
            with duckdb.connect(":memory:", config=self._config()) as connection:
                return self._match(connection, slack, repeated)
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            why = f"{self._memory // 1024**2} MB of memory were not enough, and the rest could not be kept in"
            raise self._failure(f"{why} {self._root()}: {sentence(error)}") from error

    def slices(self) -> Generator[Slice, None, None]:
        """The rows that are matched or rejected, in the order of the predictions."""
        if self._once is not None:
            yield Slice(self._once.rows, self._once.labels, np.ones(len(self._once.rows), np.bool_))
            return
        with pq.ParquetFile(self._path("outcome")) as file:
            for record in file.iter_batches(_ROWS, columns=["row", "label", "kept"], use_threads=False):
                kept = plain(record.column("kept").cast(pa.uint8())).astype(np.bool_)
                yield Slice(plain(record.column("row")), record.column("label"), kept)

    def _near(self) -> bool:
        """Whether the times that were laid down can be subtracted from each other."""
        for what, time in zip(_BOTH, ("moment", "arrival"), strict=True):
            extremes = pc.min_max(self._column(what, time)).as_py()
            if any(abs(one or 0) > _FAR for one in extremes.values()):
                return False
        return True

    def _column(self, what: str, name: str) -> pa.Array:
        return one_chunk(
            pa.chunked_array([one for table in self._held[what] for one in table.column(name).chunks])
        )

    def _match(self, connection: Any, slack: int, repeated: Collection[str]) -> Found:
        paths = {what: self._path(what) for what in ("predictions", "labels", "matched", "outcome", "delays")}
        read = {what: _quoted(glob.escape(path)) for what, path in paths.items()}
        written = {what: _quoted(path) for what, path in paths.items()}
        connection.execute("SET enable_progress_bar = false")
        connection.execute(_LATER + _VIEWS.format(**read))
        stale = {}
        for what in ("predictions", "labels"):
            connection.execute((_REPEATED if what in repeated else _NONE_REPEATED).format(what=what))
            ((stale[what],),) = connection.execute(_STALE.format(what=what)).fetchall()
        last = {what: _LAST.format(what=what) if stale[what] else f"FROM {what}" for what in stale}
        ((same, replaced),) = connection.execute(_REPLACED).fetchall() if stale["labels"] else [(0, 0)]
        connection.execute(
            _MATCHED.format(
                one=last["predictions"], truth=last["labels"], slack=slack, matched=written["matched"]
            )
        )
        connection.execute(_SORTED.format(matched=read["matched"], outcome=written["outcome"]))
        ((matched, timed, negative),) = connection.execute(_COUNTS.format(**read)).fetchall()
        connection.execute(_DELAYS.format(outcome=read["outcome"], delays=written["delays"]))
        delay = DelayQuantiles.of(self._delays(), rows=timed, negative=negative)
        return Found(matched, stale["predictions"], same, replaced - same, delay)

    def _delays(self) -> Iterator[npt.NDArray[np.float64]]:
        with pq.ParquetFile(self._path("delays")) as file:
            for record in file.iter_batches(_ROWS, use_threads=False):
                yield plain(one_chunk(record.column(0)))

    def _config(self) -> dict[str, str]:
        threads = max(1, min(os.cpu_count() or 1, self._memory // _OF_A_THREAD))
        return {
            "memory_limit": f"{self._memory}B",
            "temp_directory": self._path("spilled"),
            "threads": str(threads),
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
        }

    def _path(self, what: str) -> str:
        return str(Path(self._folder.name, what))

    def _root(self) -> str:
        return str(Path(self._folder.name).parent) if self._folder else tempfile.gettempdir()

    def _failure(self, why: str) -> UnreadableSourceError:
        return UnreadableSourceError(self._name, why=f"the join failed: {why}")

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except WatchkeepError:  # of the source whose rows are laid down; some are errors of the system too
            raise
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else sentence(error)
            raise self._failure(f"{self._root()} cannot be written: {why}") from error


def _tables(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for record in file.iter_batches(_ROWS, use_threads=False):
            yield pa.Table.from_batches([record])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
