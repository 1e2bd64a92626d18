"""One column of a baseline, block by block: what foretells it best, and what remains."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.buckets import NUMBERS, Kind
from watchkeep.baselines.seasons import WEEK, Clock, Season
from watchkeep.baselines.spread import (
    FEWEST,
    Places,
    Reals,
    Residuals,
    Spread,
    Stretches,
    histogram_spread,
    spread_of,
)
from watchkeep.stats.normal import chi_square_normal, log_upper

PRIOR: Final = 5.0
"""Rows of the whole baseline that are added to those of each phase."""
TERMS: Final = 8
"""Neighbouring buckets are put together until each such term holds at least about one in so many rows."""
LOCATION: Final = 1.0
"""Excess kurtosis that a column's location is supposed to have before any block is seen."""
SKEWED: Final = 6.0
"""The same of its spread, and of rates, which are skewed by nature."""
LEANING: Final = 3.0
"""Days that are told to move a mean as much as the histogram of its column."""
FLOOR: Final = 0.1
"""Share of the variance of all rows, below which that of one phase is not told."""
TERM_FLOOR: Final = 0.2
"""Share of a term's rate on the whole, below which that in one phase is not told."""
_RARE: Final = 0.005  # the least share of rows that a miss is measured by


def summed(of: npt.NDArray[np.intp], values: npt.NDArray[np.generic], groups: int | None = None) -> Reals:
    """Sums of values, shape (n, ...), by group."""
    out = np.zeros((int(of.max()) + 1 if groups is None else groups, *values.shape[1:]))
    if len(of):  # sorted, for numpy.add.at takes ten times as long
        order = np.argsort(of, kind="stable")
        first = np.flatnonzero(np.diff(of[order], prepend=-1))
        out[of[order[first]]] = np.add.reduceat(values[order], first, axis=0)
    return out


def shares(counts: Reals, rows: Reals, whole: Reals) -> Reals:
    """Shares of rows by bucket, shape (n, buckets), a few rows added that are spread as on the whole, (buckets,)."""
    out: Reals = (counts + PRIOR * whole) / (rows[:, None] + PRIOR)
    return out


def terms_of(rows: Reals, valued: Reals) -> Places:
    """Where the terms of a column's chi-square begin: runs of its buckets; missing values, the last, are one."""
    held = np.flatnonzero(rows * valued)
    mine = rows[held]
    total = max(1.0, float(mine.sum()))
    before, heavy = np.cumsum(mine) - mine, mine * TERMS > total
    cut = (np.diff(np.floor(before * TERMS / total)) != 0) | heavy[1:] | heavy[:-1]
    # Buckets without a row, such as those beyond the range, go with their neighbours.
    return np.concatenate([[0], held[1:][cut], np.flatnonzero(valued == 0)])


@dataclass(frozen=True, slots=True, eq=False)
class Foretold:
    """What the blocks show of a column.

    Args:
        season: what it is foretold by.
        spread: of its location, its spread, and the rates of its buckets, shape (2 + buckets,).
        histogram: of its histogram, shape (1,).
        ways: in how many ways that moves.
    """

    season: Season
    spread: Spread
    histogram: Spread
    ways: float


