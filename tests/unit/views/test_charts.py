import re
from math import nan

from hypothesis import given
from hypothesis import strategies as st

from watchkeep.views.charts import HEIGHT, WIDTH, Bars, Blank, Histogram, drawn

Chart = dict[str, object]

numeric: Chart = {
    "kind": "numeric",
    "edges": [0, 1, 2, 3, 4],
    "baseline": [0.25, 0.25, 0.25, 0.25],
    "window": [0.5, 0.0, 0.0, 0.4],
    "below": [0, 0],
    "above": [0, 0.1],
}


def histogram(chart: Chart) -> Histogram:
    found = drawn(chart)
    assert isinstance(found, Histogram)
    return found


def bars(chart: Chart, most: int = 10) -> Bars:
    found = drawn(chart, bars=most)
    assert isinstance(found, Bars)
    return found


def test_both_sides_share_one_scale() -> None:
    found = histogram(numeric | {"above": [0, 0]})

    assert found.peak == 0.5
    assert found.baseline == "M0 100V52H150V52H300V52H450V52H600V100z"
    assert found.window == "M0 100V4H150V100H300V100H450V23.2H600V100z"


def test_values_outside_the_edges_are_drawn_apart_and_told() -> None:
    found = histogram(numeric)

    assert found.window_out == "M588 100V80.8h12V100z"
    assert found.notes == ("10 % of the window above 4 (baseline 0 %).",)
    assert found.ticks[-1].at == 94.0  # the bins make room for it
    assert found.ticks[-1].label == "4"


def test_a_tiny_share_still_shows_and_no_share_does_not() -> None:
    found = histogram(numeric | {"window": [1.0, 1e-9, 0.0, 0.0], "above": None})

    assert found.window == "M0 100V4H150V99H300V100H450V100H600V100z"


def test_bins_of_unequal_width_say_so() -> None:
    assert histogram(numeric | {"edges": [0, 1, 10, 11, 400]}).notes[0].startswith("Bins differ in width")


def test_a_side_that_is_missing_is_not_drawn() -> None:
    found = histogram(numeric | {"window": None})

    assert found.window is None
    assert found.notes == ()
    assert "baseline from 0 to 4" in found.label


def test_a_damaged_chart_is_no_chart() -> None:
    for damage in (
        {"edges": "x"},
        {"edges": [0, nan, 2, 3, 4]},
        {"baseline": [1], "window": [1]},
        {"kind": "?"},
    ):
        assert isinstance(drawn(numeric | damage), Blank)
    assert isinstance(drawn({"kind": "categorical", "labels": []}), Blank)


@given(
    st.lists(st.floats(allow_nan=True), min_size=1, max_size=30),
    st.lists(st.floats(allow_nan=True), min_size=1, max_size=30),
)
def test_every_path_stays_within_the_box(edges: list[float], window: list[float]) -> None:
    found = drawn(numeric | {"edges": edges, "window": window, "baseline": window[::-1]})

    if isinstance(found, Histogram):
        for x in re.findall(r"H([^VHMz]+)", f"{found.window}{found.baseline}"):
            assert 0 <= float(x) <= WIDTH
        for y in re.findall(r"V([^VHMzh]+)", f"{found.window}{found.baseline}{found.window_out}"):
            assert 0 <= float(y) <= HEIGHT


categories: Chart = {
    "kind": "categorical",
    "labels": ["a", "b", "c", "d"],
    "baseline": [0.5, 0.3, 0.1, 0.1],
    "window": [0.1, 0.3, 0.4, 0.1],
    "other": [0.0, 0.0],
    "unseen": [0.0, 0.1],
}


def test_the_longest_bar_fills_its_place() -> None:
    found = bars(categories)

    assert [bar.label for bar in found.bars] == ["a", "b", "c", "d", "unseen values"]
    assert [bar.baseline_length for bar in found.bars] == [100.0, 60.0, 20.0, 20.0, 0.0]


def test_categories_that_do_not_fit_become_one_bar_and_no_share_is_lost() -> None:
    found = bars(categories, most=2)

    assert [bar.label for bar in found.bars] == ["a", "c", "2 other values", "unseen values"]
    assert sum(bar.window or 0 for bar in found.bars) == 1.0 - 0.1 + 0.1


def test_a_category_without_a_baseline_has_no_share_there() -> None:
    found = bars(categories | {"baseline": None})

    assert not found.has_baseline
    assert found.bars[0].baseline is None
