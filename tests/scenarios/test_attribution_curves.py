"""Partial dependence beside the attributions: in documents, on pages, within the budget, and never in the way."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from tests.scenarios.test_attribution import FEATURES, check, folder, matrix, people, serving, shifted
from tests.scenarios.world import watchkeep, write

import watchkeep as wk
from watchkeep.monitors.attribution.baseline import AttributionBaseline

__all__ = ["folder"]


def curves_of(report: Any) -> dict[str, Any]:
    return {one["feature_name"]: one for one in report["attribution"]["dependence"]}


def analysis(path: Path) -> Any:
    return json.loads((path / "analysis.json").read_text())["explanations"]["pdp"]


def test_curves_are_those_of_the_model_over_rows_of_either_side(folder: Path) -> None:
    report = check(folder, shifted(people(2_000, seed=4)), "--model", folder / "model.json")

    told = curves_of(report)["income"]
    booster = xgboost.Booster(model_file=folder / "model.json")
    baseline = wk.load(folder / "b").learned.baseline
    assert isinstance(baseline, AttributionBaseline)
    assert baseline.kept is not None
    rows = baseline.kept.take(np.linspace(0, baseline.kept.num_rows - 1, 100).round().astype(int))
    for at in (0, 7, 14):
        there = rows.set_column(1, "income", [[told["feature_values"][at]] * 100])
        mean = booster.predict(matrix(there)).mean()
        assert told["model_predictions"][0][at] == pytest.approx(float(mean), rel=1e-5)
    assert (told["data_type"], told["rows"], told["window"]["rows"]) == ("numerical", 100, 100)
    assert sum(told["data_distribution"]) == pytest.approx(1)
    assert max(told["window"]["data_distribution"]) > 0.9
    assert set(curves_of(report)) == set(FEATURES)


def test_clarifys_document_lists_the_curves_of_either_side(folder: Path) -> None:
    check(folder, people(500, seed=4), "--model", folder / "model.json")

    for where in ("b", "r"):
        listed = analysis(folder / where)
        assert [one["feature_name"] for one in listed][:2] == ["income", "age"]
        for one in listed:
            assert set(one) == {
                "feature_name",
                "data_type",
                "feature_values",
                "model_predictions",
                "data_distribution",
                "label_headers",
            }
            assert (
                len(one["feature_values"])
                == len(one["model_predictions"][0])
                == len(one["data_distribution"])
            )
    assert analysis(folder / "b") != analysis(folder / "r")


def test_pages_draw_the_curves(folder: Path) -> None:
    check(folder, people(500, seed=4), "--model", folder / "model.json")

    page = (folder / "r" / "report.html").read_text()
    assert page.count('class="wk-depbox"') == len(FEATURES)
    assert page.count('<path class="wk-line"') == page.count('<path class="wk-now"') == len(FEATURES)
    assert "over 100 rows of the baseline and 100 rows of the window" in page


def test_a_baseline_remembers_its_curves(folder: Path) -> None:
    shown = watchkeep("show", folder / "b", "--json")

    assert shown.code == 0, shown.err
    told = curves_of(shown.document)
    assert (told["income"]["rows"], "window" in told["income"]) == (100, False)
    assert told["income"]["model_predictions"] == analysis(folder / "b")[0]["model_predictions"]


def test_an_endpoint_is_asked_for_curves_within_the_same_budget(folder: Path) -> None:
    with serving(folder / "model.json") as (address, asked):
        report = check(folder, people(2_000, seed=5), "--model", address, "--budget", 60_000)

    told = curves_of(report)
    assert sum(asked) <= 60_000
    assert "window" in told["income"]
    assert "model_predictions" in told["income"]["window"]
    assert told["income"]["rows"] >= 30


def test_a_budget_that_explaining_needs_leaves_curves_out_and_says_why(folder: Path) -> None:
    with serving(folder / "model.json") as (address, asked):
        report = check(folder, people(2_000, seed=5), "--model", address, "--budget", 5_000)

    told = curves_of(report)
    assert sum(asked) <= 5_000
    assert all("left of the budget" in one["error"] for one in told.values())
    assert set(told["income"]) == {"feature_name", "data_type", "error", "window"}
    assert "left of the budget" in (folder / "r" / "report.html").read_text()


def test_an_endpoint_that_is_down_leaves_the_baselines_curves(folder: Path) -> None:
    with serving(folder / "model.json", status=503) as (address, _):
        report = check(folder, people(200, seed=7), "--model", address, "--timeout", 5)

    told = curves_of(report)["income"]
    assert told["rows"] == 100
    assert "503" in told["window"]["error"]
    assert "503" in analysis(folder / "r")[0]["error"]


def test_a_model_that_fails_after_it_explained_fails_no_check(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "once.py").write_text(
        "import sys\n"
        "def score(rows):\n"
        "    if len(rows) == 100 and rows['income'].nunique() == 1:\n"
        "        raise RuntimeError('no more')\n"
        "    return rows['income'] + 0.5 * rows['age']\n"
    )
    data = write(people(600, seed=1), tmp_path / "train.parquet")
    model = f"{tmp_path}/once.py:score"

    made = watchkeep(
        "baseline",
        "attribution",
        data,
        "--model",
        model,
        "--label",
        "churned",
        "--out",
        tmp_path / "b",
        "--json",
    )
    report = check(tmp_path, people(400, seed=2), "--model", model)

    assert made.code == 0, made.err
    assert "no more" in curves_of(made.document)["income"]["error"]
    assert "no more" in curves_of(report)["income"]["window"]["error"]
    assert report["outcomes"]["violated"] == 0
