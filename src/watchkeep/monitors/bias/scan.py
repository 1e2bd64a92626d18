"""The fold over outcomes of groups: batches in, a profile out."""

import math
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from watchkeep.core.verdicts import DATASET
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import plain, valid_mask
from watchkeep.frames.lookups import SmallCodes
from watchkeep.frames.outcomes import NO_OUTCOME, OUTCOMES, Positive
from watchkeep.monitors.bias.plan import BiasPlan, Crossing
from watchkeep.monitors.model_quality.rows import Doubles, Mask, Sieve, column_of, weights_of
from watchkeep.profiles.account import RowAccount
from watchkeep.profiles.profile import Profile
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.states.codec import State
from watchkeep.states.rows import ROWS, RowSample, levels_of, settled_level
from watchkeep.states.totals import Totals, grained, layers
from watchkeep.stats.hashing import Hashes, mixed

TABLE: Final = "outcomes"
"""Part: rows by level, label and prediction, shape (layers, levels + 1, 3, 3)."""
STRATA: Final = "strata"
"""Part: rows by stratum, level, label and prediction, shape (strata + 1, levels + 1, 3, 3)."""
SCORES: Final = "scores"
"""Part: rows by level, place of the score, label and prediction, shape (levels + 1, places, 3, 3); by weight."""
SUMS: Final = "score_sums"
"""Part: sums of scores, and of their squares, by level and label, shape (levels + 1, 3, 2); by weight."""
SAMPLE: Final = "rows"
"""Part: a sample of rows: the level in each facet, the prediction, the features."""
PLACES: Final = 20
"""Places of scores, all as wide."""
STRANGE_LABEL: Final = "the label is of no known value"
STRANGE_ANSWER: Final = "the prediction is of no known value"
NO_OUTCOMES: Final = "neither a label nor a prediction"
NO_SCORE: Final = "the score is missing or not within [0, 1]"
_CELLS: Final = OUTCOMES * OUTCOMES
_AT_ONCE: Final = 1 << 16  # cells of all facets together up to which rows are counted once
_KEYS: Final = 4  # features that a row without an id is told from others by

Levels = list[SmallCodes]


