"""Numbers that lost their last digits."""

import math
from collections.abc import Iterator

import numpy as np

from watchkeep.causes.patterns.pairs import Pair
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.pieces import Pieces, gap
from watchkeep.core.wording import percent


def roundings(pair: Pair) -> Iterator[Guess]:
    """All values are multiples of 1, 0.1, 10 or the like, which few of the baseline's are."""
    before, now = pair.before, pair.now
    if now.distinct < 4 or not before.deviation:
        return
    top = math.floor(math.log10(before.deviation)) + 1
    for power in range(top, top - 6, -1):
        step = 10.0**power
        usual = _usual(before.pieces, step)
        if usual > 0.5:
            return  # a finer grid is no better
        if on_grid(now.pieces, step) < 0.999 or _log_chance(now.pieces, step) > -20:
            continue
        if now.high - now.low < 3 * step:
            continue
        slack = step * 1.01
        left = gap(before.pieces, now.pieces, slack=slack)
        if left <= pair.chance + 0.02:
            yield Guess(_bug(pair, step, usual, left), cost=0.02)
        return


def _bug(pair: Pair, step: float, usual: float, left: float) -> Bug:
    before, now = pair.before, pair.now
    cut = np.sign(before.mean) * (before.mean - now.mean)
    if pair.shift_error > step / 8:
        how = "rounded or cut"
    elif abs(cut) <= step / 4:
        how = "rounded"
    else:
        how = "cut, not rounded"
    what = "whole numbers" if step == 1 else f"multiples of {step:g}"
    were = f"where {percent(usual, 0)} of the baseline's could be"
    sentence = f"{pair.name}: all values are {what}, {were}: they seem {how}."
    # What is explained here are digits: the share of rows that are on the grid and were not.
    return Bug(Pattern.ROUNDED, sentence, min(1.0, pair.held), fit_of(1.0, max(left, 0.0)))


def _usual(pieces: Pieces, step: float) -> float:
    """The share of numbers other than 0 that are on the grid."""
    others = pieces.chosen((pieces.lows > 0) | (pieces.highs < 0))
    return on_grid(others, step) if len(others.counts) else 1.0


def _log_chance(pieces: Pieces, step: float) -> float:
    """The logarithm of the chance that all runs hold a multiple of `step`, wherever they lie."""
    others = pieces.chosen((pieces.lows > 0) | (pieces.highs < 0))
    wide = np.clip((others.highs - others.lows) / step, 1e-6, 1.0)
    return float((others.counts * np.log(wide)).sum())


def on_grid(pieces: Pieces, step: float) -> float:
    """The share of rows in runs that hold a multiple of `step`.

    >>> on_grid(Pieces(np.array([0.9, 1.4]), np.array([1.1, 1.6]), np.array([3.0, 1.0])), 1.0)
    0.75
    """
    blur = np.maximum(np.abs(pieces.lows), np.abs(pieces.highs)) * 1e-12
    holds = np.floor((pieces.highs + blur) / step) >= np.ceil((pieces.lows - blur) / step)
    return float(pieces.counts[holds].sum()) / pieces.total
