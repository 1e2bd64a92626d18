"""The fold over answers: batches in, a profile out."""

from typing import Final

import numpy as np

from watchkeep.baselines.blocks import codes_of
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.batches import Batch
from watchkeep.frames.buffers import positions
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.schema import column_type
from watchkeep.frames.segments import masks
from watchkeep.frames.times import event_times
from watchkeep.monitors.model_quality.counting import counter_of
from watchkeep.monitors.model_quality.members import SUMS, sums_of_members
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Answers, Doubles, read_answers
from watchkeep.profiles.account import RowAccount
from watchkeep.profiles.columns import by_hour
from watchkeep.profiles.profile import Profile
from watchkeep.profiles.row_texts import text_hashes
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State
from watchkeep.states.rows import ROWS, RowSample, levels_of, settled_level
from watchkeep.states.totals import Totals
from watchkeep.stats.hashing import Hashes, mixed

TABLE: Final = "table"
"""Part: counts of the dataset and of each segment."""
SAMPLE: Final = "rows"
"""Part: a sample of rows."""
QUERIES: Final = "queries"
"""Part: a sample of queries, with all their labelled rows: relevance, score and weight of each."""
HOURS: Final = "hours"
"""Part: rows by hour."""
LABELLED: Final = "labelled_hours"
"""Part: labelled rows by hour."""
MEMBERS: Final = "members"
"""Part: how far the scores of one row lie apart."""
KEYS: Final = 4
"""Features that a row without an id is told from others by, beside its answer; of rows with a score, half as many."""
OWN: Final = ("label", "prediction", "score", "weight")
"""What a row of the sample begins with; its codes by feature follow."""


