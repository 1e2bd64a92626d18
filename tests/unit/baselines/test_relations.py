"""How far chance moves relations: to first order, and when rows are few."""

import numpy as np
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.baselines.relation_days import correlations, influences
from watchkeep.baselines.relations import RelationBaseline
from watchkeep.service.checking import DataLearned


def rows(rng: np.random.Generator, n: int) -> pa.Table:
    size = rng.normal(size=n)
    return pa.table(
        {
            "size": size,
            "price": size + rng.normal(size=n),
            "kind": np.where(size + rng.normal(size=n) > 0, "large", "small"),
        }
    )


@pytest.fixture(scope="module")
def known() -> RelationBaseline:
    learned = wk.DataQuality().baseline(rows(np.random.default_rng(1), 4_000)).learned
    assert isinstance(learned, DataLearned)
    assert learned.baseline.relations is not None
    return learned.baseline.relations


def summed(known: RelationBaseline, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The scores of rows, and their sums."""
    scores = np.column_stack(
        [
            scorer.of_texts(table[scorer.name].to_pylist())
            if scorer.edges is None
            else scorer.of_numbers(np.array(table[scorer.name]))
            for scorer in known.plan.scorers
        ]
    )
    upper = np.triu_indices(scores.shape[1])
    return scores, np.concatenate([[len(scores)], scores.sum(axis=0), (scores.T @ scores)[upper]])[None]


def test_influences_are_the_mean_over_rows_of_what_each_does_to_the_correlation(
    known: RelationBaseline,
) -> None:
    rng = np.random.default_rng(2)
    (before, reference), (now, sums) = (summed(known, rows(rng, n)) for n in (5_000, 30))
    centre = before.mean(axis=0)
    both = [one - centre for one in (before, now)]
    told = [one @ known.tellers.T for one in both]
    sides = [np.hstack([one, one[:, known.pairs[0]]]) for one in both]
    others = [np.hstack([one, two[:, known.pairs[1]]]) for one, two in zip(told, both, strict=True)]
    u, v = sides[1] / sides[0].std(axis=0), others[1] / others[0].std(axis=0)
    r = correlations(known, reference)

    assert influences(known, sums, reference) == pytest.approx(
        (u * v - r * (u**2 + v**2) / 2).mean(axis=0)[None]
    )
    assert influences(known, reference, reference) == pytest.approx(np.zeros_like(r), abs=1e-12)


def test_of_many_rows_influences_are_the_differences_of_correlations(known: RelationBaseline) -> None:
    rng = np.random.default_rng(3)
    (_, reference), (_, sums) = (summed(known, rows(rng, 200_000)) for _ in range(2))
    gap = correlations(known, sums) - correlations(known, reference)

    assert influences(known, sums, reference) == pytest.approx(gap, abs=3e-4)
