"""Limits on quality as the list the monitor judges, from and to a `constraints.json`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from watchkeep.constraints import checks
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.formats.quality_constraints import Operator, QualityConstraint, QualityConstraints, build
from watchkeep.monitors.model_quality.plan import Problem

_CHECKS = {Operator.LESS: checks.LESS_THAN, Operator.GREATER: checks.GREATER_THAN}


def to_quality_document(problem: Problem, suggested: Iterable[Constraint]) -> QualityConstraints:
    """The `constraints.json` of suggested limits."""
    return build(problem, [listed(one) for one in suggested])


def listed(constraint: Constraint) -> QualityConstraint:
    """A limit as the document lists it."""
    operator = Operator.GREATER if constraint.side is Side.AT_MOST else Operator.LESS
    return QualityConstraint(constraint.measure, constraint.limit, operator)


def to_quality_constraints(
    document: QualityConstraints, suggested: Mapping[tuple[str, str, str, str], Constraint] | None = None
) -> tuple[Constraint, ...]:
    """The limits of a document; one that is as it was suggested has its reason and evidence.

    Args:
        document: `constraints.json`.
        suggested: what the baseline suggested, by key.
    """
    found = []
    for one in document.constraints.values():
        if isinstance(one.threshold, Undefined):
            continue
        limit = Constraint(
            check=_CHECKS[one.operator],
            measure=one.metric,
            subject=DATASET,
            side=one.operator.side,
            limit=one.threshold,
        )
        known = (suggested or {}).get(limit.key)
        if known is not None:
            limit = known if known.limit == limit.limit else replace(limit, evidence=known.evidence)
        found.append(limit)
    return tuple(found)
