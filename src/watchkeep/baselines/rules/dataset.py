"""The dataset keeps its rows, its volume, its freshness and its joint shape."""

import numpy as np

from watchkeep.baselines.baseline import JointBaseline
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.constraints.checks import FRESHNESS, JOINT_DRIFT, REJECTED, ROW_VOLUME
from watchkeep.constraints.constraint import Constraint, Side
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.verdicts import DATASET
from watchkeep.core.wording import percent
from watchkeep.states.cells import Cells

JOINT_LIMIT = 0.02
"""Squared discrepancy the joint distribution may move by, noise apart; 2 is the most there is."""
REJECTED_ROOM = 0.05
"""Share of rows that may be rejected beyond those of the baseline."""
_HOURS = 24


def retain_rows(rows: int, rejected: Value, *, check: str = REJECTED) -> Constraint:
    """About as many rows that can be used as in the baseline, where such a share of `rows` was rejected."""
    share = 0.0 if isinstance(rejected, Undefined) else rejected
    return Constraint(
        check=check,
        measure="rejected",
        subject=DATASET,
        side=Side.AT_MOST,
        limit=min(1.0, share + REJECTED_ROOM),
        rule="RetainRows",
        reason=f"{percent(share)} of {rows:,} rows were rejected, and {percent(REJECTED_ROOM, 0)} more may be",
        evidence={"baseline": share, "rows": rows},
    )


def row_volume(time: BaselineColumn | None) -> list[Constraint]:
    """Between half the slowest and twice the busiest full day of the baseline, when it spans three full days."""
    days = _full_days(time)
    if len(days) < 3:
        return []
    low, high = int(days.min()), int(days.max())
    evidence = {"days": len(days), "fewest": low, "most": high}
    reason = (
        f"{len(days)} full days have {low:,} to {high:,} rows"
        if low < high
        else f"each full day has {low:,} rows"
    )
    return [
        Constraint(
            check=ROW_VOLUME,
            measure="rows_per_day",
            subject=DATASET,
            side=side,
            limit=limit,
            rule="RetainVolume",
            reason=reason,
            evidence=evidence,
        )
        for side, limit in ((Side.AT_LEAST, low / 2), (Side.AT_MOST, 2.0 * high))
    ]


def freshness(time: BaselineColumn | None) -> list[Constraint]:
    """The newest row no further from the window's end than twice the longest silence of the baseline."""
    hours = None if time is None else time.part("hours", Cells)
    if hours is None or hours.shift or len(hours.keys) < _HOURS:
        return []
    silence = int(np.diff(hours.keys).max())
    return [
        Constraint(
            check=FRESHNESS,
            measure="freshness",
            subject=DATASET,
            side=Side.AT_MOST,
            limit=2 * 3600.0 * silence,
            rule="RetainFreshness",
            reason=f"the longest silence is {silence} hour{'' if silence == 1 else 's'}",
            evidence={"hours": silence},
        )
    ]


def joint_drift(joint: JointBaseline | None) -> list[Constraint]:
    """The numeric columns together no further away than a small discrepancy beyond noise."""
    if joint is None:
        return []
    return [
        Constraint(
            check=JOINT_DRIFT,
            measure="mmd",
            subject=DATASET,
            side=Side.AT_MOST,
            limit=JOINT_LIMIT,
            rule="RetainJointShape",
            reason=f"{len(joint.plan.columns)} numeric columns are compared together",
            evidence={"columns": len(joint.plan.columns), "rows": joint.sums.rows},
        )
    ]


def _full_days(time: BaselineColumn | None) -> "np.typing.NDArray[np.int64]":
    hours = None if time is None else time.part("hours", Cells)
    if hours is None or hours.shift or not len(hours.keys):
        return np.zeros(0, np.int64)
    days = hours.keys // _HOURS
    first = int(days[0])
    totals = np.zeros(int(days[-1]) - first + 1, np.int64)
    np.add.at(totals, days - first, hours.counts)
    # The first and the last day are seldom whole.
    whole_first = int(hours.keys[0]) % _HOURS == 0
    whole_last = int(hours.keys[-1]) % _HOURS == _HOURS - 1
    return totals[0 if whole_first else 1 : len(totals) if whole_last else -1]
