"""One number in the place of many: a code for "no value", a sensor that is stuck, a value filled in, a bound."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from watchkeep.causes.patterns.pairs import Pair
from watchkeep.causes.patterns.pattern import Bug, Guess, Pattern, fit_of
from watchkeep.causes.patterns.quantities import NULL_NUMBERS
from watchkeep.causes.patterns.spikes import Spike, excesses, grown, largest, single, strange_code
from watchkeep.core.wording import percent

RARE: Final = 0.003
"""A number with no larger share of the baseline is not usual."""
FAR: Final = 90.0
"""A code at least so far from 0 can hardly be a value by chance."""


def stand_ins(pair: Pair) -> Iterator[Guess]:
    """One value has rows that it should not have."""
    code = strange_code(pair)
    if code is not None and _stands_for_nothing(pair, code):
        yield _null_code(pair, code)
        return
    spike = largest(pair)
    if spike is None:
        return
    inside = pair.before.low <= spike.value <= pair.before.high
    if _stands_for_nothing(pair, spike):
        yield _null_code(pair, spike)
    elif inside and spike.share >= 0.5 and spike.excess >= 0.45:
        yield from _stuck(pair, spike)
    elif inside and spike.excess >= 0.03 and continuous(pair) and spike.intact():
        sentence = (
            f"{pair.name}: {percent(spike.share)} of the values are {spike.value:.6g}, where no value had more than"
            f" {percent(_heaviest(pair))}; the others are as before, as if it were filled in."
        )
        yield Guess(_bug(pair, Pattern.REPEATED, sentence, spike), cost=0.2)


def _stands_for_nothing(pair: Pair, spike: Spike) -> bool:
    """Whether a number is no value: rows took it that had none, or it cannot be a value, or it is known as a code."""
    known, rare = spike.value in NULL_NUMBERS, spike.usual <= max(RARE, 4 / pair.before.rows)
    span = pair.before.high - pair.before.low
    away = max(pair.before.low - spike.value, spike.value - pair.before.high)
    if _filled(pair, spike) and (known or rare):
        return True
    if not rare or (_calendar(pair) and not known):
        return False
    if away <= 0:
        return known and spike.intact() and (spike.value == 0 or continuous(pair))
    if known and abs(spike.value) >= FAR and away > 0.05 * span:
        return True
    little = spike.rest <= max(0.7 * spike.allowed, 0.5 * max(pair.gap, spike.excess))
    unchanged = spike.intact() and little
    return (unchanged or (known and spike.share > 0.9)) and (known or (away > span and spike.share < 0.9))


def _filled(pair: Pair, spike: Spike) -> bool:
    """Whether as many values are no longer missing as a number has rows."""
    before, now = pair.before.missing, pair.now.missing
    error = math.sqrt(before * (1 - before) / pair.now.rows)
    gone = before - now
    fits = abs(spike.excess - gone) <= 0.25 * gone + 4 * error
    return before >= 0.005 and now <= before / 4 and gone * pair.now.rows >= 8 and fits and spike.intact(0.1)


def _null_code(pair: Pair, spike: Spike) -> Guess:
    gone = pair.before.missing - pair.now.missing
    why = (
        f"and {percent(gone)} fewer are missing, as if it stood for no value"
        if _filled(pair, spike)
        else "as a number that stands for no value would"
    )
    sentence = (
        f"{pair.name}: {percent(spike.share)} of the values are {spike.value:.10g}, {percent(spike.usual)} in the"
        f" baseline, {why}."
    )
    return Guess(_bug(pair, Pattern.NULL_CODE, sentence, spike))


def _bug(pair: Pair, pattern: Pattern, sentence: str, spike: Spike) -> Bug:
    left = spike.rest if spike.rest < 1 else 0.0
    share = max(1e-6, min(1.0, spike.excess * pair.held))
    return Bug(pattern, sentence, share, fit_of(max(pair.gap, spike.excess), left * (1 - spike.share)))


def _stuck(pair: Pair, spike: Spike) -> Iterator[Guess]:
    if pair.before.distinct < 30 or spike.usual > 0.05 or _calendar(pair):
        return
    if spike.share < 0.9 and not continuous(pair):
        return
    sentence = (
        f"{pair.name}: {percent(spike.share)} of the values are {spike.value:.6g}, {percent(spike.usual)} in the"
        " baseline, as if the source were stuck."
    )
    yield Guess(_bug(pair, Pattern.STUCK, sentence, spike), cost=0.02)


def _calendar(pair: Pair) -> bool:
    """Whether numbers are like hours, days, months or years, of which a window may well hold only one."""
    before = pair.before
    if before.types.fractional > 0.01 * before.rows or before.low != round(before.low):
        return False
    span = before.high - before.low + 1
    even = _heaviest(pair) <= 4 / max(1, before.distinct)
    return span <= 400 and even and (before.low in (0, 1) or 1000 <= before.low <= 3000)


def _heaviest(pair: Pair) -> float:
    return float(pair.before.pieces.shares.max())


def continuous(pair: Pair) -> bool:
    """Whether no number had many of the baseline's rows: one that now has them is then no matter of taste."""
    return pair.before.distinct >= 100 and _heaviest(pair) <= max(0.01, 0.4 / math.sqrt(pair.before.rows))


