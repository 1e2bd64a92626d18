"""Numbers that have more rows than in the baseline: found here, explained elsewhere."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from watchkeep.causes.patterns.pairs import Pair
from watchkeep.causes.patterns.pieces import Doubles, gap
from watchkeep.causes.patterns.quantities import NULL_NUMBERS
from watchkeep.stats.distances import noise

LEAST: Final = 8
"""Rows at one number from which it is looked into."""


@dataclass(frozen=True, slots=True)
class Spike:
    """A number with more rows than in the baseline.

    Args:
        value: the number.
        usual, share: the share of the baseline's rows, and of the window's, that lie there.
        rest: how far the window's other rows are from the baseline's others; 1 when they are too few to tell.
        allowed: how far they may be by chance.
    """

    value: float
    usual: float
    share: float
    rest: float
    allowed: float

    @property
    def excess(self) -> float:
        """By how much the share has grown."""
        return self.share - self.usual

    def intact(self, more: float = 0.03) -> bool:
        """Whether the other rows are as before, but for chance and a little more."""
        return self.rest <= self.allowed + more


def largest(pair: Pair) -> Spike | None:
    """The number whose share has grown most, if it is one number, and chance does not explain it."""
    excess = excesses(pair)
    return _spike(pair, int(np.argmax(excess)), excess, 0.02)


def strange_code(pair: Pair) -> Spike | None:
    """Of the numbers beyond the baseline's range that stand for no value in programs, the one with most rows."""
    now = pair.now.pieces
    out = np.flatnonzero((now.highs < pair.before.low) | (now.lows > pair.before.high))
    many = (now.counts[out] >= LEAST) & (now.shares[out] >= 0.002)
    coded = [at for at in out[many] if shortest(float(now.lows[at]), float(now.highs[at])) in NULL_NUMBERS]
    if not coded:
        return None
    at = int(max(coded, key=now.counts.__getitem__))
    near = [each for each in out if 0 < abs(each - at) <= 4 and (now.lows[each] < 0) == (now.lows[at] < 0)]
    if now.counts[at] < 4 * now.counts[near].max(initial=0.0):
        return None  # one of many numbers beyond the range
    return _spike(pair, at, excesses(pair), 0.002)


def excesses(pair: Pair) -> Doubles:
    """By how much the share of each of the window's runs has grown, shape (runs,)."""
    before, now = pair.before.pieces, pair.now.pieces
    slack = np.maximum(np.abs(now.lows), np.abs(now.highs)) * (1e-9 + before.blur)
    usual = before.up_to(now.highs + slack) - before.up_to(np.nextafter(now.lows - slack, -np.inf))
    return now.shares - usual


def grown(pair: Pair, usual: float, share: float, least: float) -> bool:
    """Whether a share has grown by `least`, and by more than chance explains."""
    n, m = pair.now.rows, pair.before.rows
    pooled = (usual * m + share * n) / (n + m)
    error = math.sqrt(max(0.0, pooled * (1 - pooled)) * (1 / n + 1 / m))
    return share - usual >= max(least, 5 * error)


def single(pair: Pair, at: int, excess: Doubles) -> bool:
    """Whether a run is as narrow as a number, and its excess share stands out from those of its neighbours."""
    now = pair.now.pieces
    low, high = now.lows[at], now.highs[at]
    spread = pair.before.deviation or max(abs(low), abs(high)) or 1.0
    if high - low > max(0.02 * spread, 2 * now.blur * max(abs(low), abs(high))):
        return False
    # Were they different numbers, there would be more of these.
    others = pair.now.rows - now.counts[at]
    if pair.now.distinct > 1.1 * (others + 2):
        return False
    if pair.before.distinct < 200:
        return True  # every number stands alone
    near = excess[max(0, at - 4) : at + 5].copy()
    near[min(at, 4)] = 0
    return bool(excess[at] >= 4 * near.max(initial=0.0))


def _spike(pair: Pair, at: int, excess: Doubles, least: float) -> Spike | None:
    now = pair.now.pieces
    share = float(now.shares[at])
    usual = max(0.0, share - float(excess[at]))
    if now.counts[at] < LEAST or not grown(pair, usual, share, least) or not single(pair, at, excess):
        return None
    value = shortest(float(now.lows[at]), float(now.highs[at]))
    return Spike(value, usual, share, *_others(pair, at))


def _others(pair: Pair, at: int) -> tuple[float, float]:
    """How far all but one run's rows are from the baseline's others, and how far they may be by chance."""
    now, before = pair.now.pieces, pair.before.pieces
    keep = np.arange(len(now.counts)) != at
    rest = float(now.counts[keep].sum())
    if rest < 20:
        return 1.0, 0.0
    slack = (1e-9 + max(before.blur, now.blur)) * max(abs(now.lows[at]), abs(now.highs[at]))
    inside = (before.highs >= now.lows[at] - slack) & (before.lows <= now.highs[at] + slack)
    usual = before.chosen(~inside) if not inside.all() else before
    return gap(usual, now.chosen(keep)), noise(int(rest), int(max(1.0, usual.total)))


def shortest(low: float, high: float) -> float:
    """The number of fewest digits from low to high, or one that stands for no value.

    >>> shortest(0.98, 1.004), shortest(-999.1, -998.9), shortest(0.30001, 0.30009)
    (1.0, -999.0, 0.30001)
    """
    known = [code for code in NULL_NUMBERS if low <= code <= high]
    if known:
        return min(known, key=abs)
    if max(abs(low), abs(high)) > 1e15:
        return low
    for digits in range(-12, 13):
        step = 10.0**-digits
        found = round(math.ceil(low / step - 1e-9) * step, max(0, digits))
        if low <= found <= high:
            return found
    return low
