"""A baseline that is nothing but SageMaker's two JSON files judges as the whole baseline does."""

from pathlib import Path

import numpy as np
import pyarrow as pa

import watchkeep as wk


def rows(n: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "items": random.poisson(3, n),
            "age": random.integers(18, 90, n),
            "price": np.round(random.gamma(2, 9, n), 2),
            "x": random.normal(size=n),
            "town": random.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
        }
    )


def test_unchanged_windows_are_not_changed_by_the_two_files_either(tmp_path: Path) -> None:
    baseline = wk.DataQuality().baseline(rows(60_000, 1))
    baseline.save(tmp_path / "b")
    (tmp_path / "b" / "baseline.arrow").unlink()
    theirs = wk.load(tmp_path / "b")

    for seed in range(2, 12):
        window = rows(2_000, seed)
        for each in (baseline, theirs):
            assert each.check(window).decision.level < 0.5


def test_a_change_is_seen_by_the_two_files_too(tmp_path: Path) -> None:
    baseline = wk.DataQuality().baseline(rows(60_000, 1))
    baseline.save(tmp_path / "b")
    (tmp_path / "b" / "baseline.arrow").unlink()
    window = rows(2_000, 2)
    more = pa.array(window["items"].to_numpy() + (np.arange(2_000) % 5 == 0))
    window = window.set_column(0, "items", more)

    decision = wk.load(tmp_path / "b").check(window).decision

    assert decision.alarm
    assert decision.named == ("items",)
