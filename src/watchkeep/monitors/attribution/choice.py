"""Some of many rows, each with the same chance."""

from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.frames.buffers import positions
from watchkeep.stats.attribution_drift import Doubles

_SEED: Final = 0x5DEECE66D


class RowChoice:
    """Rows chosen at random while they pass by. The same rows in the same order are chosen again.

    Args:
        most: how many to choose; all of fewer.
        seed: another one chooses others.

    >>> choice = RowChoice(2, seed=1)
    >>> choice.add(pa.table({"age": [41, 7, 12]}))
    >>> choice.rows().num_rows
    2
    """

    def __init__(self, most: int, *, seed: int) -> None:
        self._most = most
        self._rng = np.random.default_rng([_SEED, seed])
        self._chosen: list[tuple[Doubles, pa.Table]] = []
        self._held = 0

    def add(self, rows: pa.Table) -> None:
        """Some rows pass by."""
        self._chosen.append((self._rng.random(rows.num_rows), rows))
        self._held += rows.num_rows
        if self._held > 4 * self._most + 10_000:
            self._chosen = [self._best()]
            self._held = len(self._chosen[0][0])

    def rows(self) -> pa.Table | None:
        """Those that were chosen of all so far, in the order in which they came; None when none came."""
        return self._best()[1].combine_chunks() if self._chosen else None

    def _best(self) -> tuple[Doubles, pa.Table]:
        """The rows that drew the lowest lots."""
        lots = np.concatenate([one for one, _ in self._chosen])
        table = pa.concat_tables([one for _, one in self._chosen], promote_options="permissive")
        if len(lots) <= self._most:
            return lots, table
        kept = np.sort(np.argpartition(lots, self._most)[: self._most])
        return lots[kept], table.take(positions(kept))
