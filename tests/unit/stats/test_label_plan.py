"""Label plans against brute force; estimates with labels by simulation, within binomial bounds."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from watchkeep.core.errors import OptionError
from watchkeep.stats.expected_counts import Estimated, expected_counts, measured
from watchkeep.stats.label_plan import LabelPlan, label_plan, strata, with_labels

ONE_IN_A_THOUSAND = 0.001


def _half_width(rows: np.ndarray, deviations: np.ndarray, n: np.ndarray) -> float:
    return 1.959964 * math.sqrt((rows**2.0 * deviations**2 * (1 / n - 1 / rows)).sum())


def test_no_plan_with_fewer_labels_reaches_the_target() -> None:
    rows, deviations, target = np.array([30, 40, 12]), np.array([0.01, 0.002, 0.03]), 0.25
    plan = label_plan(rows, deviations, target=target, least=1)
    every = itertools.product(*(range(1, size + 1) for size in rows))
    fewest = min(sum(n) for n in every if _half_width(rows, deviations, np.array(n, float)) <= target + 1e-12)

    assert _half_width(rows, deviations, plan.rows.astype(float)) <= target
    assert plan.rows.sum() <= fewest + len(rows)  # each stratum is rounded up
    assert plan.half_width == pytest.approx(_half_width(rows, deviations, plan.rows.astype(float)), rel=1e-5)


def test_strata_that_need_more_rows_than_they_have_are_labelled_whole() -> None:
    plan = label_plan(np.array([5, 1000]), np.array([1.0, 0.001]), target=0.1)

    assert plan.rows[0] == 5
    assert plan.half_width <= 0.1


def test_strata_that_say_nothing_are_not_labelled() -> None:
    assert label_plan(np.array([100, 100]), np.array([0.01, 0.0]), target=0.2).rows[1] == 0


def test_a_target_must_be_positive() -> None:
    with pytest.raises(OptionError, match="half-width above 0"):
        label_plan(np.array([1]), np.array([1.0]), target=0.0)


def test_strata_are_neighbours_of_one_answer() -> None:
    rng = np.random.default_rng(1)
    rows, chances = rng.integers(0, 30, (50, 2)), np.linspace(0.01, 0.99, 50)
    found = strata(rows, np.full((50, 2), 0.001), chances, most=10)

    assert not set(found.of[:, 0]) & set(found.of[:, 1])
    assert (np.diff(found.of, axis=0) >= 0).all()
    assert len(found.rows) <= 11
    assert found.rows.sum() == rows.sum()


class _World:
    """A window whose chances are not those that were learned, and a measure of it."""

    def __init__(self, seed: int, drift: float, name: str = "accuracy") -> None:
        self.rng, self.name = np.random.default_rng(seed), name
        self.learned = np.linspace(0.02, 0.98, 40)
        bins = self.rng.integers(0, 40, 4000)
        answers = (self.learned[bins] > 0.4).astype(int)
        odds = np.log(self.learned / (1 - self.learned))[bins] * (1 - drift) + drift
        labels = (self.rng.random(4000) < 1 / (1 + np.exp(-odds))).astype(int)
        self.bins, self.answers, self.labels = bins, answers, labels
        self.rows = np.zeros((40, 2), np.int64)
        np.add.at(self.rows, (bins, answers), 1)
        real = np.zeros((40, 2, 2))
        np.add.at(real, (bins, answers, labels), 1)
        self.truth, _ = self.measure(real)
        self.estimate, slopes = self.measure(expected_counts(self.rows.astype(np.float64), self.learned))
        self.strata = strata(self.rows, slopes, self.learned)

    def measure(self, counts: np.ndarray) -> tuple[float, np.ndarray]:
        found = measured(counts)
        value = found.values[self.name]
        assert isinstance(value, float)
        return value, found.slopes[self.name]

    def labelled(self, plan: LabelPlan) -> Estimated:
        """The estimate once some rows are labelled."""
        of = self.strata.of[self.bins, self.answers]
        drawn = [
            self.rng.choice(np.flatnonzero(of == at), size, replace=False)
            for at, size in enumerate(plan.rows)
        ]
        at = np.concatenate(drawn)
        sample = self.bins[at], self.answers[at], self.labels[at]
        return with_labels(self.rows, self.learned, self.strata, sample, self.measure)

    def plan(self, target: float) -> LabelPlan:
        return label_plan(self.strata.rows, self.strata.deviations, target=target)


@pytest.mark.parametrize("drift", [0.0, 0.5])
@pytest.mark.parametrize("name", ["accuracy", "recall", "auc"])
def test_bands_with_labels_hold_the_truth_though_the_chances_are_wrong(drift: float, name: str) -> None:
    held, draws = 0, 0
    for seed in range(10):
        world = _World(seed, drift, name)
        plan = world.plan(0.03)
        for _ in range(30):
            found = world.labelled(plan)
            assert found.low is not None
            assert found.high is not None
            held += found.low <= world.truth <= found.high
            draws += 1

    assert held >= stats.binom.ppf(ONE_IN_A_THOUSAND, draws, 0.95)


def test_labels_take_away_what_drift_did_to_the_estimate() -> None:
    world = _World(3, 0.5)
    plan = world.plan(0.02)
    values = [float(str(world.labelled(plan).value)) for _ in range(100)]

    assert abs(world.estimate - world.truth) > 0.03
    assert np.mean(values) == pytest.approx(world.truth, abs=0.004)


def test_bands_are_as_narrow_as_planned_where_the_chances_are_right() -> None:
    world = _World(4, 0.0)
    plan = world.plan(0.02)
    values = [float(str(world.labelled(plan).value)) for _ in range(300)]

    assert plan.half_width <= 0.02
    assert 1.96 * np.std(values) == pytest.approx(plan.half_width, rel=0.2)
    assert plan.rows.sum() < 4000 / 2


def test_all_labels_leave_no_doubt() -> None:
    world = _World(5, 0.5)
    found = world.labelled(LabelPlan(world.strata.rows, 0.0))

    assert found.value == pytest.approx(world.truth, abs=1e-3)
    assert found.deviation == pytest.approx(0)


def test_a_stratum_without_labels_keeps_its_doubt() -> None:
    world = _World(6, 0.0)
    plan = world.plan(0.02)
    blind = plan.rows.copy()
    blind[3] = 0
    whole, part = (world.labelled(LabelPlan(rows, 0.0)).deviation for rows in (plan.rows, blind))

    assert whole is not None
    assert part is not None
    assert part > 1.5 * whole
