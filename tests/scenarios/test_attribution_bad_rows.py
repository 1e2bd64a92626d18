"""Attribution of rows that a model cannot use, of models with other outputs, and of columns with any name or type."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import xgboost
from tests.scenarios.test_attribution import matrix, people
from tests.scenarios.world import watchkeep, write

import watchkeep as wk
from watchkeep.core.errors import ModelError
from watchkeep.monitors.attribution.baseline import AttributionBaseline
from watchkeep.service.attribution.explaining import SampledOptions

SCORES = """
import numpy as np
import pandas as pd

WEIGHTS = {"age": 1.0, "income": 2.0}

def one(rows):
    told = sum(weight * pd.to_numeric(rows[name], errors="coerce") for name, weight in WEIGHTS.items())
    return told.to_numpy()

def three(rows):
    return np.stack([one(rows), -one(rows), 0.5 * one(rows)], axis=1)
"""
OPTIONS = ("--feature", "age", "--feature", "income", "--label", "churned")


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A function of age and income, which gives NaN where a value is no number."""
    (tmp_path / "model.py").write_text(SCORES)
    return f"{tmp_path / 'model.py'}:one"


class Picky:
    """The sum of `a` and `b`, and NaN where `a` is beyond 90. Counts the rows it is asked for."""

    name, kind, features, labels = "picky", "a function", ("a", "b"), ("label0",)
    asked = 0

    def scores(self, rows: pa.Table) -> np.ndarray:
        self.asked += rows.num_rows
        a, b = (rows[name].to_numpy() for name in ("a", "b"))
        return np.asarray(np.where(a > 90, np.nan, a + b))[:, None]


def budgeted(rows: int) -> wk.ModelOptions:
    return wk.ModelOptions(explain=SampledOptions(budget=rows))


def attribution(report: wk.Report) -> Any:
    return report.document()["attribution"]


def held(baseline: wk.Baseline) -> AttributionBaseline:
    told = baseline.learned.baseline
    assert isinstance(told, AttributionBaseline)
    return told


def learn(at: Path, data: Path, *options: object) -> Any:
    made = watchkeep("baseline", "attribution", data, "--out", at / "b", "--json", *OPTIONS, *options)
    assert made.code == 0, made.err
    return made.document


def check(at: Path, data: Path, *options: object) -> Any:
    done = watchkeep("check", at / "b", data, "--out", at / "r", "--json", *options)
    assert done.code in (0, 1), done.err
    return done.document


def spoiled(table: pa.Table, column: str, *places: int) -> pa.Table:
    """The rows with "oops" in some places of a column."""
    texts = [str(value) for value in table[column].to_pylist()]
    for at in places:
        texts[at] = "oops"
    return table.set_column(table.column_names.index(column), column, pa.array(texts))


def test_a_few_cells_that_a_model_cannot_use_are_counted_and_the_others_explained(
    tmp_path: Path, model: str
) -> None:
    learn(tmp_path, write(people(2_000, seed=1), tmp_path / "train.csv"), "--model", model)
    window = write(spoiled(people(2_000, seed=2), "income", 0, 700), tmp_path / "window.csv")

    report = check(tmp_path, window, "--model", model)

    told = report["attribution"]["not_explained"]
    assert sum(told.values()) == 2
    assert all("no finite number" in why or "NaN" in why for why in told)
    assert not [one for one in report["verdicts"] if one["outcome"] == "violated"]
    assert report["outcomes"]["undecided"] == 0
    page = (tmp_path / "r" / "report.html").read_text()
    assert next(iter(told)) in page


def test_reference_rows_that_a_model_cannot_use_are_counted_alike(tmp_path: Path, model: str) -> None:
    train = spoiled(people(2_000, seed=1), "age", *range(0, 2_000, 500))
    report = learn(tmp_path, write(train, tmp_path / "train.csv"), "--model", model)
    assert sum(report["attribution"]["not_explained"].values()) == 4
    assert all(one["rows"] == 100 for one in report["attribution"]["dependence"])

    report = check(tmp_path, write(people(1_000, seed=2), tmp_path / "window.csv"), "--model", model)

    assert not report["attribution"]["not_explained"]
    assert sum(report["attribution"]["baseline_not_explained"].values()) == 4


