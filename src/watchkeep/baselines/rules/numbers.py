"""Numbers keep their sign, their range, their variety, and stay finite."""

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.checks import CONSTANT, FINITE, NON_NEGATIVE, RANGE
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.states.distinct import Distinct
from watchkeep.states.extremes import Extremes
from watchkeep.states.moments import Moments

BEYOND = 0.01
"""Share of a window's values that may lie beyond the baseline's extremes: extremes move with every sample."""


def _extremes(column: BaselineColumn) -> Extremes | None:
    extremes = column.part("extremes", Extremes)
    numbers = column.type.numeric and not column.role.identifies
    return None if extremes is None or extremes.empty or not numbers else extremes


def non_negative(column: BaselineColumn) -> Constraint | None:
    """No number below zero, when the baseline has none.

    References:
        The rule NonNegativeNumbers of Deequ.
    """
    extremes = _extremes(column)
    if extremes is None or extremes.low < 0:
        return None
    return Constraint(
        check=NON_NEGATIVE,
        measure="negative",
        subject=column.name,
        side=Side.AT_MOST,
        limit=0.0,
        rule="NonNegativeNumbers",
        reason=f"the smallest value is {extremes.low:g}",
        evidence={"min": extremes.low},
    )


def value_range(column: BaselineColumn) -> Constraint | None:
    """At most 1 % of values beyond the baseline's smallest and largest."""
    extremes, moments = _extremes(column), column.part("moments", Moments)
    if extremes is None or moments is None or moments.n < 100:
        return None
    return Constraint(
        check=RANGE,
        measure="out_of_range",
        subject=column.name,
        side=Side.AT_MOST,
        limit=BEYOND,
        rule="ValueRange",
        reason=f"{moments.n:,} values lie between {extremes.low:g} and {extremes.high:g}",
        evidence={"min": extremes.low, "max": extremes.high, "values": moments.n},
    )


def finite(column: BaselineColumn) -> Constraint | None:
    """No larger a share of infinite values than the baseline has: none, as a rule."""
    presence = column.presence
    if _extremes(column) is None:
        return None
    return Constraint(
        check=FINITE,
        measure="infinite",
        subject=column.name,
        side=Side.AT_MOST,
        limit=presence.infinite / presence.present,
        rule="StayFinite",
        reason=f"{presence.infinite:,} of {presence.present:,} values are infinite",
        evidence={"infinite": presence.infinite, "values": presence.present},
    )


def varies(column: BaselineColumn) -> Constraint | None:
    """At least two different values, when nearly every two of the baseline's numbers differ: a stuck sensor shows."""
    distinct, present = column.part("distinct", Distinct), column.presence.present
    if distinct is None or _extremes(column) is None or distinct.estimate() < max(20.0, 0.02 * present**0.5):
        return None
    different = min(distinct.estimate(), present)
    return Constraint(
        check=CONSTANT,
        measure="distinct",
        subject=column.name,
        side=Side.AT_LEAST,
        limit=2.0,
        rule="Varies",
        reason=f"{present:,} values show about {different:,} different numbers",
        evidence={"distinct": different, "values": present},
    )
