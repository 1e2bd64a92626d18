import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from tests.unit.views.answers import baseline, extras, quality, report, verdict
from tests.unit.views.conftest import Document

from watchkeep.views.terminal import print_baseline, print_report

MULTICLASS: Document = {
    "problem": "MulticlassClassification",
    "classes": [f"kind {i}" for i in range(7)],
    "positive": None,
    "threshold": None,
    "confusion": {f"kind {i}": {f"kind {j}": 100 if i == j else i + 1 for j in range(7)} for i in range(7)},
}


def printed(document: Document, *, width: int = 80, verbose: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width)
    (print_report if "verdicts" in document else print_baseline)(document, console, verbose=verbose)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_quality_fits_eighty_columns() -> None:
    document = report(quality() | extras(), [verdict("accuracy", 0.78025, 0.79, "violated")])

    assert printed(document).split("\nQuality\n")[1] == GOLDEN


GOLDEN = """\
The model answers 0 or 1; 1 is the positive class, answered where the score is
above 0.5. 4,000 of 5,000 answers have a label (80 %).
Measure                                      Window        ±   Baseline    Limit
────────────────────────────────────────────────────────────────────────────────
▲ accuracy                                   0.7802   0.0074     0.8014   ≥ 0.79
  precision                                   0.744    0.013      0.747        –
  recall                                      0.615    0.014      0.658        –
  ROC AUC                                    0.8391   0.0074     0.8700        –
  Brier score                                0.1532   0.0035     0.1371        –
Always answering the most frequent class would reach accuracy 0.632. The best
constant answer reaches recall 1.

Where it fails
1.  6.4 % of rows, x > 3, carry 41 % of the rise of errors

Segments
Segment                         Labels   accuracy   precision   recall   ROC AUC
────────────────────────────────────────────────────────────────────────────────
young                              255    ▼ 0.494           –        –         –
age < 30
US                               1,400      0.791           –        –         –
region = 'US'
▼ worse than all rows by more than three standard errors

Answers by label
Label                                       Rows               0               1
────────────────────────────────────────────────────────────────────────────────
0                                          2,528   87.7 % (88 %)   12.3 % (12 %)
1                                          1,472   38.5 % (34 %)   61.5 % (66 %)
Shares of each label's rows; in brackets, those of the baseline

Estimated without labels
Without labels, x > 3.
Measure                                Estimate               Band   Labels said
────────────────────────────────────────────────────────────────────────────────
ROC AUC                                  0.8672   0.8571 to 0.8781      ▼ 0.8391
▼ outside the band

How sure the model was
Confidence below 0.6: 612 rows (12.2 % of all), listed in x > 3.
On the average: confidence 0.861, margin 0.722, entropy in bits 0.301
▼ The model's sets or intervals held 87.1 % ± 0.53 % of the labels; 90 % was
asked for; in the baseline 90.2 %.

Labels
Answers with a label  80 %; 4,000 of 5,000 answers; 1 answer left out: a later
                      one has the same id
Labels                4,018; 9 labels repeated by a later one; 4 labels
                      corrected by a later one; 5 rejected: x > 3
Without a partner     1,000 answers; 3 labels; 2 labels without an id
Labels came after     2.2 days; half of them sooner, half later; 95 % within 6
                      days; the last after 12 days; 3 before the answer: a clock
                      is wrong"""


def test_what_the_table_of_measures_tells_is_not_told_again() -> None:
    whole = verdict("accuracy", 0.78, 0.79, "violated")
    young = verdict("accuracy", 0.49, 0.6, "violated", subject="young")

    assert "Violations" not in printed(report(verdicts=[whole]))
    output = printed(report(verdicts=[whole, young]))
    assert "accuracy of young" in output.split("Violations (1)")[1]


def test_whatever_is_outside_its_limit_is_in_the_table() -> None:
    both = [verdict(name, 0.61, 0.65, "violated") for name in ("recall", "true_positive_rate")]

    assert printed(report(verdicts=both)).count("▲ recall") == 1
    assert printed(report(verdicts=both)).count("▲ true positive rate") == 1


def test_without_labels_estimates_come_first() -> None:
    output = printed(report(quality(labelled=0, unlabelled=5000) | extras()))

    assert output.index("Estimated without labels") < output.index("\nQuality\n")


def test_numbers_have_neither_classes_nor_curves() -> None:
    told: Document = {
        "problem": "Regression",
        "labelled": 300,
        "unlabelled": 0,
        "measures": [
            {"measure": "rmse", "value": 1.33, "error": 0.02, "before": 1.0},
            {
                "measure": "mape",
                "value": {"undefined": "mape needs 1 label that is not 0, has 0"},
                "before": 0.1,
            },
        ],
        "before": {},
        "estimates": {
            "measures": [{"measure": "rmse", "value": 1.0, "low": 0.9, "high": 1.1, "realised": 1.33}]
        },
        "uncertain": {"rows": 3},
        "found": [],
        "searched": 300,
    }
    sentence = "rmse came out as 1.33, and 1 was expected"
    drift = verdict("rmse", 1.33, None, "violated", check="concept_drift_check", sentence=sentence)
    output = printed(report(told, [verdict("rmse", 1.33, 1.2), drift]))

    for part in (
        "The model answers numbers. 300 answers, all with a label.",
        "– mean absolute percentage error: needs 1 label that is not 0, has 0",
        "Past the limit, within noise: root mean squared error",
        "▲ root mean squared error came out as 1.33, and 1 was expected",
        "Least sure of: 3 rows.",
        "A search of 300 labelled rows found no segment",
    ):
        assert part in output
    assert "Answers by label" not in output


def test_a_report_without_measures_is_printed() -> None:
    output = printed(report({"problem": "Regression", "estimates": {"sentence": "Nothing."}}))

    assert "The model answers numbers. There are no answers." in output
    assert "Nothing." in output


def test_of_many_classes_the_commonest_wrong_answers_are_told() -> None:
    output = printed(report(quality() | MULTICLASS))

    assert "kind 6 answered kind 0: 7 rows, 4.9 % of that label" in output
    assert "The commonest wrong answers of 7 classes" in output


def test_a_baseline_tells_measures_and_promises() -> None:
    output = printed(baseline(), verbose=True)

    assert "Column" not in output
    assert "  accuracy" in output
    assert "≥ 0.7764" in output
    assert "accuracy at least 0.7764" in output.split("Constraints\n")[1]
    assert "young  age < 30" in output


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("text", ["x" * 10_000, "日本" * 40, "[red]a[/red]", "a\x1b[31m\u202e\n"])
def test_no_class_or_rule_breaks_the_width(width: int, text: str) -> None:
    told = quality((text, text + "1")) | extras(text)
    told["segments"] = [{"name": text, "rule": text + " = 1", "labelled": 30, "measures": told["measures"]}]
    output = printed(report(told), width=width, verbose=True)

    assert max(cell_len(line) for line in output.splitlines()) <= width
    assert "\x1b" not in output
    assert ("[red]a[/red]" in output) == (text == "[red]a[/red]")
