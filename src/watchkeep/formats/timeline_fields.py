"""How blocks of a baseline differ, as fields for the codec."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from watchkeep.baselines.relation_days import RelationDays
from watchkeep.baselines.spread import Reals, Spread
from watchkeep.baselines.timeline import Timeline, Unrest
from watchkeep.core.errors import StateError
from watchkeep.states.codec import Field, Fields, array, floats, number, whole

_BY_LENGTH: Final = ("variances", "degrees")
_BY_UNIT: Final = ("shares", "skews", "excesses")


def timeline_fields(timeline: Timeline) -> Fields:
    """The fields of a timeline."""
    fields: dict[str, Field] = {
        "step": timeline.step,
        "blocks": timeline.blocks,
        "days": timeline.days,
        "seasons": timeline.seasons,
        "phase_rows": timeline.phase_rows,
        "phases": timeline.phases.ravel(),
        "terms": timeline.terms,
    }
    unrest = timeline.unrest
    if unrest is not None:
        fields |= spread_fields("means", unrest.means) | spread_fields("histograms", unrest.histograms)
        fields["ways"] = unrest.ways
        if unrest.relations is not None:
            fields |= spread_fields("relations", unrest.relations.spread)
            fields |= {"offsets": unrest.relations.offsets.ravel(), "longest": unrest.relations.longest}
            fields["known"] = unrest.relations.known.astype(np.int8)
    return fields


def timeline_of_fields(fields: Fields) -> Timeline:
    """The timeline that gave these fields.

    Raises:
        StateError: they do not fit together.
    """
    phase_rows, seasons = array(fields, "phase_rows"), array(fields, "seasons").astype(np.int8)
    phases = array(fields, "phases")
    if len(phases) != len(phase_rows) * len(seasons):
        raise StateError("the phases of a timeline do not fit its buckets")
    return Timeline(
        step=whole(fields, "step"),
        blocks=whole(fields, "blocks"),
        days=whole(fields, "days"),
        seasons=seasons,
        phase_rows=phase_rows,
        phases=phases.reshape(len(phase_rows), len(seasons)),
        terms=array(fields, "terms").astype(np.intp),
        unrest=_unrest_of_fields(fields) if "ways" in fields else None,
    )


def _unrest_of_fields(fields: Fields) -> Unrest:
    relations = None
    if "offsets" in fields:
        spread = spread_of_fields("relations", fields)
        offsets = _table(fields, "offsets", len(spread.lengths))
        known = array(fields, "known").astype(np.bool_)
        relations = RelationDays(float(number(fields, "longest")), offsets, spread, known)
    return Unrest(
        spread_of_fields("means", fields),
        spread_of_fields("histograms", fields),
        floats(fields, "ways"),
        relations,
    )


def spread_fields(name: str, spread: Spread) -> dict[str, Field]:
    """A spread's fields; their names begin with `name`."""
    found: dict[str, Field] = {f"{name}_lengths": spread.lengths, f"{name}_units": spread.units}
    for part in (*_BY_LENGTH, *_BY_UNIT):
        found[f"{name}_{part}"] = getattr(spread, part).ravel()
    return found


def spread_of_fields(name: str, fields: Mapping[str, Field]) -> Spread:
    """The spread that gave these fields.

    Raises:
        StateError: they do not fit together.
    """
    lengths, units = floats(fields, f"{name}_lengths"), floats(fields, f"{name}_units")
    return Spread(
        lengths=lengths,
        units=units,
        **{part: _table(fields, f"{name}_{part}", len(lengths)) for part in _BY_LENGTH},
        **{part: _table(fields, f"{name}_{part}", len(units)) for part in _BY_UNIT},
    )


def _table(fields: Mapping[str, Field], name: str, rows: int) -> Reals:
    flat = floats(fields, name)
    if not rows or len(flat) % rows:
        raise StateError(f"{name} of a timeline does not fit its lengths")
    found: Reals = flat.reshape(rows, -1)
    return found
