"""States as bytes: a short JSON header, then the arrays, integers in as few bytes as they need."""

import json
import struct
from collections.abc import Mapping
from typing import ClassVar, Protocol, Self, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from watchkeep.core.errors import StateError

Field: TypeAlias = "int | float | str | list[str] | list[int] | npt.NDArray[np.generic]"
Fields: TypeAlias = Mapping[str, Field]


@runtime_checkable
class State(Protocol):
    """A value that merges with its like."""

    kind: ClassVar[str]
    version: ClassVar[int]

    def merge(self, *others: Self) -> Self:
        """All together. Many at once cost less than one after another."""
        ...

    def fields(self) -> Fields:
        """What `of_fields` needs to build an equal state."""
        ...

    @classmethod
    def of_fields(cls, fields: Fields) -> Self:
        """The state that gave these fields."""
        ...


S = TypeVar("S", bound=State)
StateClass: TypeAlias = type[S]
"""The class of a state, where `type` is the name of something else."""


def part_of(parts: Mapping[str, State], name: str, kind: StateClass[S]) -> S | None:
    """One of several states by name; None when there is none.

    Raises:
        StateError: it is of another kind than asked for.
    """
    state = parts.get(name)
    if state is None or isinstance(state, kind):
        return state
    raise StateError(f"{name} is {state.kind}, not {kind.kind}")


_UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    MemoryError,
    SyntaxError,
)  # a dtype named "," is the last


def encode(fields: Fields) -> bytes:
    """Fields as bytes; `decode` gives them back equal.

    >>> decode(encode({"n": 3, "keys": np.array([5, 6, 900])}))["keys"].tolist()
    [5, 6, 900]
    """
    header: dict[str, object] = {}
    arrays: list[bytes] = []
    for name, value in fields.items():
        if isinstance(value, np.ndarray):
            narrow, how = packed(value)
            header[name] = {"how": how, "type": narrow.dtype.str, "len": len(narrow)}
            arrays.append(narrow.tobytes())
        else:
            header[name] = {"is": value}
    head = json.dumps(header, separators=(",", ":")).encode()
    return b"".join((struct.pack("<I", len(head)), head, *arrays))


def decode(payload: bytes) -> dict[str, Field]:
    """The fields that `encode` wrote.

    Raises:
        StateError: the bytes are not of that form.
    """
    try:
        (size,) = struct.unpack_from("<I", payload)
        header = json.loads(payload[4 : 4 + size])
        at = 4 + size
        fields: dict[str, Field] = {}
        for name, spec in header.items():
            if "is" in spec:
                fields[name] = spec["is"]
                continue
            dtype = np.dtype(spec["type"])
            if dtype.kind not in "iuf":
                raise StateError(f"a state holds numbers, not {dtype}")
            fields[name] = unpacked(np.frombuffer(payload, dtype, spec["len"], at), spec["how"])
            at += dtype.itemsize * spec["len"]
    except (*_UNREADABLE, struct.error, KeyError, AttributeError, RecursionError) as error:
        raise StateError(f"the bytes of a state cannot be read: {error}") from error
    return fields


def restore(kind: StateClass[S], payload: bytes) -> S:
    """The state of that kind that gave the fields `encode` wrote.

    Raises:
        StateError: the bytes are those of no such state.
    """
    return rebuilt(kind, decode(payload))


def rebuilt(kind: StateClass[S], fields: Fields) -> S:
    """The state of that kind that gave these fields.

    Raises:
        StateError: they are those of no such state.
    """
    try:
        return kind.of_fields(fields)
    except StateError:
        raise
    except (*_UNREADABLE, IndexError) as error:
        raise StateError(f"these are not the fields of {kind.kind}: {error}") from error


def array(fields: Fields, name: str) -> npt.NDArray[np.int64]:
    """The integer array of that name.

    Raises:
        StateError: there is none.
    """
    value = fields.get(name)
    if not isinstance(value, np.ndarray):
        raise StateError(f"a state lacks the array {name!r}")
    return value.astype(np.int64, copy=False)


def floats(fields: Fields, name: str) -> npt.NDArray[np.float64]:
    """The array of doubles of that name.

    Raises:
        StateError: there is none.
    """
    value = fields.get(name)
    if not isinstance(value, np.ndarray):
        raise StateError(f"a state lacks the array {name!r}")
    return value.astype(np.float64, copy=False)


def hashes(fields: Fields, name: str) -> npt.NDArray[np.uint64]:
    """The array of hashes of that name.

    Raises:
        StateError: there is none.
    """
    value = fields.get(name)
    if not isinstance(value, np.ndarray) or value.dtype != np.uint64:
        raise StateError(f"a state lacks the hashes {name!r}")
    return value.astype(np.uint64, copy=False)


def number(fields: Fields, name: str) -> float:
    """The number of that name.

    Raises:
        StateError: there is none.
    """
    value = fields.get(name)
    if not isinstance(value, (int, float)):
        raise StateError(f"a state lacks the number {name!r}")
    return value


def whole(fields: Fields, name: str) -> int:
    """The integer of that name."""
    return int(number(fields, name))


def packed(values: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.generic], str]:
    """Numbers in as few bytes as they need, shape (n,), and how `unpacked` gives them back."""
    if values.dtype.kind == "f":
        return values.astype("<f8"), "plain"
    if values.dtype.kind == "u":
        return values.astype("<u8"), "plain"
    integers = values.astype("<i8")
    plain = _narrow(integers)
    if plain.itemsize == 1:
        return plain, "plain"
    differences = _narrow(np.diff(integers, prepend=np.int64(0)))
    return (differences, "steps") if differences.itemsize < plain.itemsize else (plain, "plain")


def _narrow(integers: npt.NDArray[np.int64]) -> npt.NDArray[np.generic]:
    if not len(integers):
        return integers.astype("<i1")
    low, high = int(integers.min()), int(integers.max())
    for kind in ("<u1", "<i1", "<u2", "<i2", "<u4", "<i4"):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return integers.astype(kind)
    return integers


def unpacked(values: npt.NDArray[np.generic], how: str) -> npt.NDArray[np.generic]:
    """The numbers that `packed` made narrow."""
    if how == "steps":
        return np.cumsum(values, dtype=np.int64)
    if values.dtype.kind in "iu" and values.dtype.itemsize < 8:
        return values.astype(np.int64)
    return values.copy()
