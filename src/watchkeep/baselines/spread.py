"""How far stretches of time differ beyond what rows in random order do: learned from the stretches of a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.stats.normal import chi_square_normal

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

FEWEST: Final = 6
"""Stretches of a length, below which nothing is learned from them."""
MANY: Final = 24
"""Stretches from which on their squares tell in how many ways a histogram moves."""
MOMENTS: Final = 10.0
"""Stretches, with a tail heavier than normal, that are added to those seen."""
HISTOGRAM: Final = 3.0
"""Their excess kurtosis, of histograms."""
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Blocks put together to stretches of one length.

    Args:
        length: of each, in blocks that hold rows.
        order: the blocks that belong to one, stretch by stretch, shape (blocks used,).
        starts: where in `order` each begins, shape (stretches,).
    """

    length: float
    order: Places
    starts: Places

    def __len__(self) -> int:
        return len(self.starts)

    def sums(self, values: Reals) -> Reals:
        """Sums by stretch of values by block, shape (stretches, ...)."""
        found: Reals = np.add.reduceat(values[self.order], self.starts, axis=0)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """What blocks hold beyond what was foretold, of k means.

    Args:
        sums: of the residuals of a block's rows, shape (blocks, k).
        rows: that each is a sum over, shape (blocks, k).
        noise: variance of the sums if rows came in random order, shape (blocks, k).
        third, fourth: their third and fourth cumulants then, shape (blocks, k).
        own: of stretches of a length, the share of what they were foretold by that was their own; by length.
        heaviness: the excess kurtosis that is supposed before any stretch is seen, shape (k,).
    """

    sums: Reals
    rows: Reals
    noise: Reals
    third: Reals
    fourth: Reals
    own: dict[float, float]
    heaviness: Reals

    def over(self, unit: Reals) -> "Residuals":
        """The same in these units, shape (blocks, k) or (k,)."""
        return Residuals(
            self.sums / unit,
            self.rows,
            self.noise / unit**2,
            self.third / unit**3,
            self.fourth / unit**4,
            self.own,
            self.heaviness,
        )

    def means(self, stretches: Stretches) -> tuple[Reals, Reals]:
        """Means by stretch, and their variances if rows came in random order; of shape (stretches, k)."""
        rows = stretches.sums(self.rows)
        safe = np.maximum(rows, 1.0)
        short = 1 - self.own.get(stretches.length, 0.0)
        means = np.where(rows > 0, stretches.sums(self.sums) / safe / short, 0.0)
        noise = np.where(rows > 0, stretches.sums(self.noise) / safe**2, np.inf)
        return means, noise


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How far stretches of time differ beyond what rows in random order do, of k means.

    Args:
        lengths: of the stretches, in blocks that hold rows, increasing, shape (lengths,).
        variances: of a stretch's mean, in variances of a row, shape (lengths, k).
        degrees: of freedom with which each is known, shape (lengths, k).
        units: lengths at which the shape was learned, increasing, shape (units,).
        shares: the share of such variance in all variance at those lengths, shape (units, k).
        skews, excesses: skewness and excess kurtosis there, beyond those of rows in random order; shape (units, k).
    """

    lengths: Reals
    variances: Reals
    degrees: Reals
    units: Reals
    shares: Reals
    skews: Reals
    excesses: Reals

    def pick(self, places: Places) -> "Spread":
        """Those of some of the means."""
        return Spread(
            self.lengths,
            self.variances[:, places],
            self.degrees[:, places],
            self.units,
            self.shares[:, places],
            self.skews[:, places],
            self.excesses[:, places],
        )

    def variance(self, lengths: Reals) -> Reals:
        """Variances of means over so many blocks, shape (n, k)."""
        known = self.lengths
        inside = np.clip(lengths, known[0], known[-1])
        # Length times variance is what changes least; beyond the longest it stays.
        scaled = self.variances * known[:, None]
        place = np.clip(np.searchsorted(known, inside, side="right") - 1, 0, max(0, len(known) - 2))
        after = np.minimum(place + 1, len(known) - 1)
        way = (np.log(inside / known[place]) / np.maximum(_TINY, np.log(known[after] / known[place])))[
            :, None
        ]
        between = scaled[place] * (1 - way) + scaled[after] * way
        found: Reals = between / np.maximum(lengths, known[0])[:, None]
        return found

    def freedom(self, lengths: Reals) -> Reals:
        """Degrees of freedom with which those are known, shape (n, k)."""
        place = np.clip(np.searchsorted(self.lengths, lengths * 0.999), 0, len(self.lengths) - 1)
        return self.degrees[place]

    def shape(self, lengths: Reals) -> tuple[Reals, Reals, Reals]:
        """Share, skewness and excess of means over so many blocks, each of shape (n, k)."""
        place = np.clip(np.searchsorted(self.units, lengths * 1.4, side="right") - 1, 0, len(self.units) - 1)
        times = np.maximum(1.0, lengths / self.units[place])[:, None]
        return self.shares[place], self.skews[place] / np.sqrt(times), self.excesses[place] / times


def of_means(gaps: Reals, rows: Reals, *, length: float, heaviness: float) -> tuple[Residuals, Stretches]:
    """Stretches of which the means are known, each by itself.

    Args:
        gaps: of k means from what was foretold, in standard deviations of a row, shape (stretches, k).
        rows: that each is over, of the same shape; none where a mean is not known.
        length: of the stretches.
        heaviness: see `Residuals`.
    """
    known = (rows > 0).astype(np.float64)
    noise = known / np.maximum(rows, 1.0)
    each = np.arange(len(gaps))
    heavy = np.full(gaps.shape[1], heaviness)
    return Residuals(gaps, known, noise, 0 * noise, 0 * noise, {}, heavy), Stretches(length, each, each)


Chain = Sequence[tuple[Residuals, Stretches]]
"""Stretches of some lengths, increasing, each with the residuals by block."""


def spread_of(chains: Sequence[Chain]) -> Spread:
    """The spread of means over stretches.

    Args:
        chains: the first stretches of each are what its others are held against: of blocks, of days. Residuals are
            in standard deviations of a row.
    """
    found = []
    for chain in chains:
        moments = [_moments(*residuals.means(stretches)) for residuals, stretches in chain]
        shapes = [
            _shape(residuals, stretches, one.variance)
            for at, ((residuals, stretches), one) in enumerate(zip(chain, moments, strict=True))
            if len(stretches) >= MANY or not at
        ]
        found.append(_Found(*_chain(moments, [stretches for _, stretches in chain]), shapes))
    return _put_together(found, chains)


def histogram_spread(chains: Sequence[Chain], degrees: int) -> tuple[Spread, float]:
    """The spread of a histogram of k terms with `degrees` of freedom, and in how many ways it moves.

    Args:
        chains: as for `spread_of`; the residuals in units in which the squared means add up to a chi-square.
        degrees: of freedom that the terms have.
    """
    found = []
    ways = float(degrees)
    for chain in chains:
        moments = [_moments(*residuals.means(stretches), degrees) for residuals, stretches in chain]
        told = [_ways(one, degrees) for one in moments if len(one.squares) >= MANY or one is moments[0]]
        # A single day lies in one part of a histogram: that it can be nowhere else says nothing of several days.
        ways = min(one[1] for one in told)
        shapes = [(np.array([share]), np.zeros(1), np.array([excess])) for share, _, excess in told]
        found.append(_Found(*_chain(moments, [stretches for _, stretches in chain]), shapes))
    return _put_together(found, chains), ways


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Variances and degrees of freedom by length; share, skewness and excess of the first few lengths."""

    variances: list[Reals]
    degrees: list[Reals]
    shapes: list[tuple[Reals, Reals, Reals]]


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Squares of stretches' means, their noise, weights, and what is beyond the noise, and follows the next one.

    `count` is how many stretches hold rows, shape (k,).
    """

    count: Reals
    squares: Reals
    noise: Reals
    weights: Reals
    variance: Reals
    total: Reals
    following: Reals


def _moments(means: Reals, noise: Reals, degrees: int | None = None) -> _Moments:
    squares, products = means**2, means[1:] * means[:-1]
    if degrees is not None:
        squares, products, noise = (
            each.sum(axis=1, keepdims=True) / degrees for each in (squares, products, noise)
        )
    variance, weights = _excess(squares, noise)
    both = np.sqrt(weights[1:] * weights[:-1])
    following = (both * products).sum(axis=0) / np.maximum(both.sum(axis=0), _TINY)
    total = variance + (weights * np.where(np.isfinite(noise), noise, 0.0)).sum(axis=0)
    count = np.isfinite(noise).sum(axis=0).astype(np.float64)
    return _Moments(count, squares, noise, weights, variance, total, following)


def _excess(squares: Reals, noise: Reals) -> tuple[Reals, Reals]:
    """Variance beyond the noise, by the method of moments, shape (k,), and the weights, shape (stretches, k).

    A stretch weighs as much as its square tells: the inverse of the square of its variance.
    """
    real = np.isfinite(noise)
    held = np.maximum(real.sum(axis=0), 1)
    found = np.where(real.any(axis=0), np.where(real, noise, 0.0).sum(axis=0) / held, 1.0)
    weights = noise
    for _ in range(2):
        weights = 1 / (found + noise + _TINY) ** 2
        weights = weights / np.maximum(weights.sum(axis=0), _TINY)
        over = np.where(real, squares - np.where(real, noise, 0.0), 0.0)
        found = np.maximum(0.0, (weights * over).sum(axis=0))
    return found, weights


def _chain(moments: Sequence[_Moments], chain: Sequence[Stretches]) -> tuple[list[Reals], list[Reals]]:
    """Variances and degrees of freedom by length."""
    first = moments[0]
    error = 0.5 * first.total * np.sqrt(2 / np.maximum(first.count, 1))
    rho = np.clip(first.following / np.maximum(first.variance + error, _TINY), 0.0, 0.95)
    alike = np.clip(first.following / np.maximum(first.total, _TINY), 0.0, 0.95)
    variances, degrees = [first.variance], [first.count * (1 - alike**2) / (1 + alike**2)]
    added = first.count / 4
    for one, stretches in zip(moments[1:], chain[1:], strict=True):
        # What one block's variance, and its likeness to the next, lead to expect counts as some stretches more.
        expected = first.variance * _averaged(rho, round(stretches.length / chain[0].length))
        together = one.count + added
        variances.append((one.count * one.variance + added * expected) / np.maximum(together, 1))
        degrees.append(np.where(added > 0, np.minimum(degrees[0], together), together))
    return variances, degrees


def _averaged(rho: Reals, times: int) -> Reals:
    """The variance of the mean of so many numbers, each of variance 1, with correlations rho, rho**2, ..."""
    lags = np.arange(1, times)[:, None]
    sums: Reals = times + 2 * ((times - lags) * rho[None, :] ** lags).sum(axis=0)
    return sums / times**2


def _shape(residuals: Residuals, stretches: Stretches, variance: Reals) -> tuple[Reals, Reals, Reals]:
    """Share, skewness and excess of stretches' means."""
    means, noise = residuals.means(stretches)
    rows = np.maximum(stretches.sums(residuals.rows), 1.0)
    total = variance + noise
    known = np.isfinite(total) & (total > _TINY)
    safe = np.where(known, total, 1.0)
    count = np.maximum(known.sum(axis=0), 1)
    # A power costs fifty times as much as a product.
    squares, cubes = means * means, rows * rows * rows
    third = stretches.sums(residuals.third) / cubes
    fourth = stretches.sums(residuals.fourth) / (cubes * rows)
    third = np.where(known, (squares * means - third) / (safe * np.sqrt(safe)), 0.0)
    fourth = np.where(known, (squares * squares - fourth) / (safe * safe) - 3, 0.0)
    share = np.where(known, variance / safe, 0.0).sum(axis=0) / count
    skew = third.sum(axis=0) / (count + MOMENTS)
    excess = (np.maximum(0.0, fourth.sum(axis=0)) + MOMENTS * residuals.heaviness * share**2) / (
        count + MOMENTS
    )
    return share, skew, excess


