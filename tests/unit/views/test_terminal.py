import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from watchkeep.views.terminal import print_baseline, print_report

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
