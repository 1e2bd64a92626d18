"""e-detectors: their recursion against its definition, their promise by simulation of their whole life."""

import json
import math
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from watchkeep.core.errors import OptionError
from watchkeep.stats.confidence_sequence import betting_interval
from watchkeep.stats.e_detector import EDetector, Form, MeanDetector
from watchkeep.stats.e_values import BETS, mean_above

ONE_IN_A_THOUSAND = 0.999  # how rarely a simulation of a true guarantee may fail for another seed
log_e_values = st.lists(st.floats(-4, 4), min_size=1, max_size=15)


def after(logs: npt.ArrayLike) -> EDetector:
    detector = EDetector.of(1)
    for each in np.asarray(logs, np.float64):
        detector = detector.update([each])
    return detector


def rang_at(logs: npt.NDArray[np.float64], bar: float, form: Form) -> npt.NDArray[np.int64]:
    """The window of the first alarm in each stream of log e-values, shape (windows, streams); -1 for none."""
    detector, rang = EDetector.of(logs.shape[1]), np.full(logs.shape[1], -1)
    for window, row in enumerate(logs):
        detector = detector.update(row)
        rang[(rang < 0) & (detector.logs(form) >= math.log(bar))] = window
    return rang


@given(log_e_values)
def test_evidence_is_that_of_a_change_at_any_window_so_far(logs: list[float]) -> None:
    products = [sum(logs[start:]) for start in range(len(logs))]
    detector = after(logs)

    assert detector.log_evidence() == pytest.approx(np.logaddexp.reduce(products), abs=1e-9)
    if max(products) > 1e-9:
        assert detector.log_evidence(Form.BEST) == pytest.approx(max(products), abs=1e-9)
        assert sum(logs[detector.since :]) == pytest.approx(max(products), abs=1e-9)
    elif max(products) < -1e-9:
        assert detector.since is None


@given(log_e_values)
def test_the_best_product_is_never_more_than_their_sum(logs: list[float]) -> None:
    detector = after(logs)

    assert detector.level(0.01, Form.BEST) <= detector.level(0.01) * (1 + 1e-9)


def test_a_level_of_one_is_evidence_of_the_budget() -> None:
    assert after([math.log(100)]).level(1 / 100) == pytest.approx(1)
    assert after([math.log(100), math.log(2)]).level(1 / 100, Form.BEST) == pytest.approx(2)
    assert EDetector.of(3).level(1 / 100) == 0


@pytest.mark.parametrize("form", Form)
def test_false_alarms_are_as_many_windows_apart_as_the_budget_says(form: Form) -> None:
    # Normal windows and bets of 0.3, which hardly overshoot: the promise is nearly used up, by SUM.
    budget, streams = 40, 1_000
    z = np.random.default_rng(1).normal(size=(15 * budget, streams))

    rang = rang_at(0.3 * z - 0.045, budget, form)
    waited = np.where(rang < 0, len(z), rang + 1)

    assert waited.mean() >= budget * (1 - stats.norm.isf(1 - ONE_IN_A_THOUSAND) / math.sqrt(streams))
    assert form is Form.BEST or waited.mean() < 1.5 * budget


def test_few_streams_ring_early() -> None:
    budget, windows, streams = 100, 30, 2_000
    z = np.random.default_rng(2).normal(size=(windows, streams))

    rang = rang_at(0.3 * z - 0.045, budget, Form.SUM)

    assert (rang >= 0).sum() <= stats.binom.ppf(ONE_IN_A_THOUSAND, streams, windows / budget)


@pytest.mark.parametrize("form", Form)
def test_a_change_rings_soon_and_its_window_is_told(form: Form) -> None:
    z = np.random.default_rng(3).normal(size=(80, 300))
    z[40:] += 1.5

    rang = rang_at(z - 0.5, 1_000, form)
    late = rang[rang >= 40] - 40

    assert len(late) >= 0.97 * 300
    assert late.mean() < 9  # ln(1000) by 1 nat a window is 7
    since = [after(each[:60] - 0.5).since for each in z.T[:50]]
    assert np.median(np.abs(np.array(since, np.float64) - 40)) <= 1


