"""A baseline: the reference data's states, and what a window must be read by to be compared with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from watchkeep.baselines.buckets import Buckets, buckets_of
from watchkeep.baselines.columns import BaselineColumn
from watchkeep.baselines.relations import RelationBaseline, clumped, ranked_keys
from watchkeep.baselines.timeline import Timeline
from watchkeep.constraints.constraint import Constraint
from watchkeep.frames.roles import Roles
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.plan import ColumnPlan, JointPlan, Plan
from watchkeep.profiles.profile import JOINT, Profile
from watchkeep.states.bins import Bins
from watchkeep.states.cells import Cells
from watchkeep.states.codec import State
from watchkeep.states.frequencies import Frequencies
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.rows import FeatureSums, RowSample, levels_of
from watchkeep.stats.fourier import bandwidth, features
from watchkeep.stats.tails import covariance_traces

FREQUENCIES = 64
"""Random frequencies of the joint comparison; each gives a cosine and a sine."""
SEED = 20_130_208


@dataclass(frozen=True, slots=True, eq=False)
class JointBaseline:
    """The reference rows of the numeric columns taken together.

    Args:
        plan: how a window's rows are turned into features.
        sums: the reference's sampled features.
        spread, spread2: tr(S) and tr(S**2) of their covariance matrix S.
        clumped: whether rows repeat so much that samples of different levels are of different rows.
    """

    plan: JointPlan
    sums: FeatureSums
    spread: float
    spread2: float
    clumped: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Baseline:
    """What a window is compared with: immutable once made.

    Args:
        kind: the monitor it is for.
        created: when it was made.
        source: what it was made from, for people.
        rows: rows analysed.
        rejected: rows that could not be read, by reason.
        roles: which column is what.
        dialect: whose rules it was made by.
        columns: the reference data's columns, in order, without the ignored ones.
        names: all the columns of the reference data, in order: what columns without names are called by position.
        joint: the numeric columns together; None when fewer than two.
        relations: how columns hang together; None when fewer than two can be scored.
        timeline: how blocks of time differ; None when rows have no times, or too few.
        constraints: suggested limits, or those of a file that was edited since.
    """

    kind: str
    created: datetime
    source: str
    rows: int
    rejected: Mapping[str, int] = field(default_factory=dict)
    roles: Roles
    dialect: Dialect
    columns: tuple[BaselineColumn, ...]
    names: tuple[str, ...] = ()
    joint: JointBaseline | None = None
    relations: RelationBaseline | None = None
    timeline: Timeline | None = None
    constraints: tuple[Constraint, ...] = ()

    @property
    def buckets(self) -> Buckets:
        """The reference rows by bucket."""
        return buckets_of(self.columns)

    @property
    def judged(self) -> str:
        """What windows are held against: rows in random order, or time as the baseline has it; for people."""
        if self.timeline is not None:
            return self.timeline.sentence
        if self.roles.timestamp is None:
            return "rows judged as exchangeable: no timestamp tells when each was"
        return "rows judged as exchangeable: too few days to learn how days differ"

    def plan(self, dialect: Dialect) -> Plan:
        """How to read a window."""
        return Plan(
            columns=tuple(_window_plan(column) for column in self.columns),
            joint=self._joint_plan(),
            dialect=dialect,
        )

    def _joint_plan(self) -> JointPlan | None:
        if self.joint is None:
            return None if self.relations is None else self.relations.plan
        return replace(self.joint.plan, scorers=() if self.relations is None else self.relations.plan.scorers)


def _window_plan(column: BaselineColumn) -> ColumnPlan:
    bins, listed = column.part("bins", Bins), column.part("categories", Frequencies)
    if (
        bins is None
        and (column.type.numeric or column.type is ColumnType.EMBEDDING)
        and not column.role.identifies
    ):
        bins = Bins.of(Cells.empty(), mean=0.0, deviation=0.0)
    return ColumnPlan(
        name=column.name,
        role=column.role,
        type=column.type,
        bins=bins,
        categories=None if listed is None else tuple(name for name, _ in listed.ranked()),
    )


def columns_of(profile: Profile, plans: Sequence[ColumnPlan]) -> tuple[BaselineColumn, ...]:
    """The columns of a reference profile: their cells become bins."""
    columns = []
    by_column: dict[str, dict[str, State]] = {plan.name: {} for plan in plans}
    for (name, part), state in profile.parts.items():
        if name in by_column:
            by_column[name][part] = state
    for plan in plans:
        parts = by_column[plan.name]
        cells = parts.pop("cells", None)
        if isinstance(cells, Cells):
            moments = parts.get("moments")
            assert isinstance(moments, Moments)  # noqa: S101 (the scanner makes both)
            deviation = moments.deviation()
            spread = deviation if isinstance(deviation, float) else 0.0
            parts["bins"] = Bins.of(cells, mean=moments.mean, deviation=spread)
        presence = parts.get("presence")
        held = isinstance(presence, Presence) and presence.present > 0
        # A column without a single value has no type, whatever it was stored as.
        kind = plan.type if held else ColumnType.UNKNOWN
        columns.append(
            BaselineColumn(plan.name, plan.role, kind, parts if held else {"presence": parts["presence"]})
        )
    return tuple(columns)


def joint_of(
    profile: Profile, plan: JointPlan | None, columns: Sequence[BaselineColumn]
) -> JointBaseline | None:
    """The joint part of a reference profile; None when too few rows or columns hold numbers."""
    sample = profile.part(JOINT, "rows", RowSample)
    if plan is None or len(plan.columns) < 2 or sample is None or len(sample.hashes) < 2:
        return None
    numbers = sample.values[:, : len(plan.columns)]
    center, scale = _units(numbers)
    keys = ranked_keys(plan, columns)
    scaled = replace(plan, keys=keys, center=center, scale=scale)
    rows = scaled.standardised(numbers)
    random = np.random.Generator(np.random.PCG64(SEED))
    frequencies = (random.standard_normal((rows.shape[1], FREQUENCIES)) / bandwidth(rows)).astype(np.float32)
    spread, spread2 = covariance_traces(features(rows, frequencies).astype(np.float64))
    return JointBaseline(
        replace(scaled, frequencies=frequencies),
        FeatureSums.of(levels_of(sample.hashes), rows, frequencies, sample.level),
        spread,
        spread2,
        clumped(sample, profile.rows),
    )


def _units(rows: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Median and a robust spread of each column; 0 and 1 where a column holds no number."""
    center, scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    for place, column in enumerate(rows.T):
        real = column[np.isfinite(column)]
        if len(real):
            with np.errstate(over="ignore", invalid="ignore"):  # rows may span all that a double holds
                low, middle, high = np.quantile(real, [0.25, 0.5, 0.75])
                spread = (high - low) / 1.349 or float(np.std(real))
            center[place] = middle
            scale[place] = spread if np.isfinite(spread) and spread > 0 else 1.0
    return center, scale
