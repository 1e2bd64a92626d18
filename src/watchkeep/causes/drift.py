"""How far the values of columns moved, on one scale for numbers, categories and missing values."""

import math
from typing import Final

import numpy as np

from watchkeep.baselines.buckets import Buckets, Counts, Reals

EXPECTED: Final = 5.0
"""Rows a bucket must be expected to have in the smaller sample, to be compared by itself."""


def drifts(buckets: Buckets, counts: Counts) -> dict[str, float]:
    """The share of each column's rows that lie elsewhere than in the baseline, beyond what chance explains; in [0, 1].

    The total variation distance T of the rows by bucket, where values that the baseline never had and missing ones
    have buckets of their own, freed of the distance E that two samples of one distribution are expected to have:
    max(0, T - E) / (1 - E), with E = sum of sqrt(p (1 - p) (1/n + 1/m) / (2 pi)) over buckets of share p in both
    samples together. Buckets in which fewer than `EXPECTED` rows of the smaller sample are expected count as one. A
    column that one side has no rows of is left out.

    Args:
        buckets: the baseline's, with its rows.
        counts: the window's rows by bucket, shape (buckets,).
    """
    found = {}
    for place, name in enumerate(buckets.subjects):
        own = slice(int(buckets.starts[place]), int(buckets.starts[place + 1]))
        before, now = buckets.baseline[own], counts[own]
        if before.sum() and now.sum():
            found[name] = moved(before, now)
    return found


def moved(before: Counts, now: Counts) -> float:
    """The same of one column.

    Args:
        before: rows of the baseline by bucket, shape (k,), not all 0.
        now: rows of the window, alike.

    >>> moved(np.array([500, 500]), np.array([500, 500])), round(moved(np.array([900, 100]), np.array([100, 900])), 2)
    (0.0, 0.8)
    """
    m, n = int(before.sum()), int(now.sum())
    rare = (before + now) * min(m, n) < EXPECTED * (m + n)  # in so few rows all that is seen is chance
    before, now = (np.append(each[~rare], each[rare].sum()) for each in (before, now))
    distance = 0.5 * float(np.abs(before / m - now / n).sum())
    both: Reals = (before + now) / (m + n)
    expected = float(np.sqrt(both * (1 - both) * (1 / n + 1 / m) / (2 * math.pi)).sum())
    return max(0.0, distance - expected) / (1 - expected) if expected < 1 else 0.0
