"""`baseline.arrow` of bias: the plan by which groups are counted, and the reference rows counted by it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

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
from watchkeep.frames.classes import Classes
from watchkeep.frames.facets import Facet, Group
from watchkeep.frames.outcomes import Positive
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.bias.baseline import BiasBaseline
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.profiles.profile import Profile

_KNOWN: Final = "known"


def pack_bias(baseline: BiasBaseline, suggested: tuple[Constraint, ...]) -> bytes:
    """A baseline as the bytes of its file. `suggested` are the limits as the rules made them."""
    plan = baseline.plan
    meta = {
        "kind": baseline.kind,
        "created": iso(baseline.created),
        "source": baseline.source,
        "rows": baseline.rows,
        "rejected": dict(baseline.rejected),
        "dialect": str(baseline.dialect),
        "roles": plan.roles.document(),
        "facets": [_facet(one) for one in plan.facets],
        "label": _positive(plan.label),
        "prediction": None if plan.prediction is None else _positive(plan.prediction),
        "probability": plan.probability,
        "weight_unit": plan.weight_unit,
        "strata": None if plan.strata is None else _facet(plan.strata),
        "features": list(plan.features),
        "neighbours": plan.neighbours,
        "names": list(plan.names),
        "suggested": [told(constraint) for constraint in suggested],
    }
    return write_rows(_state_rows(baseline), meta)


def unpack_bias(
    rows: list[Row], meta: Mapping[str, object], path: str
) -> tuple[BiasBaseline, dict[tuple[str, str, str, str], Constraint]]:
    """The baseline that a file's rows hold, without constraints, and what was suggested, by key.

    Raises:
        BaselineError: they are damaged, or of a newer version.
    """
    return unpacked(_baseline, rows, meta, path)


def bias_identity(baseline: BiasBaseline) -> str:
    """Twelve hexadecimal digits that change with any state and any limit of a baseline."""
    return identity_of(_state_rows(baseline), baseline.constraints)


def bias_states_identity(baseline: BiasBaseline) -> str:
    """Twelve hexadecimal digits that change with any state of a baseline, and with no limit."""
    return digest(_state_rows(baseline))[:12]


def _state_rows(baseline: BiasBaseline) -> list[Row]:
    if baseline.known is not None:
        listed = sorted([*key, repr(value)] for key, value in baseline.known.items())
        return [("", _KNOWN, _KNOWN, 1, json.dumps(listed).encode())]
    return [state_row(subject, part, state) for (subject, part), state in baseline.profile.parts.items()]


def _baseline(rows: list[Row], meta: Mapping[str, object], path: str) -> BiasBaseline:
    plan = BiasPlan(
        roles=roles_of(meta["roles"]),
        facets=tuple(_facet_of(one) for one in listed(meta, "facets")),
        label=_positive_of(meta["label"]),
        prediction=None if meta["prediction"] is None else _positive_of(meta["prediction"]),
        probability=bool(meta["probability"]),
        weight_unit=float(str(meta["weight_unit"])),
        strata=None if meta["strata"] is None else _facet_of(meta["strata"]),
        features=tuple(map(str, listed(meta, "features"))),
        neighbours=int(str(meta["neighbours"])),
        names=tuple(map(str, listed(meta, "names"))),
        dialect=Dialect(str(meta["dialect"])),
    )
    rejected = meta["rejected"]
    if not isinstance(rejected, dict):
        raise BaselineError(path, why="its rejected rows are damaged")
    parts = {(subject, part): state_of(row, path) for row in rows for subject, part in [row[:2]]}
    counted = {str(why): int(n) for why, n in rejected.items()}
    return BiasBaseline(
        created=datetime.fromisoformat(str(meta["created"])),
        source=str(meta["source"]),
        plan=plan,
        profile=Profile(int(str(meta["rows"])), counted, {}, parts),
    )


def _facet(facet: Facet) -> dict[str, object]:
    return {
        "column": facet.column,
        "classes": list(facet.classes.names),
        "edges": list(facet.edges),
        "groups": [[group.name, list(group.levels)] for group in facet.groups],
        "whole": facet.whole,
    }


def _facet_of(told: object) -> Facet:
    if not isinstance(told, dict):
        raise TypeError("a facet is no object")
    return Facet(
        str(told["column"]),
        Classes(tuple(map(str, told["classes"]))),
        tuple(float(edge) for edge in told["edges"]),
        tuple(Group(str(name), tuple(int(level) for level in levels)) for name, levels in told["groups"]),
        bool(told["whole"]),
    )


def _positive(positive: Positive) -> dict[str, object]:
    negatives = None if positive.negatives is None else list(positive.negatives.names)
    return {"values": list(positive.values.names), "threshold": positive.threshold, "negatives": negatives}


def _positive_of(told: object) -> Positive:
    if not isinstance(told, dict):
        raise TypeError("what is positive is no object")
    threshold, negatives = told["threshold"], told["negatives"]
    return Positive(
        Classes(tuple(map(str, told["values"]))),
        None if threshold is None else float(str(threshold)),
        None if negatives is None else Classes(tuple(map(str, negatives))),
    )
