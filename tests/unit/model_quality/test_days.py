"""Rows of one day share its luck: what a baseline with times learns of it, and what that is worth."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import watchkeep as wk
from watchkeep.core.verdicts import DATASET
from watchkeep.frames.batches import Batch
from watchkeep.monitors.model_quality.baseline import QualityBaseline, counts_of
from watchkeep.monitors.model_quality.days import misplaced
from watchkeep.monitors.model_quality.evaluation import QualityFindings
from watchkeep.monitors.model_quality.losses import row_losses, sums_of
from watchkeep.monitors.model_quality.rows import read_answers
from watchkeep.monitors.model_quality.scan import QualityScan

DAY = np.timedelta64(86_400_000_000, "us")
ROWS = 400


def flights(days: int, seed: int, *, luck: float = 0.6, first: int = 0, worse: float = 0.0) -> pa.Table:
    """Answers of a model that is right about the odds, but for the luck of the day."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(days, ROWS))
    odds = 2 * x * (1 - worse) - luck * rng.normal(size=(days, 1))
    late = rng.random((days, ROWS)) < 1 / (1 + np.exp(-odds))
    at = np.datetime64("2026-01-01", "us") + (first + np.arange(days))[:, None] * DAY
    at = at + (rng.random((days, ROWS)) * 86_400e6).astype("timedelta64[us]")
    score = 1 / (1 + np.exp(-2 * x))
    return pa.table({"x": x.ravel(), "p": score.ravel(), "y": late.ravel().astype(int), "at": at.ravel()})


def baseline(table: pa.Table, *, timed: bool = True) -> wk.Baseline:
    time = "at" if timed else None
    ignored = () if timed else ("at",)
    return wk.ModelQuality().baseline(wk.read(table, label="y", score="p", timestamp=time, ignore=ignored))


def states(made: wk.Baseline) -> QualityBaseline:
    found = made.learned.baseline
    assert isinstance(found, QualityBaseline)
    return found


def found(report: wk.Report) -> QualityFindings:
    assert isinstance(report.findings, QualityFindings)
    return report.findings


@pytest.fixture(scope="module")
def timed() -> wk.Baseline:
    return baseline(flights(60, 1))


def test_errors_of_segments_allow_for_the_luck_of_days(tmp_path: Path) -> None:
    monitor = wk.ModelQuality(segments=["right: x > 0"])
    spread = {}
    for name, time in (("timed", "at"), ("alike", None)):
        read = wk.read(flights(60, 1), label="y", score="p", timestamp=time, ignore=() if time else ("at",))
        monitor.baseline(read).save(tmp_path / name)
        made = wk.load(tmp_path / name)
        for days in states(made).days_of.values():
            assert len(days.names) == len(days.deviations) == days.spread.variance(np.ones(1)).shape[1]
        every = [
            found(made.check(flights(1, seed, first=100 + seed))).segments["right"].measures["accuracy"]
            for seed in range(40)
        ]
        values = np.array([one.value for one in every])
        spread[name] = float(np.std(values) / np.mean([one.error or 0.0 for one in every]))

    assert 0.7 < spread["timed"] < 1.3
    assert spread["alike"] > 1.4


def test_windows_of_unlucky_days_do_not_ring(timed: wk.Baseline) -> None:
    alike = baseline(flights(60, 1), timed=False)
    rang, rang_alike, outside = 0, 0, 0
    for seed in range(25):
        window = flights(1, 100 + seed, first=60 + seed)
        report, other = timed.check(window), alike.check(window)
        rang += report.decision.alarm or bool(report.violations)
        rang_alike += other.decision.alarm or bool(other.violations)
        low, value = found(report).estimates["accuracy"].low, report.measures["accuracy", DATASET]
        assert isinstance(low, float)
        assert isinstance(value, float)
        outside += value < low

    assert rang == 0
    assert rang_alike >= 2
    assert outside <= 3


@pytest.fixture(scope="module")
def unlucky() -> wk.Baseline:
    return baseline(flights(60, 1, luck=1.2))


def band(report: wk.Report, name: str = "accuracy") -> tuple[float, float]:
    one = found(report).estimates[name]
    assert one.low is not None
    assert one.high is not None
    return one.low, one.high


def test_bands_before_labels_hold_the_truth_of_unlucky_weeks(unlucky: wk.Baseline) -> None:
    outside = 0
    for seed in range(40):
        week = flights(7, 300 + seed, luck=1.2, first=60)
        low, high = band(unlucky.check(week.drop_columns(["y"])))
        right = (np.array(week["p"]) > 0.5) == np.array(week["y"])
        outside += not low <= right.mean() <= high

    assert outside <= 6  # of a band of 95 %, with 40 weeks seven have a chance of 0.003


def test_bands_do_not_depend_on_how_many_labels_have_come(unlucky: wk.Baseline) -> None:
    week = flights(7, 9, luck=1.2, first=60)
    first_day = np.arange(week.num_rows) < ROWS
    labels = pa.array(np.where(first_day, np.array(week["y"]), 0), mask=~first_day)
    some = week.set_column(week.schema.get_field_index("y"), "y", labels)

    bands = [band(unlucky.check(one)) for one in (week, some, week.drop_columns(["y"]))]

    assert bands[0] == bands[1] == pytest.approx(bands[2])


