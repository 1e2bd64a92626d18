"""constraints.json is the users' to edit: what they write there is what is judged."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.scenarios.world import baseline, check, found, rows, violated, watchkeep, write

TRAIN, TODAY, MOVED = rows(2000, seed=1), rows(1000, seed=2), rows(1000, seed=3, income=11.0)
Edit = Callable[[Any], object]


def feature(document: Any, name: str) -> Any:
    return next(one for one in document["features"] if one["name"] == name)


def edited(tmp_path: Path, edit: Edit, table: pa.Table = TRAIN) -> Path:
    known = baseline(tmp_path, table)
    path = known / "constraints.json"
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    return known


def drift(**values: object) -> Edit:
    return lambda document: document["monitoring_config"]["distribution_constraints"].update(values)


def config(**values: object) -> Edit:
    return lambda document: document["monitoring_config"].update(values)


def of(name: str, **values: object) -> Edit:
    return lambda document: feature(document, name).update(values)


DRIFT = ("baseline_drift_check", "income")


@pytest.mark.parametrize(
    ("edit", "is_violated"),
    [
        (lambda document: None, True),
        (drift(comparison_threshold=0.9), False),
        (drift(perform_comparison="Disabled"), False),
        (config(evaluate_constraints="Disabled"), False),
        (of("income", monitoringConfigOverrides={"evaluate_constraints": "Disabled"}), False),
        (of("income", monitoring_config_overrides={"evaluate_constraints": "Disabled"}), False),
        (
            of(
                "income",
                num_constraints={"monitoring_config_overrides": {"evaluate_constraints": "Disabled"}},
            ),
            False,
        ),
        (
            of(
                "income",
                string_constraints={"monitoring_config_overrides": {"evaluate_constraints": "Disabled"}},
            ),
            False,
        ),
        (
            of(
                "income",
                monitoringConfigOverrides={"distribution_constraints": {"comparison_threshold": 0.9}},
            ),
            False,
        ),
        (of("age", monitoringConfigOverrides={"evaluate_constraints": "Disabled"}), True),
    ],
)
def test_drift_is_judged_as_the_file_says(tmp_path: Path, edit: Edit, is_violated: bool) -> None:
    assert (DRIFT in violated(check(edited(tmp_path, edit), MOVED))) == is_violated


def test_nothing_is_judged_when_evaluation_is_off_but_everything_is_measured(tmp_path: Path) -> None:
    report = check(edited(tmp_path, config(evaluate_constraints="Disabled")), MOVED)

    assert (report["status"], report["verdicts"]) == ("Completed", [])
    assert ("ks", "income") in {(one["measure"], one["subject"]) for one in report["measures"]}


@pytest.mark.parametrize(("limit", "is_violated"), [(1.0, True), (0.95, True), (0.5, False)])
def test_completeness_follows_the_number_in_the_file(tmp_path: Path, limit: float, is_violated: bool) -> None:
    known = edited(tmp_path, of("maybe", completeness=limit))

    assert (("completeness_check", "maybe") in violated(check(known, TODAY))) == is_violated


@pytest.mark.parametrize(
    ("domains", "threshold", "is_violated"),
    [
        (["red", "green", "blue"], 1.0, False),
        (["red", "green"], 1.0, True),
        (["red", "green"], 0.7, False),
        (["red"], 0.7, True),
        (["red", "green", "blue", "mauve"], 1.0, False),
    ],
)
def test_domains_follow_the_list_in_the_file(
    tmp_path: Path, domains: list[str], threshold: float, is_violated: bool
) -> None:
    def edit(document: Any) -> None:
        feature(document, "color")["string_constraints"] = {"domains": domains}
        feature(document, "color").pop("watchkeep", None)
        document["monitoring_config"]["domain_content_threshold"] = threshold

    report = check(edited(tmp_path, edit), TODAY)

    assert (("categorical_values_check", "color") in violated(report)) == is_violated


@pytest.mark.parametrize(("kind", "is_violated"), [("Integral", True), ("Fractional", False)])
def test_the_type_of_a_number_is_the_files_to_say(tmp_path: Path, kind: str, is_violated: bool) -> None:
    known = edited(tmp_path, of("age", inferred_type=kind))
    halves = TODAY.set_column(0, "age", pa.array([age + 0.5 for age in TODAY["age"].to_pylist()]))

    assert (("data_type_check", "age") in violated(check(known, halves))) == is_violated
    assert ("data_type_check", "age") not in violated(check(known, TODAY))


@pytest.mark.parametrize(("share", "is_violated"), [(1.0, True), (0.5, False)])
def test_the_type_threshold_is_the_files_to_say(tmp_path: Path, share: float, is_violated: bool) -> None:
    def edit(document: Any) -> None:
        document["monitoring_config"]["datatype_check_threshold"] = share
        feature(document, "age")["watchkeep"] = {"constraints": []}

    halves = TODAY.set_column(0, "age", pa.array([a + 0.5 * (a % 4 == 0) for a in TODAY["age"].to_pylist()]))

    report = check(edited(tmp_path, edit), halves)

    assert (("data_type_check", "age") in violated(report)) == is_violated


@pytest.mark.parametrize(
    ("limit", "is_violated"),
    [
        ({"measure": "mean", "at_most": 60}, False),
        ({"measure": "mean", "at_most": 40}, True),
        ({"measure": "mean", "at_least": 60}, True),
        ({"measure": "psi", "at_most": 1e-9}, True),
    ],
)
def test_limits_of_our_own_can_be_written_by_hand(
    tmp_path: Path, limit: dict[str, object], is_violated: bool
) -> None:
    report = check(edited(tmp_path, of("age", watchkeep={"constraints": [limit]})), TODAY)

    assert (("limit_check", "age") in violated(report)) == is_violated
    assert found(report)["limit_check", "age"] in ("kept", "violated")


def test_a_limit_on_all_the_rows_can_be_written_by_hand(tmp_path: Path) -> None:
    def edit(document: Any) -> None:
        document["watchkeep"] = {"constraints": [{"measure": "row_count", "at_least": 5000}]}

    assert ("row_volume_check", "dataset") in violated(check(edited(tmp_path, edit), TODAY))


def test_a_measure_that_does_not_exist_is_told(tmp_path: Path) -> None:
    known = edited(tmp_path, of("age", watchkeep={"constraints": [{"measure": "meen", "at_most": 1}]}))

    answer = watchkeep("check", known, write(TODAY, tmp_path / "w.parquet"), "--out", tmp_path / "r")

    assert answer.code == 2
    assert answer.is_one_sentence
    assert "'meen'" in answer.err
    assert "did you mean 'mean'?" in answer.err


def test_keys_that_others_wrote_survive(tmp_path: Path) -> None:
    known = edited(
        tmp_path, lambda document: document.update(ticket="OPS-7") or feature(document, "age").update(x=[1])
    )

    check(known, TODAY)

    applied = json.loads((tmp_path / "report" / "constraints.json").read_text())
    assert applied == json.loads((known / "constraints.json").read_text())
    assert (applied["ticket"], feature(applied, "age")["x"]) == ("OPS-7", [1])


def test_a_feature_that_is_taken_out_of_the_file_is_judged_no_more(tmp_path: Path) -> None:
    def edit(document: Any) -> None:
        document["features"] = [one for one in document["features"] if one["name"] != "income"]

    subjects = {subject for _, subject in found(check(edited(tmp_path, edit), MOVED))}

    assert "income" not in subjects
    assert "age" in subjects
