"""What never repeated keeps not repeating."""

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.checks import UNIQUENESS
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.frames.schema import ColumnType
from watchkeep.states.distinct import Distinct


def unique(column: BaselineColumn) -> Constraint | None:
    """At least 85 % different values, when about all of a complete column's values differ.

    Only for texts, integers and ids: two equal measurements are no fault. The slack of 15 % is nearly five standard
    errors of the estimate, so that noise spends next to nothing of the budget of false alarms.

    References:
        The rule UniqueIfApproximatelyUnique of Deequ, with its bound of 8 %.
    """
    distinct, presence = column.part("distinct", Distinct), column.presence
    if distinct is None or column.type is ColumnType.FRACTIONAL:
        return None
    if presence.rows < 100 or presence.missing or abs(1 - distinct.estimate() / presence.rows) > 0.08:
        return None
    different = min(distinct.estimate(), presence.rows)
    return Constraint(
        check=UNIQUENESS,
        measure="uniqueness",
        subject=column.name,
        side=Side.AT_LEAST,
        limit=0.85,
        rule="UniqueIfApproximatelyUnique",
        reason=f"{presence.rows:,} values are about {different:,} different ones",
        evidence={"distinct": different, "values": presence.rows},
    )
