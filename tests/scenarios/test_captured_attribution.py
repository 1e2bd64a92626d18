"""Attributions that came with the rows: columns of them, a column of answers, and a capture tree, without any model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from tests.scenarios.test_attribution import people
from tests.scenarios.world import watchkeep, write

Doubles = npt.NDArray[np.float64]
FEATURES = ("age", "income", "tenure")
WEIGHTS = np.array([0.8, 1.5, 0.3])


def drawn(n: int, seed: int, *, shifted: bool = False) -> tuple[Doubles, Doubles, Doubles]:
    """Rows, contributions to a weighted sum, and scores: 0.25 more than the contributions."""
    rows = np.random.default_rng(seed).normal(size=(n, 3))
    if shifted:
        rows[:, 1] *= 0.02
    values = rows * WEIGHTS
    return rows, values, values.sum(axis=1) + 0.25


def columns(n: int, seed: int, *, name: str = "{feature}_label0", shifted: bool = False) -> pa.Table:
    rows, values, scores = drawn(n, seed, shifted=shifted)
    own = {feature: rows[:, at] for at, feature in enumerate(FEATURES)}
    told = {name.format(feature=feature): values[:, at] for at, feature in enumerate(FEATURES)}
    return pa.table(own | told | {"score": scores, "income_bracket": np.sign(rows[:, 1])})


def record(values: Sequence[float]) -> list[dict[str, Any]]:
    """One record's explanation, as SageMaker's endpoints give it."""
    return [
        {"feature_header": name, "attributions": [{"attribution": [float(value)]}]}
        for name, value in zip(FEATURES, values, strict=True)
    ]


def answer(records: Sequence[Any], scores: Sequence[float]) -> str:
    explained = any(one is not None for one in records)
    lines = "".join(f"{score:.9g}\n" for score in scores)
    return json.dumps(
        {
            "version": "1.0",
            "predictions": {"content_type": "text/csv", "data": lines},
            "label_headers": ["p"],
            "explanations": {"kernel_shap": list(records)} if explained else {},
        }
    )


def answers(n: int, seed: int, *, silent: int = 0, shifted: bool = False) -> pa.Table:
    """A table with a column of answers; the first rows were not explained: half `null`, half `{}`, one not captured."""
    rows, values, scores = drawn(n, seed, shifted=shifted)
    texts: list[str | None] = [
        answer([record(one)], [score]) for one, score in zip(values, scores, strict=True)
    ]
    for at in range(silent):
        broken = answer([None], [scores[at]])
        texts[at] = (
            json.dumps(json.loads(broken) | {"explanations": {"kernel_shap": [None]}}) if at % 2 else broken
        )
    if silent:
        texts[0] = None
    return pa.table({"age": rows[:, 0], "income": rows[:, 1], "tenure": rows[:, 2], "said": texts})


def capture(folder: Path, n: int, seed: int, *, shifted: bool = False) -> Path:
    """Captured records of two rows each; every tenth is not explained, and every eleventh half of it."""
    rows, values, scores = drawn(n, seed, shifted=shifted)
    lines = []
    for event, at in enumerate(range(0, n, 2)):
        records: list[Any] = [record(one) for one in values[at : at + 2]]
        if event % 10 == 0:
            records = [None, None]
        elif event % 11 == 0:
            records[0] = None
        body = "\n".join(",".join(f"{value:.9g}" for value in row) for row in rows[at : at + 2])
        data = {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": body,
                "encoding": "CSV",
            },
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": answer(records, scores[at : at + 2].tolist()),
                "encoding": "JSON",
            },
        }
        metadata = {"eventId": f"e{event}", "inferenceTime": "2026-01-01T00:00:00Z"}
        lines.append(json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}))
    path = folder / "AllTraffic" / "2026" / "01" / "01" / "00" / "a.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")
    return folder


def learn(at: Path, data: Path, *options: object) -> Any:
    made = watchkeep("baseline", "attribution", data, "--out", at / "b", "--json", *options)
    assert made.code == 0, made.err
    return made.document


def check(at: Path, data: Path, *options: object) -> Any:
    done = watchkeep("check", at / "b", data, "--out", at / "r", "--json", *options)
    assert done.code in (0, 1), done.err
    return done.document


def values_of(report: Any) -> dict[tuple[str, str], Any]:
    return {(one["measure"], one["subject"]): one["value"] for one in report["measures"]}


def violated(report: Any) -> set[tuple[str, str]]:
    return {(one["measure"], one["subject"]) for one in report["verdicts"] if one["outcome"] == "violated"}


@pytest.mark.parametrize(
    ("name", "model", "kind"),
    [
        ("{feature}_label0", "captured", "parquet"),
        ("{feature}_label0", "captured", "csv"),
        ("shap_{feature}", "captured:shap_{feature}", "parquet"),
    ],
)
def test_columns_of_attributions_are_used_as_they_are(
    tmp_path: Path, name: str, model: str, kind: str
) -> None:
    train = write(columns(3_000, 1, name=name), tmp_path / f"train.{kind}")
    calm = columns(2_000, 2, name=name)
    window = write(calm, tmp_path / f"window.{kind}")

    told = learn(tmp_path, train, "--model", model, "--score", "score")["attribution"]
    report = check(tmp_path, window, "--model", model)
    rang = check(
        tmp_path, write(columns(2_000, 3, name=name, shifted=True), tmp_path / "x.parquet"), "--model", model
    )

    assert (told["method"], told["features"], told["labels"]) == ("captured", list(FEATURES), ["label0"])
    assert told["expected"] == pytest.approx([0.25])
    assert told["notes"] == []
    for feature in FEATURES:
        mean = np.abs(calm.column(name.format(feature=feature)).to_numpy()).mean()
        assert values_of(report)["attribution", feature] == pytest.approx(mean, rel=1e-7)
    assert not violated(report)
    assert {("ndcg", "dataset"), ("attribution", "income")} <= violated(rang)


def test_the_columns_of_clarifys_own_file_are_enough(tmp_path: Path) -> None:
    whole = columns(2_000, 1).select(["age_label0", "income_label0", "tenure_label0"])

    told = learn(tmp_path, write(whole, tmp_path / "out.csv"), "--model", "captured")["attribution"]
    report = check(tmp_path, write(whole.slice(0, 900), tmp_path / "now.csv"), "--model", "captured")

    assert told["features"] == list(FEATURES)
    assert told["expected"] == [0.0]
    assert "No score was captured" in told["notes"][0]
    assert not violated(report)
    assert report["attribution"]["dependence"][0]["error"] == (
        "attributions were captured, and there is no model to ask"
    )


def test_features_that_are_named_are_the_only_ones(tmp_path: Path) -> None:
    train = write(columns(500, 1), tmp_path / "train.parquet")

    told = learn(tmp_path, train, "--model", "captured", "--feature", "income", "--feature", "age")

    assert told["attribution"]["features"] == ["income", "age"]


def test_rows_without_an_explanation_are_counted_and_never_zero(tmp_path: Path) -> None:
    train = write(answers(2_000, 1), tmp_path / "train.parquet")
    window = answers(1_000, 2, silent=100)

    learn(tmp_path, train, "--model", "captured:said")
    report = check(tmp_path, write(window, tmp_path / "window.parquet"), "--model", "captured:said")

    told = report["attribution"]
    assert told["not_explained"] == {"the endpoint did not explain it": 99, "no answer was captured": 1}
    assert told["places"][0]["explained"] == 900
    assert report["rows"]["analysed"] == 1_000
    mean = np.abs(drawn(1_000, 2)[1][100:]).mean(axis=0)
    found = [values_of(report)["attribution", feature] for feature in FEATURES]
    assert found == pytest.approx(mean.tolist(), rel=1e-7)
    assert not violated(report)
    page = (tmp_path / "r" / "report.html").read_text()
    assert (
        "100 rows were not explained: the endpoint did not explain it (99), no answer was captured (1)."
        in page
    )


def test_a_window_of_which_no_row_is_explained_is_undecided(tmp_path: Path) -> None:
    train = write(answers(500, 1), tmp_path / "train.parquet")
    learn(tmp_path, train, "--model", "captured:said")

    window = write(answers(200, 2, silent=200), tmp_path / "window.parquet")
    report = check(tmp_path, window, "--model", "captured:said")

    about = [one for one in report["verdicts"] if one["measure"] in ("ndcg", "attribution")]
    assert {one["outcome"] for one in about} == {"undecided"}
    assert "no row carries attributions: the endpoint did not explain it (199 rows)" in about[0]["sentence"]


def test_a_capture_tree_of_an_endpoint_that_explains_needs_no_more_options(tmp_path: Path) -> None:
    train = capture(tmp_path / "then", 3_000, 1)

    told = learn(tmp_path, train, "--model", "captured")["attribution"]
    report = check(tmp_path, capture(tmp_path / "now", 2_000, 2), "--model", "captured")
    rang = check(tmp_path, capture(tmp_path / "later", 2_000, 3, shifted=True), "--model", "captured")

    assert (told["features"], told["labels"]) == (list(FEATURES), ["p"])
    assert told["expected"] == pytest.approx([0.25], abs=1e-6)
    explained = [
        at for at in range(2_000) if not ((at // 2) % 10 == 0 or ((at // 2) % 11 == 0 and at % 2 == 0))
    ]
    assert report["attribution"]["places"][0]["explained"] == len(explained)
    assert report["attribution"]["not_explained"] == {
        "the endpoint did not explain it": 2_000 - len(explained)
    }
    mean = np.abs(drawn(2_000, 2)[1][explained]).mean(axis=0)
    assert [values_of(report)["attribution", name] for name in FEATURES] == pytest.approx(
        mean.tolist(), rel=1e-6
    )
    assert report["rows"] == report["rows"] | {"read": 2_000, "analysed": 2_000}
    assert not violated(report)
    assert {("ndcg", "dataset"), ("attribution", "income")} <= violated(rang)


def test_a_baseline_of_a_model_is_not_compared_with_captured_attributions(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("def score(rows):\n    return rows['age'] + rows['income']\n")
    train = write(columns(300, 1), tmp_path / "train.parquet")
    named = [option for name in FEATURES for option in ("--feature", name)]
    learn(tmp_path, train, "--model", f"{tmp_path}/model.py:score", *named)

    refused = watchkeep("check", tmp_path / "b", train, "--out", tmp_path / "r", "--model", "captured")

    assert refused.code == 2
    assert "comparable with captured ones only" in refused.err
    assert "permutation SHAP" in refused.err
    assert not (tmp_path / "r").exists()


def test_a_captured_baseline_is_explained_anew_where_a_model_answers(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(
        "def score(rows):\n    return 0.8 * rows['age'] + 1.5 * rows['income'] + 0.3 * rows['tenure']\n"
    )
    train = write(columns(2_000, 1), tmp_path / "train.parquet")
    learn(tmp_path, train, "--model", "captured")

    window = write(columns(1_500, 2), tmp_path / "window.parquet")
    report = check(tmp_path, window, "--model", f"{tmp_path}/model.py:score")

    assert "permutation SHAP" in report["attribution"]["method"]
    assert not violated(report)
    assert report["attribution"]["places"][0]["baseline_explained"] == 1_000


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("captured", "'<feature>_label0'"),
        ("captured:answer", "'answer'"),
        ("captured:phi_{feature}", "'phi_<feature>'"),
        ("captured:{label}", "shap_{feature}"),
    ],
)
def test_attributions_that_are_not_there_are_one_sentence(tmp_path: Path, model: str, told: str) -> None:
    data = write(people(50, seed=1), tmp_path / "train.parquet")

    refused = watchkeep("baseline", "attribution", data, "--model", model, "--out", tmp_path / "b")

    assert refused.is_one_sentence, refused.err
    assert told in refused.err
