"""Matches predictions with labels in memory, where every id is there once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import filled, plain, positions
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.service.joining import DelayQuantiles
from watchkeep.stats.hashing import Hashes


@dataclass(frozen=True, slots=True)
class Matched:
    """Predictions that have a label.

    Args:
        rows: their places among all predictions, ascending, shape (n,).
        labels: texts, shape (n,).
        delay: how long labels took.
    """

    rows: npt.NDArray[np.int64]
    labels: pa.Array
    delay: DelayQuantiles | None


def match_once(column: Callable[[str, str], pa.Array], *, slack: int) -> Matched:
    """Predictions with their labels. Candidates are found by hashes of ids, and kept where the ids are equal.

    Args:
        column: gives a column of `predictions` (row, ascending; id; moment) or of `labels` (id; label; arrival). No id
            and no hash of one is there twice.
        slack: microseconds that a label may have come later than its time of arrival.

    >>> predictions = pa.table({"row": [0, 1], "id": ["a", "b"], "moment": [0, 5]})
    >>> labels = pa.table({"id": ["b", "c"], "label": ["yes", "no"], "arrival": [1_000_005, None]})
    >>> tables = {"predictions": predictions, "labels": labels}
    >>> found = match_once(lambda what, name: tables[what].column(name).combine_chunks(), slack=0)
    >>> found.rows.tolist(), found.labels.to_pylist(), found.delay.median
    ([1], ['yes'], 1.0)
    """
    ours, theirs = _equal(column("predictions", "id"), column("labels", "id"))
    mine, taken = positions(ours), positions(theirs)
    moments, arrivals = column("predictions", "moment").take(mine), column("labels", "arrival").take(taken)
    return Matched(
        plain(column("predictions", "row"))[ours],
        column("labels", "label").take(taken),
        _delay(moments, arrivals, slack),
    )


def _equal(ours: pa.Array, theirs: pa.Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The places of equal ids, those of ours ascending; shapes (n,)."""
    one, other = _candidates(text_hashes(ours), text_hashes(theirs))
    same = pc.equal(ours.take(positions(one)), theirs.take(positions(other)))
    kept = plain(same.cast(pa.uint8())).astype(np.bool_)
    return one[kept], other[kept]


def _candidates(ours: Hashes, theirs: Hashes) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The places of equal hashes, those of ours ascending; shapes (n,)."""
    order = np.argsort(theirs)
    known = theirs[order]
    if not len(known):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    # Hashes in order are looked up several times faster than in the order of the rows.
    mine = np.argsort(ours)
    at = np.empty(len(ours), np.intp)
    at[mine] = np.minimum(np.searchsorted(known, ours[mine]), len(known) - 1)
    found = np.flatnonzero(known[at] == ours)
    return found, order[at[found]]


def _delay(moments: pa.Array, arrivals: pa.Array, slack: int) -> DelayQuantiles | None:
    both = plain(pc.and_(pc.is_valid(moments), pc.is_valid(arrivals)).cast(pa.uint8())).astype(np.bool_)
    asked, came = filled(moments, 0)[both], filled(arrivals, 0)[both]
    delays = np.where((came < asked) & (asked < came + slack), 0.0, (came - asked) / 1e6)
    delays.sort()
    return DelayQuantiles.of([delays], rows=len(delays), negative=int(np.count_nonzero(delays < 0)))
