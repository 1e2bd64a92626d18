"""The data files of lake tables: Parquet, read as the table describes it and not as each file does."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.known import Deleted, Mask
from watchkeep.adapters.sources.parquet import Parquet
from watchkeep.adapters.sources.readers import Told
from watchkeep.core.errors import MissingSourceError, OptionError, SourceError, UnreadableSourceError
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import positions, strings
from watchkeep.frames.schema import column_type, is_text
from watchkeep.service.ports import EVER, Ask

ELSEWHERE: Final = "Spark reads such tables: name it spark.table:CATALOG.NAMESPACE.TABLE with --engine spark"
"""What to do with a table that cannot be read here."""
_NUMBER: Final = b"PARQUET:field_id"
_DIGITS: Final = 38
_PARQUET: Final = Parquet()


@dataclass(frozen=True, slots=True)
class Step:
    """How a field of the table is found in a file, on one level of nesting.

    Args:
        names: what it may be called there, first choice first.
        number: its number in files that number their fields; None when names decide in any case.
    """

    names: tuple[str, ...]
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Lake:
    """Reads the data files of a table, whose rows have the columns of the table, in its order.

    Renamed columns have their new names. Those that a file was written without are filled: with the value of the
    file's partition, with what the table says, or with nulls. Numbers are of the kind that the table has
    widened them to. Deleted rows are left out.

    Args:
        kind: the columns of the table, flattened.
        steps: the way to each of them in a file, by name.
        filled: what rows of files written without a column hold there, as text.
    """

    kind: pa.Schema
    steps: Mapping[str, Sequence[Step]]
    filled: Mapping[str, str] = field(default_factory=dict)
    clock: str | None = None

    def schema(self, file: File, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns of the table."""
        return self.kind

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows of a file that the table still holds."""
        with _there():
            found = self._found(file)
            names = tuple(name for name in self.kind.names if ask.columns is None or name in ask.columns)
            plain = _plain(ask, names, found, file)
            if _deleted(file) is None:
                for batch in _PARQUET.batches(file, plain):
                    yield self._dressed(batch, file, names, found) if batch.rows else batch
                return
            kept, at = _kept(file), 0
            for batch in _PARQUET.batches(file, plain):
                yield self._dressed(batch, file, names, found).filter(kept[at : at + batch.rows])
                at += batch.rows

    def cut(self, file: File, most: int) -> Sequence[File]:
        """See `Indexed`."""
        return _PARQUET.cut(file, most)

    def told(self, file: File, ask: Ask) -> Told:
        """See `Indexed`. Of whole files the table's log tells the rows, whether they can be opened or not."""
        known = file.known.rows if file.known is not None and file.groups is None else None
        if file.known is not None and known is not None and file.known.outside(ask):
            return Told(known, 1, 1, known)
        try:
            told = _PARQUET.told(file, _plain(ask, self.kind.names, self._found(file), file))
            rows = told.rows if _deleted(file) is None else int(np.count_nonzero(_kept(file)))
        except SourceError:
            if known is None:
                raise
            return Told(known, 0, 0, 0)
        return replace(told, rows=rows)

    def _found(self, file: File) -> Mapping[str, str]:
        """The names of the columns in a file, by their names in the table."""
        if all(_is_itself(name, steps) for name, steps in self.steps.items()):
            return {name: name for name in self.steps}
        with reading(file.name):
            return located(pq.read_schema(file.open()), self.steps)

    def _dressed(self, batch: Batch, file: File, names: Sequence[str], found: Mapping[str, str]) -> Batch:
        """A batch of a file with the columns of the table."""
        rows, inner, here = batch.rows, batch.load, frozenset(batch.names)
        filled = {**self.filled, **{key: text for key, text in file.keys if text is not None}}

        def load(name: str) -> pa.Array:
            kind = self.kind.field(name).type
            with reading(f"{file.name}, column {name!r}"):
                if found.get(name) in here:
                    return conformed(inner(found[name]), kind)
                return constant(filled.get(name), kind, rows)

        return replace(batch, names=names, load=load)


def _plain(ask: Ask, names: Sequence[str], found: Mapping[str, str], file: File) -> Ask:
    """What to ask of a file for some columns of the table, by the names they have there."""
    theirs = {found[name] for name in names if name in found}
    # Rows passed over by their statistics come out of turn, and could not be told from deleted ones.
    window = ask.window if _deleted(file) is None else EVER
    return replace(ask, columns=theirs, timestamp=found.get(ask.timestamp or ""), window=window)


def _is_itself(name: str, steps: Sequence[Step]) -> bool:
    """Whether a column has one name in the table and in all files."""
    if any(step.number is not None or len(step.names) != 1 for step in steps):
        return False
    return name == ".".join(step.names[0] for step in steps)


