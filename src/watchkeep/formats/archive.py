"""`baseline.arrow`: a baseline's states as one Arrow IPC file, checked when it is read."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.baselines.baseline import Baseline, JointBaseline
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.errors import BaselineError, StateError
from watchkeep.core.window import iso
from watchkeep.formats.relation_fields import names_of, relation_fields, relations_of_fields
from watchkeep.formats.timeline_fields import timeline_fields, timeline_of_fields
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.plan import JointPlan
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.cells import Cells
from watchkeep.states.codec import Field, State, decode, encode, floats, number, restore
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.groups import Groups
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.rows import FeatureSums, RowSample, ScoreSums
from watchkeep.states.value_types import ValueTypes

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
        ("payload", pa.binary()),
    ]
)
Row = tuple[str, str, str, int, bytes]


def pack(baseline: Baseline, suggested: tuple[Constraint, ...]) -> bytes:
    """A baseline as the bytes of its file. `suggested` are the limits as the rules made them."""
    rows = _state_rows(baseline)
    if baseline.joint is not None:
        rows += _joint_rows(baseline.joint)
    if baseline.relations is not None:
        rows.append(("", "relations", "joint", 1, encode(relation_fields(baseline.relations))))
    if baseline.timeline is not None:
        rows.append(("", "timeline", "joint", 1, encode(timeline_fields(baseline.timeline))))
    meta = {
        "version": VERSION,
        "kind": baseline.kind,
        "created": iso(baseline.created),
        "source": baseline.source,
        "rows": baseline.rows,
        "rejected": dict(baseline.rejected),
        "dialect": str(baseline.dialect),
        "roles": baseline.roles.document(),
        "names": list(baseline.names),
        "columns": [[column.name, str(column.role), str(column.type)] for column in baseline.columns],
        "suggested": [_told(constraint) for constraint in suggested],
        "digest": _digest(rows),
    }
    table = pa.table(
        [list(values) for values in zip(*rows, strict=True)] if rows else [[]] * 5, schema=_SCHEMA
    )
    table = table.replace_schema_metadata({_META: json.dumps(meta).encode()})
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def unpack(content: bytes, path: str) -> tuple[Baseline, dict[tuple[str, str, str, str], Constraint]]:
    """The baseline of a file, without constraints, and what was suggested, by key.

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
        rows = [tuple(row.values()) for row in table.to_pylist()]
        if _digest(rows) != meta["digest"]:
            raise BaselineError(path, why="its states do not match their checksum; make the baseline again")
        return _baseline(meta, rows, path), {one.key: one for one in map(_constraint, meta["suggested"])}
    except (StateError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, BaselineError):
            raise
        raise BaselineError(path, why=f"its states cannot be read: {error}") from error


def identity(baseline: Baseline) -> str:
    """Twelve hexadecimal digits that change with any state and any limit of a baseline."""
    rows = _state_rows(baseline)
    told = json.dumps([_told(constraint) for constraint in baseline.constraints], sort_keys=True)
    return hashlib.sha256(f"{_digest(rows)}{told}".encode()).hexdigest()[:12]


def states_identity(baseline: Baseline) -> str:
    """Twelve hexadecimal digits that change with any state of a baseline, and with no limit."""
    return _digest(_state_rows(baseline))[:12]


def _state_rows(baseline: Baseline) -> list[Row]:
    return [
        (column.name, part, state.kind, state.version, encode(state.fields()))
        for column in baseline.columns
        for part, state in column.parts.items()
    ]


def _digest(rows: "list[Row] | list[tuple[object, ...]]") -> str:
    digest = hashlib.sha256()
    for subject, part, kind, version, payload in rows:
        digest.update(json.dumps([subject, part, kind, version]).encode())
        digest.update(payload if isinstance(payload, bytes) else b"")
    return digest.hexdigest()


def _told(constraint: Constraint) -> dict[str, object]:
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


