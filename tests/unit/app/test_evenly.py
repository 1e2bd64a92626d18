"""A sample whose rows stand for different numbers of others becomes one in which all stand for the same number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.frames.batches import Batch
from watchkeep.frames.roles import Roles
from watchkeep.service.evenly import evenly
from watchkeep.service.ports import EVENLY, Ask, Source, Weights, parts_of


@dataclass(frozen=True)
class Sampled:
    """Rows with weights, in parts."""

    tables: Sequence[pa.Table]
    name: str = "sampled"

    def schema(self, ask: Ask) -> pa.Schema:
        names = [name for name in self.tables[0].schema.names if ask.columns is None or name in ask.columns]
        return self.tables[0].schema.empty_table().select(names).schema

    def batches(self, ask: Ask) -> Iterator[Batch]:
        for table in self.tables:
            yield Batch.of(table if ask.columns is None else table.select(list(ask.columns)))

    def parts(self, ask: Ask) -> Sequence[Source]:
        return [Sampled([table]) for table in self.tables]

    def weights(self, ask: Ask) -> Weights | None:
        weights = np.concatenate([table["weight"].to_numpy() for table in self.tables])
        return Weights("weight", "id", float(weights.min()), float(weights.max()))


def sampled(rows: int, seed: int) -> pa.Table:
    """Of rows of which one in five is rare: all rare ones, and a tenth of the others."""
    random = np.random.default_rng(seed)
    rare = random.random(rows) < 0.2
    kept = rare | (random.random(rows) < 0.1)
    ids = [f"i{seed}-{n}" for n in range(rows)]
    table = pa.table({"id": ids, "rare": rare, "weight": np.where(rare, 1.0, 10.0)})
    return table.filter(pa.array(kept))


def read(source: Source, columns: Sequence[str] | None = None) -> tuple[list[dict[str, object]], int]:
    rows: list[dict[str, object]] = []
    outside = 0
    for batch in source.batches(Ask(columns=columns)):
        arrays = [batch.column(name).to_pylist() for name in batch.names]
        rows += [dict(zip(batch.names, row, strict=True)) for row in zip(*arrays, strict=True)]
        outside += batch.outside.get(EVENLY, 0)
    return rows, outside


def test_shares_are_those_of_all_rows() -> None:
    source = Sampled([sampled(40_000, seed) for seed in range(3)])
    biased = np.mean([row["rare"] for row in read(source)[0]])

    rows, outside = read(evenly(source, Roles()))

    share = np.mean([row["rare"] for row in rows])
    assert biased > 0.6
    assert share == pytest.approx(0.2, abs=4 * np.sqrt(0.2 * 0.8 / len(rows)))
    assert len(rows) + outside == sum(table.num_rows for table in source.tables)
    assert len(rows) == pytest.approx(12_000, abs=4 * np.sqrt(12_000))


@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 400), max_size=4))
@settings(max_examples=15)
def test_the_same_rows_stay_in_whatever_parts_they_are_read(seed: int, cuts: list[int]) -> None:
    table = sampled(1000, seed)
    bounds = sorted({0, table.num_rows, *(cut for cut in cuts if cut < table.num_rows)})
    pieces = [table.slice(low, high - low) for low, high in pairwise(bounds)]

    whole, _ = read(evenly(Sampled([table]), Roles()), ["rare", "id"])
    parts = parts_of(evenly(Sampled(pieces), Roles()), Ask())

    assert [row for part in parts for row in read(part, ["rare", "id"])[0]] == whole
    heavy = [row["id"] for row in table.to_pylist() if row["weight"] == 10.0]
    assert [row["id"] for row in whole if not row["rare"]] == heavy


def test_the_columns_are_those_that_were_asked_for() -> None:
    (row, *_), _ = read(evenly(Sampled([sampled(100, 1)]), Roles()), ["rare"])

    assert list(row) == ["rare"]


def test_rows_stay_where_all_weigh_alike_or_somebody_names_weights() -> None:
    table = sampled(300, 1)
    alike = Sampled([table.filter(pa.array([not one for one in table["rare"].to_pylist()]))])
    source = Sampled([table])

    assert evenly(alike, Roles()) is alike
    assert evenly(source, Roles(weight="weight")) is source
