import re
from collections.abc import Callable

from tests.unit.views.answers import extras, quality, report

from watchkeep.views.notebook import baseline_fragment, report_fragment

Document = dict[str, object]
MakeReport = Callable[..., Document]


def test_every_rule_is_confined_to_the_section(report_document: MakeReport) -> None:
    sheets = re.findall(r"<style>(.*?)</style>", report_fragment(report_document()), re.DOTALL)
    rules = re.sub(r"@media[^{]*\{", "", sheets[0])
    selectors = [part.strip(" }\n") for rule in re.findall(r"([^{}]+)\{", rules) for part in rule.split(",")]

    assert len(selectors) > 50
    assert all(re.match(r"(\S+ )?\.wk(\b|\.)", selector) for selector in selectors), selectors


def test_it_runs_nothing_and_names_what_it_left_out(report_document: MakeReport) -> None:
    html = report_fragment(report_document(30, moved=20))

    assert "<script" not in html
    assert html.count("<article") == 12
    assert "18 more columns not drawn here" in html


def test_hostile_names_stay_text(report_document: MakeReport) -> None:
    html = report_fragment(report_document(stem="</style></section><script>alert(1)</script>"))

    assert "<script" not in html
    assert html.count("</section>") == html.count("</style>") == 1


def test_a_clean_report_is_a_few_lines(report_document: MakeReport) -> None:
    html = report_fragment(report_document(5, moved=0))

    assert "5 columns not drawn here" in html
    assert "<article" not in html


def test_a_decision_is_the_headline_and_brings_its_evidence(
    report_document: MakeReport, decision_document: MakeReport
) -> None:
    html = report_fragment(report_document(5, moved=0) | {"decision": decision_document([0.01, 5])})

    assert "</span> Changed</h1>" in html
    assert "Evidence of the last 2 windows" in html
    assert "<script" not in html


def test_a_baseline_shows_its_first_columns(baseline_document: Callable[[int], Document]) -> None:
    html = baseline_fragment(baseline_document(15))

    assert html.count("<article") == 12
    assert "3 more columns not drawn here" in html


def test_answers_are_drawn_whole_and_without_an_id_that_two_cells_would_share() -> None:
    html = report_fragment(report(quality() | extras()))

    for part in ("Quality", "Where it fails", "Segments", "Answers by label", "Scores", "Labels"):
        assert f"<h2>{part}</h2>" in html
    assert " id=" not in html