class QualityScan:
    """Reads batches by a plan. A fresh scan's profile is the identity of merge for that plan.

    Args:
        plan: what to count.
    """

    def __init__(self, plan: QualityPlan) -> None:
        self.plan = plan
        self._counter = counter_of(plan)
        self.account = RowAccount()
        self._tables = {
            name: Totals.empty(self._counter.segment)
            for name in (DATASET, *(one.name for one in plan.segments))
        }
        self._sums = self._counter.empty()
        if plan.roles.members is not None:
            self._sums[MEMBERS] = Totals.empty((len(SUMS),))
        self._sample = RowSample.empty(len(OWN) + len(plan.features))
        self._queries = RowSample.empty(3) if plan.ranks else None
        self._hours = {part: Cells.empty() for part in (HOURS, LABELLED)}

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        self.account.met(batch)
        if not batch.rows:
            return
        batch = batch.decoded_once()  # segments, answers and the sample ask for the same columns
        answers = read_answers(batch, self.plan)
        self.account.analysed(answers.count, answers.rejected)
        if not answers.count:
            return
        self._tables[DATASET] = self._tables[DATASET].merge(Totals(self._counter.table(answers, None)))
        slices = masks(self.plan.segments, batch)
        for segment, mine in zip(self.plan.segments, slices, strict=True):
            if answers.rejected:
                mine = mine[answers.kept]
            if mine.any():
                one = Totals(self._counter.table(answers, mine))
                self._tables[segment.name] = self._tables[segment.name].merge(one)
        told = self._counter.sums(answers)
        if self.plan.roles.members is not None:
            lists = batch.column(self.plan.roles.members, reader="the role members")
            told[MEMBERS] = sums_of_members(lists, answers)
        for part, sums in told.items():
            self._sums[part] = self._sums[part].merge(Totals(sums))
        self._keep(batch, answers)
        for part, rows in self._timed(batch, answers).items():
            self._hours[part] = self._hours[part].merge(rows)
        if self._queries is not None:
            self._queries = self._queries.merge(self._ranked(batch, answers))

    def profile(self) -> Profile:
        """All that was read so far."""
        parts: dict[tuple[str, str], State] = {(name, TABLE): table for name, table in self._tables.items()}
        parts |= {(DATASET, part): sums for part, sums in self._sums.items()}
        parts[DATASET, SAMPLE] = self._sample
        if self.plan.roles.timestamp is not None:
            parts |= {(DATASET, part): rows for part, rows in self._hours.items()}
        if self._queries is not None:
            parts[DATASET, QUERIES] = self._queries
        return self.account.profile(parts)

    def _keep(self, batch: Batch, answers: Answers) -> None:
        """Sample the rows: those whose hash is small enough."""
        rows = np.flatnonzero(answers.kept)
        hashes = self._hashes(batch, answers)
        start = self._sample.level
        below = np.flatnonzero(hashes <= np.uint64((1 << 64 - start) - 1))
        levels = levels_of(hashes[below])
        level = settled_level(np.bincount(levels, minlength=64), start, limit=ROWS)
        mine = below[levels >= level]
        values = np.full((len(mine), len(OWN) + len(self.plan.features)), np.nan)
        for at, column in enumerate((answers.labels, answers.predictions, answers.scores, answers.weights)):
            if column is not None:
                values[:, at] = column[mine]
        chosen = positions(rows[mine])
        for at, feature in enumerate(self.plan.features, len(OWN)):
            if feature.name in batch.names:
                values[:, at] = codes_of(feature, batch.column(feature.name).take(chosen), self.plan.dialect)
        self._sample = self._sample.merge(RowSample.of(hashes[mine], values, level))

    def _timed(self, batch: Batch, answers: Answers) -> dict[str, Cells]:
        """Rows by hour, and those with a label."""
        time = self.plan.roles.timestamp
        if time is None or time not in batch.names:
            return {}
        micros, valid = event_times(batch.column(time), textual=time in batch.textual)
        numbers = self.plan.problem is Problem.REGRESSION
        labelled = ~np.isnan(answers.labels) if numbers else answers.labels < self.plan.kinds
        times, timed = micros[answers.kept], valid[answers.kept]
        return {HOURS: by_hour(times[timed]), LABELLED: by_hour(times[timed & labelled])}

    def _ranked(self, batch: Batch, answers: Answers) -> RowSample:
        """Sample the queries: rows of one have one hash, so that all of them are kept or none is."""
        column = batch.column(self.plan.roles.query or "", reader="the role query")
        keys = text_hashes(column)[answers.kept]
        numbers = self.plan.problem is Problem.REGRESSION
        scores = answers.predictions if numbers else answers.scores
        assert scores is not None  # noqa: S101 (a plan that ranks has scores)
        labelled = ~np.isnan(answers.labels) if numbers else answers.labels < len(self.plan.classes)
        rows = np.flatnonzero(labelled & (keys != 0))
        weights = np.ones(len(rows)) if answers.weights is None else answers.weights[rows]
        relevance = np.maximum(answers.labels[rows].astype(np.float64), 0.0)
        return RowSample.of(mixed(keys[rows]), np.stack([relevance, scores[rows], weights], axis=1))

    def _hashes(self, batch: Batch, answers: Answers) -> Hashes:
        """A hash of each row: of its id or, where there is none, of what the model answered and was asked."""
        name = self.plan.roles.id
        if name is not None and name in batch.names:
            return mixed(text_hashes(batch.column(name))[answers.kept])
        own = answers.scores if answers.scores is not None else answers.predictions.astype(np.float64)
        hashes = mixed(_bits(own))
        for feature in self.plan.features[: KEYS if answers.scores is None else KEYS // 2]:
            if feature.name not in batch.names:
                continue
            array = batch.column(feature.name)
            if column_type(array.type).numeric:
                read = read_numbers(array)
                values = np.full(batch.rows, np.nan)
                values[slice(None) if read.where is None else read.where] = read.values
                hashes = mixed(hashes + _bits(values[answers.kept]))
            else:
                hashes = mixed(hashes + text_hashes(array)[answers.kept])
        return hashes


def _bits(values: Doubles) -> Hashes:
    bits: Hashes = np.ascontiguousarray(values + 0.0).view(np.uint64)
    return bits
