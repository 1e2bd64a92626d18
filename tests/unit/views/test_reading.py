from hypothesis import given
from hypothesis import strategies as st

from watchkeep.views.columns import rank
from watchkeep.views.reading import Baseline, Report

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
RUN = ("version", "monitor", "kind", "status", "source", "created", "window", "baseline", "rows", "outcomes")
FOUND = ("policy", "verdicts", "measures", "causes", "columns", "timing", "constraints", "roles")
documents = st.dictionaries(st.sampled_from(RUN + FOUND), json_values | st.lists(json_values, max_size=3))


@given(documents)
def test_whatever_a_document_holds_can_be_read(document: dict[str, object]) -> None:
    assert Report.of(document).headline.endswith(".")
    assert Baseline.of(document).headline.endswith(".")


def test_verdicts_come_worst_first() -> None:
    verdicts = [
        {"outcome": "kept", "subject": "a"},
        {"outcome": "violated", "subject": "b", "severity": 1.0},
        {"outcome": "violated", "subject": "c", "severity": 2.0},
        {"outcome": "undecided", "subject": "d"},
    ]

    assert [verdict.subject for verdict in Report.of({"verdicts": verdicts}).verdicts] == ["c", "b", "d", "a"]


def test_columns_come_worst_first_and_carry_what_is_said_of_them() -> None:
    report = Report.of(
        {
            "columns": [{"name": "calm", "outcome": "kept"}, {"name": "odd", "outcome": "violated"}],
            "verdicts": [{"subject": "odd", "outcome": "violated", "severity": 3.0}],
            "measures": [{"subject": "odd", "measure": "ks", "value": 0.5}],
        }
    )

    assert [column.name for column in report.columns] == ["odd", "calm"]
    assert report.columns[0].measures == (("ks", 0.5),)
    assert report.columns[0].severity == 3.0


def test_an_older_file_without_outcomes_has_them_counted() -> None:
    report = Report.of({"verdicts": [{"outcome": "kept"}, {"outcome": "undecided"}]})

    assert report.outcomes == {"violated": 0, "failed": 0, "undecided": 1, "kept": 1}
    assert report.outcome == "kept"
    assert Report.of({"verdicts": [{"outcome": "undecided"}]}).outcome == "undecided"
    assert Report.of({"status": "Failed"}).outcome == "failed"


def test_undecided_verdicts_are_grouped_by_reason() -> None:
    few = {"outcome": "undecided", "value": {"undefined": "too few rows"}}
    none = {"outcome": "undecided", "sentence": "no labels"}
    groups = Report.of({"verdicts": [none, few, few]}).undecided

    assert [(reason, len(verdicts)) for reason, verdicts in groups] == [("too few rows", 2), ("no labels", 1)]


def test_a_reason_is_told_once_for_all_the_numbers_it_takes() -> None:
    gone = {"undefined": "no values"}
    (column,) = Report.of({"columns": [{"name": "a", "window": {"mean": gone, "std": gone}}]}).columns

    assert column.blanks == [("no values", ["mean (window)", "std (window)"])]


def test_quantiles_stand_in_order_and_bad_ones_are_left_out() -> None:
    quantiles = {"0.95": 9, "0.05": 1, "0.5": 5, "x": 0, "7": 0}
    (column,) = Baseline.of(
        {"columns": [{"baseline": {"quantiles": quantiles, "max": 10, "missing": 0}}]}
    ).columns

    assert [line.name for line in column.lines] == ["missing", "p5", "median", "p95", "max"]


def test_an_unknown_outcome_comes_last() -> None:
    assert rank("later") > rank("kept") > rank("undecided") > rank("failed") > rank("violated")
