"""Quantiles of values that occur so many times each."""

import numpy as np
import numpy.typing as npt


def quantile(values: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], share: float) -> float:
    """The smallest value that at least `share` of the rows do not exceed (the inverse distribution function).

    Args:
        values: increasing, shape (k,), k >= 1.
        counts: rows at each, shape (k,), with a sum of at least 1.
        share: in [0, 1].

    >>> quantile(np.array([1.0, 2.0, 9.0]), np.array([1, 2, 1]), 0.5)
    2.0
    """
    up_to = np.cumsum(counts)
    wanted = max(1, int(np.ceil(share * up_to[-1] - 1e-9)))
    return float(values[int(np.searchsorted(up_to, wanted))])
