"""Columns as documents: the values that stand for a window's rows increase, however many lie beyond the range."""

import numpy as np

from watchkeep.formats.column_documents import sample_of
from watchkeep.measures.columns import tail_values
from watchkeep.states.bins import TAIL_LIMIT, Bins, BinTally
from watchkeep.states.cells import Cells


def test_tails_of_very_many_values_stay_beyond_the_range() -> None:
    rng = np.random.default_rng(4)
    baseline = rng.normal(3, 1, 20_000)
    bins = Bins.of(Cells.of(baseline), mean=3.0, deviation=1.0)
    tally = BinTally(bins)
    inside = baseline[:1_000]
    low = rng.uniform(-40, float(baseline.min()), 100_000)
    high = rng.uniform(float(baseline.max()), 60, 100_000)
    tally.add(np.concatenate([inside, low, high]))
    counts = tally.counts()
    assert (
        max(counts.below.shift, counts.above.shift) > bins.shift
    )  # as few cells as are kept: wider than bins

    below, below_rows, above, above_rows = tail_values(counts, bins)
    values, rows = sample_of({"bin_counts": counts}, bins)

    assert len(counts.below.keys) <= TAIL_LIMIT
    assert below.max() <= bins.lows[0]
    assert above.min() >= bins.highs[-1]
    assert (np.diff(values) >= 0).all()
    assert rows.sum() == 201_000 > below_rows.sum() + above_rows.sum()
