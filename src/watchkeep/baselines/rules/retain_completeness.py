"""Values keep being there."""

import math

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.checks import COMPLETENESS
from watchkeep.constraints.constraint import Constraint, Side


def retain_completeness(column: BaselineColumn) -> Constraint | None:
    """All values, if the baseline has them all; else the lower 95 % bound of its share, rounded down to 2 decimals.

    References:
        The rules CompleteIfComplete and RetainCompleteness of Deequ; ours also holds below a share of 0.2.
    """
    rows, present = column.presence.rows, column.presence.present
    if not rows or not present:
        return None
    share = present / rows
    bound = share - 1.96 * math.sqrt(share * (1 - share) / rows)
    complete = present == rows
    return Constraint(
        check=COMPLETENESS,
        measure="completeness",
        subject=column.name,
        side=Side.AT_LEAST,
        limit=1.0 if complete else max(0.0, math.floor(bound * 100) / 100),
        rule="CompleteIfComplete" if complete else "RetainCompleteness",
        reason="no value is missing" if complete else f"{rows - present:,} of {rows:,} values are missing",
        evidence={"present": present, "rows": rows},
    )