def test_streams_that_depend_share_one_promise() -> None:
    rng, budget, streams, windows = np.random.default_rng(4), 50, 250, 20
    rang = 0
    for _ in range(streams):
        z, detector = rng.normal(size=windows), EDetector.weighted([0.5, 0.25, 0.25])
        levels = []
        for each in z:  # two strengths, and a stream that moves against them
            detector = detector.update([0.5 * each - 0.125, 1.0 * each - 0.5, -0.5 * each - 0.125])
            levels.append(detector.level(1 / budget))
        rang += max(levels) >= 1

    assert rang <= stats.binom.ppf(ONE_IN_A_THOUSAND, streams, windows / budget)
    assert rang >= stats.binom.ppf(1 - ONE_IN_A_THOUSAND, streams, windows / budget / 3)


def test_streams_alike_are_as_one() -> None:
    one, three = EDetector.of(1), EDetector.of(3)
    for each in (0.3, -0.2, 2.0):
        one, three = one.update([each]), three.update([each] * 3)

    assert three.level(0.01) == pytest.approx(one.level(0.01))
    assert three.since == one.since


def test_windows_without_rows_never_ring_and_are_counted() -> None:
    detector = EDetector.of(1)
    for _ in range(50):
        detector = detector.idle()
    detector = detector.update([1.0])

    assert detector.log_evidence() == pytest.approx(1.0)
    assert (detector.windows, detector.since) == (51, 50)


def test_a_restart_forgets_the_evidence_and_counts_on() -> None:
    detector = after([3.0, 3.0]).restarted().update([1.0])

    assert detector.log_evidence() == pytest.approx(1.0)
    assert (detector.windows, detector.since) == (3, 2)


def test_evidence_is_taken_up_again_from_its_fields() -> None:
    detector = EDetector.weighted([0.6, 0.4]).update([0.5, -2.0]).update([-math.inf, 900.0])
    kept = json.loads(json.dumps(asdict(detector), allow_nan=False))

    lists = (tuple(kept[name]) for name in ("sums", "peaks", "starts"))
    again = EDetector(tuple(kept["weights"]), kept["windows"], *lists)

    assert again == detector
    assert again.update([0.1, 0.2]) == detector.update([0.1, 0.2])


def test_overwhelming_evidence_stays_a_number() -> None:
    detector = after([math.inf] * 3)

    assert math.isfinite(detector.level(1 / 1000))
    assert detector.log_evidence() == pytest.approx(2_100)


def test_what_is_no_evidence_is_refused() -> None:
    with pytest.raises(OptionError, match="weights"):
        EDetector.weighted([0.9, 0.2])
    with pytest.raises(OptionError, match="weights"):
        EDetector.of(0)
    with pytest.raises(OptionError, match="one of each"):
        EDetector((1.0,), 0, (0.0, 0.0), (0.0,), (0,))
    with pytest.raises(OptionError, match="e-values"):
        EDetector.of(2).update([0.0])
    with pytest.raises(OptionError, match="e-values"):
        EDetector.of(1).update([math.nan])
    with pytest.raises(OptionError, match="false_alarms"):
        EDetector.of(1).level(1_000)
    with pytest.raises(OptionError, match="m, tolerance"):
        MeanDetector.learned(0, 0.5, 0.1)


def test_the_error_of_a_small_baseline_does_not_add_up_to_alarms() -> None:
    rng, mean, m, n, windows, streams, budget = np.random.default_rng(5), 0.2, 1_000, 3_000, 10, 100, 50
    ours = exact = 0
    for before in rng.binomial(m, mean, size=streams) / m:
        detector = MeanDetector.learned(m, before, before * (1 - before))
        bets, trusting = detector.sides[0].bets, EDetector.of(2 * len(detector.sides[0].bets))
        levels = []
        for now in rng.binomial(n, mean, size=windows) / n:
            detector = detector.update(n, now, now * (1 - now))
            up = mean_above(n, now, now * (1 - now), limit=before, bets=bets)
            down = mean_above(n, 1 - now, now * (1 - now), limit=1 - before, bets=bets)
            trusting = trusting.update(np.concatenate([up, down]))
            levels.append((detector.level(1 / budget), trusting.level(1 / budget)))
        ours, exact = ours + (max(levels)[0] >= 1), exact + (max(each for _, each in levels) >= 1)

    allowed = stats.binom.ppf(ONE_IN_A_THOUSAND, streams, windows / budget + 1 / 256)
    assert ours <= allowed
    assert exact > allowed  # the trap: the same bets against the baseline's mean as if it were the truth


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_evidence_is_the_least_that_any_true_mean_would_leave(share: float) -> None:
    m, n, variance = 3_000, 500, share * (1 - share)
    detector = MeanDetector.learned(m, share, variance)
    means = np.clip(share + np.array([0.005, -0.004, 0.03, 0.04, -0.03]), 0, 1)
    for each in means:
        detector = detector.update(n, each, each * (1 - each))

    # All at once, from the definition: for many means u, what the baseline and the windows say against each.
    rise, true = detector.sides[0], np.linspace(0.2 * share, 1 - 0.2 * (1 - share), 2_001)
    baseline = mean_above(m, 1 - share, variance, limit=1 - true, bets=BETS)
    wealth = np.exp(np.minimum(600, baseline)).mean(axis=-1)
    logs = [mean_above(n, each, each * (1 - each), limit=true, bets=rise.bets) for each in means]
    evidence = sum(np.exp(np.minimum(600, sum(logs[start:]))) for start in range(5))
    against = np.log(0.5 + 0.5 * wealth) + np.log(np.mean(evidence, axis=-1))

    least = against[wealth < 2**9].min()
    assert least - 1.5 <= rise.log_evidence() <= least + 1e-6


