"""The rows the benchmark reads: 40 columns, seeded, written row group by row group in bounded memory.

Reference and current differ by a few drifts (marked below), so that judging has something to say.
Run as a process of its own, so that the process that measures stays small (see `bench.measure`):

    python -m bench.data FOLDER ROWS...
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from bench.files import CSV_ROWS, Files, Which, files

GROUP_ROWS = 122_880
"""Rows of a row group: what DuckDB writes, and near pyarrow's own 131,072."""

SEED = 20_260
_MONTH_US = 30 * 24 * 3600 * 1_000_000
_FIRST_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z

Draw = Callable[[np.random.Generator, int, bool], npt.NDArray[np.generic]]
"""(generator, rows, whether these are the current rows) to values, shape (rows,)."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column whose values do not depend on other columns.

    Args:
        name: of the column.
        draw: makes the values.
        nulls: share of nulls in the reference and in the current rows, each in [0, 1).
        words: when given, `draw` makes indices into it and the column holds strings.
    """

    name: str
    draw: Draw
    nulls: tuple[float, float] = (0.0, 0.0)
    words: tuple[str, ...] = ()

    def array(self, rng: np.random.Generator, rows: int, drifted: bool) -> pa.Array:
        """So many values of it, as an Arrow array."""
        values = self.draw(rng, rows, drifted)
        share = self.nulls[drifted]
        array = pa.array(values, mask=rng.random(rows) < share if share else None)
        return pa.array(self.words).take(array) if self.words else array


def normal(mean: float, deviation: float, *, shift: float = 0.0) -> Draw:
    """Normal; the current mean is `shift` deviations away."""
    return lambda rng, rows, drifted: rng.normal(mean + shift * deviation * drifted, deviation, rows)


def lognormal(sigma: float, *, widen: float = 1.0) -> Draw:
    """Log-normal around 1; the current sigma is `widen` times as large."""
    return lambda rng, rows, drifted: rng.lognormal(0.0, sigma * (widen if drifted else 1.0), rows)


def uniform(low: float, high: float) -> Draw:
    """Uniform in [low, high)."""
    return lambda rng, rows, _: rng.uniform(low, high, rows)


def zero_inflated(share: float, now: float | None = None) -> Draw:
    """Zero for a `share` of the rows (`now` in the current ones), exponential with mean 10 for the others."""

    def draw(rng: np.random.Generator, rows: int, drifted: bool) -> npt.NDArray[np.generic]:
        zeros = share if now is None or not drifted else now
        return np.where(rng.random(rows) < zeros, 0.0, rng.exponential(10.0, rows))

    return draw


def heavy_tail(freedom: float) -> Draw:
    """Student's t with so many degrees of freedom."""
    return lambda rng, rows, _: rng.standard_t(freedom, rows)


def whole(low: int, high: int) -> Draw:
    """Whole numbers in [low, high), all as likely."""
    return lambda rng, rows, _: rng.integers(low, high, rows)


def counts(mean: float, now: float) -> Draw:
    """Poisson counts with this mean; `now` in the current rows."""
    return lambda rng, rows, drifted: rng.poisson(now if drifted else mean, rows)


def ranks(values: int, *, power: float = 1.0, fresh: float = 0.0) -> Draw:
    """Ranks below `values`, common ones first; a share `fresh` of the current rows has rank `values`."""

    def draw(rng: np.random.Generator, rows: int, drifted: bool) -> npt.NDArray[np.generic]:
        weights = 1.0 / np.arange(1, values + 1) ** power
        picked = np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(rows), side="right")
        picked = np.minimum(picked, values - 1)  # the running sum may end a hair below 1
        return np.where(rng.random(rows) < fresh * drifted, values, picked)

    return draw


def _words(stem: str, values: int, *, fresh: float = 0.0, nulls: tuple[float, float] = (0.0, 0.0)) -> Column:
    words = tuple(f"{stem}-{rank:04d}" for rank in range(values + (fresh > 0)))
    return Column(stem, ranks(values, fresh=fresh), nulls, words)


