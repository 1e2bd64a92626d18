"""Numbers in another unit, of the other sign, or counted from another origin, in all rows."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from watchkeep.causes.patterns.pairs import Pair, alike, log_gap
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.pieces import Doubles, gap, vagueness
from watchkeep.causes.patterns.quantities import FACTORS, OFFSETS, TEMPERATURES, Line
from watchkeep.core.wording import percent

FAR: Final = math.log(4.5)
"""Logarithm of a factor beyond which no population grows at once: its fit need not be perfect."""
LEAP: Final = 20.0
"""Standard deviations that no mean moves by."""
LOCAL: Final = 0.05
"""What a factor must be known to, relatively, where one slice of the rows alone has changed."""
NEAR: Final = math.log(1.5)
"""Logarithm of a factor that estimates of it may be off by."""
LOOSE: Final = 0.08
"""What a window may differ from the baseline by, beyond chance, when the bug is plain."""
STRICT: Final = 0.01
"""The same when it is not."""


def line(slope: float, start: float, numbers: Doubles) -> Doubles:
    """A straight line's values."""
    return slope * numbers + start


def after(pair: Pair, slope: float, start: float) -> float:
    """How far the window is from the baseline's numbers on a straight line; 1 when that cannot be told."""
    moved = pair.before.pieces.mapped(partial(line, slope, start))
    if moved is None:
        return 1.0
    # Whole numbers may have been rounded after the bug.
    rounded = pair.now.types.integral and not pair.now.types.fractional and pair.now.deviation >= 3
    slack = 1.0 if rounded and slope < 1 else 0.0
    found = gap(moved, pair.now.pieces, slack=slack)
    unsure = vagueness(moved, pair.now.pieces)
    return found if unsure <= 0.3 or alike(moved, pair.now) else 1.0


def unit_changes(pair: Pair) -> Iterator[Guess]:
    """All values are multiples of the baseline's, by a known factor or one far from 1."""
    estimates = _estimates(pair)
    best: tuple[float, float, str] | None = None
    for factor in FACTORS:
        for slope, told in (
            (factor.times, f"{factor.large} given as {factor.small}"),
            (1 / factor.times, f"{factor.small.split(',')[0]} given as {factor.large}"),
        ):
            if not any(log_gap(slope, each) < NEAR for each in estimates):
                continue
            left = after(pair, slope, 0.0)
            # Of factors that fit as well, the one met more often is meant.
            if _is_factor(pair, slope, left) and (best is None or left < best[0] - pair.chance / 6):
                best = (left, slope, told)
    if best is not None:
        left, slope, told = best
        yield Guess(_unit_bug(pair, slope, f"as {told} would be", left))
    else:
        yield from _unknown_factor(pair, estimates)


def _unit_bug(pair: Pair, slope: float, cause: str, left: float) -> Bug:
    sentence = f"{pair.name}: values are {times(slope)} in the baseline, {cause}."
    return Bug(Pattern.UNIT, sentence, pair.held, fit_of(pair.gap, left))


def times(slope: float) -> str:
    """A factor in words.

    >>> times(60), times(0.001), times(2.54)
    ('60 times what they are', '1/1,000 of what they are', '2.54 times what they are')
    """
    if slope >= 1:
        return f"{slope:,.7g} times what they are"
    return f"1/{1 / slope:,.7g} of what they are"


def _estimates(pair: Pair) -> list[float]:
    """What the factor may be, from means, spreads and medians."""
    before, now = pair.before, pair.now
    ratios = [pair.stretch]
    if before.mean:
        ratios.append(now.mean / before.mean)
    for share in (0.25, 0.5, 0.75, 0.9):
        (first,), (second,) = (side.pieces.quantiles(np.array([share])) for side in (before, now))
        if first:
            ratios.append(float(second / first))
    return [ratio for ratio in ratios if math.isfinite(ratio) and 1e-12 < ratio < 1e12]


