import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.views.answers import quality

from watchkeep.views.curves import SIDE, Square, squares
from watchkeep.views.values import mapping

shares = st.floats(0, 1)


def places(path: str) -> list[float]:
    return [float(part) for part in re.findall(r"-?\d+\.?\d*", path)]


def by_title(told: tuple[Square, ...]) -> dict[str, Square]:
    return {one.title: one for one in told}


def test_the_window_is_drawn_over_the_baseline() -> None:
    told = quality()
    charts = by_title(squares(told, mapping(told["before"]), two=True))

    roc = charts["ROC curve"]
    assert roc.window == "M0 200L20 90L80 20L200 0"
    assert roc.baseline == "M0 200L20 80L80 14L200 0V200H0z"  # closed: an area
    assert roc.label == "ROC curve of the window and the baseline"
    assert (
        "At a false positive rate of 0.1 the true positive rate is 0.55 in the window and 0.6" in roc.details
    )
    assert (
        charts["Precision and recall"].guide == "M0 126H200"
    )  # what guessing would reach: the share of positives


def test_dots_tell_rows_by_their_area_and_how_far_they_may_be_off() -> None:
    told = quality()
    chart = squares(told, mapping(told["before"]), two=True)[-1]

    large, small = chart.dots
    assert large.radius == pytest.approx(2 * small.radius, abs=0.1)
    assert chart.spread.count("M") == 2
    assert "15 % came true of 2,000 rows said 10 %" in chart.details


def test_of_several_classes_it_is_confidence_that_comes_true() -> None:
    chart = squares(quality(), {}, two=False)[-1]

    assert chart.title == "Is it as right as it is sure?"
    assert chart.across == "mean confidence"
    assert chart.faint == ()


def test_a_baseline_by_itself_has_no_window() -> None:
    roc = squares({}, quality(), two=True)[0]

    assert roc.window == ""
    assert roc.label == "ROC curve of the baseline"


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"roc": None, "reliability": None},
        {"roc": {"x": [0.1]}, "precision_recall": {"x": 3, "y": 4}},
        {"roc": {"x": [None, "a"], "y": [1, 2]}, "reliability": [{"rows": 0}, {"rows": 3, "score": "x"}]},
    ],
)
def test_a_damaged_curve_is_no_curve(told: dict[str, object]) -> None:
    assert squares(told, {}, two=True) == ()


@given(st.lists(st.tuples(shares, shares), min_size=2, max_size=400))
def test_every_point_stays_within_the_box_and_the_ends_are_kept(points: list[tuple[float, float]]) -> None:
    curve = {"x": [x for x, _ in points], "y": [y for _, y in points]}
    (chart,) = squares({"roc": curve}, {}, two=True)

    assert all(0 <= place <= SIDE for place in places(chart.window))
    assert places(chart.window)[:2] == pytest.approx(
        [SIDE * points[0][0], SIDE * (1 - points[0][1])], abs=0.06
    )
    assert places(chart.window)[-2:] == pytest.approx(
        [SIDE * points[-1][0], SIDE * (1 - points[-1][1])], abs=0.06
    )


@given(st.lists(st.tuples(st.integers(1, 10**6), shares, shares), min_size=1, max_size=20))
def test_every_dot_stays_within_the_box(groups: list[tuple[int, float, float]]) -> None:
    told = [{"rows": rows, "score": score, "came_true": true} for rows, score, true in groups]
    (chart,) = squares({"reliability": told}, {}, two=True)

    assert all(0 <= place <= SIDE for dot in chart.dots for place in (dot.x, dot.y))
    assert all(0 <= place <= SIDE for place in places(chart.spread))


def test_a_curve_of_many_points_is_told_in_few_bytes() -> None:
    many = [i / 100_000 for i in range(100_001)]
    (chart,) = squares({"roc": {"x": many, "y": many}}, {}, two=True)

    assert len(chart.window) < 4000
