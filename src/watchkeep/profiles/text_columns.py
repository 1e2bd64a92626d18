"""Texts, booleans and identifiers."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from watchkeep.frames.buffers import plain, strings, truths
from watchkeep.frames.categories import Categories, read_categories, read_texts, text_bytes
from watchkeep.frames.schema import ColumnType
from watchkeep.profiles.plan import ColumnPlan
from watchkeep.states.categories import CategoryTally
from watchkeep.states.codec import State
from watchkeep.states.distinct import DistinctTally
from watchkeep.states.extremes import Extremes
from watchkeep.states.frequencies import FrequencyTally
from watchkeep.states.groups import Groups
from watchkeep.states.moments import Moments
from watchkeep.states.presence import Presence
from watchkeep.states.value_types import ValueTypes
from watchkeep.stats.hashing import hash_bytes


class CategoryScanner:
    """Texts and booleans: presence, types, distinct values, text lengths, and counts by category.

    Args:
        plan: the column's.
    """

    def __init__(self, plan: ColumnPlan) -> None:
        self._boolean = plan.type is ColumnType.BOOLEAN
        self._presence, self._types = Presence(), ValueTypes()
        self._lengths, self._length_extremes = Moments(), Extremes()
        self._groups = Groups.empty()
        self._distinct = DistinctTally()
        self._listed = None if plan.categories is None else CategoryTally(plan.categories)
        self._free = FrequencyTally() if plan.categories is None else None

    def add(self, array: pa.Array, *, textual: bool) -> None:  # noqa: ARG002 (a text is a text)
        """Read one batch's array."""
        read = read_categories(array)
        if self._boolean and read.stored is ColumnType.STRING:
            read = replace(read, texts=pc.utf8_lower(read.texts))
        held = read.counts > 0
        if not held.all():
            read = replace(read, texts=read.texts.filter(truths(held)), counts=read.counts[held])
        present = read.present
        self._presence = self._presence.merge(Presence(read.rows, present))
        self._types = self._types.merge(self._classes(read, present))
        hashes = hash_bytes(*text_bytes(read.texts))
        self._distinct.add(hashes)
        self._groups = self._groups.merge(Groups.of(hashes, read.counts))
        lengths = read.lengths().astype(np.float64)
        if len(lengths):
            self._lengths = self._lengths.merge(Moments.weighted(lengths, read.counts))
            self._length_extremes = self._length_extremes.merge(
                Extremes(float(lengths.min()), float(lengths.max()))
            )
        if self._listed is not None:
            self._listed.add(read.texts, read.counts)
        elif self._free is not None:
            self._free.add(read.texts, read.counts)

    def _classes(self, read: Categories, present: int) -> ValueTypes:
        if read.stored is ColumnType.BOOLEAN:
            return ValueTypes(boolean=present)
        if read.stored.numeric:
            whole = read.stored is ColumnType.INTEGRAL
            return ValueTypes(integral=present) if whole else ValueTypes(fractional=present)
        if read.stored is not ColumnType.STRING:
            return ValueTypes(other=present)
        if not self._boolean:
            return ValueTypes(string=present)
        known = plain(pc.is_in(read.texts, strings(["true", "false"])).cast(pa.uint8()))
        boolean = int(read.counts[known.astype(np.bool_)].sum())
        return ValueTypes(boolean=boolean, string=present - boolean)

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        parts: dict[str, State] = {
            "presence": self._presence,
            "types": self._types,
            "distinct": self._distinct.state(),
            "lengths": self._lengths,
            "length_extremes": self._length_extremes,
            "groups": self._groups,
        }
        if self._listed is not None:
            parts["category_counts"] = self._listed.state()
        elif self._free is not None:
            parts["categories"] = self._free.state()
        return parts


class IdScanner:
    """Identifiers: presence and distinct values."""

    def __init__(self) -> None:
        self._presence = Presence()
        self._distinct = DistinctTally()

    def add(self, array: pa.Array, *, textual: bool) -> None:  # noqa: ARG002 (an id is what it is written as)
        """Read one batch's array."""
        texts = read_texts(array)
        self._presence = self._presence.merge(Presence(len(array), texts.present))
        self._distinct.add(hash_bytes(*text_bytes(texts.texts)))

    def absent(self, rows: int) -> None:
        """So many rows have no such column."""
        self._presence = self._presence.merge(Presence(rows))

    def parts(self) -> dict[str, State]:
        """The states of all that was read."""
        return {"presence": self._presence, "distinct": self._distinct.state()}
