"""Bias from counts, against a worked example, fairlearn and scikit-learn."""

import math
import warnings

import numpy as np
import numpy.typing as npt
import pytest
from fairlearn import metrics as fairlearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from watchkeep.core.undefined import Undefined
from watchkeep.stats.bias import MEASURES, conditional_disparity
from watchkeep.stats.bias_formulas import Outcomes, Over

A, D = [[55, 10], [5, 30]], [[30, 5], [5, 10]]
"""Rows by label and prediction: the worked example that the reference of SageMaker's formulas was checked with."""
WORKED = {
    "CI": 0.333333,
    "DPL": 0.05,
    "KL": 0.005783,
    "JS": 0.001426,
    "LP": 0.070711,
    "TVD": 0.05,
    "KS": 0.05,
    "DPPL": 0.1,
    "DI": 0.75,
    "DCA": -0.125,
    "DCR": -0.083333,
    "AD": 0.05,
    "RD": 0.190476,
    "SD": 0.010989,
    "DAR": 0.083333,
    "DRR": -0.059524,
    "TE": 0.5,
    "GE": 0.077523,
}
counts = st.integers(0, 40)
tables = st.tuples(st.tuples(counts, counts), st.tuples(counts, counts))


@pytest.mark.parametrize("name", WORKED)
def test_the_worked_example_comes_out(name: str) -> None:
    assert MEASURES[name].of(Outcomes.of(D), Outcomes.of(A)) == pytest.approx(WORKED[name], abs=5e-7)


def test_the_worked_example_of_conditional_disparity_comes_out() -> None:
    strata = [[[20, 30], [10, 5]], [[25, 10], [20, 5]]]

    assert conditional_disparity(strata) == pytest.approx(0.152381, abs=5e-7)


