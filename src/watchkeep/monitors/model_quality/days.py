"""How answers of one day share its luck: learned from a baseline with times, allowed to windows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from watchkeep.baselines.estimator import CONFIDENCE
from watchkeep.baselines.loss_days import MOMENTS, LossDays, loss_days
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.batches import Batch
from watchkeep.frames.times import event_times
from watchkeep.monitors.model_quality.losses import means_of, row_losses
from watchkeep.monitors.model_quality.measures import Counts, Quality, Sampled
from watchkeep.monitors.model_quality.places import Places
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Answers, Doubles, Mask, read_answers
from watchkeep.monitors.model_quality.scan import HOURS, LABELLED
from watchkeep.profiles.columns import HOUR
from watchkeep.profiles.profile import Profile
from watchkeep.states.cells import Cells
from watchkeep.stats.expected_counts import Estimated, band, range_of

DAY = 24 * HOUR
"""Microseconds."""
_FEW = 5  # losses of two classes; of more kinds of losses there are many classes
_OF = {
    "true_positive_rate": "recall",
    "false_negative_rate": "recall",
    "false_positive_rate": "true_negative_rate",
    "log_loss": "brier",
    "pr_auc": "auc",
    "rmse": "mae",
    "mse": "mae",
}


class LossScan:
    """Sums of losses by day, batch after batch.

    Args:
        plan: how answers are read; with a column of times.
        counts: of all the answers.
        segment: of those that will be read, if they are fewer.
    """

    def __init__(self, plan: QualityPlan, counts: Counts, segment: Counts | None = None) -> None:
        self._plan = plan
        self._names = means_of(plan, counts).names
        self._misplaced = misplaced(plan, segment or counts)
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
        losses, among = self._losses(answers)
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

    def _losses(self, answers: Answers) -> tuple[Doubles, Mask]:
        """Those that the watch is told of and, of scores, how far rows are on the wrong side of the other label's."""
        losses, among = row_losses(self._plan, answers)
        if self._misplaced is None or self._plan.bins is None or answers.scores is None:
            return losses, among
        known = answers.labels < self._plan.kinds
        places = Places(self._plan.bins).of(answers.scores)
        lost = self._misplaced[np.where(known, answers.labels, 0), places]
        return np.append(losses, lost[:, None], axis=1), np.append(among, known[:, None], axis=1)

    def merge(self, *others: Self) -> Self:
        """All together."""
        for other in others:
            self._weight += other._weight  # noqa: SLF001 (our own)
            self._hours |= other._hours  # noqa: SLF001
            for day, mine in other._days.items():  # noqa: SLF001
                self._days[day] = self._days[day] + mine if day in self._days else mine
        return self

    def days(self) -> LossDays | None:
        """What the days show."""
        weight, squares = self._weight.tolist()
        worth = weight / squares if squares > 0 else 1.0  # of a unit of weight, in rows of equal weight
        names = self._names if self._misplaced is None else (*self._names, "auc")
        found = loss_days(names, {day: sums * worth for day, sums in self._days.items()}, len(self._hours))
        if found is None or self._plan.problem is not Problem.REGRESSION:
            return found
        return replace(found, deviations=found.deviations * self._plan.scale)  # in units of the label


def misplaced(plan: QualityPlan, counts: Counts) -> Doubles | None:
    """How large a share of the rows of the other label a row is on the wrong side of, ties half, shape (2, places).

    By label of the row and place of its score. Over the rows of either label its mean is 1 - AUC.
    """
    if plan.problem is not Problem.BINARY or plan.bins is None:
        return None
    layers = len(counts.table)
    by_label = counts.table[1 if layers > 1 else 0].reshape(-1, 2, 3)[:, :, :2].sum(axis=1)
    whole = by_label.sum(axis=0)
    if not whole.all():
        return None
    shares = by_label / whole
    up_to = np.cumsum(shares, axis=0) - shares / 2
    positives_below, negatives_above = up_to[:, 1], 1 - up_to[:, 0]
    return np.stack([positives_below, negatives_above])


@dataclass(frozen=True, slots=True, eq=False)
class Luck:
    """What days do to the measures of some rows.

    Args:
        days: how the baseline's differ.
        variances: of means of losses over the days of these rows, beyond that of rows in random order, shape (losses,).
    """

    days: LossDays
    variances: Doubles

    def swayed(self, found: Quality) -> Quality:
        """Measures whose errors, of rows in random order, allow for it."""
        return replace(found, measures={name: self._swayed(name, found) for name in found.measures})

    def allowing(self, expected: Mapping[str, Estimated], before: Quality) -> dict[str, Estimated]:
        """Estimates whose bands allow for it.

        Args:
            expected: by measure.
            before: the measures of the reference rows, with errors of rows in random order.
        """
        return {name: self._wider(name, one, before) for name, one in expected.items()}

    def _swayed(self, name: str, found: Quality) -> Sampled:
        one = found.measures[name]
        if one.error is None:
            return one
        return replace(one, error=math.sqrt(one.error**2 + self._variance(name, found, self.variances)))

    def _wider(self, name: str, one: Estimated, before: Quality) -> Estimated:
        if not one.deviation or isinstance(one.value, Undefined):
            return one
        # The reference rows, of which the estimate is made, had their own luck.
        both = self.variances + self.days.variance(float(self.days.days))
        least, most = range_of(name)
        deviation = math.sqrt(one.deviation**2 + self._variance(name, before, both))
        return band(one.value, deviation, confidence=CONFIDENCE, least=least, most=most)

    def _variance(self, measure: str, found: Quality, variances: Doubles) -> float:
        """What days add to the variance of a measure.

        Of a mean of losses it is known. Another measure moves as much more than the loss that it moves with as its
        error is greater; where none is nearest, that is the loss that days move most, of a few. Of many classes some
        seem to move much, since few rows are of them: there it is that of all answers.
        """
        names = self.days.names
        added = variances * self.days.deviations**2
        if measure in names:
            return float(added[names.index(measure)])
        name = _OF.get(measure)
        if name not in names:
            name = names[int(np.argmax(added))] if len(names) <= _FEW else names[0]
        one, near = found.measures.get(measure), found.measures.get(name)
        if one is None or near is None or not one.error or not near.error:
            return 0.0
        return float(added[names.index(name)]) * (one.error / near.error) ** 2


def luck_of(days: LossDays | None, length: float) -> Luck | None:
    """What days do to the measures of rows that are so many days; None when nothing is known of it."""
    return None if days is None else Luck(days, days.variance(length))


def length_of(days: LossDays, profile: Profile, *, labelled: bool) -> float:
    """How many days a profile's rows are, or those with a label.

    Labels of a few rows of each day share the luck of as many days as all rows do.
    """
    (hours, every), (_, some) = (_spans(profile, part) for part in (HOURS, LABELLED))
    return days.length(hours, some if labelled and some else every)


def _spans(profile: Profile, part: str) -> tuple[int, int]:
    """Hours that hold rows, and days."""
    found = profile.part(DATASET, part, Cells)
    if found is None or not len(found.keys):
        return 0, 0
    hours = found.keys << found.shift
    return len(hours) << found.shift, len(np.unique(hours // 24))