def test_background_rows_that_a_model_cannot_use_are_left_out() -> None:
    rng = np.random.default_rng(1)
    a = np.concatenate([rng.normal(size=996), np.full(4, 100.0)])  # a cluster of their own
    rows = pa.table({"a": a, "b": rng.normal(size=1_000)})
    model = Picky()

    learned = held(wk.Attribution(model=model, options=budgeted(100_000)).baseline(rows))

    assert learned.background is not None
    assert max(learned.background["a"].to_pylist()) < 90
    assert learned.background.num_rows > 1
    assert model.asked <= 100_000


def test_when_no_row_can_be_used_the_models_own_error_is_told(tmp_path: Path, model: str) -> None:
    learn(tmp_path, write(people(500, seed=1), tmp_path / "train.csv"), "--model", model)
    window = people(200, seed=2)
    bad = write(spoiled(window, "income", *range(200)), tmp_path / "window.csv")

    answer = watchkeep("check", tmp_path / "b", bad, "--out", tmp_path / "r", "--model", model)

    assert answer.is_one_sentence
    assert "NaN" in answer.err or "no finite number" in answer.err


@pytest.mark.parametrize(
    ("learned", "checked", "why"),
    [
        ("one", "three", "it gives 3 outputs, the baseline has 1 (label0)"),
        ("three", "one", "it gives 1 output, the baseline has 3 (label0, label1, label2)"),
    ],
)
def test_a_model_with_other_outputs_than_the_baseline_is_refused(
    tmp_path: Path, model: str, learned: str, checked: str, why: str
) -> None:
    file = model.removesuffix(":one")
    learn(tmp_path, write(people(500, seed=1), tmp_path / "t.parquet"), "--model", f"{file}:{learned}")
    window = write(people(200, seed=2), tmp_path / "w.parquet")
    spec = f"{file}:{checked}"

    answer = watchkeep("check", tmp_path / "b", window, "--out", tmp_path / "r", "--model", spec)

    assert answer.is_one_sentence
    assert why in answer.err
    assert f"{checked}:" in answer.err


@pytest.mark.parametrize("features", ["numbers", "texts"])
def test_files_of_a_window_that_type_a_column_differently_are_explained_together(
    tmp_path: Path, model: str, features: str
) -> None:
    train = people(1_000, seed=1)
    train = train if features == "numbers" else spoiled(train, "age")
    learn(tmp_path, write(train, tmp_path / "train.parquet"), "--model", model)
    folder = tmp_path / "window"
    folder.mkdir()
    for at in range(3):
        table = people(400, seed=at + 2)
        table = spoiled(table, "income") if at == 1 else table
        region = table["region"] if at != 2 else pa.array(np.arange(400) % 3)
        table = table.set_column(table.column_names.index("region"), "region", region)
        with (folder / f"{at}.jsonl").open("w") as file:
            file.writelines(json.dumps(row) + "\n" for row in table.to_pylist())

    report = check(tmp_path, folder, "--model", model)

    assert report["rows"]["analysed"] == 1_200
    assert not report["attribution"]["not_explained"]
    assert report["outcomes"]["undecided"] == 0
    lines = (tmp_path / "r" / "explanations_shap" / "out.csv").read_text().splitlines()
    assert len(lines) == 1_201


