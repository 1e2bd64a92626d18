import pytest
from tests.unit.views.answers import BINARY, baseline, extras, measures, quality, report, segment, verdict
from tests.unit.views.conftest import Document

from watchkeep.views.quality import Quality, kind_words
from watchkeep.views.quality_measures import Measure
from watchkeep.views.reading import Baseline, Report
from watchkeep.views.unlabelled import estimates_of


def read(document: Document) -> Quality:
    told = Report.of(document).quality
    assert told is not None
    return told


def named(told: Quality, name: str) -> Measure:
    return next(one for one in (*told.measures, *told.more) if one.name == name)


@pytest.mark.parametrize("value", [None, {}, [], "good", 3])
def test_a_report_of_columns_tells_no_quality(value: object) -> None:
    assert Report.of({"quality": value}).quality is None


def test_it_says_what_the_model_answers_and_how_many_have_a_label() -> None:
    told = read(report())

    assert (
        told.answers
        == "The model answers 0 or 1; 1 is the positive class, answered where the score is above 0.5."
    )
    assert told.counted == "4,000 of 5,000 answers have a label (80 %)."
    assert read(report(quality(unlabelled=0))).counted == "4,000 answers, all with a label."


@pytest.mark.parametrize(
    ("problem", "classes", "words"),
    [
        ("Regression", [], "answers numbers"),
        ("BinaryClassification", ["no", "yes"], "answers no or yes"),
        (
            "MulticlassClassification",
            list("abcdefg"),
            "answers one of 7 classes (a, b, c, d, e and 2 more)",
        ),
        ("", [], "answers classes"),
    ],
)
def test_every_problem_has_its_words(problem: str, classes: list[str], words: str) -> None:
    assert kind_words(problem, classes) == words


def test_a_measure_stands_beside_the_baseline_and_its_limit() -> None:
    one = named(read(report()), "accuracy")

    assert (one.label, one.told, one.error, one.before, one.limit) == (
        "accuracy",
        "0.7802",
        "0.0074",
        "0.8014",
        "≥ 0.7764",
    )
    assert one.strip is not None
    assert one.strip.limit is not None
    assert one.strip.limit < one.strip.at < one.strip.reference


def test_what_repeats_another_measure_comes_later_unless_it_alone_is_outside_its_limit() -> None:
    out = verdict("true_positive_rate", 0.6148, 0.65, "violated")
    both = [out, verdict("recall", 0.6148, 0.65, "violated")]

    assert [one.name for one in read(report()).more] == ["true_positive_rate"]
    assert "true_positive_rate" in [one.name for one in read(report(verdicts=[out])).measures]
    assert "true_positive_rate" in [one.name for one in read(report(verdicts=both)).more]


def test_past_a_limit_by_noise_is_told_apart_from_violated() -> None:
    kept, out = verdict("brier", 0.153, 0.144), verdict("brier", 0.153, 0.144, "violated")

    assert named(read(report(verdicts=[kept])), "brier").noise
    assert not named(read(report(verdicts=[out])), "brier").noise
    assert not named(read(report(verdicts=[verdict("brier", 0.153, 0.16)])), "brier").noise


def test_bounds_from_bins_are_told_where_they_matter() -> None:
    told = [
        {"measure": "auc", "value": 0.84, "error": 0.01, "low": 0.8399, "high": 0.8401},
        {"measure": "pr_auc", "value": 0.7, "error": 0.01, "low": 0.65, "high": 0.75},
    ]
    auc, average = read(report(quality(measures=told))).measures

    assert auc.within == ""
    assert average.within == "0.650 to 0.750"


def test_measures_that_lack_the_same_are_told_together() -> None:
    lacking = [
        {"measure": name, "value": {"undefined": f"{name} needs 1 row, has 0"}, "before": 0.8}
        for name in ("accuracy", "auc", "precision", "recall", "f1", "brier", "log_loss")
    ]
    told = read(report(quality(measures=lacking, labelled=0)))

    assert told.blanks == [
        ("needs 1 row, has 0", ["accuracy", "precision", "recall", "F1", "3 more"]),
    ]
    assert told.squares == ()  # the baseline's alone would look like the window's


def test_the_best_constant_answer_is_one_sentence() -> None:
    assert read(report()).constant == (
        "Always answering the most frequent class would reach accuracy 0.632."
        " The best constant answer reaches recall 1."
    )
    worse = BINARY | {"accuracy": (0.6, 0.01, 0.8)}
    assert "no worse than these answers" in read(report(quality(measures=measures(worse)))).constant


def test_what_is_outside_its_limits_is_named_by_measure() -> None:
    verdicts = [
        verdict("brier", 0.153, 0.144, "violated"),
        verdict("recall", 0.61, 0.63, "violated"),
        verdict("true_positive_rate", 0.61, 0.63, "violated"),
        verdict("accuracy", 0.49, 0.6, "violated", subject="young"),
    ]
    causes = [{"subject": "dataset", "sentence": "brier is 0.153", "severity": 1.0, "checks": []}]
    told = Report.of(report(verdicts=verdicts, status="CompletedWithViolations", causes=causes))

    assert told.limits == "Brier score, recall and accuracy of young are outside their limits."
    assert told.causes == ()  # it repeats the gravest violation
    assert told.verdicts[0].sentence == "Brier score is 0.153, limit 0.144"


def drifted(outcome: str) -> Document:
    sentence = "auc came out as 0.8391, and 0.8672 was expected: what they mean has changed"
    return verdict("auc", 0.8391, None, outcome, check="concept_drift_check", side=None, sentence=sentence)


