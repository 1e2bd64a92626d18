"""All that was counted over some rows: a value that merges."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchkeep.core.errors import StateError
from watchkeep.states.codec import S, State, StateClass

JOINT = "(joint)"
"""The subject of states about several columns together."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The states of the columns of some rows. `Profile()` is the identity of merge.

    Args:
        rows: rows scanned.
        rejected: rows that could not be read, by reason.
        seen: rows by column that had the column at all (files of one dataset may differ), in order of appearance.
        parts: states by column and part ("moments", "bins", ...).
    """

    rows: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[tuple[str, str], State] = field(default_factory=dict)

    def merge(self, other: "Profile") -> "Profile":
        """Both together.

        Raises:
            StateError: a column was counted differently in the two.
        """
        parts = dict(self.parts)
        for key, state in other.parts.items():
            mine = parts.get(key)
            if mine is not None and type(mine) is not type(state):
                raise StateError(f"{key[1]} of column {key[0]!r} was counted in two ways: they do not merge")
            parts[key] = state if mine is None else mine.merge(state)
        return Profile(
            self.rows + other.rows,
            added(self.rejected, other.rejected),
            added(self.seen, other.seen),
            parts,
        )

    def part(self, column: str, name: str, kind: StateClass[S]) -> S | None:
        """One state of a column; None when the column has none of that name.

        Raises:
            StateError: it is of another kind than asked for.
        """
        state = self.parts.get((column, name))
        if state is None or isinstance(state, kind):
            return state
        raise StateError(f"{name} of column {column!r} is {state.kind}, not {kind.kind}")


def added(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    """Counts of both, keys of `a` first."""
    out = dict(a)
    for key, count in b.items():
        out[key] = out.get(key, 0) + count
    return out
