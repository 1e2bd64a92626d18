"""What a model's answers were like on the reference data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from watchkeep.baselines.loss_days import LossDays
from watchkeep.constraints.constraint import Constraint
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.model_quality.days import Luck, length_of, luck_of
from watchkeep.monitors.model_quality.measures import Counts, Quality, quality
from watchkeep.monitors.model_quality.plan import Problem, QualityPlan
from watchkeep.monitors.model_quality.rows import Doubles
from watchkeep.monitors.model_quality.scan import QUERIES, TABLE
from watchkeep.profiles.profile import Profile
from watchkeep.states.rows import RowSample
from watchkeep.states.totals import Totals


@dataclass(frozen=True, eq=False, kw_only=True)
class QualityBaseline:
    """What a window's answers are compared with: immutable once made.

    Args:
        created: when it was made.
        source: what it was made from, for people.
        plan: how answers are read and counted.
        profile: the reference answers, counted by it.
        constraints: suggested limits, or those of a file that was edited since.
        days_of: how days differ, of the dataset and of segments; of those that are judged as exchangeable nothing.
        known: the measures, where files tell them and the rows that they are of are not known; None where they are.
    """

    kind: ClassVar[str] = "model-quality"

    created: datetime
    source: str
    plan: QualityPlan
    profile: Profile
    constraints: tuple[Constraint, ...] = ()
    days_of: Mapping[str, LossDays] = field(default_factory=dict)
    known: Quality | None = None

    @property
    def rows(self) -> int:
        """Rows analysed."""
        return self.profile.rows

    @property
    def rejected(self) -> Mapping[str, int]:
        """Rows that could not be read, by reason."""
        return self.profile.rejected

    @property
    def roles(self) -> Roles:
        """Which column is what."""
        return self.plan.roles

    @property
    def dialect(self) -> Dialect:
        """Whose rules it was made by."""
        return self.plan.dialect

    @property
    def days(self) -> LossDays | None:
        """How its days differ; None when rows are judged as exchangeable."""
        return self.days_of.get(DATASET)

    @property
    def judged(self) -> str:
        """What windows are held against; for people."""
        if self.days is not None:
            return f"judged by how days differ; {self.days.days} days"
        if self.plan.roles.timestamp is None:
            return "rows judged as exchangeable: no timestamp tells when each was"
        return "rows judged as exchangeable: no difference between days is known beyond that of random rows"

    @cached_property
    def quality(self) -> Quality:
        """The measures of the reference answers."""
        luck = None if self.days is None else luck_of(self.days, float(self.days.days))
        return self.raw if luck is None else luck.swayed(self.raw)

    @cached_property
    def raw(self) -> Quality:
        """The same, with errors of rows in random order."""
        return self.known or quality(self.plan, counts_of(self.profile, DATASET))

    def luck(self, profile: Profile, *, labelled: bool, subject: str = DATASET) -> Luck | None:
        """What days do to measures of a window's rows, or of those with a label; None when rows are exchangeable.

        Args:
            profile: the window's.
            labelled: whether of rows with a label.
            subject: the dataset, or a segment; a segment's rows are taken to come on as many days.
        """
        days = self.days_of.get(subject)
        return None if days is None else luck_of(days, length_of(days, profile, labelled=labelled))


def counts_of(profile: Profile, subject: str) -> Counts:
    """What a profile holds of the dataset, or of a segment."""
    table = profile.part(subject, TABLE, Totals)
    assert table is not None  # noqa: S101 (every scan counts it)
    sums = {
        part: state.values
        for (name, part), state in profile.parts.items()
        if name == DATASET == subject and part != TABLE and isinstance(state, Totals)
    }
    return Counts(table.values, sums, profile.part(subject, QUERIES, RowSample))


def held_of(plan: QualityPlan, profile: Profile) -> Doubles | None:
    """Labelled rows by place, as prediction sets are learned from; None when nothing is placed."""
    counts = counts_of(profile, DATASET)
    if plan.problem is Problem.BINARY and plan.bins is not None:
        layers = len(counts.table)
        table = counts.table[1 if layers > 1 else 0].reshape(-1, 2, 3)
        by_label: Doubles = table[:, :, :2].sum(axis=1).T
        return by_label
    part = "true" if plan.problem is Problem.MULTICLASS else "errors"
    return counts.sums[part][None] if part in counts.sums else None
