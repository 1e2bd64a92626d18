"""Ranks within queries, against scikit-learn and against all orders of tied rows."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from tests.unit.stats.scored_rows import LAW, Array, near

from watchkeep.stats.ranking import Ranked


@st.composite
def queries(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """Keys, relevances and scores of a few queries, their rows mixed, scores often tied."""
    sizes = draw(st.lists(st.integers(2, 9), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    keys = np.repeat(rng.permutation(100)[: len(sizes)], sizes)
    grades, levels = draw(st.sampled_from([2, 5])), draw(st.sampled_from([1, 3, 1_000]))
    order = rng.permutation(len(keys))
    relevance = rng.integers(0, grades, len(keys)) * (rng.random(len(keys)) < 0.6)
    return keys[order], relevance.astype(float), rng.integers(0, levels, len(keys)) / 7


@LAW
@given(queries(), st.integers(1, 10))
def test_ndcg_is_that_of_scikit_learn(rows: tuple[Array, Array, Array], k: int) -> None:
    keys, relevance, scores = rows

    found = Ranked.of(keys, relevance=relevance, scores=scores).ndcg(k)

    for key, one in zip(np.unique(keys), found, strict=True):
        mine = keys == key
        if relevance[mine].any():
            assert one == near(metrics.ndcg_score([relevance[mine]], [scores[mine]], k=k))
        else:
            assert np.isnan(one)


def first_relevant(relevance: Array, scores: Array) -> float:
    """The mean of one over the rank of the first relevant row, over all orders of the rows that fit the scores."""
    ranks = [
        1 + min(at for at, row in enumerate(order) if relevance[row])
        for order in permutations(range(len(scores)))
        if all(scores[one] >= scores[two] for one, two in pairwise(order))
    ]
    return float(np.mean(1 / np.array(ranks)))


@LAW
@given(st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([1, 2, 50]))
def test_the_reciprocal_rank_is_the_mean_over_all_orders_of_tied_rows(
    seed: int, size: int, levels: int
) -> None:
    rng = np.random.default_rng(seed)
    relevance, scores = rng.integers(0, 2, size).astype(float), rng.integers(0, levels, size).astype(float)
    relevance[0] = 2.0
    keys, other = np.zeros(size), np.ones(3)

    found = Ranked.of(
        np.append(keys, other),
        relevance=np.append(relevance, [0.0, 0.0, 1.0]),
        scores=np.append(scores, [3.0, 2.0, 1.0]),
    ).reciprocal()

    assert found.tolist() == near([first_relevant(relevance, scores), 1 / 3])


@pytest.mark.parametrize("rows", [0, 3])
def test_queries_without_a_relevant_row_have_no_rank(rows: int) -> None:
    ranked = Ranked.of(np.zeros(rows), relevance=np.zeros(rows), scores=np.arange(float(rows)))

    assert np.isnan(ranked.ndcg(5)).all()
    assert np.isnan(ranked.reciprocal()).all()
    assert len(ranked.reciprocal()) == (1 if rows else 0)
