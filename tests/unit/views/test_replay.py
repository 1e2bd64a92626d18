"""Replays in a terminal: every window while they are few, those that say something when they are many."""

import io
from collections.abc import Mapping
from typing import Any

import pytest
from rich.console import Console

from watchkeep.views.replay import print_replay


def window(day: int, **decision: object) -> dict[str, Any]:
    start = f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}T00:00:00Z"
    return {
        "window": {"start": start, "end": None},
        "rows": {"analysed": 1_000 + day, "rejected": {}},
        "violations": decision.pop("violations", []),
        "decision": {
            "level": 0.001,
            "alarm": False,
            "warning": False,
            "open": None,
            "named": [],
            "since": None,
            **decision,
        },
    }


def printed(document: Mapping[str, object], *, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=100)
    print_replay(document, console, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_alarm_tells_what_changed_and_since_when() -> None:
    rang = window(5, alarm=True, level=12.5, since="2024-01-04T00:00:00Z", named=["income", "age"])
    text = printed({"states": "s", "windows": [window(4), rang], "alarms": 1, "violated": 0})

    assert "Of 2 windows it rang in 1, and limits were violated in none." in text
    (line,) = (line for line in text.splitlines() if line.startswith("2024-01-06"))
    assert "rings: income and age, since 2024-01-04" in line
    assert "1,005" in line
    assert "12" in line


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"warning": True}, "worth a look"),
        ({"open": "2024-01-02"}, "changed before"),
        ({"outcome": "too little data to tell"}, "too little data to tell"),
        (
            {"outcome": "too little data to tell", "violations": [{"subject": "age"}]},
            "too little data to tell; outside its limits: age",
        ),
        ({"violations": [{"subject": "age"}, {"subject": "age"}]}, "outside its limits: age"),
        ({"open": "x", "violations": [{"subject": "age"}]}, "changed before; outside its limits: age"),
        (
            {"alarm": True, "since": "2024-01-02T05:00:00Z"},
            "rings: no column by itself, since 2024-01-02 05:00",
        ),
    ],
)
def test_each_answer_has_its_words(decision: dict[str, object], said: str) -> None:
    assert said in printed({"windows": [window(3, **decision)]})


def test_of_many_windows_only_those_that_say_something_are_shown() -> None:
    many = {"windows": [window(day, warning=day == 70) for day in range(100)]}

    text = printed(many)

    assert "and 99 windows more" in text
    assert "worth a look" in text
    assert printed(many, verbose=True).count("1,0") == 100


def test_what_is_missing_and_what_was_rejected_is_told() -> None:
    gap = {"start": "2024-01-01T05:00:00Z", "end": "2024-01-01T07:00:00Z"}
    text = printed(
        {
            "window": {"start": "2024-01-01T00:00:00Z", "end": "2024-02-01T00:00:00Z"},
            "hours": {"stored": 700, "missing": [gap] * 7},
            "limits": "other.json",
            "beside": {"timestamp is missing": 12},
        }
    )

    assert "2024-01-01 00:00 to 2024-02-01 00:00 UTC" in text
    assert "700 hours stored" in text
    assert text.count("missing: 2024-01-01 05:00 to 2024-01-01 07:00 UTC") == 5
    assert "and 2 stretches more" in text
    assert "other.json" in text
    assert "12 rows of no known hour, which only longer windows count: timestamp is missing" in text


@pytest.mark.parametrize("document", [{}, {"windows": [{}]}, {"windows": 3, "hours": [], "beside": None}])
def test_a_document_that_lacks_everything_is_printed_all_the_same(document: dict[str, object]) -> None:
    assert "it rang in none" in printed(document)


def test_files_of_which_only_longer_windows_tell_are_named() -> None:
    text = printed({"states": "s", "windows": [], "skipped": {"a.parquet": "no footer", "b.parquet": "too"}})

    assert (
        "2 files that could not be read, which only longer windows tell: a.parquet and b.parquet"
        in " ".join(text.split())
    )
