"""Rows kept of a read: as many as can be, the same whatever their order and batches."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from watchkeep.frames.batches import Batch
from watchkeep.profiles.kept_rows import KeptRows

START = datetime(2026, 3, 1, tzinfo=UTC)


def table(rows: int, seed: int = 1) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "at": [START + timedelta(minutes=int(minute)) for minute in rng.integers(0, 90, rows)],
            "row": rng.permutation(rows).astype(float),
            "word": pa.array(["a", "b", None]).take(pa.array(rng.integers(0, 3, rows))).dictionary_encode(),
        }
    )


def kept(*tables: pa.Table, most: int = 100) -> list[pa.Table]:
    found = KeptRows("at", ("row",), most)
    for one in tables:
        found.add(Batch.of(one).decoded_once())
    return [
        pa.table({name: batch.column(name) for name in batch.names})
        for batch in found.batches()
        if batch.rows
    ]


def rows_of(tables: list[pa.Table]) -> list[tuple[object, ...]]:
    return sorted((tuple(row.values()) for one in tables for row in one.to_pylist()), key=str)


def test_few_rows_are_all_kept() -> None:
    whole = table(100)

    assert rows_of(kept(whole)) == rows_of([whole])
    assert rows_of(kept(*(whole.slice(at, 9) for at in range(0, 100, 9)))) == rows_of([whole])


def test_of_many_rows_a_sample_is_kept_that_does_not_depend_on_their_order() -> None:
    whole = table(5_000)
    found = rows_of(kept(whole))

    assert 30 <= len(found) <= 100  # the bar is halved: more than about half of what may stay does
    assert set(found) <= set(rows_of([whole]))
    shuffled = whole.take(np.random.default_rng(2).permutation(5_000))
    assert rows_of(kept(*(shuffled.slice(at, 77) for at in range(0, 5_000, 77)))) == found


def test_the_sample_is_no_different_from_the_rest() -> None:
    numbers = [row[1] for row in rows_of(kept(table(20_000), most=4_000))]

    assert np.mean(np.array(numbers, float)) == pytest.approx(10_000, abs=4 * 5_774 / len(numbers) ** 0.5)


def test_many_small_batches_come_back_as_one_and_other_columns_apart() -> None:
    whole, other = table(60), table(5).rename_columns(["at", "row", "name"])

    found = kept(*(whole.slice(at, 2) for at in range(0, 60, 2)), other)

    assert [one.num_rows for one in found] == [60, 5]
    assert rows_of(found) == rows_of([whole, other])


def test_rows_without_the_column_of_time_are_not_kept() -> None:
    assert kept(pa.table({"row": [1.0, 2.0]})) == []
