"""Rows by block of time and bucket are what the same rows would be as windows."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from watchkeep.adapters.sources import open_source
from watchkeep.baselines.baseline import Baseline
from watchkeep.baselines.blocks import FEWEST, HOUR, MOST_COUNTS, BlockScan, step_of
from watchkeep.baselines.buckets import buckets_of
from watchkeep.core.window import Window
from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.frames.text_values import Dialect
from watchkeep.service.baselining import learn
from watchkeep.service.checking import scan_window
from watchkeep.states.cells import Cells

RNG = np.random.default_rng(24)
ROWS = 3_000
DAYS = 12


def of_every_kind() -> pa.Table:
    """Columns of every kind, of rows in random order."""
    day = RNG.integers(0, DAYS, ROWS)
    numbers = RNG.normal(day, 2.0, ROWS)
    numbers[RNG.random(ROWS) < 0.05] = np.nan
    numbers[:2] = np.inf, -np.inf
    words = [["red", "green", "blue", None][at] for at in RNG.integers(0, 4, ROWS).tolist()]
    return pa.table(
        {
            "number": pa.array(np.where(np.arange(ROWS) % 40 == 0, 1e6, numbers)),
            "count": pa.array([None if at % 17 == 0 else at % 5 for at in range(ROWS)], pa.int64()),
            "word": pa.array(words).dictionary_encode(),
            "many": pa.array([f"customer {value}" for value in RNG.integers(0, 2_500, ROWS)]),
            "some": pa.array([f"shop {value}" for value in RNG.geometric(0.05, ROWS)]),
            "flag": pa.array([None if at % 11 == 0 else bool(at % 3) for at in range(ROWS)]),
            "vector": pa.array([None if at % 13 == 0 else [float(at % 7), 1.0] for at in range(ROWS)]),
            "nothing": pa.nulls(ROWS, pa.float64()),
            "at": pa.array((day * 24 + RNG.integers(0, 24, ROWS)) * HOUR, pa.timestamp("us")),
        }
    )


TABLE = of_every_kind()


def learned(table: pa.Table) -> Baseline:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    roles = Roles(timestamp="at")
    return learn(
        open_source(table), roles, kind="data-quality", dialect=Dialect.DEFAULT, created=now
    ).baseline


def test_every_block_holds_what_a_window_of_its_rows_would() -> None:
    baseline = learned(TABLE)
    buckets = baseline.buckets
    scan = BlockScan(baseline.columns, buckets, time="at", step=24, dialect=Dialect.DEFAULT)
    for start in range(0, ROWS, 700):
        scan.add(Batch.of(TABLE.slice(start, 700)))

    blocks = scan.blocks()

    assert blocks.places.tolist() == list(range(DAYS))
    assert np.array_equal(blocks.counts.sum(axis=0), buckets.baseline)
    days = TABLE["at"].cast(pa.int64()).to_numpy() // (24 * HOUR)
    for place in range(DAYS):
        rows = TABLE.filter(pa.array(days == place))
        profile = scan_window(baseline, open_source(rows), window=Window(), dialect=Dialect.DEFAULT)
        assert np.array_equal(blocks.counts[place], buckets.counts(profile, baseline.columns)), place


def test_text_of_numbers_with_other_texts_among_them_falls_where_a_window_has_it() -> None:
    texts = [["7", "8.5", "", "red", "1e3", None][value] for value in RNG.integers(0, 6, ROWS)]
    table = pa.table({"at": TABLE["at"], "x": pa.array(TABLE["number"].cast(pa.float64()))})
    baseline = learned(table)
    scan = BlockScan(baseline.columns, baseline.buckets, time="at", step=24, dialect=Dialect.DEFAULT)

    scan.add(Batch.of(pa.table({"at": TABLE["at"], "x": pa.array(texts)}), textual=frozenset({"x"})))

    counts = scan.blocks().counts.sum(axis=0)
    assert counts[-1] == sum(text in ("", None) for text in texts)
    assert counts[-2] == texts.count("red")


def test_rows_without_a_time_or_a_column_are_counted_as_such() -> None:
    baseline = learned(TABLE)
    scan = BlockScan(baseline.columns, baseline.buckets, time="at", step=24, dialect=Dialect.DEFAULT)

    scan.add(Batch.of(pa.table({"at": pa.array([None, 0, 1], pa.timestamp("us"))})))
    scan.add(Batch.of(pa.table({"number": pa.array([1.0])})))

    blocks = scan.blocks()
    assert blocks.rows.tolist() == [2]
    missing = np.array(baseline.buckets.starts[1:]) - 1
    assert blocks.counts[0, missing].tolist() == [2] * len(missing)


def hours(count: int, apart: int = 1) -> Cells:
    keys = np.arange(count, dtype=np.int64) * apart
    return Cells.settled(0, keys, np.ones(count, np.int64))


@pytest.mark.parametrize(
    ("count", "apart", "buckets", "step"),
    [
        (FEWEST - 1, 1, 10, None),
        (200, 1, 10, 1),
        (200, 24, 10, 1),
        (12_000, 1, 10, 2),
        (4_000, 1, MOST_COUNTS // 1_000, 4),
        (9, 1, MOST_COUNTS, None),
    ],
)
def test_blocks_are_as_short_as_their_number_allows(
    count: int, apart: int, buckets: int, step: int | None
) -> None:
    assert step_of(hours(count, apart), buckets) == step


def test_hours_that_were_put_together_make_longer_blocks() -> None:
    coarse = Cells.settled(2, np.arange(500, dtype=np.int64), np.ones(500, np.int64))

    assert step_of(coarse, 10) == 4
    assert step_of(None, 10) is None


def test_many_batches_take_no_more_room_than_their_blocks() -> None:
    table = pa.table({"x": np.arange(200.0), "at": pa.array(np.arange(200) * 6 * HOUR, pa.timestamp("us"))})
    roles = Roles(timestamp="at")
    found = learn(
        open_source(table), roles, kind="data-quality", dialect=Dialect.DEFAULT, created=datetime.now(UTC)
    )
    columns = found.baseline.columns
    scan = BlockScan(columns, buckets_of(columns), time="at", step=24, dialect=Dialect.DEFAULT)

    for _ in range(40):
        for start in range(0, 200, 10):
            scan.add(Batch.of(table.slice(start, 10)))

    assert len(scan._rows) < 2 * 50
    assert scan.blocks().rows.tolist() == [160] * 50
