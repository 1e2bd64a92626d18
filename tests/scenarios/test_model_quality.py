"""Model quality as a user meets it: two commands, three kinds of problems, labels that come later."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scenarios.world import watchkeep, write

import watchkeep as wk


def served(problem: str, n: int, seed: int, *, worse: bool = False) -> pa.Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    columns: dict[str, object] = {"id": [f"r{seed}-{at}" for at in range(n)], "x": x}
    if problem == "binary":
        chance = 1 / (1 + np.exp(-2 * x))
        columns["p"] = chance
        columns["y"] = (rng.random(n) < (0.5 + 0.3 * (chance - 0.5) if worse else chance)).astype(int)
    elif problem == "several":
        truth = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
        right = rng.random(n) < (0.5 if worse else 0.8)
        columns |= {"q": np.where(right, truth, rng.choice(["a", "b", "c"], n)), "y": truth}
    else:
        columns |= {"q": 10 + x, "y": 10 + x + (3 if worse else 1) * rng.normal(size=n)}
    return pa.table(columns)


ROLES = {
    "binary": ("--label", "y", "--score", "p", "--id", "id"),
    "several": ("--label", "y", "--prediction", "q", "--id", "id"),
    "numbers": ("--label", "y", "--prediction", "q", "--id", "id"),
}


@pytest.mark.parametrize("problem", ROLES)
def test_a_model_that_answers_worse_is_told_once_labels_have_come(problem: str, tmp_path: Path) -> None:
    reference = write(served(problem, 4_000, 1), tmp_path / "val.parquet")
    made = watchkeep("baseline", "model-quality", reference, *ROLES[problem], "--out", tmp_path / "b")
    assert made.code == 0, made.err
    answers = {}
    for worse in (False, True):
        today = served(problem, 1_500, 2, worse=worse)
        predictions = write(today.drop_columns(["y"]), tmp_path / "preds.parquet")
        labels = write(today.select(["id", "y"]).slice(0, 1_200), tmp_path / "labels.csv")
        out = tmp_path / f"r{worse}"
        answer = watchkeep(
            "check", tmp_path / "b", predictions, "--labels", labels, "--id", "id", "--out", out, "--json"
        )
        assert answer.code == int(worse), answer.err
        answers[worse] = answer.document
        assert sorted(path.name for path in out.iterdir()) == [
            "constraint_violations.json",
            "constraints.json",
            "report.html",
            "report.json",
            "statistics.json",
        ]

    assert answers[False]["decision"]["outcome"] == "not changed"
    assert answers[True]["decision"]["outcome"] == "changed"
    assert answers[True]["outcomes"]["violated"] > 0
    for document in answers.values():
        assert document["quality"]["labelled"] == 1_200
        assert document["rows"]["unmatched"] == 300
        assert document["quality"]["join"]["match_rate"] == 0.8


def test_the_files_are_those_of_sagemaker(tmp_path: Path) -> None:
    write(served("binary", 3_000, 1), tmp_path / "val.parquet")
    write(served("binary", 1_000, 2, worse=True), tmp_path / "today.parquet")
    watchkeep(
        "baseline", "model-quality", tmp_path / "val.parquet", *ROLES["binary"], "--out", tmp_path / "b"
    )
    answer = watchkeep("check", tmp_path / "b", tmp_path / "today.parquet", "--out", tmp_path / "r")
    assert answer.code == 1, answer.err

    statistics = json.loads((tmp_path / "r" / "statistics.json").read_text())
    limits = json.loads((tmp_path / "r" / "constraints.json").read_text())
    violations = json.loads((tmp_path / "r" / "constraint_violations.json").read_text())

    told = statistics["binary_classification_metrics"]
    assert {"confusion_matrix", "recall", "auc", "receiver_operating_characteristic_curve"} <= set(told)
    assert sum(n for row in told["confusion_matrix"].values() for n in row.values()) == 1_000
    assert limits["binary_classification_constraints"]["recall"]["comparison_operator"] == "LessThanThreshold"
    assert {"metric_name", "constraint_check_type", "description"} <= set(violations["violations"][0])


def test_one_file_or_a_thousand_give_the_same_report(tmp_path: Path) -> None:
    write(served("binary", 3_000, 1), tmp_path / "val.parquet")
    watchkeep(
        "baseline", "model-quality", tmp_path / "val.parquet", *ROLES["binary"], "--out", tmp_path / "b"
    )
    today = served("binary", 2_000, 2)
    write(today, tmp_path / "today.parquet")
    (tmp_path / "parts").mkdir()
    for at in range(1_000):
        pq.write_table(today.slice(2 * at, 2), tmp_path / "parts" / f"{at:04}.parquet")

    documents = []
    for source in ("today.parquet", "parts"):
        answer = watchkeep("check", tmp_path / "b", tmp_path / source, "--out", tmp_path / "r", "--json")
        documents.append(
            {key: answer.document[key] for key in ("quality", "verdicts", "measures", "decision", "rows")}
        )

    assert documents[0] == documents[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": [0] * 50}, "one class only"),
        ({"y": [None] * 50}, "holds no label"),
        ({"p": [float("nan")] * 50}, "score"),
        ({"w": [-1.0] * 50}, "weight"),
    ],
)
def test_bad_answers_are_refused_in_one_sentence(
    change: dict[str, list[object]], said: str, tmp_path: Path
) -> None:
    columns = {"y": [0, 1] * 25, "p": [0.2, 0.7] * 25, "w": [1.0] * 50} | change
    write(pa.table(columns), tmp_path / "val.parquet")

    answer = watchkeep(
        *("baseline", "model-quality", tmp_path / "val.parquet", "--label", "y", "--score", "p"),
        *("--weight", "w", "--out", tmp_path / "b"),
    )

    assert answer.code == 2
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1
    assert not (tmp_path / "b").exists()


def test_scores_beyond_a_probability_are_rejected_and_counted(tmp_path: Path) -> None:
    baseline = wk.ModelQuality().baseline(wk.read(served("binary", 2_000, 1), label="y", score="p"))
    today = served("binary", 500, 2).to_pandas()
    today.loc[:9, "p"] = 1.5
    today.loc[10:14, "p"] = np.nan

    rows = baseline.check(today).document()["rows"]

    assert rows == {
        "read": 500,
        "analysed": 485,
        "unmatched": 0,
        "rejected": {"the score is missing or no finite number": 5, "the score is not within [0, 1]": 10},
    }


def test_a_window_without_labels_is_undecided_and_says_so() -> None:
    baseline = wk.ModelQuality().baseline(wk.read(served("binary", 2_000, 1), label="y", score="p"))

    report = baseline.check(served("binary", 500, 2).drop_columns(["y"]))

    assert {str(verdict.outcome) for verdict in report.verdicts} == {"undecided"}
    assert str(report.decision.outcome) == "too little data to tell"
    assert isinstance(report.measures["auc", "dataset"], wk.Undefined)


def test_a_segment_is_measured_apart(tmp_path: Path) -> None:
    rows = served("binary", 4_000, 1)
    baseline = wk.ModelQuality(segments=["upper: x > 0", "x <= 0"]).baseline(
        wk.read(rows, label="y", score="p")
    )

    report = baseline.check(served("binary", 1_000, 2))

    told = {one["name"]: one["labelled"] for one in report.document()["quality"]["segments"]}  # type: ignore[index]
    assert set(told) == {"upper", "x <= 0"}
    assert sum(told.values()) == 1_000
    assert report.measures["accuracy", "upper"] != report.measures["accuracy", "dataset"]
