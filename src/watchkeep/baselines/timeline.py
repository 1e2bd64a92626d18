"""What a baseline's own history shows of how blocks of time differ when nothing has changed.

Rows of one hour are more like each other than like those of other hours, hours of a day likewise, and Mondays are
not Sundays. A window is such a block: if it is held against rows in random order it always looks changed. So the
baseline is cut into blocks (hours, or longer ones), and each is foretold by the blocks of other days in the same
phase: hour of the day, day of the week, hour of the week, or none, whichever foretells a column best. What remains
differs from block to block beyond what rows in random order would; its variance, for stretches of one block and of
more, is what windows of the same length are allowed.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.blocks import FEWEST, Blocks
from watchkeep.baselines.buckets import Buckets
from watchkeep.baselines.foretelling import Column, Foretold, shares, summed
from watchkeep.baselines.relation_days import RelationDays
from watchkeep.baselines.seasons import DAY, Clock, Season, phase_of, phases_of
from watchkeep.baselines.spread import Places, Reals, Spread

Counts = npt.NDArray[np.int64]

PARTS: Final = 64
"""A block that a window lies in is counted in so many parts, for windows that are shorter."""
EXCHANGEABLE: Final = 0.01
"""The chance of days as different as they are, if rows came in random order, below which they did not."""


@dataclass(frozen=True, slots=True, eq=False)
class Unrest:
    """How far blocks differ beyond what rows in random order do.

    Args:
        means: of the columns' locations, of their spreads, and of the rates of all buckets, shape
            (2 columns + buckets,).
        histograms: of the columns' histograms, shape (columns,).
        ways: in how many ways each column's histogram moves from day to day, shape (columns,).
        relations: how the relations between columns differ; None when that is not known.
    """

    means: Spread
    histograms: Spread
    ways: Reals
    relations: RelationDays | None = None

    def only(self, columns: Places, buckets: Places, count: int) -> "Unrest":
        """That of some columns, out of `count`, and of their buckets; relations are between all and stay."""
        means = self.means.pick(np.concatenate([columns, count + columns, 2 * count + buckets]))
        return Unrest(means, self.histograms.pick(columns), self.ways[columns], self.relations)


@dataclass(frozen=True, eq=False)
class Timeline:
    """How blocks of a baseline differ.

    Args:
        step: hours of a block.
        blocks: how many hold rows.
        days: how many days do, or blocks when those are longer than a day.
        seasons: what the column of each bucket is foretold by, a `Season`, shape (buckets,); none where rows are
            exchangeable.
        phase_rows: rows by phase of the week, shape (phases,).
        phases: rows by phase of the week and bucket, shape (phases, buckets).
        terms: where runs of buckets begin that histograms are compared by; missing values are one of their own.
        unrest: how far blocks differ; None when days differ no more than rows in random order would.
    """

    step: int
    blocks: int
    days: int
    seasons: npt.NDArray[np.int8]
    phase_rows: Counts
    phases: Counts
    terms: npt.NDArray[np.intp]
    unrest: Unrest | None = None

    @property
    def exchangeable(self) -> bool:
        """Whether rows can be judged as if they came in random order."""
        return self.unrest is None

    @property
    def sentence(self) -> str:
        """How windows are judged, for people."""
        days = f"{self.days} {'days' if self.step <= DAY else 'blocks'}"
        if self.unrest is None:
            return f"rows judged as exchangeable: {days} differ no more than random rows would"
        kinds, columns = np.unique(self.seasons[self.seasons > 0], return_counts=True)
        named = [Season(kinds[at]).words for at in np.argsort(-columns, kind="stable").tolist()]
        by = f"by {' or '.join(named)}" if named else "by how blocks of time differ"
        return f"judged {by}; {days}"

    @property
    def sums(self) -> Reals:
        """Rows by phase, and parts of blocks, of the baseline itself, shape (phases + 1,)."""
        return np.append(self.phase_rows, self.blocks * PARTS).astype(np.float64)

    def only(self, before: Buckets, after: Buckets) -> "Timeline | None":
        """The timeline of fewer columns, or of as many in another order; None when there are new ones.

        Args:
            before: the buckets it was learned of.
            after: those it is wanted for.
        """
        if not set(after.subjects) <= set(before.subjects):
            return None
        columns = np.array([before.subjects.index(name) for name in after.subjects], np.intp)
        runs = [
            np.arange(begin, end) for begin, end in zip(before.starts[:-1], before.starts[1:], strict=True)
        ]
        buckets = np.concatenate([runs[at] for at in columns.tolist()])
        terms = [self.terms[(self.terms >= run[0]) & (self.terms <= run[-1])] - run[0] for run in runs]
        return replace(
            self,
            seasons=self.seasons[buckets],
            phases=self.phases[:, buckets],
            terms=np.concatenate(
                [begin + terms[at] for begin, at in zip(after.starts, columns.tolist(), strict=False)]
            ),
            unrest=None if self.unrest is None else self.unrest.only(columns, buckets, len(before.subjects)),
        )

    def when(self, hours: Counts, rows: Counts, share: float) -> Counts:
        """Rows by phase of the week and, last, parts of blocks, shape (phases + 1,), of rows by hour.

        Args:
            hours: since 1970, shape (hours,).
            rows: in each, shape (hours,).
            share: of a block that lies between the first row and the last, for windows shorter than one.
        """
        places = hours // self.step
        blocks = len(np.unique(places[rows > 0]))
        parts = blocks * PARTS
        if blocks == 1 and 0 < share < 1:  # rows that all have one time stand for a whole block
            parts = max(1, round(share * PARTS))
        by_phase = np.bincount(phase_of(places, self.step), rows, len(self.phase_rows))
        return np.append(by_phase, parts).astype(np.int64)

    def foretold(self, rows: Reals) -> Reals:
        """Share of the rows in each bucket, of windows with so many rows by phase of the week.

        Args:
            rows: by phase, shape (windows, phases). A window of which no phase is known is like the baseline.

        Returns:
            Shape (windows, buckets).
        """
        total = rows.sum(axis=1, keepdims=True)
        phases = np.where(total > 0, rows / np.maximum(total, 1), self.phase_rows / self.phase_rows.sum())
        found: Reals = phases @ self._expected
        return found

    @cached_property
    def _expected(self) -> Reals:
        """Share of the rows by phase of the week and bucket, shape (phases, buckets)."""
        phases = np.arange(len(self.phase_rows))
        whole = self.phases.sum(axis=0) / max(1, int(self.phase_rows.sum()))
        out = np.empty(self.phases.shape)
        for season in Season:
            mine = np.flatnonzero(self.seasons == season)
            if len(mine):
                of = season.of(phases, self.step)
                out[:, mine] = shares(
                    summed(of, self.phases[:, mine]), summed(of, self.phase_rows), whole[mine]
                )[of]
        return out


def timeline_of(blocks: Blocks, buckets: Buckets) -> Timeline | None:
    """What blocks show of how they differ; None when they are too few."""
    clock = Clock.of(blocks) if len(blocks.rows) >= FEWEST else None
    if clock is None or not clock.chains or not len(buckets.subjects):
        return None
    least = math.log(EXCHANGEABLE) - math.log(len(buckets.subjects))
    same = all(column.chance() > least for column in _columns(blocks, buckets, clock))
    found = [] if same else [column.foretold() for column in _columns(blocks, buckets, clock)]
    seasons = [int(one.season) for one in found] if found else [int(Season.NONE)] * len(buckets.subjects)
    count = phases_of(blocks.step)
    return Timeline(
        step=blocks.step,
        blocks=len(blocks.rows),
        days=int(clock.days[-1]) + 1,
        seasons=np.repeat(seasons, np.diff(buckets.starts)).astype(np.int8),
        phase_rows=summed(clock.phases, blocks.rows, count).astype(np.int64),
        phases=summed(clock.phases, blocks.counts, count).astype(np.int64),
        terms=np.concatenate(
            [
                begin + column.starts
                for begin, column in zip(buckets.starts, _columns(blocks, buckets, clock), strict=False)
            ]
        ),
        unrest=None if same else _unrest(found),
    )


def _columns(blocks: Blocks, buckets: Buckets, clock: Clock) -> Iterator[Column]:
    """Column by column: their counts as doubles would be large, all together."""
    rows = blocks.rows.astype(np.float64)
    for begin, end in zip(buckets.starts[:-1].tolist(), buckets.starts[1:].tolist(), strict=True):
        yield Column(
            clock,
            rows,
            blocks.counts[:, begin:end].astype(np.float64),
            kinds=buckets.kinds[begin:end],
            location=buckets.location[begin:end],
            spread=buckets.spread[begin:end],
        )


def _unrest(found: Sequence[Foretold]) -> Unrest:
    histograms = _side_by_side([one.histogram for one in found])
    return Unrest(_all_means(found), histograms, np.array([one.ways for one in found]))


def _all_means(found: Sequence[Foretold]) -> Spread:
    """Locations of all columns, then their spreads, then the rates of all their buckets."""
    together = _side_by_side([one.spread for one in found])
    widths = np.array([one.spread.variances.shape[1] for one in found])
    starts = np.cumsum(widths) - widths
    first = np.zeros(int(widths.sum()), np.bool_)
    first[np.concatenate([starts, starts + 1])] = True
    return together.pick(np.concatenate([starts, starts + 1, np.flatnonzero(~first)]))


def _side_by_side(spreads: Sequence[Spread]) -> Spread:
    return Spread(
        spreads[0].lengths,
        np.concatenate([one.variances for one in spreads], axis=1),
        np.concatenate([one.degrees for one in spreads], axis=1),
        spreads[0].units,
        np.concatenate([one.shares for one in spreads], axis=1),
        np.concatenate([one.skews for one in spreads], axis=1),
        np.concatenate([one.excesses for one in spreads], axis=1),
    )
