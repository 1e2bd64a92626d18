"""Rows by bucket of windows beside those of references, when blocks of time differ by themselves."""

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.comparison import Comparison
from watchkeep.alarms.sway import Sway, heavy, likeness
from watchkeep.alarms.witness import Chances, Change, Places, Reals
from watchkeep.baselines.buckets import Buckets
from watchkeep.baselines.foretelling import FLOOR, TERM_FLOOR
from watchkeep.baselines.spread import effective
from watchkeep.baselines.timeline import PARTS, Timeline, Unrest
from watchkeep.stats.normal import chi_square_normal


class TimedComparison(Comparison):
    """Segments beside references, when blocks of time differ as those of the baseline do.

    Args:
        buckets: the columns'.
        segments, references: rows by bucket, by phase of the week, and parts of blocks, shape (segments, sums).
        margin: what is too small to matter, in standard deviations of a row.
        timeline: how blocks of the baseline differ.
        unrest: how far.
    """

    def __init__(
        self,
        buckets: Buckets,
        segments: Reals,
        references: Reals,
        margin: float,
        *,
        timeline: Timeline,
        unrest: Unrest,
    ) -> None:
        width = len(buckets.kinds)
        when = segments[:, width:], references[:, width:]
        rows, before = segments[:, :width], references[:, :width]
        now, then = (timeline.foretold(each[:, :-1]) for each in when)
        super().__init__(buckets, rows, _moved(buckets, before, now, then), margin)
        self.timeline, self.ways = timeline, unrest.ways
        lengths = [np.maximum(each[:, -1] / PARTS, 1 / PARTS) for each in when]
        self.means, self.histograms = Sway.of(unrest.means, *lengths), Sway.of(unrest.histograms, *lengths)

    def _shape(self, columns: Places, weights: Reals) -> Chances:
        """Over few terms, which time moves in few ways."""
        n, m = self._sizes(self.valued)
        starts, sway = self.timeline.terms, self.histograms
        at = self.buckets.column[starts]
        both = self.segments, self.references
        rows, before = (np.add.reduceat(each * self.valued, starts, axis=1) for each in both)
        with np.errstate(divide="ignore", invalid="ignore"):
            raw_m = self._sum(self.references * self.valued)[:, at]
            share = (rows + before) / (n[:, at] + raw_m)
            whole = np.add.reduceat(self.before * self.valued, starts) / self._rows(self.valued)[at]
            unit = np.maximum(share, TERM_FLOOR * whole)
            terms = np.where(unit > 0, (rows / n[:, at] - before / raw_m) ** 2 / unit, 0.0)
            spread = np.where(unit > 0, share * (1 - share) / unit, 0.0)
        first = np.searchsorted(starts, self.buckets.starts[:-1])
        squares, spread, held = (
            np.add.reduceat(each, first, axis=1) for each in (terms, spread, (unit > 0).astype(np.float64))
        )
        good = (n > 0) & (m > 0) & (held > 1)
        degrees = np.maximum(held - 1, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = np.where(good, (1 / n + 1 / m) * spread / degrees, 1.0)
        squares = np.where(good, squares, 0.0)
        variance = noise + sway.variance
        part = sway.variance / variance
        free = effective(degrees, part, np.minimum(self.ways, degrees))
        z = chi_square_normal(squares / variance * free / degrees, free)
        logs = heavy(z, part, sway.excess * likeness(part, sway) ** 2, sway).log_above()
        return Chances(Change.SHAPE, columns, weights, np.where(good, logs, 0.0))

    def _sway(self, change: Change, places: Places) -> Sway | None:
        """What time does: to rows that the baseline has none of, as much as to those most like them."""
        if change in (Change.LOCATION, Change.SPREAD):
            return self.means.pick(places + (len(self.buckets.subjects) if change is Change.SPREAD else 0))
        if change is Change.CATEGORY:
            return self.means.pick(self._rate(places))
        if change is Change.FAR:
            return None  # nothing in nature puts rows that far out
        columns, ends = places, self.buckets.starts[places + 1]
        if change is Change.OUTSIDE:  # rows beyond the range come as those at its ends do
            first = self.means.pick(self._rate(self.buckets.starts[columns] + 2))
            last = self.means.pick(self._rate(ends - 5))
            return first.or_else(last, first.segments < last.segments)
        own = self.means.pick(self._rate(ends - (1 if change is Change.MISSING else 2)))
        if change is Change.MISSING:
            return own
        # A category that is new comes as the others do; a text among numbers is a fault.
        numeric = self._sum(self.numbers.astype(np.float64)[None])[0, columns] > 0
        return own.or_else(self.histograms.pick(columns), ~numeric)

    def _rate(self, places: Places) -> Places:
        """Where the rates of buckets are among the means that time sways."""
        found: Places = 2 * len(self.buckets.subjects) + places
        return found

    _least_spread = FLOOR

    def _least(self, counts: Reals, columns: Places, rows: npt.NDArray[np.bool_]) -> Reals:
        """A part of that on the whole."""
        rate = counts / self._rows(rows)[columns]
        least: Reals = FLOOR * rate * (1 - rate)
        return least

    def _rows(self, mask: npt.NDArray[np.bool_]) -> Reals:
        """Rows of the baseline by column."""
        rows: Reals = np.maximum(1.0, self._sum((self.before * mask)[None])[0])
        return rows


def _moved(buckets: Buckets, references: Reals, now: Reals, then: Reals) -> Reals:
    """References with what the phases of their segments foretell, in the place of what their own did."""
    moved = np.where(then > 0, references * now / np.where(then > 0, then, 1.0), references)
    before, after = (np.add.reduceat(each, buckets.starts[:-1], axis=1) for each in (references, moved))
    again = np.where(after > 0, before / np.where(after > 0, after, 1.0), 1.0)
    found: Reals = moved * again[:, buckets.column]
    return found
