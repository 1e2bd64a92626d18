"""Groups drawn: which side a mark stands on, what is said, and documents that are damaged or hostile."""

import io
from typing import Any

import pytest
from rich.console import Console

from watchkeep.views.bias import Bias
from watchkeep.views.forest import Gap, Scale
from watchkeep.views.html import baseline_html, report_html
from watchkeep.views.notebook import report_fragment
from watchkeep.views.terminal import print_baseline, print_report


def measure(name: str, value: object, **more: object) -> dict[str, object]:
    return {"measure": name, "value": value, "error": 0.02, "among": 200, **more}


def group(*measures: dict[str, object], **more: object) -> dict[str, object]:
    told = {"subject": "sex=F", "facet": "sex", "group": "F", "rows": 200, "others": 800, "missing": 5}
    return {**told, "crossed": False, "measures": list(measures), **more}


def document(*groups: dict[str, object], kind: str = "report", **more: object) -> dict[str, Any]:
    bias: dict[str, object] = {
        "label": "hired",
        "positive": "yes",
        "groups": list(groups),
        "titles": {"DI": "disparate impact"},
    }
    bias |= {"neutral": {"DI": 1.0}, "compared": kind == "report", **more}
    return {
        "version": 1,
        "kind": "bias",
        "monitor": "bias",
        "status": "Completed",
        "rows": 1000,
        "bias": bias,
    }


def drawn(told: dict[str, Any], *, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    (print_report if told["bias"]["compared"] else print_baseline)(told, console)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "against", "for_it"),
    [("DPL", 0.2, -0.2), ("DI", 0.5, 2.0), ("RD", 0.1, -0.1), ("FT", -0.1, 0.1), ("DRR", -0.1, 0.1)],
)
def test_what_is_against_the_group_stands_left_whatever_the_sign(
    name: str, against: float, for_it: float
) -> None:
    scale = Scale.of([])
    places = []
    for value in (against, for_it):
        neutral = 1.0 if name == "DI" else 0.0
        mark = scale.drawn(Gap(name, neutral, value, None, None, None, None, None))
        assert mark is not None
        places.append(mark.at)

    assert places[0] < 50 < places[1]
    assert places[0] + places[1] == pytest.approx(100)


def test_interval_range_and_baseline_are_on_the_same_scale() -> None:
    gap = Gap("DPPL", 0.0, 0.2, 0.1, 0.3, -0.1, 0.25, 0.15)
    mark = Scale.of([gap]).drawn(gap)

    assert mark is not None
    assert mark.allowed is not None
    assert mark.allowed[0] < mark.at < mark.allowed[0] + mark.allowed[1]
    assert mark.left < mark.at < mark.left + mark.width < 50
    assert mark.other is not None
    assert mark.other > mark.at
    assert mark.label == "DPPL 0.2, interval 0.1 to 0.3, allowed -0.1 to 0.25, baseline 0.15"


@pytest.mark.parametrize("value", [0.0, 1e9])
def test_a_value_beyond_the_scale_is_marked_as_cut(value: float) -> None:
    mark = Scale.of([]).drawn(Gap("DI", 1.0, value, None, None, None, None, None))

    assert mark is not None
    assert (mark.at, mark.cut) == ((0.0, -1) if value == 0 else (100.0, 1))


def test_sizes_intervals_limits_and_reasons_are_shown_everywhere() -> None:
    undefined = {"undefined": "RD needs 1 row labelled positive of the group, has 0"}
    told = document(
        group(
            measure(
                "DI", 0.5123, before=0.8, at_least=0.75, at_most=1.25, low=0.4, high=0.6, outcome="violated"
            ),
            measure("RD", undefined, outcome="undecided", estimate={"value": 0.1, "low": 0.05, "high": 0.15}),
        ),
        levels=[{"facet": "sex", "missing": 5, "new": 3}],
        estimates={"sentence": "Estimated without labels."},
        not_crossed=["a x b"],
    )
    for page in (report_html(told), report_fragment(told), drawn(told)):
        text = " ".join(page.split())
        for words in (
            "0.512",
            "disparate impact",
            "3 rows with a value of sex",
            "0.05 to 0.15",
            "a x b",
            "200",
        ):
            assert words in text, words
    assert "200 rows beside 800 others (20 %); 5 rows without a value" in report_html(told)
    assert undefined["undefined"] in report_html(told)
    assert "▲ 0.512" in drawn(told)


def test_a_baseline_that_treats_groups_otherwise_says_so_and_a_report_does_not_call_the_window_that() -> None:
    unfair = group(measure("DI", 0.5, unfair=True))

    assert "In the reference data already not treated alike: sex=F (DI 0.500)" in " ".join(
        drawn(document(unfair, kind="baseline"), width=200).split()
    )
    assert "△" in baseline_html(document(unfair, kind="baseline"))
    assert "reference data" not in drawn(document(group(measure("DI", 0.5))))


def test_of_many_crossings_the_worst_come_first_and_the_others_are_counted() -> None:
    crossed = [
        group(
            measure("DPPL", at / 100, at_most=0.1, outcome="violated" if at == 3 else "kept"),
            subject=f"a x b=g{at}",
            facet="a x b",
            group=f"g{at}",
            crossed=True,
        )
        for at in range(60)
    ]
    found = Bias.of(document(group(measure("DPPL", 0.0)), *crossed)["bias"])

    assert found is not None
    assert [one.name for one in found.crossed[:3]] == ["g3", "g59", "g58"]
    assert "and 48 groups more" in drawn(document(group(), *crossed))
    assert "20 more groups" in report_html(document(group(), *crossed))


def test_a_document_without_groups_or_with_damaged_ones_is_drawn_all_the_same() -> None:
    assert Bias.of(None) is None
    assert Bias.of({}) is None
    damaged: dict[str, Any] = {
        "groups": [{}, 3, {"measures": [{}, {"measure": 7, "value": "x", "low": "?"}]}]
    }
    for told in (damaged, {"groups": 5}, {"titles": 3, "levels": 9, "groups": [group(measure("DI", None))]}):
        page = document() | {"bias": told | {"compared": True}}
        assert report_html(page)
        assert drawn(page)
        assert baseline_html(page)


def test_names_of_people_are_never_markup() -> None:
    hostile = "<script>alert(1)</script>[red]"
    told = document(group(measure("DI", 0.5), facet=hostile, subject=f"{hostile}=x"), label=hostile)

    assert "<script>alert" not in report_html(told)
    assert "[red]" in drawn(told, width=200)
