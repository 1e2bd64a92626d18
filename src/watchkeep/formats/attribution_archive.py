"""`baseline.arrow` of attribution: the plan by which rows are explained, and the sums over the reference rows."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import pyarrow as pa

from watchkeep.constraints.constraint import Constraint
from watchkeep.core.errors import BaselineError
from watchkeep.core.window import iso
from watchkeep.formats.container import (
    Row,
    digest,
    identity_of,
    listed,
    roles_of,
    state_of,
    state_row,
    told,
    unpacked,
    write_rows,
)
from watchkeep.formats.dependence import dependence_document, parse_dependence
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.monitors.attribution.plan import Aggregation, AttributionPlan
from watchkeep.profiles.profile import Profile

_TABLE: Final = "table"
_KEPT: Final = "kept"
_BACKGROUND: Final = "background"


def pack_attribution(baseline: AttributionBaseline, suggested: tuple[Constraint, ...]) -> bytes:
    """A baseline as the bytes of its file. `suggested` are the limits as the rules made them."""
    plan = baseline.plan
    meta = {
        "kind": baseline.kind,
        "created": iso(baseline.created),
        "source": baseline.source,
        "rows": baseline.rows,
        "rejected": dict(baseline.rejected),
        "expected": list(baseline.expected),
        "method": baseline.method,
        "notes": list(baseline.notes),
        "dependence": dependence_document(baseline.dependence, plan.labels),
        "dialect": str(baseline.dialect),
        "roles": plan.roles.document(),
        "features": list(plan.features),
        "labels": list(plan.labels),
        "units": [list(one) for one in plan.units],
        "segments": [[one.name, one.rule] for one in plan.segments],
        "aggregation": str(plan.aggregation),
        "explained": plan.explained,
        "seed": plan.seed,
        "beside": list(plan.beside),
        "names": list(plan.names),
        "model": plan.model,
        "model_kind": plan.model_kind,
        "suggested": [told(constraint) for constraint in suggested],
    }
    return write_rows(_state_rows(baseline), meta)


def unpack_attribution(
    rows: list[Row], meta: Mapping[str, object], path: str
) -> tuple[AttributionBaseline, dict[tuple[str, str, str, str], Constraint]]:
    """The baseline that a file's rows hold, without constraints, and what was suggested, by key.

    Raises:
        BaselineError: they are damaged, or of a newer version.
    """
    return unpacked(_baseline, rows, meta, path)


def attribution_identity(baseline: AttributionBaseline) -> str:
    """Twelve hexadecimal digits that change with any state and any limit of a baseline."""
    return identity_of(_state_rows(baseline), baseline.constraints)


def attribution_states_identity(baseline: AttributionBaseline) -> str:
    """Twelve hexadecimal digits that change with any state of a baseline, and with no limit."""
    return digest(_state_rows(baseline))[:12]


def _state_rows(baseline: AttributionBaseline) -> list[Row]:
    if baseline.known is not None:
        values = [[baseline.plan.key(place), one.values.tolist()] for place, one in baseline.known.items()]
        return [("", "known", "known", 1, json.dumps([list(baseline.plan.features), values]).encode())]
    rows = [state_row(subject, part, state) for (subject, part), state in baseline.profile.parts.items()]
    tables = ((_KEPT, baseline.kept), (_BACKGROUND, baseline.background))
    return rows + [(name, _TABLE, _TABLE, 1, _packed(table)) for name, table in tables if table is not None]


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _tables(rows: list[Row], path: str) -> dict[str, pa.Table]:
    """The tables of a file, by name.

    Raises:
        BaselineError: one is damaged.
    """
    found = {}
    for name, _, kind, _, payload in rows:
        if kind == _TABLE:
            try:
                with pa.ipc.open_stream(pa.BufferReader(payload)) as reader:
                    found[name] = reader.read_all()
            except (pa.ArrowException, OSError) as error:
                raise BaselineError(path, why=f"its rows cannot be read: {error}") from error
    return found


def _baseline(rows: list[Row], meta: Mapping[str, object], path: str) -> AttributionBaseline:
    plan = AttributionPlan(
        roles=roles_of(meta["roles"]),
        features=tuple(map(str, listed(meta, "features"))),
        labels=tuple(map(str, listed(meta, "labels"))),
        units=tuple(_numbers(one) for one in listed(meta, "units")),
        segments=tuple(_segment(one) for one in listed(meta, "segments")),
        aggregation=Aggregation(str(meta["aggregation"])),
        explained=int(str(meta["explained"])),
        seed=int(str(meta["seed"])),
        beside=tuple(map(str, listed(meta, "beside"))) if "beside" in meta else (),
        names=tuple(map(str, listed(meta, "names"))),
        model=str(meta["model"]),
        model_kind=str(meta["model_kind"]),
        dialect=Dialect(str(meta["dialect"])),
    )
    rejected = meta["rejected"]
    if not isinstance(rejected, dict):
        raise BaselineError(path, why="its rejected rows are damaged")
    parts = {row[:2]: state_of(row, path) for row in rows if row[2] != _TABLE}
    tables = _tables(rows, path)
    counted = {str(why): int(n) for why, n in rejected.items()}
    return AttributionBaseline(
        created=datetime.fromisoformat(str(meta["created"])),
        source=str(meta["source"]),
        plan=plan,
        profile=Profile(int(str(meta["rows"])), counted, {}, parts),
        expected=tuple(float(str(one)) for one in listed(meta, "expected")),
        method=str(meta["method"]),
        kept=tables.get(_KEPT),
        background=tables.get(_BACKGROUND),
        dependence=parse_dependence(meta.get("dependence", [])),
        notes=tuple(map(str, listed(meta, "notes"))) if "notes" in meta else (),
    )


def _numbers(told: object) -> tuple[float, ...]:
    if not isinstance(told, list):
        raise TypeError("numbers are no list")
    return tuple(float(str(one)) for one in told)


def _segment(told: object) -> Segment:
    if not isinstance(told, list) or len(told) != 2:
        raise TypeError("a segment is no pair of a name and a rule")
    return Segment(str(told[0]), str(told[1]))
