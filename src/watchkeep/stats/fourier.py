"""Maximum mean discrepancy in linear time: random Fourier features of a Gaussian kernel."""

import math

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

_ALONE = 1 << 18  # multiplications that OpenBLAS does on one thread


def features(rows: Doubles, frequencies: Singles) -> Singles:
    """Cos and sin of each row's projections, divided by sqrt(frequencies): an inner product near the kernel's value.

    Args:
        rows: standardised rows, shape (n, columns), finite.
        frequencies: shape (columns, frequencies), drawn from N(0, 1 / bandwidth**2).

    Returns:
        Shape (n, 2 * frequencies); every row has length 1.

    References:
        Rahimi and Recht (2007), NIPS, "Random features for large-scale kernel machines".
    """
    singles = rows.astype(np.float32)
    angles = np.empty((len(rows), frequencies.shape[1]), np.float32)
    # A product of few rows at a time is not shared out to threads, which would spin.
    block = max(1, _ALONE // max(1, frequencies.size))
    for start in range(0, len(rows), block):
        np.matmul(singles[start : start + block], frequencies, out=angles[start : start + block])
    waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return (waves / math.sqrt(frequencies.shape[1])).astype(np.float32)


def bandwidth(rows: Doubles) -> float:
    """The median distance between different rows, shape (n, columns), n >= 2; 1 when all are the same."""
    near = rows[:512]
    squares = (near**2).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * near @ near.T
    between = distances[np.triu_indices(len(near), 1)]
    between = between[between > 1e-12]
    return math.sqrt(float(np.median(between))) if len(between) else 1.0


def mmd(baseline: Doubles, window: Doubles, n: int, m: int) -> float:
    """Squared discrepancy of two feature means with its expectation under "no change" taken off.

    |b - w|**2 - (1 - |b|**2) / m - (1 - |w|**2) / n, with b the mean over m baseline rows and w over n window
    rows, both of shape (features,). Zero on average when both come from one distribution; at most 2; negative
    by chance.

    References:
        Gretton et al. (2012), JMLR 13, 723-773, for the statistic; Zhao and Meng (2015) for features.
    """
    gap = float(((baseline - window) ** 2).sum())
    return gap - (1 - float((baseline**2).sum())) / m - (1 - float((window**2).sum())) / n
