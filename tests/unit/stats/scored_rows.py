"""Rows with labels, scores and weights, and what is the same to nine digits."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import settings
from hypothesis import strategies as st

Array = npt.NDArray[Any]
LAW = settings(max_examples=80, deadline=None)


def near(value: Any) -> Any:
    """Equal to nine digits."""
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@st.composite
def scored(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """Labels of both kinds, scores with ties or without or all the same, and weights."""
    rows = draw(st.integers(2, 60))
    kinds = draw(st.sampled_from([1, 2, 5, 1000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.random(rows) < draw(st.floats(0.05, 0.95))
    labels[rng.permutation(rows)[:2]] = True, False
    scores = (rng.integers(0, kinds, rows) + labels * draw(st.sampled_from([0, 1, 300]))) / 1300
    weights = rng.integers(1, 5, rows) * (draw(st.sampled_from([1.0, 0.37])))
    return labels.astype(np.int64), scores, weights


def by_bin(values: Array, weights: Array, bins: int) -> Array:
    return np.bincount(values, weights, bins)


def split(labels: Array, place: Array, weights: Array, bins: int) -> tuple[Array, Array]:
    return by_bin(place, weights * labels, bins), by_bin(place, weights * (1 - labels), bins)
