"""Which bin each of many numbers lies in, near the speed of reading them."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from watchkeep.states.bins import Bins
from watchkeep.states.cells import keys_of


class Places:
    """Places in bins: 0 below them all, then the bins, then one above.

    Args:
        bins: a baseline's; with none of them every number is above.

    >>> from watchkeep.states.cells import Cells
    >>> bins = Bins.of(Cells.of(np.array([0.25, 0.5])), mean=0.5, deviation=0.1)
    >>> Places(bins).of(np.array([0.1, 0.25, 9.0])).tolist()
    [0, 1, 4]
    """

    def __init__(self, bins: Bins) -> None:
        self.bins = bins

    def __len__(self) -> int:
        return len(self.bins) + 2

    @cached_property
    def _table(self) -> npt.NDArray[np.uint16]:
        keys = self.bins.grid.keys_at(np.arange(self.bins.grid.size, dtype=np.int64))
        return np.searchsorted(self.bins.edges, keys, side="right").astype(np.uint16)

    def of(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint16]:
        """The place of each value, shape (n,); values hold no NaN."""
        if not len(self.bins):
            return np.ones(len(values), np.uint16)
        values = np.ascontiguousarray(values)
        slots = self.bins.grid.slots_of(values)
        places = self._table.take(slots, mode="clip")
        strange = np.flatnonzero(slots >= self.bins.grid.size)
        if len(strange):
            keys = keys_of(values[strange] + 0.0) >> self.bins.shift  # -0.0 lies where 0.0 does
            places[strange] = np.searchsorted(self.bins.edges, keys, side="right")
        return places