class BiasScan:
    """Reads batches by a plan. A fresh scan's profile is the identity of merge for that plan.

    Args:
        plan: what to count.
    """

    def __init__(self, plan: BiasPlan) -> None:
        self.plan = plan
        self.account = RowAccount()
        self._depth = 1 if plan.roles.weight is None else 3
        self._sizes = [facet.missing + 1 for facet in plan.facets]
        self._tables: dict[tuple[str, str], Totals] = {}
        for place in plan.places:
            shape = (self._depth, plan.levels(place), OUTCOMES, OUTCOMES)
            self._tables[plan.subject(place), TABLE] = Totals.empty(shape)
        for at, size in enumerate(self._sizes):
            subject = plan.subject(at)
            if plan.strata is not None:
                shape = (plan.strata.missing + 1, size, OUTCOMES, OUTCOMES)
                self._tables[subject, STRATA] = Totals.empty(shape)
            if plan.probability:
                self._tables[subject, SCORES] = Totals.empty((size, PLACES, OUTCOMES, OUTCOMES))
                self._tables[subject, SUMS] = Totals.empty((size, OUTCOMES, 2))
        self._sample = RowSample.empty(len(plan.facets) + 1 + len(plan.features)) if plan.features else None

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        self.account.met(batch)
        if not batch.rows:
            return
        batch = batch.decoded_once()  # a label may be a facet of another plan's, a facet a stratum
        sieve = Sieve(batch.rows)
        weights = weights_of(batch, self.plan.roles, sieve)
        if weights is not None:
            weights = weights / self.plan.weight_unit
        scores = self._scores(batch, sieve)
        labels, predictions = self._labels(batch, sieve), self._predictions(batch, sieve)
        sieve.out((labels == NO_OUTCOME) & (predictions == NO_OUTCOME), NO_OUTCOMES)
        kept = None if sieve.kept.all() else sieve.kept
        self.account.analysed(int(np.count_nonzero(sieve.kept)), sieve.rejected)
        cells = _of(kept, labels * OUTCOMES + predictions)
        weights = None if weights is None else _of(kept, weights)
        levels = [
            _of(kept, facet.codes(batch.column(facet.column, reader="a facet"))) for facet in self.plan.facets
        ]
        self._count(levels, cells, weights)
        if self.plan.strata is not None and self.plan.strata.column in batch.names:
            self._stratify(_of(kept, self._strata(batch)), levels, cells, weights)
        if scores is not None:
            self._score(_of(kept, scores), levels, cells, weights)
        if self._sample is not None and set(self.plan.features) <= set(batch.names):
            self._keep(batch, sieve.kept, levels, cells)

    def count(self, levels: Sequence[SmallCodes], labels: SmallCodes, predictions: SmallCodes) -> None:
        """Count rows that were read elsewhere, each of weight 1.

        Args:
            levels: of each facet, shape (rows,) each.
            labels, predictions: outcomes, shape (rows,).
        """
        self.account.analysed(len(labels))
        self._count(list(levels), labels * OUTCOMES + predictions, None)

    def profile(self) -> Profile:
        """All that was read so far."""
        parts: dict[tuple[str, str], State] = dict(self._tables)
        if self._sample is not None:
            parts[DATASET, SAMPLE] = self._sample
        return self.account.profile(parts)

    def _labels(self, batch: Batch, sieve: Sieve) -> SmallCodes:
        name = self.plan.roles.label
        if name is None or name not in batch.names:
            return np.full(batch.rows, NO_OUTCOME, np.uint8)
        array = batch.column(name)
        codes = self.plan.label.codes(array)
        _strange(self.plan.label, array, codes, sieve, STRANGE_LABEL)
        return codes

    def _predictions(self, batch: Batch, sieve: Sieve) -> SmallCodes:
        if self.plan.prediction is None:
            return np.full(batch.rows, NO_OUTCOME, np.uint8)
        roles = self.plan.roles
        name = roles.prediction or roles.score or ""
        role = "the role prediction" if roles.prediction is not None else "the role score"
        array = batch.column(name, reader=role)
        codes = self.plan.prediction.codes(array)
        _strange(self.plan.prediction, array, codes, sieve, STRANGE_ANSWER)
        return codes

    def _scores(self, batch: Batch, sieve: Sieve) -> Doubles | None:
        """Probabilities, shape (rows,), NaN where there is none; without one a row has no answer, unless it is told."""
        roles = self.plan.roles
        if not self.plan.probability or roles.score is None:
            return None
        if roles.prediction is not None and roles.score not in batch.names:
            return None
        scores = column_of(batch, roles.score, "the role score")
        good = (scores >= 0) & (scores <= 1)
        if roles.prediction is None:
            sieve.out(~good, NO_SCORE)
        return np.where(good, scores, np.nan)

    def _strata(self, batch: Batch) -> SmallCodes:
        """The stratum of each row; rows without a value are in one of their own, and so are new values."""
        strata = self.plan.strata
        assert strata is not None  # noqa: S101 (the caller looked)
        return strata.codes(batch.column(strata.column))

    def _count(self, levels: Levels, cells: SmallCodes, weights: Doubles | None) -> None:
        """Rows by level, label and prediction: of all facets at once where that is a small table."""
        if math.prod(self._sizes) * _CELLS > _AT_ONCE:
            for place in self.plan.places:
                size = self.plan.levels(place)
                codes = self._crossed(place, levels) if isinstance(place, Crossing) else levels[place]
                found = layers(codes.astype(np.intp) * _CELLS + cells, weights, size * _CELLS)
                self._add((self.plan.subject(place), TABLE), found)
            return
        codes = levels[0].astype(np.int32)
        for size, mine in zip(self._sizes[1:], levels[1:], strict=True):
            codes = codes * size + mine
        size = math.prod(self._sizes) * _CELLS
        every = layers(codes * _CELLS + cells, weights, size).reshape(self._depth, *self._sizes, _CELLS)
        for place in self.plan.places:
            wanted = {place} if isinstance(place, int) else {place.one, place.other}
            others = tuple(1 + at for at in range(len(levels)) if at not in wanted)
            found = every.sum(axis=others)
            self._add((self.plan.subject(place), TABLE), found if isinstance(place, int) else _paired(found))

    def _crossed(self, crossing: Crossing, levels: Levels) -> SmallCodes:
        """The level of a crossing; the last one where a row lacks either value."""
        one, other = self.plan.facets[crossing.one], self.plan.facets[crossing.other]
        a, b = levels[crossing.one].astype(np.intp), levels[crossing.other]
        lacks = (a == one.missing) | (b == other.missing)
        return np.where(lacks, one.missing * other.missing, a * other.missing + b)

    def _stratify(
        self, strata: SmallCodes, levels: Levels, cells: SmallCodes, weights: Doubles | None
    ) -> None:
        for at, (size, mine) in enumerate(zip(self._sizes, levels, strict=True)):
            key = self.plan.subject(at), STRATA
            codes = (strata.astype(np.intp) * size + mine) * _CELLS + cells
            self._add(key, _weighed(codes, weights, self._tables[key].values.size))

    def _score(self, scores: Doubles, levels: Levels, cells: SmallCodes, weights: Doubles | None) -> None:
        held = ~np.isnan(scores)
        if not held.all():
            scores, cells, levels = scores[held], cells[held], [one[held] for one in levels]
            weights = None if weights is None else weights[held]
        levels = [one.astype(np.intp) for one in levels]
        places = np.minimum((scores * PLACES).astype(np.intp), PLACES - 1)
        labels = cells // OUTCOMES
        for at, mine in enumerate(levels):
            subject = self.plan.subject(at)
            size = self._tables[subject, SCORES].values.size
            self._add((subject, SCORES), _weighed((mine * PLACES + places) * _CELLS + cells, weights, size))
            by_label, size = mine * OUTCOMES + labels, self._sizes[at] * OUTCOMES
            powers = [
                np.bincount(by_label, grained(power if weights is None else power * weights), size)
                for power in (scores, scores**2)
            ]
            self._add((subject, SUMS), np.stack(powers, axis=1))

    def _keep(self, batch: Batch, kept: Mask, levels: Levels, cells: SmallCodes) -> None:
        """Sample the rows that have a prediction: those whose hash is small enough."""
        assert self._sample is not None  # noqa: S101 (the caller looked)
        features = [column_of(batch, name, "the flip test")[kept] for name in self.plan.features]
        hashes = self._hashes(batch, kept, features)
        start = self._sample.level
        below = np.flatnonzero((hashes <= np.uint64((1 << 64 - start) - 1)) & (cells % OUTCOMES < NO_OUTCOME))
        found = levels_of(hashes[below])
        level = settled_level(np.bincount(found, minlength=64), start, limit=ROWS)
        mine = below[found >= level]
        columns = [*levels, cells % OUTCOMES, *features]
        values = np.stack([column[mine].astype(np.float64) for column in columns], axis=1)
        self._sample = self._sample.merge(RowSample.of(hashes[mine], values, level))

    def _hashes(self, batch: Batch, kept: Mask, features: Sequence[Doubles]) -> Hashes:
        """A hash of each row: of its id or, where there is none, of its features."""
        name = self.plan.roles.id
        if name is not None and name in batch.names:
            return mixed(text_hashes(batch.column(name))[kept])
        hashes = np.ones(len(features[0]), np.uint64)
        for values in features[:_KEYS]:
            hashes = mixed(hashes + np.ascontiguousarray(values + 0.0).view(np.uint64))
        return hashes

    def _add(self, key: tuple[str, str], found: Doubles) -> None:
        table = self._tables[key]
        self._tables[key] = table.merge(Totals(found.reshape(table.values.shape)))


