"""How the relations between columns differ from day to day, when nothing has changed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.blocks import HOUR
from watchkeep.baselines.relations import RelationBaseline
from watchkeep.baselines.seasons import DAY, DOUBLINGS
from watchkeep.baselines.spread import FEWEST, MANY, Reals, Spread, of_means, spread_of
from watchkeep.frames.batches import Batch
from watchkeep.frames.categories import row_texts
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.text_values import Dialect
from watchkeep.frames.times import event_times

RANDOMLY: Final = 20.0
"""Rows for each unit of an influence's kurtosis, before its sum is near normal."""
BY_DAY: Final = 5.0
"""The same, when what days show tells how far from normal it is."""
_HEAVY: Final = 3.0  # excess kurtosis that relations are supposed to have before any day is seen
_ALONE = 1 << 18  # multiplications that OpenBLAS does on one thread


def correlations(known: RelationBaseline, sums: Reals) -> Reals:
    """Correlations of columns with their predictions, then of the pairs, shape (n, d + pairs).

    Args:
        known: the columns.
        sums: as `RelationBaseline.sums`, shape (n, 1 + d + d (d + 1) / 2).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        means, products = _seconds(known, sums)
        crossed, first, second = _related(known, products - means[:, :, None] * means[:, None, :])
        found: Reals = crossed / np.sqrt(first * second)
    return found


def influences(known: RelationBaseline, sums: Reals, references: Reals) -> Reals:
    """Mean influences of rows on the correlations of their references, shape (n, d + pairs).

    To first order that is how far the correlations of both differ, but it is a mean over rows however few there are.
    A correlation is not: among few rows its own scale, the deviations of both columns, is a matter of luck.

    Args:
        known: the columns.
        sums: as `RelationBaseline.sums`, shape (n, 1 + d + d (d + 1) / 2).
        references: the same, of what each is compared with.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        (means, products), (centres, before) = _seconds(known, sums), _seconds(known, references)
        about = centres[:, :, None] * (centres - means)[:, None, :]
        moved = products - means[:, :, None] * centres[:, None, :] + about
        crossed, first, second = _related(known, moved)
        own, *scales = _related(known, before - centres[:, :, None] * centres[:, None, :])
        scale = np.sqrt(scales[0] * scales[1])
        found: Reals = crossed / scale - own / scale * (first / scales[0] + second / scales[1]) / 2
    return found


def _seconds(known: RelationBaseline, sums: Reals) -> tuple[Reals, Reals]:
    """Means of scores, shape (n, d), and of products of two, shape (n, d, d)."""
    width = len(known.subjects)
    upper = np.triu_indices(width)
    products = np.empty((len(sums), width, width))
    products[:, upper[0], upper[1]] = sums[:, 1 + width :] / sums[:, :1]
    products[:, upper[1], upper[0]] = products[:, upper[0], upper[1]]
    return sums[:, 1 : 1 + width] / sums[:, :1], products


def _related(known: RelationBaseline, moments: Reals) -> tuple[Reals, Reals, Reals]:
    """Second moments of both sides of each relation: the mixed one, the first's and the second's.

    Args:
        known: the columns.
        moments: of two scores, shape (n, d, d).
    """
    own = np.einsum("sii->si", moments)
    crossed = np.matmul(known.tellers, moments)
    with_told, of_told = np.einsum("sii->si", crossed), (crossed * known.tellers).sum(axis=2)
    first, second = known.pairs
    sides = (with_told, moments[:, first, second]), (own, own[:, first]), (of_told, own[:, second])
    mixed, one, other = (np.concatenate(each, axis=1) for each in sides)
    return mixed, one, other


def judged(known: RelationBaseline, rows: Reals, *, per_kurtosis: float) -> npt.NDArray[np.bool_]:
    """Where so many rows, shape (n, 1), are enough to judge a relation, shape (n, d + pairs)."""
    enough = rows >= np.maximum(len(known.subjects), per_kurtosis * known.kurtoses)
    found: npt.NDArray[np.bool_] = enough & (known.deviations > 0)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class RelationDays:
    """How relations of stretches of days differ from those of the whole baseline, of d + pairs relations.

    Args:
        longest: the whole baseline, in blocks that hold rows.
        offsets: of stretches as long as those of `spread`, how far they lie apart on the average, in standard
            deviations of a row's influence, shape (lengths, d + pairs). Rows of one day have in common what differs
            from day to day.
        spread: how far from there.
        known: the relations that enough stretches have shown, shape (d + pairs,).
    """

    longest: float
    offsets: Reals
    spread: Spread
    known: npt.NDArray[np.bool_]

    def offset(self, lengths: Reals) -> Reals:
        """The offsets of stretches so many blocks long, shape (n, d + pairs)."""
        known = np.append(self.spread.lengths, self.longest)
        offsets = np.append(self.offsets, np.zeros((1, self.offsets.shape[1])), axis=0)
        places = np.interp(np.log(lengths), np.log(known), np.arange(len(known)))
        low = np.minimum(places.astype(np.intp), len(known) - 2)
        way = (places - low)[:, None]
        found: Reals = offsets[low] * (1 - way) + offsets[low + 1] * way
        return found


