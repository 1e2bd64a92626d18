"""A watch as bytes: a checksum, then its record; what cannot be trusted is refused."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final

import numpy as np

from watchkeep.alarms.record import Note, Record
from watchkeep.alarms.track import Outturn
from watchkeep.alarms.watch import Alarm, History, Sighting, Sums
from watchkeep.core.errors import StateError, WatchError
from watchkeep.core.window import iso
from watchkeep.formats.decisions import decision_document, decision_of
from watchkeep.states.codec import Field, decode, encode

VERSION: Final = 1
"""Of the file; one of a newer version is refused."""
_MAGIC: Final = b"watchkeep watch\n"
_DIGEST: Final = 32


def pack(record: Record) -> bytes:
    """A watch's record as bytes."""
    arrays: dict[str, Field] = {}
    # The two histories share most of their windows.
    every = {one.key: one for history in (record.closed, record.history) for one in history.sightings}
    meta = {
        "version": VERSION,
        "baseline": record.baseline,
        "false_alarms": record.false_alarms,
        "margin": record.margin,
        "sightings": [_sighting_meta(at, one, arrays) for at, one in enumerate(every.values())],
        "closed": _history_meta("closed", record.closed, arrays),
        "history": _history_meta("history", record.history, arrays),
        "decisions": [decision_document(one) for one in record.decisions],
        "notes": [
            {"what": note.what, "at": iso(note.at), "by": note.by, "text": note.text, "after": note.after}
            for note in record.notes
        ],
        "outturns": [asdict(one) for one in record.outturns],
    }
    body = zlib.compress(encode({"meta": json.dumps(meta), **arrays}), 6)
    return _MAGIC + hashlib.sha256(body).digest() + body


def is_watch(content: bytes) -> bool:
    """Whether the bytes are meant to be a watch."""
    return content.startswith(_MAGIC)


def unpack(content: bytes, path: str) -> Record:
    """The record of a file.

    Raises:
        WatchError: the bytes are damaged, of a newer version, or no watch.
    """
    start = len(_MAGIC) + _DIGEST
    body = content[start:]
    if not is_watch(content):
        raise WatchError(path, why="it is no watch file; name a new file to begin a watch")
    if hashlib.sha256(body).digest() != content[len(_MAGIC) : start]:
        raise WatchError(path, why="it is damaged: its checksum is wrong; restore it from a backup")
    try:
        fields = decode(zlib.decompress(body))
        meta = json.loads(str(fields["meta"]))
        version = int(meta["version"])
        if version > VERSION:
            raise WatchError(
                path, why=f"it has version {version}, this Watchkeep reads up to {VERSION}; upgrade"
            )
        every = [_sighting(at, one, fields) for at, one in enumerate(meta["sightings"])]
        return Record(
            baseline=str(meta["baseline"]),
            false_alarms=float(meta["false_alarms"]),
            margin=float(meta["margin"]),
            closed=_history("closed", meta["closed"], fields, every),
            history=_history("history", meta["history"], fields, every),
            decisions=tuple(decision_of(one) for one in meta["decisions"]),
            notes=tuple(
                Note(
                    what=str(one["what"]),
                    at=datetime.fromisoformat(one["at"]),
                    by=str(one["by"]),
                    text=str(one["text"]),
                    after=int(one["after"]),
                )
                for one in meta["notes"]
            ),
            outturns=tuple(
                Outturn(
                    key=str(one["key"]),
                    measure=str(one["measure"]),
                    value=float(one["value"]),
                    estimated=float(one["estimated"]),
                    low=float(one["low"]),
                    high=float(one["high"]),
                )
                for one in meta.get("outturns", ())
            ),
        )
    except (StateError, zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        if isinstance(error, WatchError):
            raise
        raise WatchError(path, why=f"it cannot be read: {error}") from error


def _sighting_meta(at: int, one: Sighting, arrays: dict[str, Field]) -> dict[str, object]:
    _put(f"sighting{at}", one.sums, arrays)
    return {
        "key": one.key,
        "digest": one.digest,
        "start": None if one.start is None else iso(one.start),
        "end": None if one.end is None else iso(one.end),
        "rows": one.rows,
        "sums": len(one.sums),
        **({"why": one.why} if one.why else {}),
    }


def _history_meta(name: str, history: History, arrays: dict[str, Field]) -> dict[str, object]:
    _put(f"{name}.learned", history.learned, arrays)
    alarm = history.alarm
    if alarm is not None:
        _put(f"{name}.alarm", alarm.sums, arrays)
    return {
        "sums": len(history.learned),
        "count": history.count,
        "fresh": history.fresh,
        "learned_windows": history.learned_windows,
        "sightings": [[one.key, one.learnable] for one in history.sightings],
        "alarm": None if alarm is None else {"key": alarm.key, "number": alarm.number, "calm": alarm.calm},
    }


def _put(name: str, sums: tuple[Sums, ...], arrays: dict[str, Field]) -> None:
    for at, one in enumerate(sums):
        whole = one.dtype.kind in "iu"
        arrays[f"{name}.{at}"] = one.astype(np.int64) if whole else one.astype(np.float64)


def _get(name: str, count: int, fields: Mapping[str, Field]) -> tuple[Sums, ...]:
    found: list[Sums] = []
    for at in range(count):
        one = fields[f"{name}.{at}"]
        if not isinstance(one, np.ndarray):
            raise StateError(f"{name} lacks its sums")
        narrow = one.dtype.kind in "iu" and one.size and one.min() >= 0
        found.append(one.astype(np.min_scalar_type(int(one.max()))) if narrow else one)
    return tuple(found)


def _sighting(at: int, meta: Mapping[str, object], fields: Mapping[str, Field]) -> Sighting:
    start, end = (
        None if meta[side] is None else datetime.fromisoformat(str(meta[side])) for side in ("start", "end")
    )
    return Sighting(
        key=str(meta["key"]),
        digest=str(meta["digest"]),
        start=start,
        end=end,
        rows=int(str(meta["rows"])),
        sums=_get(f"sighting{at}", int(str(meta["sums"])), fields),
        why=str(meta.get("why", "")),
    )


def _history(
    name: str, meta: Mapping[str, object], fields: Mapping[str, Field], every: list[Sighting]
) -> History:
    by_key = {one.key: one for one in every}
    listed, alarm, count = meta["sightings"], meta["alarm"], int(str(meta["sums"]))
    if not isinstance(listed, list):
        raise StateError("a history lacks its windows")
    return History(
        learned=_get(f"{name}.learned", count, fields),
        count=int(str(meta["count"])),
        fresh=int(str(meta["fresh"])),
        learned_windows=int(str(meta["learned_windows"])),
        sightings=tuple(replace(by_key[key], learnable=bool(learnable)) for key, learnable in listed),
        alarm=None
        if not isinstance(alarm, dict)
        else Alarm(
            str(alarm["key"]), int(alarm["number"]), _get(f"{name}.alarm", count, fields), int(alarm["calm"])
        ),
    )
