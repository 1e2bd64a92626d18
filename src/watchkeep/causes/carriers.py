"""Which slices of the rows carry the change of a column."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from watchkeep.baselines.blocks import codes_of
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.baselines.slices import candidate_of, slice_codes
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.text_values import Dialect
from watchkeep.stats.normal import upper_quantile
from watchkeep.stats.subgroup_terms import MISSING, Candidate, Term

LEAST_CARRIED: Final = 0.5
"""The share of a change that the rows of a slice must have, to be said to carry it."""
LEAD: Final = 1.5
"""How many times its share of the rows that must be: else it is about every slice's."""
CHANCE: Final = 0.001
"""That a slice is told though all rows share the change, all slices together."""
_FEWEST: Final = 30  # rows on every side
_SURE: Final = 2.0  # standard errors by which the share of a bucket must have grown

Codes = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


def carriers(
    columns: Sequence[BaselineColumn], name: str, before: pa.Table, now: pa.Table, dialect: Dialect
) -> tuple[str, ...]:
    """The rule of the slice that holds most of a column's change; none where all rows share it.

    A row shows the change when its value lies where the window has a larger share of its rows than the baseline.
    Slices are one category of another column, its numbers above or below a bound, or its missing values. The one is
    told in which showing rows rose most clearly against all others (by its standard errors, of which as many are
    asked as the number of slices needs), if at least half of the whole rise is its own, and clearly more than its share
    of the rows.

    Args:
        columns: of the baseline that tells rows apart.
        name: the column that changed.
        before, now: rows of the baseline and of the window, of the same columns.
        dialect: whose rules tell types apart.
    """
    known = {column.name: column for column in columns if column.name in before.column_names}
    if name not in known or min(before.num_rows, now.num_rows) < _FEWEST:
        return ()
    own = [_codes(known[name], rows, dialect) for rows in (before, now)]
    shows = [_grown(*own)[codes] for codes in own]
    found = []
    for other in known.values():
        candidate = candidate_of(other) if other.name != name else None
        if candidate is not None:
            codes = [
                slice_codes(other, _codes(other, rows, dialect).astype(np.float64)) for rows in (before, now)
            ]
            found += [
                (_rise([_inside(each, cells) for each in codes], shows), term)
                for cells, term in _slices(candidate)
            ]
    bar = upper_quantile(CHANCE / max(1, len(found)))
    carrying = [(rise.deviate, str(term)) for rise, term in found if rise is not None and rise.carries(bar)]
    return (max(carrying)[1],) if carrying else ()


@dataclass(frozen=True, slots=True)
class _Rise:
    """How much more rows show a change, inside a slice and out of it.

    Args:
        deviate: the difference of both rises over its standard error.
        share: the slice's share of the window's rows.
        carried: its share of the whole rise.
    """

    deviate: float
    share: float
    carried: float

    def carries(self, bar: float) -> bool:
        return self.deviate > bar and self.carried >= max(LEAST_CARRIED, LEAD * self.share)


def _rise(inside: Sequence[Mask], shows: Sequence[Mask]) -> _Rise | None:
    """The rise inside a slice and out of it; None where one side has too few rows."""
    rises, variance = [], 0.0
    for sign in (True, False):
        parts = [shown[mask == sign] for mask, shown in zip(inside, shows, strict=True)]
        if min(map(len, parts)) < _FEWEST:
            return None
        before, now = (float(part.mean()) for part in parts)
        rises.append(now - before)
        # Half a row on either side: a share of none or all is not known for sure.
        for part, share in zip(parts, (before, now), strict=True):
            near = (share * len(part) + 0.5) / (len(part) + 1)
            variance += near * (1 - near) / len(part)
    share = float(inside[1].mean())
    whole = share * rises[0] + (1 - share) * rises[1]
    return _Rise(
        (rises[0] - rises[1]) / math.sqrt(variance), share, share * rises[0] / whole if whole > 0 else 0.0
    )


def _slices(candidate: Candidate) -> Iterator[tuple[range, Term]]:
    """The cells of each slice that a column cuts, and its condition."""
    yield range(MISSING, MISSING + 1), Term(column=candidate.name)
    for at, label in enumerate(candidate.labels):
        yield range(at, at + 1), Term(column=candidate.name, equals=label)
    for at, edge in enumerate(candidate.edges):
        yield range(at + 1), Term(column=candidate.name, upto=edge)
        yield range(at + 1, candidate.cells), Term(column=candidate.name, above=edge)


def _inside(codes: npt.NDArray[np.float64], cells: range) -> Mask:
    return (codes >= cells.start) & (codes < cells.stop)


def _codes(column: BaselineColumn, rows: pa.Table, dialect: Dialect) -> Codes:
    return codes_of(column, one_chunk(rows.column(column.name)), dialect)


def _grown(before: Codes, now: Codes) -> Mask:
    """The buckets whose share of the rows grew beyond chance, shape (buckets,)."""
    size = int(max(before.max(), now.max())) + 1
    a, b = (np.bincount(codes, minlength=size) / len(codes) for codes in (before, now))
    error = np.sqrt(a * (1 - a) / len(before) + b * (1 - b) / len(now))
    return np.asarray(b - a > _SURE * error, np.bool_)