class DayScan:
    """Sums of scores by day, batch after batch.

    Args:
        known: the columns' scorers.
        time: the column of the event time.
        step: hours of a block; days are blocks when those are longer.
        dialect: whose rules tell types apart.
    """

    def __init__(self, known: RelationBaseline, *, time: str, step: int, dialect: Dialect) -> None:
        self._known, self._time, self._dialect = known, time, dialect
        self._length = HOUR * max(step, DAY)
        self._sums: dict[int, Reals] = {}

    def add(self, batch: Batch) -> None:
        """Score a batch."""
        if not batch.rows or self._time not in batch.names:
            return
        micros, valid = event_times(batch.column(self._time), textual=self._time in batch.textual)
        rows = np.flatnonzero(valid)
        if not len(rows):
            return
        scores = np.column_stack([self._scores(batch, at) for at in range(len(self._known.subjects))])
        days = micros // self._length
        rows = rows[np.argsort(days[rows], kind="stable")]
        starts = np.flatnonzero(np.append(True, np.diff(days[rows]) != 0))
        for day, mine in zip(days[rows][starts].tolist(), np.split(rows, starts[1:]), strict=True):
            sums = self._summed(scores[mine])
            self._sums[day] = self._sums[day] + sums if day in self._sums else sums

    def _scores(self, batch: Batch, at: int) -> Reals:
        scorer = self._known.plan.scorers[at]
        if scorer.name not in batch.names:
            return np.zeros(batch.rows)
        array = batch.column(scorer.name)
        if scorer.edges is None:
            return scorer.of_texts(row_texts(array))
        return scorer.of_numbers(read_numbers(array, self._dialect).at(np.arange(batch.rows)))

    def _summed(self, scores: Reals) -> Reals:
        width = scores.shape[1]
        products = np.zeros((width, width))
        # A product of few rows at a time is not shared out to threads, which would spin.
        size = max(1, _ALONE // (width * width))
        for start in range(0, len(scores), size):
            rows = scores[start : start + size]
            products += rows.T @ rows
        return np.concatenate([[len(scores)], scores.sum(axis=0), products[np.triu_indices(width)]])

    def days(self, per_day: float) -> RelationDays | None:
        """What the days show; None when they are too few, or hold too few rows. A day has `per_day` blocks."""
        sums = np.array([self._sums[day] for day in sorted(self._sums)])
        known = self._known
        if len(sums) < FEWEST:
            return None
        whole = correlations(known, sums.sum(axis=0)[None])
        offsets, chain = [], []
        learned: npt.NDArray[np.bool_] | None = None
        for times in DOUBLINGS:
            if len(sums) // times < FEWEST:
                break
            together = np.add.reduceat(sums, np.arange(0, len(sums) - times + 1, times), axis=0)
            gaps = (correlations(known, together) - whole) / np.where(
                known.deviations > 0, known.deviations, 1.0
            )
            good = judged(known, together[:, :1], per_kurtosis=BY_DAY) & np.isfinite(gaps)
            # What few stretches show is no measure of others; with longer ones they become fewer.
            learned = good.sum(axis=0) >= MANY if learned is None else learned | (good.sum(axis=0) >= MANY)
            good &= learned
            gaps = np.where(good, gaps, 0.0)
            rows = together[:, :1] * good
            offsets.append(gaps.sum(axis=0) / np.maximum(good.sum(axis=0), 1))
            beyond = np.where(good, gaps - offsets[-1], 0.0)
            chain.append(of_means(beyond, rows, length=times * per_day, heaviness=_HEAVY))
        if learned is None or not learned.any():
            return None
        return RelationDays(len(sums) * per_day, np.array(offsets), spread_of([chain]), learned)
