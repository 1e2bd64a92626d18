import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.monitors.model_quality.suggestions import HIGHER_IS_BETTER, LOWER_IS_BETTER
from watchkeep.views.measure_words import (
    CONSTANT,
    direction,
    duration,
    label,
    scattered,
    short_label,
    unit_kind,
    worded,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("true_positive_rate", "true positive rate"),
        ("f0_5", "F0.5"),
        ("macro_f1", "macro F1"),
        ("weighted_f2", "weighted F2"),
        ("rmse", "root mean squared error"),
        ("pinball_0_9", "pinball loss at 0.9"),
        (f"f1{CONSTANT}", "F1 of the best constant answer"),
        ("recall of x_1", "recall of x_1"),  # a class keeps its name
        ("a_measure_of_tomorrow", "a measure of tomorrow"),
    ],
)
def test_measures_are_told_in_words(name: str, words: str) -> None:
    assert label(name) == words


def test_a_long_class_is_cut() -> None:
    assert len(label("recall of " + "x" * 500)) == 80
    assert short_label("mae") == "MAE"


def test_which_way_is_better_is_what_limits_say() -> None:
    assert {direction(name) for name in LOWER_IS_BETTER} == {-1}
    assert {direction(name) for name in HIGHER_IS_BETTER} == {1}


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_a_value_is_told_as_finely_as_its_error(value: float, error: float) -> None:
    told, scatter = scattered(value, error)

    assert float(scatter.replace(",", "")) == pytest.approx(error, rel=0.06, abs=0.5)
    assert len(told.partition(".")[2]) == len(scatter.partition(".")[2])
    assert float(told.replace(",", "")) == pytest.approx(value, abs=error)


@pytest.mark.parametrize("error", [None, 0.0, -1.0, float("nan"), 1e300])
def test_an_odd_error_leaves_the_value_readable(error: float | None) -> None:
    assert scattered(0.25, error)[0] == "0.25"


@given(st.floats(0, 1e9))
def test_a_duration_is_never_a_large_number_of_a_small_unit(seconds: float) -> None:
    number, unit = duration(seconds).split()

    assert unit == "days" or float(number.replace(",", "")) <= 120


def test_a_sentence_about_something_else_stays_as_it_is() -> None:
    assert worded("aucx is low", "auc") == "aucx is low"
    assert unit_kind("recall of brier") == "rate"
