"""Chances are chances: of unchanged windows no more than a share of p has a chance below p, in every kind of change."""

from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import stats

import watchkeep as wk
from watchkeep.alarms.evidence import Columns
from watchkeep.alarms.sightings import panel_of, sighting_of
from watchkeep.alarms.witness import Chances
from watchkeep.baselines.baseline import Baseline
from watchkeep.core.window import Window
from watchkeep.service.checking import DataLearned

WINDOWS = 60


def learned_of(baseline: wk.Baseline) -> Baseline:
    learned = baseline.learned
    assert isinstance(learned, DataLearned)
    return learned.baseline


def rows(rng: np.random.Generator, n: int) -> pa.Table:
    """Columns that are hard on approximations: heavy tails, ties, rare categories, hardly any value."""
    table = {
        "normal": rng.normal(size=n),
        "heavy": rng.standard_cauchy(n),
        "ties": rng.poisson(0.3, n),
        "spike": np.where(rng.random(n) < 0.95, 0.0, rng.exponential(size=n)),
        "rare": rng.choice(["a", "b", "c"], n, p=[0.985, 0.01, 0.005]),
        "many": rng.zipf(1.6, n).clip(max=400).astype(str),
        "holes": np.where(rng.random(n) < 0.9, np.nan, rng.normal(size=n)),
    }
    table["follows"] = table["normal"] + 0.2 * rng.normal(size=n)
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in table.items()})


def chances_of(panel: object, baseline: wk.Baseline, window: pa.Table, margin: float) -> list[Chances]:
    learned = learned_of(baseline)
    sighting = sighting_of(panel, learned, baseline.scan(window), Window())  # type: ignore[arg-type]
    found: list[Chances] = []
    for (witness, _), sums in zip(panel.witnesses, sighting.sums, strict=True):  # type: ignore[attr-defined]
        found += witness.chances(sums.astype(np.float64)[None], witness.baseline[None], margin=margin)
    return found


@pytest.mark.parametrize("n", [40, 150, 1_000])
def test_small_chances_are_as_rare_as_they_say(n: int) -> None:
    rng = np.random.default_rng(n)
    logs: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for _ in range(4):
        baseline = wk.DataQuality().baseline(rows(rng, 2_000))
        panel = panel_of(learned_of(baseline), false_alarms=1 / 1000)
        for _ in range(WINDOWS // 4):
            for one in chances_of(panel, baseline, rows(rng, n), 0.0):
                logs[str(one.change)].append(one.logs.ravel())

    for change, found in logs.items():
        every = np.concatenate(found)
        for chance in (1e-2, 1e-3):
            most = stats.binom.isf(1e-4, len(every), 1.6 * chance)
            assert np.count_nonzero(every < np.log(chance)) <= most, (change, chance)


def test_the_weights_of_a_column_sum_to_one() -> None:
    baseline = learned_of(wk.DataQuality().baseline(rows(np.random.default_rng(1), 500)))
    witness = Columns(baseline.buckets)
    sums = witness.baseline[None]
    total = np.zeros(len(witness.subjects))
    for one in witness.chances(sums, sums, margin=0.0):
        np.add.at(total, one.subjects, one.weights)

    assert (total <= 1 + 1e-9).all()
    assert (total > 0.9).all()


def test_what_is_too_small_to_matter_is_no_evidence_however_many_rows_show_it() -> None:
    baseline = learned_of(wk.DataQuality().baseline(rows(np.random.default_rng(2), 5_000)))
    witness = Columns(baseline.buckets)
    large = 1e6 * witness.baseline[None]
    shifted = large.copy()
    first = witness.buckets.starts[0] + 5
    shifted[0, first] *= 1.02
    shifted[0, first + 1] *= 0.98

    seen, ignored = (
        min(float(one.logs.min()) for one in witness.chances(shifted, large, margin=margin))
        for margin in (0.0, 0.05)
    )

    assert seen < np.log(1e-6)
    assert ignored > np.log(1e-3)
