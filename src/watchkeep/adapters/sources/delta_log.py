"""What the log of a Delta table says of its files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs

from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File, Files
from watchkeep.adapters.sources.known import Bounds, Known, Mask, bounds_of
from watchkeep.adapters.sources.lake import ELSEWHERE, Lake, Step, bucket, fields_of
from watchkeep.adapters.sources.tables import leaves, schema_of
from watchkeep.core.errors import EmptySourceError, UnreadableSourceError
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import filled

_DELETIONS: Final = "deletionVectors"
_READ: Final = frozenset(
    {
        _DELETIONS,
        "columnMapping",
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "v2Checkpoint",
        "vacuumProtocolCheck",
    }
)
_MODE: Final = "delta.columnMapping.mode"
_NAME: Final = b"delta.columnMapping.physicalName"
_NUMBER: Final = b"delta.columnMapping.id"
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/+([^/]*)(.*)", re.DOTALL)
_ROUNDED: Final = 1_000  # microseconds: writers may cut the last time of a file down to a millisecond


def listed(table: Any, location: str, *, source: str) -> FileSource:
    """The files of an open Delta table.

    Args:
        table: a `DeltaTable`.
        location: its absolute path, or its URL.
        source: what people call it.

    Raises:
        UnreadableSourceError: it uses what our reader does not know.
        EmptySourceError: it holds no rows.
    """
    features = frozenset(table.protocol().reader_features or ())
    if features - _READ:
        lacking = ", ".join(sorted(features - _READ))
        raise UnreadableSourceError(source, why=f"it uses {lacking}, which cannot be read here. {ELSEWHERE}")
    actions = pa.table(table.get_add_actions(flatten=True))
    if not actions.num_rows:
        raise EmptySourceError(source, why=f"version {table.version()} of the table holds no rows")
    metadata, schema = table.metadata(), pa.schema(table.schema())
    mode, partitions = metadata.configuration.get(_MODE, "none"), metadata.partition_columns
    columns = leaves(schema, source=source)
    # Partitions are what the log says, even where files hold a column of that name.
    inner = {name: leaf.path for name, leaf in columns.items() if name not in partitions}
    steps = {name: _steps(schema, path, mode) for name, path in inner.items()}
    kind = schema_of({name: leaf.type for name, leaf in columns.items()})

    paths = actions["path"].to_pylist()
    keys, known = _keys(actions, partitions), _known(actions, steps, partitions)
    if _DELETIONS in features:
        _delete(known, paths, table, source=source)
    places = Places(location)
    sizes = actions["size_bytes"].to_pylist()
    found = zip(paths, keys, sizes, known, strict=True)
    files = [places.file(path, keys=key, size=size, known=one) for path, key, size, one in found]
    return FileSource(Files(source, sorted(files, key=lambda file: file.path)), Lake(kind, steps))


def _steps(schema: pa.Schema, path: Sequence[int], mode: str) -> tuple[Step, ...]:
    """The way to a column in the files, by the mode of the table's column mapping."""
    steps: list[Step] = []
    fields = list(schema)
    for at in path:
        field = fields[at]
        told = {} if mode == "none" else field.metadata or {}
        number = int(told[_NUMBER]) if mode == "id" and _NUMBER in told else None
        steps.append(Step((told.get(_NAME, field.name.encode()).decode(),), number))
        fields = fields_of(field.type)
    return tuple(steps)


def _keys(actions: pa.Table, partitions: Sequence[str]) -> list[tuple[tuple[str, str | None], ...]]:
    """The partition of each file: column by column its value, as text."""
    texts = [actions[f"partition.{name}"].cast(pa.string()).to_pylist() for name in partitions]
    return [
        tuple((name, column[at]) for name, column in zip(partitions, texts, strict=True))
        for at in range(actions.num_rows)
    ]


