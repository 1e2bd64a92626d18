"""Memory that kernels work in: allocated once, used for every chunk, small enough to stay in a core's cache."""

import numpy as np
import numpy.typing as npt

CHUNK = 32_768
"""Values a kernel handles at once."""


class Scratch:
    """Arrays of `CHUNK` items for intermediate results; what one kernel leaves in them, the next overwrites.

    Not to be shared between threads.
    """

    def __init__(self) -> None:
        self.first = np.empty(CHUNK)
        self.second = np.empty(CHUNK)
        self.hashes = np.empty(CHUNK, np.uint64)
        self.spare = np.empty(CHUNK, np.uint64)
        self._slots = np.empty(CHUNK, np.int64)

    def slots(self, n: int) -> npt.NDArray[np.int64]:
        """Memory for the slots of n values: of a whole batch, which are counted at once."""
        if len(self._slots) < n:
            self._slots = np.empty(n, np.int64)
        return self._slots[:n]
