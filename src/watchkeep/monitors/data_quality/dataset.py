"""Measures of all the rows of a window."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from watchkeep.baselines.baseline import Baseline
from watchkeep.constraints.constraint import Sizes
from watchkeep.core.undefined import Undefined, Value
from watchkeep.core.window import Window
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.profiles.profile import JOINT, Profile
from watchkeep.states.extremes import Extremes
from watchkeep.states.rows import FeatureSums
from watchkeep.stats.fourier import mmd
from watchkeep.stats.tails import discrepancy

NAMES: Final = (
    "row_count",
    "rejected",
    "rows_per_day",
    "freshness",
    "missing_columns",
    "extra_columns",
    "mmd",
)
"""Every measure of the dataset."""
OF_WINDOW: Final = frozenset({"rows_per_day", "freshness"})
"""Those that say something only of a window with an end."""
FEW = 50
"""Sampled rows below which the joint comparison is undecided."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A window as a whole.

    Args:
        missing: columns of the baseline that the window lacks.
        awaited: labels among them: they come later, and nothing is said of them.
        extra: columns of the window that the baseline does not know.
        measures: value by measure.
        sizes: what the joint comparison was taken over.
        read: rows read, with those that were rejected; of the window and of the baseline.
    """

    missing: tuple[str, ...]
    awaited: tuple[str, ...]
    extra: tuple[str, ...]
    measures: Mapping[str, Value]
    sizes: Sizes
    read: Sizes


def dataset(baseline: Baseline, profile: Profile, window: Window) -> Dataset:
    """Measure a window as a whole."""
    known = {column.name for column in baseline.columns}
    unseen = [column for column in baseline.columns if not profile.seen.get(column.name)]
    if not profile.rows:  # no row, so no row that lacks a column
        unseen = []
    missing = tuple(column.name for column in unseen if column.role is not Role.LABEL)
    awaited = tuple(column.name for column in unseen if column.role is Role.LABEL)
    known |= set(baseline.roles.named())  # who names a column is not surprised by it
    extra = tuple(
        name for name in profile.seen if name not in known and baseline.roles.of(name) is not Role.IGNORED
    )
    value, sizes = _joint(baseline, profile)
    measures: dict[str, Value] = {
        "row_count": float(profile.rows),
        "rejected": profile.rejected_share,
        "rows_per_day": _per_day(profile, window),
        "freshness": _freshness(baseline, profile, window),
        "missing_columns": float(len(missing)),
        "extra_columns": float(len(extra)),
        "mmd": value,
    }
    before = baseline.rows + sum(baseline.rejected.values())
    return Dataset(missing, awaited, extra, measures, sizes, Sizes(n=profile.read, m=before))


def _per_day(profile: Profile, window: Window) -> Value:
    if window.start is None or window.end is None:
        return Undefined("rows_per_day needs a window with a start and an end")
    return profile.rows / ((window.end - window.start).total_seconds() / 86_400)


def _freshness(baseline: Baseline, profile: Profile, window: Window) -> Value:
    """Seconds between the newest row and the window's end."""
    time = next(
        (one for one in baseline.columns if one.role is Role.TIMESTAMP and one.type is ColumnType.TIME), None
    )
    if time is None:
        return Undefined("freshness needs a timestamp role")
    if window.end is None:
        return Undefined("freshness needs a window with an end")
    newest = profile.part(time.name, "extremes", Extremes)
    if newest is None or newest.empty:
        return Undefined("freshness needs 1 row with a time, has 0")
    return window.end.timestamp() - datetime.fromtimestamp(newest.high / 1e6, UTC).timestamp()


def _joint(baseline: Baseline, profile: Profile) -> tuple[Value, Sizes]:
    joint, sums = baseline.joint, profile.part(JOINT, "rows", FeatureSums)
    if joint is None or sums is None:
        why = Undefined("mmd needs 2 numeric columns")
        return why, Sizes(n=0, m=0, chance=why)
    before = joint.sums
    if joint.clumped:
        # Equal rows are sampled all or none: only at one level are both samples of the same ones.
        before, sums = before.above(sums.level), sums.above(before.level)
    n, m = sums.rows, before.rows
    if not n or not m:
        why = Undefined("mmd needs rows that differ in their numbers")
        return why, Sizes(n=n, m=m, chance=why)
    value = mmd(before.mean(), sums.mean(), n, m)
    chance: float | Undefined = (
        discrepancy(value, n, m, spread=joint.spread, spread2=joint.spread2)
        if joint.spread > 0 and joint.spread2 > 0
        else Undefined("mmd needs baseline rows that differ")
    )
    if min(n, m) < FEW:
        chance = Undefined(f"mmd needs {FEW} rows, has {min(n, m)}")
    # The features are single precision: digits beyond the sixth depend on the order of the rows.
    return (round(value, 6) if math.isfinite(value) else Undefined("mmd overflows a double")), Sizes(
        n=n, m=m, chance=chance
    )