class Column:
    """The rows of one column by block and bucket.

    Args:
        clock: when the blocks are.
        rows: of each block, shape (blocks,).
        counts: by bucket, shape (blocks, buckets).
        kinds: of the buckets.
        location, spread: how far each lies from the middle, as `Buckets` has it.

    Attributes:
        starts: where its terms begin, `terms_of`.
    """

    def __init__(
        self,
        clock: Clock,
        rows: Reals,
        counts: Reals,
        *,
        kinds: npt.NDArray[np.int8],
        location: Reals,
        spread: Reals,
    ) -> None:
        self.clock, self.rows, self.counts = clock, rows, counts
        self.scores = np.stack([location, spread], axis=1)
        self.numbers = np.isin(kinds, NUMBERS).astype(np.float64)
        self.valued = (kinds != Kind.MISSING).astype(np.float64)
        self.whole = counts.sum(axis=0) / max(1.0, rows.sum())
        self.natural = np.append([True, True], ~np.isin(kinds, (Kind.MISSING, Kind.STRANGE)))
        self.starts = terms_of(counts.sum(axis=0), self.valued)

    def foretold(self) -> Foretold:
        """All of it."""
        season, expected = self._best()
        own = {each.length: self._own(season, len(self._days) / len(each)) for each in self.clock.chains[-1]}
        residuals, variance = self._residuals(expected, own)
        least = self._variance()
        units = [np.sqrt(np.maximum(variance, FLOOR * least)), np.sqrt(least)]
        # Hours differ by as much as rows of the same phase do, days by as much as all rows.
        spread = spread_of(self._over(residuals, units))
        terms, rate = self._histogram(expected, own)
        whole = self._terms(self.whole[None] * self.valued)
        whole = np.where(whole > 0, whole / max(1e-12, float(whole.sum())), np.inf)
        units = [np.sqrt(np.maximum(rate, TERM_FLOOR * whole)), np.sqrt(whole)]
        degrees = max(1, int(np.isfinite(whole).sum()) - 1)
        histogram, ways = histogram_spread(self._over(terms, units), degrees)
        # Few days may show nothing of one mean by chance: it moves somewhat as the whole histogram does.
        weight = np.where(self.natural, LEANING / (LEANING + len(self._days)), 0.0)
        variances = spread.variances * (1 - weight) + histogram.variances * weight
        spread = replace(spread, variances=variances)
        return Foretold(season, spread, histogram, ways)

    @property
    def _days(self) -> Stretches:
        return self.clock.chains[-1][0]

    def _own(self, season: Season, days: float) -> float:
        """The share of what foretells a stretch of so many days that is of the stretch itself, beyond its first day."""
        cycles = len(self._days) / (WEEK if season.weekly else 1)
        mine = days / WEEK if season.weekly else days
        return min(0.5, max(0.0, (mine - 1) / max(1.0, cycles - 1)))

    def _expected(self, season: Season) -> Reals:
        """The shares of rows by bucket that the other days foretell for each block, shape (blocks, buckets)."""
        phase, days = self.clock.phase(season), self.clock.days
        own, own_rows = self.counts, self.rows
        if not season.hourly:  # a day's other blocks have the same phase
            own, own_rows = summed(days, own)[days], summed(days, own_rows)[days]
        return shares(
            summed(phase, self.counts)[phase] - own, summed(phase, self.rows)[phase] - own_rows, self.whole
        )

    def _best(self) -> tuple[Season, Reals]:
        """The season that foretells the blocks best, and what it foretells."""
        scale = 1 / np.maximum(self.whole, _RARE)
        best: tuple[float, Season, Reals] | None = None
        for season in self.clock.seasons:
            expected = self._expected(season)
            misses = self.counts - self.rows[:, None] * expected
            loss = float(((misses**2 @ scale) / np.maximum(self.rows, 1.0)).sum())
            if best is None or loss < best[0]:
                best = loss, season, expected
        assert best is not None  # noqa: S101 (no season is one of them)
        return best[1], best[2]

    def _over(self, residuals: Residuals, units: list[Reals]) -> list[list[tuple[Residuals, Stretches]]]:
        """The chains with residuals in units: the first those of hours, the last those of days."""
        chains = self.clock.chains
        scaled = [residuals.over(unit) for unit in units[-len(chains) :]]
        return [[(one, each) for each in chain] for one, chain in zip(scaled, chains, strict=True)]

    def _residuals(self, expected: Reals, own: dict[float, float]) -> tuple[Residuals, Reals]:
        """Of location, spread, and the rate of each bucket; and the variances of a row then."""
        numbers, valued = expected @ self.numbers, expected @ self.valued
        parts = []
        for at in range(2):
            score = self.scores[:, at]
            moments = [(expected @ score**k) / np.maximum(numbers, 1e-12) for k in (1, 2, 3)]
            third = moments[2] - 3 * moments[0] * moments[1] + 2 * moments[0] ** 3
            variance = np.maximum(0.0, moments[1] - moments[0] ** 2)
            parts.append(
                (self.counts @ score, self.counts @ self.numbers, moments[0], variance, third, variance * 0)
            )
        rows = np.where(self.valued > 0, (self.counts @ self.valued)[:, None], self.rows[:, None])
        rate = np.where(self.valued > 0, expected / np.maximum(valued, 1e-12)[:, None], expected)
        variance = rate * (1 - rate)
        columns = [np.stack([part[at] for part in parts], axis=1) for at in range(6)]
        bucket = (self.counts, rows, rate, variance, variance * (1 - 2 * rate), variance * (1 - 6 * variance))
        sums, rows, means, variance, third, fourth = (
            np.concatenate([one, two], axis=1) for one, two in zip(columns, bucket, strict=True)
        )
        heaviness = np.where(np.arange(sums.shape[1]) == 0, LOCATION, SKEWED)
        found = Residuals(
            sums - rows * means, rows, rows * variance, rows * third, rows * fourth, own, heaviness
        )
        return found, variance

    def _variance(self) -> Reals:
        """Variances of a row, shape (2 + buckets,); 1 where there is none."""
        of_all = np.where(
            self.valued > 0, self.whole / max(1e-12, float(self.whole @ self.valued)), self.whole
        )
        numbers = max(1e-12, float(self.whole @ self.numbers))
        first, second = self.whole @ self.scores / numbers, self.whole @ self.scores**2 / numbers
        variance = np.concatenate([second - first**2, of_all * (1 - of_all)])
        return np.where(variance > 1e-12, variance, 1.0)

    def _terms(self, by_bucket: Reals) -> Reals:
        """Sums by term of values by bucket, shape (n, terms)."""
        found: Reals = np.add.reduceat(by_bucket, self.starts, axis=1)
        return found

    def _histogram(self, expected: Reals, own: dict[float, float]) -> tuple[Residuals, Reals]:
        """Of the terms, and the rates that were foretold."""
        counts, foretold = (self._terms(each * self.valued) for each in (self.counts, expected))
        rows = counts.sum(axis=1, keepdims=True)
        rate = foretold / np.maximum(foretold.sum(axis=1, keepdims=True), 1e-12)
        noise = rows * rate * (1 - rate)
        return Residuals(counts - rows * rate, rows + 0 * rate, noise, noise, noise, own, np.zeros(1)), rate

    def chance(self) -> float:
        """The logarithm of the chance of such blocks and days, if rows came in random order.

        The least of the chances of stretches of each length, as days that have few rows each differ in stretches, and
        of the phases of each season, as hours that have few rows each differ day after day; times their number.
        """
        lengths = [each for chain in self.clock.chains for each in chain]
        phases = [self.clock.phase(season) for season in self.clock.seasons if season is not Season.NONE]
        logs = [self._chance_of(each.sums(self.counts), each.sums(self.rows)) for each in lengths]
        logs += [self._chance_of(summed(of, self.counts), summed(of, self.rows)) for of in phases]
        return min(0.0, min(logs) + float(np.log(len(logs))))

    def _chance_of(self, counts: Reals, rows: Reals) -> float:
        """The logarithm of the chance of such groups of rows, of such a location in them, or of such missing values.

        Three chances, of which the least is told times three. Rows by group and bucket, and by group.
        """
        valued = counts @ self.valued
        tables = [(self._terms(counts * self.valued), valued)]
        missing = counts @ (1 - self.valued)
        tables.append((np.stack([missing, rows - missing], axis=1), rows))
        logs = [_homogeneity(table, each) for table, each in tables]
        numbers, scores = counts @ self.numbers, counts @ self.scores[:, 0]
        held = numbers > 0
        if held.sum() >= FEWEST:
            gap = scores[held] / numbers[held] - scores.sum() / numbers.sum()
            statistic = float((numbers[held] * gap**2).sum()) / float(self._variance()[0])
            logs.append(_chi_square(statistic, int(held.sum()) - 1))
        return min(0.0, min(logs) + float(np.log(3.0)))


def _homogeneity(table: Reals, rows: Reals) -> float:
    """The logarithm of the chance that rows of a table, (days, terms), differ as much."""
    shares = table.sum(axis=0) / max(1.0, table.sum())
    held, terms = rows > 0, shares > 0
    if held.sum() < FEWEST or terms.sum() < 2 or shares[terms].min() * np.median(rows[held]) < 1.0:
        return 0.0
    gaps = table[held][:, terms] - rows[held, None] * shares[terms]
    statistic = float((gaps**2 / (rows[held, None] * shares[terms])).sum())
    return _chi_square(statistic, (int(held.sum()) - 1) * (int(terms.sum()) - 1))


def _chi_square(statistic: float, degrees: int) -> float:
    z = chi_square_normal(np.array([statistic]), np.array([float(degrees)]))
    return float(log_upper(z)[0])
