"""Looks through all that is stored of an endpoint for the bytes of a value."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.captures.subjects import Subject
from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.stored.columns import EVENT_ID
from watchkeep.adapters.sources.stored.labels import ID, label_file
from watchkeep.adapters.sources.stored.labels import hours as label_hours
from watchkeep.adapters.sources.stored.layout import SUFFIX, hours
from watchkeep.adapters.sources.stored.lines import batches_of
from watchkeep.adapters.sources.stored.reading import opened_file
from watchkeep.adapters.sources.stored.source import file_of
from watchkeep.adapters.sources.stored.standing import OLD
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import filled
from watchkeep.frames.schema import is_text
from watchkeep.service.ports import Shelf

_AT_A_TIME: Final = 32 << 20
_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Left:
    """Where a value still stands.

    Args:
        where: the file.
        column: in which; None where it is no file of columns.
        rows: how many hold it.
        meant: whether the column is one by which records are known, so that these should be gone.
        events: ids of some of these records.
    """

    where: str
    column: str | None = None
    rows: int = 1
    meant: bool = False
    events: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {"file": self.where, "column": self.column, "rows": self.rows, "events": list(self.events)}


def left_in(shelf: Shelf, endpoint: str, subject: Subject) -> Iterator[Left]:
    """Where a value still stands in what is stored of an endpoint: in any column, or any file beside them.

    Bytes that are part of a longer word or number are not the value.

    Raises:
        SourceError: a file cannot be read.
        StoreError: the store cannot be read.
    """
    for hour in hours(shelf, endpoint=endpoint):
        for name in sorted(shelf.names(hour.folder)):
            if name.endswith(SUFFIX):
                yield from _in_columns(file_of(shelf, hour, name), subject)
            elif subject.stands_in(shelf.read(f"{hour.folder}/{name}")):
                yield Left(f"{hour.folder}/{name}")


def left_in_labels(shelf: Shelf, endpoint: str, subject: Subject) -> Iterator[Left]:
    """Where a value still stands in the ids and texts of an endpoint's labels.

    Raises:
        SourceError: a file cannot be read.
        StoreError: the store cannot be read.
    """
    for hour in label_hours(shelf, endpoint):
        for name in sorted(shelf.names(hour.folder)):
            if name.endswith((SUFFIX, f"{SUFFIX}{OLD}")):
                yield from _in_columns(
                    label_file(shelf, f"{hour.folder}/{name}"), subject, texts=True, id_=ID
                )


def _in_columns(file: File, subject: Subject, *, texts: bool = False, id_: str = EVENT_ID) -> Iterator[Left]:
    """Where a value stands in a file; of some columns only those of texts are looked through."""
    with opened_file(file) as opened:
        names = [part.name for part in opened.schema_arrow if not texts or is_text(part.type)]
    found: dict[str, Left] = {}
    for batch in batches_of(file, names, size=_AT_A_TIME):
        for name in names:
            meant = name in subject.columns
            mask = _standing(batch.column(name), subject, meant=meant)
            count = int(np.count_nonzero(mask))
            if count:
                before = found.get(name, Left(file.name, name, 0, meant))
                events = batch.column(id_).take(pa.array(np.flatnonzero(mask)[:_NAMED])).to_pylist()
                several = tuple(dict.fromkeys((*before.events, *events)))[:_NAMED]
                found[name] = replace(before, rows=before.rows + count, events=several)
    yield from found.values()


def _standing(column: Any, subject: Subject, *, meant: bool) -> npt.NDArray[np.bool_]:
    """Which values of a column hold the value, shape (rows,)."""
    array = one_chunk(column)
    nothing = np.zeros(len(array), bool)
    if array.null_count == len(array):
        return nothing
    if meant:
        nothing |= subject.is_in(array)
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raw = array
    elif is_text(kind):
        raw = array.cast(pa.large_string()).cast(pa.large_binary())
    elif pa.types.is_nested(kind):
        raw = pa.array(
            [None if one is None else str(one).encode() for one in array.to_pylist()], pa.large_binary()
        )
    else:
        return (
            nothing | subject.is_in(array)
            if pa.types.is_integer(kind) or pa.types.is_floating(kind)
            else nothing
        )
    maybe = nothing.copy()
    for form in subject.forms:
        maybe |= filled(pc.find_substring(raw, pattern=form), -1) >= 0
    for at in np.flatnonzero(maybe).tolist():
        nothing[at] |= subject.stands_in(raw[at].as_py())
    return nothing