V = TypeVar("V", SmallCodes, Doubles)


def _of(kept: Mask | None, values: V) -> V:
    return values if kept is None else values[kept]


def _strange(known: Positive, array: pa.Array, codes: SmallCodes, sieve: Sieve, reason: str) -> None:
    """Leave out rows whose value is none that the reference rows had: "1" is not "yes", nor "no"."""
    if known.negatives is None or not (codes == NO_OUTCOME).any():
        return
    held = valid_mask(array)
    strange = codes == NO_OUTCOME
    if pa.types.is_floating(array.type):
        strange &= ~np.isnan(plain(array))
    sieve.out(strange if held is None else strange & held, reason)


def _weighed(codes: SmallCodes, weights: Doubles | None, size: int) -> Doubles:
    """Rows by code, or their weights if they have any, shape (size,)."""
    found: Doubles = layers(codes, weights, size)[0 if weights is None else 1]
    return found


def _paired(table: Doubles) -> Doubles:
    """Two facets' levels as those of their crossing, shape (layers, one, other, cells) to (layers, levels, cells)."""
    held = table[:, :-1, :-1].reshape(len(table), -1, table.shape[-1])
    lacks = table.sum(axis=(1, 2)) - held.sum(axis=1)
    return np.concatenate([held, lacks[:, None]], axis=1)
