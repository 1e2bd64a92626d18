import numpy as np
import pandas as pd
import pytest
from bench.alarms.columns import associations, categorical, graded, numeric
from bench.alarms.rules import Rules, homogeneity, ks_distance, noise, psi
from bench.alarms.streams import Look
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp

values = st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=30)


def frame(seed: int, rows: int, *, move: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": rng.normal(move, 1, rows),
            "k": rng.integers(0, 12, rows),
            "c": pd.Categorical(rng.choice(["a", "b", "c"], rows, p=[0.5, 0.3, 0.2])),
            "y": rng.integers(0, 2, rows),
        }
    )


def look(rows: pd.DataFrame) -> Look:
    return Look(rows, pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-02"))


@given(values, values)
def test_the_distance_is_scipys(a: list[float], b: list[float]) -> None:
    first, second = np.sort(a), np.sort(b)

    assert ks_distance(first, second) == pytest.approx(ks_2samp(a, b, method="asymp").statistic)


@pytest.mark.parametrize(
    ("first", "second"),
    [([50, 30, 20], [40, 40, 20]), ([500, 300], [40, 40]), ([9, 0, 1, 0], [5, 5, 0, 0])],
)
def test_the_chi_square_is_scipys(first: list[int], second: list[int]) -> None:
    rows = np.array([first, second], np.float64)

    found = homogeneity(*rows)

    assert found == pytest.approx(chi2_contingency(rows[:, rows.sum(axis=0) > 0]).pvalue)


def test_one_category_is_no_evidence() -> None:
    assert homogeneity(np.array([5.0, 0.0]), np.array([9.0, 0.0])) == 1.0


def test_an_empty_bin_keeps_a_psi_finite_and_equal_shares_have_none() -> None:
    assert psi(np.array([10.0, 30.0]), np.array([1.0, 3.0])) == pytest.approx(0)
    assert 0 < psi(np.array([10.0, 0.0]), np.array([5.0, 5.0])) < 10
    # (.5 - .9) ln(.5 / .9) + (.5 - .1) ln(.5 / .1)
    assert psi(np.array([90.0, 10.0]), np.array([5.0, 5.0])) == pytest.approx(0.878890, abs=1e-6)


def test_sagemakers_allowance_is_the_documented_one() -> None:
    assert noise(10_000, 50) == pytest.approx(0.255, abs=5e-4)
    assert noise(10_000, 1_000) == pytest.approx(0.060, abs=5e-4)


def test_the_rules_agree_with_scipy_on_a_window() -> None:
    reference, window = frame(0, 2_000), frame(1, 300, move=0.1)

    found = Rules().fit(reference, series=False).start().look(look(window))

    chances = {
        "x": ks_2samp(reference["x"], window["x"], method="asymp").pvalue,
        "k": ks_2samp(reference["k"], window["k"], method="asymp").pvalue,
        "c": chi2_contingency(
            [each["c"].value_counts().reindex(["a", "b", "c"]) for each in (reference, window)]
        ).pvalue,
        "y": chi2_contingency(
            [each["y"].value_counts().reindex([0, 1]) for each in (reference, window)]
        ).pvalue,
    }
    expected = {name: -np.log10(chance) for name, chance in chances.items()}
    assert found["ks-chi2"].columns == pytest.approx(expected)
    assert found["ks-chi2"].level == pytest.approx(max(expected.values()))
    strict = -np.log10(0.05 / 4)
    assert found["bonferroni"].level == pytest.approx(max(expected.values()) / strict)


def test_a_column_that_moved_is_the_one_with_the_highest_level() -> None:
    learned = Rules().fit(frame(0, 2_000), series=False)

    found = learned.start().look(look(frame(1, 1_000, move=1.0)))

    assert all(max(each.columns, key=lambda name: each.columns[name]) == "x" for each in found.values())
    assert found["psi"].level > 0.2
    assert found["sagemaker-drift"].level > 0.1


def test_missing_values_and_new_categories_are_counted_not_tripped_over() -> None:
    learned = Rules().fit(frame(0, 2_000), series=False)
    window = frame(1, 500)
    window["x"] = window["x"].mask(window["x"] > 0)
    window["k"] = window["k"].astype("Int64").mask(window["k"] > 5)
    window["c"] = pd.Categorical(["z"] * 500)
    window["y"] = pd.Series([np.nan] * 500)

    found = learned.start().look(look(window))

    assert found["psi"].level > 1
    assert found["ks-chi2"].columns["c"] > 100
    assert found["ks-chi2"].columns["y"] == 0


def test_times_are_no_column_and_flags_are_categories() -> None:
    table = frame(0, 100).assign(at=pd.Timestamp("2024-01-01"))

    assert (numeric(table), categorical(table)) == (["x", "k"], ["c", "y"])


def test_columns_that_are_mostly_one_value_are_not_graded() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"zeros": np.where(rng.random(500) < 0.6, 0, rng.random(500)), "x": rng.random(500)})

    assert graded(table) == ["x"]


def test_associations_are_rank_correlations_with_the_nearest_column() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=2_000)
    sign = pd.Categorical(np.where(x + rng.normal(size=2_000) > 0, "up", "down"))
    table = pd.DataFrame({"x": x, "cube": x**3, "sign": sign, "alone": rng.normal(size=2_000)})

    found = associations(table)

    assert found["x"] == found["cube"] == pytest.approx(1)
    assert found["sign"] == pytest.approx(table["x"].corr(table["sign"] == "up", method="spearman"), abs=1e-9)
    assert found["alone"] < 0.1
    assert associations(table[["alone"]]) == {"alone": 0.0}
