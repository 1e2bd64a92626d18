"""How far several scores of one row lie apart, against NumPy row by row."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.monitors.model_quality.members import spreads

score = st.one_of(st.floats(-1e6, 1e6), st.none(), st.sampled_from([float("nan"), float("inf")]))
rows = st.lists(st.one_of(st.none(), st.lists(score, max_size=5)), max_size=8)


def by_row(scores: list[float | None] | None) -> float:
    if scores is None or len(scores) < 2 or any(one is None or not np.isfinite(one) for one in scores):
        return float("nan")
    return float(np.std(np.array(scores, float), ddof=1))


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float64())])
@given(found=rows)
def test_the_spread_is_the_standard_deviation_of_each_row(kind: pa.DataType, found: list[Any]) -> None:
    array = pa.array(found, kind)

    expected = [by_row(one) for one in found]

    np.testing.assert_allclose(spreads(array), expected, rtol=1e-9, atol=1e-9)
    if len(found) > 1:  # a piece of an array begins anywhere in its buffers
        np.testing.assert_allclose(spreads(array.slice(1)), expected[1:], rtol=1e-9, atol=1e-9)


def test_what_is_no_list_has_no_spread() -> None:
    assert np.isnan(spreads(pa.array([0.5, 0.7]))).all()
