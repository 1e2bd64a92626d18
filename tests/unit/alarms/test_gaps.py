"""Gaps between groups as evidence: chances that come true, and what is too little to tell."""

import numpy as np
import pytest

from watchkeep.alarms.gaps import FEWEST, Gaps
from watchkeep.alarms.witness import Change

N = 20_000


def windows(
    p: float, q: float, n: int, m: int, *, seed: int
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Sums of windows with n rows of the group and m others, and the group's share of rows."""
    random = np.random.default_rng(seed)
    d, a = random.binomial(n, p, N), random.binomial(m, q, N)
    rows = random.binomial(n + m, n / (n + m), N)
    columns = [d, np.full(N, n), a, np.full(N, m), rows, np.full(N, n + m), np.zeros(N), np.zeros(N)]
    return np.stack(columns, axis=1).astype(np.float64)


BASELINE = np.array([800.0, 8_000, 6_000, 12_000, 8_000, 20_000, 0, 0])


@pytest.mark.parametrize(("p", "n", "m"), [(0.1, 60, 90), (0.1, 400, 600), (0.02, 80, 120), (0.5, 40, 60)])
def test_a_chance_comes_true_as_often_as_it_says(p: float, n: int, m: int) -> None:
    baseline = np.array([p * 100_000, 100_000, 75_000, 150_000, 100_000, 250_000, 0, 0])
    found = Gaps(("g",), baseline, 2).chances(
        windows(p, 0.5, n, m, seed=5), np.tile(baseline, (N, 1)), margin=0.0
    )

    assert [one.change for one in found] == [Change.GAP, Change.SIZE]
    for one in found:
        chances = np.exp(one.logs[:, 0])
        for level in (0.1, 0.01, 0.001):
            rate, error = np.mean(chances <= level), np.sqrt(level / N)
            assert rate <= 1.5 * level + 4 * error, (one.change, level)
            assert level == 0.001 or rate >= 0.5 * level, (one.change, level)


def test_a_group_that_is_treated_otherwise_or_is_gone_is_seen() -> None:
    gaps = Gaps(("g",), BASELINE, 2)
    worse = np.array([[2.0, 400, 310, 600, 400, 1_000, 0, 0]])
    gone = np.array([[0.0, 0, 500, 1_000, 0, 1_000, 0, 0]])

    treated, _ = gaps.chances(worse, BASELINE[None], margin=0.0)
    silent, size = gaps.chances(gone, BASELINE[None], margin=0.0)

    assert treated.logs[0, 0] < -10
    assert silent.logs[0, 0] == 0
    assert size.logs[0, 0] < -100


def test_what_moves_in_all_groups_alike_is_no_gap() -> None:
    both = np.array([[90.0, 400, 375, 600, 400, 1_000, 0, 0]])  # both more often by 0.125

    found, _ = Gaps(("g",), BASELINE, 2).chances(both, BASELINE[None], margin=0.0)

    assert found.logs[0, 0] > np.log(0.5)


def test_few_rows_are_no_evidence_and_promise_nothing() -> None:
    gaps = Gaps(("g",), BASELINE, 2)
    few = np.array([[FEWEST - 1.0, FEWEST - 1, 300, 600, 400, 1_000, 0, 0]])

    assert gaps.chances(few, BASELINE[None], margin=0.0)[0].logs[0, 0] == 0
    assert np.isnan(gaps.detectable(50, chance=1e-4, margin=0.0)[0])
    assert 0 < gaps.detectable(5_000, chance=1e-4, margin=0.0)[0] < 0.2


def test_without_groups_there_is_no_chance() -> None:
    assert Gaps((), np.zeros(0), 2).chances(np.zeros((1, 0)), np.zeros((1, 0)), margin=0.0) == ()
