"""How answers of one day share its luck: learned from a baseline with times, allowed to windows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from watchkeep.baselines.loss_days import MOMENTS, LossDays, loss_days
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.batches import Batch
from watchkeep.frames.times import event_times
from watchkeep.monitors.model_quality.losses import means_of, row_losses, sums_of
from watchkeep.monitors.model_quality.measures import Counts, Quality
from watchkeep.monitors.model_quality.plan import QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles, read_answers
from watchkeep.monitors.model_quality.scan import HOURS
from watchkeep.profiles.columns import HOUR
from watchkeep.profiles.profile import Profile
from watchkeep.states.cells import Cells
from watchkeep.stats.expected_counts import Estimated

DAY = 24 * HOUR
"""Microseconds."""
_FEW = 4  # losses of two classes
_OF = {
    "true_positive_rate": "recall",
    "false_negative_rate": "recall",
    "false_positive_rate": "true_negative_rate",
    "log_loss": "brier",
}


class DayScan:
    """Sums of losses by day, batch after batch.

    Args:
        plan: how answers are read; with a column of times.
    """

    def __init__(self, plan: QualityPlan) -> None:
        self._plan = plan
        self._days: dict[int, Doubles] = {}
        self._hours: set[int] = set()
        self._weight = np.zeros(2)

    def add(self, batch: Batch) -> None:
        """Look at a batch."""
        time = self._plan.roles.timestamp
        if not batch.rows or time is None or time not in batch.names:
            return
        micros, valid = event_times(batch.column(time), textual=time in batch.textual)
        answers = read_answers(batch, self._plan)
        losses, among = row_losses(self._plan, answers)
        held = np.flatnonzero(valid[answers.kept] & among.any(axis=1))
        if not len(held):
            return
        times, losses, among = micros[answers.kept][held], losses[held], among[held]
        weights = np.ones(len(held)) if answers.weights is None else answers.weights[held]
        self._weight += weights.sum(), weights @ weights
        self._hours.update(np.unique(times // HOUR).tolist())
        days, of = np.unique(times // DAY, return_inverse=True)
        sums = np.zeros((len(days), losses.shape[1], MOMENTS))
        for at in range(losses.shape[1]):
            for power in range(MOMENTS):
                worth = weights * among[:, at] * losses[:, at] ** power
                sums[:, at, power] = np.bincount(of, worth, len(days))
        for day, mine in zip(days.tolist(), sums, strict=True):
            self._days[day] = self._days[day] + mine if day in self._days else mine

    def days(self) -> LossDays | None:
        """What the days show."""
        weight, squares = self._weight.tolist()
        worth = weight / squares if squares > 0 else 1.0  # of a unit of weight, in rows of equal weight
        return loss_days({day: sums * worth for day, sums in self._days.items()}, len(self._hours))


@dataclass(frozen=True, slots=True, eq=False)
class Luck:
    """What days do to the measures of some rows.

    Args:
        names: of the losses that it is known of.
        rows: that each is a mean over, shape (losses,).
        variances: of such means beyond that of rows in random order, in variances of a row, shape (losses,).
    """

    names: tuple[str, ...]
    rows: Doubles
    variances: Doubles

    def swayed(self, found: Quality) -> Quality:
        """Measures whose errors, of rows in random order, allow for it."""
        measures = {
            name: one if one.error is None else replace(one, error=one.error * math.sqrt(self._factor(name)))
            for name, one in found.measures.items()
        }
        return replace(found, measures=measures)

    def allowing(self, expected: Mapping[str, Estimated], before: Quality) -> dict[str, Estimated]:
        """Estimates whose bands allow for it.

        Args:
            expected: by measure.
            before: the measures of the reference rows, with errors of rows in random order.
        """
        return {name: self._wider(name, one, before) for name, one in expected.items()}

    def _wider(self, name: str, one: Estimated, before: Quality) -> Estimated:
        known = before.measures.get(name)
        if known is None or known.error is None or not one.deviation or one.low is None or one.high is None:
            return one
        if isinstance(one.value, Undefined):
            return one
        row = known.error**2 * before.labelled  # the variance of one row
        deviation = math.sqrt(one.deviation**2 + row * float(self.variances[self._at(name)]))
        times = deviation / one.deviation
        return Estimated(
            one.value,
            one.value - times * (one.value - one.low),
            one.value + times * (one.high - one.value),
            deviation,
        )

    def _factor(self, measure: str) -> float:
        at = self._at(measure)
        return 1 + float(self.rows[at] * self.variances[at])

    def _at(self, measure: str) -> int:
        """The loss that a measure moves with; where none is nearest, the one that days move most, of a few.

        Of many classes some seem to move much, since few rows are of them: there it is that of all answers.
        """
        name = _OF.get(measure, measure)
        if name in self.names:
            return self.names.index(name)
        return int(np.argmax(self.rows * self.variances)) if len(self.names) <= _FEW else 0


def luck_of(days: LossDays | None, plan: QualityPlan, counts: Counts, profile: Profile) -> Luck | None:
    """What days do to the measures of a profile's rows, counted by a plan; None when nothing is known of it."""
    hours = hours_of(profile)
    if days is None or not hours:
        return None
    names = means_of(plan, counts).names
    rows = sums_of(plan, counts).reshape(len(names), -1)[:, 0]
    return Luck(names, rows, days.variance(days.length(hours)))


def hours_of(profile: Profile) -> int:
    """Hours that hold labelled rows."""
    found = profile.part(DATASET, HOURS, Cells)
    return 0 if found is None else len(found.keys)
