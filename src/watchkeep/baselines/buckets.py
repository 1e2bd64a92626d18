"""What a watch is told of a column: rows by bucket, and how far each bucket lies from the middle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.columns import BaselineColumn
from watchkeep.frames.roles import Role
from watchkeep.measures.columns import compared_starts
from watchkeep.profiles.profile import Profile
from watchkeep.states.bins import BinCounts, Bins
from watchkeep.states.categories import CategoryCounts
from watchkeep.states.codec import State, part_of
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.groups import Groups
from watchkeep.states.presence import Presence
from watchkeep.stats.normal import scores

Counts = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

LISTED = 32
"""Categories that have a bucket each, at the most; the others share one."""
APART = 4.0
"""Standard deviations by which the last of many categories that has a bucket is more frequent than the next one."""
FARTHEST = 2.5
"""Scores are bounded: no row lies farther from the middle than so many standard deviations."""


class Kind(IntEnum):
    """What the rows of a bucket have in common."""

    NUMBER = 0  # a stretch of the baseline's range
    CATEGORY = 1  # a category of the baseline, or several
    BEYOND = 2  # a number outside the baseline's range
    FAR = 3  # a number far outside
    STRANGE = 4  # a category the baseline lacks, or a value of another type
    MISSING = 5  # no value


NUMBERS = (Kind.NUMBER, Kind.BEYOND, Kind.FAR)
FAR_RANGES = 10.0
"""A number is far outside when it is beyond the baseline's range by more than so many times that range."""


@dataclass(frozen=True, eq=False)
class Buckets:
    """The buckets of all columns, one column after another.

    Args:
        subjects: the columns.
        starts: where each column's buckets begin, and the end, shape (subjects + 1,).
        kinds: of each bucket, a `Kind`, shape (buckets,).
        baseline: the baseline's rows in each, shape (buckets,).
        once: categories that a single row of the baseline has, by column, shape (subjects,): about as many rows are
            of categories never seen.

    References:
        Good (1953), Biometrika 40, 237-264 (the share of what was never seen).
    """

    subjects: tuple[str, ...]
    starts: npt.NDArray[np.intp]
    kinds: npt.NDArray[np.int8]
    baseline: Counts
    once: Counts

    @cached_property
    def column(self) -> npt.NDArray[np.intp]:
        """The column of each bucket, shape (buckets,)."""
        return np.repeat(np.arange(len(self.subjects)), np.diff(self.starts))

    @cached_property
    def location(self) -> Reals:
        """How far each bucket of numbers lies from the middle, shape (buckets,).

        The normal quantile of a bucket's middle rank, standardised over the baseline's rows; 0 where there is none.
        """
        return self._scores[0]

    @cached_property
    def spread(self) -> Reals:
        """How far out each bucket of numbers lies on either side: squares of `location`, uncorrelated with it."""
        return self._scores[1]

    @cached_property
    def _scores(self) -> tuple[Reals, Reals]:
        location, spread = np.zeros(len(self.kinds)), np.zeros(len(self.kinds))
        for begin, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            kinds = self.kinds[begin:end]
            placed = begin + np.flatnonzero(np.isin(kinds, NUMBERS))
            rows = self.baseline[placed]
            if np.count_nonzero(rows) < 2:
                continue
            ranks = (np.cumsum(rows) - rows / 2 + 0.25) / (rows.sum() + 0.5)
            first = standardised(np.clip(scores(ranks), -FARTHEST, FARTHEST), rows)
            location[placed] = first
            if np.count_nonzero(rows) < 3:
                continue
            squares = first * first
            share = rows / rows.sum()
            spread[placed] = standardised(squares - (share * squares * first).sum() * first, rows)
        return location, spread

    def counts(self, profile: Profile, columns: Iterable[BaselineColumn]) -> Counts:
        """A window's rows by bucket, shape (buckets,); zeros for a label that has not arrived."""
        by_column: dict[str, dict[str, State]] = {}
        for (name, part), state in profile.parts.items():
            by_column.setdefault(name, {})[part] = state
        found = [
            np.zeros(end - begin, np.int64)
            if column.role is Role.LABEL and not profile.seen.get(column.name)
            else _window(column, by_column.get(column.name, {}), profile.rows)
            for column, begin, end in zip(_watched(columns), self.starts[:-1], self.starts[1:], strict=True)
        ]
        return np.concatenate(found) if found else np.zeros(0, np.int64)


def buckets_of(columns: Sequence[BaselineColumn]) -> Buckets:
    """The buckets of a baseline's columns, with its own rows in them."""
    subjects, kinds, rows = [], [], []
    for column in _watched(columns):
        own = _baseline(column)
        subjects.append(column.name)
        kinds.append(np.array([kind for kind, _ in own], np.int8))
        rows.append(np.array([count for _, count in own], np.int64))
    lengths = [len(each) for each in kinds]
    none = np.zeros(0, np.int64)
    return Buckets(
        tuple(subjects),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp),
        np.concatenate([*kinds, none.astype(np.int8)]),
        np.concatenate([*rows, none]),
        np.array([_once(column) for column in _watched(columns)], np.int64),
    )