def _is_factor(pair: Pair, slope: float, left: float) -> bool:
    size, fit = abs(math.log(slope)), fit_of(pair.gap, left)
    if size >= FAR:
        plain = fit >= 0.75 and pair.gap > 2 * pair.chance and left <= pair.chance + LOOSE * pair.moving
        return plain or _leapt(pair, slope)
    split = pair.whole and pair.now.types.fractional > 0.5 * pair.now.rows
    least, most = (0.75, LOOSE / 2) if split else (0.85, STRICT)
    if fit < least or pair.gap < 2 * pair.chance or left > pair.chance + most:
        return False
    ratio, error = scale_of(pair)
    if log_gap(ratio, slope) > 3 * error + 1e-6:
        return False
    return split or pair.gap >= 0.8 or error <= (LOCAL if pair.local else 0.004)


def _leapt(pair: Pair, slope: float) -> bool:
    """Whether no population moves as far, and a factor leads back to where populations do move."""
    before, now = pair.before, pair.now
    spread = before.deviation
    if not spread or not pair.stretch or abs(pair.shift) < LEAP:
        return False
    back = abs(now.mean / slope - before.mean) <= 3 * spread
    return back and log_gap(pair.stretch, slope) <= math.log(2)


def scale_of(pair: Pair) -> tuple[float, float]:
    """By what the numbers seem multiplied, and the relative standard error of that; (1, inf) when nothing tells."""
    before, now = pair.before, pair.now
    found = [(1.0, math.inf)]
    if pair.stretch > 0:
        found.append((pair.stretch, pair.stretch_error))
    if before.mean and now.mean / before.mean > 0:
        error = math.hypot(now.mean_error / now.mean, before.mean_error / before.mean)
        found.append((now.mean / before.mean, error))
    return min(found, key=lambda each: each[1])


def _unknown_factor(pair: Pair, estimates: list[float]) -> Iterator[Guess]:
    """A factor no list has: only where no growth explains it, and all else is as it was."""
    ratio, error = scale_of(pair)
    if not estimates or error > 0.1 or not pair.stretch or pair.gap < 0.8:
        return
    agreed = log_gap(pair.stretch, ratio) <= 3 * (pair.stretch_error + error)
    leap = log_gap(ratio, 1.0) >= math.log(8) or (
        abs(pair.shift) >= 8 and log_gap(ratio, 1.0) > 6 * pair.stretch_error
    )
    if not (agreed and leap):
        return
    left = after(pair, ratio, 0.0)
    if left <= pair.chance + STRICT and fit_of(pair.gap, left) >= 0.9:
        digits = float(f"{ratio:.3g}") if ratio >= 1 else 1 / float(f"{1 / ratio:.3g}")
        cause = "give or take a little, in all of their range, as another unit or currency would make them"
        yield Guess(_unit_bug(pair, digits, cause, left), cost=0.05)


def temperatures(pair: Pair) -> Iterator[Guess]:
    """Degrees of one scale are now those of another."""
    for each in TEMPERATURES:
        if pair.gap < 0.5 or not _near(pair, each):
            continue
        left = after(pair, each.slope, each.start)
        if left <= pair.chance + 0.05 and fit_of(pair.gap, left) >= 0.8:
            way = "plus" if each.start > 0 else "minus"
            formula = f"the baseline's {way} {abs(each.start):,.6g}"
            if each.slope != 1:
                formula = f"{each.slope:.4g} times {formula}"
            sentence = f"{pair.name}: values are {formula}, as {each.told} would be."
            yield Guess(Bug(Pattern.UNIT, sentence, pair.held, fit_of(pair.gap, left)))


def _near(pair: Pair, each: Line) -> bool:
    """Whether mean and spread are those of the line."""
    before, now = pair.before, pair.now
    usual = each.low <= before.low and before.high <= each.high
    if not pair.stretch or not usual:
        return False
    off = abs(now.mean - (each.slope * before.mean + each.start))
    scale = log_gap(pair.stretch, each.slope)
    return off <= 0.3 * now.deviation and scale <= 4 * pair.stretch_error + 0.05


