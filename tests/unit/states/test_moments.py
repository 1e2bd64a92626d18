"""Moments against `scipy.stats` and numpy, and against exact arithmetic where doubles cancel."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from watchkeep.core.undefined import Undefined
from watchkeep.states.extremes import Extremes
from watchkeep.states.moments import Moments

Doubles = npt.NDArray[np.float64]
RNG = np.random.default_rng(8)
SAMPLES = {
    "normal": RNG.normal(3, 2, 70_000),
    "skewed": RNG.gamma(0.7, 5, 40_000),
    "integers": RNG.integers(0, 9, 5_000).astype(np.float64),
    "heavy tails": RNG.standard_t(5, 20_000),
    "two": np.array([1.0, 4.0]),
    "tiny": RNG.normal(0, 1e-60, 3_000),
    "large": RNG.normal(0, 1e60, 3_000),
}
EACH = pytest.mark.parametrize("values", SAMPLES.values(), ids=SAMPLES)
finite = st.floats(-1e9, 1e9)


@EACH
def test_moments_are_those_of_numpy_and_scipy(values: Doubles) -> None:
    moments = Moments.of(values)

    assert moments.average() == pytest.approx(values.mean(), rel=1e-9)
    assert moments.deviation() == pytest.approx(values.std(), rel=1e-9)
    assert moments.skewness() == pytest.approx(stats.skew(values, bias=True), rel=1e-7, abs=1e-9)
    assert moments.kurtosis() == pytest.approx(stats.kurtosis(values, bias=True), rel=1e-7, abs=1e-9)


@EACH
@pytest.mark.parametrize("pieces", [2, 7])
def test_moments_of_merged_pieces_are_those_of_the_whole(values: Doubles, pieces: int) -> None:
    first, *rest = (Moments.of(part) for part in np.array_split(values, pieces))
    for part in rest:
        first = first.merge(part)

    assert first.n == len(values)
    assert first.average() == pytest.approx(values.mean(), rel=1e-9)
    assert first.deviation() == pytest.approx(values.std(), rel=1e-9)
    assert first.skewness() == pytest.approx(stats.skew(values), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("centre", [1e6, 1e9, -1e12])
@pytest.mark.parametrize("pieces", [1, 5])
def test_a_narrow_column_far_from_zero_loses_no_digit_that_it_has(centre: float, pieces: int) -> None:
    values = centre + np.round(RNG.normal(size=2_000), 2)
    exact = [Fraction(value) for value in values.tolist()]
    mean = sum(exact) / len(exact)
    second = sum((value - mean) ** 2 for value in exact) / len(exact)
    third = sum((value - mean) ** 3 for value in exact) / len(exact)

    first, *rest = (Moments.of(part) for part in np.array_split(values, pieces))
    moments = first.merge(*rest)

    assert moments.average() == pytest.approx(float(mean), rel=1e-15)
    assert moments.deviation() == pytest.approx(float(second) ** 0.5, rel=1e-6)
    assert moments.skewness() == pytest.approx(
        float(third) / float(second) ** 1.5, abs=max(2e-5, 10 * float(np.spacing(abs(centre))))
    )


@given(st.lists(st.tuples(finite, st.integers(1, 9)), min_size=1, max_size=20))
def test_weighted_moments_are_those_of_repeated_values(pairs: list[tuple[float, int]]) -> None:
    values, counts = np.array([x for x, _ in pairs]), np.array([n for _, n in pairs])
    repeated = np.repeat(values, counts)
    moments = Moments.weighted(values, counts)

    assert moments.n == len(repeated)
    assert moments.mean == pytest.approx(repeated.mean(), rel=1e-9, abs=1e-6)
    assert moments.m2 == pytest.approx(((repeated - repeated.mean()) ** 2).sum(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "undefined"),
    [
        ([], {"average", "deviation", "skewness", "kurtosis"}),
        ([3.5], {"skewness", "kurtosis"}),
        ([0.1] * 1_000, {"skewness", "kurtosis"}),
        ([1e200, -1e200, 3.0], {"deviation", "skewness", "kurtosis"}),
        ([1e100, 2e100, 5e100], {"kurtosis"}),
        ([1e308, 1e308, 1.7e308], {"average", "deviation", "skewness", "kurtosis"}),
    ],
    ids=[
        "no value",
        "one value",
        "all the same",
        "squares overflow",
        "fourth powers overflow",
        "the sum overflows",
    ],
)
def test_what_does_not_exist_is_undefined_and_says_why(values: list[float], undefined: set[str]) -> None:
    moments = Moments.of(np.array(values, np.float64))

    found = {name: getattr(moments, name)() for name in ("average", "deviation", "skewness", "kurtosis")}

    assert {name for name, value in found.items() if isinstance(value, Undefined)} == undefined
    assert all(np.isfinite(value) for value in found.values() if isinstance(value, float))
    assert all(value.why for value in found.values() if isinstance(value, Undefined))


def test_merging_with_numbers_that_overflow_stays_undefined() -> None:
    moments = Moments.of(np.array([1e300, -1e300])).merge(Moments.of(np.array([1.0, 2.0])))

    assert isinstance(moments.deviation(), Undefined)
    assert isinstance(moments.merge(moments).kurtosis(), Undefined)


@given(st.lists(finite, min_size=1))
def test_extremes_are_the_smallest_and_the_largest(values: list[float]) -> None:
    parts = [Extremes(value, value) for value in values]
    extremes = Extremes().merge(*parts)

    assert (extremes.smallest(), extremes.largest()) == (min(values), max(values))


def test_extremes_of_nothing_are_undefined() -> None:
    assert isinstance(Extremes().smallest(), Undefined)
    assert isinstance(Extremes().largest(), Undefined)
