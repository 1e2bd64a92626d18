"""Bins against the samples they were made of: `scipy.stats.ks_2samp` and `numpy.quantile` are the judges."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from watchkeep.measures.quantiles import quantile
from watchkeep.states.bins import PARTS, Bins, BinTally
from watchkeep.states.cells import LIMIT, Cells
from watchkeep.stats.distances import ks

Doubles = npt.NDArray[np.float64]
RNG = np.random.default_rng(3)
STEP = 1 / 1024
"""The most a bin may hold of a baseline, unless it is one cell."""


def bins_of(values: Doubles, limit: int = LIMIT) -> Bins:
    return Bins.of(Cells.of(values, limit=limit), mean=float(values.mean()), deviation=float(values.std()))


def binned_ks(bins: Bins, window: Doubles) -> float:
    tally = BinTally(bins)
    tally.add(np.ascontiguousarray(window))
    counts = tally.counts()
    below, above = [counts.below.total], [counts.above.total]
    return ks(np.concatenate([[0], bins.counts, [0]]), np.concatenate([below, counts.counts, above]))


def exact_ks(baseline: Doubles, window: Doubles) -> float:
    # The exact method of scipy would compute a p-value nobody asked for.
    with np.errstate(divide="ignore"):
        return float(stats.ks_2samp(baseline, window, method="asymp").statistic)


def normal(n: int) -> Doubles:
    return RNG.normal(size=n)


def mixture(n: int) -> Doubles:
    return np.where(RNG.random(n) < 0.3, 0.0, RNG.gamma(0.5, 20, n))


BASELINES = {
    "normal": normal(100_000),
    "lognormal": RNG.lognormal(0, 2, 50_000),
    "uniform": RNG.uniform(-3, 5, 50_000),
    "cauchy": RNG.standard_cauchy(50_000),
    "narrow and far from zero": 1e9 + normal(50_000),
    "half zeros": mixture(30_000),
    "counts": RNG.poisson(4, 20_000).astype(np.float64),
    "prices": np.round(RNG.lognormal(3, 1, 30_000), 2),
    "few": normal(37),
    "one value": np.full(500, 7.5),
    "one row": np.array([3.25]),
}
BINS = {name: bins_of(values) for name, values in BASELINES.items()}
WINDOWS: dict[str, Callable[[Doubles, int], Doubles]] = {
    "the same": lambda b, n: RNG.choice(b, n),
    "shifted": lambda b, n: RNG.choice(b, n) + 0.3 * (b.std() or 1.0),
    "scaled": lambda b, n: b.mean() + 1.7 * (RNG.choice(b, n) - b.mean()),
    "far beyond": lambda b, n: b.max() + 10 * (b.std() or 1.0) + RNG.random(n),
    "far below": lambda b, n: b.min() - 10 * (b.std() or 1.0) - RNG.random(n),
    "on both sides": lambda b, n: np.where(RNG.random(n) < 0.5, b.min() - 1.0, b.max() + 1.0),
    "rounded": lambda b, n: np.round(RNG.choice(b, n)),
    "one value inside": lambda b, n: np.full(n, np.median(b)),
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("rows", [1, 400, 20_000])
def test_the_distance_on_bins_is_below_the_exact_one_by_at_most_one_in_a_thousand(
    name: str, window: Callable[[Doubles, int], Doubles], rows: int
) -> None:
    baseline = BASELINES[name]
    RNG.bit_generator.state = np.random.default_rng(rows).bit_generator.state  # whatever ran before
    current = window(baseline, rows)

    exact = exact_ks(baseline, current)
    found = binned_ks(BINS[name], current)

    # Of a few dozen values each fills a bin, and a window's value may fall into it beside it.
    assert exact - max(1e-3, 1 / len(baseline)) <= found <= exact + 1e-12


@pytest.mark.parametrize("limit", [512, 2_048])
def test_with_fewer_cells_the_distance_is_low_by_at_most_the_share_of_the_fullest_bin(limit: int) -> None:
    baseline, current = BASELINES["normal"], normal(20_000) + 0.1
    bins = bins_of(baseline, limit)

    exact = exact_ks(baseline, current)

    assert exact - bins.counts.max() / bins.total <= binned_ks(bins, current) <= exact + 1e-12


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_a_bin_holds_at_most_one_in_1024_or_is_one_cell(baseline: Doubles) -> None:
    bins = bins_of(baseline)
    one_cell = np.diff(bins.edges) == 1

    assert (one_cell | (bins.counts <= STEP * bins.total)).all()
    assert bins.total == len(baseline)
    assert len(bins) <= 4 * PARTS


@pytest.mark.parametrize("share", [0.01, 0.25, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(
    "name", ["normal", "lognormal", "uniform", "cauchy", "half zeros", "counts", "prices"]
)
def test_a_quantile_of_bins_has_nearly_that_share_of_values_below(name: str, share: float) -> None:
    values = BASELINES[name]
    bins = bins_of(values)

    at = quantile(bins.centers, bins.counts, share)

    # As a rank, for a value has no scale of its own: the quantile lies between the exact ones nearby.
    low, high = np.quantile(values, [max(0.0, share - STEP), min(1.0, share + STEP)], method="inverted_cdf")
    assert low <= at <= high


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.75, 1.0])
def test_a_quantile_of_counted_values_is_the_inverse_distribution_function_of_numpy(share: float) -> None:
    values, counts = np.array([-1.0, 2.0, 5.0, 9.0]), np.array([3, 1, 4, 2])

    expected = np.quantile(np.repeat(values, counts), share, method="inverted_cdf")

    assert quantile(values, counts, share) == expected


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_the_centers_of_bins_increase_and_lie_in_their_bins(baseline: Doubles) -> None:
    bins = bins_of(baseline)

    assert (np.diff(bins.centers) > 0).all()
    assert ((bins.lows <= bins.centers) & (bins.centers <= bins.highs)).all()


def test_a_value_frequent_enough_to_fill_a_bin_stands_alone() -> None:
    bins = bins_of(np.array([1.0] * 500 + [2.0] * 500 + [3.0]))

    full = bins.counts > 0
    assert bins.centers[full].tolist() == [1.0, 2.0, 3.0]
    assert bins.counts[full].tolist() == [500, 500, 1]
    assert binned_ks(bins, np.full(10, 1.5)) == pytest.approx(501 / 1001)


def test_infinities_have_bins_of_their_own() -> None:
    bins = bins_of_any(np.array([-np.inf, 0.5, 0.5, 2.0, np.inf, np.inf]))

    full = bins.counts > 0
    assert dict(zip(bins.centers[full].tolist(), bins.counts[full].tolist(), strict=True)) == {
        -np.inf: 1,
        0.5: 2,
        2.0: 1,
        np.inf: 2,
    }


def bins_of_any(values: Doubles) -> Bins:
    return Bins.of(Cells.of(values), mean=0.0, deviation=1.0)


def test_extremes_of_a_double_survive_the_codec() -> None:
    bins = Bins.of(
        Cells.of(np.array([-1e308, 5e-324, -5e-324, 1e308, np.inf, -np.inf])), mean=0.0, deviation=1e308
    )

    back = Bins.of_fields(bins.fields())

    assert back.same(bins)
    assert np.array_equal(back.counts, bins.counts)
