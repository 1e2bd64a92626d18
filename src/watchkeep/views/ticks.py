"""Round numbers along an axis."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Final

from watchkeep.views.words import compact, number

TICKS: Final = 4
"""Ticks below a box, at the most."""
SLACK: Final = 1e-3
"""Of a bucket or a step, by which a number may lie outside: centres are rounded."""


def within(at: float, low: float, high: float) -> float:
    """Where a number stands between two, in percent."""
    return min(100.0, max(0.0, round(100 * (at - low) / (high - low), 1)))


def round_ticks(low: float, high: float, *, whole: bool) -> list[float]:
    """Round numbers from `low` to `high`, one step apart (1, 2 or 5 of a power of ten); whole ones where told."""
    for power in range(floor(log10(high - low)) - 1, floor(log10(high - low)) + 2):
        for size in (1, 2, 5):
            step = size * 10.0**power
            if whole and step < 1:
                continue
            first, last = ceil(low / step - SLACK), floor(high / step + SLACK)
            if last - first < TICKS:
                return [float(f"{at * step:.12g}") for at in range(first, last + 1)]
    return []


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Numbers in short, and longer where two would read the same."""
    short = [compact(at) for at in ticks]
    return short if len(set(short)) == len(short) else [number(at, digits=12) for at in ticks]
