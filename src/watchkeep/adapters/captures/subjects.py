"""Whose records are to be forgotten, and how they are known."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.adapters.sources.capture import METADATA
from watchkeep.adapters.sources.keys import key_texts
from watchkeep.adapters.sources.stored.columns import EVENT_ID, INFERENCE_ID, TIME
from watchkeep.core.errors import OptionError, UnreadableSourceError
from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import strings

_OWN: Final = dict(zip(METADATA, (EVENT_ID, INFERENCE_ID, TIME), strict=True))
_AFTER: Final = rb"(?![\w-])(?!\.\d)"
_BEFORE: Final = rb"(?<![\w-])(?<!\d\.)"


@dataclass(frozen=True)
class Subject:
    """The records that hold a value.

    Args:
        value: as text.
        column: the column that holds it; None for inference ids and event ids.

    Raises:
        OptionError: the value is empty.
    """

    value: str
    column: str | None = None

    def __post_init__(self) -> None:
        if not self.value.strip():
            raise OptionError("--id", got=self.value, expected="the value by which records are known")

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the store that may hold it."""
        return (EVENT_ID, INFERENCE_ID) if self.column is None else (_OWN.get(self.column, self.column),)

    @cached_property
    def key(self) -> str:
        """The value as ids are compared."""
        (key,) = key_texts(strings([self.value]), column="--id", source="the value").to_pylist()
        return str(key)

    def held_in(self, table: "pa.RecordBatch | pa.Table") -> npt.NDArray[np.bool_]:
        """Which rows hold it, shape (rows,)."""
        found = np.zeros(table.num_rows, bool)
        for name in self.columns:
            if name in table.schema.names:
                found |= self.is_in(table.column(name))
        return found

    def is_in(self, column: "pa.Array | pa.ChunkedArray") -> npt.NDArray[np.bool_]:
        """Which values are it, shape (rows,)."""
        array = one_chunk(column)
        try:
            keys = key_texts(array, column="--column", source="the store")
        except UnreadableSourceError:  # a column of lists
            return np.zeros(len(array), bool)
        return np.asarray(pc.is_in(keys, value_set=strings([self.key])), bool)

    @cached_property
    def forms(self) -> tuple[bytes, ...]:
        """The bytes that it may have: as UTF-8, escaped in JSON, and as older charsets have it."""
        return tuple(dict.fromkeys(self._forms()))

    def _forms(self) -> Iterator[bytes]:
        yield self.value.encode("utf-8", "surrogatepass")
        for ascii_only in (False, True):
            yield json.dumps(self.value, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogatepass")
        for charset in ("latin-1", "cp1252", "utf-16-le"):
            if not self.value.isascii() or charset == "utf-16-le":
                try:
                    yield self.value.encode(charset)
                except UnicodeEncodeError:
                    continue

    @cached_property
    def pattern(self) -> "re.Pattern[bytes]":
        """Finds its bytes where they are not part of a longer word or number."""
        return re.compile(_BEFORE + b"(?:" + b"|".join(map(re.escape, self.forms)) + b")" + _AFTER)

    def stands_in(self, content: bytes) -> bool:
        """Whether its bytes are in some others."""
        return self.pattern.search(content) is not None