def _known(actions: pa.Table, steps: Mapping[str, Sequence[Step]], partitions: Sequence[str]) -> list[Known]:
    """The rows of each file, and the bounds of its times."""
    values = {name: one_chunk(actions[f"partition.{name}"]) for name in partitions}
    bounds = {name: bounds_of(value, value) for name, value in values.items()}
    bounds |= {name: _bounds(actions, path[0].names[0]) for name, path in steps.items() if len(path) == 1}
    return [
        Known(rows, {name: one for name, each in bounds.items() if (one := each[at]) is not None})
        for at, rows in enumerate(actions["num_records"].to_pylist())
    ]


def _bounds(actions: pa.Table, name: str) -> list[Bounds | None]:
    """The first and the last time of a column in each file, where every row holds one."""
    nothing: list[Bounds | None] = [None] * actions.num_rows
    if not {f"min.{name}", f"max.{name}", f"null_count.{name}"} <= set(actions.column_names):
        return nothing
    first, last = one_chunk(actions[f"min.{name}"]), one_chunk(actions[f"max.{name}"])
    is_time = pa.types.is_timestamp(first.type)
    if not is_time and not pa.types.is_date(first.type):
        return nothing
    nulls = filled(one_chunk(actions[f"null_count.{name}"]), -1).tolist()
    more = _ROUNDED if is_time else 0
    return [
        None if one is None or missing else (one[0], one[1] + more)
        for one, missing in zip(bounds_of(first, last), nulls, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Flags:
    """A flag for each row of a file: whether the table still holds it.

    Args:
        packed: a bit for each row, the first in the lowest place.
        rows: how many bits count; later rows are held.
    """

    packed: bytes
    rows: int

    def kept(self, rows: int) -> Mask:
        """See `Deleted`."""
        mask = np.ones(rows, np.bool_)
        flags = np.unpackbits(np.frombuffer(self.packed, np.uint8), count=self.rows, bitorder="little")
        mask[: self.rows] = flags[:rows]
        return mask

    @property
    def gone(self) -> int:
        """How many rows are not held."""
        return self.rows - int(np.count_nonzero(self.kept(self.rows)))


def _delete(known: list[Known], paths: Sequence[str], table: Any, *, source: str) -> None:
    """Note which rows of which files are deleted."""
    places = {path: at for at, path in enumerate(paths)}
    for batch in pa.RecordBatchReader.from_stream(table.deletion_vectors()):
        for uri, flags in zip(batch["filepath"].to_pylist(), batch["selection_vector"], strict=True):
            at = places.get(uri.removeprefix(table.table_uri))
            if at is None:
                raise UnreadableSourceError(
                    source, why=f"rows of {uri} are deleted, which is none of its files"
                )
            held = _flags(flags.values)
            rows = known[at].rows
            known[at] = Known(None if rows is None else rows - held.gone, known[at].times, held)


def _flags(values: pa.Array) -> Flags:
    bits = np.frombuffer(values.buffers()[1], np.uint8)
    flags = np.unpackbits(bits, count=values.offset + len(values), bitorder="little")[values.offset :]
    return Flags(np.packbits(flags, bitorder="little").tobytes(), len(values))


class Places:
    """Where the files of a table lie.

    Args:
        location: the table's absolute path, or its URL.
    """

    def __init__(self, location: str) -> None:
        self._location = location.rstrip("/")
        self._local = pafs.LocalFileSystem()
        self._roots: dict[str, tuple[pafs.FileSystem, str]] = {}

    def file(self, path: str, **told: Any) -> File:
        """A file by its path in the log, which is relative to the table, or a URL, and encoded as URLs are."""
        path = unquote(path)
        whole = path if _URL.match(path) else f"{self._location}/{path}"
        url = _URL.match(whole)
        if url is None:
            return File(whole, self._local, whole, **told)
        scheme, host, inner = url.groups()
        if scheme == "file":
            local = f"/{host}{inner}"
            return File(local, self._local, local, **told)
        filesystem, base = self._root(scheme, host)
        return File(whole, filesystem, f"{base}{inner}", **told)

    def _root(self, scheme: str, host: str) -> tuple[pafs.FileSystem, str]:
        root = f"{scheme}://{host}"
        if root not in self._roots:
            found = bucket(scheme, host)
            self._roots[root] = pafs.FileSystem.from_uri(root) if found is None else (found, host)
        return self._roots[root]
