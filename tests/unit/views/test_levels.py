import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.views.charts import WIDTH
from watchkeep.views.decisions import Decided
from watchkeep.views.levels import TALL, Levels, gauge_of, height, levels_of, spark

Document = dict[str, object]
MakeDecision = Callable[..., Document]
NOTE = {"what": "acknowledged", "at": "2013-02-05T09:00:00Z", "by": "ada", "text": "known"}


def read(document: Document) -> Decided:
    decided = Decided.of(document)
    assert decided is not None
    return decided


def chart(document: Document) -> Levels:
    found = levels_of(read(document))
    assert found is not None
    return found


def test_bars_are_told_apart_by_what_their_level_means(decision_document: MakeDecision) -> None:
    found = chart(decision_document([0.01, 0.1, 0.99, 1.0, 50]))

    assert [path.count("M") for path in (found.calm, found.watched, found.rang)] == [1, 2, 2]
    assert [mark.label for mark in found.alarms] == [
        "window 4 (2013-02-04 00:00 UTC) rang",
        "window 5 (2013-02-05 00:00 UTC) rang",
    ]


def test_a_window_with_too_little_data_has_a_mark_and_no_bar(decision_document: MakeDecision) -> None:
    document = decision_document([0.01, 0.01])
    history = document["history"]
    assert isinstance(history, list)
    history[0]["why"] = "a window needs 5 rows, has 2"
    found = chart(document)

    assert found.blank == "M2 120v-3h16v3z"
    assert found.calm.count("M") == 1
    assert "1 window with too little data." in found.details


def test_an_open_alarm_is_shaded_from_the_window_that_rang(decision_document: MakeDecision) -> None:
    levels = [0.01, 3.0, 0.01, 0.01]

    assert chart(decision_document(levels, open="k")).open == "M20 0h60V120h-60z"
    assert chart(decision_document(levels, open=None)).open == ""
    assert chart(decision_document([0.01, 3.0])).open == ""  # the alarm is this window's


def test_notes_stand_after_the_windows_there_were(decision_document: MakeDecision) -> None:
    notes = [NOTE | {"after": after} for after in (1, 2, 9)]
    found = chart(decision_document([0.01, 0.01], notes=notes))

    assert found.notes == f"M20 0V{TALL}M40 0V{TALL}"  # the one of later windows is not in view
    assert [mark.label for mark in found.noted] == ["acknowledged by ada"] * 2


def test_notes_before_the_first_window_that_is_listed_are_out_of_view(
    decision_document: MakeDecision,
) -> None:
    document = decision_document([0.01, 0.01])
    document["history"] = [{"number": at, "level": 0.1} for at in (500, 501)]
    document["notes"] = [NOTE | {"after": after} for after in (3, 501)]

    assert chart(document).notes == f"M20 0V{TALL}"


def test_the_chart_in_words_names_the_alarms_and_the_present_window(decision_document: MakeDecision) -> None:
    found = chart(decision_document([0.02, 4.0, 0.3], dated=False))

    assert found.label == "Evidence of the last 3 windows, on a logarithmic scale"
    assert found.details == (
        "From window 1 to window 3. A window is worth a look from 0.1 on, and rings at 1."
        " It rang in window 2. 1 window worth a look. This window has 0.3."
    )
    assert "None rang." in chart(decision_document([0.02])).details


@pytest.mark.parametrize("n", [1, 5, 29, 31, 77, 400])
def test_ticks_keep_clear_of_each_other_and_end_at_the_present(
    decision_document: MakeDecision, n: int
) -> None:
    ticks = chart(decision_document([0.01] * n)).ticks
    gaps = [b.at - a.at for a, b in pairwise(ticks)]

    assert ticks[-1].label == "this window"
    assert all(gap >= 24 for gap in gaps)


def test_hours_of_one_day_are_told_by_the_hour(decision_document: MakeDecision) -> None:
    document = decision_document([0.01] * 20)
    document["history"] = [
        {"number": at, "start": f"2013-02-01T{at:02}:00:00Z", "level": 0.1} for at in range(20)
    ]

    assert chart(document).ticks[0].label == "00:00"


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=500))
def test_every_bar_stays_within_the_box(levels: list[float]) -> None:
    history = [{"number": at, "level": one, "alarm": one >= 1} for at, one in enumerate(levels)]
    found = chart({"outcome": "changed", "open": "k", "level": levels[-1], "history": history})

    for path in (found.calm, found.watched, found.rang, found.present, found.open):
        for x, width in re.findall(r"M([\d.]+) [^h]*h([\d.]+)", path):
            assert 0 <= float(x) <= float(x) + float(width) <= WIDTH + 0.2
        assert all(0 <= float(y) <= TALL for y in re.findall(r"V([\d.]+)", path))
    assert sum(path.count("M") for path in (found.calm, found.watched, found.rang)) == len(levels)
    assert len(found.alarms) <= 64


@given(st.floats(0, 1e12), st.floats(0, 1e12))
def test_more_evidence_never_stands_lower(a: float, b: float) -> None:
    assert height(min(a, b)) <= height(max(a, b))


def test_a_window_by_itself_has_a_gauge(decision_document: MakeDecision) -> None:
    decided = read(decision_document(level=0.1))

    assert levels_of(decided) is None
    assert gauge_of(decided).length == pytest.approx(33.3)
    assert "0.1" in gauge_of(decided).label


def test_a_line_of_blocks_keeps_the_last_windows_and_dots_the_empty(decision_document: MakeDecision) -> None:
    document = decision_document([0.0001, 0.01, 0.1, 0.5, 2])
    history = document["history"]
    assert isinstance(history, list)
    history[3]["why"] = "a window needs 5 rows, has 0"

    assert spark(read(document), most=9) == "▁▃▅·█"
    assert spark(read(document), most=2) == "·█"
