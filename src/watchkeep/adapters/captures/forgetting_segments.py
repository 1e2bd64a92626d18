"""Deletes what segments hold of one subject that are not sealed yet."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from watchkeep.adapters.captures.cutting import DROPPED, FORGOTTEN, without_rows
from watchkeep.adapters.captures.forgetting import Gone
from watchkeep.adapters.captures.rows import Flattening, records_of
from watchkeep.adapters.captures.subjects import Subject
from watchkeep.adapters.sources.stored.columns import EVENT_ID, ROW
from watchkeep.capture.column_names import UNNAMED, ColumnNames
from watchkeep.capture.encryption import Keys
from watchkeep.capture.flags import with_flag
from watchkeep.capture.record import ENCRYPTED, Block, Inference, decode, encode, whole
from watchkeep.capture.record import records_of as inferences_of
from watchkeep.capture.segment import CLOSED, OPEN, TORN, blocks_of, complete
from watchkeep.frames.buffers import strings

_REWRITING = ".rewriting"


def forget_in_segments(folder: Path, endpoint: str, subject: Subject, names: ColumnNames = UNNAMED) -> Gone:
    """Rewrite the segments that nobody writes any more, and those they left; nobody else may seal them meanwhile.

    Args:
        folder: of the segments.
        endpoint: whose records.
        subject: what is forgotten.
        names: of values that come without.

    Raises:
        OSError: one cannot be read or written.
        StoreError: one is of a newer version.
    """
    gone = Gone()
    for path in complete(folder):
        content = path.read_bytes()
        new, own = _without(content, endpoint, subject, names)
        if new != content:
            _put(path, new)
            own.files = 1
        gone.add(own)
    return gone


def forget_torn(folder: Path, subject: Subject) -> int:
    """Delete the ends of segments that were no whole record and hold the subject's bytes; gives how many.

    An end that is encrypted may hold them, as nobody can look into it.

    Raises:
        OSError: one cannot be read or deleted.
    """
    count = 0
    for path in _of(folder, TORN, _REWRITING):
        if path.suffix == _REWRITING or _may_hold(path.read_bytes(), subject):
            path.unlink()
            count += path.suffix == TORN
    return count


def ids_in_segments(folder: Path, endpoint: str, subject: Subject, names: ColumnNames = UNNAMED) -> set[str]:
    """The ids of what segments hold of a subject, by which labels are told of it."""
    ids: set[str] = set()
    for path in _of(folder, OPEN, CLOSED):
        try:
            blocks, _ = blocks_of(path)
        except FileNotFoundError:  # sealed just now
            continue
        for block in blocks:
            if found := _gone_of(block, endpoint, subject, names):
                several = inferences_of(block)
                ids.update(*(_ids(several[at], rows, of) for at, (rows, of) in found.items()))
    return ids


def waiting_in(folder: Path, endpoint: str, subject: Subject, names: ColumnNames = UNNAMED) -> int:
    """How many records of the subject are in segments that others write or seal."""
    count = 0
    for path in _of(folder, OPEN, CLOSED):
        try:
            blocks, _ = blocks_of(path)
        except FileNotFoundError:  # sealed just now
            continue
        count += sum(len(_gone_of(block, endpoint, subject, names)) for block in blocks)
    return count


def bytes_in(folder: Path, subject: Subject) -> list[str]:
    """The files of a folder of segments that hold the subject's bytes."""
    found = []
    for path in _of(folder, OPEN, CLOSED, TORN):
        try:
            if _holds(path.read_bytes(), subject):
                found.append(str(path))
        except FileNotFoundError:
            continue
    return found


def _holds(data: bytes, subject: Subject) -> bool:
    """Whether the bytes of a segment, decrypted, are the subject's somewhere."""
    rest = memoryview(data)
    while rest:
        block, after = whole(rest)
        if block is None:
            break
        if subject.stands_in(bytes(block)):
            return True
        rest = after
    return subject.stands_in(bytes(rest))


