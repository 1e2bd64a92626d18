"""What the reference rows tell of what a model's answers rest on: the baseline of attribution."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import ClassVar

import numpy as np
import pyarrow as pa

from watchkeep.constraints.constraint import Constraint
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.attribution.dependence import Dependence
from watchkeep.monitors.attribution.measures import Attributed, attributions
from watchkeep.monitors.attribution.plan import AttributionPlan, Place
from watchkeep.profiles.profile import Profile


@dataclass(frozen=True, eq=False, kw_only=True)
class AttributionBaseline:
    """What a window's attributions are compared with: immutable once made.

    Args:
        created: when it was made.
        source: what it was made from, for people.
        plan: how rows are explained and summed.
        profile: the reference rows, summed by it.
        expected: the score that contributions are counted from, of each output.
        constraints: suggested limits, or those of a file that was edited since.
        known: attributions by place, where a file tells them and the rows that they are of are not known; None where
            they are.
        method: how rows were explained: windows that are explained otherwise are held against `kept`, explained anew.
        kept: some reference rows, chosen at random: the features of each.
        background: the rows that stand for "not knowing a feature", where features are sampled.
        dependence: how the score went with the features that mattered most.
        notes: what a reader must know of how rows were explained, in sentences.
    """

    kind: ClassVar[str] = "attribution"

    created: datetime
    source: str
    plan: AttributionPlan
    profile: Profile
    expected: tuple[float, ...]
    constraints: tuple[Constraint, ...] = ()
    known: Mapping[Place, Attributed] | None = None
    method: str = ""
    kept: pa.Table | None = None
    background: pa.Table | None = None
    dependence: tuple[Dependence, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows read."""
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
    def judged(self) -> str:
        """What windows are held against; for people."""
        return "attributions of rows judged as exchangeable"

    @cached_property
    def attributed(self) -> Mapping[Place, Attributed]:
        """The attributions of every place that had rows."""
        if self.known is not None:
            return self.known
        return attributions(self.plan, self.profile)

    def in_order(self, features: tuple[str, ...]) -> "AttributionBaseline":
        """The same with its features in another order: files that tell attributions alone do not know a model's.

        Args:
            features: those of the plan, in any order.
        """
        at = [self.plan.features.index(name) for name in features]
        known = {
            place: replace(
                one,
                values=one.values[at],
                direction=one.direction[at],
                spread=one.spread[at],
                covariance=one.covariance[np.ix_(at, at)],
            )
            for place, one in self.attributed.items()
        }
        units = tuple(tuple(own[place] for place in at) for own in self.plan.units)
        return replace(self, plan=replace(self.plan, features=features, units=units), known=known)
