"""How unlikely it is that groups came to be treated as differently as they are: the port for bias."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.witness import Chances, Change, Reals
from watchkeep.stats.normal import log_upper, unskewed, upper_quantile

FEWEST: Final = 30
"""Rows of each side from which on a gap is looked at."""


@dataclass(frozen=True, eq=False)
class Gaps:
    """The witness of gaps between two groups: a share of the one less that of the other.

    Of each subject it keeps, gap after gap, four sums: positive rows and rows of the group, then of the others. A gap
    without others is a share by itself: that of all rows which the group has.

    Args:
        names: of the subjects.
        sums: the baseline's, shape (4 gaps subjects,).
        gaps: how many each subject has; the last one is the group's share of all rows.
    """

    names: tuple[str, ...]
    sums: Reals
    gaps: int

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
        now, before = (each.reshape(len(each), -1, 2, 2) for each in (segments, references))
        n, m = now[..., 1], before[..., 1]
        alone = (m == 0) & np.array([False, True])
        enough = ((np.minimum(n, m) >= FEWEST) | alone).all(axis=-1)
        share = (now[..., 0] + before[..., 0] + 0.5) / (n + m + 1)  # no share is taken to be 0 or 1
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(alone, 0.0, now[..., 0] / n - before[..., 0] / m)
            spread = np.where(alone, 0.0, share * (1 - share))
            noise = np.where(alone, 0.0, 1 / n + 1 / m + margin**2)
            variance = (spread * noise).sum(axis=-1)
            cubes = spread * (1 - 2 * share) * np.where(alone, 0.0, 1 / n**2 - 1 / m**2)
            z = (parts[..., 1] - parts[..., 0]) / np.sqrt(variance)
            skew = (cubes[..., 1] - cubes[..., 0]) / variance**1.5
            z = unskewed(np.where(enough, z, 0.0), np.where(enough, skew, 0.0))
        logs = np.where(enough, np.minimum(0.0, np.log(2) + log_upper(np.abs(z))), 0.0)
        subjects = np.repeat(np.arange(len(self.names)), self.gaps)
        single = np.tile(np.arange(self.gaps) == self.gaps - 1, len(self.names))
        weights = np.full(len(subjects), 1 / self.gaps)
        return tuple(
            Chances(change, subjects[chosen], weights[chosen], logs[:, chosen])
            for change, chosen in ((Change.GAP, ~single), (Change.SIZE, single))
        )

    def detectable(self, rows: float, *, chance: float, margin: float) -> Reals:
        """See `Witness`: of the gap in answers, or in labels where there are no others, as a share.

        A group has as large a share of the rows as before.
        """
        before = self.sums.reshape(-1, 2, 2)
        m = before[..., 1]
        whole = m.reshape(len(self.names), self.gaps, 2).sum(axis=-1).max(axis=-1, initial=0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            n = m * np.repeat(rows / np.maximum(1.0, whole), self.gaps)[:, None]
            alone = (m == 0) & np.array([False, True])
            spread = np.where(alone, 0.0, _variance(before) * (1 / n + 1 / m + margin**2)).sum(axis=-1)
            found = upper_quantile(min(0.5, chance / self.gaps / 2)) * np.sqrt(spread)
        seen = ((np.minimum(n, m) >= FEWEST) | alone).all(axis=-1) & np.isfinite(found) & (found < 1)
        by_subject = np.where(seen, found, np.inf).reshape(len(self.names), self.gaps)[
            :, min(1, self.gaps - 2)
        ]
        return np.where(np.isfinite(by_subject), by_subject, np.nan)


def _variance(counts: Reals) -> Reals:
    """Of a row that is positive or not, of counts (positive, all)."""
    share: npt.NDArray[np.float64] = (counts[..., 0] + 0.5) / (counts[..., 1] + 1)
    variance: Reals = share * (1 - share)
    return variance
