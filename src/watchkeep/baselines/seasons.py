"""Phases of the day and of the week, and stretches of the blocks of a baseline."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.blocks import Blocks
from watchkeep.baselines.spread import FEWEST, Places, Stretches

Counts = npt.NDArray[np.int64]

DAY: Final = 24
"""Hours."""
WEEK: Final = 7
"""Days."""
CYCLES: Final = 3
"""Days that each phase of a season must have been seen on."""
DOUBLINGS: Final = (1, 2, 4, 8, 16)
"""Blocks, and days, that are put together."""
_LOST: Final = 0.02  # share of the rows that may be in phases seen too seldom


class Season(IntEnum):
    """What a column is foretold by."""

    NONE = 0
    HOUR_OF_DAY = 1
    DAY_OF_WEEK = 2
    HOUR_OF_WEEK = 3

    @property
    def words(self) -> str:
        """As a reader would call it."""
        return self.name.lower().replace("_", " ")

    @property
    def hourly(self) -> bool:
        """Whether the blocks of a day differ in phase."""
        return self in (Season.HOUR_OF_DAY, Season.HOUR_OF_WEEK)

    @property
    def weekly(self) -> bool:
        """Whether the days of a week differ in phase."""
        return self in (Season.DAY_OF_WEEK, Season.HOUR_OF_WEEK)

    def of(self, phases: npt.NDArray[Any], step: int) -> Places:
        """This season's phase of phases of the week, of blocks of `step` hours; from 0."""
        if self is Season.HOUR_OF_DAY:
            return np.asarray(phases % per_day(step))
        if self is Season.DAY_OF_WEEK:
            return np.asarray(phases // per_day(step))
        return phases if self is Season.HOUR_OF_WEEK else np.zeros_like(phases)


def per_day(step: int) -> int:
    """Blocks of `step` hours in a day; at least 1."""
    return max(1, DAY // step)


def phases_of(step: int) -> int:
    """Phases of a week of blocks of `step` hours; 1 when they are longer than a day."""
    return WEEK * per_day(step) if step <= DAY else 1


def phase_of(places: npt.NDArray[Any], step: int) -> Places:
    """The phase of the week of blocks, counted since 1970."""
    return np.asarray(places % phases_of(step)).astype(np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """When the blocks of a baseline are.

    Args:
        step: hours of a block.
        phases: of the week, shape (blocks,).
        days: the day of each block, counted over days that have any, shape (blocks,); blocks, when those are longer.
        chains: stretches of blocks, if a day has several, and of days: each once, twice, ... as long.
        seasons: that the blocks have been through often enough, shortest first.
    """

    step: int
    phases: Places
    days: Places
    chains: tuple[tuple[Stretches, ...], ...]
    seasons: tuple[Season, ...]

    @classmethod
    def of(cls, blocks: Blocks) -> "Clock":
        """The clock of these blocks."""
        step, places = blocks.step, blocks.places
        phases = phase_of(places, step)
        days = np.unique(places * step // DAY if step <= DAY else places, return_inverse=True)[1]
        count = int(days[-1]) + 1
        first = np.searchsorted(days, np.arange(count))
        sizes = np.diff(np.append(first, len(days)))
        typical = float(np.median(sizes))
        within = (
            [times for times in DOUBLINGS if times == 1 or times <= typical / 1.5] if typical >= 2 else []
        )
        hours = [_stretches(np.arange(len(days)) // times, times, float(times)) for times in within]
        whole = [_stretches(days // times, None, times * typical) for times in DOUBLINGS]
        whole = [each for each, times in zip(whole, DOUBLINGS, strict=True) if count // times >= FEWEST]
        hours = [each for each in hours if len(each) >= FEWEST]
        chains = tuple(tuple(chain) for chain in (hours, whole) if chain) if whole else ()
        clock = cls(step, phases, days, chains, ())
        seasons = tuple(season for season in Season if clock._been_through(season, blocks.rows))
        return cls(step, phases, days, clock.chains, seasons)

    def phase(self, season: Season) -> Places:
        """The season's phase of each block."""
        return season.of(self.phases, self.step)

    def _been_through(self, season: Season, rows: Counts) -> bool:
        if season is Season.NONE:
            return True
        if (season.hourly and self.step >= DAY) or (season.weekly and self.step > DAY):
            return False
        phase = self.phase(season)
        pairs = np.unique(phase * (int(self.days[-1]) + 1) + self.days)
        seen = np.bincount(pairs // (int(self.days[-1]) + 1), minlength=int(phase.max()) + 1)
        phases = len(np.unique(phase))
        return phases > 1 and int(rows[seen[phase] < CYCLES].sum()) <= _LOST * int(rows.sum())


def _stretches(groups: Places, size: int | None, length: float) -> Stretches:
    """Blocks of one group together; only of groups that have `size` of them, if that is given."""
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    sizes = np.diff(np.append(starts, len(groups)))
    whole = np.ones(len(starts), np.bool_) if size is None else sizes == size
    order = np.flatnonzero(np.repeat(whole, sizes))
    kept = sizes[whole]
    return Stretches(length, order, (np.cumsum(kept) - kept).astype(np.intp))