_UNWATCHED = (Role.ID, Role.QUERY, Role.MEMBERS, Role.TIMESTAMP, Role.WEIGHT, Role.IGNORED)


def _watched(columns: Iterable[BaselineColumn]) -> Iterator[BaselineColumn]:
    return (column for column in columns if column.role not in _UNWATCHED)


def _baseline(column: BaselineColumn) -> list[tuple[Kind, int]]:
    """Kind and rows of each bucket of a column."""
    presence = column.presence
    absent = (Kind.MISSING, presence.missing)
    bins, listed, groups = (
        column.part("bins", Bins),
        column.part("categories", Frequencies),
        column.part("groups", Groups),
    )
    if bins is not None and len(bins):
        starts = compared_starts(bins.counts)
        numbers = [(Kind.NUMBER, int(rows)) for rows in np.add.reduceat(bins.counts, starts)]
        foreign = presence.present - bins.total
        below, above = [(Kind.FAR, 0), (Kind.BEYOND, 0)], [(Kind.BEYOND, 0), (Kind.FAR, 0)]
        return [*below, *numbers, *above, (Kind.STRANGE, max(0, foreign)), absent]
    if listed is not None and listed.exact and listed.total:
        ranked, own = [rows for _, rows in listed.ranked()], own_buckets(listed)
        named = [(Kind.CATEGORY, rows) for rows in ranked[:own]]
        return [*named, (Kind.CATEGORY, sum(ranked[own:])), (Kind.STRANGE, 0), absent]
    if groups is not None and groups.counts.sum():
        return [*((Kind.CATEGORY, int(rows)) for rows in groups.counts), absent]
    return [(Kind.CATEGORY, presence.present), absent]


def own_buckets(listed: Frequencies) -> int:
    """How many of the most frequent categories have a bucket each.

    All of a few. Of many, those that are more frequent than the next by more than chance: which of many alike come
    first is luck of the baseline's rows, and a window, which does not share it, would look as if it had changed.

    >>> alike = {str(i): 100 for i in range(99)}
    >>> own_buckets(Frequencies.of({"EWR": 70, "JFK": 20})), own_buckets(Frequencies.of(alike))
    (2, 0)
    >>> own_buckets(Frequencies.of({"EWR": 5000, "JFK": 2000} | alike))
    2
    """
    rows = np.array([count for _, count in listed.ranked()[: LISTED + 1]], np.float64)
    if len(rows) <= LISTED:
        return len(rows)
    clear = rows[:-1] - rows[1:] > APART * np.sqrt(rows[:-1] + rows[1:])
    return int(np.flatnonzero(clear)[-1]) + 1 if clear.any() else 0


def _once(column: BaselineColumn) -> int:
    listed = column.part("categories", Frequencies)
    return 0 if listed is None else sum(rows == 1 for _, rows in listed.ranked())


def _window(column: BaselineColumn, parts: Mapping[str, State], rows: int) -> Counts:
    """A window's rows in the buckets of a column."""
    presence = part_of(parts, "presence", Presence) or Presence(rows)
    bins, listed, groups = (
        column.part("bins", Bins),
        column.part("categories", Frequencies),
        column.part("groups", Groups),
    )
    if bins is not None and len(bins):
        counts = part_of(parts, "bin_counts", BinCounts) or BinCounts.empty(len(bins))
        numbers = np.add.reduceat(counts.counts, compared_starts(bins.counts))
        foreign = presence.present - counts.total
        low, high = float(bins.lows[0]), float(bins.highs[-1])
        with np.errstate(over="ignore"):
            reach = FAR_RANGES * (high - low)
            far_below = int(counts.below.counts[counts.below.lows() < low - reach].sum())
            far_above = int(counts.above.counts[counts.above.lows() > high + reach].sum())
        below = [far_below, counts.below.total - far_below]
        above = [counts.above.total - far_above, far_above]
        return np.concatenate([below, numbers, above, [max(0, foreign), presence.missing]])
    if listed is not None and listed.exact and listed.total:
        kept = part_of(parts, "category_counts", CategoryCounts) or CategoryCounts.empty(len(listed.counts))
        own = own_buckets(listed)
        rest = [kept.counts[own:].sum(), kept.rest.total, presence.missing]
        return np.concatenate([kept.counts[:own], rest])
    if groups is not None and groups.counts.sum():
        now = part_of(parts, "groups", Groups) or Groups.empty()
        return np.concatenate([now.counts, [presence.missing]])
    return np.array([presence.present, presence.missing])


def standardised(values: Reals, rows: npt.NDArray[np.integer[Any]]) -> Reals:
    """Values of buckets with so many rows each, moved and scaled to mean 0 and variance 1; zeros if all are alike."""
    share = rows / rows.sum()
    centred = values - (share * values).sum()
    deviation = float(np.sqrt((share * centred * centred).sum()))
    return centred / deviation if deviation > 1e-9 else np.zeros(len(values))
