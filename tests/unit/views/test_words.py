from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.views.words import (
    clip,
    compact,
    figure,
    headline,
    listing,
    moment,
    number,
    percent,
    span,
    visible,
    why,
)


@given(st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=30))
def test_no_figure_ever_reads_nan_or_infinity(value: object) -> None:
    if not isinstance(value, str):
        assert "nan" not in figure(value).lower()
        assert "inf" not in figure(value).lower()


@given(st.floats(-1e300, 1e300))
def test_a_number_read_back_is_within_its_digits(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=1e-3, abs=5e-324)


@given(st.floats(-1e15, 1e15))
def test_a_compact_number_is_short(value: float) -> None:
    assert len(compact(value)) <= len("-1.23e-103")


@given(st.floats(0, 1))
def test_only_nothing_reads_zero_percent_and_only_everything_reads_a_hundred(share: float) -> None:
    assert (percent(share) == "0 %") == (share == 0)
    assert (percent(share) == "100 %") == (share == 1)


@given(st.text(), st.integers(1, 50))
def test_clipped_text_is_short_and_can_be_written_to_a_file(text: str, limit: int) -> None:
    shown = clip(text, limit)

    assert len(shown.encode()) <= 4 * limit


def test_what_hides_is_spelled_out_and_what_does_not_stays() -> None:
    assert visible("a\x00b\u202ec\ud800d\U000e0041") == "a\\x00b\\u202ec\\ud800d\\ue0041"
    assert visible("Straße naïve 日本 👩‍🚀") == "Straße naïve 日本 👩‍🚀"


@pytest.mark.parametrize(
    ("value", "reason"),
    [({"undefined": "too few"}, "too few"), (nan, "the file holds no finite number"), (3, None), ("x", None)],
)
def test_a_number_that_is_missing_says_why(value: object, reason: str | None) -> None:
    assert why(value) == reason


@pytest.mark.parametrize(("value", "shown"), [(10**400, "–"), (inf, "–"), ([1, [2]], "1, 2"), (None, "–")])
def test_odd_values_have_a_figure(value: object, shown: str) -> None:
    assert figure(value) == shown


def test_a_long_object_is_cut() -> None:
    assert figure({str(i): i for i in range(20)}).endswith("11 11, …")


def test_a_time_without_a_zone_is_utc_and_no_time_stays_text() -> None:
    assert moment("2026-01-02T05:04:05+02:00") == moment("2026-01-02T03:04:05") == "2026-01-02 03:04 UTC"
    assert moment("yesterday") == "yesterday"
    assert moment(None) == "–"
    assert moment("0001-01-01T00:00:00+05:00") == "0001-01-01T00:00:00+05:00"


def test_a_window_open_on_one_side_says_so() -> None:
    assert span("2026-01-02", None) == "from 2026-01-02 00:00 UTC"
    assert span(None, "2026-01-02") == "until 2026-01-02 00:00 UTC"


def test_names_in_a_sentence_are_cut() -> None:
    assert len(listing(["x" * 10_000] * 5)) < 150
    assert listing([]) == ""


KEPT = {"kept": 3, "violated": 0, "undecided": 0, "failed": 0}


@pytest.mark.parametrize(
    ("status", "subjects", "outcomes", "sentence"),
    [
        ("Completed", [], KEPT, "Nothing is outside its limits: all 3 checks were kept."),
        ("Completed", [], {"kept": 1}, "Nothing is outside its limits: the one check was kept."),
        ("CompletedWithViolations", ["a"], KEPT | {"violated": 1}, "a is outside its limits."),
        (
            "CompletedWithViolations",
            ["dataset", "a"],
            KEPT,
            "The dataset as a whole and a are outside their limits.",
        ),
        ("CompletedWithViolations", [], KEPT | {"violated": 1}, "1 of 4 checks was violated."),
        ("Failed", [], KEPT | {"failed": 2}, "The run failed; 2 checks could not be run."),
        ("Completed", [], {"undecided": 2}, "Nothing could be decided: 2 checks had too little to go by."),
        (
            "Completed",
            [],
            KEPT | {"failed": 1, "undecided": 2},
            "Nothing is outside its limits, but of 6 checks 1 could not be run and 2 could not be decided.",
        ),
    ],
)
def test_the_headline_says_what_happened(
    status: str, subjects: list[str], outcomes: dict[str, int], sentence: str
) -> None:
    assert headline(status=status, subjects=subjects, outcomes=outcomes) == sentence


def test_a_window_without_rows_is_told_as_such() -> None:
    assert (
        headline(status="Completed", subjects=[], outcomes={}, analysed=0) == "There was no row to look at."
    )
