"""What a column's chart shows: the baseline's and the window's shares over the same bins."""

import numpy as np
import numpy.typing as npt

from watchkeep.core.undefined import Undefined
from watchkeep.formats.column_documents import Parts, value
from watchkeep.measures.columns import Column, compared_starts
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.codec import part_of
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import Frequencies

_NOTHING = 1e-300  # nearer to 0 than any number that was meant

BARS = 12
"""Categories shown by name."""


def chart(baseline: Parts, window: Parts | None) -> dict[str, object]:
    """The chart of one column; `window` is None when there is only a baseline."""
    bins = part_of(baseline, "bins", Bins)
    if bins is not None:
        return _numeric(bins, baseline, window)
    listed = part_of(baseline, "categories", Frequencies)
    if listed is not None:
        return _categorical(listed, window)
    return {"kind": "none", "why": "a column of this type has no chart"}


def _numeric(bins: Bins, baseline: Parts, window: Parts | None) -> dict[str, object]:
    if not len(bins):
        return {"kind": "none", "why": "the baseline holds no numbers"}
    starts = compared_starts(bins.counts)
    edges = _edges(bins, starts)
    extremes = part_of(baseline, "extremes", Extremes)
    if extremes is not None and not extremes.empty:
        edges = np.clip(edges, extremes.low, extremes.high)
    counts = None if window is None else part_of(window, "bin_counts", BinCounts)
    if not np.isfinite(edges).all():
        return {"kind": "none", "why": "the baseline's range is infinite"}
    before = np.add.reduceat(bins.counts, starts) / bins.total
    told: dict[str, object] = {
        "kind": "numeric",
        "edges": [value(float(edge)) for edge in edges],
        "baseline": _shares(before),
        "window": None,
        "below": [0.0, 0.0],
        "above": [0.0, 0.0],
    }
    if counts is not None and counts.total:
        told["window"] = _shares(np.add.reduceat(counts.counts, starts) / counts.total)
        told["below"] = [0.0, _share(counts.below.total / counts.total)]
        told["above"] = [0.0, _share(counts.above.total / counts.total)]
    return told


def _categorical(listed: Frequencies, window: Parts | None) -> dict[str, object]:
    if not listed.total:
        return {"kind": "none", "why": "the baseline holds no values"}
    if not listed.exact:
        return {"kind": "none", "why": f"over {listed.limit} categories, compared in groups of them"}
    counts = None if window is None else part_of(window, "category_counts", CategoryCounts)
    named = listed.ranked()
    order = list(range(len(named)))
    if counts is not None and counts.total:
        # The most frequent of either side: a category that grew is not lost among the others.
        weight = [
            max(count / listed.total, now / counts.total)
            for (_, count), now in zip(named, counts.counts, strict=True)
        ]
        order.sort(key=lambda place: (-weight[place], place))
    shown = sorted(order[:BARS])
    told: dict[str, object] = {
        "kind": "categorical",
        "labels": [named[place][0] for place in shown],
        "baseline": [_share(named[place][1] / listed.total) for place in shown],
        "window": None,
        "other": [_share(1 - sum(named[place][1] for place in shown) / listed.total), 0.0],
        "unseen": [0.0, 0.0],
    }
    if counts is not None and counts.total:
        now = [int(counts.counts[place]) for place in shown]
        known = int(counts.counts.sum())
        told["window"] = [_share(count / counts.total) for count in now]
        before = 1 - sum(named[place][1] for place in shown) / listed.total
        told["other"] = [_share(before), _share((known - sum(now)) / counts.total)]
        told["unseen"] = [0.0, _share(counts.rest.total / counts.total)]
    return told


def bins_document(column: Column) -> dict[str, object] | None:
    """Edges and rows of the bins that shape distances are taken over, so that anybody can take them again.

    The first and the last count are the rows below and above the baseline's range.
    """
    coarse = column.coarse
    if isinstance(coarse, Undefined):
        return None
    told: dict[str, object] = {"baseline": coarse.baseline.tolist(), "window": coarse.window.tolist()}
    if coarse.labels is not None:
        return told | {"labels": list(coarse.labels)}
    bins = column.before("bins", Bins)
    if bins is None:
        return None
    edges = _edges(bins, compared_starts(bins.counts))
    return told | {"edges": [value(float(edge)) if np.isfinite(edge) else None for edge in edges]}


def _shares(values: npt.NDArray[np.float64]) -> list[float]:
    return [_share(float(each)) for each in values]


def _share(number: float) -> float:
    return float(f"{max(0.0, number):.6g}")


def _edges(bins: Bins, starts: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Where bins that begin at `starts` begin, and where the last ends."""
    edges = np.append(bins.lows[starts], bins.highs[-1])
    # After a bin of zeros alone the next begins at the double after 0, which nobody wants to read.
    return np.where(np.abs(edges) < _NOTHING, 0.0, edges)