def _may_hold(end: bytes, subject: Subject) -> bool:
    """Whether what is no whole block holds the subject; of what is encrypted nobody can say that it does not."""
    return ENCRYPTED in end or subject.stands_in(end)


def _of(folder: Path, *suffixes: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in suffixes)
    except FileNotFoundError:
        return []


def _without(content: bytes, endpoint: str, subject: Subject, names: ColumnNames) -> tuple[bytes, Gone]:
    gone, pieces = Gone(), []
    rest = memoryview(content)
    while rest:
        block, after = decode(rest)
        if block is None:
            break
        new = _block(block, endpoint, subject, names, gone)
        pieces.append(bytes(rest[: len(rest) - len(after)]) if new is None else new)
        rest = after
    if rest and not _may_hold(bytes(rest), subject):
        pieces.append(bytes(rest))  # whoever seals it tells of it
    return b"".join(pieces), gone


def _block(block: Block, endpoint: str, subject: Subject, names: ColumnNames, gone: Gone) -> bytes | None:
    """A block without the subject; None where it holds nothing of it."""
    found = _gone_of(block, endpoint, subject, names)
    if not found:
        return None
    kept: list[Inference] = []
    for at, one in enumerate(inferences_of(block)):
        if at not in found:
            kept.append(one)
            continue
        rows, of = found[at]
        gone.rows += len(rows)
        gone.ids |= _ids(one, rows, of)
        if len(rows) == of:
            gone.records += 1
        else:
            kept.append(_cut(one, rows, subject, gone))
    return b"".join(encode(kept, block.tallies, given=block.given, keys=Keys.of_environment()))


def _ids(one: Inference, rows: set[int], of: int) -> set[str]:
    name = one.inference_id or one.event_id
    return {name, one.event_id} if len(rows) == of else {f"{name}\x1f{row}/{of}" for row in rows}


def _cut(one: Inference, rows: set[int], subject: Subject, gone: Gone) -> Inference:
    flags = "" if subject.stands_in(one.flags.encode()) else one.flags
    bodies = []
    for side, body, kind in (("input", one.input, one.input_type), ("output", one.output, one.output_type)):
        cut = None if body is None else without_rows(body, kind, rows)
        bodies.append(cut)
        if body is not None:
            flags = with_flag(flags, side, DROPPED if cut is None else FORGOTTEN)
            gone.cut += cut is not None
            gone.dropped += cut is None
    return one._replace(flags=flags, input=bodies[0], output=bodies[1])


def _gone_of(
    block: Block, endpoint: str, subject: Subject, names: ColumnNames
) -> dict[int, tuple[set[int], int]]:
    """The records of a block that hold the subject, by their place: the rows that do, and how many they have."""
    if not block.rows or endpoint not in block.words["endpoint"]:
        return {}
    if subject.column is None:
        several = inferences_of(block)
        held = subject.is_in(strings([one.inference_id for one in several]))
        held |= subject.is_in(strings([one.event_id for one in several]))
        return {at: ({0}, 1) for at in np.flatnonzero(held).tolist() if several[at].endpoint == endpoint}
    found: dict[int, tuple[set[int], int]] = {}
    records = records_of([block])
    places = [at for at, name in enumerate(records.texts["endpoint"]) if name == endpoint]
    for at in places:  # one by one: bodies of one block may be of many forms
        table, _ = Flattening(names).table(records.take(np.array([at], np.int64)))
        rows = _rows(table, subject)
        if rows:
            found[at] = (rows, table.num_rows)
    return found


def _rows(table: pa.Table, subject: Subject) -> set[int]:
    held: Sequence[int] = np.flatnonzero(subject.held_in(table.select(_known(table, subject)))).tolist()
    places = table.column(ROW).to_pylist()
    return {places[at] for at in held}


def _known(table: pa.Table, subject: Subject) -> list[str]:
    return [name for name in table.schema.names if name in subject.columns or name == EVENT_ID]


def _put(path: Path, content: bytes) -> None:
    """Write a segment anew: whoever looks sees the old one or the new one."""
    partial = path.with_suffix(_REWRITING)
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
