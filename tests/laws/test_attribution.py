"""Laws of attributions: pieces merge to the whole, in any order."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import watchkeep as wk


class Sum:
    name, kind, features, labels = "a sum", "a function", ("a", "b"), ("label0",)

    def scores(self, rows: pa.Table) -> np.ndarray:
        a, b = (rows.column(name).to_numpy() for name in ("a", "b"))
        return np.asarray(a + 0.5 * a * b)[:, None]


def drawn(n: int, seed: int) -> pa.Table:
    rows = np.random.default_rng(seed).normal(size=(n, 2))
    return pa.table({"a": rows[:, 0], "b": rows[:, 1]})


BASELINE = wk.Attribution(model=Sum(), explained=0, segments=("right: a > 0",)).baseline(drawn(400, 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 150), max_size=3), st.integers(0, 5))
def test_pieces_are_the_whole(cuts: list[int], seed: int) -> None:
    rows = drawn(150, seed)
    edges = [0, *sorted(cuts), 150]
    pieces = [BASELINE.scan(rows.slice(a, b - a)) for a, b in pairwise(edges)]

    whole, (first, *others) = BASELINE.judge(BASELINE.scan(rows)), pieces[::-1]
    merged = BASELINE.judge(first.merge(*others))

    assert merged.measures.keys() == whole.measures.keys()
    for key, value in whole.measures.items():
        assert isinstance(value, float)
        assert merged.measures[key] == pytest.approx(value, abs=1e-12)
