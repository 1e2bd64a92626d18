"""Rows that are in memory already: Arrow tables, and the frames of other libraries."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from watchkeep.adapters.sources.files import reading
from watchkeep.adapters.sources.tables import (
    MOST_ROWS,
    batch_of,
    distinct,
    evened,
    leaves,
    schema_of,
    settled,
)
from watchkeep.adapters.sources.window import narrowed, widened
from watchkeep.frames.batches import Batch
from watchkeep.service.ports import Ask

_SAMPLE: Final = 1000


@dataclass(frozen=True, slots=True)
class Tables:
    """Arrow rows that can be had again and again, such as those of a table or of a Polars frame.

    Args:
        name: what people call it.
        kind: its schema.
        open: gives the record batches.
    """

    name: str
    kind: pa.Schema
    open: Callable[[], Iterable[pa.RecordBatch]]

    def schema(self, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns, flattened."""
        return schema_of({name: leaf.type for name, leaf in leaves(self.kind, source=self.name).items()})

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows, in batches of even size."""
        wide = widened(ask)
        leaves(self.kind, source=self.name)  # names that clash are told even when there are no rows
        with reading(self.name):
            tables = evened(self.open())
            rows = (batch_of(table, source=self.name, columns=wide.columns) for table in tables)
            yield from narrowed(rows, ask, wide)


@dataclass(frozen=True, slots=True)
class PandasFrame:
    """A pandas frame: columns are turned into Arrow when they are asked for. Its index is left out.

    Labels that are no texts are read as texts. A column of objects that mix types becomes a column of texts,
    and is named textual.

    Args:
        frame: the frame.
    """

    frame: Any
    name: str = "a pandas frame"

    def schema(self, ask: Ask) -> pa.Schema:  # noqa: ARG002 (part of the port)
        """The columns; types of object columns are those of their first values."""
        kinds: dict[str, pa.DataType] = {}
        mixed: set[str] = set()
        for at, name in enumerate(self._names()):
            array, is_mixed = _arrow(self.frame.iloc[:_SAMPLE, at])
            kinds[name] = array.type
            mixed |= {name} if is_mixed else set()
        return schema_of(kinds, mixed)

    def batches(self, ask: Ask) -> Iterator[Batch]:
        """The rows, a million at a time."""
        wide = widened(ask)
        yield from narrowed(self._slices(wide), ask, wide)

    def _names(self) -> tuple[str, ...]:
        return distinct([str(label) for label in self.frame.columns], source=self.name)

    def _slices(self, ask: Ask) -> Iterator[Batch]:
        places = {
            name: at for at, name in enumerate(self._names()) if ask.columns is None or name in ask.columns
        }
        for start in range(0, len(self.frame), MOST_ROWS):
            yield self._slice(self.frame.iloc[start : start + MOST_ROWS], places)

    def _slice(self, part: Any, places: dict[str, int]) -> Batch:
        # Only a look at all the objects tells whether they mix, and a batch must say so before it is loaded.
        objects = {
            name: _arrow(part.iloc[:, at])
            for name, at in places.items()
            if part.dtypes.iloc[at] == object  # noqa: E721 (a pandas dtype, not a class)
        }

        def load(name: str) -> pa.Array:
            return objects[name][0] if name in objects else _arrow(part.iloc[:, places[name]])[0]

        textual = frozenset(name for name, (_, is_mixed) in objects.items() if is_mixed)
        return Batch(len(part), tuple(places), load, textual)


def _arrow(series: Any) -> tuple[pa.Array, bool]:
    """A pandas column as an Arrow array, and whether it mixed types and was turned into texts."""
    try:
        column = pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        missing = series.isna().tolist()
        texts = [None if gone else str(value) for value, gone in zip(series.tolist(), missing, strict=True)]
        return pa.array(texts, pa.string()), True
    return settled(column), False
