"""Bias in SageMaker's words: its rule, its files as baselines and as what we write, its configuration."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.people import FACETS, ROLES, people
from tests.scenarios.world import watchkeep, write

import watchkeep as wk


def clarify(
    folder: Path, metrics: dict[str, Any], *, value: str = "Female", facet: str = "sex", label: Any = "yes"
) -> Path:
    """A folder with an `analysis.json` as a Clarify job writes it."""
    listed = [{"name": name, "description": name, "value": one} for name, one in metrics.items()]
    section = {"label": "hired", "facets": {facet: [{"value_or_threshold": value, "metrics": listed}]}}
    if label is not None:
        section["label_value_or_threshold"] = label
    folder.mkdir()
    document = {"version": "1.0", "pre_training_bias_metrics": section, "explanations": {"kernel_shap": {}}}
    (folder / "analysis.json").write_text(json.dumps(document))
    return folder


def run(baseline: Path, rows: Any, *options: object) -> Any:
    data = write(rows, baseline.parent / "window.parquet")
    answer = watchkeep("check", baseline, data, "--out", baseline.parent / "r", "--json", *options)
    assert answer.code in (0, 1), answer.err
    return answer.document


def test_a_measure_may_be_as_far_from_0_as_it_was_and_no_farther(tmp_path: Path) -> None:
    rows = people(2_000, 1)
    now = wk.Bias(dialect="sagemaker").baseline(
        wk.read(rows, label="hired", prediction="said", facets={"sex": "Female"})
    )
    values = {one.measure: one.evidence["baseline"] for one in now.constraints}
    assert {"CI", "DPL", "KL", "DI", "FT", "GE", "TE"} <= set(values)
    assert not {"EOD", "AOD", "EOR", "CG"} & set(values)
    baseline = clarify(tmp_path / "b", {"DPL": values["DPL"] * 0.99, "CI": values["CI"], "KS": None})  # type: ignore[operator]

    report = run(baseline, rows, "--dialect", "sagemaker")

    assert [(one["measure"], one["outcome"]) for one in report["verdicts"]] == [
        ("DPL", "violated"),
        ("CI", "kept"),
    ]
    told = json.loads((tmp_path / "r" / "constraint_violations.json").read_text())
    (violation,) = told["violations"]
    assert {
        key: violation[key] for key in ("facet", "facet_value", "metric_name", "constraint_check_type")
    } == {
        "facet": "sex",
        "facet_value": "Female",
        "metric_name": "DPL",
        "constraint_check_type": "bias_drift_check",
    }
    assert violation["description"].startswith("Metric value 0.")
    assert "doesn't meet the baseline constraint requirement" in violation["description"]


@pytest.mark.parametrize("spelled", ['"Infinity"', "Infinity", '"-Infinity"'])
def test_infinite_values_are_read_however_they_are_spelled(tmp_path: Path, spelled: str) -> None:
    baseline = clarify(tmp_path / "b", {"KL": 0.0, "DPL": 0.9})
    path = baseline / "analysis.json"
    path.write_text(path.read_text().replace('"value": 0.0', f'"value": {spelled}'))

    report = run(baseline, people(500, 1), "--dialect", "sagemaker")

    assert {one["measure"]: one["outcome"] for one in report["verdicts"]} == {"KL": "kept", "DPL": "kept"}
    assert next(one["limit"] for one in report["verdicts"] if one["measure"] == "KL") is None


def test_what_is_divided_by_nothing_is_infinite_there_and_told_strictly_here(tmp_path: Path) -> None:
    rows = people(500, 1, against=1.0)
    data = write(rows, tmp_path / "t.parquet")
    options = (*ROLES, *FACETS, "--dialect", "sagemaker")
    made = watchkeep("baseline", "bias", data, *options, "--out", tmp_path / "b")
    assert made.code == 0, made.err

    run(tmp_path / "b", rows, "--dialect", "sagemaker")

    for name in ("analysis.json", "report.json", "constraint_violations.json"):
        json.loads((tmp_path / "r" / name).read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("spelled", "facet", "subject"),
    [
        ("(40, 225]", "age", "age > 40"),
        ("(40.0, 55.0],(55.0, 69.0]", "age", "age > 40"),
        ("(-inf, 30]", "age", "age <= 30"),
        ("Female", "sex", "sex=Female"),
    ],
)
def test_groups_are_found_however_they_are_spelled(
    tmp_path: Path, spelled: str, facet: str, subject: str
) -> None:
    baseline = clarify(tmp_path / "b", {"CI": 1.0}, value=spelled, facet=facet)

    (verdict,) = run(baseline, people(800, 1), "--dialect", "sagemaker")["verdicts"]

    assert (verdict["subject"], verdict["outcome"]) == (subject, "kept")


@pytest.mark.parametrize("label", ["(20, 39]", "(20.0, 30.0],(30.0, 39.0]"])
def test_labels_above_a_threshold_are_read_back(tmp_path: Path, label: str) -> None:
    rows = people(800, 1)
    data = write(rows, tmp_path / "t.parquet")
    made = watchkeep(
        "baseline",
        "bias",
        data,
        "--label",
        "years",
        "--positive",
        "20",
        "--facet",
        "sex=Female",
        "--out",
        tmp_path / "own",
    )
    assert made.code == 0, made.err
    own = json.loads((tmp_path / "own" / "analysis.json").read_text())["pre_training_bias_metrics"]
    assert own["label_value_or_threshold"] == "(20, inf]"

    told = clarify(tmp_path / "b", {"DPL": 1.0}, label=label)
    report = run(told, rows, "--label", "years", "--dialect", "sagemaker")

    found = {one["measure"]: one["value"] for one in report["measures"] if one["subject"] == "sex=Female"}
    expected = wk.load(tmp_path / "own").check(rows).measures["DPL", "sex=Female"]
    assert found["DPL"] == pytest.approx(expected)


def test_a_file_that_does_not_say_what_is_positive_is_refused(tmp_path: Path) -> None:
    baseline = clarify(tmp_path / "b", {"DPL": 1.0}, label=None)

    answer = watchkeep(
        "check", baseline, write(people(100, 1), tmp_path / "w.parquet"), "--out", tmp_path / "r"
    )

    assert answer.is_one_sentence
    assert "which label is positive" in answer.err


def test_our_own_analysis_is_a_baseline_again(tmp_path: Path) -> None:
    rows = people(3_000, 1)
    data = write(rows, tmp_path / "t.parquet")
    options = (*ROLES, *FACETS, "--dialect", "sagemaker")
    assert watchkeep("baseline", "bias", data, *options, "--out", tmp_path / "b").code == 0
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "analysis.json").write_bytes((tmp_path / "b" / "analysis.json").read_bytes())

    report = run(tmp_path / "only", rows, "--prediction", "said", "--dialect", "sagemaker")

    assert report["outcomes"]["violated"] == 0
    assert "no rows, so only its limits" in report["decision"]["why"]
    undecided = [one for one in report["verdicts"] if one["outcome"] == "undecided"]
    assert {one["measure"] for one in undecided} == {"FT"}
    assert "make a baseline of the rows" in undecided[0]["sentence"]


def test_a_clarify_configuration_is_taken_as_it_stands(tmp_path: Path) -> None:
    rows = people(2_000, 1).select(["age", "sex", "hired", "said", "dept"])
    data = write(rows, tmp_path / "bare.csv")
    config = {
        "version": "1.0",
        "dataset_type": "text/csv",
        "headers": ["age", "sex", "hired", "said", "dept"],
        "label": "hired",
        "predicted_label": 3,
        "label_values_or_threshold": ["yes"],
        "facet": [{"name_or_index": "sex", "value_or_threshold": ["Female"]}],
        "group_variable": "dept",
        "excluded_columns": ["age"],
        "methods": {"post_training_bias": {"methods": "all"}},
    }
    (tmp_path / "analysis_config.json").write_text(json.dumps(config))

    made = watchkeep(
        "baseline",
        "bias",
        data,
        "--no-header",
        "--analysis-config",
        tmp_path / "analysis_config.json",
        "--out",
        tmp_path / "b",
    )

    assert made.code == 0, made.err
    frame = {name: rows[name].to_pylist() for name in rows.column_names}
    women = [one == "Female" for one in frame["sex"]]
    told = json.loads((tmp_path / "b" / "analysis.json").read_text())["post_training_bias_metrics"]
    metrics = {one["name"]: one["value"] for one in told["facets"]["sex"][0]["metrics"]}
    shares = [
        sum(one == "yes" for one, woman in zip(frame["said"], women, strict=True) if woman == side)
        / women.count(side)
        for side in (False, True)
    ]
    assert metrics["DPPL"] == pytest.approx(shares[0] - shares[1])
    assert "CDDPL" in metrics
