import re
from collections.abc import Callable

import pytest
from tests.unit.views.page import HOSTILE, Page

from watchkeep.views.html import report_html, watch_html

Document = dict[str, object]
MakeReport = Callable[..., Document]


def test_the_decision_is_the_headline_and_limits_come_second(
    report_document: MakeReport, decision_document: MakeReport
) -> None:
    text = Page(report_html(report_document() | {"decision": decision_document([0.01, 5])})).text

    assert (
        "▲ Changed dep_time (other share of missing values), since 2013-02-07 00:00 UTC (2 windows)."
        " ▲ dep_time, origin and air_time are outside their limits." in text
    )
    for part in (
        "Evidence 5 ; a window rings at 1 · since 2013-02-07 00:00 UTC (2 windows) · 2 windows, 1 alarm",
        "The budget: at most one unchanged window in 1,000 rings",
        "▲ origin other shares of its categories 20 %",
        "origin % of rows 6.5 3.7",
        "dep_time and air_time sd 0.16 0.08",
    ):
        assert part in text


def test_a_decision_on_a_window_by_itself_has_a_gauge_and_no_history(
    report_document: MakeReport, decision_document: MakeReport
) -> None:
    page = report_html(report_document(4, moved=0) | {"decision": decision_document()})
    text = Page(page).text

    assert "✓ Not changed The evidence is 2 % of what it takes to ring." in text
    assert "This window was judged by itself" in text
    assert "at most one unchanged window in 1,000 rings" in text  # the budget of the check
    assert "these shares are mostly chance" in text
    assert "The evidence is 0.02; a window is worth a look from 0.1 on, and rings at 1" in page
    assert "this window" not in text


def test_the_levels_are_told_to_those_who_do_not_see_them(
    report_document: MakeReport, decision_document: MakeReport
) -> None:
    page = report_html(report_document(4) | {"decision": decision_document([0.01, 5, 0.2])})

    assert re.search(
        r'<svg [^>]*role="img" aria-label="Evidence of the last 3 windows.*?It rang in window 2 .*?">'
        r"<title>Evidence of the last 3 windows[^<]*</title><desc>From window 1 [^<]*</desc>",
        page,
    )


def test_what_people_did_is_listed(decision_document: MakeReport) -> None:
    note = {"what": "acknowledged", "at": "2013-02-05T09:00:00Z", "by": "ada", "text": "sale", "after": 1}
    page = watch_html({"decision": decision_document([0.01, 5], notes=[note])})

    assert "◆ 2013-02-05 09:00 UTC, ada: acknowledged (“sale”), after 1 window" in Page(page).text


def test_a_watch_has_the_same_parts(decision_document: MakeReport) -> None:
    page = watch_html(
        {
            "version": 1,
            "kind": "watch",
            "baseline": "7249966d823a",
            "false_alarms": 0.001,
            "margin": 0.005,
            "decision": decision_document([0.01, 5]),
        }
    )

    for part in ("▲ Changed", "2 windows, 1 alarm", "7249966d823a", "0.005 standard deviations", "Evidence"):
        assert part in Page(page).text
    assert Page(page).open == []


@pytest.mark.parametrize("document", [{}, {"decision": None}, {"decision": {}, "margin": "x"}])
def test_a_watch_that_has_seen_nothing_says_so(document: Document) -> None:
    assert "It has seen no window yet." in Page(watch_html(document)).text


def test_four_hundred_windows_make_a_light_page(
    report_document: MakeReport, decision_document: MakeReport
) -> None:
    plain = report_html(report_document(10))
    page = report_html(report_document(10) | {"decision": decision_document([0.3, 5.0] * 200)})

    assert len(page) - len(plain) < 40_000
    assert page.count("▲</span>") < 80


def test_no_text_of_a_decision_can_add_an_element(decision_document: MakeReport) -> None:
    def page(by: str) -> Page:
        note = {"what": by, "at": by, "by": by, "text": by, "after": 1}
        decision = decision_document(
            [0.01, 5],
            sentence=f"Changed: {by}",
            named=[by],
            changes={by: by},
            evidence={by: 0.5},
            detectable={"1": {by: 0.1}},
            since=by,
            notes=[note],
        )
        return Page(watch_html({"baseline": by, "decision": decision}))

    assert page(HOSTILE).tags == page("plain").tags
    assert page(HOSTILE).attributes == page("plain").attributes