def rows_of(
    d: object, a: object
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    labels, predictions, groups = [], [], []
    for group, table in (("d", d), ("a", a)):
        for label, row in enumerate(np.asarray(table)):
            for prediction, count in enumerate(row):
                labels += [label] * int(count)
                predictions += [prediction] * int(count)
                groups += [group] * int(count)
    return np.array(labels), np.array(predictions), np.array(groups)


filled = st.tuples(*[st.tuples(*[st.integers(1, 40)] * 2)] * 2)


@settings(deadline=None, max_examples=40)
@given(filled, filled)
def test_fairlearn_and_scikit_learn_agree(d: object, a: object) -> None:
    labels, predictions, groups = rows_of(d, a)
    one, other = Outcomes.of(np.asarray(d)), Outcomes.of(np.asarray(a))

    def ours(name: str) -> float:
        return float(MEASURES[name].of(one, other))  # type: ignore[arg-type] # no cell is empty

    def by_group(score: object) -> dict[str, float]:
        frame = fairlearn.MetricFrame(
            metrics=score, y_true=labels, y_pred=predictions, sensitive_features=groups
        )
        found: dict[str, float] = frame.by_group.to_dict()
        return found

    selected, recalls = by_group(fairlearn.selection_rate), by_group(sklearn.recall_score)
    fair = {"y_true": labels, "y_pred": predictions, "sensitive_features": groups}
    right, precise = by_group(sklearn.accuracy_score), by_group(sklearn.precision_score)
    alarms = by_group(fairlearn.false_positive_rate)
    expected = {
        "DPPL": selected["a"] - selected["d"],
        "DI": selected["d"] / selected["a"],
        "AD": right["a"] - right["d"],
        "RD": recalls["a"] - recalls["d"],
        "SD": alarms["a"] - alarms["d"],
        "DAR": precise["a"] - precise["d"],
        "EOD": recalls["d"] - recalls["a"],
        "AOD": (alarms["d"] - alarms["a"] + recalls["d"] - recalls["a"]) / 2,
        "EOR": fairlearn.equalized_odds_ratio(**fair),
    }
    for name, value in expected.items():
        assert ours(name) == pytest.approx(value, abs=1e-9), name
    assert abs(ours("DPPL")) == pytest.approx(fairlearn.demographic_parity_difference(**fair), abs=1e-9)


@given(tables, tables)
def test_a_measure_is_a_number_in_its_range_or_undefined_with_a_reason(d: object, a: object) -> None:
    one, other = Outcomes.of(np.asarray(d)), Outcomes.of(np.asarray(a))

    for name, measure in MEASURES.items():
        found = measure.of(one, other)

        if isinstance(found, Undefined):
            assert found.why.startswith(f"{name} needs 1 ")
            assert found.why.endswith(", has 0")
        else:
            assert measure.low - 1e-12 <= found <= measure.high + 1e-12, name


@given(tables)
def test_groups_treated_alike_have_the_neutral_value(table: object) -> None:
    group = Outcomes.of(np.asarray(table))

    for name, measure in MEASURES.items():
        found = measure.of(group, group)

        if name != "GE" and not isinstance(found, Undefined):  # GE compares rows, not groups
            assert found == pytest.approx(measure.neutral, abs=1e-12), name


@given(tables, tables)
def test_in_sagemakers_dialect_only_empty_groups_have_no_measure(d: object, a: object) -> None:
    one, other = Outcomes.of(np.asarray(d)), Outcomes.of(np.asarray(a))

    for name, measure in MEASURES.items():
        found = measure.of(one, other, sagemaker=True)

        if isinstance(found, Undefined):
            # KL leaves labels out that one side lacks; of sides without a common label nothing is left.
            common = (one.tp + one.fn) * (other.tp + other.fn) + (one.tn + one.fp) * (other.tn + other.fp)
            nothing = name == "KL" and not common
            assert measure.ours or not one.rows or not other.rows or name == "GE" or nothing
        else:
            assert not math.isnan(found)


def test_sagemaker_writes_infinity_where_nothing_divides_something() -> None:
    all_rejected = Outcomes.of([[50, 0], [10, 0]])

    assert MEASURES["DI"].of(Outcomes.of(D), all_rejected, sagemaker=True) == math.inf
    assert MEASURES["DI"].of(all_rejected, all_rejected, sagemaker=True) == 0.0
    assert MEASURES["DI"].of(Outcomes.of(D), all_rejected) == Undefined(
        "DI needs 1 row predicted positive of the others, has 0"
    )


@given(st.lists(tables, min_size=1, max_size=5), st.lists(tables, min_size=1, max_size=5))
def test_arrays_of_tables_give_what_each_of_them_gives(ones: list[object], others: list[object]) -> None:
    n = min(len(ones), len(others))
    d, a = np.asarray(ones[:n]), np.asarray(others[:n])

    for name, measure in MEASURES.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = measure.formula(Outcomes.of(d), Outcomes.of(a), Over())
        for at in range(n):
            alone = measure.of(Outcomes.of(d[at]), Outcomes.of(a[at]))
            if isinstance(alone, Undefined):
                assert math.isnan(found[at]), name
            else:
                assert found[at] == pytest.approx(alone, abs=1e-12), name


def test_labels_that_a_group_lacks_make_the_greatest_divergence_no_number() -> None:
    all_positive, half = Outcomes.of([[0, 0], [0, 10]]), Outcomes.of([[10, 0], [0, 10]])

    assert MEASURES["KL"].of(all_positive, half) == Undefined(
        "KL needs 1 row labelled negative of the group, has 0"
    )
    assert MEASURES["KL"].of(half, all_positive) == pytest.approx(math.log(2))
    assert MEASURES["JS"].of(all_positive, half) == pytest.approx(0.2158, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "value"), [("KL", -0.3466), ("JS", 0.0425), ("LP", 0.5), ("TVD", 0.25), ("KS", 0.5)]
)
def test_sagemaker_leaves_out_labels_that_a_group_lacks(name: str, value: float) -> None:
    all_positive, half = Outcomes.of([[0, 0], [0, 10]]), Outcomes.of([[10, 0], [0, 10]])

    assert MEASURES[name].of(all_positive, half, sagemaker=True) == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize(
    ("d", "a"),
    [
        ([[9, 0], [0, 5]], [[7, 0], [0, 8]]),
        ([[9, 0], [2, 3]], [[7, 0], [2, 8]]),
        ([[9, 1], [0, 5]], [[7, 2], [0, 8]]),
    ],
)
@pytest.mark.parametrize("sagemaker", [False, True])
def test_rates_that_are_both_nothing_are_equal(d: object, a: object, sagemaker: bool) -> None:
    labels, predictions, groups = rows_of(d, a)
    told = fairlearn.equalized_odds_ratio(labels, predictions, sensitive_features=groups)

    found = MEASURES["EOR"].of(Outcomes.of(np.asarray(d)), Outcomes.of(np.asarray(a)), sagemaker=sagemaker)

    assert found == pytest.approx(told, abs=1e-9)


def test_a_stratum_that_lacks_an_outcome_counts_as_each_dialect_has_it() -> None:
    strata = [[[20, 0], [10, 0]], [[25, 10], [20, 5]]]

    assert conditional_disparity(strata) == pytest.approx(0.0741, abs=5e-5)
    assert conditional_disparity(strata, sagemaker=True) == pytest.approx(0.1852, abs=5e-5)


def test_disparity_of_rows_of_one_outcome_is_undefined() -> None:
    assert conditional_disparity([[[3, 0], [4, 0]]], name="CDDL") == Undefined(
        "CDDL needs 1 positive row, has 0"
    )


@given(st.lists(tables, min_size=1, max_size=6))
def test_disparity_is_within_its_range(strata: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    found = conditional_disparity(strata)

    assert isinstance(found, Undefined) or -1 <= found <= 1
