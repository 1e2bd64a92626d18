"""A bug in some of the rows, as when one of two senders has it: known by the rows it puts beyond the usual range."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from watchkeep.causes.patterns.pairs import Pair
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.pieces import Doubles, Pieces, gap, mixture_gap
from watchkeep.causes.patterns.quantities import FACTORS
from watchkeep.causes.patterns.scaling import line, times
from watchkeep.core.wording import percent
from watchkeep.stats.distances import noise

LEAST_BEYOND: Final = 15
"""Rows beyond the usual range from which their cause can be told."""
LEAST_FACTOR: Final = 7.0
"""Smaller factors leave too many rows within the usual range."""


def mixed_units(pair: Pair) -> Iterator[Guess]:
    """Some values are multiples of what they were, by a known factor."""
    best: tuple[float, float, float, str] | None = None
    for slope, told in _slopes():
        found = _share(pair, slope)
        if found is not None and (best is None or found[1] < best[0] - pair.chance / 6):
            best = (found[1], slope, found[0], told)
    if best is None:
        return
    left, slope, share, told = best
    sentence = (
        f"{pair.name}: about {percent(share, 0)} of the values are {times(slope)} in the baseline,"
        f" as {told} would be; the others are as before."
    )
    explained = min(pair.held, share * pair.held)
    yield Guess(Bug(Pattern.UNIT, sentence, explained, fit_of(pair.gap, left)), cost=0.05)


def mixed_signs(pair: Pair) -> Iterator[Guess]:
    """Some values have the other sign."""
    if pair.before.low < 0 < pair.before.high:
        return
    found = _share(pair, -1.0)
    if found is not None:
        share, left = found
        opposite = f"about {percent(share, 0)} of the values have the opposite sign"
        sentence = f"{pair.name}: {opposite}; the others are as before."
        yield Guess(
            Bug(Pattern.SIGN, sentence, min(pair.held, share * pair.held), fit_of(pair.gap, left)), cost=0.05
        )


def _slopes() -> Iterator[tuple[float, str]]:
    for factor in FACTORS:
        if factor.times >= LEAST_FACTOR:
            yield factor.times, f"{factor.large} given as {factor.small}"
            yield 1 / factor.times, f"{factor.small.split(',')[0]} given as {factor.large}"


def _share(pair: Pair, slope: float) -> tuple[float, float] | None:
    """The share of rows that a factor has befallen, and the gap left; None when it explains the window badly."""
    beyond, before = pair.beyond, pair.before.pieces
    if not LEAST_BEYOND <= beyond.total <= 0.95 * pair.now.rows or not _reached(pair, slope):
        return None
    moved = before.mapped(partial(line, slope, 0.0))
    if moved is None:
        return None
    told = moved.chosen((moved.highs < pair.before.low) | (moved.lows > pair.before.high))
    part = told.total / moved.total
    if part < 0.5 * pair.moving:
        return None  # most would lie within the usual range
    if gap(told, beyond) > noise(int(beyond.total), int(before.total)) + 0.03:
        return None
    share = beyond.total / pair.now.rows / part
    if share >= 0.97 or (0 < share < 0.1 and 1 / 20 < slope < 20):
        return None  # all of them, or a heavy tail
    left = mixture_gap((before, moved), share, pair.now.pieces)
    # How far rows within the usual range may differ hangs on all of them; those beyond tell of few.
    fits = left <= pair.chance + 0.05 and fit_of(max(pair.gap, share), left) >= 0.6
    return (share, left) if fits else None


def _reached(pair: Pair, slope: float) -> bool:
    """Whether the window's ends are about where a factor puts them."""
    before, now = pair.before, pair.now
    ends = sorted((slope * before.low, slope * before.high))
    reach, margin = 4 * max(abs(ends[0]), abs(ends[1])), 0.3 * (before.high - before.low)
    if now.high > max(reach, before.high + margin):
        return False
    if now.low < min(before.low - margin, -reach if ends[0] < 0 else 0.0):
        return False
    return slope < 1 or max(now.high, -now.low) > 0.05 * max(abs(ends[0]), abs(ends[1]))


def noises(pair: Pair) -> Iterator[Guess]:
    """Something random was added: the mean is as before, but values now lie where none can."""
    before, now = pair.before, pair.now
    added = now.deviation**2 - before.deviation**2
    if pair.stretch < 1.1 or abs(now.mean - before.mean) > 4 * pair.shift_error:
        return
    if math.log(pair.stretch) < 4 * pair.stretch_error or pair.gap < 1.5 * pair.chance:
        return
    (negative,) = now.pieces.up_to(np.array([-1e-300]))
    impossible = before.low >= 0 and negative >= 0.02 and negative * now.rows >= 10
    unlikely = pair.stretch >= 3 and min(abs(before.skew), before.tail) < 0.5
    broken = pair.whole and now.types.fractional > 0.9 * now.rows
    if not (impossible or broken or unlikely):
        return
    spread = math.sqrt(added)
    left = _blurred_gap(before.pieces, now.pieces, spread)
    if left <= 0.8 * pair.chance + 0.003 and fit_of(pair.gap, left) >= 0.75:
        sentence = (
            f"{pair.name}: values have the same mean but {pair.stretch:.3g} times the spread,"
            f" as if noise of a standard deviation of {spread:.3g} were added to each."
        )
        yield Guess(Bug(Pattern.NOISE, sentence, pair.held, fit_of(pair.gap, left)), cost=0.1)


def _blurred_gap(before: Pieces, now: Pieces, spread: float) -> float:
    """How far a window is from the baseline's numbers with normal noise added."""
    middles = before.quantiles((np.arange(400) + 0.5) / 400)
    where, height = now.edges
    chosen = np.unique(np.linspace(0, len(where) - 1, min(len(where), 600)).astype(np.intp))
    off = (where[chosen, None] - middles) / (spread * math.sqrt(2))
    return float(np.abs(height[chosen] - (0.5 + 0.5 * _erf(off)).mean(axis=1)).max())


def _erf(x: Doubles) -> Doubles:
    """The error function, to 1.5e-7.

    References:
        Abramowitz and Stegun (1964) 7.1.26.
    """
    size = np.abs(x)
    t = 1 / (1 + 0.3275911 * size)
    powers = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    found: Doubles = np.sign(x) * (1 - powers * np.exp(-(np.minimum(size, 30.0) ** 2)))
    return found
