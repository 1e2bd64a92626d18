"""The flip test: would a member of one group be answered otherwise, had it been of the other?"""

from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined, Value

Reals = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NEIGHBOURS: Final = 5
FEW: Final = 9
"""Others up to which one neighbour is asked, however many are asked for."""
MOST: Final = 4_000_000
"""Pairs of rows that are compared, unless more are asked for; of more rows the first ones are."""
WHOLE: Final = 300_000_000
"""Pairs of rows, some seconds of them, where the value has to be that of all rows."""
_CHUNK: Final = 2_000_000  # distances held at once


def flip_test(
    d: Reals, d_positive: Mask, a: Reals, a_positive: Mask, *, neighbours: int = NEIGHBOURS, most: int = MOST
) -> tuple[Value, float | None]:
    """FT = (F+ - F-) / n_d, and its standard error over the rows of d.

    F+ counts rows of d that are answered positive while most of their nearest neighbours in a are answered negative,
    F- the reverse. Distances are Euclidean, of features as they are; a tie is a negative vote. Of rows alike as far
    the first ones are neighbours.

    Args:
        d, a: features of the group and of the others, shape (rows, features), no NaN.
        d_positive, a_positive: whether each row was answered positive, shape (rows,).
        neighbours: how many are asked, >= 1; one where there are at most `FEW` others.
        most: pairs of rows that are compared. With fewer of them neighbours are less alike.

    Returns:
        In [-1, 1], below 0 where members of d do worse than the others like them; Undefined without rows.

    References:
        SageMaker Clarify's metric of that name; Black, Yeom and Fredrikson (2020), FAT*, "FlipTest".
    Conventions:
        The documentation of Clarify names F+ and F- the other way round; its output has the sign used here.

    >>> a = np.array([[0.0], [1.0], [2.0]])
    >>> flip_test(np.array([[0.1], [1.9]]), np.array([False, True]), a, np.array([True, True, True]))[0]
    -0.5
    """
    if not len(d) or not len(a):
        return Undefined(f"FT needs 1 row {'of the group' if not len(d) else 'of the others'}, has 0"), None
    if not d.shape[1]:
        return Undefined("FT needs 1 feature that is a number, has 0"), None
    asked = 1 if len(a) <= FEW else min(neighbours, len(a))
    most_a = min(len(a), max(FEW + 1, int(most**0.5) * 2, most // len(d)))
    d, d_positive = d[: max(1, most // most_a)], d_positive[: max(1, most // most_a)]
    a, a_positive = a[:most_a], a_positive[:most_a]
    votes = np.concatenate(
        [_votes(d[at : at + max(1, _CHUNK // len(a))], a, a_positive, asked) for at in _starts(d, a)]
    )
    usual = 2 * votes > asked
    flips = d_positive.astype(np.float64) - usual
    error = float(np.std(flips, ddof=1) / len(flips) ** 0.5) if len(flips) > 1 else None
    return float(flips.mean()), error


def _starts(d: Reals, a: Reals) -> range:
    return range(0, len(d), max(1, _CHUNK // len(a)))


def _votes(d: Reals, a: Reals, a_positive: Mask, asked: int) -> npt.NDArray[np.intp]:
    """Positive neighbours of each row of d."""
    center = a.mean(axis=0)
    one, other = d - center, a - center
    distances = (other**2).sum(axis=1)[None, :] - 2 * one @ other.T  # but for what is the same of a row
    if asked == 1:
        first: npt.NDArray[np.intp] = a_positive[np.argmin(distances, axis=1)].astype(np.intp)
        return first
    nearest = np.argpartition(distances, asked - 1, axis=1)[:, :asked]
    found: npt.NDArray[np.intp] = a_positive[nearest].sum(axis=1)
    return found
