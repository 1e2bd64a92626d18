"""Stored records as lines of SageMaker's captures."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import pyarrow as pa

from watchkeep.adapters.sources.files import File
from watchkeep.adapters.sources.stored.columns import (
    ATTRIBUTES,
    EVENT_ID,
    FILE,
    INFERENCE_ID,
    INPUT,
    INPUT_TYPE,
    LINE,
    OUTPUT,
    OUTPUT_TYPE,
    ROW,
    ROWS,
    SPELLING,
    STATUS,
    TIME,
    WEIGHT,
)
from watchkeep.adapters.sources.stored.reading import opened_file
from watchkeep.capture.contents import is_csv, is_json
from watchkeep.formats import capture_lines
from watchkeep.formats.capture_lines import Said, Side, encoding_in, plain_spelling, write

COLUMNS: Final = (
    EVENT_ID,
    INFERENCE_ID,
    TIME,
    ROW,
    ROWS,
    STATUS,
    ATTRIBUTES,
    INPUT_TYPE,
    OUTPUT_TYPE,
    INPUT,
    OUTPUT,
    FILE,
    LINE,
    SPELLING,
    WEIGHT,
)
"""The columns that a line is made of."""
_AT_A_TIME: Final = 16 << 20
_LINES: Final = 8192


class StoredLine(NamedTuple):
    """A record of the store.

    Args:
        said: what its line says.
        spelling: how.
        status: with which it was answered; 0 when it was not.
        file, line: where it came from; None for one of our own.
        rows: how many its bodies hold.
        weight: how many inferences it stands for.
    """

    said: Said
    spelling: str
    status: int
    file: str | None
    line: int | None
    rows: int
    weight: float

    @property
    def text(self) -> str:
        """The line, with its end."""
        return write(self.said, self.spelling)


def lines_in(file: File, *, plainly: bool = False, base64: bool = False) -> Iterator[list[StoredLine]]:
    """The records of a file, some megabytes at a time.

    Args:
        file: of the store.
        plainly: whether all are spelled as our own are.
        base64: whether bodies are to be told as BASE64 that came without a spelling.

    Raises:
        SourceError: it cannot be read.
    """
    for batch in batches_of(file, COLUMNS, size=_AT_A_TIME, most=_LINES):
        yield lines_of(batch, plainly=plainly, base64=base64)


def batches_of(
    file: File, columns: Sequence[str], *, size: int, most: int = 131_072
) -> Iterator[pa.RecordBatch]:
    """Some columns of a file, those that it has.

    Args:
        file: of the store.
        columns: which.
        size: bytes of a batch, about.
        most: rows of a batch.

    Raises:
        SourceError: it cannot be read.
    """
    with opened_file(file) as opened:
        held = [name for name in columns if name in opened.schema_arrow.names]
        rows = min(most, _rows_within(opened.metadata, size))
        yield from opened.iter_batches(rows, columns=held, use_threads=False)


def _rows_within(metadata: Any, size: int) -> int:
    """How many rows of a Parquet file take about so many bytes."""
    total = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    return int(max(1, size * metadata.num_rows // max(total, 1)))


def lines_of(
    batch: "pa.RecordBatch | pa.Table", *, plainly: bool = False, base64: bool = False
) -> list[StoredLine]:
    """The records of some rows; of each the row that has its bodies."""
    names = set(batch.schema.names)
    nothing = [None] * batch.num_rows

    def column(name: str) -> list[Any]:
        if name not in names:
            return nothing
        array = batch.column(name)
        values: list[Any] = (array.cast(pa.int64()) if name == TIME else array).to_pylist()
        return values

    found = []
    for row in zip(*map(column, COLUMNS), strict=True):
        (
            event,
            inference,
            time,
            at,
            rows,
            status,
            attributes,
            given_type,
            told_type,
            given,
            told,
            file,
            line,
            how,
            weight,
        ) = row
        if at and given is None and told is None:
            continue
        like = None if plainly else how
        said = Said(
            event or "",
            inference or "",
            attributes or "",
            time or 0,
            _side(given, given_type, like, capture_lines.INPUT, base64=base64),
            _side(told, told_type, like, capture_lines.OUTPUT, base64=base64),
        )
        found.append(
            StoredLine(said, like or plain_spelling(said), status or 0, file, line, rows or 1, weight or 1.0)
        )
    return found


def _side(body: bytes | None, kind: str | None, like: str | None, name: str, *, base64: bool) -> Side | None:
    if body is None:
        return None
    encoding = None if like is None else encoding_in(like, name)
    return Side(body, encoding or encoding_of(body, kind or "", base64=base64), kind or "")


def encoding_of(body: bytes, content_type: str, *, base64: bool = False) -> str:
    """How a line tells a body: as text where it is CSV or JSON.

    >>> encoding_of(b"41,red", "text/csv; charset=utf-8"), encoding_of(b"PK", "application/zip")
    ('CSV', 'BASE64')
    """
    if base64:
        return "BASE64"
    encoding = "CSV" if is_csv(content_type) else "JSON" if is_json(content_type) else "BASE64"
    try:
        body.decode()
    except UnicodeDecodeError:
        return "BASE64"
    return encoding