def located(schema: pa.Schema, steps: Mapping[str, Sequence[Step]]) -> dict[str, str]:
    """The flattened names that columns have in a file of this schema; those it has not are left out.

    >>> steps = {"age": [Step(("years", "age"))], "sex": [Step(("sex",))]}
    >>> located(pa.schema([("age", pa.int8()), ("n", pa.int8())]), steps)
    {'age': 'age'}
    """
    numbered = any(_number(each) is not None for each in schema)
    levels: dict[tuple[str, ...], dict[str | int | None, pa.Field]] = {}
    found: dict[str, str] = {}
    for column, path in steps.items():
        names: tuple[str, ...] = ()
        fields = list(schema)
        for step in path:
            level = levels.setdefault(
                names, {key: each for each in fields for key in (each.name, _number(each))}
            )
            keys = (step.number,) if numbered and step.number is not None else step.names
            there = next((level[key] for key in keys if key in level), None)
            if there is None:
                break
            names, fields = (*names, there.name), fields_of(there.type)
        else:
            found[column] = ".".join(names)
    return found


def _number(each: pa.Field) -> int | None:
    text = (each.metadata or {}).get(_NUMBER)
    return None if text is None else int(text)


def fields_of(kind: pa.DataType) -> list[pa.Field]:
    """The fields of a struct; none of another type."""
    return [kind.field(at) for at in range(kind.num_fields)] if pa.types.is_struct(kind) else []


def conformed(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """A column of a file as a column of the table's type, where the two are not of one kind.

    >>> conformed(pa.array([1, None], pa.int32()), pa.float64()).to_pylist()
    [1.0, None]
    """
    if column_type(array.type) is column_type(kind):
        return array
    if pa.types.is_decimal(kind):  # whose digits may be fewer than those that the integer type could take
        kind = pa.decimal128(_DIGITS, kind.scale)
    return array.cast(kind, safe=not pa.types.is_floating(kind))


def constant(text: str | None, kind: pa.DataType, rows: int) -> pa.Array:
    """One value in every row, shape (rows,).

    Args:
        text: the value as text; None for nulls.
        kind: its type.
        rows: how many.

    >>> constant("7", pa.int32(), 2).to_pylist()
    [7, 7]
    """
    if text is None:
        return pa.nulls(rows, kind)
    value, first = strings([text]), positions(np.zeros(rows, np.int64))
    if is_text(kind):
        return pa.DictionaryArray.from_arrays(first.cast(pa.int32()), value)
    return value.cast(kind).take(first)


def _deleted(file: File) -> Deleted | None:
    return None if file.known is None else file.known.deleted


def _kept(file: File) -> Mask:
    """Which rows of a file, or of the row groups that are meant, the table holds."""
    with reading(file.name):
        metadata = pq.read_metadata(file.open())
        sizes = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
    deleted = _deleted(file)
    if deleted is None:
        return np.ones(sum(sizes), np.bool_)
    first, last = file.groups or (0, len(sizes))
    return deleted.kept(sum(sizes))[sum(sizes[:first]) : sum(sizes[:last])]


def bucket(scheme: str, host: str) -> pafs.FileSystem | None:
    """The filesystem of a bucket, by the scheme and the host of its URL; None where they are none of one.

    Hadoop and others have names of their own for the schemes.
    """
    known = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}.get(scheme, scheme)
    return pafs.FileSystem.from_uri(f"{known}://{host}")[0] if known in ("s3", "gs") else None


def asked(
    source: str, prefix: str, known: Collection[str], *, what: str, form: str
) -> tuple[str, tuple[str, str] | None]:
    """What a name such as `delta:PATH?version=12` asks for: the table, and which state of it, if it says.

    Args:
        source: the name.
        prefix: how it begins.
        known: the options that may tell a state; one of them at most.
        what, form: what such names stand for, and how they are spelled; for errors.

    Raises:
        OptionError: it is spelled otherwise.

    >>> asked("delta:lake/rides?version=12", "delta:", ["version"], what="a table", form="delta:PATH")
    ('lake/rides', ('version', '12'))
    """
    rest = source.removeprefix(prefix)
    table, mark, option = rest.rpartition("?")
    if not mark or Path(rest).exists():
        table, option = rest, ""
    name, equals, value = option.partition("=")
    if not table or (option and (name not in known or not equals or not value)):
        raise OptionError(what, got=source, expected=form)
    return table, (name, unquote(value)) if option else None


@contextmanager
def _there() -> Iterator[None]:
    try:
        yield
    except MissingSourceError as error:
        why = "its table says that it is there, and it is not; was it deleted while an older version still needs it?"
        raise UnreadableSourceError(error.source, why=why) from error
