"""The one ranking of what lies behind a window's verdicts."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from watchkeep.causes.clues import Clues, Effect
from watchkeep.causes.patterns.pattern import Bug, Pattern
from watchkeep.causes.ranking import Cause, causes
from watchkeep.core.undefined import Undefined
from watchkeep.core.verdicts import Outcome, Verdict


def _violated(subject: str, severity: float = 1.0, *, outcome: Outcome = Outcome.VIOLATED) -> Verdict:
    return Verdict(
        check="baseline_drift_check",
        measure="ks",
        subject=subject,
        outcome=outcome,
        value=0.3,
        limit=0.1,
        sentence=f"{subject}: the distribution moved by 0.3",
        severity=severity,
    )


def _ranked(found: Sequence[Cause]) -> list[tuple[str, float]]:
    return [(one.subject, round(one.share, 9)) for one in found if not isinstance(one.share, Undefined)]


def test_without_a_model_what_moved_most_comes_first() -> None:
    clues = Clues(drifts={"age": 0.1, "income": 0.3}, named={"age": "location", "income": "spread"})
    found = causes([], clues)
    assert _ranked(found) == [("income", 0.75), ("age", 0.25)]
    assert isinstance(found[0].importance, Undefined)


def test_with_a_model_what_answers_rest_on_comes_first() -> None:
    clues = Clues(
        drifts={"age": 0.1, "income": 0.3},
        named={"age": "location", "income": "spread"},
        importance={"age": 0.9, "income": 0.1},
    )
    found = causes([], clues)
    assert _ranked(found) == [("age", 0.75), ("income", 0.25)]
    assert "it has 90 % of all attribution" in found[0].sentence


def test_what_no_answer_rests_on_is_told_and_has_no_share() -> None:
    clues = Clues(drifts={"id": 0.9}, named={"id": "location"}, importance={"age": 1.0})
    (found,) = causes([_violated("id")], clues)
    assert isinstance(found.share, Undefined)
    assert found.importance == Undefined("it is no feature of the model")


def test_harm_counts_half_where_the_mix_makes_answers_worse() -> None:
    clues = Clues(
        drifts={"age": 0.2, "income": 0.2},
        named={"age": "location", "income": "location"},
        effects={"age": Effect(0.03, 0.001), "income": Effect(-0.02, 0.001)},
        loss="share of wrong answers",
    )
    found = causes([], clues)
    assert _ranked(found) == [("age", 0.75), ("income", 0.25)]
    assert "adds 0.03 to the share of wrong answers" in found[0].sentence
    assert found[1].effect == -0.02


def test_an_effect_within_its_error_is_no_cause() -> None:
    clues = Clues(effects={"age": Effect(0.03, 0.02)}, loss="share of wrong answers")
    assert causes([], clues) == ()


def test_what_a_change_did_follows_what_it_came_from() -> None:
    clues = Clues(drifts={"age": 0.2}, named={"age": "location"})
    listed = [_violated("accuracy", 50.0), _violated("age", 0.5), _violated("sex=F", 70.0)]
    assert [one.subject for one in causes(listed, clues)] == ["age", "sex=F", "accuracy"]


def test_only_violated_verdicts_are_causes() -> None:
    listed = [_violated("age", outcome=one) for one in Outcome if one is not Outcome.VIOLATED]
    assert causes(listed, Clues(drifts={"age": 0.5})) == ()


def test_a_column_whose_relations_changed_counts_by_its_evidence() -> None:
    clues = Clues(drifts={"age": 0.0}, named={"age": "relation"}, evidence={"age": 0.8})
    (found,) = causes([], clues)
    assert found.drift == 0.8
    assert found.sentence == "age: related otherwise to the other columns"


def _of_attribution(subject: str, severity: float = 1.0) -> Verdict:
    return replace(_violated(subject, severity), check="feature_attribution_check", measure="attribution")


def test_a_column_whose_weight_alone_changed_has_no_share() -> None:
    clues = Clues(
        drifts={"age": 0.004, "income": 0.3},
        named={"income": "location"},
        importance={"age": 0.6, "income": 0.4},
    )
    found = causes([_of_attribution("age", 9.0), _of_attribution("income")], clues)
    assert [(one.subject, one.share) for one in found] == [("income", 1.0), ("age", 0.0)]


def test_where_no_value_moved_the_model_itself_comes_first() -> None:
    clues = Clues(
        drifts={"age": 0.004}, importance={"age": 1.0}, model="the model answers otherwise than it did"
    )
    assert [one.subject for one in causes([_of_attribution("age", 9.0)], clues)] == ["model", "age"]
    assert [one.subject for one in causes([], clues)] == [
        "model"
    ]  # an alarm without a violation has a cause, too


def test_what_is_violated_in_a_segment_is_the_feature_s() -> None:
    clues = Clues(
        drifts={"age": 0.2},
        named={"age": "location"},
        importance={"age": 1.0},
        parts={"age where young": "age", "young": "dataset"},
    )
    listed = [_of_attribution("age"), _of_attribution("age where young"), _of_attribution("young", 0.1)]
    assert [one.subject for one in causes(listed, clues)] == ["age", "dataset"]


def test_relations_count_only_where_nothing_moved_by_itself() -> None:
    clues = Clues(
        drifts={"plan": 0.3, "charge": 0.0},
        named={"plan": "category", "charge": "relation"},
        evidence={"plan": 0.6, "charge": 0.4},
    )
    assert [(one.subject, one.share) for one in causes([], clues)] == [("plan", 1.0), ("charge", 0.0)]


def test_a_data_bug_is_named_before_anything_else() -> None:
    bug = Bug(Pattern.UNIT, "wait: values are 60 times as large as in the baseline.", 1.0, 0.99)
    clues = Clues(
        drifts={"wait": 0.9}, named={"wait": "far"}, bugs={"wait": bug}, segments={"wait": ("site = 'B'",)}
    )
    (found,) = causes([_violated("wait")], clues, {"wait": "#column-wait"})
    assert found.pattern == "unit change"
    assert found.sentence == (
        "wait: values are 60 times as large as in the baseline; mostly where site = 'B'"
    )
    assert found.chart == "#column-wait"


def test_of_a_column_that_several_compared_the_first_tells_how_it_changed() -> None:
    data = Clues(drifts={"age": 0.2, "income": 0.0}, named={"age": "location"})
    model = Clues(
        drifts={"age": 0.9, "income": 0.5, "wind": 0.4},
        named={"age": "spread", "income": "location", "wind": "location"},
        importance={"age": 1.0},
    )
    assert data.merge(model) == Clues(
        drifts={"age": 0.2, "income": 0.0, "wind": 0.4},
        named={"age": "location", "wind": "location"},
        importance={"age": 1.0},
    )


_NAMES = st.sampled_from(["age", "income", "wind"])
_CLUES = st.builds(
    Clues,
    drifts=st.dictionaries(_NAMES, st.floats(0, 1)),
    named=st.dictionaries(_NAMES, st.sampled_from(["location", "spread"])),
    importance=st.dictionaries(_NAMES, st.floats(0, 1)),
    effects=st.dictionaries(_NAMES, st.builds(Effect, st.floats(0, 1), st.floats(0, 1))),
    loss=st.sampled_from(["", "share of wrong answers"]),
)


@given(_CLUES, _CLUES, _CLUES)
def test_clues_add_up_and_none_changes_nothing(one: Clues, two: Clues, three: Clues) -> None:
    assert one.merge(two).merge(three) == one.merge(two.merge(three)) == one.merge(two, three)
    assert Clues().merge(one) == one.merge(Clues()) == one
