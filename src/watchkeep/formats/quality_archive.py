"""`baseline.arrow` of model quality: the plan by which answers are counted, and the reference answers counted by it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.baselines.loss_days import LossDays
from watchkeep.constraints.constraint import Constraint
from watchkeep.core.errors import BaselineError
from watchkeep.core.verdicts import DATASET
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
from watchkeep.formats.relation_fields import names_of
from watchkeep.formats.timeline_fields import spread_fields, spread_of_fields
from watchkeep.frames.classes import Classes
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.segments import Segment
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.model_quality.baseline import QualityBaseline
from watchkeep.monitors.model_quality.measures import Quality
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.profiles.profile import Profile
from watchkeep.states.bins import Bins
from watchkeep.states.codec import Field, State, decode, encode, floats, number, whole

_FEATURE: Final = "feature/"  # what the parts of features begin with
_BINS: Final = "score_bins"
_DAYS: Final = "loss_days"
_KNOWN: Final = "known"
_DESCRIBING: Final = ("presence", "bins", "categories", "groups", "types")
"""Of a feature only these parts are needed to describe a row by it."""


def pack_quality(baseline: QualityBaseline, suggested: tuple[Constraint, ...]) -> bytes:
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
        "problem": str(plan.problem),
        "classes": list(plan.classes.names),
        "threshold": plan.threshold,
        "probability": plan.probability,
        "center": plan.center,
        "scale": plan.scale,
        "names": list(plan.names),
        "sets": None if plan.sets is None else list(plan.sets),
        "segments": [[segment.name, segment.rule] for segment in plan.segments],
        "features": [[one.name, str(one.role), str(one.type)] for one in plan.features],
        "suggested": [told(constraint) for constraint in suggested],
    }
    return write_rows(_state_rows(baseline), meta)


def unpack_quality(
    rows: list[Row], meta: Mapping[str, object], path: str
) -> tuple[QualityBaseline, dict[tuple[str, str, str, str], Constraint]]:
    """The baseline that a file's rows hold, without constraints, and what was suggested, by key.

    Raises:
        BaselineError: they are damaged, or of a newer version.
    """
    return unpacked(_baseline, rows, meta, path)


def quality_identity(baseline: QualityBaseline) -> str:
    """Twelve hexadecimal digits that change with any state and any limit of a baseline."""
    return identity_of(_state_rows(baseline), baseline.constraints)


def quality_states_identity(baseline: QualityBaseline) -> str:
    """Twelve hexadecimal digits that change with any state of a baseline, and with no limit."""
    return digest(_state_rows(baseline))[:12]


def _state_rows(baseline: QualityBaseline) -> list[Row]:
    plan = baseline.plan
    if baseline.known is not None:  # it is what it tells, whichever columns are said to be what
        return [("", _KNOWN, _KNOWN, 1, json.dumps(_told_of(baseline.known), sort_keys=True).encode())]
    rows = [state_row(subject, part, state) for (subject, part), state in baseline.profile.parts.items()]
    if plan.bins is not None:
        rows.append(state_row("", _BINS, plan.bins))
    rows += [
        state_row(one.name, f"{_FEATURE}{part}", state)
        for one in plan.features
        for part, state in one.parts.items()
        if part in _DESCRIBING
    ]
    for subject, days in baseline.days_of.items():
        fields: dict[str, Field] = {"days": days.days, "hours": days.hours, "names": list(days.names)}
        fields |= {"deviations": days.deviations} | spread_fields("losses", days.spread)
        rows.append(("" if subject == DATASET else subject, _DAYS, _DAYS, 1, encode(fields)))
    return rows


def _told_of(known: Quality) -> dict[str, object]:
    return {
        "rows": known.labelled,
        "measures": {name: repr(one.value) for name, one in known.measures.items()},
        "confusion": None if known.confusion is None else known.confusion.tolist(),
    }


def _baseline(rows: list[Row], meta: Mapping[str, object], path: str) -> QualityBaseline:
    counted: dict[tuple[str, str], State] = {}
    features: dict[str, dict[str, State]] = {}
    bins: State | None = None
    days_of: dict[str, LossDays] = {}
    for row in rows:
        subject, part, kind, _, payload = row
        if kind == _DAYS:
            held = decode(payload)
            spread = spread_of_fields("losses", held)
            days_of[subject or DATASET] = LossDays(
                names_of(held, "names"),
                whole(held, "days"),
                float(number(held, "hours")),
                floats(held, "deviations"),
                spread,
            )
            continue
        state = state_of(row, path)
        if part == _BINS:
            bins = state
        elif part.startswith(_FEATURE):
            features.setdefault(subject, {})[part.removeprefix(_FEATURE)] = state
        else:
            counted[subject, part] = state
    plan = QualityPlan(
        problem=Problem(str(meta["problem"])),
        roles=roles_of(meta["roles"]),
        classes=Classes(tuple(map(str, listed(meta, "classes")))),
        threshold=float(str(meta["threshold"])),
        bins=bins if isinstance(bins, Bins) else None,
        probability=bool(meta["probability"]),
        center=float(str(meta["center"])),
        scale=float(str(meta["scale"])),
        names=tuple(map(str, listed(meta, "names"))),
        sets=None if meta["sets"] is None else _two(meta, "sets"),
        segments=tuple(Segment(str(name), str(rule)) for name, rule in _pairs(meta, "segments")),
        features=tuple(
            BaselineColumn(str(name), Role(role), ColumnType(kind), features.get(str(name), {}))
            for name, role, kind in _pairs(meta, "features")
        ),
        dialect=Dialect(str(meta["dialect"])),
    )
    rejected = meta["rejected"]
    if not isinstance(rejected, dict):
        raise BaselineError(path, why="its rejected rows are damaged")
    return QualityBaseline(
        created=datetime.fromisoformat(str(meta["created"])),
        source=str(meta["source"]),
        plan=plan,
        profile=Profile(
            int(str(meta["rows"])), {str(why): int(n) for why, n in rejected.items()}, {}, counted
        ),
        days_of=days_of,
    )


def _two(meta: Mapping[str, object], name: str) -> tuple[int, int]:
    first, second = listed(meta, name)
    return int(str(first)), int(str(second))


def _pairs(meta: Mapping[str, object], name: str) -> list[list[str]]:
    return [one for one in listed(meta, name) if isinstance(one, list)]
