"""One pass over rows: some are chosen, explained, and summed."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np
import pyarrow as pa

from watchkeep.core.errors import MissingColumnError, ModelError
from watchkeep.frames.batches import Batch, one_chunk
from watchkeep.frames.buffers import filled, truths
from watchkeep.frames.schema import TEXTUAL
from watchkeep.frames.segments import masks
from watchkeep.monitors.attribution.choice import RowChoice, own_column
from watchkeep.monitors.attribution.halves import Explained, Explainer, Halves
from watchkeep.monitors.attribution.plan import ALL, Aggregation, AttributionPlan
from watchkeep.profiles.account import RowAccount
from watchkeep.profiles.profile import Profile, added
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State
from watchkeep.states.totals import Totals, grained
from watchkeep.stats.attribution_drift import Doubles

SUMS: Final = "sums"
"""Of each feature: what is averaged, its square and cube, and the attribution with its sign; shape (4, features)."""
PRODUCTS: Final = "products"
"""What is averaged of one feature times that of another, shape (features, features)."""
COUNT: Final = "explained"
"""Rows explained, the sum of their scores and of their squares, shape (3,)."""
SIGNED: Final = "signed"
"""Histograms of attributions with their signs, for medians."""
UNEXPLAINED: Final = "(not explained)"
"""The subject of counts of rows that carry no explanation, a part for each reason, shape (1,)."""
PIECE: Final = 8_192
"""Rows explained at a time."""
SAMPLE: Final = 10_000
"""Rows that are kept, to ask more about them and to compare them."""


@runtime_checkable
class Reading(Protocol):
    """An explainer that reads more of a row than its features, and cannot explain every one."""

    def read(self, batch: Batch) -> tuple[pa.Table, Mapping[str, int]]:
        """The rows it can explain, with segments as `table_of` has them, and how many others there are, by why."""
        ...


class AttributionScan:
    """Rows in, sums of attributions out.

    Rows are summed as they come when all of them are to be explained. Otherwise as many as the plan says are chosen at
    random, each with the same chance, and explained when the profile is asked for.

    Args:
        plan: what to sum.
        explainer: who explains.
        most: rows to explain at the most; as the plan says when None.
        part: which part of all the rows it reads.
    """

    def __init__(
        self, plan: AttributionPlan, explainer: Explainer, *, most: int | None = None, part: int = 0
    ) -> None:
        self.account = RowAccount()
        self.values: list[Doubles] = []
        """Attributions of the rows that were chosen, where not all were to be explained."""
        self.expected: Doubles | None = None
        """The scores that contributions are counted from, shape (labels,); None before any row was explained."""
        self.plan, self.explainer = plan, explainer
        self.most = plan.explained if most is None else most
        """Rows to explain at the most; `ALL` for every one."""
        affordable = explainer.affordable()
        if affordable is not None and (self.most == ALL or affordable < self.most):
            self.most = max(1, affordable)
        self._choice = RowChoice(self.most, seed=plan.seed, part=part)
        self._sample = RowChoice(SAMPLE, seed=plan.seed, part=part)
        self._unexplained: dict[str, int] = {}
        self._halves = Halves(self._contributions, explainer.affordable)
        self._parts: dict[tuple[str, str], State] = {}

    @property
    def sample(self) -> pa.Table | None:
        """Some of the rows, each with the same chance: features, and what they may be told apart by; None of no row."""
        return self._sample.rows()

    def add(self, batch: Batch) -> None:
        """Read a batch.

        Raises:
            MissingColumnError: it lacks a feature.
        """
        self.account.met(batch)
        if not batch.rows:
            return
        if isinstance(self.explainer, Reading):
            rows, unexplained = self.explainer.read(batch)
            self._unexplained = added(self._unexplained, unexplained)
            self.account.analysed(batch.rows)
            self._choose(rows)
        else:
            self.take(rows_of(batch, self.plan))

    def take(self, rows: pa.Table) -> None:
        """Read rows as `rows_of` gives them."""
        self.account.analysed(rows.num_rows)
        self._choose(rows)

    def _choose(self, rows: pa.Table) -> None:
        plan = self.plan
        if set(plan.features) <= set(rows.column_names):
            beside = [name for name in plan.beside if name in rows.column_names]
            self._sample.add(rows.select([*plan.features, *beside]))
        if self.most == ALL:
            for start in range(0, rows.num_rows, PIECE):
                self._explain(rows.slice(start, PIECE), keep=False)
            return
        self._choice.add(rows)

    def merge(self, *others: Self) -> Self:
        """All together; rows that were chosen and wait to be explained are chosen among those of all."""
        for other in others:
            self.account.merge(other.account)
            self._choice.merge(other._choice)  # noqa: SLF001 (our own)
            self._sample.merge(other._sample)  # noqa: SLF001
            self._unexplained = added(self._unexplained, other._unexplained)  # noqa: SLF001
            self._halves.merge(other._halves)  # noqa: SLF001
            self.expected = other.expected if self.expected is None else self.expected
            for key, state in other._parts.items():  # noqa: SLF001
                known = self._parts.get(key)
                self._parts[key] = state if known is None else known.merge(state)
        return self

    def __getstate__(self) -> dict[str, object]:
        return {name: held for name, held in self.__dict__.items() if name != "explainer"}

    def profile(self) -> Profile:
        """All that was read so far, explained and summed. Rows that the model cannot use are counted, by why.

        Raises:
            ModelError: the model does not answer, gives other outputs, or can use none of the rows.
        """
        table = self._choice.rows()
        if table is not None:
            self._choice = RowChoice(self.most, seed=self.plan.seed)
            for start in range(0, table.num_rows, PIECE):
                self._explain(table.slice(start, PIECE), keep=True)
        self._halves.require_any()
        unexplained = added(self._unexplained, self._halves.unexplained)
        counts = {(UNEXPLAINED, why): Totals(np.array([float(n)])) for why, n in unexplained.items()}
        return self.account.profile(self._parts | counts)

    def _contributions(self, table: pa.Table) -> Explained | None:
        reads = isinstance(self.explainer, Reading)
        return self.explainer.contributions(table if reads else table.select(list(self.plan.features)))

    def _explain(self, table: pa.Table, *, keep: bool) -> None:
        for rows, told in self._halves.explained(table.combine_chunks()):
            self._require_outputs(told.values.shape[1])
            self.expected = told.expected
            if keep:
                self.values.append(told.values)
            self._sum(rows, told)

    def _require_outputs(self, outputs: int) -> None:
        labels = self.plan.labels
        if outputs != len(labels):
            why = f"it gives {outputs} output{'s' * (outputs != 1)}, the baseline has {len(labels)}"
            asked = self.explainer.asked
            name = self.explainer.name if asked is None else asked.name
            raise ModelError(name, why=f"{why} ({', '.join(labels)})")

    def _sum(self, table: pa.Table, told: Explained) -> None:
        plan = self.plan
        columns = [table.column(_segment(at)) for at in range(len(plan.segments))]
        members = [None, *(filled(one_chunk(column).cast(pa.int8()), 0) > 0 for column in columns)]
        for place in plan.places:
            rows = members[0 if place.segment is None else place.segment + 1]
            values = told.values[:, place.label, :]
            scores = told.scores[:, place.label]
            if rows is not None:
                values, scores = values[rows], scores[rows]
            for part, state in summed(plan, values / plan.unit(place), scores).items():
                key = plan.key(place), part
                known = self._parts.get(key)
                self._parts[key] = state if known is None else known.merge(state)


def rows_of(batch: Batch, plan: AttributionPlan) -> pa.Table:
    """The columns that the model reads, in its order, and those beside; then for each segment, which rows are in it.

    Text of unknown type is marked as such (`frames.schema.is_textual`).

    Raises:
        MissingColumnError: the batch lacks one.
    """
    for name in plan.features:
        if name not in batch.names:
            raise MissingColumnError(name, reader="the model", available=batch.names)
    return table_of(batch, plan, (*plan.features, *(name for name in plan.beside if name in batch.names)))


def table_of(batch: Batch, plan: AttributionPlan, names: Sequence[str]) -> pa.Table:
    """Some columns of a batch; then for each segment of a plan, which rows are in it.

    Raises:
        MissingColumnError: the batch lacks a column of a segment's rule.
    """
    batch = batch.decoded_once()
    columns = {name: batch.column(name) for name in names}
    columns |= {_segment(at): truths(mask) for at, mask in enumerate(masks(plan.segments, batch))}
    fields = [
        pa.field(name, column.type, metadata={TEXTUAL: b"1"} if name in batch.textual else None)
        for name, column in columns.items()
    ]
    return pa.table(list(columns.values()), schema=pa.schema(fields))


def summed(plan: AttributionPlan, values: Doubles, scores: Doubles) -> dict[str, State]:
    """The states of some rows' attributions, which are in the plan's unit.

    Args:
        plan: what to sum.
        values: shape (rows, features).
        scores: shape (rows,).
    """
    gains = plan.gains(values)
    powers = [grained(each).sum(axis=0) for each in (gains, gains**2, gains**3, values)]
    counted = np.array([len(values), scores.sum(), (scores**2).sum()])
    states: dict[str, State] = {
        SUMS: Totals(np.stack(powers)),
        PRODUCTS: Totals(gains.T @ gains),
        COUNT: Totals(counted),
    }
    if plan.aggregation is Aggregation.MEDIAN:
        for name, column in zip(plan.features, values.T, strict=True):
            states[f"{SIGNED} {name}"] = Cells.of(np.ascontiguousarray(column))
    return states


def _segment(at: int) -> str:
    return own_column(f"segment {at}")
