"""Attribution as a user meets it: a model file learns, the same model behind an address is checked."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from tests.scenarios.world import watchkeep, write

import watchkeep as wk
from watchkeep.core.errors import MissingColumnError, ModelError

FEATURES = ("age", "income", "tenure", "visits", "noise")


def people(n: int, *, seed: int) -> pa.Table:
    """Rows whose label rests on income most, then on age, hardly on tenure and visits."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(n, len(FEATURES)))
    odds = 2.0 * drawn[:, 1] + 1.0 * drawn[:, 0] + 0.4 * drawn[:, 2] + 0.2 * drawn[:, 3]
    label = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    columns = {name: drawn[:, at] for at, name in enumerate(FEATURES)}
    return pa.table({**columns, "region": rng.choice(["EU", "US"], n).tolist(), "churned": label})


def shifted(table: pa.Table) -> pa.Table:
    """Income has lost its spread, as if a sensor were stuck; age has twice as much."""
    income = table.column("income").to_numpy() * 0.02
    age = table.column("age").to_numpy() * 2.5
    return table.set_column(1, "income", pa.array(income)).set_column(0, "age", pa.array(age))


def matrix(table: pa.Table) -> xgboost.DMatrix:
    columns = np.stack([table.column(name).to_numpy() for name in FEATURES], axis=1)
    return xgboost.DMatrix(columns, feature_names=list(FEATURES))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and a baseline of 4,000 rows by its file."""
    at = tmp_path_factory.mktemp("attribution")
    train = people(4_000, seed=1)
    data = matrix(train)
    data.set_label(train.column("churned").to_numpy())
    options = {"objective": "binary:logistic", "max_depth": 3, "seed": 1, "nthread": 1}
    booster = xgboost.train(options, data, num_boost_round=40)
    booster.save_model(at / "model.json")
    write(train, at / "train.parquet")
    made = watchkeep(
        "baseline", "attribution", at / "train.parquet", "--model", at / "model.json",
        "--label", "churned", "--segment", "europe: region = 'EU'", "--out", at / "b",
    )  # fmt: skip
    assert made.code == 0, made.err
    return at


@contextmanager
def serving(model: Path, *, status: int = 200) -> Iterator[tuple[str, list[int]]]:
    """SageMaker's `/invocations`: CSV in, one probability a line out. Gives its address, and the rows it was asked."""
    booster, asked = xgboost.Booster(model_file=model), []

    class Invocations(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            rows = [[float(cell or "nan") for cell in row] for row in csv.reader(body.splitlines())]
            asked.append(len(rows))
            scores = booster.predict(xgboost.DMatrix(np.array(rows), feature_names=list(FEATURES)))
            told = "\n".join(f"{score:.9g}" for score in scores).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/csv")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Invocations)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/invocations", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check(at: Path, rows: pa.Table, *options: object) -> Any:
    data = write(rows, at / "window.parquet")
    answer = watchkeep("check", at / "b", data, "--out", at / "r", "--json", *options)
    assert answer.code in (0, 1), answer.err
    return answer.document


def values(report: Any) -> dict[tuple[str, str], Any]:
    return {(one["measure"], one["subject"]): one["value"] for one in report["measures"]}


def violated(report: Any) -> set[tuple[str, str]]:
    return {(one["measure"], one["subject"]) for one in report["verdicts"] if one["outcome"] == "violated"}


def test_an_unchanged_window_is_kept_overall_and_in_its_segment(folder: Path) -> None:
    report = check(folder, people(3_000, seed=2), "--model", folder / "model.json")

    assert not violated(report)
    assert report["outcomes"]["undecided"] == 0
    assert values(report)["ndcg", "dataset"] > 0.99
    assert values(report)["ndcg", "europe"] > 0.99
    assert report["decision"]["outcome"] == "not changed"


def test_attributions_are_those_of_the_library_and_add_up_to_the_margin(folder: Path) -> None:
    rows = people(500, seed=3)

    report = check(folder, rows, "--model", folder / "model.json")

    told = xgboost.Booster(model_file=folder / "model.json").predict(matrix(rows), pred_contribs=True)
    for at, name in enumerate(FEATURES):
        assert values(report)["attribution", name] == pytest.approx(np.abs(told[:, at]).mean(), rel=1e-5)
    with (folder / "r" / "explanations_shap" / "out.csv").open() as local:
        lines = list(csv.DictReader(local))
    assert [float(lines[7][f"{name}_label0"]) for name in FEATURES] == pytest.approx(told[7, :-1], rel=1e-5)
    document = json.loads((folder / "r" / "analysis.json").read_text())["explanations"]["kernel_shap"][
        "label0"
    ]
    assert document["expected_value"] == pytest.approx(float(told[0, -1]), rel=1e-6)
    assert set(document["global_shap_values"]) == set(FEATURES)


def test_a_feature_that_lost_its_weight_is_named(folder: Path) -> None:
    report = check(folder, shifted(people(3_000, seed=4)), "--model", folder / "model.json")

    assert {("ndcg", "dataset"), ("attribution", "income"), ("attribution", "age")} <= violated(report)
    assert report["decision"]["alarm"]
    assert set(report["decision"]["named"]) >= {"income"}
    documents = json.loads((folder / "r" / "constraint_violations.json").read_text())["violations"]
    order = next(
        one for one in documents if one["constraint_check_type"] == "feature_attribution_drift_check"
    )
    assert (order["label"], order["metric_name"]) == ("label0", "shap")
    assert order["description"].startswith("Feature attribution drift 0.")


def test_the_same_model_behind_an_address_is_asked_within_its_budget(folder: Path) -> None:
    with serving(folder / "model.json") as (address, asked):
        calm = check(folder, people(2_000, seed=5), "--model", address, "--budget", 30_000)
        spent = sum(asked)
        rang = check(folder, shifted(people(2_000, seed=6)), "--model", address, "--budget", 30_000)

    assert spent <= 30_000
    assert not violated(calm)
    assert {("ndcg", "dataset"), ("attribution", "income")} <= violated(rang)
    assert "permutation SHAP" in rang["attribution"]["method"]


def test_a_report_names_who_explained_the_window_and_that_the_baseline_was_explained_anew(
    folder: Path,
) -> None:
    with serving(folder / "model.json") as (address, _):
        other = check(folder, people(500, seed=5), "--model", address, "--budget", 30_000)["attribution"]
    same = check(folder, people(500, seed=5), "--model", folder / "model.json")["attribution"]

    file = str(folder / "model.json")
    assert (other["model"], other["model_kind"], other["anew"]) == (address, "an endpoint", True)
    assert (other["baseline_model"], other["baseline_model_kind"]) == (file, "XGBoost")
    (caution,) = other["cautions"]
    assert caution.startswith(
        f"The baseline's rows were explained anew by {address}, so a change of the model itself"
    )
    assert (same["model"], same["anew"], same["cautions"]) == (file, False, [])


def test_sagemakers_rule_is_its_own(folder: Path) -> None:
    report = check(
        folder, shifted(people(3_000, seed=4)), "--model", folder / "model.json", "--dialect", "sagemaker"
    )

    (verdict,) = report["verdicts"]
    assert (verdict["measure"], verdict["limit"], verdict["outcome"]) == ("ndcg", 0.9, "violated")


def test_clarifys_file_alone_is_a_baseline(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    document = json.loads((folder / "b" / "analysis.json").read_text())
    for one in document["explanations"]["kernel_shap"].values():  # objects of JSON have no order
        one["global_shap_values"] = dict(reversed(one["global_shap_values"].items()))
    (tmp_path / "theirs" / "analysis.json").write_text(json.dumps(document))
    data = write(shifted(people(3_000, seed=4)), tmp_path / "window.parquet")

    answer = watchkeep(
        "check",
        tmp_path / "theirs",
        data,
        "--model",
        folder / "model.json",
        "--out",
        tmp_path / "r",
        "--json",
    )

    assert answer.code == 1, answer.err
    assert violated(answer.document) == {("ndcg", "dataset")}


def test_an_endpoint_that_is_down_leaves_verdicts_undecided(folder: Path) -> None:
    with serving(folder / "model.json", status=503) as (address, _):
        report = check(folder, people(200, seed=7), "--model", address, "--timeout", 5)

    assert report["outcomes"]["violated"] == 0
    about_the_model = [one for one in report["verdicts"] if one["measure"] in ("ndcg", "attribution")]
    assert {one["outcome"] for one in about_the_model} == {"undecided"}
    assert "503" in about_the_model[0]["sentence"]
    assert report["rows"]["analysed"] == 200


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model", "nowhere.json"], "nowhere.json"),
        ([], "--model"),
    ],
)
def test_a_model_that_is_not_there_is_one_sentence(folder: Path, options: list[str], told: str) -> None:
    answer = watchkeep("check", folder / "b", folder / "train.parquet", "--out", folder / "x", *options)

    assert answer.code == 2
    assert told.removeprefix("--") in answer.err
    assert "Traceback" not in answer.err
    assert not (folder / "x").exists()


