"""`baseline.arrow` of data quality: a baseline's states."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np

from watchkeep.baselines.baseline import Baseline, JointBaseline
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.constraint import Constraint
from watchkeep.core.errors import BaselineError
from watchkeep.core.window import iso
from watchkeep.formats.container import (
    Row,
    digest,
    identity_of,
    roles_of,
    state_of,
    state_row,
    told,
    unpacked,
    write_rows,
)
from watchkeep.formats.relation_fields import names_of, relation_fields, relations_of_fields
from watchkeep.formats.timeline_fields import timeline_fields, timeline_of_fields
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.plan import JointPlan
from watchkeep.states.codec import Field, State, decode, encode, floats, number, restore
from watchkeep.states.rows import FeatureSums

_JOINT = "joint"  # the kind of rows that hold no state


def pack(baseline: Baseline, suggested: tuple[Constraint, ...]) -> bytes:
    """A baseline as the bytes of its file. `suggested` are the limits as the rules made them."""
    rows = _state_rows(baseline)
    if baseline.joint is not None:
        rows += _joint_rows(baseline.joint)
    if baseline.relations is not None:
        rows.append(("", "relations", _JOINT, 1, encode(relation_fields(baseline.relations))))
    if baseline.timeline is not None:
        rows.append(("", "timeline", _JOINT, 1, encode(timeline_fields(baseline.timeline))))
    meta = {
        "kind": baseline.kind,
        "created": iso(baseline.created),
        "source": baseline.source,
        "rows": baseline.rows,
        "rejected": dict(baseline.rejected),
        "dialect": str(baseline.dialect),
        "roles": baseline.roles.document(),
        "names": list(baseline.names),
        "columns": [[column.name, str(column.role), str(column.type)] for column in baseline.columns],
        "suggested": [told(constraint) for constraint in suggested],
    }
    return write_rows(rows, meta)


def unpack(
    rows: list[Row], meta: Mapping[str, object], path: str
) -> tuple[Baseline, dict[tuple[str, str, str, str], Constraint]]:
    """The baseline that a file's rows hold, without constraints, and what was suggested, by key.

    Raises:
        BaselineError: they are damaged, or of a newer version.
    """
    return unpacked(_baseline, rows, meta, path)


def identity(baseline: Baseline) -> str:
    """Twelve hexadecimal digits that change with any state and any limit of a baseline."""
    return identity_of(_state_rows(baseline), baseline.constraints)


def states_identity(baseline: Baseline) -> str:
    """Twelve hexadecimal digits that change with any state of a baseline, and with no limit."""
    return digest(_state_rows(baseline))[:12]


def _state_rows(baseline: Baseline) -> list[Row]:
    return [
        state_row(column.name, part, state)
        for column in baseline.columns
        for part, state in column.parts.items()
    ]


def _baseline(rows: list[Row], meta: Mapping[str, object], path: str) -> Baseline:
    parts: dict[str, dict[str, State]] = {}
    joint: dict[str, bytes] = {}
    for row in rows:
        subject, part, kind, _, payload = row
        if kind == _JOINT:
            joint[part] = payload
        else:
            parts.setdefault(subject, {})[part] = state_of(row, path)
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
    yield ("", "plan", _JOINT, 1, encode(fields))
    yield ("", "sums", _JOINT, FeatureSums.version, encode(joint.sums.fields()))


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
