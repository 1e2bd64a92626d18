from collections.abc import Callable

import pytest

from watchkeep.alarms.decision import FEATURES, Decision, Outcome
from watchkeep.formats.decisions import decision_document as decision_document_of
from watchkeep.views.decisions import HEADS, Decided, strength
from watchkeep.views.detectable import detectable_of, explained

Document = dict[str, object]
MakeDecision = Callable[..., Document]


def read(document: Document, **other: object) -> Decided:
    decided = Decided.of(document | other)
    assert decided is not None
    return decided


@pytest.mark.parametrize("value", [None, {}, [], "changed", {"level": 3}])
def test_an_older_document_has_no_decision(value: object) -> None:
    assert Decided.of(value) is None


def test_the_answer_comes_apart_from_what_is_said_of_it(decision_document: MakeDecision) -> None:
    calm, rang = read(decision_document()), read(decision_document([0.01, 5]))

    assert (calm.head, calm.lead) == ("Not changed", "The evidence is 2 % of what it takes to ring.")
    assert (rang.head, rang.lead) == (
        "Changed",
        "dep_time (other share of missing values), since 2013-02-07 00:00 UTC (2 windows).",
    )


@pytest.mark.parametrize("head", HEADS)
def test_every_answer_is_known(head: str, decision_document: MakeDecision) -> None:
    assert read(decision_document(), sentence=f"{head}: x").head == head
    assert read(decision_document(), sentence=f"{head}, in x").lead == "In x"


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("alarm", [False, True])
@pytest.mark.parametrize("warning", [False, True])
def test_what_a_watch_says_comes_apart(outcome: Outcome, alarm: bool, warning: bool) -> None:
    said = Decision(
        key="k",
        digest="d",
        number=3,
        start=None,
        end=None,
        rows=9,
        outcome=outcome,
        level=0.3,
        alarm=alarm,
        warning=warning,
        open=None,
        named=("age",),
        windows=2,
        why="a window needs 5 rows, has 2",
    )
    decided = read(decision_document_of(said))

    assert decided.head in HEADS
    assert decided.lead


def test_a_sentence_that_begins_otherwise_stays_whole(decision_document: MakeDecision) -> None:
    decided = read(decision_document(), sentence="Changedly: so")

    assert (decided.head, decided.lead) == ("Changedly: so", "")


@pytest.mark.parametrize(
    ("outcome", "warning", "tone", "symbol"),
    [
        ("changed", False, "violated", "▲"),
        ("not changed", False, "kept", "✓"),
        ("not changed", True, "undecided", "△"),
        ("too little data to tell", False, "undecided", "◌"),
        ("another", False, "undecided", "◌"),
    ],
)
def test_every_outcome_has_a_colour_and_a_shape(
    outcome: str, warning: bool, tone: str, symbol: str, decision_document: MakeDecision
) -> None:
    decided = read(decision_document(), outcome=outcome, warning=warning)

    assert (decided.tone, decided.symbol) == (tone, symbol)


def test_named_columns_come_first_with_what_changed_in_them(decision_document: MakeDecision) -> None:
    decided = read(decision_document([5]), named=["air_time"], changes={"air_time": "spread", "origin": "?"})

    assert [(one.name, one.named, one.change) for one in decided.shares] == [
        ("air_time", True, "wider or narrower"),
        ("dep_time", False, ""),
        ("origin", False, "?"),
    ]  # distance, with a thousandth of the evidence, is not worth its line


def test_many_columns_are_cut_and_counted(decision_document: MakeDecision) -> None:
    decided = read(decision_document(), evidence={f"c{i}": 0.05 for i in range(20)})

    assert (len(decided.shares), decided.left) == (8, 12)


def test_an_overlong_name_is_cut_and_what_is_said_of_it_is_not(decision_document: MakeDecision) -> None:
    name = "x" * 5000
    decided = read(decision_document([5]), named=[name], sentence=f"Changed: {name} (higher or lower).")

    assert decided.sentence == f"Changed: {'x' * 47}… (higher or lower)."


def test_a_change_without_times_is_told_by_the_number_of_its_window(decision_document: MakeDecision) -> None:
    assert read(decision_document([0.1] * 6 + [5]), since="3785942b").lasting == "since window 6 (2 windows)"
    assert read(decision_document([0.1] * 6 + [5])).lasting == "since 2013-02-07 00:00 UTC (2 windows)"
    assert read(decision_document([0.1])).lasting == ""


def test_the_window_whose_alarm_is_open_is_told_until_another_rings(decision_document: MakeDecision) -> None:
    assert read(decision_document([5, 0.01, 0.01], dated=False), open="k").rang == "window 1"
    assert read(decision_document([5, 0.01])).rang == ""
    assert read(decision_document([5, 7]), open="k").rang == ""


def test_the_budget_is_the_watchs_or_that_of_the_check(decision_document: MakeDecision) -> None:
    by_itself = Decided.of(decision_document(), budget=0.01)

    assert by_itself is not None
    assert by_itself.promise == "at most one unchanged window in 100 rings"
    assert read(decision_document([0.1])).promise == "at most one unchanged window in 1,000 rings"
    assert read(decision_document()).promise == ""
    assert read(decision_document(), false_alarms=0).promise == ""