def clippings(pair: Pair) -> Iterator[Guess]:
    """All values beyond a bound are now at it."""
    before, now = pair.before.pieces, pair.now.pieces
    if pair.before.distinct < 8 or len(now.counts) < 4:
        return
    excess = excesses(pair)
    for at, bound, above in ((len(now.counts) - 1, pair.now.high, True), (0, pair.now.low, False)):
        (up_to,) = before.up_to(np.array([np.nextafter(now.lows[at], -np.inf) if above else now.highs[at]]))
        beyond, held = float(1 - up_to if above else up_to), float(now.shares[at])
        usual = max(0.0, held - float(excess[at]))
        lost = beyond - usual
        error = 4 * math.sqrt(beyond * (1 - beyond) * (1 / now.total + 1 / before.total))
        if lost < 0.02 or lost * now.total < 15 or not grown(pair, usual, held, 0.01):
            continue
        cut = before.lows >= now.lows[at] if above else before.highs <= now.highs[at]
        if before.shares[cut].max(initial=0.0) > 0.5 * beyond:
            continue  # one number has moved
        # In a column of measurements, a heavy number at the very end is plain enough when others have moved too.
        end = float(before.shares[-1 if above else 0])
        smooth = pair.before.distinct >= 50 and _heaviest(pair) <= 0.05 and end <= 0.005
        plain = smooth and lost >= 0.04 and usual <= 0.02
        fits = abs(held - beyond) <= error + (0.5 if plain else 0.1) * beyond
        left = _inner_gap(pair)
        if fits and single(pair, at, excess) and left <= pair.chance + (0.12 if plain else 0.02):
            side = "above" if above else "below"
            sentence = (
                f"{pair.name}: no value is {side} {bound:.6g}, where {percent(lost)} were, and {percent(held)} are that"
                " number, as if values were clipped."
            )
            share = max(1e-6, min(1.0, lost * pair.held))
            yield Guess(Bug(Pattern.CLIPPED, sentence, share, fit_of(max(pair.gap, lost), left)))


def _inner_gap(pair: Pair) -> float:
    """How far the two sides are apart between the window's ends."""
    where, height = (each[2:-2] for each in pair.now.pieces.edges)
    blur = max(pair.before.pieces.blur, pair.now.pieces.blur)
    reach = np.abs(where) * (1e-9 + min(0.02, blur))
    above = height - pair.before.pieces.up_to(where + reach)
    below = pair.before.pieces.up_to(where - reach) - height
    return max(0.0, float(np.maximum(above, below).max(initial=0.0)))
