"""Rows of states as one Arrow IPC file, checked when it is read: what `baseline.arrow` is made of."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.errors import BaselineError, StateError
from watchkeep.formats.migrations import TODAY, Migrations
from watchkeep.frames.buffers import binaries, positions, strings
from watchkeep.frames.roles import SINGLE, Roles
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State, decode, encode, rebuilt, restore
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.groups import Groups
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.rows import FeatureSums, RowSample, ScoreSums
from watchkeep.states.totals import Totals
from watchkeep.states.value_types import ValueTypes

B = TypeVar("B")
VERSION: Final = 1
"""Of the file; a file of a newer one is refused."""
KINDS: Final[Mapping[str, type[State]]] = {
    kind.kind: kind
    for kind in (
        BinCounts,
        Bins,
        CategoryCounts,
        Cells,
        Distinct,
        Extremes,
        FeatureSums,
        Frequencies,
        Groups,
        Moments,
        Presence,
        RowSample,
        ScoreSums,
        Totals,
        ValueTypes,
    )
}
"""Every state there is, by the name its codec goes by."""
_META: Final = b"watchkeep"
_SCHEMA: Final = pa.schema(
    [
        ("subject", pa.string()),
        ("part", pa.string()),
        ("kind", pa.string()),
        ("version", pa.int32()),
        ("payload", pa.large_binary()),
    ]
)
Row = tuple[str, str, str, int, bytes]
"""Subject, part, kind, version and payload of a state."""


def state_row(subject: str, part: str, state: State) -> Row:
    """A state as a row."""
    return subject, part, state.kind, state.version, encode(state.fields())


def state_of(row: Row, path: str, migrations: Migrations = TODAY) -> State:
    """The state of a row.

    Args:
        row: of a file.
        path: the file's.
        migrations: of states of older versions.

    Raises:
        BaselineError: it is of a kind or version that is not known here.
        StateError: its payload is damaged.
    """
    _, _, kind, version, payload = row
    known = KINDS.get(kind)
    if known is None or version > known.version:
        raise BaselineError(
            path, why=f"it holds a state {kind!r} of version {version} that is not known here"
        )
    if version == known.version:
        return restore(known, payload)
    try:
        return rebuilt(known, migrations.fields(known, version, decode(payload)))
    except StateError as error:
        raise BaselineError(path, why=str(error)) from error


def write_rows(rows: list[Row], meta: Mapping[str, object]) -> bytes:
    """Rows, and what else there is to say, as the bytes of a file."""
    told = {"version": VERSION} | dict(meta) | {"digest": digest(rows)}
    subjects, parts, kinds, versions, payloads = zip(*rows, strict=True) if rows else ((),) * 5
    columns = [
        *(strings(texts).cast(pa.string()) for texts in (subjects, parts, kinds)),
        positions(np.array(versions, np.int64)).cast(pa.int32()),
        binaries(payloads),
    ]
    table = pa.Table.from_arrays(columns, schema=_SCHEMA)
    table = table.replace_schema_metadata({_META: json.dumps(told).encode()})
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def read_rows(content: bytes, path: str) -> tuple[list[Row], dict[str, object]]:
    """The rows of a file, and what else it says.

    Raises:
        BaselineError: the bytes are damaged, of a newer version, or no baseline.
    """
    try:
        with pa.ipc.open_file(pa.BufferReader(content)) as reader:
            table = reader.read_all()
        meta = json.loads(table.schema.metadata[_META])
        version = int(meta["version"])
    except (pa.ArrowInvalid, pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise BaselineError(
            path, why="it is damaged or no baseline of ours; make the baseline again"
        ) from error
    if version > VERSION:
        raise BaselineError(
            path, why=f"it has version {version} and this Watchkeep reads up to {VERSION}; upgrade Watchkeep"
        )
    try:
        rows = [
            (
                str(one["subject"]),
                str(one["part"]),
                str(one["kind"]),
                int(one["version"]),
                bytes(one["payload"]),
            )
            for one in table.to_pylist()
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise BaselineError(path, why=f"its states cannot be read: {error}") from error
    if digest(rows) != meta.get("digest"):
        raise BaselineError(path, why="its states do not match their checksum; make the baseline again")
    return rows, meta


def digest(rows: Iterable[Row]) -> str:
    """Hexadecimal digits that change with any row."""
    found = hashlib.sha256()
    for subject, part, kind, version, payload in rows:
        found.update(json.dumps([subject, part, kind, version]).encode())
        found.update(payload)
    return found.hexdigest()


def told(constraint: Constraint) -> dict[str, object]:
    """A constraint as JSON."""
    return {
        "check": constraint.check,
        "measure": constraint.measure,
        "subject": constraint.subject,
        "side": str(constraint.side),
        "limit": constraint.limit,
        "rule": constraint.rule,
        "reason": constraint.reason,
        "evidence": dict(constraint.evidence),
        "domain": None if constraint.domain is None else list(constraint.domain),
    }


def constraint_of(told: Mapping[str, object]) -> Constraint:
    """The constraint that `told` told of."""
    domain, evidence = told["domain"], told["evidence"]
    return Constraint(
        check=str(told["check"]),
        measure=str(told["measure"]),
        subject=str(told["subject"]),
        side=Side(str(told["side"])),
        limit=float(str(told["limit"])),
        rule=str(told["rule"]),
        reason=str(told["reason"]),
        evidence=evidence if isinstance(evidence, dict) else {},
        domain=tuple(map(str, domain)) if isinstance(domain, list) else None,
    )


def suggested_of(meta: Mapping[str, object]) -> dict[tuple[str, str, str, str], Constraint]:
    """What was suggested, by key."""
    listed = meta["suggested"]
    if not isinstance(listed, list):
        raise TypeError("the suggested limits are no list")
    return {one.key: one for one in map(constraint_of, listed)}


def identity_of(rows: Iterable[Row], constraints: Iterable[Constraint]) -> str:
    """Twelve hexadecimal digits that change with any state and any limit."""
    limits = json.dumps([told(constraint) for constraint in constraints], sort_keys=True)
    return hashlib.sha256(f"{digest(rows)}{limits}".encode()).hexdigest()[:12]


def roles_of(document: object) -> Roles:
    """Roles from the form they take in documents."""
    if not isinstance(document, dict):
        return Roles()
    single = {str(role): document[role] for role in SINGLE if role in document}
    return Roles(
        **single,
        facets={str(name): tuple(map(str, values)) for name, values in document.get("facets", {}).items()},
        features=tuple(map(str, document.get("features", ()))),
        ignored=tuple(map(str, document.get("ignored", ()))),
        where=None if document.get("where") is None else str(document["where"]),
    )


def unpacked(
    build: Callable[[list[Row], Mapping[str, object], str], B],
    rows: list[Row],
    meta: Mapping[str, object],
    path: str,
) -> tuple[B, dict[tuple[str, str, str, str], Constraint]]:
    """The baseline that a file's rows hold, without constraints, and what was suggested, by key.

    Args:
        build: makes the baseline of rows, of what else the file says, and of its path.
        rows, meta: of the file.
        path: where it lies.

    Raises:
        BaselineError: they are damaged, or of a newer version.
    """
    try:
        return build(rows, meta, path), suggested_of(meta)
    except (StateError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, BaselineError):
            raise
        raise BaselineError(path, why=f"its states cannot be read: {error}") from error


def listed(meta: Mapping[str, object], name: str) -> list[object]:
    """A list that a file tells.

    Raises:
        TypeError: it is none.
    """
    value = meta[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value
