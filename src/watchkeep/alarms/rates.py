"""How unlikely it is that a share of rows differs as much as it does."""

import math
from dataclasses import dataclass

import numpy as np

from watchkeep.alarms.sway import Sway, deviates
from watchkeep.alarms.witness import Reals
from watchkeep.stats.special import beta_lower

RARE = 10.0
"""Rows expected, below which a count is held against its own law instead of a normal one."""
_TELLING = 1.5  # standard deviations below which the exact law is not worth its cost
_LEAST = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Counts of k kinds of rows in segments and references, each of shape (segments, k).

    Args:
        count, before: of the segment, of the reference.
        n, m: rows of the segment, and rows that the reference counts for.
        raw_m: rows of the reference.
        unseen: rows of its kind that a reference without any may yet have, shape (k,).
        least: the variance of a row that is told at the least, shape (k,).
    """

    count: Reals
    before: Reals
    n: Reals
    m: Reals
    raw_m: Reals
    unseen: Reals
    least: Reals | float = 0.0


def rates(seen: Counted, sway: Sway | None = None, *, one_sided: bool = False) -> Reals:
    """Logarithms of the chances of counts among n, when `before` of raw_m rows gave their rate.

    Args:
        seen: the counts.
        sway: what time does to their rates; None if nothing.
        one_sided: whether only more than expected is a change.
    """
    count, before, n, m, raw_m = seen.count, seen.before, seen.n, seen.m, seen.raw_m
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (count + before) / (n + raw_m)
        variance = np.maximum(rate * (1 - rate), seen.least)
        h2 = 1 / n + 1 / m
        gap = (count / n - before / raw_m) / np.sqrt(variance)
        tilt = (1 - 2 * rate) / np.sqrt(variance) * (1 / n**2 - 1 / m**2) / h2**1.5
    good = (n > 0) & (m > 0) & (variance > 0)
    found = deviates(np.where(good, gap, 0.0), np.where(good, h2, 1.0), np.where(good, tilt, 0.0), sway)
    logs = found.log_above() if one_sided else found.log_beyond()
    expected = np.where(good, before / np.maximum(raw_m, 1) * n, np.inf)
    for at in zip(*np.nonzero((expected < RARE) & (found.values > _TELLING)), strict=True):
        exact = _log_rare(seen, at)
        if sway is not None and sway.variance[at] > 0:
            # Rows that come in clumps count for as many as would say as much in random order.
            few, known = n[at] * sway.segments[at], m[at] * sway.references[at]
            exact = max(exact, _log_rare(seen, at, 1 / (1 + few), 1 / (1 + known)))
        exact += 0.0 if one_sided else math.log(2.0)
        logs[at] = exact if sway is None or not sway.variance[at] > 0 else max(exact, logs[at])
    capped: Reals = np.minimum(0.0, logs)
    return capped


def _log_rare(seen: Counted, at: tuple[int, int], segment: float = 1.0, reference: float = 1.0) -> float:
    """The logarithm of the chance of so many, as `stats.tails.rare_count` has it.

    Where no double holds the chance its bound takes its place (Chernoff's, of the binomial law whose tail it is): so
    windows that could hardly differ more can still be told from each other.

    Args:
        seen: the counts.
        at: which of them.
        segment, reference: what part of themselves rows count for.
    """
    if seen.count[at] <= 0:
        return 0.0
    n, m = float(seen.n[at]) * segment, max(1.0, float(seen.m[at]) * reference)
    bad = float(seen.before[at] / seen.raw_m[at]) * m + float(seen.unseen[at[1]])
    count, share = float(seen.count[at]) * segment, n / (n + m)
    chance = beta_lower(count, bad, share)
    if chance > _LEAST:
        return math.log(chance)
    mine = count / (count + bad)
    return -(count + bad) * (mine * math.log(mine / share) + (1 - mine) * math.log((1 - mine) / (1 - share)))
