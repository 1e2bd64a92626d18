"""Some of many rows, each with the same chance."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from watchkeep.frames.batches import one_chunk
from watchkeep.frames.buffers import positions
from watchkeep.frames.categories import row_texts
from watchkeep.frames.schema import TEXTUAL, is_text, is_textual
from watchkeep.stats.attribution_drift import Doubles

_SEED: Final = 0x5DEECE66D
OWN_MARK: Final = "\x01"  # NUL would end a name for other libraries
"""What names of our own columns begin with."""


class RowChoice:
    """Rows chosen at random while they pass by. The same rows in the same order are chosen again.

    Args:
        most: how many to choose; all of fewer.
        seed: another one chooses others.
        part: which part of all the rows pass by; each draws lots of its own.

    >>> choice = RowChoice(2, seed=1)
    >>> choice.add(pa.table({"age": [41, 7, 12]}))
    >>> choice.rows().num_rows
    2
    """

    def __init__(self, most: int, *, seed: int, part: int = 0) -> None:
        self._most = most
        self._rng = np.random.default_rng([_SEED, seed, part] if part else [_SEED, seed])
        self._chosen: list[tuple[Doubles, pa.Table]] = []
        self._held = 0

    def add(self, rows: pa.Table) -> None:
        """Some rows pass by."""
        self._chosen.append((self._rng.random(rows.num_rows), rows))
        self._held += rows.num_rows
        if self._held > 4 * self._most + 10_000:
            self._settle()

    def merge(self, *others: "RowChoice") -> None:
        """Take in what other parts have chosen from, in this order."""
        for other in others:
            self._chosen += other._chosen  # noqa: SLF001 (our own)
            self._held += other._held  # noqa: SLF001
        if self._chosen:
            self._settle()

    def _settle(self) -> None:
        self._chosen = [self._best()]
        self._held = len(self._chosen[0][0])

    def __getstate__(self) -> dict[str, object]:
        if self._chosen:
            self._settle()
        return self.__dict__

    def rows(self) -> pa.Table | None:
        """Those that were chosen of all so far, in the order in which they came; None when none came."""
        return self._best()[1].combine_chunks() if self._chosen else None

    def _best(self) -> tuple[Doubles, pa.Table]:
        """The rows that drew the lowest lots."""
        lots = np.concatenate([one for one, _ in self._chosen])
        table = joined([one for _, one in self._chosen])
        if len(lots) <= self._most:
            return lots, table
        kept = np.sort(np.argpartition(lots, self._most)[: self._most])
        return lots[kept], table.take(positions(kept))


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Rows one after the other. A column whose types have no common one becomes text of unknown type, by `TEXTUAL`.

    A column that some tables lack has no value there.

    >>> joined([pa.table({"age": ["41"]}), pa.table({"age": [7]})])["age"].to_pylist()
    ['41', '7']
    """
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:  # it does not say of which columns
        names = dict.fromkeys(name for table in tables for name in table.column_names)
        apart = [name for name in names if not _merges(tables, name)]
        return pa.concat_tables(
            [_spelled(table, apart, tables) for table in tables], promote_options="permissive"
        )


def _held(tables: Sequence[pa.Table], name: str) -> list[pa.Table]:
    return [table.select([name]) for table in tables if name in table.column_names]


def _merges(tables: Sequence[pa.Table], name: str) -> bool:
    try:
        pa.concat_tables(_held(tables, name), promote_options="permissive")
    except pa.ArrowException:
        return False
    return True


def _spelled(table: pa.Table, apart: Sequence[str], tables: Sequence[pa.Table]) -> pa.Table:
    """A table whose columns `apart` are text; of unknown type, unless all tables have it as text that is known."""
    for name in apart:
        if name in table.column_names:
            fields = [one.schema.field(0) for one in _held(tables, name)]
            known = all(is_text(field.type) and not is_textual(field) for field in fields)
            field = pa.field(name, pa.large_string(), metadata=None if known else {TEXTUAL: b"1"})
            texts = row_texts(one_chunk(table.column(name)))
            table = table.set_column(table.column_names.index(name), field, texts)
    return table


def own_column(what: str) -> str:
    r"""The name of a column that Watchkeep puts beside those of the data: none of theirs starts like it.

    >>> own_column("segment 0")
    '\x01segment 0'
    """
    return f"{OWN_MARK}{what}"
