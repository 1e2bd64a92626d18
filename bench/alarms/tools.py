"""Watchkeep, through the interface its users have."""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

import watchkeep as wk
from bench.alarms.data import AT
from bench.alarms.readings import Reading, Readings
from bench.alarms.streams import Look

FALSE_ALARMS = 1 / 1000
"""The budget it is given: one window in a thousand."""


class Watchkeep:
    """The watch, and each window's check alone."""

    def fit(self, reference: pd.DataFrame, *, series: bool) -> "Learnt":
        """A baseline of the data quality monitor."""
        rows = wk.read(arrow(reference), timestamp=AT if series else None)
        return Learnt(wk.DataQuality().baseline(rows))


@dataclass(frozen=True, slots=True)
class Learnt:
    """A baseline, for watches to start from."""

    baseline: wk.Baseline

    def start(self) -> "Watching":
        """A watch that has seen nothing."""
        return Watching(self.baseline, wk.Watch(self.baseline, false_alarms=FALSE_ALARMS))


@dataclass(frozen=True, slots=True)
class Watching:
    """A watch and its baseline."""

    baseline: wk.Baseline
    watch: wk.Watch

    def look(self, window: Look) -> Readings:
        """What the watch says, and whether the check alone found anything."""
        state = self.baseline.scan(arrow(window.rows))
        start, end = (side.tz_localize("UTC").to_pydatetime() for side in (window.start, window.end))
        report = self.baseline.judge(state, start=start, end=end)
        decision = self.watch.observe(report)
        gravest: dict[str, float] = {}
        for verdict in report.violations:
            gravest[verdict.subject] = max(gravest.get(verdict.subject, 0.0), 1 + verdict.severity)
        return {
            "watchkeep": Reading(float(decision.level), dict(decision.evidence), tuple(decision.named)),
            "watchkeep-check": Reading(max(gravest.values(), default=0.0), gravest),
        }


def arrow(frame: pd.DataFrame) -> pa.Table:
    """A frame as an Arrow table, its index left out."""
    return pa.Table.from_pandas(frame, preserve_index=False)
