"""How columns hang together, as fields for the codec."""

from collections.abc import Mapping

import numpy as np

from watchkeep.baselines.relations import RelationBaseline
from watchkeep.core.errors import StateError
from watchkeep.profiles.plan import JointPlan, Scorer
from watchkeep.states.codec import Field, Fields, array, floats, number, whole


def relation_fields(relations: RelationBaseline) -> Fields:
    """The fields of a baseline's relations."""
    plan, scorers = relations.plan, relations.plan.scorers
    edges = [np.zeros(0) if one.edges is None else one.edges for one in scorers]
    return {
        "columns": list(plan.columns),
        "texts": list(plan.texts),
        "keys": list(plan.keys),
        "subjects": list(relations.subjects),
        "numeric": [int(one.edges is not None) for one in scorers],
        "edges": np.concatenate(edges),
        "edge_counts": np.array([len(one) for one in edges]),
        "categories": [name for one in scorers for name in one.categories],
        "category_counts": np.array([len(one.categories) for one in scorers]),
        "scores": np.concatenate([one.scores for one in scorers]),
        "score_counts": np.array([len(one.scores) for one in scorers]),
        "sums": relations.sums,
        "tellers": relations.tellers.ravel(),
        "deviations": relations.deviations,
        "skews": relations.skews.ravel(),
        "kurtoses": relations.kurtoses,
        "efficiency": relations.efficiency,
        "clumped": int(relations.clumped),
    }


def relations_of_fields(fields: Fields) -> RelationBaseline:
    """The relations that gave these fields.

    Raises:
        StateError: they do not fit together.
    """
    subjects, categories = names_of(fields, "subjects"), names_of(fields, "categories")
    numeric = fields["numeric"]
    if not isinstance(numeric, list) or len(numeric) != len(subjects):
        raise StateError("relations lack the kinds of their columns")
    ends = {name: np.cumsum(array(fields, f"{name}_counts")) for name in ("edge", "category", "score")}
    edges, scores = floats(fields, "edges"), floats(fields, "scores")
    scorers = []
    for at, name in enumerate(subjects):
        begin = {kind: int(each[at - 1]) if at else 0 for kind, each in ends.items()}
        end = {kind: int(each[at]) for kind, each in ends.items()}
        scorers.append(
            Scorer(
                name=name,
                edges=edges[begin["edge"] : end["edge"]] if numeric[at] else None,
                categories=categories[begin["category"] : end["category"]],
                scores=scores[begin["score"] : end["score"]],
            )
        )
    width = len(subjects)
    plan = JointPlan(
        columns=names_of(fields, "columns"),
        texts=names_of(fields, "texts"),
        keys=names_of(fields, "keys"),
        scorers=tuple(scorers),
    )
    return RelationBaseline(
        plan,
        floats(fields, "sums"),
        floats(fields, "tellers").reshape(width, width),
        floats(fields, "deviations"),
        floats(fields, "skews").reshape(2, -1),
        floats(fields, "kurtoses"),
        float(number(fields, "efficiency")),
        bool(whole(fields, "clumped")),
    )


def names_of(fields: Mapping[str, Field], name: str) -> tuple[str, ...]:
    """The list of texts of that name.

    Raises:
        StateError: there is none.
    """
    value = fields.get(name)
    if not isinstance(value, list):
        raise StateError(f"the joint comparison lacks its {name}")
    return tuple(map(str, value))
