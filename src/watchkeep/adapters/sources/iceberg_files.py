"""What the metadata of an Iceberg table says of its files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from watchkeep.adapters.sources.file_source import FileSource
from watchkeep.adapters.sources.files import File, Files, reading, sentence
from watchkeep.adapters.sources.known import Bounds, Known, Mask, bounds_of
from watchkeep.adapters.sources.lake import ELSEWHERE, Lake, Step
from watchkeep.adapters.sources.tables import leaves, schema_of
from watchkeep.core.errors import EmptySourceError, UnreadableSourceError
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import plain, positions

_DATA: Final = "PARQUET"
_POSITIONS: Final = ("PARQUET", "PUFFIN")


def planned(table: Any, snapshot: int | None, *, source: str) -> FileSource:
    """The files of a snapshot.

    Args:
        table: a `pyiceberg.table.Table`.
        snapshot: its id; None for the current one.
        source: what people call the table.

    Raises:
        UnreadableSourceError: a file is not as our readers can read it.
        EmptySourceError: there are none.
    """
    scan = table.scan(snapshot_id=snapshot)
    tasks = sorted(scan.plan_files(), key=lambda task: str(task.file.file_path))
    if not tasks:
        raise EmptySourceError(
            source, why=f"the table holds no rows{' at this snapshot' if snapshot else ''}"
        )
    for one in (file for task in tasks for file in (task.file, *task.delete_files)):
        _check(one, source)
    schema = scan.projection()
    columns = leaves(schema.as_arrow(), source=source)
    paths = {name: _path(schema, leaf.path) for name, leaf in columns.items()}
    other = _other_names(table.name_mapping() or ())
    steps = {
        name: tuple(Step(other.get(each.field_id, (each.name,)), each.field_id) for each in path)
        for name, path in paths.items()
    }
    fields = {name: path[-1] for name, path in paths.items()}
    kind = schema_of({name: leaf.type for name, leaf in columns.items()})
    places = _Places(table.io)
    files = [
        places.file(task.file.file_path, task.file.file_size_in_bytes, keys=keys, known=known)
        for task, keys, known in zip(
            tasks, _keys(tasks, table.specs(), fields), _known(tasks, kind, paths, places), strict=True
        )
    ]
    filled = {
        name: _text(each.initial_default) for name, each in fields.items() if each.initial_default is not None
    }
    return FileSource(Files(source, files), Lake(kind, steps, filled))


def _check(file: Any, source: str) -> None:
    """Whether we can read a data file, or one that tells of deleted rows."""
    is_data = file.content.name == "DATA"
    if file.file_format.name not in ((_DATA,) if is_data else _POSITIONS):
        what = "rows" if is_data else "deleted rows"
        why = f"its {what} are in {file.file_format.name} files, such as {file.file_path}. {ELSEWHERE}"
        raise UnreadableSourceError(source, why=why)
    if file.key_metadata is not None:
        raise UnreadableSourceError(
            source, why=f"its files are encrypted, such as {file.file_path}. {ELSEWHERE}"
        )


def _path(schema: Any, positions_: Sequence[int]) -> tuple[Any, ...]:
    """The fields of the table on the way to a column."""
    path: list[Any] = []
    fields = schema.fields
    for at in positions_:
        path.append(fields[at])
        fields = getattr(fields[at].field_type, "fields", ())
    return tuple(path)


def _other_names(mapping: Any) -> dict[int, tuple[str, ...]]:
    """What fields are called in files that do not number them, by their ids."""
    found: dict[int, tuple[str, ...]] = {}
    waiting = list(mapping)
    while waiting:
        one = waiting.pop()
        if one.field_id is not None:
            found[one.field_id] = tuple(one.names)
        waiting += one.fields
    return found


def _keys(
    tasks: Sequence[Any], specs: Mapping[int, Any], fields: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str | None], ...]]:
    """The values of columns that a file is partitioned by as they are, as texts.

    Files hold these columns as well, but for those of tables that came from elsewhere.
    """
    from pyiceberg.transforms import IdentityTransform

    columns = {each.field_id: name for name, each in fields.items()}
    for task in tasks:
        keys: list[tuple[str, str | None]] = []
        for at, part in enumerate(specs[task.file.spec_id].fields):
            name = columns.get(part.source_id)
            if name is not None and isinstance(part.transform, IdentityTransform):
                value = task.file.partition[at]
                text = (
                    None if value is None else part.transform.to_human_string(fields[name].field_type, value)
                )
                keys.append((name, text))
        yield tuple(keys)


def _text(value: Any) -> str:
    """A value of Python, as Arrow reads texts."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _known(
    tasks: Sequence[Any], kind: pa.Schema, paths: Mapping[str, Sequence[Any]], places: "_Places"
) -> list[Known]:
    """The rows of each file, the bounds of its times, and the rows that are deleted."""
    bounds = {
        name: _bounds([task.file for task in tasks], path[0].field_id, kind.field(name).type)
        for name, path in paths.items()
        if len(path) == 1
    }
    known: list[Known] = []
    for at, task in enumerate(tasks):
        deleted = _deleted(task, places)
        known.append(
            Known(
                task.file.record_count if deleted is None else None,
                {name: one for name, each in bounds.items() if (one := each[at]) is not None},
                deleted,
            )
        )
    return known