def test_bands_hold_the_luck_of_the_baseline_too(unlucky: wk.Baseline) -> None:
    days = states(unlucky).days
    assert days is not None
    week = unlucky.check(flights(7, 9, luck=1.2, first=60))
    luck = days.deviations[0] ** 2 * (days.variance(7.0)[0] + days.variance(60.0)[0])

    deviation = found(week).estimates["accuracy"].deviation

    assert deviation is not None
    assert deviation**2 > luck
    assert deviation**2 == pytest.approx(luck, rel=0.2)  # chance among 2,800 rows is little beside it


def test_bands_stay_where_measures_can_be(unlucky: wk.Baseline) -> None:
    estimates = found(unlucky.check(flights(1, 9, luck=1.2, first=60))).estimates

    for name, one in estimates.items():
        assert one.low is not None
        assert one.high is not None
        assert one.low >= (-1 if name == "matthews" else 0)
        assert one.high <= 1 or name == "log_loss"


def test_a_day_is_a_day_however_finely_its_times_are_told() -> None:
    table = flights(60, 1, luck=1.2)
    at = table.schema.get_field_index("at")
    dates = table.set_column(
        at, "at", pa.array(np.array(table["at"]).astype("datetime64[D]").astype("datetime64[us]"))
    )
    coarse = baseline(dates)
    window = flights(1, 9, luck=1.2, first=60)

    fine_error, coarse_error = (
        found(one.check(window)).quality.measures["recall"].error for one in (baseline(table), coarse)
    )

    assert coarse_error == pytest.approx(fine_error, rel=1e-6)


def test_a_plan_of_labels_halves_the_band_that_the_report_tells(unlucky: wk.Baseline) -> None:
    week = flights(7, 9, luck=1.2, first=60).drop_columns(["y"])

    plan = unlucky.label_plan(week)

    assert (plan.low, plan.high) == pytest.approx(band(unlucky.check(week)))


def test_a_model_that_broke_still_rings(timed: wk.Baseline) -> None:
    report = timed.check(flights(7, 5, first=60, worse=0.9))

    assert report.decision.alarm
    assert any(one.check == "concept_drift_check" for one in report.violations)


def test_what_was_learned_is_told_and_comes_back_from_the_file(timed: wk.Baseline, tmp_path: Path) -> None:
    timed.save(tmp_path / "b")
    loaded = wk.load(tmp_path / "b")

    before, after = states(timed).days, states(loaded).days
    assert before is not None
    assert after is not None
    assert (after.days, after.hours) == (before.days, before.hours) == (60, 24)
    np.testing.assert_array_equal(after.spread.variances, before.spread.variances)
    assert loaded.id == timed.id
    assert states(loaded).judged == "judged by how days differ; 60 days"
    assert states(baseline(flights(60, 2, luck=0.0))).days is None


def test_errors_allow_for_days_and_seven_days_have_less_luck_than_one(timed: wk.Baseline) -> None:
    def error(days: int) -> float:
        told = found(timed.check(flights(days, 9, first=60))).quality.measures["recall"].error
        assert told is not None
        return told

    assert error(1) > 1.5 * error(7)
    rows_alone = 0.5 / np.sqrt(7 * ROWS / 2)
    assert error(7) > 1.3 * rows_alone


def test_rows_on_the_wrong_side_are_what_the_area_under_the_curve_lacks(timed: wk.Baseline) -> None:
    made = states(timed)
    lost = misplaced(made.plan, counts_of(made.profile, DATASET))

    assert lost is not None
    table = counts_of(made.profile, DATASET).table[0].reshape(-1, 2, 3).sum(axis=1)
    auc = made.quality.measures["auc"].value
    assert isinstance(auc, float)
    for label in (0, 1):
        mean = lost[label] @ table[:, label] / table[:, label].sum()
        assert mean == pytest.approx(1 - auc, abs=1e-9)


@pytest.mark.parametrize("kind", ["two", "several", "numbers"])
def test_losses_of_rows_add_up_to_what_the_watch_is_told(kind: str) -> None:
    rng = np.random.default_rng(4)
    n = 900
    table: dict[str, object] = {
        "at": np.datetime64("2026-01-01", "us") + np.arange(n) * np.timedelta64(3_600_000_000, "us")
    }
    roles = {"label": "y", "timestamp": "at"}
    if kind == "two":
        table |= {"p": rng.random(n), "y": rng.integers(0, 2, n)}
        roles["score"] = "p"
    elif kind == "several":
        chances = rng.dirichlet([1.0, 1.0, 1.0], n)
        table |= {"p": pa.array(chances.tolist()), "y": rng.choice(["a", "b", "c"], n)}
        roles["score"] = "p"
    else:
        table |= {"q": rng.normal(size=n), "y": rng.normal(size=n)}
        roles["prediction"] = "q"
    made = states(wk.ModelQuality().baseline(wk.read(pa.table(table), **roles)))  # type: ignore[arg-type]
    scan, batch = QualityScan(made.plan), Batch.of(pa.table(table))
    scan.add(batch)

    losses, among = row_losses(made.plan, read_answers(batch, made.plan))

    told = sums_of(made.plan, counts_of(scan.profile(), DATASET)).reshape(losses.shape[1], 4)
    for power in range(3):
        mine = (losses**power * among).sum(axis=0)
        np.testing.assert_allclose(mine, told[:, power], rtol=1e-6)
