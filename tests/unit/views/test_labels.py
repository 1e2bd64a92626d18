from tests.unit.views.answers import extras

from watchkeep.views.labels import Labels, labels_of
from watchkeep.views.unlabelled import coverage_of, unsure_of
from watchkeep.views.values import mapping


def read(**other: object) -> Labels:
    told = labels_of({**mapping(extras()["join"]), **other})
    assert told is not None
    return told


def test_every_label_is_accounted_for() -> None:
    assert read().facts == [
        (
            "Answers with a label",
            "80 %",
            ("4,000 of 5,000 answers", "1 answer left out: a later one has the same id"),
        ),
        (
            "Labels",
            "4,018",
            ("9 labels repeated by a later one", "4 labels corrected by a later one", "5 rejected: x > 3"),
        ),
        ("Without a partner", "1,000 answers", ("3 labels", "2 labels without an id")),
        (
            "Labels came after",
            "2.2 days",
            (
                "half of them sooner, half later",
                "95 % within 6 days",
                "the last after 12 days",
                "3 before the answer: a clock is wrong",
            ),
        ),
    ]


def test_no_rate_says_why_and_no_delay_says_nothing() -> None:
    told = read(match_rate={"undefined": "match rate needs 1 prediction, has 0"}, delay=None)

    assert told.rate == "–"
    assert "match rate needs 1 prediction, has 0" in told.facts[0][2]
    assert len(told.facts) == 3


def test_a_delay_that_nobody_knows_says_why() -> None:
    assert read(delay={"undefined": "no event time"}).facts[-1] == (
        "Labels came after",
        "–",
        ("no event time",),
    )


def test_labels_that_stood_beside_the_answers_have_no_account() -> None:
    assert labels_of(None) is None


def test_doubt_is_told_with_where_its_rows_are_listed() -> None:
    told = unsure_of(extras("list.csv")["uncertain"])

    assert told is not None
    assert told.sentence == "Confidence below 0.6: 612 rows (12.2 % of all), listed in list.csv."
    assert dict(told.means)["entropy in bits"] == "0.301"
    only = unsure_of({"confidence": 0.8})
    assert only is not None
    assert only.sentence == ""
    plain = unsure_of({"rows": 1})
    assert plain is not None
    assert plain.sentence == "Least sure of: 1 row."


def test_coverage_below_what_was_asked_for_is_marked() -> None:
    short, enough = (
        coverage_of(extras()["coverage"]),
        coverage_of({"asked": 0.9, "value": 0.89, "error": 0.01}),
    )

    assert short is not None
    assert short.short
    assert short.sentence == (
        "The model's sets or intervals held 87.1 % ± 0.53 % of the labels; 90 % was asked for; in the baseline 90.2 %."
    )
    assert enough is not None
    assert not enough.short


def test_coverage_without_labels_says_why() -> None:
    told = coverage_of({"asked": 0.9, "value": {"undefined": "coverage needs 1 labelled row, has 0"}})

    assert told is not None
    assert told.sentence.endswith("is not known: coverage needs 1 labelled row, has 0.")
