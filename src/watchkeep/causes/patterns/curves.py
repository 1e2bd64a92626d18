"""Numbers that went through a function: logarithms, powers, standardised values."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from watchkeep.causes.patterns.pairs import Pair, alike, log_gap
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.pieces import Doubles, Map, gap, vagueness
from watchkeep.causes.patterns.scaling import after


def _powers(base: float, numbers: Doubles) -> Doubles:
    return np.power(base, numbers)


def _log10_of_one_more(numbers: Doubles) -> Doubles:
    return np.log1p(numbers) / math.log(10)


ABOVE_ZERO: Final[tuple[tuple[str, Map], ...]] = (
    ("natural logarithms of", np.log),
    ("logarithms to base 10 of", np.log10),
    ("logarithms to base 2 of", np.log2),
    ("reciprocals of", np.reciprocal),
)
"""Functions of positive numbers alone."""
FROM_ZERO: Final[tuple[tuple[str, Map], ...]] = (
    ("natural logarithms of 1 +", np.log1p),
    ("logarithms to base 10 of 1 +", _log10_of_one_more),
)
"""Functions of numbers that are not negative."""
ANYWHERE: Final[tuple[tuple[str, Map], ...]] = (
    ("powers of e to", np.exp),
    ("powers of e, less 1, to", np.expm1),
    ("powers of 10 to", partial(_powers, 10.0)),
    ("powers of 2 to", partial(_powers, 2.0)),
)
"""Functions of all numbers."""


def curves(pair: Pair) -> Iterator[Guess]:
    """All values are a known function of what they were."""
    before, now = pair.before, pair.now
    if pair.gap < 0.5 * pair.moving or before.distinct < 5:
        return
    known = ANYWHERE + (FROM_ZERO if before.low >= 0 else ()) + (ABOVE_ZERO if before.low > 0 else ())
    best: tuple[float, str] | None = None
    for told, of in known:
        moved = before.pieces.mapped(of)
        if moved is None or (vagueness(moved, now.pieces) > 0.3 and not alike(moved, now)):
            continue
        left = gap(moved, now.pieces)
        if left <= pair.chance + 0.03 * pair.moving and (best is None or left < best[0]):
            best = (left, told)
    if best is not None and fit_of(pair.gap, best[0]) >= 0.8:
        left, told = best
        sentence = (
            f"{pair.name}: values look like {told} the baseline's, as if they were transformed on the way."
        )
        yield Guess(Bug(Pattern.TRANSFORM, sentence, pair.held, fit_of(pair.gap, left)), cost=0.08)


def standardised(pair: Pair) -> Iterator[Guess]:
    """All values are now in standard deviations from the mean, or in shares of the range."""
    before, now = pair.before, pair.now
    span = before.high - before.low
    if pair.gap < 0.5 or before.distinct < 10 or not before.deviation or not math.isfinite(span):
        return
    ways = [
        (1 / before.deviation, -before.mean / before.deviation, "standard deviations from the mean"),
        (1 / span, -before.low / span, "shares of the way from the smallest to the largest value"),
    ]
    if abs(now.mean) < 0.1 and abs(now.deviation - 1) < 0.1:
        ways.append((*_by_quartiles(pair), "standard deviations from the mean"))
    for slope, start, told in ways:
        leap = 0 < slope < math.inf and (log_gap(slope, 1.0) > math.log(2) or abs(pair.shift) >= 5)
        if not leap or abs(now.mean - slope * before.mean - start) > 0.3 * now.deviation:
            continue
        left = after(pair, slope, start)
        if left <= pair.chance + 0.03 and fit_of(pair.gap, left) >= 0.8:
            sentence = (
                f"{pair.name}: values are {told} of the baseline (mean {round(now.mean, 3):g}, deviation"
                f" {now.deviation:.3g}), as if they were scaled for a model already."
            )
            yield Guess(Bug(Pattern.TRANSFORM, sentence, pair.held, fit_of(pair.gap, left)), cost=0.05)
            return


def _by_quartiles(pair: Pair) -> tuple[float, float]:
    """The line that brings the baseline's quartiles to the window's: slope and start; 0 and 0 when there is none."""
    shares = np.array([0.25, 0.75])
    (low, high), (low_now, high_now) = (side.pieces.quantiles(shares) for side in (pair.before, pair.now))
    if not high > low:
        return 0.0, 0.0
    slope = float((high_now - low_now) / (high - low))
    return slope, float(low_now - slope * low)