def signs(pair: Pair) -> Iterator[Guess]:
    """All values have the other sign, or have lost it."""
    before, now = pair.before, pair.now
    (negative,) = before.pieces.up_to(np.array([-1e-300]))
    lopsided = before.low >= 0 or before.high <= 0 or abs(before.mean) > 2 * before.deviation
    leaning = abs(before.skew) > 0.5 and before.skew * now.skew < 0 and pair.gap > 0.3
    if lopsided or leaning:
        left = after(pair, -1.0, 0.0)
        enough = pair.gap > max(0.15, 2 * pair.chance)
        if enough and left <= pair.chance + LOOSE / 2 and fit_of(pair.gap, left) >= 0.75:
            sentence = f"{pair.name}: values have the opposite sign: {now.low:g} to {now.high:g}."
            yield Guess(Bug(Pattern.SIGN, sentence, pair.held, fit_of(pair.gap, left)))
    if now.low >= 0 and negative >= 0.05 and before.high > 0:
        yield from _unsigned(pair, float(negative))


def _unsigned(pair: Pair, negative: float) -> Iterator[Guess]:
    pieces = pair.before.pieces
    below, rest = pieces.highs < 0, pieces.lows >= 0
    if not below.any() or not rest.any():
        return
    flipped = pieces.chosen(below).mapped(np.negative)
    if flipped is None or negative * pair.now.rows < 20:
        return
    # Were the others left out, or all negative ones put to 0, it would look much the same.
    others = gap(pieces.chosen(rest), pair.now.pieces)
    left = gap(flipped.joined(pieces.chosen(rest)), pair.now.pieces)
    better = others > max(2 * left, left + pair.chance / 2)
    fits = left <= pair.chance + 0.02 and fit_of(pair.gap, left) >= 0.75
    if better and fits and pair.gap > 2 * pair.chance:
        sentence = (
            f"{pair.name}: no value is negative, where {percent(negative)} were: only the sign is lost."
        )
        yield Guess(Bug(Pattern.SIGN, sentence, min(pair.held, negative), fit_of(pair.gap, left)))


def offsets(pair: Pair) -> Iterator[Guess]:
    """All values differ from the baseline's by one number: a known one, or one no drift is as large as."""
    moved = pair.now.mean - pair.before.mean
    if not pair.stretch or abs(pair.shift) < 2 or log_gap(pair.stretch, 1.0) > 4 * pair.stretch_error + 0.02:
        return
    for size, told in OFFSETS.items():
        exact = math.copysign(size, moved)
        if abs(moved - exact) <= 4 * pair.shift_error and pair.shift_error <= 0.01 * size:
            yield from _offset(pair, exact, f"as {told} would be")
            return
    span = pair.before.high - pair.before.low
    apart = pair.now.low - pair.before.high > span or pair.before.low - pair.now.high > span
    if apart and pair.before.distinct > 3:
        digits = float(f"{moved:.3g}")
        yield from _offset(
            pair, moved, "beyond its whole range, and otherwise as before", told_as=digits, cost=0.1
        )


def _offset(
    pair: Pair, exact: float, cause: str, *, told_as: float | None = None, cost: float = 0.02
) -> Iterator[Guess]:
    left = after(pair, 1.0, exact)
    if left > pair.chance + 0.03 or fit_of(pair.gap, left) < 0.85:
        return
    way = "larger" if exact > 0 else "smaller"
    size = abs(exact if told_as is None else told_as)
    sentence = f"{pair.name}: values are {size:,.10g} {way} than in the baseline, {cause}."
    yield Guess(Bug(Pattern.OFFSET, sentence, pair.held, fit_of(pair.gap, left)), cost=cost)
