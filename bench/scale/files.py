"""Files of a million rows each, all of them different: the rows of `bench.data`, drawn on and on.

Run as a process of its own, so that the process that measures stays small:

    python -m bench.scale.files FOLDER FILES [COLUMNS]
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.data import GROUP_ROWS, group

ROWS: Final = 1_000_000
"""Of one file."""
FEW: Final = 10
"""Rows that take no time."""
_GROUPS: Final = -(-ROWS // GROUP_ROWS)


def part(folder: Path, number: int) -> Path:
    """Where a file is."""
    return folder / f"part-{number:04}.parquet"


def make(folder: Path, files: int) -> None:
    """Write the files that are not there yet; each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        path = part(folder, number)
        if path.exists():
            continue
        with pq.ParquetWriter(partial := path.with_suffix(".part"), _table(number, 0).schema) as writer:
            for at in range(_GROUPS):
                writer.write_table(_table(number, at))
        partial.replace(path)


def _table(number: int, at: int) -> pa.Table:
    rows = min(GROUP_ROWS, ROWS - at * GROUP_ROWS)
    return group("current", number * _GROUPS + at, rows, total=100 * ROWS)


def make_wide(folder: Path, columns: int) -> None:
    """Write one file of a million rows with so many columns: three doubles to one of whole numbers and one of text."""
    folder.mkdir(parents=True, exist_ok=True)
    path = part(folder, 0)
    if path.exists():
        return
    words = pa.array([f"word-{at:03}" for at in range(200)])
    with pq.ParquetWriter(partial := path.with_suffix(".part"), _wide(columns, 0, 1, words).schema) as writer:
        for at in range(_GROUPS):
            rows = min(GROUP_ROWS, ROWS - at * GROUP_ROWS)
            writer.write_table(_wide(columns, at, rows, words))
    partial.replace(path)
    pq.write_table(_wide(columns, 0, FEW, words), wide_few(folder))


def wide_few(folder: Path) -> Path:
    """Beside a folder of wide files, one of a few of their rows: what a check of it takes is its start-up."""
    return folder.with_name(f"{folder.name}-few.parquet")


def _wide(columns: int, at: int, rows: int, words: pa.Array) -> pa.Table:
    random = np.random.default_rng([columns, at])
    held: dict[str, pa.Array] = {}
    for number in range(columns):
        kind = number % 5
        if kind < 3:
            held[f"x{number}"] = pa.array(random.normal(number, 1 + kind, rows))
        elif kind == 3:
            held[f"n{number}"] = pa.array(random.poisson(5 + number, rows))
        else:
            held[f"s{number}"] = words.take(pa.array(random.integers(0, 200, rows)))
    return pa.table(held)


def main(arguments: Sequence[str]) -> int:
    """Make files."""
    folder, files, *columns = arguments
    if columns:
        make_wide(Path(folder), int(columns[0]))
    else:
        make(Path(folder), int(files))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
