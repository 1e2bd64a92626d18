"""What the peers' scripts share: the windows, and how answers are written. Runs in many interpreters: no project code.

A script gets a folder with `columns.json`, `reference.parquet` and `windows.parquet` (one row group per window), and
writes `readings.json` there: for each window, by rule, a level and the levels of columns.
"""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

Level = dict[str, Any]
"""{"level": number, "columns": {name: number}}"""

LEAST = 1e-300
HIGHEST = 1e12


class Task:
    """A baseline and windows to look at.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: str) -> None:
        self.home = Path(folder)
        names = json.loads((self.home / "columns.json").read_text())
        self.numeric: list[str] = names["numeric"]
        self.categorical: list[str] = names["categorical"]
        self.columns = self.numeric + self.categorical
        self.reference: pd.DataFrame = pd.read_parquet(self.home / "reference.parquet")
        self._file = pq.ParquetFile(self.home / "windows.parquet")
        self.count: int = self._file.num_row_groups

    def window(self, number: int) -> pd.DataFrame:
        """One window."""
        return self._file.read_row_group(number).to_pandas()

    def windows(self) -> pd.DataFrame:
        """All of them, one after another."""
        return self._file.read().to_pandas()

    @property
    def rows(self) -> int:
        """Of each window."""
        return int(self._file.metadata.row_group(0).num_rows)


def main(look: Callable[[Task], list[dict[str, Level]]]) -> None:
    """Run a script."""
    task = Task(sys.argv[1])
    readings = look(task)
    if len(readings) != task.count:
        raise SystemExit(f"{len(readings)} answers about {task.count} windows")
    (task.home / "readings.json").write_text(json.dumps(readings, allow_nan=False))


def level(columns: dict[str, float]) -> Level:
    """The highest of the columns' levels; one that is no number says nothing."""
    known = {name: min(float(value), HIGHEST) for name, value in columns.items() if not math.isnan(value)}
    return {"level": max(known.values(), default=0.0), "columns": known}


def surprise(chance: float) -> float:
    """-log10 of a p-value."""
    return -math.log10(max(chance, LEAST))
