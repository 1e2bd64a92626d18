"""Sources of which some rows are left out, by what their columns hold."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Self

import pyarrow as pa

from watchkeep.core.errors import SourceError
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask, OfFiles, Source, parts_of


@dataclass(frozen=True, slots=True)
class Chosen(ABC):
    """Some of the rows of a source; it comes in the parts and files that the source comes in.

    Args:
        source: all the rows.
    """

    source: Source

    @property
    @abstractmethod
    def needed(self) -> Collection[str]:
        """The columns that tell which rows stay."""

    @property
    def name(self) -> str:
        """The source's."""
        return self.source.name

    def schema(self, ask: Ask) -> pa.Schema:
        """That of the source."""
        return self.source.schema(ask)

    def parts(self, ask: Ask) -> Sequence[Self]:
        """Those of the source; see `Parted`."""
        return [replace(self, source=part) for part in parts_of(self.source, self.asked(ask))]

    def singles(self) -> Sequence[Self]:
        """See `OfFiles`."""
        if not isinstance(self.source, OfFiles):
            return [self]
        return [replace(self, source=one) for one in self.source.singles()]

    def lost(self, error: SourceError) -> Batch:
        """See `OfFiles`."""
        if not isinstance(self.source, OfFiles):
            raise error
        return self.source.lost(error)

    def asked(self, ask: Ask) -> Ask:
        """What to ask of the source: also the columns that tell which rows stay."""
        if ask.columns is None:
            return ask
        return replace(ask, columns=list(dict.fromkeys([*ask.columns, *self.needed])))