INDEPENDENT = (
    Column("normal_0", normal(0, 1)),
    Column("normal_1", normal(50, 10, shift=0.5)),  # drifts
    Column("normal_2", normal(-3, 0.2), (0.02, 0.02)),
    Column("normal_3", normal(1000, 50), (0.02, 0.10)),  # drifts: more nulls
    Column("normal_4", normal(0, 1e-6)),
    Column("normal_5", normal(7, 2), (0.30, 0.30)),
    Column("lognormal_0", lognormal(0.5)),
    Column("lognormal_1", lognormal(1.0), (0.05, 0.05)),
    Column("lognormal_2", lognormal(1.0, widen=1.3)),  # drifts
    Column("lognormal_3", lognormal(2.0)),
    Column("uniform_0", uniform(0, 1)),
    Column("uniform_1", uniform(-180, 180)),
    Column("uniform_2", uniform(0, 1e9), (0.01, 0.01)),
    Column("zeros_0", zero_inflated(0.7, 0.5)),  # drifts
    Column("zeros_1", zero_inflated(0.9)),
    Column("zeros_2", zero_inflated(0.3), (0.10, 0.10)),
    Column("far_0", normal(1e6, 0.01)),
    Column("far_1", normal(1.7e9, 3600)),
    Column("tail_0", heavy_tail(3)),
    Column("tail_1", heavy_tail(1)),
    Column("tail_2", heavy_tail(2), (0.02, 0.02)),
    Column("visits", counts(3, 4)),  # drifts
    Column("age", whole(18, 90)),
    Column("code", whole(0, 10)),
    Column("branch", ranks(1000)),
    Column("account", whole(0, 2**40)),
    _words("plan", 5),
    _words("channel", 12, fresh=0.05),  # drifts: a new value
    _words("country", 20, nulls=(0.03, 0.03)),
    _words("state", 50),
    _words("product", 100),
    _words("campaign", 200, nulls=(0.20, 0.20)),
    _words("city", 500),
    _words("device", 1000),
    Column("active", lambda rng, rows, _: rng.random(rows) < 0.8),
)
"""21 doubles, 5 whole numbers, 8 strings, 1 boolean; id, at, score, label and prediction make them 40."""


def group(which: Which, index: int, rows: int, *, total: int) -> pa.Table:
    """One row group.

    Args:
        which: reference or current.
        index: the row group's number, from 0; it starts at row `index * GROUP_ROWS`.
        rows: how many rows it has.
        total: rows of the whole file, which share the month out.

    >>> group("reference", 0, 5, total=5).shape
    (5, 40)
    """
    drifted = which == "current"
    columns = {}
    for number, column in enumerate(INDEPENDENT):
        columns[column.name] = column.array(_rng(drifted, index, number), rows, drifted)
    at = index * GROUP_ROWS + np.arange(rows, dtype=np.int64)
    serial = pa.array((at * 2_654_435_761 + drifted) % 2**48)
    moment = _FIRST_US + drifted * _MONTH_US + at * (_MONTH_US // total)
    rng = _rng(drifted, index, len(INDEPENDENT))
    score = rng.beta(2.5, 4.5, rows) if drifted else rng.beta(2.0, 5.0, rows)  # drifts
    columns["id"] = pc.binary_join_element_wise("r", serial.cast(pa.string()), "")
    columns["at"] = pa.array(moment).cast(pa.timestamp("us", tz="UTC"))
    columns["score"] = pa.array(score)
    columns["label"] = pa.array((rng.random(rows) < score).astype(np.int64))
    columns["prediction"] = pa.array((score >= 0.5).astype(np.int64))
    return pa.table(columns)


def groups(which: Which, rows: int) -> Iterator[pa.Table]:
    """All row groups of a file of so many rows, one at a time."""
    for index, start in enumerate(range(0, rows, GROUP_ROWS)):
        yield group(which, index, min(GROUP_ROWS, rows - start), total=rows)


def make(folder: Path, rows: int) -> Files:
    """Write the files of one size that are not there yet; each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = files(folder, rows)
    sides: tuple[tuple[Which, Path], ...] = (("reference", wanted.reference), ("current", wanted.current))
    for which, path in sides:
        if not path.exists():
            _write(path, which, rows, text=False)
        text = wanted.text(path)
        if rows == CSV_ROWS and not text.exists():
            _write(text, which, rows, text=True)
    return wanted


def _rng(drifted: bool, index: int, number: int) -> np.random.Generator:
    return np.random.default_rng([SEED, int(drifted), index, number])


def _write(path: Path, which: Which, rows: int, *, text: bool) -> None:
    part = path.with_name(path.name + ".part")
    schema = group(which, 0, 1, total=1).schema
    # pyarrow's defaults on purpose: snappy, dictionaries where they pay: the files people have.
    with pa.csv.CSVWriter(part, schema) if text else pq.ParquetWriter(part, schema) as writer:
        for table in groups(which, rows):
            writer.write_table(table)
    part.replace(path)


def main(arguments: Sequence[str]) -> int:
    """Make the files of every size named."""
    folder, *sizes = arguments
    for rows in sizes:
        make(Path(folder), int(rows))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