def test_concept_drift_is_no_limit_of_a_measure() -> None:
    verdicts = [verdict("auc", 0.8391, 0.83), drifted("violated")]
    document = report(quality() | extras(), verdicts, status="CompletedWithViolations")
    told = read(document)

    assert Report.of(document).limits == (
        "ROC AUC came out other than such answers to such features lead to expect (concept drift)."
    )
    assert (named(told, "auc").limit, named(told, "auc").outcome) == ("≥ 0.83", "kept")
    assert told.estimates is not None
    assert told.estimates.measures[0].outcome == "violated"
    assert told.estimates.drifted == (
        "ROC AUC came out as 0.8391, and 0.8672 was expected: what they mean has changed",
    )


def test_concept_drift_comes_after_what_is_outside_its_limits() -> None:
    verdicts = [verdict("brier", 0.153, 0.144, "violated"), drifted("violated")]

    assert Report.of(report(verdicts=verdicts)).limits == (
        "Brier score is outside its limits. ROC AUC came out other than such answers to such features"
        " lead to expect (concept drift)."
    )


def test_before_labels_come_an_estimate_bears_the_verdict() -> None:
    estimates = {"measures": [{"measure": "auc", "value": 0.7, "low": 0.68, "high": 0.72, "realised": None}]}
    none = {"undefined": "no label has come"}
    undefined = [{"measure": "auc", "value": {"undefined": "auc needs 1 row, has 0"}, "before": 0.87}]
    told = read(
        report(
            quality(labelled=0, measures=undefined, estimates=estimates),
            [verdict("auc", none, 0.84, "violated"), verdict("brier", none, 0.1, "undecided")],
        )
    )

    assert told.estimates is not None
    assert not told.estimates.known
    assert told.estimates.measures[0].outcome == "violated"
    strip = told.estimates.measures[0].strip
    assert strip is not None
    assert strip.limit is not None
    assert strip.at < strip.limit < strip.reference


def test_a_search_that_found_nothing_says_so() -> None:
    assert read(report(quality(found=[], searched=4000))).spotless == (
        "A search of 4,000 labelled rows found no segment that is worse than chance would make one."
    )
    assert read(report()).spotless == ""
    assert read(report(quality(searched=4000) | extras())).spotless == ""


def test_the_worst_segment_comes_first_and_is_marked() -> None:
    told = read(report()).segments

    assert told is not None
    young, other = told.listed
    assert (young.name, young.rule, young.bad, young.worse) == (
        "young",
        "age < 30",
        True,
        (True, False, False, False),
    )
    assert not other.bad
    assert young.strip is not None
    assert young.strip.at < young.strip.reference


def test_few_rows_are_no_sign() -> None:
    few = [segment("tiny", "id = 3", 5, 0.0)]
    certain = [segment("small", "id < 30", 30, 0.7)]
    certain[0]["measures"] = [{"measure": "accuracy", "value": 0.7, "error": 0.0, "before": 0.8}]

    for segments in (few, certain):
        told = read(report(quality(segments=segments))).segments
        assert told is not None
        assert not told.listed[0].bad


def test_many_segments_are_cut_and_counted() -> None:
    many = [segment(f"s{i}", f"x = {i}", 100, 0.78) for i in range(50)]
    told = read(report(quality(segments=many))).segments

    assert told is not None
    assert (len(told.listed), told.left) == (40, 10)


def test_a_baseline_says_what_is_answered_and_how_well() -> None:
    assert Baseline.of(baseline()).headline == (
        "A model-quality baseline of 20,000 rows: the model answers 0 or 1 with accuracy 0.78 and ROC AUC 0.839;"
        " 1 constraint."
    )
    numbers = [{"measure": "rmse", "value": 1.0008, "error": 0.01}, {"measure": "r2", "value": 0.9}]
    regression = baseline(problem="Regression", classes=[], measures=numbers, confusion=None)
    assert "answers numbers with RMSE 1 and R² 0.9;" in Baseline.of(regression).headline
    assert "answers 0 or 1; 1" in Baseline.of(baseline(measures=[])).headline


def test_a_baseline_shows_what_it_promises() -> None:
    told = Baseline.of(baseline())

    assert told.quality is not None
    assert named(told.quality, "accuracy").limit == "≥ 0.7764"
    assert named(told.quality, "accuracy").before == ""
    assert told.quality.segments is not None
    assert not told.quality.segments.measured


@pytest.mark.parametrize("damage", [None, 3, "x", [], [3], {"a": {"b": []}}, {"x": "y"}, [{"measure": 3}]])
def test_damaged_parts_leave_the_others(damage: object) -> None:
    whole = quality() | extras()
    keys = [key for key in whole if key not in ("problem", "labelled")]

    for key in keys:
        assert read(report(whole | {key: damage})).labelled == 4000


@pytest.mark.parametrize(
    ("measure", "realised", "better"),
    [("auc", 0.9, True), ("auc", 0.1, False), ("log_loss", 0.1, True), ("log_loss", 0.9, False)],
)
def test_answers_that_turn_out_better_than_their_band_are_no_fault(
    measure: str, realised: float, better: bool
) -> None:
    one = {"measure": measure, "value": 0.5, "low": 0.4, "high": 0.6, "realised": realised, "outside": True}

    found = estimates_of({"sentence": "", "measures": [one]}, (), {})

    assert found is not None
    assert [(each.outside, each.better) for each in (*found.measures, *found.more)] == [(not better, better)]
