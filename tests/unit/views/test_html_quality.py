import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.views.answers import baseline, extras, quality, report, segment, verdict
from tests.unit.views.conftest import Document
from tests.unit.views.page import HOSTILE, Page

from watchkeep.views.html import baseline_html, report_html
from watchkeep.views.notebook import baseline_fragment, report_fragment


def test_every_part_is_drawn_in_words() -> None:
    text = Page(report_html(report(quality() | extras()))).text

    for part in (
        "The model answers 0 or 1; 1 is the positive class",
        "accuracy 0.7802 ± 0.0074 0.8014 ≥ 0.7764",
        "Always answering the most frequent class would reach accuracy 0.632.",
        "1 more measure",
        "x > 3 6.4 % of rows, x > 3, carry 41 % of the rise of errors worse than in the baseline; 255 rows",
        "▼ worse than all rows young age < 30 255 0.494 ± 0.020 was 0.790",
        "1 1,472 rows 38.5 % 567 was 34 % 61.5 % 905 was 66 %",
        "ROC curve ↑ true positive rate",
        "ROC AUC 0.8672 0.8571 to 0.8781 0.8391 outside the band",
        "1 more estimate",
        "Confidence below 0.6: 612 rows (12.2 % of all), listed in x > 3.",
        "The model's sets or intervals held 87.1 %",
        "Answers with a label 80 %",
        "Labels came after 2.2 days",
    ):
        assert part in text, part


def test_parts_that_are_not_told_are_not_drawn() -> None:
    text = Page(report_html(report())).text

    for part in ("Where it fails", "Estimated without labels", "How sure the model was", "Labels came after"):
        assert part not in text


def test_a_search_that_found_nothing_is_told() -> None:
    told = quality(found=[], searched=4000)

    assert "Where it fails A search of 4,000 labelled rows" in Page(report_html(report(told))).text


def test_a_report_of_columns_carries_nothing_of_it() -> None:
    page = report_html({"version": 1, "kind": "data-quality", "status": "Completed"})

    assert "wk-meas" not in page
    assert "Quality" not in page


def test_charts_are_told_to_those_who_do_not_see_them() -> None:
    page = report_html(report())

    assert re.search(
        r'<svg [^>]*role="img" aria-label="ROC curve of the window and the baseline\. At a false positive rate[^"]*">'
        r"<title>ROC curve[^<]*</title><desc>At a false[^<]*</desc>",
        page,
    )
    assert 'role="img" aria-label="0.7802, band 0.7654 to 0.7951; baseline 0.8014; limit 0.7764"' in page


@pytest.mark.parametrize("draw", [report_html, report_fragment])
def test_no_class_segment_or_file_can_add_an_element(draw: object) -> None:
    def page(text: str) -> Page:
        told = quality((text, text + "1")) | extras(text)
        told["segments"] = [segment(text, text + "!", 300, 0.3)]
        told["problem"] = text if text == "plain" else HOSTILE
        out = verdict("accuracy", 0.49, 0.6, "violated", subject=text)
        assert callable(draw)
        return Page(draw(report(told, [out])))

    assert page(HOSTILE).tags == page("plain").tags
    assert page(HOSTILE).attributes - {"title"} <= page("plain").attributes
    assert page(HOSTILE).open == []


@settings(deadline=None)  # the first example compiles the templates
@given(st.text(st.characters(codec=None), min_size=1, max_size=60))
def test_no_name_of_a_class_can_add_an_element(name: str) -> None:
    page = report_html(report(quality((name, name + "1"))))

    assert Page(page).tags == Page(report_html(report())).tags
    assert page.encode()


def test_a_baseline_shows_how_good_the_answers_were() -> None:
    page = baseline_html(baseline())
    text = Page(page).text

    assert "the model answers 0 or 1 with accuracy 0.78 and ROC AUC 0.839; 1 constraint." in text
    assert "accuracy 0.7802 ± 0.0074 ≥ 0.7764" in text
    assert "What it promises, and why" in text
    assert "young age < 30" in text
    assert "ROC curve of the baseline" in page
    assert "accuracy 0.7802 ± 0.0074" in Page(baseline_fragment(baseline())).text


def test_without_labels_estimates_come_first_and_no_curve_of_the_baseline_alone() -> None:
    page = report_html(report(quality(labelled=0, unlabelled=5000) | extras()))

    assert page.index("Estimated without labels") < page.index("<h2>Quality</h2>")
    assert "ROC curve" not in page


def test_a_page_of_answers_is_light() -> None:
    curve = {"x": [i / 200 for i in range(201)], "y": [(i / 200) ** 0.5 for i in range(201)]}
    told = (
        quality(roc=curve, precision_recall=curve, before={"roc": curve, "precision_recall": curve})
        | extras()
    )

    assert len(report_html(report(told)).encode()) < 80_000


def test_a_thousand_classes_and_segments_make_a_bounded_page() -> None:
    names = [f"class {i}" for i in range(300)]
    table = {one: dict.fromkeys(names, 1.0) for one in names}
    segments = [segment(f"s{i}", f"x = {i}", 100, 0.5) for i in range(1000)]
    found = [{"rule": f"x = {i}", "sentence": "bad"} for i in range(1000)]
    told: Document = quality(confusion=table, classes=names, segments=segments, found=found)
    page = report_html(report(told))

    assert len(page.encode()) < 200_000
    assert "960 more segments" in page
    assert "Of 300 classes, the commonest wrong answers." in page


def test_every_rule_is_confined_to_the_section_of_a_notebook() -> None:
    sheet = re.findall(r"<style>(.*?)</style>", report_fragment(report()), re.DOTALL)[0]
    rules = re.sub(r"@media[^{]*\{", "", sheet)
    selectors = [part.strip(" }\n") for rule in re.findall(r"([^{}]+)\{", rules) for part in rule.split(",")]

    assert "wk-meas" in sheet
    assert all(re.match(r"(\S+ )?\.wk(\b|\.)", selector) for selector in selectors), selectors
