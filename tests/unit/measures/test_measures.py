"""Every measure of a column, from rows to number, against the rows themselves: scipy and numpy are the judges."""

import math
from collections import Counter
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from scipy import stats

import watchkeep as wk
from watchkeep.core.undefined import Undefined, Value
from watchkeep.frames.text_values import Dialect
from watchkeep.measures.index import BY_NAME, MEASURES

Doubles = npt.NDArray[np.float64]
RNG = np.random.default_rng(12)
PUBLISHED = {
    *(
        "completeness",
        "type_match",
        "domain_match",
        "distinct",
        "mean",
        "std",
        "skewness",
        "kurtosis",
        "min",
        "max",
    ),
    *(
        "outliers",
        "ks",
        "linf",
        "linf_robust",
        "psi",
        "js",
        "hellinger",
        "tv",
        "wasserstein",
        "chi2",
        "chi2_p",
    ),
}


def measured(baseline: pa.Array, window: pa.Array, policy: wk.Policy | None = None) -> dict[str, Value]:
    """The measures of one column."""
    learned = wk.DataQuality().baseline(pa.table({"c": baseline}))
    report = learned.check(pa.table({"c": window}), policy=policy)
    return {measure: value for (measure, subject), value in report.measures.items() if subject == "c"}


def number(value: Value) -> float:
    assert isinstance(value, float), value
    return value


def test_every_published_measure_has_an_entry_under_its_name() -> None:
    assert set(BY_NAME) >= PUBLISHED
    assert len(BY_NAME) == len(MEASURES)


def test_shares_are_counted_over_the_rows_they_are_shares_of() -> None:
    baseline = pa.array([*range(100)] * 10, pa.int64())
    window = pa.array(["7", "8", "x", None, "-5", "250", "7.5", "NA"] * 10)

    found = measured(baseline, window)

    assert found["completeness"] == pytest.approx(6 / 8)
    assert found["type_match"] == pytest.approx(4 / 6)
    assert found["out_of_range"] == pytest.approx(2 / 5)
    assert found["negative"] == pytest.approx(1 / 5)


def test_categories_outside_the_list_are_out_of_the_domain() -> None:
    found = measured(pa.array(["a", "b"] * 50), pa.array(["a", "b", "c", None, "a"] * 20))

    assert found["domain_match"] == pytest.approx(3 / 4)
    assert found["completeness"] == pytest.approx(4 / 5)
    assert found["distinct"] == 3


def test_moments_and_extremes_are_those_of_the_finite_numbers() -> None:
    values = RNG.gamma(2, 3, 4_000)
    window = np.concatenate([values, [np.inf, -np.inf, np.nan]])

    found = measured(pa.array(RNG.normal(size=500)), pa.array(window))

    assert found["mean"] == pytest.approx(values.mean())
    assert found["std"] == pytest.approx(values.std())
    assert found["skewness"] == pytest.approx(stats.skew(values))
    assert found["kurtosis"] == pytest.approx(stats.kurtosis(values))
    assert (found["min"], found["max"]) == (values.min(), values.max())
    assert found["infinite"] == pytest.approx(2 / 4_002)
    assert found["completeness"] == pytest.approx(4_002 / 4_003)


def test_outliers_lie_beyond_the_outer_fences_of_the_baseline() -> None:
    baseline = RNG.normal(size=20_000)
    window = RNG.standard_t(2, 5_000)
    first, third = np.quantile(baseline, [0.25, 0.75])
    fences = first - 3 * (third - first), third + 3 * (third - first)

    found = number(measured(pa.array(baseline), pa.array(window))["outliers"])

    assert found == pytest.approx(((window < fences[0]) | (window > fences[1])).mean(), abs=2e-3)


PAIRS: MappingProxyType[str, tuple[Doubles, Doubles]] = MappingProxyType(
    {
        "the same": (RNG.normal(size=20_000), RNG.normal(size=3_000)),
        "shifted": (RNG.normal(size=20_000), 0.5 + RNG.normal(size=3_000)),
        "scaled": (RNG.lognormal(0, 1, 20_000), RNG.lognormal(0, 1.5, 3_000)),
        "counts": (RNG.poisson(3, 9_000).astype(np.float64), RNG.poisson(5, 900).astype(np.float64)),
        "far": (RNG.random(5_000), 50 + RNG.random(500)),
        "half zeros": (
            np.where(RNG.random(9_000) < 0.5, 0, RNG.random(9_000)),
            np.where(RNG.random(900) < 0.2, 0, RNG.random(900)),
        ),
    }
)


@pytest.mark.parametrize("name", PAIRS)
def test_distances_of_numbers_are_those_of_their_rows(name: str) -> None:
    baseline, window = PAIRS[name]
    found = {key: number(value) for key, value in measured(pa.array(baseline), pa.array(window)).items()}

    exact = float(stats.ks_2samp(baseline, window, method="asymp").statistic)
    noise = 1.8 * math.sqrt((len(baseline) + len(window)) / (len(baseline) * len(window)))
    assert exact - 1e-3 <= found["ks"] <= exact + 1e-12
    assert found["linf"] == found["ks"]
    assert found["linf_robust"] == pytest.approx(max(0.0, found["linf"] - noise))
    moved = stats.wasserstein_distance(baseline, window) / baseline.std()
    assert found["wasserstein"] == pytest.approx(moved, rel=0.02, abs=2e-3)