def test_damage_is_read_as_absence() -> None:
    decided = read(
        {"outcome": "changed", "level": "x", "history": [{"level": -1}, 3], "notes": [None], "named": 3}
        | {"evidence": {"a": 7}, "detectable": {"x": {"a": 1}, "1": 2}, "windows": "x", "number": None}
    )

    assert decided.sentence == decided.head == "Changed"
    assert [one.level for one in decided.history] == [0.0]
    assert [(one.name, one.share) for one in decided.shares] == [("a", 1.0)]
    assert decided.detectable == ()


def test_columns_of_which_the_same_is_seen_are_told_together() -> None:
    sizes = {"1": {"a": 0.2, "b": 0.2, "c": 0.065, "d": 0.2}, "7": {"a": 0.1, "b": 0.1, "c": 0.04}}
    horizons, rows, left = detectable_of(sizes, {"a": "numeric", "b": "numeric", "c": "categorical"})

    assert horizons == (1, 7)
    assert [(row.names, row.sizes, row.unit) for row in rows] == [
        (("a", "b"), ("0.2", "0.1"), "sd"),
        (("c",), ("6.5", "4"), "% of rows"),
        (("d",), ("0.2", "–"), ""),
    ]
    assert left == 0


def test_a_decision_that_tells_units_needs_no_charts() -> None:
    decided = Decided.of({"outcome": "changed", "detectable": {"1": {"a": 0.2, "c": 0.065}}, "parts": ["c"]})

    assert decided is not None
    assert [(row.names, row.sizes, row.unit) for row in decided.detectable] == [
        (("a",), ("0.2",), "sd"),
        (("c",), ("6.5",), "% of rows"),
    ]


def test_columns_that_differ_in_what_is_seen_are_cut_and_counted() -> None:
    _, rows, left = detectable_of({"1": {f"c{i}": i / 7 for i in range(1, 21)}}, {})

    assert (len(rows), left) == (8, 12)


def test_attributions_share_a_unit_and_those_of_much_come_first() -> None:
    sizes = {
        "1": {"age": 0.01, "income": 0.2, "noise": None},
        "7": {"age": 0.004, "income": 0.07, "noise": 0.001},
    }
    _, rows, left = detectable_of(sizes, {"age": "numeric", "income": "categorical"}, about=FEATURES)

    assert [(row.names, row.sizes, row.unit) for row in rows] == [
        (("income",), ("0.2", "0.07"), ""),
        (("age",), ("0.01", "0.004"), ""),
        (("noise",), ("–", "0.001"), ""),
    ]
    assert left == 0
    assert "in the unit of the attributions themselves" in explained(rows, about=FEATURES)


@pytest.mark.parametrize(("level", "told"), [(1000, "1,000"), (1001, "over 1,000"), (0.0999, "0.1")])
def test_a_level_is_told_in_two_digits(level: float, told: str) -> None:
    assert strength(level) == told


def of_answers(**other: object) -> Document:
    """A decision on a window's answers."""
    told: Document = {
        "subjects": "measures",
        "outcome": "changed",
        "alarm": True,
        "sentence": "Changed: brier (worse on the average), recall of a (worse on the average).",
        "named": ["brier", "recall of a"],
        "changes": {"brier": "mean", "recall of a": "mean"},
        "evidence": {"brier": 0.9, "recall of a": 0.1},
        "detectable": {"1": {"accuracy": 0.027, "brier": 0.014, "mae": 0.3}},
    }
    return told | other


def test_a_decision_on_answers_tells_measures_in_words() -> None:
    decided = Decided.of(of_answers())

    assert decided is not None
    assert decided.noun == "measure"
    assert decided.lead == "Brier score (worse on the average), recall of a (worse on the average)."
    assert [one.name for one in decided.shares] == ["Brier score", "recall of a"]


def test_what_it_could_have_seen_is_told_in_the_unit_of_each_loss() -> None:
    decided = Decided.of(of_answers())

    assert decided is not None
    assert [(row.names, row.sizes, row.unit) for row in decided.detectable] == [
        (("accuracy",), ("2.7",), "points"),
        (("Brier score",), ("0.014",), ""),
        (("mean absolute error",), ("0.3",), "label units"),
    ]
    assert decided.silence == (
        "Points: so many more of a hundred rows answered wrongly. Brier score: a rise of it by so much."
        " Errors: a rise by so much, in the unit of the label. Silence rules out what is larger."
    )


@pytest.mark.parametrize(
    ("other", "noun"),
    [
        ({"subjects": "measures"}, "measure"),
        ({"subjects": "columns"}, "column"),
        ({"subjects": None}, "column"),
    ],
)
def test_what_a_decision_is_about_is_told(other: Document, noun: str) -> None:
    decided = Decided.of(of_answers(**other))

    assert decided is not None
    assert decided.noun == noun


def test_columns_keep_their_names_and_units(decision_document: MakeDecision) -> None:
    decided = read(decision_document(evidence={"brier": 1.0}, detectable={"1": {"brier": 0.2}}))

    assert [one.name for one in decided.shares] == ["brier"]
    assert decided.detectable[0].names == ("brier",)
    assert "Numbers: a shift of the mean" in decided.silence