def test_columns_may_be_called_like_those_of_ours(tmp_path: Path) -> None:
    def named(n: int, seed: int) -> pa.Table:
        rows = np.random.default_rng(seed).normal(size=(n, 3))
        names = ("(segment 0)", "(contributions)", "(scores)")
        told = {f"{name}_label0": rows[:, at] * (at + 1) for at, name in enumerate(names)}
        return pa.table({name: rows[:, at] for at, name in enumerate(names)} | told)

    monitor = wk.Attribution(model="captured", segments=('high: "(segment 0)" > 0',))
    baseline = monitor.baseline(named(2_000, 1))
    kept = held(baseline).kept

    assert kept is not None
    assert pc.count_distinct(kept["(segment 0)"]).as_py() == kept.num_rows
    assert {"(contributions)", "(scores)"} <= set(kept.column_names)
    found = baseline.check(named(1_500, 2))
    for subject in ("dataset", "high"):
        assert found.measures["ndcg", subject] == pytest.approx(1.0, abs=0.01)


def test_long_text_and_ids_beside_the_features_are_not_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    train = pa.table(
        {
            "a": rng.normal(size=1_000),
            "b": rng.normal(size=1_000),
            "region": rng.choice(["EU", "US"], 1_000).tolist(),
            "amount": rng.gamma(2.0, size=1_000),
            "essay": [f"{at} " + "x" * 20_000 for at in range(1_000)],
            "mail": [f"m{at}@example.org" for at in range(1_000)],
            "number": np.arange(1_000),
            "vector": [[0.5] * 8] * 1_000,
        }
    )
    baseline = wk.Attribution(model=Picky()).baseline(train)
    baseline.save(tmp_path / "b")

    assert (tmp_path / "b" / "baseline.arrow").stat().st_size < 1_000_000
    learned = held(wk.load(tmp_path / "b"))
    assert learned.plan.beside == ("region", "amount")
    assert learned.kept is not None
    assert learned.kept.column_names == ["a", "b", "region", "amount"]
    assert baseline.check(train).measures["ndcg", "dataset"] == 1.0


def test_a_budget_for_few_reference_rows_is_told(tmp_path: Path, model: str) -> None:
    data = write(people(1_000, seed=1), tmp_path / "train.parquet")

    few = learn(tmp_path, data, "--model", model, "--budget", 60)
    assert any("reference rows were explained" in one for one in few["attribution"]["notes"])

    many = learn(tmp_path, data, "--model", model, "--budget", 100_000)
    assert not many["attribution"]["notes"]


def test_a_budget_is_not_passed_by_halving() -> None:
    rng, model = np.random.default_rng(1), Picky()
    rows = pa.table({"a": rng.normal(size=1_000), "b": rng.normal(size=1_000)})
    baseline = wk.Attribution(model=model, options=budgeted(20_000)).baseline(rows)
    spent = model.asked
    a = rows["a"].to_numpy().copy()
    a[[3, 500]] = 100.0
    window = rows.set_column(0, "a", pa.array(a))

    found = baseline.check(window)

    assert spent <= 20_000
    assert model.asked - spent <= 20_000
    assert attribution(found)["not_explained"]
    a[:] = 100.0
    with pytest.raises(ModelError, match="no finite number"):
        baseline.check(rows.set_column(0, "a", pa.array(a)))


def test_a_library_that_explains_by_itself_leaves_out_the_cells_it_cannot_read(tmp_path: Path) -> None:
    train = people(1_000, seed=1)
    data = matrix(train)
    data.set_label(train["churned"].to_numpy())
    booster = xgboost.train({"max_depth": 3, "seed": 1, "nthread": 1}, data, num_boost_round=10)
    booster.save_model(tmp_path / "model.json")
    options = ("--model", tmp_path / "model.json")
    made = watchkeep(
        "baseline", "attribution", write(train, tmp_path / "t.csv"), "--out", tmp_path / "b", *options
    )
    assert made.code == 0, made.err

    report = check(tmp_path, write(spoiled(people(1_000, seed=2), "income", 9), tmp_path / "w.csv"), *options)

    assert report["attribution"]["not_explained"] == {
        "it reads numbers from column 'income', which holds the text 'oops'": 1
    }
    assert report["outcomes"]["undecided"] == 0
    assert all("rows" in one["window"] for one in report["attribution"]["dependence"])
