"""Several sources as one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from watchkeep.adapters.sources.tables import union
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, Source, Weighted, Weights, parts_of, weights_of


@dataclass(frozen=True, slots=True)
class Several:
    """The rows of one source after those of another.

    Args:
        members: at least one.
    """

    members: Sequence[Source]

    @property
    def name(self) -> str:
        """The names of the first three, and how many more there are."""
        shown = ", ".join(member.name for member in self.members[:3])
        more = len(self.members) - 3
        return f"{shown} and {more} more" if more > 0 else shown

    def schema(self, ask: Ask) -> pa.Schema:
        """The columns over all members."""
        return union(member.schema(ask) for member in self.members)

    def weights(self, ask: Ask) -> Weights | None:
        """The one column of weights that every member has; see `Weighted`."""
        if not all(isinstance(member, Weighted) for member in self.members):
            return None
        found = [weights for member in self.members if (weights := weights_of(member, ask)) is not None]
        if len({(one.column, one.id) for one in found}) != 1:
            return None
        alone = [1.0] * (len(self.members) - len(found))
        least, most = (
            min([*(one.least for one in found), *alone]),
            max([*(one.most for one in found), *alone]),
        )
        return replace(found[0], least=least, most=most)

    def parts(self, ask: Ask) -> Sequence[Source]:
        """Those of the members; see `Parted`."""
        return [part for member in self.members for part in parts_of(member, ask)]

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows, member by member."""
        for member in self.members:
            yield from member.batches(ask)
