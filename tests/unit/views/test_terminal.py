import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from watchkeep.views.terminal import print_baseline, print_report, print_watch

Document = dict[str, object]
MakeReport = Callable[..., Document]


def printed(document: Document, *, width: int = 80, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_report(document, console, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_it_says_what_happened_to_which_rows_and_why(report_document: MakeReport) -> None:
    output = printed(report_document())

    for part in (
        "dep_time, origin and air_time are outside their limits.",
        "933 read, 930 analysed",
        "3 rejected: timestamp is missing",
        "2013-02-08 00:00 to 2013-02-09 00:00 UTC",
        "1.  dep_time: 50 % of values are missing (baseline 1.9 %)",
        "Violations (3)",
        "1  ks needs 30 values, has 0 (feature_23)",
    ):
        assert part in output
    assert "\x1b" not in output  # a file gets plain text


def test_violations_stand_by_severity(report_document: MakeReport) -> None:
    table = printed(report_document()).split("Violations")[1]

    assert table.index("dep_time") < table.index("origin") < table.index("air_time")


def test_user_text_is_never_markup() -> None:
    cause = {"subject": "x", "sentence": "[bold]a[/bold] [link=https://x]b[/link] :smile: \x1b[31m"}

    assert "[bold]a[/bold] [link=https://x]b[/link] :smile: \\x1b[31m" in printed(
        {"causes": [cause]}, width=120
    )


def test_all_measures_are_listed_when_asked_for(report_document: MakeReport) -> None:
    output = printed(report_document(3), verbose=True)

    assert output.count("linf_robust") == 3
    assert "false alarms accepted  0.1 %" in output
    assert "0.84 s in all" in output
    assert "linf_robust" not in printed(report_document(3))


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("stem", ["", "日本" * 40, "x" * 10_000, "[red]"])
def test_no_line_is_wider_than_the_terminal(report_document: MakeReport, width: int, stem: str) -> None:
    output = printed(report_document(12, moved=4, stem=stem), width=width, verbose=True)

    assert max(cell_len(line) for line in output.splitlines()) <= width


@settings(deadline=None)  # the first example imports much of rich
@given(st.text(st.characters(codec=None), min_size=1, max_size=90))
def test_no_name_breaks_the_width_or_the_encoding(report_document: MakeReport, name: str) -> None:
    output = printed(report_document(3, moved=1, stem=name))

    assert max(cell_len(line) for line in output.splitlines()) <= 80
    assert output.encode()


def test_many_violations_are_cut_and_counted(report_document: MakeReport) -> None:
    output = printed(report_document(300, moved=200))

    assert "Violations (200)" in output
    assert "and 150 verdicts more" in output
    assert len(output.splitlines()) < 200


def test_a_baseline_tells_its_columns_and_constraints(baseline_document: Callable[[int], Document]) -> None:
    console = Console(file=io.StringIO(), width=80)
    print_baseline(baseline_document(4), console, verbose=True)
    assert isinstance(console.file, io.StringIO)
    output = console.file.getvalue()

    assert output.startswith("A data-quality baseline of 27,004 rows: 4 columns and 5 constraints.")
    assert "520 (1.9 %)" in output
    assert "c3: at least 98 % of values are present" in output
    assert max(map(cell_len, output.splitlines())) <= 80


def watched(document: Document, *, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_watch(document, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_decision_comes_first_and_the_evidence_in_a_few_lines(
    report_document: MakeReport, decision_document: MakeReport
) -> None:
    lines = printed(report_document() | {"decision": decision_document([0.01, 0.2, 5])}, width=100)
    told = [line.rstrip() for line in lines.splitlines()]

    assert told[1].startswith("▲ Changed: dep_time (other share of missing values)")
    assert told[2] == "▲ Completed with violations: dep_time, origin and air_time are outside their limits."
    start = told.index("Evidence")
    assert told[start + 1 : start + 8] == [
        "Level        ▃▅█ 5; rings at 1",
        "Changed      dep_time, other share of missing values: 70 % of the evidence",
        "             origin, other shares of its categories: 20 % of the evidence",
        "Since        2013-02-07 00:00 UTC (2 windows)",
        "Seen within  0.16 / 0.08 sd in 1 / 7 windows: dep_time and air_time",
        "             6.5 / 3.7 % of rows in 1 / 7 windows: origin",
        "Budget       at most one unchanged window in 1,000 rings",
    ]


def test_a_window_by_itself_has_a_level_and_no_line_of_blocks(
    report_document: MakeReport, decision_document: MakeReport
) -> None:
    output = printed(report_document(3, moved=0) | {"decision": decision_document()})

    assert "✓ Not changed: the evidence is 2 % of what it takes to ring." in output
    assert "Level        0.02; rings at 1" in output
    assert "Mostly" not in output  # of so little evidence the shares are chance


def test_suspicious_evidence_says_whose_it_mostly_is(decision_document: MakeReport) -> None:
    assert "Mostly  dep_time: 70 % of the evidence" in watched(
        {"decision": decision_document([0.3], warning=True, detectable={})}
    )


def test_a_watch_tells_its_open_alarm_and_what_people_did(decision_document: MakeReport) -> None:
    note = {"what": "acknowledged", "at": "2013-02-05T09:00:00Z", "by": "[b]ada", "text": "sale", "after": 1}
    decision = decision_document([5, 0.01], dated=False, outcome="changed", open="k", notes=[note])
    output = watched(
        {"baseline": "7249966d823a", "false_alarms": 0.01, "margin": 0.005, "decision": decision}
    )

    for part in (
        "2 windows, 1 alarm",
        "7249966d823a",
        "at most one unchanged window in 100 rings",
        "Still        dep_time: 70 % of the evidence",
        "open since window 1",
        "2013-02-05 09:00 UTC, [b]ada, acknowledged: sale",
    ):
        assert part in output


def test_a_watch_that_has_seen_nothing_says_so() -> None:
    assert watched({"decision": None}).splitlines() == ["watch", "It has seen no window yet."]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", ["x" * 10_000, "日本" * 40])
def test_no_line_of_a_watch_is_wider_than_the_terminal(
    decision_document: MakeReport, width: int, name: str
) -> None:
    decision = decision_document(
        [0.01] * 399 + [5], named=[name], evidence={name: 1.0}, changes={name: "mean"}
    )
    output = watched({"decision": decision | {"sentence": f"Changed: {name}."}}, width=width)

    assert max(cell_len(line) for line in output.splitlines()) <= width
