"""What states tell of a distribution: compared with the rows themselves, and with SciPy."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import stats

import watchkeep as wk
from watchkeep.causes.patterns.pairs import Pair, alike, pair_of
from watchkeep.causes.patterns.pieces import Pieces, gap, mixture_gap, vagueness

Array = npt.NDArray[np.float64]


def _pair(before: Array, now: Array) -> Pair:
    report = wk.DataQuality().baseline(pa.table({"x": before})).check(pa.table({"x": now}))
    pair = pair_of(report.findings.columns[0])
    assert pair is not None
    return pair


def _points(values: Array) -> Pieces:
    found, counts = np.unique(values, return_counts=True)
    return Pieces(found, found, counts.astype(np.float64))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["normal", "skewed", "whole"])
def test_the_gap_is_the_kolmogorov_smirnov_distance(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, now = rng.normal(0, 1, 3000), rng.normal(0.3, 1.4, 800)
    if kind == "skewed":
        before, now = np.exp(before), np.exp(now)
    if kind == "whole":
        before, now = np.round(3 * before), np.round(3 * now)

    found = _pair(before, now).gap

    # A bin holds at most 1/1024 of the baseline's rows, and numbers as near as cells are wide count as the same.
    assert found == pytest.approx(stats.ks_2samp(before, now).statistic, abs=0.01)


def test_both_sides_have_the_moments_and_ends_of_their_rows() -> None:
    rng = np.random.default_rng(5)
    before, now = rng.lognormal(0, 1, 4000), rng.lognormal(3, 1, 900)

    pair = _pair(before, now)

    assert (pair.before.low, pair.before.high) == (before.min(), before.max())
    assert (pair.now.low, pair.now.high) == (now.min(), now.max())
    assert pair.now.mean == pytest.approx(now.mean())
    assert pair.now.deviation == pytest.approx(now.std())
    assert pair.now.tail == pytest.approx(stats.kurtosis(now))
    assert pair.stretch == pytest.approx(now.std() / before.std())
    assert pair.shift == pytest.approx((now.mean() - before.mean()) / before.std())
    assert pair.beyond.total == np.count_nonzero((now < before.min()) | (now > before.max()))


def test_quantiles_and_shares_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(6)
    values = rng.gamma(2, 10, 20_000)
    pieces = _pair(values, values).before.pieces
    shares = np.array([0.01, 0.25, 0.5, 0.75, 0.99])

    assert pieces.quantiles(shares) == pytest.approx(np.quantile(values, shares), rel=0.02)
    assert pieces.up_to(np.quantile(values, shares)) == pytest.approx(shares, abs=2e-3)
    assert pieces.spread() == pytest.approx((values.mean(), values.std()), rel=0.02)


def test_rows_at_one_number_are_a_step_even_at_zero() -> None:
    rng = np.random.default_rng(7)
    before = np.where(rng.random(5000) < 0.6, 0.0, rng.lognormal(4, 1, 5000))

    pieces = _pair(before, before).before.pieces

    zeros = float((before == 0).mean())
    assert pieces.within(0.0, 0.0) == pytest.approx(zeros)
    assert pieces.up_to(np.array([-1e-9, 0.0])).tolist() == pytest.approx([0.0, zeros])
    assert _pair(before, before).moving == pytest.approx(1 - zeros)


@pytest.mark.parametrize("slope", [60.0, -1.0, 1 / 1000])
def test_mapped_numbers_are_those_of_the_mapped_rows(slope: float) -> None:
    rng = np.random.default_rng(8)
    before, now = rng.normal(170, 10, 5000), slope * rng.normal(170, 10, 5000)
    pair = _pair(before, now)

    moved = pair.before.pieces.mapped(lambda numbers: slope * numbers)

    assert moved is not None
    assert (np.diff(moved.lows) > 0).all()
    assert gap(moved, pair.now.pieces) == pytest.approx(
        stats.ks_2samp(slope * before, now).statistic, abs=0.01
    )


def test_a_function_that_some_numbers_have_no_value_of_maps_nothing() -> None:
    assert _points(np.array([-1.0, 1.0])).mapped(np.log) is None


def test_slack_forgives_numbers_that_are_rounded() -> None:
    values = np.random.default_rng(9).normal(0, 5, 4000)

    assert gap(_points(values), _points(np.round(values))) > 0.03
    assert gap(_points(values), _points(np.round(values)), slack=0.5001) == 0.0


def test_a_mixture_lies_between_its_parts() -> None:
    rng = np.random.default_rng(10)
    one, two = rng.normal(0, 1, 4000), rng.normal(50, 1, 4000)
    both = _points(np.concatenate([one, two[:1000]]))

    assert mixture_gap((_points(one), _points(two)), 0.2, both) < 0.03
    assert mixture_gap((_points(one), _points(two)), 0.5, both) == pytest.approx(0.3, abs=0.02)


def test_runs_of_two_distributions_are_joined_with_all_their_rows() -> None:
    one, two = _points(np.array([1.0, 1.0, 3.0])), _points(np.array([1.0, 2.0]))

    joined = one.joined(two)

    assert joined.total == 5
    assert joined.up_to(np.array([0.5, 1.0, 2.0, 3.0])).tolist() == pytest.approx([0.0, 0.6, 0.8, 1.0])


def test_one_wide_run_tells_nothing_of_where_its_rows_lie() -> None:
    wide = Pieces(np.array([0.0]), np.array([10.0]), np.array([100.0]))
    fine = _points(np.linspace(0, 10, 101))

    assert gap(fine, wide) == pytest.approx(0.0, abs=0.02)
    assert vagueness(fine, wide) == pytest.approx(1.0, abs=0.02)
    assert vagueness(fine, fine) == 0.0


def test_where_runs_are_wide_moments_tell_two_distributions_apart() -> None:
    rng = np.random.default_rng(11)
    values = rng.normal(170, 10, 4000)
    pair = _pair(values, rng.normal(170, 10, 1000))
    wider = pair.before.pieces.mapped(lambda numbers: 170 + 1.5 * (numbers - 170))

    assert wider is not None
    assert alike(pair.before.pieces, pair.now)
    assert not alike(wider, pair.now)


@pytest.mark.parametrize("few", [1, 29])
def test_too_few_numbers_are_no_pair(few: int) -> None:
    rng = np.random.default_rng(12)
    report = (
        wk.DataQuality()
        .baseline(pa.table({"x": rng.normal(0, 1, 500)}))
        .check(pa.table({"x": np.arange(few)}))
    )

    assert pair_of(report.findings.columns[0]) is None
