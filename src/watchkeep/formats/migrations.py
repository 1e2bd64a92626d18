"""How what older versions wrote becomes what this one reads, one version at a time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from watchkeep.core.errors import StateError
from watchkeep.states.codec import Fields, StateClass


@dataclass(frozen=True, slots=True)
class Migrations:
    """Steps from one version to the next.

    Args:
        states: by kind of state and version: its fields in, those of the next version out.
        profiles: by version of a profile's file: what follows the version in, what does in the next version out.
    """

    states: Mapping[tuple[str, int], Callable[[Fields], Fields]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    profiles: Mapping[int, Callable[[bytes], bytes]] = field(default_factory=lambda: MappingProxyType({}))

    def fields(self, kind: StateClass, version: int, fields: Fields) -> Fields:  # type: ignore[type-arg]
        """The fields of a state of some version, as its class reads them today.

        Raises:
            StateError: it is newer than its class, or there is no way from so old a one.
        """
        if version > kind.version:
            raise StateError(
                f"it holds a state {kind.kind!r} of version {version}, and this Watchkeep reads up to"
                f" {kind.version}; upgrade Watchkeep"
            )
        for old in range(version, kind.version):
            step = self.states.get((kind.kind, old))
            if step is None:
                raise StateError(f"there is no way from version {old} of a state {kind.kind!r} to the next")
            fields = step(fields)
        return fields


TODAY: Final = Migrations()
"""All there are: no version is old yet."""