def _ways(moments: _Moments, degrees: int) -> tuple[float, float, float]:
    """Share, ways in which a histogram moves, and the excess of what is left when they are known."""
    total = (moments.variance + moments.noise)[:, 0]
    known = np.isfinite(total) & (total > _TINY)
    if known.sum() < FEWEST or not moments.variance[0] > 0:
        return 0.0, 1.0, 0.0
    ratios = moments.squares[known, 0] / total[known]
    share = float((moments.variance[0] / total[known]).mean())
    seen = float(np.mean((ratios - 1) ** 2)) / 2
    moved = (seen - (1 - share**2) / degrees) / max(share**2, _TINY)
    ways = float(np.clip(1 / max(moved, _TINY), 1.0, degrees))
    freedom = effective(
        np.full(len(ratios), degrees), np.full(len(ratios), share), np.full(len(ratios), ways)
    )
    z = chi_square_normal(ratios * freedom, freedom)
    fourth = float(np.mean((z - z.mean()) ** 4) / max(_TINY, float(z.var()) ** 2)) - 3
    excess = (len(z) * max(0.0, fourth) + MOMENTS * HISTOGRAM * share**2) / (len(z) + MOMENTS)
    return share, ways, excess


def effective(degrees: Reals, share: Reals, ways: Reals) -> Reals:
    """Degrees of freedom of a sum of squares: `share` of its variance moves in a few ways, the rest in all."""
    return degrees / ((1 - share**2) + share**2 * degrees / ways)


def _put_together(found: Sequence[_Found], chains: Sequence[Chain]) -> Spread:
    lengths = np.array([each.length for chain in chains for _, each in chain])
    variances = np.array([each for one in found for each in one.variances])
    degrees = np.array([each for one in found for each in one.degrees])
    # The mean of twice as many blocks varies no more, and no less than half as much; what says otherwise is chance.
    variances = np.maximum.accumulate(variances[::-1], axis=0)[::-1]
    scaled = np.maximum.accumulate(variances * lengths[:, None], axis=0)
    units, shares, skews, excesses = [], [], [], []
    for one, chain in zip(found, chains, strict=True):
        least = np.zeros(1)
        for (_, stretches), (share, skew, excess) in zip(chain, one.shapes, strict=False):
            # Long stretches are few: what short ones showed fades no faster than if they were independent.
            least = np.maximum(excess * stretches.length, least)
            units.append(stretches.length)
            shares.append(share)
            skews.append(skew)
            excesses.append(least / stretches.length)
    return Spread(
        lengths,
        scaled / lengths[:, None],
        np.maximum(degrees, 1.0),
        np.array(units),
        np.array(shares),
        np.array(skews),
        np.array(excesses),
    )
