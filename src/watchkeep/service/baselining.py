"""Learning a baseline from reference data."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self

import pyarrow as pa

from watchkeep.baselines.baseline import Baseline, columns_of, joint_of
from watchkeep.baselines.blocks import BlockScan, step_of
from watchkeep.baselines.buckets import buckets_of
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.baselines.relation_days import DayScan
from watchkeep.baselines.relations import RelationBaseline, relations_of
from watchkeep.baselines.suggestions import suggest
from watchkeep.baselines.timeline import Timeline, timeline_of
from watchkeep.core.errors import EmptySourceError, UnreadableSourceError
from watchkeep.formats.constraint_list import to_constraints, to_document
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Role, Roles
from watchkeep.frames.schema import OPEN, ColumnType, column_type, is_text, is_textual
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.kept_rows import KeptRows
from watchkeep.profiles.plan import ColumnPlan, Plan, joint_plan
from watchkeep.profiles.profile import Profile, together
from watchkeep.profiles.scan import Scan
from watchkeep.profiles.survey import Survey
from watchkeep.service.checking import DataLearned
from watchkeep.service.evenly import evenly
from watchkeep.service.folding import HERE, Engine, Fold, no_rows, told_left_out
from watchkeep.service.ports import Ask, Progress, Silent, Source
from watchkeep.service.reading import ask_of
from watchkeep.service.rows import rows_of
from watchkeep.states.cells import Cells


def learn(
    source: Source,
    roles: Roles,
    *,
    kind: str,
    dialect: Dialect,
    created: datetime,
    engine: Engine = HERE,
    progress: Progress | None = None,
) -> DataLearned:
    """Learn a baseline from all the rows of a source.

    Text is read twice: once to tell what type each column is, once to count. Anything else is read once.

    Raises:
        EmptySourceError: the source holds no rows.
        MissingColumnError: a role names a column it does not have.
        SourceError: it cannot be read.
    """
    progress, source = progress or Silent(), evenly(rows_of(source, roles), roles)
    ask = ask_of(source, roles)
    types = column_types(source, ask, roles, dialect, engine, progress)
    roles.require(types)
    plans = tuple(
        ColumnPlan(name=name, role=roles.of(name), type=kind_of)
        for name, kind_of in types.items()
        if roles.of(name) is not Role.IGNORED
    )
    joint = joint_plan({plan.name: (plan.role, plan.type) for plan in plans})
    numeric = tuple(plan.name for plan in plans if plan.type is ColumnType.FRACTIONAL)
    plan = Plan(columns=plans, joint=joint, dialect=dialect)
    fold = Fold.surveying(Learning, plan, roles.timestamp, numeric)
    read = engine.fold(source, ask, fold, progress=progress, what="Learning the baseline")
    profile, history = read.profile(), read.history
    if not profile.rows:
        raise EmptySourceError(source.name, why=no_rows(profile, bounded=False))
    require_times(profile.part(roles.timestamp or "", "hours", Cells), roles, source.name)
    told_left_out(profile, source.name, progress)
    columns = columns_of(profile, plans)
    together = joint_of(profile, joint, columns)
    relations = relations_of(profile, joint, columns)
    timeline = _timeline(history, roles, profile, columns, relations, dialect)
    suggested = suggest(columns, together, rows=profile.read, rejected=profile.rejected_share)
    by_key = {constraint.key: constraint for constraint in suggested}
    document = to_document(columns, suggested, dialect)
    baseline = Baseline(
        kind=kind,
        created=created,
        source=source.name,
        rows=profile.rows,
        rejected=profile.rejected,
        roles=roles,
        dialect=dialect,
        columns=columns,
        names=tuple(types),
        joint=together,
        relations=relations,
        timeline=timeline,
        constraints=to_constraints(document, columns, dialect, by_key),
    )
    return DataLearned(baseline, document, by_key)


class Learning:
    """All that is kept of the rows of a part: what was counted and, where rows have times, some rows themselves.

    Args:
        plan: what to count.
        time: the column of the event time; None where there is none.
        keys: numeric columns that tell rows apart.
    """

    def __init__(self, plan: Plan, time: str | None, keys: tuple[str, ...]) -> None:
        self._scan: Scan | None = Scan(plan)
        self._profile = Profile()
        self.history = None if time is None else KeptRows(time, keys)

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        assert self._scan is not None  # noqa: S101 (nothing is read any more once it was merged)
        if self.history is not None:
            batch = batch.decoded_once()
            self.history.add(batch)
        self._scan.add(batch)

    def profile(self) -> Profile:
        """What was counted."""
        if self._scan is not None:
            self._profile, self._scan = self._scan.profile(), None
        return self._profile

    def merge(self, *others: Self) -> Self:
        """All together."""
        every = (self, *others)
        self._profile = together([one.profile() for one in every])
        kept = [one.history for one in every if one.history is not None]
        self.history = kept[0].merge(*kept[1:]) if kept else None
        return self

    def __getstate__(self) -> tuple[Profile, KeptRows | None]:
        return self.profile(), self.history

    def __setstate__(self, state: tuple[Profile, KeptRows | None]) -> None:
        self._scan = None
        self._profile, self.history = state


def require_times(hours: Cells | None, roles: Roles, source: str) -> None:
    """Check that the column of the event time holds times.

    Args:
        hours: rows by hour; None where nobody asked for times.
        roles: that name the column.
        source: whose it is.

    Raises:
        UnreadableSourceError: it holds none.
    """
    if hours is not None and not hours.total:
        why = f"its column {roles.timestamp!r}, the timestamp, holds no times: no ISO 8601, no numbers since 1970"
        raise UnreadableSourceError(source, why=why)


def _timeline(
    history: KeptRows | None,
    roles: Roles,
    profile: Profile,
    columns: Sequence[BaselineColumn],
    relations: RelationBaseline | None,
    dialect: Dialect,
) -> Timeline | None:
    """How blocks of time differ, if rows have times and fill blocks enough."""
    time = roles.timestamp
    if time is None or history is None:
        return None
    buckets = buckets_of(columns)
    step = step_of(profile.part(time, "hours", Cells), len(buckets.kinds))
    if step is None:
        return None
    scan = BlockScan(columns, buckets, time=time, step=step, dialect=dialect)
    for batch in history.batches():
        scan.add(batch)
    timeline = timeline_of(scan.blocks(), buckets)
    if timeline is None or timeline.unrest is None or relations is None:
        return timeline
    days = DayScan(relations, time=time, step=step, dialect=dialect)
    for batch in history.batches():
        days.add(batch)
    unrest = replace(timeline.unrest, relations=days.days(timeline.blocks / timeline.days))
    return replace(timeline, unrest=unrest)


def column_types(
    source: Source, ask: Ask, roles: Roles, dialect: Dialect, engine: Engine, progress: Progress
) -> dict[str, ColumnType]:
    """The type of every column of the source, ignored ones too, in order."""
    schema = source.schema(replace(ask, lenient=engine.skip))
    if not _needs_survey(schema, dialect):
        types = {field.name: column_type(field.type) for field in schema}
        if roles.timestamp in types and not dialect.sagemaker:  # as the survey of texts has it
            types[roles.timestamp] = ColumnType.TIME
        return types
    fold = Fold.surveying(Survey, roles, dialect)
    seen = engine.fold(source, ask, fold, progress=progress, what="Telling the types of the columns").types()
    return {name: seen.get(name, ColumnType.UNKNOWN) for name in (*schema.names, *seen)}


def _needs_survey(schema: pa.Schema, dialect: Dialect) -> bool:
    if schema.metadata and OPEN in schema.metadata:
        return True
    return any(is_textual(field) or (dialect.sagemaker and is_text(field.type)) for field in schema)
