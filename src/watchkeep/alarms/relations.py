"""The witness of how columns hang together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.sway import Sway, deviates
from watchkeep.alarms.witness import Chances, Change, Reals
from watchkeep.baselines.relation_days import (
    BY_DAY,
    RANDOMLY,
    RelationDays,
    correlations,
    influences,
    judged,
)
from watchkeep.baselines.relations import RelationBaseline
from watchkeep.baselines.timeline import PARTS

_PART = 0.7  # of the shortest stretch, from which on one counts as such
_TOLD = 0.7  # the share of the evidence that the predictions have; the pairs have the rest


@dataclass(frozen=True, eq=False)
class Relations:
    """Judges correlations of columns, and of each column with what the others tell of it.

    Args:
        known: what the baseline's rows have shown.
        days: how relations differ from day to day; None when rows are judged as exchangeable. Sums are then followed by
            the parts of blocks.
        blocks: of the baseline, in such parts.
    """

    known: RelationBaseline
    days: RelationDays | None = None
    blocks: float = 0.0

    @property
    def subjects(self) -> tuple[str, ...]:
        """The columns."""
        return self.known.subjects

    @property
    def baseline(self) -> Reals:
        """The baseline's sums."""
        return self.known.sums if self.days is None else np.append(self.known.sums, self.blocks)

    def chances(self, segments: Reals, references: Reals, *, margin: float) -> tuple[Chances, ...]:
        """The chances that relations differ as much as they do."""
        known, width = self.known, len(self.subjects)
        sums = segments[:, : len(known.sums)], references[:, : len(known.sums)]
        n, m = (each[:, :1] for each in sums)
        with np.errstate(divide="ignore", invalid="ignore"):
            m = 1 / (1 / m + margin**2)
            h2 = 1 / n + 1 / m
            gap = (correlations(known, sums[0]) - correlations(known, sums[1])) / known.deviations
            by_rows = influences(known, *sums) / known.deviations
            per_kurtosis = RANDOMLY if self.days is None else BY_DAY
            good = judged(known, np.minimum(n, m), per_kurtosis=per_kurtosis) & np.isfinite(gap)
            sway = None
            if self.days is not None:
                gap, good, sway = self._in_time(gap, good, segments[:, -1] / PARTS, references[:, -1] / PARTS)
            gap = _lesser(gap, by_rows)
            # A difference is skewed as its rows are, the less the more alike both numbers of rows are.
            lean = (1 / n**2 - 1 / m**2) / h2**1.5
            skews = known.skews[0] * lean + np.where(gap < 0, -1.0, 1.0) * known.skews[1] * np.abs(lean)
            excess = (known.kurtoses - 3) * (1 / n**3 + 1 / m**3) / h2**2
        kept = (gap, 0.0), (skews, 0.0), (h2, 1.0), (excess, 0.0)
        gap, skews, h2, excess = (np.where(good, each, of) for each, of in kept)
        # Where rows as skewed could not be, the skewness is not to be trusted.
        skews = np.where(gap * skews < 0, 0.0, skews)
        logs = deviates(gap, h2, skews, sway, excess=excess).log_beyond()
        told = Chances(Change.RELATION, np.arange(width), np.full(width, _TOLD), logs[:, :width])
        # A pair speaks of both its columns.
        each = np.full(len(known.pairs[0]), (1 - _TOLD) / (width - 1))
        return (told, *(Chances(Change.RELATION, of, each, logs[:, width:]) for of in known.pairs))

    def detectable(self, rows: float, *, chance: float, margin: float) -> Reals:  # noqa: ARG002 (as others have it)
        """None: a change of relations is in no column's unit."""
        return np.full(len(self.subjects), np.nan)

    def _in_time(
        self, gap: Reals, good: npt.NDArray[np.bool_], segments: Reals, references: Reals
    ) -> tuple[Reals, npt.NDArray[np.bool_], Sway]:
        """What is left of differences, where it can be judged, and what time does to it."""
        assert self.days is not None  # noqa: S101 (the caller looked)
        lengths = np.maximum(segments, 1 / PARTS), np.maximum(references, 1 / PARTS)
        apart = self.days.offset(lengths[0]) - self.days.offset(lengths[1])
        # Of parts of a day nothing was learned.
        long = np.minimum(*lengths) >= _PART * self.days.spread.lengths[0]
        return gap - apart, good & long[:, None] & self.days.known, Sway.of(self.days.spread, *lengths)


def _lesser(one: Reals, other: Reals) -> Reals:
    """Of two measures of a difference the one nearer to 0; 0 where they disagree on its sign."""
    return np.where(one * other > 0, np.where(np.abs(one) < np.abs(other), one, other), 0.0)
