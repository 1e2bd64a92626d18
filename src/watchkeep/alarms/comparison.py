"""Rows by bucket of windows beside those of references: how unlikely each difference is."""

import numpy as np
import numpy.typing as npt

from watchkeep.alarms.rates import Counted, rates
from watchkeep.alarms.sway import Sway, deviates
from watchkeep.alarms.witness import Chances, Change, Places, Reals
from watchkeep.baselines.buckets import NUMBERS, Buckets, Kind
from watchkeep.stats.chi_square import divergences
from watchkeep.stats.normal import chi_square_normal, log_upper

MEANS = 0.4
"""The share of a column's evidence that a shift of its mean has."""
_EXPECTED = 5.0  # rows that neighbouring buckets must be expected to hold to be a term of a chi-square


class Comparison:
    """Segments beside references, when rows come in random order.

    Args:
        buckets: the columns'.
        segments, references: rows by bucket, shape (segments, buckets).
        margin: what is too small to matter, in standard deviations of a row.
    """

    def __init__(self, buckets: Buckets, segments: Reals, references: Reals, margin: float) -> None:
        self.buckets = buckets
        self.segments, self.references = segments, references
        self.margin = margin
        self.before = buckets.baseline.astype(np.float64)
        kinds = buckets.kinds
        self.valued = kinds != Kind.MISSING
        self.numbers = np.isin(kinds, NUMBERS)

    def all(self) -> tuple[Chances, ...]:
        """Every chance there is; the weights of a column sum to 1."""
        buckets = self.buckets
        numeric = np.flatnonzero(self._any(self.numbers))
        spreadable = np.flatnonzero(self._any(buckets.spread != 0))
        every = np.arange(len(buckets.subjects))
        categorical = np.setdiff1d(every, numeric)
        out = [
            self._mean(Change.LOCATION, buckets.location, numeric, MEANS),
            self._mean(Change.SPREAD, buckets.spread, spreadable, 0.2),
            self._shape(every, np.where(np.isin(every, numeric), 0.15, 0.35)),
            self._categories(categorical, 0.5),
            self._share(Change.MISSING, (Kind.MISSING,), 0.1),
            # Beyond either end of a sample there is as much as one of its rows.
            self._share(Change.OUTSIDE, (Kind.BEYOND, Kind.FAR), 0.04, unseen=2.0),
            self._share(Change.FAR, (Kind.FAR,), 0.06),
            self._share(Change.STRANGE, (Kind.STRANGE,), 0.05, unseen=0.5 + buckets.once.astype(np.float64)),
        ]
        return tuple(each for each in out if len(each.subjects))

    def _sum(self, values: Reals) -> Reals:
        """Sums by column of values by bucket, shape (segments, columns)."""
        return np.add.reduceat(values, self.buckets.starts[:-1], axis=1)

    def _any(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Whether a column has such a bucket, shape (columns,)."""
        return np.logical_or.reduceat(mask, self.buckets.starts[:-1])

    def _sizes(self, mask: npt.NDArray[np.bool_]) -> tuple[Reals, Reals]:
        """Rows of the segment, and rows that the reference counts for, by column."""
        n, m = self._sum(self.segments * mask), self._sum(self.references * mask)
        with np.errstate(divide="ignore"):
            return n, 1 / (1 / m + self.margin**2)

    def _mean(self, change: Change, scores: Reals, columns: Places, weight: float) -> Chances:
        n, m = (each[:, columns] for each in self._sizes(self.numbers))
        raw_m = self._sum(self.references * self.numbers)[:, columns]
        with np.errstate(divide="ignore", invalid="ignore"):
            means = [self._sum(rows * scores)[:, columns] for rows in (self.segments, self.references)]
            together = self.segments + self.references
            total = n + raw_m
            first, second, third, fourth = (
                self._sum(together * scores**k)[:, columns] / total for k in (1, 2, 3, 4)
            )
            variance = np.maximum(second - first**2, self._least_spread)
            skew = (third - 3 * first * second + 2 * first**3) / variance**1.5
            excess = (fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4) / variance**2 - 3
            h2 = 1 / n + 1 / m
            gap = (means[0] / n - means[1] / raw_m) / np.sqrt(variance)
            tilt = skew * (1 / n**2 - 1 / m**2) / h2**1.5
            excess = excess * (1 / n**3 + 1 / m**3) / h2**2
        good = (n > 0) & (m > 0) & (variance > 1e-9)
        gap, tilt, excess = (np.where(good, each, 0.0) for each in (gap, tilt, excess))
        sway = self._sway(change, columns)
        logs = deviates(gap, h2, tilt, sway, excess=excess).log_beyond()
        return self._told(change, columns, weight, logs)

    def _shape(self, columns: Places, weights: Reals) -> Chances:
        n, m = self._sizes(self.valued)
        raw_m = self._sum(self.references * self.valued)
        at = self.buckets.column
        now = _shares(self.segments * self.valued, n[:, at])
        before = _shares(self.references * self.valued, raw_m[:, at])
        expected = before * np.minimum(n, m)[:, at]
        groups, owners = self._neighbours(expected)
        shares = (np.bincount(groups, each.ravel(), len(owners)) for each in (now, before))
        of_now, of_before = (np.asarray(each, np.float64) for each in shares)
        # What is left over at the ends of a column is expected to hold next to nothing: others ask about it.
        full = np.bincount(groups, expected.ravel(), len(owners)) >= _EXPECTED / 2
        size, sizes = n.size, (n.ravel()[owners], m.ravel()[owners])
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(full, divergences(of_now, of_before, *sizes), 0.0)
        statistic = np.bincount(owners, terms, size).reshape(n.shape)
        degrees = np.bincount(owners, full, size).reshape(n.shape) - 1
        good = (n > 0) & (m > 0) & (degrees > 0)
        z = chi_square_normal(np.where(good, statistic, 0.0), np.maximum(degrees, 1))
        return Chances(Change.SHAPE, columns, weights, np.where(good, log_upper(z), 0.0))

    def _neighbours(self, expected: Reals) -> tuple[Places, Places]:
        """Buckets side by side taken together, so that each group is expected to hold rows enough.

        Groups are chosen by what is expected, not by what came: else those with many rows would stand alone, and
        look like a change.

        Args:
            expected: rows by bucket, shape (segments, buckets).

        Returns:
            The group of each segment's buckets, shape (segments * buckets,), and the place of each group's column
            among all segments' columns, of the same shape; unused groups hold nothing.
        """
        segments, buckets = expected.shape
        at, starts = self.buckets.column, self.buckets.starts[:-1]
        through = np.cumsum(expected, axis=1)
        middle = through - expected / 2 - (through - expected)[:, starts][:, at]
        fresh = np.ones(expected.shape, np.bool_)
        fresh[:, 1:] = (np.diff(np.floor(middle / _EXPECTED), axis=1) != 0) | (np.diff(at) != 0)
        rows = np.arange(segments)[:, None]
        groups = np.cumsum(fresh, axis=1) - 1 + rows * buckets
        owners = np.zeros(expected.size, np.intp)
        owners[groups[fresh]] = (at + rows * len(starts))[fresh]
        return groups.ravel(), owners

    def _categories(self, columns: Places, weight: float) -> Chances:
        mine = np.isin(self.buckets.column, columns) & (self.buckets.kinds == Kind.CATEGORY)
        places = np.flatnonzero(mine)
        of = self.buckets.column[places]
        sizes = np.bincount(of, minlength=len(self.buckets.subjects))
        n, m = self._sizes(self.valued)
        raw_m = self._sum(self.references * self.valued)
        seen = Counted(
            self.segments[:, places],
            self.references[:, places],
            n[:, of],
            m[:, of],
            raw_m[:, of],
            np.full(len(places), 0.5),
            self._least(self.before[places], of, self.valued),
        )
        logs = rates(seen, self._sway(Change.CATEGORY, places))
        return Chances(Change.CATEGORY, of, weight / np.maximum(1, sizes[of]), logs)

    def _share(
        self, change: Change, kinds: tuple[Kind, ...], weight: float, *, unseen: "float | Reals" = 0.5
    ) -> Chances:
        mask = np.isin(self.buckets.kinds, kinds)
        rows = np.ones(len(mask), np.bool_) if change is Change.MISSING else self.valued
        columns = np.flatnonzero(self._any(mask))
        n, m = (each[:, columns] for each in self._sizes(rows))
        raw_m = self._sum(self.references * rows)[:, columns]
        bad = [self._sum(counts * mask)[:, columns] for counts in (self.segments, self.references)]
        prior = np.broadcast_to(unseen, (len(self.buckets.subjects),))[columns]
        least = self._least(self._sum((self.before * mask)[None])[0, columns], columns, rows)
        seen = Counted(bad[0], bad[1], n, m, raw_m, prior, least)
        logs = rates(seen, self._sway(change, columns), one_sided=change is not Change.MISSING)
        return self._told(change, columns, weight, logs)

    _least_spread = 0.0

    def _sway(self, change: Change, places: Places) -> Sway | None:  # noqa: ARG002 (for those that know of time)
        """What time does to such changes of some columns, or of the rates of some buckets; None if nothing."""
        return None

    def _least(self, counts: Reals, columns: Places, rows: npt.NDArray[np.bool_]) -> Reals:  # noqa: ARG002 (likewise)
        """The variance of a row that is told at the least."""
        return np.zeros(len(counts))

    def _told(self, change: Change, columns: Places, weight: float, logs: Reals) -> Chances:
        return Chances(change, columns, np.full(len(columns), weight), logs)


def _shares(part: Reals, whole: Reals) -> Reals:
    """The share that a part has of the whole; 0 where there is nothing."""
    out: Reals = np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)
    return out
