"""Rows on their way through: a batch whose columns are decoded when somebody asks for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.core.errors import MissingColumnError
from watchkeep.frames.buffers import truths

DAMAGED: Final = "in a file that cannot be read"
"""Why rows are rejected whose file was left out, where it tells how many they are."""
Loader = Callable[[str], pa.Array]
"""Decodes one column of a batch into one Arrow array (one chunk)."""


@dataclass(frozen=True, slots=True)
class FilesMet:
    """Files that were met, or parts of large ones, and those of them that were left out as they cannot be read.

    Of files that lie outside a window as a whole nothing is told. `FilesMet()` is the identity of merge.

    Args:
        met: how many, those left out included; with `met_bytes` bytes.
        lost: how many were left out; with `lost_bytes` bytes.
    """

    met: int = 0
    lost: int = 0
    met_bytes: int = 0
    lost_bytes: int = 0

    def merge(self, *others: "FilesMet") -> "FilesMet":
        """All together."""
        every = (self, *others)
        return FilesMet(
            sum(one.met for one in every),
            sum(one.lost for one in every),
            sum(one.met_bytes for one in every),
            sum(one.lost_bytes for one in every),
        )

    @property
    def share(self) -> float:
        """The share of the files, or of their bytes if that is larger, that was left out: in [0, 1].

        >>> FilesMet(10, 1, 1000, 400).share, FilesMet().share
        (0.4, 0.0)
        """
        return max(self.lost / max(1, self.met), self.lost_bytes / max(1, self.met_bytes))


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a source.

    Args:
        rows: how many.
        names: the columns these rows have, in order. Rows of another file may have others.
        load: decodes a column; called at most once per column by a scan, in any order.
        textual: the columns whose values arrived as text of unknown type (CSV): types are read off each value.
        rejected: rows the source held at this place and could not read, by reason.
        outside: rows it held at this place and left out, by what they lie outside of (a window, a rule).
        skipped: files that could not be read and were left out, with why, by name.
        files: those met since the batch before, `skipped` ones included.
        keep: when not None, the rows to keep, shape (rows before the filter,); `load` is filtered by it.
    """

    rows: int
    names: Sequence[str]
    load: Loader
    textual: frozenset[str] = frozenset()
    rejected: Mapping[str, int] = field(default_factory=dict)
    outside: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    files: FilesMet = FilesMet()
    keep: npt.NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        table: "pa.RecordBatch | pa.Table",
        *,
        textual: frozenset[str] = frozenset(),
        rejected: Mapping[str, int] | None = None,
        outside: Mapping[str, int] | None = None,
    ) -> "Batch":
        """A batch over rows that are decoded already.

        >>> Batch.of(pa.table({"age": [41, None]})).column("age").to_pylist()
        [41, None]
        """

        def load(name: str) -> pa.Array:
            return one_chunk(table.column(name))

        names = tuple(table.schema.names)
        return cls(table.num_rows, names, load, textual, rejected or {}, outside or {})

    def column(self, name: str, *, reader: str = "a scan") -> pa.Array:
        """One column of the rows, as one Arrow array.

        Raises:
            MissingColumnError: the rows have no such column.
        """
        if name not in self.names:
            raise MissingColumnError(name, reader=reader, available=self.names)
        array = self.load(name)
        return array if self.keep is None else array.filter(truths(self.keep))

    def decoded_once(self) -> "Batch":
        """The same rows, whose columns are decoded once however often they are asked for."""
        arrays: dict[str, pa.Array] = {}

        def load(name: str) -> pa.Array:
            if name not in arrays:
                arrays[name] = self.load(name)
            return arrays[name]

        return replace(self, load=load)

    def filter(
        self, keep: npt.NDArray[np.bool_], *, reason: str | None = None, outside: str | None = None
    ) -> "Batch":
        """The rows where `keep`, shape (rows,), is true.

        The others are rejected for a `reason` if one is given, or lie `outside` of something.
        """
        kept = int(np.count_nonzero(keep))
        if kept == self.rows:
            return self
        if self.keep is not None:
            whole = self.keep.copy()
            whole[whole] = keep
            keep = whole
        rejected, beyond = dict(self.rejected), dict(self.outside)
        for counts, why in ((rejected, reason), (beyond, outside)):
            if why is not None:
                counts[why] = counts.get(why, 0) + self.rows - kept
        return replace(self, rows=kept, rejected=rejected, outside=beyond, keep=keep)


def one_chunk(column: "pa.Array | pa.ChunkedArray") -> pa.Array:
    """A column as one array; chunks are joined, dictionaries unified first."""
    if isinstance(column, pa.ChunkedArray):
        if column.num_chunks == 1:
            return column.chunk(0)
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        return column.combine_chunks() if column.num_chunks else pa.array([], column.type)
    return column
