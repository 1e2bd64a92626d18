"""One column of the reference data."""

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.states.codec import S, State, StateClass, part_of
from watchkeep.states.presence import Presence


@dataclass(frozen=True, slots=True, eq=False)
class BaselineColumn:
    """One column of the reference data.

    Args:
        name, role, type: what it is.
        parts: its states.
    """

    name: str
    role: Role
    type: ColumnType
    parts: Mapping[str, State]

    def part(self, name: str, kind: StateClass[S]) -> S | None:
        """One state; None when the column has none of that name."""
        return part_of(self.parts, name, kind)

    @property
    def presence(self) -> Presence:
        """Rows and values."""
        return self.part("presence", Presence) or Presence()
