from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.unit.views.page import HOSTILE, Page

from watchkeep.views.attribution import Attribution
from watchkeep.views.dependence import CARDS, DOTS, Dependences
from watchkeep.views.html import baseline_html, report_html
from watchkeep.views.terminal_attribution import print_attribution


def numbers(name: str = "age", **more: Any) -> dict[str, Any]:
    return {
        "feature_name": name,
        "data_type": "numerical",
        "feature_values": [10.0, 20.0, 30.0],
        "model_predictions": [[0.0, 0.5, 1.0]],
        "data_distribution": [0.5, 0.25, 0.25],
        "label_headers": ["p"],
        "rows": 100,
        **more,
    }


WINDOW = {"model_predictions": [[0.5, 0.5, 0.5]], "data_distribution": [0.0, 0.5, 0.25], "rows": 80}


def words(name: str = "city", values: tuple[str, ...] = ("Oslo", "Rome"), **more: Any) -> dict[str, Any]:
    count = len(values)
    told = {
        "feature_values": list(values),
        "model_predictions": [[at / count for at in range(count)]],
        "data_distribution": [1 / count] * count,
        "data_type": "categorical",
    }
    return numbers(name) | told | more


def report(listed: object, *, compared: bool = True) -> dict[str, Any]:
    told = {"compared": compared, "places": [], "dependence": listed, "aggregation": "mean_abs"}
    return {"version": 1, "kind": "attribution", "status": "Completed", "attribution": told}


def test_lines_go_from_bucket_to_bucket_on_the_scale_of_all_charts() -> None:
    (chart,) = Dependences.of([numbers(window=WINDOW)]).charts

    assert chart.baseline == "M50 105L150 55L250 5"
    assert chart.window == "M50 55L150 55L250 55"
    assert (chart.low, chart.high) == ("0", "1")
    assert chart.lies == "M0 26V1h100V13.5h100V13.5h100V26z"
    assert chart.lies_now == "M0 26V26h100V1h100V13.5h100V26z"
    assert chart.ticks == ((16.7, "10"), (50.0, "20"), (83.3, "30"))
    assert chart.note == "25 % of the window has other values: the curve tells nothing of them."
    assert chart.alarming
    assert chart.label == (
        "Mean score by age: 0 at 10, 0.5 at 20, 1 at 30 in the baseline; 0.5 at 10, 0.5 at 20, 0.5 at 30 in the window"
    )


def grid(low: float, high: float, lie: list[float] | None = None) -> dict[str, Any]:
    """A chart of 15 buckets; rows in all of them, unless told."""
    width = (high - low) / 15
    centres = [low + (at + 0.5) * width for at in range(15)]
    return numbers(
        feature_values=[float(f"{one:.12g}") for one in centres],
        model_predictions=[[at / 14 for at in range(15)]],
        data_distribution=lie or [1 / 15] * 15,
    )


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 7, ((0.0, "0"), (28.6, "2"), (57.1, "4"), (85.7, "6"))),
        (-1.3, 1.4, ((11.1, "-1"), (48.1, "0"), (85.2, "1"))),
        (2010.5, 2019.5, ((16.7, "2,012"), (38.9, "2,014"), (61.1, "2,016"), (83.3, "2,018"))),
        (1e6, 1e6 + 5, ((0.0, "1,000,000"), (40.0, "1,000,002"), (80.0, "1,000,004"))),
        (0, 250_000, ((0.0, "0"), (40.0, "100 k"), (80.0, "200 k"))),
    ],
)
def test_ticks_are_round_numbers_where_they_lie(low: float, high: float, ticks: object) -> None:
    (chart,) = Dependences.of([grid(low, high)]).charts

    assert chart.ticks == ticks


def test_a_feature_of_whole_numbers_has_whole_ticks() -> None:
    flag = [0.5, *[0.0] * 13, 0.5]
    (whole,) = Dependences.of([grid(0, 1, flag)]).charts
    (share,) = Dependences.of([grid(0, 1)]).charts

    assert whole.ticks == ((0.0, "0"), (100.0, "1"))
    assert [told for _, told in share.ticks] == ["0", "0.5", "1"]


def test_few_rows_beside_the_grid_are_a_note_and_many_an_alarm() -> None:
    def page(inside: float) -> str:
        return report_html(report([numbers(window=WINDOW | {"data_distribution": [inside, 0.0, 0.0]})]))

    assert "5 % of the window has other values." in Page(page(0.95)).text
    assert 'class="wk-other"' not in page(0.95)
    assert '<p class="wk-other">△ 100 % of the window has other values' in page(0.0)


def test_outputs_have_scales_of_their_own() -> None:
    two: dict[str, Any] = {
        "model_predictions": [[0.0, 0.5, 1.0], [10.0, 20.0, 40.0]],
        "label_headers": ["p", "q"],
    }
    told = Dependences.of([numbers(**two), numbers("income", **two)])

    assert [one.title for one in told.charts] == ["age · p", "age · q", "income · p", "income · q"]
    assert [(one.low, one.high) for one in told.charts[:2]] == [("0", "1"), ("10", "40")]
    assert told.several


def test_categories_are_dots_and_only_the_first_are_drawn() -> None:
    many = tuple(f"city {at}" for at in range(DOTS + 3))
    (chart,) = Dependences.of([words(values=many)]).charts

    assert (chart.baseline, len(chart.dots), chart.more) == ("", DOTS, 3)
    assert (chart.dots[0].name, chart.dots[0].before, chart.dots[0].now) == ("city 0", 3.0, None)
    assert chart.dots[0].share == "9 %"


