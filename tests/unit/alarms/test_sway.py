"""Tails of differences of means: as long as rare rows make them, and never shorter further out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from watchkeep.alarms.sway import deviates


@given(tilt=st.floats(-2, 2), beyond=st.floats(0, 20))
def test_a_larger_difference_is_never_less_surprising(tilt: float, beyond: float) -> None:
    z = np.linspace(0.1, 60, 600)
    for side in (-1, 1):
        excess = 1.5 * tilt**2 + beyond + 1e-9
        logs = deviates(side * z, np.ones(600), np.full(600, tilt), None, excess=excess).log_beyond()

        assert (np.diff(logs) <= 1e-9).all()


@pytest.mark.parametrize(("below", "above"), [(0.003, 0.017), (0.017, 0.003), (0.01, 0.01), (0.0, 0.02)])
@pytest.mark.parametrize("n", [100, 400])
def test_rare_rows_on_either_side_are_as_rare_as_they_are(below: float, above: float, n: int) -> None:
    rng, draws, rate = np.random.default_rng(n), 300_000, below + above
    mean = above - below
    variance = rate - mean**2
    third = above * (1 - mean) ** 3 - below * (1 + mean) ** 3 - (1 - rate) * mean**3
    fourth = above * (1 - mean) ** 4 + below * (1 + mean) ** 4 + (1 - rate) * mean**4
    counts = rng.multinomial(n, (below, 1 - rate, above), draws)
    gap = ((counts[:, 2] - counts[:, 0]) / n - mean) / variance**0.5
    skew = np.full(draws, third / variance**1.5 / n**0.5)

    logs = deviates(
        gap, np.full(draws, 1 / n), skew, None, excess=(fourth / variance**2 - 3) / n
    ).log_beyond()

    for chance in (1e-2, 1e-3, 1e-4):  # counts are coarse where one of a hundred is asked for
        seen = np.count_nonzero(logs < np.log(chance))
        assert seen <= stats.binom.isf(1e-4, draws, (2.0 if chance == 1e-2 else 1.5) * chance), chance
