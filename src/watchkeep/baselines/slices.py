"""Columns as a search for slices of the rows tells them apart: by category, or by stretches of numbers."""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.buckets import LISTED
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.frames.schema import ColumnType
from watchkeep.measures.columns import compared_starts
from watchkeep.states.bins import Bins
from watchkeep.states.frequencies import Frequencies
from watchkeep.stats.subgroup_terms import Candidate

Doubles = npt.NDArray[np.float64]

_MOST_DIGITS: Final = 12
_DIGITS: Final = 4  # significant ones, of the bounds of a range: as many as people want to read


def candidate_of(feature: BaselineColumn) -> Candidate | None:
    """How rows are told apart by a feature; None when its values are not listed."""
    bins, listed = feature.part("bins", Bins), feature.part("categories", Frequencies)
    if bins is not None and len(bins):
        if feature.type is ColumnType.EMBEDDING:
            return None
        lows = bins.lows[compared_starts(bins.counts)][1:]
        if not len(lows):
            return None
        return Candidate(name=feature.name, edges=_bounds(lows, whole=feature.type is ColumnType.INTEGRAL))
    if listed is not None and listed.exact and listed.total:
        names = [name for name, _ in listed.ranked()][:LISTED]
        boolean = feature.type is ColumnType.BOOLEAN
        return Candidate(
            name=feature.name, labels=tuple(name == "true" if boolean else name for name in names)
        )
    return None


def _bounds(lows: Doubles, *, whole: bool) -> tuple[float, ...]:
    """The largest values below where bins begin, in digits that people read."""
    if whole:
        return tuple(float(low - 1) if float(low).is_integer() else float(np.floor(low)) for low in lows)
    for digits in range(_DIGITS, _MOST_DIGITS):
        short = [float(f"{low:.{digits}g}") for low in lows.tolist()]
        if all(a < b for a, b in pairwise(short)):
            return tuple(short)
    return tuple(lows.tolist())


def slice_codes(feature: BaselineColumn, codes: Doubles) -> Doubles:
    """Codes of rows, as `blocks.codes_of` gives them, as those of its candidate.

    -1 for no value, one past the last for values of another kind; shape (rows,).
    """
    bins, listed = feature.part("bins", Bins), feature.part("categories", Frequencies)
    if bins is not None and len(bins):
        cells = len(compared_starts(bins.counts))
        inner = codes - 2  # two buckets lie below the range
        return np.where(
            (codes == cells + 5) | np.isnan(codes), -1, np.where(codes >= cells + 4, cells, inner)
        )
    names = 0 if listed is None else min(LISTED, len(listed.counts))
    return np.where((codes == names + 2) | np.isnan(codes), -1, codes)