def test_a_column_that_the_model_reads_and_the_data_lacks_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingColumnError, match="income"):
        wk.load(folder / "b").check(
            people(50, seed=1).drop_columns(["income"]), model=str(folder / "model.json")
        )


def test_a_model_of_other_features_is_refused(folder: Path, tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(100, 2))
    data = xgboost.DMatrix(rows, label=rows[:, 0] > 0, feature_names=["incomes", "age"])
    xgboost.train({"nthread": 1}, data, 2).save_model(tmp_path / "other.json")

    with pytest.raises(ModelError, match=r"reads the feature 'incomes'.*did you mean 'income'"):
        wk.load(folder / "b").check(people(50, seed=1), model=str(tmp_path / "other.json"))


class Constant:
    name, kind, features, labels = "always the same", "a function", FEATURES, ("label0",)

    def scores(self, rows: pa.Table) -> Any:
        return np.full((rows.num_rows, 1), 0.25)


def test_a_model_that_answers_all_alike_cannot_be_attributed() -> None:
    with pytest.raises(ModelError, match="gives every reference row the same score"):
        wk.Attribution(model=Constant()).baseline(people(100, seed=1))


def test_a_model_that_came_to_answer_all_alike_is_undecided(folder: Path) -> None:
    report = wk.load(folder / "b").check(people(100, seed=1), model=Constant())

    undefined = report.measures["ndcg", "dataset"]
    assert isinstance(undefined, wk.Undefined)
    assert "same score" in undefined.why