def test_a_shifted_mean_rings_soon_and_its_window_is_told() -> None:
    rng, late, since = np.random.default_rng(6), [], []
    for before in rng.binomial(10_000, 0.2, size=25) / 10_000:
        detector = MeanDetector.learned(10_000, before, before * (1 - before))
        for window in range(30):
            now = rng.binomial(1_000, 0.2 if window < 10 else 0.25) / 1_000
            detector = detector.update(1_000, now, now * (1 - now))
            if detector.level(1 / 1000) >= 1:
                break
        late.append(window - 9)
        since.append(detector.since)

    assert min(late) > 0
    assert np.mean(late) <= 4
    assert np.mean(np.abs(np.array(since, np.float64) - 10) <= 1) >= 0.8


def test_a_gross_change_rings_in_its_first_window_on_either_side() -> None:
    detector = MeanDetector.learned(5_000, 0.2, 0.16)

    assert detector.update(500, 0.4, 0.24).level(1 / 1000) >= 1
    assert detector.update(500, 0.05, 0.0475).level(1 / 1000) >= 1
    assert detector.update(500, 0.21, 0.21 * 0.79).level(1 / 1000) < 0.01


def test_a_fall_is_nothing_to_who_fears_a_rise() -> None:
    detector = MeanDetector.learned(5_000, 0.2, 0.16, falls=False)

    assert detector.update(500, 0.05, 0.0475).level(1 / 1000) < 1e-3
    assert detector.update(500, 0.4, 0.24).level(1 / 1000) >= 1


def test_a_difference_within_the_tolerance_is_no_change_however_many_rows_show_it() -> None:
    strict, lenient = (MeanDetector.learned(10**6, 0.2, 0.16, tolerance=each) for each in (0.0, 0.02))
    for _ in range(20):
        strict, lenient = (each.update(10**6, 0.219, 0.219 * 0.781) for each in (strict, lenient))

    assert strict.level(1 / 1000) >= 1
    assert lenient.level(1 / 1000) < 1e-3
    assert lenient.update(10**6, 0.23, 0.23 * 0.77).level(1 / 1000) >= 1


def test_a_mean_without_rows_leaves_its_evidence_and_a_restart_forgets_it() -> None:
    detector = MeanDetector.learned(5_000, 0.2, 0.16).update(500, 0.26, 0.19)
    idle = detector.update(0, 0.0, 0.0)

    assert idle.level(0.01) == detector.level(0.01) > 0
    assert (idle.sides[0].detector.windows, idle.restarted().level(0.01), idle.restarted().since) == (
        2,
        0,
        None,
    )


def test_the_limits_are_those_of_the_baselines_confidence_sequence() -> None:
    rise, fall = MeanDetector.learned(2_000, 0.3, 0.2).sides
    widest = betting_interval(2_000, 0.3, 0.2, miss=(2**-9, 2**-9))

    assert rise.limits[-1] == pytest.approx(float(widest.high))
    assert 1 - fall.limits[-1] == pytest.approx(float(widest.low))
    assert sorted(rise.limits) == list(rise.limits)


def test_the_level_allows_for_a_baseline_that_misleads() -> None:
    detector = MeanDetector.learned(2_000, 0.3, 0.2).update(300, 0.37, 0.2)
    evidence = np.mean([math.exp(side.log_evidence()) for side in detector.sides])

    assert detector.level(1 / 50) == pytest.approx(evidence / 50 * (1 - 2 / 512) ** 2, rel=1e-9)
