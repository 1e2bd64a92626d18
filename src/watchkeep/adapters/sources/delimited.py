"""Reads CSV and its relatives: every value arrives as text."""

import codecs
import csv
import io
import secrets
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from time import monotonic, sleep
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from watchkeep.adapters.sources.files import File, reading
from watchkeep.adapters.sources.tables import distinct, schema_of
from watchkeep.capture.payloads import named
from watchkeep.core.errors import EmptySourceError, UnreadableSourceError
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask

WRONG_WIDTH: Final = "wrong number of fields"
NOT_UTF8: Final = "not UTF-8"
_DELIMITERS: Final = (",", "\t", ";", "|")
_HEAD: Final = 256 * 1024
_BLOCK: Final = 8 * 1024 * 1024
_SAMPLE_ROWS: Final = 20
_RETURN_SECONDS: Final = 1.0
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How one file is laid out: its columns, what parts them, and the lines before the first row."""

    names: tuple[str, ...]
    delimiter: str
    skipped: int


@dataclass(frozen=True, slots=True)
class Delimited:
    """CSV, plain or compressed: every value is text.

    Fields are parted by a comma, tab, semicolon or bar, whichever fits the head of the file best. An empty
    field, quoted or not, is a null, and nothing else is. Rows with another number of fields than the first
    are rejected, and so are rows with bytes that are not UTF-8 in the columns read. A column without a name
    is called by its place, `_c0` for the first.

    Args:
        header: whether the first row names the columns. None decides by the data: it does, unless names are
            given (`Ask.positional`), as many as the row has fields, none of them is in the row, and a number
            is.
    """

    header: bool | None = None
    clock: str | None = None

    def schema(self, file: File, ask: Ask) -> pa.Schema:
        """The columns of a file, all of them textual."""
        names = self._layout(file, ask).names
        return schema_of(dict.fromkeys(names, pa.string()), names)

    def batches(self, file: File, ask: Ask) -> Iterator[Batch]:
        """The rows, some megabytes of text at a time."""
        layout = self._layout(file, ask)
        wanted = [at for at, name in enumerate(layout.names) if ask.columns is None or name in ask.columns]
        widths: Counter[str] = Counter()

        def skip(row: Any) -> str:  # noqa: ARG001 (the library passes the row)
            widths[WRONG_WIDTH] += 1
            return "skip"

        with reading(file.name):
            try:
                for record in _records(file, layout, wanted or [0], skip):
                    rejected, widths = widths, Counter()
                    yield _batch(record, [layout.names[at] for at in wanted], rejected)
            except pa.ArrowInvalid as error:
                raise UnreadableSourceError(file.name, why=_reason(error)) from error
        if widths:
            yield Batch.of(pa.Table.from_batches([], pa.schema([])), rejected=dict(widths))

    def _layout(self, file: File, ask: Ask) -> _Layout:
        with reading(file.name):
            head = file.head(_HEAD)
        if head.startswith(_UTF16):
            raise UnreadableSourceError(file.name, why="it is UTF-16; expected UTF-8")
        text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
        body = text.lstrip("\r\n")
        if not body:
            raise EmptySourceError(file.name, why="it is empty")
        blank = len(text[: len(text) - len(body)].splitlines())
        delimiter = "\t" if ".tsv" in PurePosixPath(file.path).suffixes else _best_delimiter(text)
        first = _first_row(file.name, text, delimiter)
        if self.header is False or (self.header is None and _is_data(first, ask.positional)):
            names = named(len(first), ask.positional)
            return _Layout(distinct(names, source=file.name), delimiter, 0)
        names = tuple(name or f"_c{at}" for at, name in enumerate(first))
        return _Layout(distinct(names, source=file.name), delimiter, blank + 1)


def _is_data(first: Sequence[str], positional: Sequence[str] | None) -> bool:
    """Whether a first row holds values: it is as wide as the names given, has none of them, but a number."""
    given = set(positional or ())
    return len(first) == len(positional or ()) and not given & set(first) and any(map(_is_number, first))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _first_row(source: str, text: str, delimiter: str) -> list[str]:
    rows = _rows(text, delimiter)
    first = next((row for row in rows if row), [])
    for field in first:
        if "\x00" in field:
            raise UnreadableSourceError(source, why="its first row holds NUL bytes: it is not a text file")
        if any("\udc80" <= character <= "\udcff" for character in field):
            at = len(text.split(field, 1)[0].encode("utf-8", "surrogateescape"))
            raise UnreadableSourceError(
                source, why=f"its first row is not UTF-8, in the field at byte {at}; expected UTF-8"
            )
    return first


def _best_delimiter(text: str) -> str:
    """The delimiter by which most of the first rows have as many fields as the very first, and several."""

    def fit(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in islice(filter(None, _rows(text, delimiter)), _SAMPLE_ROWS)]
        alike = widths.count(widths[0]) if widths else 0
        return (alike, widths[0]) if 2 * alike > len(widths) and widths[0] > 1 else (0, 0)

    return max(_DELIMITERS, key=fit)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error:  # the head may end within a quoted field
        return


class _Ended(io.RawIOBase):
    """The bytes of a stream, and then a row of our own.

    When that row does not arrive as the last one, a quote before it was never closed: Arrow would give all
    that follows such a quote as one value, and rows would be lost without a word.
    """

    def __init__(self, stream: pa.NativeFile, last: bytes) -> None:
        self._stream, self._last = stream, last

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._stream.read(size if size >= 0 else None)
        if piece:
            return piece
        last, self._last = self._last, b""
        return last


def _records(file: File, layout: _Layout, wanted: Sequence[int], skip: Any) -> Iterator[pa.RecordBatch]:
    """The rows as columns of bytes, named by their place: our names may be anything."""
    places = [str(at) for at in range(len(layout.names))]
    token = secrets.token_hex(16).encode()
    stream = _Ended(file.stream(), b"\n" + layout.delimiter.encode().join([token] * len(places)))
    refuse = partial(skip)
    lent: list[weakref.ref[Any]] = [weakref.ref(stream), weakref.ref(refuse)]
    whole, reader = False, None
    try:
        reader = pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(
                column_names=places,
                skip_rows_after_names=layout.skipped,
                block_size=_BLOCK,
                use_threads=False,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.binary()),
                include_columns=[places[at] for at in wanted],
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        for record in reader:
            rows = record.num_rows
            whole = bool(rows) and record.column(0)[rows - 1].as_py() == token
            yield record.slice(0, rows - 1) if whole else record
    finally:
        del reader, stream, refuse
        _returned(lent)
    if not whole:
        raise UnreadableSourceError(file.name, why="a quote is never closed")


def _returned(lent: Sequence[weakref.ref[Any]]) -> None:
    """Waits until Arrow's threads hold none of the objects lent to them.

    They read ahead, and let go of a stream a moment after its last batch is out. Should the interpreter end
    in that moment, a thread that wants its lock is ended too, in the middle of C++, and the process aborts.
    An error's traceback may hold an object for longer, so the wait is bounded.
    """
    until = monotonic() + _RETURN_SECONDS
    while any(reference() is not None for reference in lent) and monotonic() < until:
        sleep(0.0001)


def _batch(record: pa.RecordBatch, names: Sequence[str], rejected: Counter[str]) -> Batch:
    columns = record.columns[: len(names)]
    rows = record.num_rows
    try:
        texts = [column.cast(pa.string()) for column in columns]
    except pa.ArrowInvalid:
        sound = np.logical_and.reduce([_is_utf8(column) for column in columns])
        keep = pa.Array.from_buffers(
            pa.bool_(), len(sound), [None, pa.py_buffer(np.packbits(sound, bitorder="little"))]
        )
        texts = [column.filter(keep).cast(pa.string()) for column in columns]
        rows = int(np.count_nonzero(sound))
        rejected[NOT_UTF8] += record.num_rows - rows
    by_name = dict(zip(names, texts, strict=True))
    return Batch(rows, tuple(names), by_name.__getitem__, frozenset(names), dict(rejected))


def _is_utf8(column: pa.Array) -> Any:
    return np.array([value is None or _decodes(value) for value in column.to_pylist()], np.bool_)


def _decodes(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reason(error: pa.ArrowInvalid) -> str:
    if "straddl" in str(error):
        return f"a row is longer than {_BLOCK // 1024**2} MB; is a quote never closed?"
    return str(error).splitlines()[0]
