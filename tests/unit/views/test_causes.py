"""Causes, read from any document."""

from watchkeep.views.causes import causes_of


def test_a_cause_has_its_share_its_bug_and_its_chart() -> None:
    (told,) = causes_of(
        [
            {
                "subject": "wait",
                "sentence": "wait: values are 60 times what they are",
                "share": 0.75,
                "pattern": "unit change",
                "severity": 3.0,
                "checks": ["range_check"],
                "chart": "monitors/data/report.html#column-wait",
            }
        ],
        whole_is_told=False,
    )
    assert (told.share, told.width, told.pattern) == ("75 %", 75.0, "unit change")
    assert told.chart == "monitors/data/report.html#column-wait"


def test_where_no_share_is_known_bars_are_of_severity() -> None:
    found = causes_of(
        [{"subject": "a", "severity": 4.0}, {"subject": "b", "severity": 1.0}], whole_is_told=False
    )
    assert [(one.share, one.width) for one in found] == [("", 100.0), ("", 25.0)]


def test_a_chart_leads_to_our_pages_and_nowhere_else() -> None:
    for place in ("javascript:alert(1)", "http://evil.example/#x", "../../x#y", '#a"onmouseover="b', "//x#y"):
        (told,) = causes_of([{"subject": "a", "chart": place}], whole_is_told=False)
        assert told.chart == ""


def test_whatever_is_missing_or_of_another_type_reads_as_absent() -> None:
    for damaged in (None, 3, "x", [1, "y"], [{"share": "much", "severity": None, "checks": 3, "chart": 7}]):
        assert len(causes_of(damaged, whole_is_told=True)) <= 1