def test_a_value_by_itself_is_a_dash() -> None:
    one = numbers(feature_values=[7.0], model_predictions=[[0.25]], data_distribution=[1.0])
    (chart,) = Dependences.of([one]).charts

    assert chart.baseline == "M142 105h16"
    assert (chart.low, chart.high) == ("0.25", "0.25")
    assert chart.ticks == ((50.0, "7"),)


def test_curves_that_there_are_none_of_are_told_once_for_each_reason() -> None:
    told = Dependences.of(
        [
            {"feature_name": "age", "data_type": "numerical", "error": "nothing is left"},
            {"feature_name": "city", "data_type": "categorical", "error": "nothing is left"},
            numbers("income", window={"error": "nobody answered"}),
        ]
    )

    assert told.missing == (
        "No curve of age and city: nothing is left.",
        "No curve of income in the window: nobody answered.",
    )
    assert (len(told.charts), told.compared) == (1, False)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "x",
        [7],
        [{}],
        [numbers(model_predictions=[[0.5]])],
        [numbers(model_predictions=[[0.5, None, 0.5]])],
        [numbers(feature_values=None)],
    ],
)
def test_what_is_no_curve_is_not_drawn(broken: object) -> None:
    assert Dependences.of(broken).charts == ()
    assert report_html(report(broken))


def test_pages_draw_both_curves_or_the_baselines_alone() -> None:
    both = report_html(report([numbers(window=WINDOW), words()]))
    alone = baseline_html(report([numbers()], compared=False) | {"rows": 10})

    assert both.count('<path class="wk-line"') == 1
    assert "over 100 rows of the baseline and 80 rows of the window" in Page(both).text
    assert "Oslo" in Page(both).text
    assert '<path class="wk-now" d="M50 105' in alone
    assert '<path class="wk-line"' not in alone


def test_a_page_stays_of_bounded_size() -> None:
    told = Dependences.of([numbers(f"f{at}") for at in range(CARDS + 4)])

    assert (len(told.charts), told.left) == (CARDS, 4)
    assert "And 4 more charts" in report_html(report([numbers(f"f{at}") for at in range(CARDS + 4)]))


def test_no_name_or_reason_can_add_an_element() -> None:
    def page(text: str) -> Page:
        listed = [
            numbers(text, label_headers=[text]),
            words(text, (text, text + "!")),
            {"feature_name": text, "error": text},
        ]
        told = report(listed)
        told["attribution"] |= {"notes": [text], "not_explained": {text: 3}, "unanswered": text}
        return Page(report_html(told))

    assert page(HOSTILE).tags == page("plain").tags
    assert page(HOSTILE).attributes - {"title"} <= page("plain").attributes
    assert page(HOSTILE).open == []


def explained(**more: Any) -> dict[str, Any]:
    told = report([])
    told["attribution"] |= {
        "model": "x.json",
        "model_kind": "XGBoost",
        "method": "exact contributions",
    } | more
    return told


def test_the_window_and_the_baseline_name_their_own_models() -> None:
    other = {"baseline_model": "lgb.txt", "baseline_model_kind": "LightGBM"}
    caution = "The baseline's rows were explained anew by x.json."
    told = explained(**other, anew=True, cautions=[caution])

    page = Page(report_html(told)).text
    assert "Window by x.json (XGBoost), exact contributions; baseline by lgb.txt (LightGBM)." in page
    assert f"△ {caution}" in page
    console = Console(width=200, record=True, file=StringIO())
    attribution = Attribution.of(told["attribution"])
    assert attribution is not None
    print_attribution(attribution, console)
    printed = console.export_text()
    assert "Window by x.json (XGBoost), exact contributions; baseline by lgb.txt (LightGBM)." in printed
    assert caution in printed


def test_one_model_is_named_once() -> None:
    same = Attribution.of(explained(baseline_model="x.json")["attribution"])
    alone = Attribution.of(explained(compared=False)["attribution"])

    assert same is not None
    assert same.how.startswith("Window and baseline by x.json (XGBoost), exact contributions. Attribution is")
    assert same.cautions == ()
    assert alone is not None
    assert alone.how.startswith("Of x.json (XGBoost), exact contributions. Attribution is")


def test_an_order_that_is_not_known_is_no_number() -> None:
    place = {
        "label": "p",
        "explained": 0,
        "ndcg": {"undefined": "http://x: no answer"},
        "outcome": "undecided",
    }
    told = explained(places=[place], unanswered="http://x: no answer in 4 tries")

    page = Page(report_html(told)).text
    assert "How well the order agrees with the baseline's (NDCG) is not known: no row was explained." in page
    console = Console(width=200, record=True, file=StringIO())
    attribution = Attribution.of(told["attribution"])
    assert attribution is not None
    print_attribution(attribution, console)
    printed = console.export_text()
    assert (
        "How well the order agrees with the baseline's (ndcg) is not known: no row was explained." in printed
    )
    assert printed.count("http://x") == 1


def test_rows_that_were_not_explained_are_told_by_reason() -> None:
    told = Attribution.of(
        {
            "method": "captured",
            "aggregation": "mean_abs",
            "not_explained": {"no answer was captured": 1_200, "x": 1},
            "baseline_not_explained": {"x": 1},
            "notes": ["No score."],
        }
    )

    assert told is not None
    assert told.how.startswith("Contributions came with the rows and are used as they are.")
    assert told.notes == (
        "No score.",
        "1,201 rows were not explained: no answer was captured (1,200), x (1).",
        "1 row of the baseline was not explained: x (1).",
    )
