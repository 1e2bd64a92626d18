"""Some of the rows of a source: those of which a rule holds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from watchkeep.frames.batches import Batch
from watchkeep.frames.segments import Segment
from watchkeep.service.ports import Ask, Source


@dataclass(frozen=True, slots=True)
class Where:
    """The rows of a segment. Rows outside are neither analysed nor rejected, as those outside a window are not.

    Args:
        source: all the rows.
        segment: which of them.

    >>> from watchkeep.adapters.sources import open_source
    >>> europe = open_source(pa.table({"region": ["EU", "US"], "age": [41, 7]}), where="region = 'EU'")
    >>> europe.name, [batch.column("age").to_pylist() for batch in europe.batches(Ask())]
    ("an Arrow table where region = 'EU'", [[41]])
    """

    source: Source
    segment: Segment

    @property
    def name(self) -> str:
        """The source's, and the rule."""
        return f"{self.source.name} where {self.segment.rule}"

    def schema(self, ask: Ask) -> pa.Schema:
        """The columns of the source.

        Raises:
            MissingColumnError: it lacks a column of the rule.
        """
        self.segment.require(self.source.schema(replace(ask, columns=None)).names)
        return self.source.schema(ask)

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows of which the rule holds; of the others nothing is kept.

        Raises:
            MissingColumnError: a part of the source lacks a column of the rule.
            OptionError: a column cannot be compared with what the rule names.
        """
        wanted = ask.columns
        if wanted is not None:
            ask = replace(ask, columns=list(dict.fromkeys([*wanted, *self.segment.columns])))
        for batch in self.source.batches(ask):
            found = batch.filter(self.segment.mask(batch))
            names = found.names if wanted is None else [name for name in found.names if name in wanted]
            yield replace(found, names=tuple(names))
