"""Numbers are counted the same however they are counted: by their cells, or one by one."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from watchkeep.frames.buffers import doubles
from watchkeep.frames.numbers import read_numbers
from watchkeep.frames.roles import Role
from watchkeep.frames.schema import ColumnType
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.number_columns import NumberScanner
from watchkeep.profiles.plan import ColumnPlan
from watchkeep.states.bins import Bins
from watchkeep.states.cells import LIMIT, Cells
from watchkeep.states.codec import State
from watchkeep.states.distinct import Distinct
from watchkeep.stats.hashing import mixed

Doubles = npt.NDArray[np.float64]
ROWS = 20_000

COLUMNS: dict[str, Callable[[np.random.Generator], Doubles]] = {
    "ages": lambda rng: rng.integers(0, 90, ROWS).astype(float),
    "whole, of both signs": lambda rng: rng.integers(-3_000, 3_000, ROWS).astype(float),
    "all below zero": lambda rng: -rng.integers(1, 500, ROWS).astype(float),
    "halves": lambda rng: rng.integers(-40, 40, ROWS) / 2,
    "large whole": lambda rng: rng.integers(0, 2**40, ROWS).astype(float),
    "with -0.0": lambda rng: rng.choice([-0.0, 0.0, 1.0, -2.0], ROWS),
    "with infinities": lambda rng: rng.choice([1.0, 2.0, np.inf, -np.inf], ROWS),
    "one that is not whole": lambda rng: np.append(rng.integers(0, 90, ROWS - 1).astype(float), 17.123),
    "real": lambda rng: rng.normal(size=ROWS),
    "one value": lambda rng: np.full(ROWS, 7.0),
}


def scanned(values: Doubles, size: int, bins: Bins | None) -> dict[str, State]:
    plan = ColumnPlan(name="x", role=Role.FEATURE, type=ColumnType.FRACTIONAL, bins=bins)
    scanner = NumberScanner(plan, Dialect.DEFAULT, LIMIT)
    for start in range(0, len(values), size):
        scanner.add(doubles(values[start : start + size]), textual=False)
    return scanner.parts()


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("binned", [False, True])
def test_different_numbers_are_those_of_each_hashed_by_itself(name: str, binned: bool) -> None:
    values = COLUMNS[name](np.random.default_rng(5))
    finite = values[np.isfinite(values)]
    bins = Bins.of(Cells.of(finite[::2]), mean=float(finite.mean()), deviation=float(finite.std()))
    used = bins if binned else None

    expected = Distinct.of(mixed((values + 0.0).view(np.uint64)))
    whole, pieces = scanned(values, ROWS, used), scanned(values, 100, used)

    assert whole["distinct"] == pieces["distinct"] == expected
    part = "bin_counts" if binned else "cells"
    assert whole[part] == pieces[part]


def test_numbers_of_chosen_rows_are_those_rows_numbers() -> None:
    array = pa.array([1.5, None, 3.0, float("nan"), 5.0])

    read = read_numbers(array)

    assert (read.missing, read.nan, read.fractional) == (2, 1, 3)
    np.testing.assert_array_equal(read.at(np.array([0, 1, 3, 4])), [1.5, np.nan, np.nan, 5.0])
    np.testing.assert_array_equal(read.at(np.array([2])), [3.0])
