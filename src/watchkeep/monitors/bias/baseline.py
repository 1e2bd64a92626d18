"""What the reference rows tell of how groups are treated: the baseline of bias."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from watchkeep.constraints.constraint import Constraint
from watchkeep.core.undefined import Value
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.monitors.bias.groups import GroupBias
from watchkeep.monitors.bias.measures import biases
from watchkeep.monitors.bias.plan import BiasPlan
from watchkeep.profiles.profile import Profile


@dataclass(frozen=True, eq=False, kw_only=True)
class BiasBaseline:
    """What a window's groups are compared with: immutable once made.

    Args:
        created: when it was made.
        source: what it was made from, for people.
        plan: how rows are read and counted.
        profile: the reference rows, counted by it.
        constraints: suggested limits, or those of a file that was edited since.
        known: measures by group and name, where a file tells them and the rows that they are of are not known; None
            where they are.
    """

    kind: ClassVar[str] = "bias"

    created: datetime
    source: str
    plan: BiasPlan
    profile: Profile
    constraints: tuple[Constraint, ...] = ()
    known: Mapping[tuple[str, str], Value] | None = None

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
    def judged(self) -> str:
        """What windows are held against; for people."""
        return "rows judged as exchangeable"

    @cached_property
    def groups(self) -> tuple[GroupBias, ...]:
        """The measures of every group of the reference rows; none where those are not known."""
        return biases(self.plan, self.profile) if self.known is None else ()

    @cached_property
    def by_subject(self) -> Mapping[str, GroupBias]:
        """The same by subject."""
        return {one.subject: one for one in self.groups}
