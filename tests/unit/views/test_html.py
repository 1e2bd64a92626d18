import re
from collections.abc import Callable
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.views.page import HOSTILE, Page

from watchkeep.views.html import baseline_html, report_html

Document = dict[str, object]
MakeReport = Callable[..., Document]


def test_the_first_screen_answers_what_happened(report_document: MakeReport) -> None:
    text = Page(report_html(report_document())).text

    assert "dep_time, origin and air_time are outside their limits." in text
    for part in (
        "Completed with violations",
        "2013-02-08 00:00",
        "930 analysed",
        "of 933 read",
        "3 rejected: timestamp is missing",
        "3 violated",
        "1 undecided",
        "27,004 rows",
        "dep_time: 50 % of values are missing (baseline 1.9 %)",
    ):
        assert part in text


def test_every_element_that_opens_is_closed(report_document: MakeReport) -> None:
    assert Page(report_html(report_document())).open == []


def test_columns_outside_their_limits_come_first_then_undecided_then_kept(
    report_document: MakeReport,
) -> None:
    page = report_html(report_document(6, moved=2))
    order = [page.index(f'data-name="{name}"') for name in ("dep_time", "origin", "dest", "air_time")]

    assert order == sorted(order)


def test_an_undefined_number_is_shown_with_its_reason(report_document: MakeReport) -> None:
    page = report_html(report_document(4))

    assert "no values in the window" in page
    assert "ks needs 30 values, has 0" in page
    assert "mean (window), std (window): no values in the window" in Page(page).text


def test_the_page_asks_nothing_of_the_network_and_runs_nothing_but_its_own_script(
    report_document: MakeReport,
) -> None:
    page = report_html(report_document())

    assert re.findall(r"""(?:src|href|action)=|url\(|@import|https?://""", page) == []
    assert "default-src &#39;none&#39;" in page
    assert "unsafe-inline&#39;; script-src &#39;sha256-" in page
    assert not {name for name in Page(page).attributes if name.startswith("on")}


def test_hostile_names_stay_text(report_document: MakeReport) -> None:
    plain, hostile = (Page(report_html(report_document(stem=stem))) for stem in ("plain", HOSTILE))

    assert hostile.tags == plain.tags
    assert hostile.attributes - {"title"} <= plain.attributes
    assert "\\u202e\\n'{{7*7}}&lt;" in hostile.text


def spoiled(value: object, by: str) -> object:
    """A document with something added to every one of its texts and to the names of its free objects."""
    if isinstance(value, str):
        return value if value in ("numeric", "categorical", "none", "violated", "kept") else value + by
    if isinstance(value, list):
        return [spoiled(part, by) for part in value]
    if isinstance(value, dict):
        free = value.keys() <= {
            "timestamp is missing",
            "rows",
            "missing",
            "dialect",
            "false_alarms",
            "min_rows",
        }
        return {name + by * free: spoiled(part, by) for name, part in value.items()}
    return value


@pytest.mark.parametrize("draw", [report_html, baseline_html])
def test_no_text_of_a_document_can_add_an_element(
    draw: Callable[[Document], str], report_document: MakeReport, baseline_document: MakeReport
) -> None:
    document = report_document() if draw is report_html else baseline_document()
    plain, hostile = spoiled(document, "plain"), spoiled(document, HOSTILE)
    assert isinstance(plain, dict)
    assert isinstance(hostile, dict)

    assert Page(draw(hostile)).tags == Page(draw(plain)).tags
    assert Page(draw(hostile)).attributes - {"title"} <= Page(draw(plain)).attributes


@settings(deadline=None)  # the first example compiles the templates
@given(st.text(st.characters(codec=None), max_size=60))
def test_no_name_can_add_an_element(report_document: MakeReport, name: str) -> None:
    page = report_html(report_document(4, moved=1, stem=name))

    assert Page(page).tags == Page(report_html(report_document(4, moved=1))).tags
    assert page.encode()


def test_a_long_name_is_cut_and_whole_in_its_title(report_document: MakeReport) -> None:
    page = report_html(report_document(1, moved=1, stem="y" * 9000))

    assert f'title="{"y" * 9000}dep_time"' in page
    assert "y" * 200 not in Page(page).text
    assert "y… 50 % of values are missing" in Page(page).text.replace(
        "…: 50", "… 50"
    )  # what is said of it is not cut


def test_forty_columns_make_a_light_page(report_document: MakeReport) -> None:
    assert len(report_html(report_document(40)).encode()) < 200_000


@pytest.mark.parametrize("moved", [0, 1500])
def test_a_page_of_two_thousand_columns_stays_bounded_and_says_so(
    report_document: MakeReport, moved: int
) -> None:
    page = report_html(report_document(2000, moved=moved))

    assert len(page.encode()) < 1_200_000
    assert "1,800 columns are not drawn here" in page
    assert page.count("<article") == 200


def test_a_clean_report_has_no_list_of_violations(report_document: MakeReport) -> None:
    page = report_html(report_document(3, moved=0))

    assert "What changed, in words" not in page
    assert "Nothing is outside its limits, but of 5 checks 1 could not be decided." in page


def test_a_report_of_the_first_keys_alone_is_drawn() -> None:
    page = report_html({"version": 1, "monitor": "churn", "kind": "bias", "status": "Failed"})

    assert "The run failed." in page
    assert "bias report of" in page


def test_a_check_that_failed_is_told_as_our_fault() -> None:
    failed = {
        "outcome": "failed",
        "subject": "age",
        "measure": "ks",
        "sentence": "ks raised ZeroDivisionError",
    }

    assert "ks raised ZeroDivisionError" in report_html({"verdicts": [failed]}).split("Could not be run")[1]


def test_a_baseline_shows_what_was_learned(baseline_document: Callable[[int], Document]) -> None:
    text = Page(baseline_html(baseline_document(4))).text

    assert "A data-quality baseline of 27,004 rows: 4 columns and 5 constraints." in text
    assert "c0: at least 98 % of values are present" in text
    assert "98.1 % were present in 27,004 rows" in text
    assert "no column is missing" in text
    assert "facets: origin EWR" in text


def test_a_baseline_of_many_columns_stays_bounded(baseline_document: Callable[[int], Document]) -> None:
    page = baseline_html(baseline_document(1000))

    assert len(page.encode()) < 700_000
    assert "800 columns are not drawn here" in page


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(theme: str) -> None:
    sheet = files("watchkeep.views").joinpath("templates/look.css").read_text(encoding="utf-8")
    found = re.search(rf"macro {theme}\(\) %}}(.*?){{%", sheet)
    assert found
    colours = {name: luminance(value) for name, value in re.findall(r"--([\w-]+):#(\w+)", found.group(1))}
    pairs = [("ink", "bg"), ("soft", "bg"), ("ink", "panel"), ("soft", "panel"), ("out", "bg"), ("win", "bg")]
    pairs += [("bad", "bg"), ("warn", "bg"), ("good", "bg")]
    pairs += [(name, f"{name}-bg") for name in ("bad", "warn", "fault", "good")]

    for front, back in pairs:
        light, dark = max(colours[front], colours[back]), min(colours[front], colours[back])
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back)
