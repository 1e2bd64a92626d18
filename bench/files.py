"""Where the benchmark's files are. Imports no numerics: the process that measures must stay small."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Which = Literal["reference", "current"]

VERSION = 1
"""In the file names, and counted up when `bench.data` makes other rows: old files are not taken for new."""

CSV_ROWS = 100_000
"""The one size that is written as CSV too."""

TINY_ROWS = 10
"""A file of so few rows that what is left of a command's cost is its start-up."""


@dataclass(frozen=True, slots=True)
class Files:
    """The two Parquet files of one size."""

    rows: int
    reference: Path
    current: Path

    def text(self, path: Path) -> Path:
        """The CSV beside a Parquet file.

        >>> sized = files(Path("data"), 10)
        >>> sized.text(sized.current).name
        'v1-10-current.csv'
        """
        return path.with_suffix(".csv")


def files(folder: Path, rows: int) -> Files:
    """The files of one size, whether they have been made or not."""
    return Files(rows, *(folder / f"v{VERSION}-{rows}-{which}.parquet" for which in ("reference", "current")))