def _bounds(files: Sequence[Any], number: int, kind: pa.DataType) -> list[Bounds | None]:
    """The first and the last time of a column in each file, where every row holds one."""
    found: list[Bounds | None] = [None] * len(files)
    if not pa.types.is_timestamp(kind) and not pa.types.is_date32(kind):
        return found
    width = kind.bit_width // 8
    places: list[int] = []
    first, last = [], []
    for at, file in enumerate(files):
        low, high = ((told or {}).get(number) for told in (file.lower_bounds, file.upper_bounds))
        if low is None or high is None or not len(low) == len(high) == width:
            continue
        if (file.null_value_counts or {}).get(number) == 0:
            places.append(at)
            first.append(int.from_bytes(low, "little", signed=True))
            last.append(int.from_bytes(high, "little", signed=True))
    for at, one in zip(places, bounds_of(_times(first, kind), _times(last, kind)), strict=True):
        found[at] = one
    return found


def _times(counts: Sequence[int], kind: pa.DataType) -> pa.Array:
    whole = positions(np.array(counts, np.int64))
    return (whole.cast(pa.int32()) if pa.types.is_date32(kind) else whole).cast(kind)


@dataclass(frozen=True, slots=True)
class Positions:
    """Rows that are deleted by their positions in a file.

    Args:
        path: of the file, as those that tell of the rows spell it.
        listed: files that list positions.
        vectors: files that hold bitmaps of them.
    """

    path: str
    listed: tuple[File, ...]
    vectors: tuple[File, ...]

    def kept(self, rows: int) -> Mask:
        """See `Deleted`."""
        mask = np.ones(rows, np.bool_)
        for file in self.listed:
            with reading(file.name):
                table = pq.read_table(
                    file.path,
                    filesystem=file.filesystem,
                    columns=["pos"],
                    filters=pc.field("file_path") == self.path,
                )
                mask[plain(one_chunk(table["pos"]))] = False
        for file in self.vectors:
            for gone in self._bitmaps(file):
                mask[gone] = False
        return mask

    def _bitmaps(self, file: File) -> Iterator[Any]:
        from pyiceberg.table.deletion_vector import deletion_vectors_from_puffin_file
        from pyiceberg.table.puffin import PuffinFile

        with reading(file.name), file.open() as opened:
            content = opened.read()
        try:
            vectors = deletion_vectors_from_puffin_file(PuffinFile(content))
        except (ValueError, KeyError) as error:
            raise UnreadableSourceError(file.name, why=sentence(error)) from error
        for one in vectors:
            if one.referenced_data_file == self.path:
                yield plain(one_chunk(one.to_vector()))


def _deleted(task: Any, places: "_Places") -> Positions | None:
    if not task.delete_files:
        return None
    told = sorted(task.delete_files, key=lambda file: str(file.file_path))
    by_format = {
        name: tuple(
            places.file(file.file_path, file.file_size_in_bytes)
            for file in told
            if file.file_format.name == name
        )
        for name in _POSITIONS
    }
    return Positions(task.file.file_path, *(by_format[name] for name in _POSITIONS))


class _Places:
    """Where the files of a table lie.

    Args:
        io: what the table opens files with.
    """

    def __init__(self, io: Any) -> None:
        from pyiceberg.io.pyarrow import PyArrowFileIO

        self._local = pafs.LocalFileSystem()
        self._io = io if isinstance(io, PyArrowFileIO) else PyArrowFileIO(io.properties)

    def file(self, location: str, size: int, **told: Any) -> File:
        """A file by its path in the metadata."""
        scheme, host, path = self._io.parse_location(location, self._io.properties)
        if scheme == "file":
            return File(path, self._local, path, size=size, **told)
        return File(location, self._io.fs_by_scheme(scheme, host), path, size=size, **told)