def _constraint(told: dict[str, object]) -> Constraint:
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


def _baseline(meta: dict[str, object], rows: "list[tuple[object, ...]]", path: str) -> Baseline:
    parts: dict[str, dict[str, State]] = {}
    joint: dict[str, bytes] = {}
    for subject, part, kind, version, payload in rows:
        if kind == "joint":
            joint[str(part)] = payload if isinstance(payload, bytes) else b""
            continue
        known = KINDS.get(str(kind))
        if (
            known is None
            or not isinstance(version, int)
            or version > known.version
            or not isinstance(payload, bytes)
        ):
            raise BaselineError(
                path, why=f"it holds a state {kind!r} of version {version} that is not known here"
            )
        parts.setdefault(str(subject), {})[str(part)] = restore(known, payload)
    listed = meta["columns"]
    names, rejected = meta["names"], meta["rejected"]
    if not isinstance(listed, list) or not isinstance(names, list) or not isinstance(rejected, dict):
        raise BaselineError(path, why="its list of columns is damaged")
    return Baseline(
        kind=str(meta["kind"]),
        created=datetime.fromisoformat(str(meta["created"])),
        source=str(meta["source"]),
        rows=int(str(meta["rows"])),
        rejected={str(reason): int(count) for reason, count in rejected.items()},
        roles=roles_of(meta["roles"]),
        dialect=Dialect(str(meta["dialect"])),
        columns=tuple(
            BaselineColumn(str(name), Role(role), ColumnType(kind), parts.get(str(name), {}))
            for name, role, kind in listed
        ),
        names=tuple(map(str, names)),
        joint=_joint(joint) if "sums" in joint else None,
        relations=relations_of_fields(decode(joint["relations"])) if "relations" in joint else None,
        timeline=timeline_of_fields(decode(joint["timeline"])) if "timeline" in joint else None,
    )


def roles_of(document: object) -> Roles:
    """Roles from the form they take in documents."""
    if not isinstance(document, dict):
        return Roles()
    single = {
        role: document[role]
        for role in ("label", "prediction", "score", "timestamp", "id", "weight")
        if role in document
    }
    return Roles(
        **single,
        facets={str(name): tuple(map(str, values)) for name, values in document.get("facets", {}).items()},
        features=tuple(map(str, document.get("features", ()))),
        ignored=tuple(map(str, document.get("ignored", ()))),
    )


def _joint_rows(joint: JointBaseline) -> Iterator[Row]:
    plan = joint.plan
    assert plan.center is not None  # noqa: S101 (a baseline's plan is whole)
    assert plan.scale is not None  # noqa: S101
    assert plan.frequencies is not None  # noqa: S101
    fields: dict[str, Field] = {
        "columns": list(plan.columns),
        "texts": list(plan.texts),
        "keys": list(plan.keys),
        "center": plan.center,
        "scale": plan.scale,
        "frequencies": plan.frequencies.astype(np.float64).ravel(),
        "spread": joint.spread,
        "spread2": joint.spread2,
        "clumped": int(joint.clumped),
    }
    yield ("", "plan", "joint", 1, encode(fields))
    yield ("", "sums", "joint", FeatureSums.version, encode(joint.sums.fields()))


def _joint(payloads: Mapping[str, bytes]) -> JointBaseline:
    fields = decode(payloads["plan"])
    columns, texts, keys = (names_of(fields, name) for name in ("columns", "texts", "keys"))
    plan = JointPlan(
        columns=columns,
        texts=texts,
        keys=keys,
        center=floats(fields, "center"),
        scale=floats(fields, "scale"),
        frequencies=floats(fields, "frequencies").reshape(len(columns), -1).astype(np.float32),
    )
    sums = restore(FeatureSums, payloads["sums"])
    spread, spread2 = float(number(fields, "spread")), float(number(fields, "spread2"))
    return JointBaseline(plan, sums, spread, spread2, bool(number(fields, "clumped")))
