"""The bootstrap of rows, drawn from counts."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def redrawn(tables: Doubles, replicates: int, *, seed: int) -> Iterator[Doubles]:
    """Tables as they might have come out, had the same rows been drawn again.

    Rows that are drawn anew with Poisson weights of mean 1 fill a cell that holds n of them with a Poisson number of
    mean n, so cells are drawn in place of rows: it costs nothing while rows are read, and windows that were merged
    are drawn as one. With row weights a cell has sum W and sum of squares Q: it is drawn as Q / W times a Poisson
    number of mean W**2 / Q, which has the mean and the variance that drawing its rows would have.

    Args:
        tables: rows by cell; or rows, sums of weights and of their squares, shape (1 or 3, ...).
        replicates: how often to draw.
        seed: the same one gives the same draws.

    Returns:
        Tables of rows, or of weights, shape (...).

    >>> [int(table.sum()) for table in redrawn(np.array([[40.0, 60.0]]), 3, seed=1)]
    [96, 108, 101]
    """
    rows = tables[0]
    unit, mean = np.ones(rows.shape), rows
    if len(tables) > 1:
        unit = np.divide(tables[2], tables[1], out=np.zeros(rows.shape), where=tables[1] > 0)
        mean = np.divide(tables[1], unit, out=np.zeros(rows.shape), where=unit > 0)
    rng = np.random.default_rng(seed)
    held = np.flatnonzero(mean)
    for _ in range(replicates):
        table = np.zeros(rows.size)
        table[held] = rng.poisson(mean.ravel()[held]) * unit.ravel()[held]
        yield table.reshape(rows.shape)
