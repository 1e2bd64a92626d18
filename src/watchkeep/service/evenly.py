"""Of rows that stand for different numbers of others, as many as make every row stand for the same number."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import plain
from watchkeep.frames.roles import Roles
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.service.chosen import Chosen
from watchkeep.service.joining import Labelled
from watchkeep.service.ports import EVENLY, EVER, Ask, Source, Weights, weights_of
from watchkeep.stats.hashing import mixed

_ALL: Final = 2.0**64
_OTHERWISE: Final = np.uint64(0x6576656E)
"""Draws that have nothing to do with those of other samples."""


@dataclass(frozen=True, slots=True)
class Even(Chosen):
    """A plain sample of a sample: each row stays with a chance of its weight by the greatest one.

    A row that was kept with chance p weighs 1 / p. With the greatest weight w it stays with chance 1 / (p w), so in all
    with chance 1 / w, as every other row: measures of counts, shares and distances need not know of weights, and
    neither does what they allow for noise. Which rows stay is told by their ids, so whoever reads them, in whatever
    parts, finds the same.

    Args:
        source: all the rows.
        weighed: how many rows each stands for.
    """

    weighed: Weights

    @property
    def needed(self) -> Collection[str]:
        """The columns of the weight and of the id."""
        return self.weighed.column, self.weighed.id

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows that stay; the others lie outside of an even sample."""
        asked = self.source.schema(ask).names if ask.columns is None else ask.columns
        for batch in self.source.batches(self.asked(replace(ask, columns=list(asked)))):
            found = batch.filter(self._stays(batch), outside=EVENLY) if batch.rows else batch
            yield replace(found, names=tuple(name for name in found.names if name in asked))

    def _stays(self, batch: Batch) -> npt.NDArray[np.bool_]:
        weights = np.ones(batch.rows)
        if self.weighed.column in batch.names:  # else of a file whose rows stand for themselves
            weights = plain(pc.fill_null(batch.column(self.weighed.column).cast(pa.float64()), 1.0))
        drawn = mixed(text_hashes(batch.column(self.weighed.id)) ^ _OTHERWISE)
        stays: npt.NDArray[np.bool_] = drawn.astype(np.float64) < weights / self.weighed.most * _ALL
        return stays


def evenly(source: Source, roles: Roles, window: Window = EVER) -> Source:
    """The rows of a source, or a plain sample of them where they stand for different numbers of others.

    Predictions that labels were joined to stay as they are.

    Args:
        source: the rows.
        roles: where they name weights, these are the user's own, and all rows stay.
        window: only rows of this time.
    """
    if roles.weight is not None or isinstance(source, Labelled):
        return source
    weights = weights_of(source, Ask(timestamp=roles.timestamp, window=window))
    if weights is None or weights.least == weights.most:
        return source
    return Even(source, weights)
