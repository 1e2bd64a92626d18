"""Ids that are there once are matched in memory as a database matches them."""

from typing import Any
from unittest import mock

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeep.adapters.sources.joined import KEYS
from watchkeep.adapters.sources.labels import COLUMNS
from watchkeep.adapters.sources.matching import Matching

IDS = st.lists(st.sampled_from([f"i{n}" for n in range(12)] + ["", "ü", "i" * 40]), unique=True, max_size=15)
MOMENTS = st.none() | st.integers(-(2**40), 2**40) | st.sampled_from([-(2**60), 2**60, 0, 1_000_000])


@st.composite
def laid_down(draw: st.DrawFn, schema: pa.Schema, *others: st.SearchStrategy[Any]) -> list[pa.Table]:
    """Rows of a schema with ids that are there once, in one piece or two."""
    ids = draw(IDS)
    columns = [list(range(3, 3 + 2 * len(ids), 2)), ids, *([draw(one) for _ in ids] for one in others)]
    arrays = [pa.array(column, part.type) for column, part in zip(columns, schema, strict=True)]
    table = pa.Table.from_arrays(arrays, schema=schema)
    cut = draw(st.integers(0, len(ids)))
    return [table.slice(0, cut), table.slice(cut)]


def found(predictions: list[pa.Table], labels: list[pa.Table], slack: int) -> tuple[Any, ...]:
    with Matching("x") as matching:
        matching.keep("labels", COLUMNS, iter(labels))
        matching.keep("predictions", KEYS, iter(predictions))
        told = matching.match(slack=slack, repeated=())
        rows = [
            row
            for one in matching.slices()
            for row in zip(one.rows.tolist(), one.labels.to_pylist(), one.kept.tolist(), strict=True)
        ]
        return told, rows


@given(
    laid_down(KEYS, MOMENTS),
    laid_down(COLUMNS, st.sampled_from(["0", "yes"]), MOMENTS),
    st.integers(0, 10**6),
)
@settings(max_examples=25)
def test_memory_and_a_database_find_the_same(
    predictions: list[pa.Table], labels: list[pa.Table], slack: int
) -> None:
    here = found(predictions, labels, slack)
    with mock.patch.object(Matching, "_near", return_value=False):
        assert found(predictions, labels, slack) == here
