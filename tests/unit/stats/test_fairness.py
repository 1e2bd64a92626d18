"""Treating groups alike: the laws that weights and mixed decisions must keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.core.undefined import Undefined
from watchkeep.stats.fairness import Decision, calibrated_odds, reweighing

tables = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=5)


@given(tables)
def test_weighed_rows_have_one_share_of_positives_in_every_group_and_no_group_weighs_more(
    table: list[tuple[int, int]],
) -> None:
    counts = np.array(table, float)

    weighed = counts * reweighing(counts)

    shares = weighed[:, 1] / weighed.sum(axis=1)
    assert shares == pytest.approx(np.full(len(counts), counts[:, 1].sum() / counts.sum()))
    assert weighed.sum(axis=1) == pytest.approx(counts.sum(axis=1))


def test_a_group_without_a_label_gets_no_weight_there() -> None:
    assert reweighing(np.array([[4.0, 0.0], [2.0, 2.0]]))[0].tolist() == [0.75, 0.0]


def test_every_group_pays_what_the_worst_one_pays() -> None:
    random = np.random.default_rng(4)
    groups = np.repeat([0, 1, 2], 400)
    labels = (random.random(1200) < 0.4).astype(float)
    scores = np.clip(
        0.5 + np.array([0.4, 0.25, 0.1])[groups] * (2 * labels - 1) + random.normal(0, 0.05, 1200), 0, 1
    )

    decisions = calibrated_odds(scores, labels, groups, threshold=0.5)
    assert not isinstance(decisions, Undefined)

    costs = []
    for group, decision in enumerate(decisions):
        mine = groups == group
        own, rate = scores[mine], labels[mine].mean()
        kept = own[labels[mine] == 0].mean() + (1 - own[labels[mine] == 1]).mean()
        costs.append((1 - decision.mixed) * kept + decision.mixed * 1.0)
        assert decision.constant == pytest.approx(rate)
    assert costs == pytest.approx([max(costs)] * 3)
    assert decisions[2].mixed == 0


def test_a_group_without_a_label_cannot_be_treated() -> None:
    found = calibrated_odds(np.array([0.2, 0.4]), np.array([0.0, 1.0]), np.array([0, 1]), threshold=0.5)

    assert found == Undefined("group 0 has no row labelled positive")


def test_a_threshold_that_none_or_all_are_above_is_told_without_infinity() -> None:
    decision = Decision(((np.inf, 0.25), (-np.inf, 0.75)))

    assert decision.chances(np.array([0.3])).tolist() == [0.75]
    assert [one["above"] for one in decision.document()["thresholds"]] == [None, None]  # type: ignore[attr-defined]
    assert [one["all"] for one in decision.document()["thresholds"]] == [False, True]  # type: ignore[attr-defined]