@pytest.mark.parametrize("name", PAIRS)
def test_shape_distances_order_themselves_as_their_inequalities_say(name: str) -> None:
    baseline, window = PAIRS[name]
    found = {key: number(value) for key, value in measured(pa.array(baseline), pa.array(window)).items()}

    # Le Cam, and Lin (1991): bounds that hold for any two distributions over the same bins.
    assert found["hellinger"] ** 2 <= found["tv"] + 1e-12 <= math.sqrt(2) * found["hellinger"] + 1e-9
    assert found["js"] ** 2 <= found["tv"] + 1e-12
    assert found["psi"] >= 0
    assert 0 <= found["chi2_p"] <= 1


def test_shape_distances_of_few_values_are_those_of_their_counts() -> None:
    baseline, window = RNG.integers(0, 6, 4_000), RNG.choice(6, 800, p=[0.3, 0.1, 0.1, 0.1, 0.2, 0.2])
    b, w = np.bincount(baseline, minlength=6), np.bincount(window, minlength=6)
    p, q = b / b.sum(), w / w.sum()

    found = {key: number(value) for key, value in measured(pa.array(baseline), pa.array(window)).items()}

    assert found["tv"] == pytest.approx(np.abs(p - q).sum() / 2)
    assert found["psi"] == pytest.approx(stats.entropy(p, q) + stats.entropy(q, p))
    assert found["ks"] == pytest.approx(np.abs(np.cumsum(p - q)).max())
    expected = stats.chi2_contingency([b, w], correction=False)
    assert (found["chi2"], found["chi2_p"]) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def test_distances_of_categories_are_those_of_their_counts() -> None:
    baseline = RNG.choice(["x", "y", "z"], 1_000, p=[0.5, 0.3, 0.2]).tolist()
    window = RNG.choice(["x", "y", "w"], 500, p=[0.3, 0.5, 0.2]).tolist()
    before, now = Counter(baseline), Counter(window)
    gaps = [before[name] / 1_000 - now[name] / 500 for name in "wxyz"]

    found = measured(pa.array(baseline), pa.array(window))

    assert found["linf"] == pytest.approx(max(map(abs, gaps)))
    assert found["tv"] == pytest.approx(sum(map(abs, gaps)) / 2)
    assert "ks" not in found
    expected = stats.chi2_contingency(
        [[before[n] for n in "wxyz"], [now[n] for n in "wxyz"]], correction=False
    )
    assert found["chi2_p"] == pytest.approx(expected.pvalue, rel=1e-9)


def test_the_worked_values_of_the_published_rules_come_out_of_whole_columns() -> None:
    def of(**counts: int) -> pa.Array:
        return pa.array([name for name, count in counts.items() for _ in range(count)])

    hundred = measured(of(x=50, y=30, z=20), of(x=30, y=50, w=20))
    thousand = measured(of(x=500, y=300, z=200), of(x=300, y=500, w=200))
    numbers = measured(pa.array([1, 1, 2, 3, 4, 4, 4, 5]), pa.array([1, 2, 2, 3, 5, 5, 6, 6]))
    fit = measured(of(x=50, y=30, z=20), of(x=30, y=50, z=20), wk.Policy(dialect=Dialect.SAGEMAKER))

    assert hundred["linf"] == pytest.approx(0.2)
    assert hundred["linf_robust"] == 0
    assert thousand["linf_robust"] == pytest.approx(0.119502, abs=5e-7)
    assert numbers["linf"] == pytest.approx(0.375)
    assert measured(of(a=50, b=30, c=20), of(a=40, b=40, c=20))["psi"] == pytest.approx(0.051083, abs=5e-7)
    assert (round(number(fit["chi2"]), 4), round(number(fit["chi2_p"]), 8)) == (21.3333, 2.331e-5)


def test_more_categories_than_can_be_listed_are_compared_without_false_alarm_and_found_when_gone() -> None:
    names = np.array([f"user {i}" for i in range(4_000)])
    baseline = RNG.choice(names, 60_000)

    same = measured(pa.array(baseline), pa.array(RNG.choice(names, 8_000)))
    gone = measured(pa.array(baseline), pa.array(RNG.choice(names[:40], 8_000)))

    assert number(same["linf"]) < 0.01 < 0.02 < number(gone["linf"])
    assert isinstance(same.get("domain_match", Undefined("not listed")), Undefined)


@pytest.mark.parametrize(
    ("baseline", "window"),
    [
        ([1.0, 2.0] * 50, [None] * 9),
        ([1.0, 2.0] * 50, [float("nan")] * 9),
        ([1.0, 2.0] * 50, [float("inf"), float("-inf")]),
        ([3.0] * 50, [3.0, 4.0]),
        ([1e308, -1e308] * 50, [1e308, 5.0, -1e308]),
        ([float("inf")] * 9, [1.0, float("inf")]),
    ],
    ids=[
        "only nulls",
        "only nan",
        "only infinities",
        "constant baseline",
        "the ends of a double",
        "infinite baseline",
    ],
)
def test_no_column_makes_a_measure_nan_or_infinite(baseline: list[float], window: list[float | None]) -> None:
    found = measured(pa.array(baseline), pa.array(window, pa.float64()))

    assert found
    for name, value in found.items():
        assert isinstance(value, Undefined) or math.isfinite(value), name


@pytest.mark.parametrize("kind", [pa.float64(), pa.int32(), pa.string(), pa.bool_()])
def test_measures_of_a_window_without_values_are_undefined_with_a_reason(kind: pa.DataType) -> None:
    make: Callable[[int], object] = {"double": float, "int32": int, "string": str, "bool": bool}[str(kind)]
    baseline = pa.array([make(i % 2) for i in range(200)], kind)

    found = measured(baseline, pa.nulls(40, kind))

    undefined = {name: value for name, value in found.items() if isinstance(value, Undefined)}
    assert found["completeness"] == 0
    assert {"type_match", "linf", "psi", "chi2_p"} <= set(undefined)
    assert all(value.why for value in undefined.values())
