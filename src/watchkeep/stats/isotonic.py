"""How likely a row is positive, by bin of its score: learned from counts, never falling (or never rising)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

HALF_A_ROW: Final = 0.5
"""Positive rows that a block of none is taken to have, and negative ones likewise: chances are never 0 or 1."""


def isotonic(means: Reals, weights: Reals) -> tuple[Reals, Places]:
    """The numbers nearest to `means` that never fall: least weighted squares, pooled adjacent violators.

    Neighbours that fall are pooled into one block with their weighted mean, until none fall. All falling runs are
    pooled at once; the order does not matter to the result.

    Args:
        means: shape (n,).
        weights: of the same shape, each > 0.

    Returns:
        The numbers, shape (n,), and the block of each, 0 and up, shape (n,).

    References:
        Ayer, Brunk, Ewing, Reid and Silverman (1955), Ann. Math. Statist. 26, 641-647;
        sklearn.isotonic.isotonic_regression.

    >>> isotonic(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))[0].tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    value, weight = np.asarray(means, np.float64), np.asarray(weights, np.float64)
    block = np.arange(len(value))
    while len(value) > 1:
        kept = np.concatenate(([True], value[1:] > value[:-1]))  # equal neighbours are one block too
        if kept.all():
            break
        starts = np.flatnonzero(kept)
        total = np.add.reduceat(weight, starts)
        value = np.add.reduceat(value * weight, starts) / total
        weight, block = total, (np.cumsum(kept) - 1)[block]
    return value[block], block


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How likely a row is positive, by bin of its score.

    Args:
        chances: in (0, 1), never falling, or never rising, shape (bins,).
        blocks: the block of each bin, 0 and up, shape (bins,): bins of a block have one chance, but for bins that
            held no rows.
        rows: reference rows by block, shape (blocks,).
        cells: the cell of each bin, 0 and up, shape (bins,): bins of a block that have one chance. Their order tells
            nothing of labels.
        starts: the first bin of each cell, shape (cells,).
    """

    chances: Reals
    blocks: Places
    rows: Reals
    cells: Places
    starts: Places


def calibrated(rows: Reals, positives: Reals) -> Calibration:
    """The calibration that reference rows tell.

    Shares of positives by bin, pooled until they never fall; or never rise, when rows with higher scores are less
    often positive. Bins without rows lie between their neighbours. A block at either end that holds m rows of one
    label alone is taken to hold half a row of the other in m + 1, and no chance there passes that of its neighbour:
    a chance of 0 or 1 would be a certainty that m rows do not give.

    Args:
        rows: labelled reference rows by bin, in order of the score, shape (bins,), at least one in all.
        positives: those labelled positive, shape (bins,).

    References:
        Zadrozny and Elkan (2002), KDD 8, 694-699.

    >>> found = calibrated(np.array([9.0, 0.0, 10.0, 9.0]), np.array([0.0, 0.0, 5.0, 9.0]))
    >>> found.chances.tolist(), found.rows.tolist()
    ([0.05, 0.275, 0.5, 0.95], [9.0, 10.0, 9.0])
    """
    filled = np.flatnonzero(rows > 0)
    held = np.asarray(rows, np.float64)[filled]
    shares = np.asarray(positives, np.float64)[filled] / held
    rising = _rising(held, shares)
    fitted, blocks = isotonic(shares if rising else 1 - shares, held)
    by_block = np.asarray(np.bincount(blocks, held), np.float64)
    chance = np.zeros(len(by_block))
    chance[blocks] = fitted
    if chance[0] <= 0:
        chance[0] = min(HALF_A_ROW / (by_block[0] + 1), chance[1] if len(chance) > 1 else 1.0)
    if chance[-1] >= 1:
        chance[-1] = max(1 - HALF_A_ROW / (by_block[-1] + 1), chance[-2] if len(chance) > 1 else 0.0)
    everywhere = np.arange(len(rows))
    chances = np.interp(everywhere, filled, chance[blocks])
    nearest = np.clip(np.searchsorted(filled, everywhere, side="right") - 1, 0, None)
    of = blocks[nearest]
    begins = (np.diff(chances, prepend=-1.0) != 0) | (np.diff(of, prepend=-1) != 0)
    cells, starts = np.cumsum(begins) - 1, np.flatnonzero(begins)
    return Calibration(chances if rising else 1 - chances, of, by_block, cells, starts)


def _rising(rows: Reals, shares: Reals) -> bool:
    """Whether positives lie above negatives, more often than below."""
    p, n = rows * shares, rows * (1 - shares)
    below = np.cumsum(n) - n / 2
    return bool((p * below).sum() * 2 >= p.sum() * n.sum())
