"""Whether scores come true as often as they say, from rows by bin of the score."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Value
from watchkeep.stats.ratios import ratio

Doubles = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64] | Doubles

TINY: Final = float(np.finfo(np.float64).eps)
"""Log loss takes scores nearer to 0 or 1 than this as this near, as scikit-learn does."""


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How often rows are positive whose score says how likely that is, by bin of the score; shape (bins,) each.

    Args:
        rows: rows of the bin; bins without rows count for nothing.
        positives: those of them labelled positive.
        mean_scores: their mean score, in [0, 1]; anything where there are no rows.
    """

    rows: Counts
    positives: Counts
    mean_scores: Doubles

    def grouped(self, groups: int = 10, *, by: Literal["mass", "width"]) -> "Reliability":
        """The same by fewer, coarser bins: of equally many rows each (mass), or of equal stretches of [0, 1] (width).

        A bin is never divided: it goes whole where its middle row, or its mean score, lies.
        """
        rows, positives, means = self._filled()
        group = self.groups_of(groups, by=by)[np.asarray(self.rows) > 0]
        size = np.bincount(group, rows, groups)
        scores = np.bincount(group, rows * means, groups) / np.where(size > 0, size, 1.0)
        return Reliability(size, np.bincount(group, positives, groups), scores)

    def groups_of(self, groups: int = 10, *, by: Literal["mass", "width"]) -> npt.NDArray[np.int64]:
        """The group that `grouped` puts each bin into, shape (bins,); bins without rows are in any."""
        rows = np.asarray(self.rows, np.float64)
        middles = np.cumsum(rows) - rows / 2
        place = middles / max(rows.sum(), TINY) if by == "mass" else np.where(rows > 0, self.mean_scores, 0.0)
        return np.minimum((place * groups).astype(np.int64), groups - 1)

    def expected_error(self) -> Value:
        """Expected calibration error: the gap between mean score and share of positives, averaged over rows.

        sum of rows |positives / rows - mean score| / sum of rows, in [0, 1]. It depends on the bins, and grows by
        chance where they hold few rows.

        References:
            Naeini, Cooper and Hauskrecht (2015), AAAI 29, 2901-2907.

        >>> two = Reliability(np.array([80, 20]), np.array([8, 15]), np.array([0.1, 0.8]))
        >>> round(two.expected_error(), 3)
        0.01
        """
        rows, positives, means = self._filled()
        gap = float(np.abs(positives - rows * means).sum())
        return ratio("expected_calibration_error", gap, float(rows.sum()))

    def _filled(self) -> tuple[Doubles, Doubles, Doubles]:
        filled = np.asarray(self.rows) > 0
        rows, positives = (np.asarray(side, np.float64)[filled] for side in (self.rows, self.positives))
        return rows, positives, np.asarray(self.mean_scores, np.float64)[filled]
