"""The fold over outcomes of groups: batches in, a profile out."""

from typing import Final

import numpy as np

from watchkeep.core.errors import MissingColumnError
from watchkeep.frames.batches import Batch
from watchkeep.frames.classes import MISSING, Codes
from watchkeep.frames.outcomes import NO_OUTCOME, OUTCOMES
from watchkeep.monitors.bias.plan import BiasPlan, Crossing
from watchkeep.monitors.model_quality.rows import Doubles, Sieve, weights_of
from watchkeep.profiles.account import RowAccount
from watchkeep.profiles.profile import Profile
from watchkeep.states.codec import State
from watchkeep.states.totals import Totals, layers

TABLE: Final = "outcomes"
"""Part: rows by level, label and prediction, shape (layers, levels + 1, 3, 3)."""
STRATA: Final = "strata"
"""Part: rows by stratum, level, label and prediction, shape (strata + 1, levels + 1, 3, 3)."""
NO_OUTCOMES: Final = "neither a label nor a prediction"
_CELLS: Final = OUTCOMES * OUTCOMES


class BiasScan:
    """Reads batches by a plan. A fresh scan's profile is the identity of merge for that plan.

    Args:
        plan: what to count.
    """

    def __init__(self, plan: BiasPlan) -> None:
        self.plan = plan
        self.account = RowAccount()
        depth = 1 if plan.roles.weight is None else 3
        self._tables: dict[tuple[str, str], Totals] = {}
        for at, facet in enumerate(plan.facets):
            size = facet.missing + 1
            self._tables[plan.subject(at), TABLE] = Totals.empty((depth, size, OUTCOMES, OUTCOMES))
            if plan.strata is not None:
                shape = (len(plan.strata) + 1, size, OUTCOMES, OUTCOMES)
                self._tables[plan.subject(at), STRATA] = Totals.empty(shape)
        for crossing in plan.crossings:
            size = plan.facets[crossing.one].missing * plan.facets[crossing.other].missing + 1
            self._tables[plan.subject(crossing), TABLE] = Totals.empty((depth, size, OUTCOMES, OUTCOMES))

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        self.account.met(batch)
        if not batch.rows:
            return
        batch = batch.decoded_once()  # a label may be a facet of another plan's, a facet a stratum
        sieve = Sieve(batch.rows)
        weights = weights_of(batch, self.plan.roles, sieve)
        labels, predictions = self._labels(batch), self._predictions(batch)
        sieve.out((labels == NO_OUTCOME) & (predictions == NO_OUTCOME), NO_OUTCOMES)
        kept = sieve.kept
        self.account.analysed(int(np.count_nonzero(kept)), sieve.rejected)
        cells = (labels * OUTCOMES + predictions)[kept]
        weights = None if weights is None else weights[kept]
        levels = [
            facet.codes(batch.column(facet.column, reader="a facet"))[kept] for facet in self.plan.facets
        ]
        strata = self._strata(batch)
        for at, mine in enumerate(levels):
            self._count((self.plan.subject(at), TABLE), mine * _CELLS + cells, weights)
            if strata is not None:
                size = self.plan.facets[at].missing + 1
                self._count(
                    (self.plan.subject(at), STRATA),
                    (strata[kept] * size + mine) * _CELLS + cells,
                    weights,
                )
        for crossing in self.plan.crossings:
            crossed = self._crossed(crossing, levels)
            self._count((self.plan.subject(crossing), TABLE), crossed * _CELLS + cells, weights)

    def profile(self) -> Profile:
        """All that was read so far."""
        parts: dict[tuple[str, str], State] = dict(self._tables)
        return self.account.profile(parts)

    def _labels(self, batch: Batch) -> Codes:
        name = self.plan.roles.label
        if name is None or name not in batch.names:
            return np.full(batch.rows, NO_OUTCOME, np.intp)
        return self.plan.label.codes(batch.column(name))

    def _predictions(self, batch: Batch) -> Codes:
        if self.plan.prediction is None:
            return np.full(batch.rows, NO_OUTCOME, np.intp)
        roles = self.plan.roles
        name = roles.prediction or roles.score or ""
        role = "the role prediction" if roles.prediction is not None else "the role score"
        return self.plan.prediction.codes(batch.column(name, reader=role))

    def _strata(self, batch: Batch) -> Codes | None:
        """The stratum of each row; rows without a value are in one of their own, and so are new values."""
        if self.plan.strata is None or self.plan.stratum is None:
            return None
        if self.plan.stratum not in batch.names:
            raise MissingColumnError(self.plan.stratum, reader="the strata", available=batch.names)
        codes = self.plan.strata.codes(batch.column(self.plan.stratum))
        return np.where((codes < 0) | (codes == MISSING), len(self.plan.strata), codes)

    def _crossed(self, crossing: Crossing, levels: list[Codes]) -> Codes:
        """The level of a crossing; the last one where a row lacks either value."""
        one, other = self.plan.facets[crossing.one], self.plan.facets[crossing.other]
        a, b = levels[crossing.one], levels[crossing.other]
        lacks = (a == one.missing) | (b == other.missing)
        return np.where(lacks, one.missing * other.missing, a * other.missing + b)

    def _count(self, key: tuple[str, str], codes: Codes, weights: Doubles | None) -> None:
        table = self._tables[key]
        shape = table.values.shape
        counted = layers(codes, weights, int(np.prod(shape)) // (1 if key[1] == STRATA else shape[0]))
        found = counted[1 if key[1] == STRATA and weights is not None else slice(None)]
        self._tables[key] = table.merge(Totals(found.reshape(shape)))
