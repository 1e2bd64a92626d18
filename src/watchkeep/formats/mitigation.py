"""`mitigation.json`: what treating groups alike does, and costs; and how to decide from now on."""

from collections.abc import Mapping, Sequence
from typing import Final

from watchkeep.core.undefined import Value
from watchkeep.formats.column_documents import value
from watchkeep.monitors.bias.groups import TITLES, GroupBias
from watchkeep.monitors.bias.limits import unfair
from watchkeep.stats.fairness import Decision

DOCUMENT: Final = "mitigation.json"
VERSION: Final = 1


def mitigation_document(
    *,
    method: str,
    parity: str | None,
    facets: Sequence[str],
    groups: Sequence[str],
    rows: Mapping[str, object],
    before: Sequence[GroupBias],
    after: Sequence[GroupBias],
    quality: Mapping[str, tuple[Value, Value]],
    trained: bool,
    source: str,
) -> dict[str, object]:
    """What was done and what came of it, as JSON.

    Args:
        method, parity: what was done.
        facets, groups: whose groups were to be treated alike.
        rows: how many were learned from, held out and left out.
        before, after: bias of the held-out rows.
        quality: of their answers, before and after.
        trained: whether these are the answers of models trained here.
        source: what was read, for people.
    """
    return {
        "version": VERSION,
        "kind": "mitigation",
        "method": method,
        "parity": parity,
        "source": source,
        "facets": list(facets),
        "groups": list(groups),
        "rows": dict(rows),
        "trained": trained,
        "bias": [
            {
                "subject": one.subject,
                "facet": one.facet,
                "rows": one.rows,
                "others": one.others,
                "measures": [
                    {
                        "measure": name,
                        "title": TITLES.get(name, name),
                        "before": _side(name, one),
                        "after": _side(name, other),
                    }
                    for name in one.measures
                ],
            }
            for one, other in zip(before, after, strict=True)
        ],
        "quality": [
            {"measure": name, "before": value(then), "after": value(now)}
            for name, (then, now) in quality.items()
        ],
    }


def thresholds_document(decisions: Mapping[str, Decision]) -> dict[str, object]:
    """How rows of each group are decided from now on.

    A row is positive with chance `mixed` x `constant` + (1 - `mixed`) x the sum of the chances of the thresholds that
    its score is above; a threshold of null is below all scores where `all` is true, above them else.
    """
    return {"version": VERSION, "groups": {name: one.document() for name, one in decisions.items()}}


def _side(name: str, group: GroupBias) -> dict[str, object]:
    found = group.measures[name]
    return {
        "value": value(found.value),
        "error": None if found.error is None else float(f"{found.error:.6g}"),
        "unfair": unfair(name, found, group.among.get(name, 0)),
    }
