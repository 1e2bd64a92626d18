"""Columns of many categories: which come first is luck of the baseline's rows, and no change."""

import numpy as np
import pyarrow as pa
import pytest

import watchkeep as wk


def rows(n: int, shares: "np.ndarray[tuple[int], np.dtype[np.float64]]", seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    drawn = random.choice(len(shares), n, p=shares / shares.sum())
    return pa.table({"store": [f"s{one}" for one in drawn], "amount": random.normal(size=n)})


@pytest.mark.parametrize(
    "shares",
    [np.ones(40), np.ones(200), np.ones(1000), 1.0 / np.arange(1, 501), np.repeat([10.0, 1.0], [40, 300])],
    ids=["40 alike", "200 alike", "1000 alike", "by rank", "40 before 300"],
)
def test_windows_of_the_same_rows_do_not_ring(shares: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
    levels = [
        wk.DataQuality()
        .baseline(rows(20_000, shares, 2 * seed))
        .check(rows(24_000, shares, 2 * seed + 1))
        .decision.level
        for seed in range(4)
    ]

    assert max(levels) < 0.5


def test_a_category_that_stands_out_is_still_heard() -> None:
    shares = 1.0 / np.arange(1, 501)
    more = shares.copy()
    more[1] *= 1.3
    baseline = wk.DataQuality().baseline(rows(20_000, shares, 1))

    decision = baseline.check(rows(24_000, more, 2)).decision

    assert decision.alarm
    assert decision.named == ("store",)
