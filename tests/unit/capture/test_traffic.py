"""Counts of requests merge, and quantiles are within what they promise."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.capture.record import Inference
from watchkeep.capture.traffic import Spread, Tallies, cell_of, middle_of

NUMBERS = st.lists(st.integers(0, 10**12), max_size=60)


def inference(**values: Any) -> Inference:
    one = Inference("churn", "A", "e", "", 0, 250, 3, 200, 1.0, "", "", "", "", b"41", b"0.5")
    return one._replace(**values)


@given(st.integers(0, 2**62))
def test_a_cell_is_narrow_and_in_order(value: int) -> None:
    assert abs(middle_of(cell_of(value)) - value) <= 0.008 * value
    assert cell_of(value) <= cell_of(value + 1) <= cell_of(value) + 1


@given(NUMBERS, NUMBERS, NUMBERS)
def test_spreads_merge_in_any_order(one: list[int], two: list[int], three: list[int]) -> None:
    whole = Spread.of(one + two + three)
    left, right = Spread.of(one), Spread.of(two)
    left.merge(right)
    left.merge(Spread.of(three))
    other = Spread.of(three)
    other.merge(Spread.of(two))
    other.merge(Spread.of(one))
    added = Spread()
    for value in one + two + three:
        added.add(value)

    assert left == other == whole == added
    if whole.count:
        assert Spread.read(whole.document()) == whole


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.999])
def test_quantiles_are_those_of_numpy(share: float) -> None:
    values = np.random.default_rng(3).lognormal(6, 1.5, 20_000).astype(int).tolist()

    assert Spread.of(values).quantile(share) == pytest.approx(
        float(np.quantile(values, share, method="inverted_cdf")), rel=0.008
    )


def test_nothing_has_no_quantile() -> None:
    assert Spread().quantile(0.5) is None


def test_requests_are_counted_by_what_became_of_them() -> None:
    records = [
        inference(status=status, time=minute * 60_000_000 + 5, latency=latency)
        for status, minute, latency in [(200, 0, 100), (404, 0, 50), (500, 0, -1), (0, 0, 10), (201, 1, 7)]
    ]
    tallies = Tallies()
    tallies.count(records)
    tallies.leave_out(records[0], "left out of the sample")
    added = Tallies()
    for one in records:
        added.at(("churn", "A", one.time // 60_000_000)).add(one)
    added.leave_out(records[0], "left out of the sample")

    first = tallies.of["churn", "A", 0]
    assert (first.invocations, first.client_errors, first.server_errors, first.model_errors) == (4, 1, 1, 3)
    assert (first.latency.count, first.latency.total, first.overhead.count) == (3, 160, 4)
    assert first.lost == {"left out of the sample": 1}
    assert tallies.of == added.of == Tallies.read(tallies.documents()).of
