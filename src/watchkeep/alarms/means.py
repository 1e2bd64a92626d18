"""How unlikely it is that the means of bounded losses rose as much as they did: the port for measures of quality."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.rates import Counted, rates
from watchkeep.alarms.sway import Sway, deviates
from watchkeep.alarms.witness import Chances, Change, Reals
from watchkeep.baselines.loss_days import LossDays
from watchkeep.stats.normal import upper_quantile

MOMENTS = 4
"""Sums of each loss: rows, losses, and their second and third powers."""


@dataclass(frozen=True, eq=False)
class Means:
    """The witness of means of losses: only higher ones are a change, unless either side is.

    Sums are, subject after subject: rows, sum of the loss, of its square, of its cube; then, where days differ, days.

    Args:
        names: of the subjects.
        sums: the baseline's, shape (4 subjects,), or one more.
        shares: which losses are 0 or 1, shape (subjects,).
        days: how days differ when nothing has changed, of the subjects' losses first; None when rows are judged as
            exchangeable.
        either: whether lower means are a change as well.
    """

    names: tuple[str, ...]
    sums: Reals
    shares: npt.NDArray[np.bool_]
    days: LossDays | None = None
    either: bool = False

    @property
    def subjects(self) -> tuple[str, ...]:
        """See `Witness`."""
        return self.names

    @property
    def baseline(self) -> Reals:
        """See `Witness`."""
        return self.sums

    def chances(self, segments: Reals, references: Reals, *, margin: float) -> tuple[Chances, ...]:
        """See `Witness`."""
        if not self.names:
            return ()
        width = MOMENTS * len(self.names)
        now, before = (each[:, :width].reshape(len(each), -1, MOMENTS) for each in (segments, references))
        sway = None
        if self.days is not None:
            lengths = [
                np.maximum(each[:, width], self.days.spread.lengths[0]) for each in (segments, references)
            ]
            sway = Sway.of(self.days.spread, *lengths).pick(slice(0, len(self.names)))
        n, raw_m = now[:, :, 0], before[:, :, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            m = 1 / (1 / raw_m + margin**2)
            together = now + before
            first, second, third = (together[:, :, k] / together[:, :, 0] for k in (1, 2, 3))
            variance = second - first**2
            skew = (third - 3 * first * second + 2 * first**3) / variance**1.5
            h2 = 1 / n + 1 / m
            gap = (now[:, :, 1] / n - before[:, :, 1] / raw_m) / np.sqrt(variance)
            tilt = skew * (1 / n**2 - 1 / m**2) / h2**1.5
        good = (n > 0) & (raw_m > 0) & (variance > 0)
        gap, h2, tilt = (np.where(good, each, of) for each, of in ((gap, 0.0), (h2, 1.0), (tilt, 0.0)))
        found = deviates(gap, h2, tilt, sway)
        logs = np.minimum(0.0, found.log_beyond() if self.either else found.log_above())
        if self.shares.any() and sway is None:  # of rows in random order, shares have an exact law
            at = np.flatnonzero(self.shares)
            counted = Counted(
                now[:, at, 1], before[:, at, 1], n[:, at], m[:, at], raw_m[:, at], np.full(len(at), 0.5)
            )
            logs[:, at] = rates(counted, one_sided=True)
        every = np.arange(len(self.names))
        change = Change.WEIGHT if self.either else Change.MEAN
        return (Chances(change, every, np.ones(len(every)), np.where(good, logs, 0.0)),)

    def detectable(self, rows: float, *, chance: float, margin: float) -> Reals:
        """See `Witness`: of the mean loss, in its own unit; a subject has as large a share of all rows as before."""
        sums = self.sums[: MOMENTS * len(self.names)].reshape(-1, MOMENTS)
        m, luck = sums[:, 0], np.zeros(len(self.names))
        if self.days is not None:
            share = rows / max(1.0, float(m.max(initial=0.0)))
            lengths = max(1.0, share * self.days.days), float(self.days.days)
            luck = np.sum([self.days.variance(each)[: len(self.names)] for each in lengths], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            n = rows * m / max(1.0, float(m.max(initial=0.0)))
            mean = sums[:, 1] / m
            deviation = np.sqrt(np.maximum(0.0, sums[:, 2] / m - mean**2))
            far = upper_quantile(min(0.5, chance / 2 if self.either else chance))
            found = far * deviation * np.sqrt(1 / n + 1 / m + margin**2 + luck)
        # A share cannot rise above 1.
        possible = np.isfinite(found) & (found > 0) & (~self.shares | (mean + found <= 1))
        return np.where(possible, found, np.nan)
