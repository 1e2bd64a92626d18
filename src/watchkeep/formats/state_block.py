"""Many states as one block of bytes.

States of one kind stand side by side, field by field: a hundred columns' counts are one array, told once. That is
some times as fast as a header for each, and a profile of a hundred columns has six hundred states.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError
from watchkeep.formats.container import KINDS
from watchkeep.formats.migrations import TODAY, Migrations
from watchkeep.states.codec import Field, State, packed, rebuilt, unpacked

Parts = Mapping[tuple[str, str], State]
Array = npt.NDArray[np.generic]
Like = tuple[str, int, tuple[tuple[str, str], ...]]
"""Kind, version, and name and form of each field."""
_WHOLE, _REAL, _TOLD = "whole", "real", "told"
_ARRAY: Final = "array"
_SIZE: Final = struct.Struct("<Q")
_NUMBERS: Final = "iuf"


@dataclass(slots=True)
class _Body:
    """Arrays after each other, and what there is to say of each."""

    pieces: list[bytes] = field(default_factory=list)

    def add(self, values: Array) -> list[object]:
        narrow, how = packed(values)
        self.pieces.append(narrow.tobytes())
        return [how, narrow.dtype.str, len(narrow)]


@dataclass(slots=True)
class _Reader:
    """The arrays of a body, in the order they were added."""

    body: memoryview
    at: int = 0

    def take(self, told: Sequence[object]) -> Array:
        how, name, size = told
        dtype = np.dtype(str(name))
        if dtype.kind not in _NUMBERS or not isinstance(size, int) or size < 0:
            raise StateError(f"a state holds numbers, not {size} of {dtype}")
        values = np.frombuffer(self.body, dtype, size, self.at) if size else np.zeros(0, dtype)
        self.at += values.nbytes
        return unpacked(values, str(how))


def pack_states(parts: Parts, told: Mapping[str, object]) -> bytes:
    """States by subject and part, and what else there is to say in JSON, as bytes.

    >>> from watchkeep.states.presence import Presence
    >>> block = pack_states({("age", "presence"): Presence(4, 3)}, {"rows": 4})
    >>> unpack_states(block)
    ({('age', 'presence'): Presence(rows=4, present=3, nan=0, infinite=0)}, {'rows': 4})
    """
    body = _Body()
    subjects, names = (list(dict.fromkeys(key[at] for key in parts)) for at in (0, 1))
    groups: dict[Like, list[Mapping[str, Field]]] = {}
    order = []
    for state in parts.values():
        fields = state.fields()
        like = (state.kind, state.version, tuple((name, _form(value)) for name, value in fields.items()))
        groups.setdefault(like, []).append(fields)
        order.append(like)
    places = {like: at for at, like in enumerate(groups)}
    of_subject, of_name = ({one: at for at, one in enumerate(every)} for every in (subjects, names))
    index = [
        body.add(np.array(each, np.int64))
        for each in (
            [of_subject[subject] for subject, _ in parts],
            [of_name[name] for _, name in parts],
            [places[like] for like in order],
        )
    ]
    head = {
        "told": told,
        "subjects": subjects,
        "parts": names,
        "index": index,
        "groups": [_group(like, every, body) for like, every in groups.items()],
    }
    header = json.dumps(head, separators=(",", ":")).encode()
    return b"".join([_SIZE.pack(len(header)), header, *body.pieces])


def unpack_states(
    block: bytes, migrations: Migrations = TODAY
) -> tuple[dict[tuple[str, str], State], dict[str, object]]:
    """The states that `pack_states` packed, and what else was said.

    Args:
        block: the bytes.
        migrations: of states of older versions.

    Raises:
        StateError: the bytes are not of that form, or hold states of a newer version.
    """
    try:
        (size,) = _SIZE.unpack_from(block)
        head = json.loads(block[_SIZE.size : _SIZE.size + size])
        reader = _Reader(memoryview(block)[_SIZE.size + size :])
        of_subject, of_name, places = (reader.take(one).tolist() for one in head["index"])
        every = [_states(one, reader, migrations) for one in head["groups"]]
        subjects, names = head["subjects"], head["parts"]
        parts = {
            (subjects[subject], names[name]): next(every[place])
            for subject, name, place in zip(of_subject, of_name, places, strict=True)
        }
        return parts, head["told"]
    except StateError:
        raise
    except (
        *(ValueError, TypeError, LookupError, AttributeError, OverflowError, MemoryError),
        *(struct.error, RecursionError, StopIteration, SyntaxError),
    ) as error:
        raise StateError(f"the bytes of states cannot be read: {error}") from error


def _form(value: Field) -> str:
    if isinstance(value, np.ndarray):
        return _ARRAY + (value.dtype.kind if value.dtype.kind in "fu" else "i")
    if type(value) is int and -(2**63) <= value < 2**63:
        return _WHOLE
    return _REAL if isinstance(value, float) else _TOLD


def _group(like: Like, every: Sequence[Mapping[str, Field]], body: _Body) -> dict[str, object]:
    kind, version, forms = like
    columns = [[name, form, *_column(form, [one[name] for one in every], body)] for name, form in forms]
    return {"kind": kind, "version": version, "count": len(every), "fields": columns}


def _column(form: str, values: Sequence[Field], body: _Body) -> list[object]:
    if form == _TOLD:
        return [values]
    if form in (_WHOLE, _REAL):
        return [body.add(np.array(values, np.int64 if form == _WHOLE else np.float64))]
    arrays = [np.asarray(value) for value in values]
    return [body.add(np.array([len(one) for one in arrays], np.int64)), body.add(np.concatenate(arrays))]


def _states(told: Mapping[str, object], reader: _Reader, migrations: Migrations) -> Iterator[State]:
    """The states of a group, which are read off the body now and built when they are asked for."""
    kind, version, fields = KINDS.get(str(told["kind"])), told["version"], told["fields"]
    if kind is None or not isinstance(version, int):
        raise StateError(f"it holds a state {told['kind']!r} of version {version} that is not known here")
    assert isinstance(fields, list)  # noqa: S101 (or a TypeError follows)
    names = [name for name, *_ in fields]
    columns = [_values(form, rest, reader) for _, form, *rest in fields]
    rows = zip(*columns, strict=True) if columns else iter([()] * int(str(told["count"])))
    if version == kind.version:
        return (rebuilt(kind, dict(zip(names, row, strict=True))) for row in rows)
    return (
        rebuilt(kind, migrations.fields(kind, version, dict(zip(names, row, strict=True)))) for row in rows
    )


def _values(form: str, rest: Sequence[Any], reader: _Reader) -> Sequence[Field]:
    if form == _TOLD:
        return list(rest[0])
    if form in (_WHOLE, _REAL):
        return reader.take(rest[0]).tolist()  # type: ignore[no-any-return]
    ends = np.cumsum(reader.take(rest[0])).tolist()
    whole = reader.take(rest[1])
    if ends and (ends[-1] != len(whole) or min(np.diff(ends, prepend=0)) < 0):
        raise StateError("the arrays of states do not fit their lengths")
    return [whole[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
