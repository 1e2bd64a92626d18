"""Whole numbers that are codes: counted from another start, or two of them exchanged."""

import math
from collections.abc import Iterator

from watchkeep.causes.patterns.pairs import Pair
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.scaling import after
from watchkeep.core.wording import percent


def recountings(pair: Pair) -> Iterator[Guess]:
    """All codes are one higher, or one lower; or each of two is the other."""
    if not pair.whole or pair.before.distinct > 100 or pair.now.types.fractional:
        return
    for step in (1.0, -1.0):
        if _counted_on(pair, step):
            left = after(pair, 1.0, step)
            if left <= pair.chance + 0.01 and fit_of(pair.gap, left) >= 0.8 and pair.gap > 2 * pair.chance:
                way = "higher" if step > 0 else "lower"
                sentence = (
                    f"{pair.name}: codes are one {way}, {pair.now.low:g} to {pair.now.high:g} where they were"
                    f" {pair.before.low:g} to {pair.before.high:g}, as if they were counted from another start."
                )
                yield Guess(Bug(Pattern.RECODED, sentence, pair.held, fit_of(pair.gap, left)), cost=0.02)
    yield from _exchanged(pair)


def _counted_on(pair: Pair, step: float) -> bool:
    """Whether one end is left empty, and the other has moved on; counts without an end of their own are no codes."""
    before, now = pair.before, pair.now
    ends = ((before.low, now.low, 0), (before.high, now.high, -1))
    left, reached = ends if step > 0 else ends[::-1]
    emptied = before.pieces.shares[left[2]] * now.rows >= 20 and left[1] == left[0] + step
    plain = before.pieces.shares[reached[2]] * now.rows >= 20
    return bool(emptied and plain and reached[1] == reached[0] + step)


def _exchanged(pair: Pair) -> Iterator[Guess]:
    before, now = pair.before, pair.now
    if before.distinct != 2 or now.distinct != 2 or (before.low, before.high) != (now.low, now.high):
        return
    wanted, seen = float(before.pieces.shares[-1]), float(now.pieces.shares[0])
    error = math.sqrt(wanted * (1 - wanted) * (1 / now.rows + 1 / before.rows))
    if pair.gap >= 0.6 and abs(wanted - seen) <= 0.02 + 3 * error:
        sentence = (
            f"{pair.name}: {percent(seen)} of the values are {now.low:g}, where {percent(wanted)} were"
            f" {now.high:g}: the two codes are exchanged."
        )
        fit = fit_of(pair.gap, abs(wanted - seen))
        yield Guess(Bug(Pattern.RECODED, sentence, pair.held, fit), cost=0.05)
