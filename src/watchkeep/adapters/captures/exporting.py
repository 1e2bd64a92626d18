"""Writes records of the store as SageMaker's captures, imported ones as they were."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.captures.arrivals import made_id
from watchkeep.adapters.captures.on_disk import OnDisk
from watchkeep.adapters.sources.stored.layout import EPOCH, hours, quoted, variants
from watchkeep.adapters.sources.stored.lines import StoredLine, lines_in
from watchkeep.adapters.sources.stored.source import files_of
from watchkeep.adapters.sources.stored.standing import importing_in, standing_of
from watchkeep.adapters.sources.window import micros
from watchkeep.core.errors import MissingSourceError
from watchkeep.core.window import Window
from watchkeep.formats.capture_lines import tells_bodies
from watchkeep.service.ports import EVER, Progress, Shelf, Silent

_LARGEST: Final = 32 << 20
"""Bytes of a file of our own records; SageMaker's are as large as they were."""
_KEPT: Final = pa.schema(
    [
        ("minute", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("time", pa.int64()),
        ("hour", pa.string()),
        ("event", pa.string()),
        ("place", pa.int64()),
        ("text", pa.string()),
    ]
)
_ORDER: Final = "ORDER BY coalesce(file, minute), file, line, time, event, place"
_ALL: Final = "SELECT minute, file, time, text FROM kept "
_ONCE: Final = _ALL + "QUALIFY row_number() OVER (PARTITION BY hour, event ORDER BY place) = 1 "


@dataclass(slots=True)
class Exported:
    """What an export wrote.

    Args:
        files: how many.
        records: in them.
        left_out: records that were not written, by reason.
        literal: records whose bodies are kept twice, since their lines spelled them in a way of their own.
    """

    files: int = 0
    records: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    literal: int = 0

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {"files": self.files, "records": self.records, "left_out": dict(self.left_out)}


def export(
    shelf: Shelf,
    endpoint: str,
    target: Shelf,
    *,
    variant: str | None = None,
    window: Window = EVER,
    base64: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write the records of an endpoint, below `ENDPOINT/VARIANT/yyyy/mm/dd/hh/`.

    Imported captures are written into files of the names that they had, line by line in the order that they had, each
    line as it was. Our own make a file for each minute in which there were some. Only what was answered with 2xx is
    written.

    Args:
        shelf: the store.
        endpoint: whose.
        target: where to; files of the same names are replaced.
        variant: only its.
        window: only records of this time.
        base64: whether bodies of our own records are written as BASE64; else those that are neither CSV nor JSON are.
        progress: is told of records.

    Raises:
        MissingSourceError: nothing of it was captured.
        SourceError: a file of the store cannot be read.
        StoreError: the target cannot be written, or the disk is full.
    """
    told, progress = Exported(), progress or Silent()
    known = variants(shelf, endpoint)
    wanted = known if variant is None else [one for one in known if one == variant]
    if not wanted:
        raise MissingSourceError(
            f"captures of {endpoint}" + (f"/{variant}" if variant else ""),
            looked_for=f"what was captured into {shelf.name}" + (f": {', '.join(known)}" if known else ""),
        )
    progress.start("Exporting", rows=None)
    try:
        for one in wanted:
            _variant(shelf, endpoint, one, target, window, told, base64=base64, progress=progress)
    finally:
        progress.stop()
    return told


def _variant(
    shelf: Shelf,
    endpoint: str,
    variant: str,
    target: Shelf,
    window: Window,
    told: Exported,
    *,
    base64: bool,
    progress: Progress,
) -> None:
    start, end = micros(window)
    repeated, place = False, 0
    importing = importing_in(shelf)
    with OnDisk(_KEPT) as kept:
        for hour in hours(shelf, endpoint=endpoint, variant=variant, window=window):
            repeated |= standing_of(shelf, hour.folder, importing=importing).repeated
            for file in files_of(shelf, hour, importing=importing):
                for several in lines_in(file, base64=base64):
                    rows = [
                        _row(one, hour.folder, at)
                        for at, one in enumerate(several, place)
                        if start <= one.said.time < end and _is_written(one, told)
                    ]
                    if rows:
                        columns = zip(*rows, strict=True)
                        arrays = [
                            pa.array(column, part.type) for column, part in zip(columns, _KEPT, strict=True)
                        ]
                        kept.keep(pa.Table.from_arrays(arrays, schema=_KEPT))
                    place += len(several)
                    progress.advance(len(several))
        if kept.rows:
            _written(kept, repeated, f"{quoted(endpoint)}/{quoted(variant)}", target, told)


def _is_written(one: StoredLine, told: Exported) -> bool:
    if not 200 <= one.status < 300:
        told.left_out[f"answered with status {one.status}" if one.status else "no answer"] += 1
        return False
    if one.said.input is None and one.said.output is None and one.file is None:
        told.left_out["no body was kept"] += 1
        return False
    told.literal += one.file is not None and tells_bodies(one.spelling)
    return True


def _row(one: StoredLine, hour: str, place: int) -> tuple[Any, ...]:
    moment = EPOCH + timedelta(microseconds=one.said.time)
    folder = f"{moment:%Y/%m/%d/%H}"
    file = None if one.file is None else one.file if "/" in one.file else f"{folder}/{one.file}"
    return f"{folder}/{moment:%M}", file, one.line, one.said.time, hour, one.said.event_id, place, one.text


def _written(kept: OnDisk, repeated: bool, above: str, target: Shelf, told: Exported) -> None:
    """Write the files."""
    rows = (
        row
        for batch in kept.ask((_ONCE if repeated else _ALL) + _ORDER)
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    )
    for (minute, file), several in groupby(rows, lambda row: ("" if row[1] else row[0], row[1])):
        for part, (name, texts) in enumerate(_files(file, several)):
            folder = minute.rpartition("/")[0]
            own = file or f"{folder}/{name}-{made_id(above, minute, part)}.jsonl"
            target.write(f"{above}/{own}", "".join(texts).encode("utf-8", "surrogatepass"))
            told.files += 1
            told.records += len(texts)


def _files(file: str | None, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[str, list[str]]]:
    """The lines of each file, and how the name of one of our own begins."""
    texts: list[str] = []
    name, size = "", 0
    for _, _, time, text in rows:
        if file is None and size > _LARGEST:
            yield name, texts
            texts, size = [], 0
        if not texts:
            moment = EPOCH + timedelta(microseconds=time)
            name = f"{moment:%M-%S}-{moment.microsecond // 1000:03}"
        texts.append(text)
        size += len(text)
    yield name, texts
