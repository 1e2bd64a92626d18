"""Model quality as a user meets it: two commands, three kinds of problems, labels that come later."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import ndcg_score
from tests.scenarios.world import watchkeep, write

import watchkeep as wk
from watchkeep.core.errors import OptionError


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


def test_a_day_whose_scores_are_on_another_scale_is_a_violation_in_a_file_of_many(tmp_path: Path) -> None:
    days = []
    for day in range(30):
        table = served("binary", 200, day)
        score = table["p"] if day < 29 else pc.multiply(table["p"], 100)
        at = pa.array([f"2026-01-{day + 1:02}T12:00:00Z"] * 200)
        days.append(table.set_column(2, "p", score).append_column("at", at))
    baseline = wk.ModelQuality().baseline(
        wk.read(pa.concat_tables(days[:29]), label="y", score="p", timestamp="at")
    )

    report = baseline.check(pa.concat_tables(days), start="2026-01-30", end="2026-01-31")

    share = report.measures["rejected", "dataset"]
    assert isinstance(share, float)
    assert share > 0.9
    assert "rejected" in {one.measure for one in report.violations}


def test_a_score_that_takes_the_column_of_the_answers_is_refused(tmp_path: Path) -> None:
    table = served("numbers", 500, 3)
    baseline = wk.ModelQuality().baseline(wk.read(table, label="y", prediction="q"))

    with pytest.raises(OptionError, match="prediction: got 'nothing'"):
        baseline.check(wk.read(table, score="q"))


def test_scores_on_another_scale_are_a_violation(learned: Path, tmp_path: Path) -> None:
    table = served("binary", 500, 9)
    scaled = table.set_column(2, "p", pc.multiply(table["p"], 100))

    answer = watchkeep(
        "check", learned, write(scaled, tmp_path / "percent.parquet"), "--out", tmp_path / "r", "--json"
    )

    violated = [one for one in answer.document["verdicts"] if one["outcome"] == "violated"]
    assert answer.code == 1
    assert ("rejected", 0.05) in [(one["measure"], one["limit"]) for one in violated]
    assert answer.document["rows"]["analysed"] < 50


def test_a_window_without_labels_is_undecided_and_says_so() -> None:
    baseline = wk.ModelQuality().baseline(wk.read(served("binary", 2_000, 1), label="y", score="p"))

    report = baseline.check(served("binary", 500, 2).drop_columns(["y"]))

    assert {one.measure for one in report.verdicts if str(one.outcome) != "undecided"} == {"rejected"}
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


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved baseline of two classes."""
    folder = tmp_path_factory.mktemp("quality")
    write(served("binary", 6_000, 1), folder / "val.parquet")
    made = watchkeep(
        "baseline", "model-quality", folder / "val.parquet", *ROLES["binary"], "--out", folder / "b"
    )
    assert made.code == 0, made.err
    return folder / "b"


def test_quality_is_estimated_before_labels_and_the_truth_lies_in_the_band(
    learned: Path, tmp_path: Path
) -> None:
    today = served("binary", 4_000, 5)
    blind = write(today.drop_columns(["y"]), tmp_path / "blind.parquet")
    seen = write(today, tmp_path / "seen.parquet")

    without, known = (
        watchkeep("check", learned, source, "--out", tmp_path / "r", "--json").document["quality"]
        for source in (blind, seen)
    )

    told = {one["measure"]: one for one in without["estimates"]["measures"]}
    realised = {one["measure"]: one["value"] for one in known["measures"]}
    assert told["auc"]["realised"] is None
    inside = [told[name]["low"] <= realised[name] <= told[name]["high"] for name in ("auc", "accuracy", "f1")]
    assert sum(inside) >= 2
    assert "concept drift" in without["estimates"]["sentence"]


def test_a_model_that_must_fail_is_told_before_labels_have_come(learned: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    unsure = pa.table(
        {"id": np.arange(3_000), "x": rng.normal(size=3_000), "p": rng.uniform(0.4, 0.6, 3_000)}
    )
    answer = watchkeep(
        "check", learned, write(unsure, tmp_path / "w.parquet"), "--out", tmp_path / "r", "--json"
    )

    assert answer.code == 1, answer.err
    violated = [one for one in answer.document["verdicts"] if one["outcome"] == "violated"]
    assert all("before labels have come" in one["sentence"] for one in violated)
    assert "accuracy" in {one["measure"] for one in violated}


def test_labels_that_contradict_the_estimate_are_concept_drift(learned: Path, tmp_path: Path) -> None:
    outcomes = {}
    for worse in (False, True):
        source = write(served("binary", 3_000, 6, worse=worse), tmp_path / f"{worse}.parquet")
        document = watchkeep("check", learned, source, "--out", tmp_path / "r", "--json").document
        outcomes[worse] = {
            one["outcome"] for one in document["verdicts"] if one["check"] == "concept_drift_check"
        }

    assert outcomes == {False: {"kept"}, True: {"violated"}}


def test_prediction_sets_hold_the_truth_as_often_as_was_asked(learned: Path, tmp_path: Path) -> None:
    source = write(served("binary", 4_000, 7), tmp_path / "w.parquet")
    told = watchkeep("check", learned, source, "--out", tmp_path / "r", "--json").document["quality"]

    # Four standard errors of either sample: a chance of less than one in ten thousand to be beyond.
    assert told["coverage"]["asked"] == 0.9
    assert abs(told["coverage"]["value"] - 0.9) < 4 * (0.09 / 4_000 + 0.09 / 6_000) ** 0.5
    assert 0.5 < told["uncertain"]["confidence"] < 1


def test_the_least_certain_answers_are_listed_for_review(learned: Path, tmp_path: Path) -> None:
    today = served("binary", 1_000, 8)
    source = write(today, tmp_path / "w.parquet")
    listed = tmp_path / "review.csv"

    answer = watchkeep(
        *("check", learned, source, "--out", tmp_path / "r", "--json"),
        *("--review", listed, "--review-below", 0.55),
    )

    chances = np.maximum(today["p"].to_numpy(), 1 - today["p"].to_numpy())
    expected = {one for one, chance in zip(today["id"].to_pylist(), chances, strict=True) if chance < 0.55}
    lines = listed.read_text().splitlines()
    assert lines[0] == '"id","prediction","probability"'
    assert {line.split(",")[0].strip('"') for line in lines[1:]} == expected
    assert answer.document["quality"]["uncertain"]["rows"] == len(expected)


def test_a_planted_segment_is_found(tmp_path: Path) -> None:
    def rows(seed: int, *, broken: bool) -> pa.Table:
        rng = np.random.default_rng(seed)
        n = 6_000
        region, age = rng.choice(["EU", "US", "ASIA"], n), rng.integers(18, 80, n)
        chance = rng.uniform(0, 1, n)
        true = np.where(broken & (region == "EU") & (age < 40), 1 - chance, chance)
        return pa.table({"region": region, "age": age, "p": chance, "y": (rng.random(n) < true).astype(int)})

    write(rows(1, broken=False), tmp_path / "val.parquet")
    write(rows(2, broken=True), tmp_path / "today.parquet")
    watchkeep(
        *("baseline", "model-quality", tmp_path / "val.parquet", "--label", "y", "--score", "p"),
        *("--out", tmp_path / "b"),
    )
    answer = watchkeep(
        "check",
        tmp_path / "b",
        tmp_path / "today.parquet",
        "--out",
        tmp_path / "r",
        "--find-segments",
        "--json",
    )

    first = answer.document["quality"]["found"][0]
    assert first["kind"] == "risen"
    assert "region = 'EU'" in first["rule"]
    assert "age <=" in first["rule"]
    assert 0.2 < first["share"] / (1 / 3 * 22 / 62) < 1.8


def test_few_labels_make_the_band_half_as_wide(learned: Path, tmp_path: Path) -> None:
    source = write(served("binary", 3_000, 9).drop_columns(["y"]), tmp_path / "w.parquet")
    chosen = tmp_path / "to-label.csv"

    answer = watchkeep("label-plan", learned, source, "--out", chosen, "--json")
    wrong = watchkeep("label-plan", learned, source, "--measure", "acuracy")

    plan = answer.document
    assert plan["half_width"]["then"] <= 0.51 * plan["half_width"]["now"]
    assert len(chosen.read_text().splitlines()) == 1 + plan["labels"]
    assert plan["labels"] < 3_000
    assert len({one["id"] for one in plan["chosen"]}) == plan["labels"]
    assert wrong.code == 2
    assert "accuracy" in wrong.err


def test_the_labels_of_a_plan_tell_the_measure_of_all_rows(learned: Path, tmp_path: Path) -> None:
    day = served("binary", 6_000, 61, worse=True)
    source = write(day.drop_columns(["y"]), tmp_path / "w.parquet")
    truth = float(np.mean((np.array(day["p"]) > 0.5) == np.array(day["y"])))
    plan = watchkeep("label-plan", learned, source, "--share", "0.6", "--json").document
    chosen = {one["id"] for one in plan["chosen"]}
    mine = [one in chosen for one in day["id"].to_pylist()]
    labels = write(day.select(["id", "y"]).filter(pa.array(mine)), tmp_path / "labels.csv")

    told = watchkeep("label-plan", learned, source, "--share", "0.6", "--labels", labels, "--json").document
    words = watchkeep("label-plan", learned, source, "--share", "0.6", "--labels", labels)
    other = write(pa.table({"id": ["nobody"], "y": [1]}), tmp_path / "other.csv")
    none = watchkeep("label-plan", learned, source, "--labels", other, "--id", "id")

    known = told["known"]
    assert known["labels"] == len(chosen) < 6_000
    assert known["low"] <= truth <= known["high"]
    assert known["high"] - known["low"] < 0.05
    assert (
        not told["estimate"]["low"] <= truth <= told["estimate"]["high"]
    )  # the estimate cannot see the drift
    assert f"{known['value']:.4g}" in words.out
    assert none.out.endswith("No row of the plan has a label yet.\n")


def test_a_watch_over_quality_adds_windows_up(learned: Path, tmp_path: Path) -> None:
    levels = []
    for day in range(6):
        source = write(served("binary", 800, 30 + day, worse=day > 3), tmp_path / "w.parquet")
        answer = watchkeep(
            *("check", learned, source, "--out", tmp_path / "r"),
            *("--watch", tmp_path / "q.watch", "--json"),
        )
        levels.append(answer.document["decision"])

    assert [one["alarm"] for one in levels[:4]] == [False] * 4
    assert levels[4]["alarm"]
    assert "accuracy" in levels[4]["named"]
    told = watchkeep("show", tmp_path / "q.watch", "--json").document["decision"]["track"]
    accuracy = next(one for one in told if one["measure"] == "accuracy")
    assert (accuracy["windows"], accuracy["within"]) == (6, 4)
    assert -0.2 < accuracy["miss"] < -0.02  # it came out lower than was expected
    assert "4 of 6 windows within the band" in watchkeep("show", tmp_path / "q.watch").out


def test_how_an_estimate_turned_out_is_kept_once_labels_have_come(learned: Path, tmp_path: Path) -> None:
    day = served("binary", 900, 41)
    predictions = write(day.drop_columns(["y"]), tmp_path / "preds.parquet")
    labels = write(day.select(["id", "y"]), tmp_path / "labels.parquet")
    watch = ("--watch", tmp_path / "q.watch", "--out", tmp_path / "r")
    tracks = []
    for late in ((), ("--labels", labels), ("--labels", labels)):
        watchkeep("check", learned, predictions, *late, *watch, "--json")
        tracks.append(watchkeep("show", tmp_path / "q.watch", "--json").document["decision"]["track"])

    assert tracks[0] == []
    assert tracks[1] == tracks[2]
    assert {one["measure"]: one["windows"] for one in tracks[1]} == {"accuracy": 1, "auc": 1, "log_loss": 1}


def pages_of_results(pages: int, seed: int, *, worse: bool = False) -> pa.Table:
    """Ten results to a page, each with a grade from 0 to 3, and the number a model ranks them by."""
    rng = np.random.default_rng(seed)
    grade = rng.choice([0, 0, 0, 1, 2, 3], 10 * pages)
    page = np.repeat([f"page {at}" for at in rng.permutation(pages)], 10)
    told = np.where(worse, 0.2, 1.0) * grade + rng.normal(size=10 * pages)
    order = rng.permutation(10 * pages)
    return pa.table({"page": page[order], "told": told[order], "grade": grade[order], "x": told[order]})


def test_ranks_within_queries_are_measured_and_watched(tmp_path: Path) -> None:
    write(pages_of_results(900, 1), tmp_path / "val.parquet")
    roles = ("--label", "grade", "--prediction", "told", "--query", "page")
    made = watchkeep(
        "baseline",
        "model-quality",
        tmp_path / "val.parquet",
        *roles,
        "--ignore",
        "x",
        "--out",
        tmp_path / "b",
    )
    assert made.code == 0, made.err
    table = pages_of_results(400, 2)
    grades, told = (np.array(table[name]).astype(float) for name in ("grade", "told"))
    by_page = np.array(table["page"])
    good = [page for page in np.unique(by_page) if grades[by_page == page].any()]
    expected = np.mean(
        [ndcg_score([grades[by_page == page]], [told[by_page == page]], k=10) for page in good]
    )
    (tmp_path / "parts").mkdir()
    for at in range(0, 4_000, 40):
        pq.write_table(table.slice(at, 40), tmp_path / "parts" / f"{at}.parquet")
    write(pages_of_results(400, 3, worse=True), tmp_path / "worse.parquet")

    same, worse = (
        watchkeep("check", tmp_path / "b", tmp_path / name, "--out", tmp_path / "r", "--json")
        for name in ("parts", "worse.parquet")
    )

    found = {one["measure"]: one for one in same.document["quality"]["measures"]}
    assert found["ndcg_at_10"]["value"] == pytest.approx(expected, abs=1e-9)
    assert 0 < found["ndcg_at_10"]["error"] < 0.02
    assert found["mean_reciprocal_rank"]["value"] > 0.5
    assert same.code == 0, same.err
    broken = {one["measure"] for one in worse.document["verdicts"] if one["outcome"] == "violated"}
    assert {"ndcg_at_5", "ndcg_at_10", "mean_reciprocal_rank"} <= broken


def test_python_joins_labels_searches_and_lists_as_the_commands_do(tmp_path: Path) -> None:
    quality = wk.ModelQuality().baseline(wk.read(served("binary", 4_000, 1), label="y", score="p", id="id"))
    day = served("binary", 2_000, 51)
    answers = day.drop_columns(["y"]).rename_columns(["key", "x", "p"])
    outcomes = day.select(["id", "y"]).slice(0, 1_500)

    report = quality.check(
        wk.read(answers, id="key"),
        labels=outcomes,
        labels_id="id",
        find_segments=True,
        review=tmp_path / "look" / "at.csv",
    )
    plan = quality.label_plan(wk.read(answers, id="key"), measure="recall")

    told: Any = report.document()["quality"]
    assert (told["labelled"], told["join"]["match_rate"]) == (1_500, 0.75)
    assert told["found"] is not None
    listed = (tmp_path / "look" / "at.csv").read_text().splitlines()
    assert len(listed) == 1 + told["uncertain"]["rows"] > 1
    assert len(plan.chosen) == sum(plan.labels)
    assert {one for one, _ in plan.chosen} <= set(answers["key"].to_pylist())
    with pytest.raises(wk.WatchkeepError, match="model-quality"):
        wk.DataQuality().baseline(day).check(day, find_segments=True)


def with_members(table: pa.Table, seed: int, scatter: float) -> pa.Table:
    noise = np.random.default_rng(seed).normal(scale=scatter, size=(table.num_rows, 5))
    scores = np.clip(np.array(table["p"])[:, None] + noise, 0, 1)
    return table.append_column("each", pa.array(scores.tolist()))


def test_how_far_the_members_of_an_ensemble_disagree_is_told(tmp_path: Path) -> None:
    write(with_members(served("binary", 3_000, 1), 1, 0.02), tmp_path / "val.parquet")
    today = with_members(served("binary", 900, 2), 2, 0.10)
    write(today.drop_columns(["y"]), tmp_path / "w.parquet")
    made = watchkeep(
        *("baseline", "model-quality", tmp_path / "val.parquet", *ROLES["binary"]),
        *("--members", "each", "--out", tmp_path / "b"),
    )
    assert made.code == 0, made.err

    told = watchkeep("check", tmp_path / "b", tmp_path / "w.parquet", "--out", tmp_path / "r", "--json")
    words = watchkeep("show", tmp_path / "r")

    unsure = told.document["quality"]["uncertain"]
    expected = np.std(np.array(today["each"].to_pylist()), axis=1, ddof=1).mean()
    assert unsure["spread"] == pytest.approx(expected, abs=1e-8)
    assert unsure["baseline"]["spread"] < 0.5 * unsure["spread"]
    assert "spread of members" in words.out


GOLDEN = Path(__file__).parents[1] / "golden" / "model_quality"


@pytest.mark.parametrize("word", ["binary", "multiclass", "regression"])
def test_a_baseline_that_sagemaker_made_is_judged_against(word: str, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for kind in ("statistics", "constraints"):
        (theirs / f"{kind}.json").write_bytes((GOLDEN / f"{kind}_{word}.json").read_bytes())
    rng = np.random.default_rng(8)
    n = 3_000
    told = json.loads((theirs / "statistics.json").read_text())
    if word == "regression":
        y = rng.normal(5, 2, n)
        good, bad = (pa.table({"y": y, "q": y + rng.normal(scale=scale, size=n)}) for scale in (0.1, 6.0))
    else:
        names = list(told[f"{word}_classification_metrics"]["confusion_matrix"])
        y = rng.choice(names, n)
        good = pa.table({"y": y, "q": y})
        bad = pa.table({"y": y, "q": rng.permutation(y)})
    roles = ("--label", "y", "--prediction", "q")
    answers = []
    for table in (good, bad):
        source = write(table, tmp_path / "w.parquet")
        answers.append(watchkeep("check", theirs, source, *roles, "--out", tmp_path / "r", "--json"))

    fine, wrong = answers
    assert fine.code == 0, fine.err
    assert wrong.code == 1, wrong.err
    assert fine.document["outcomes"]["violated"] == 0
    broken = {one["measure"] for one in wrong.document["verdicts"] if one["outcome"] == "violated"}
    assert broken >= ({"rmse", "mae"} if word == "regression" else {"accuracy"})
    nobody = watchkeep("check", theirs, tmp_path / "w.parquet", "--out", tmp_path / "r")
    assert (nobody.code, "label" in nobody.err) == (2, True)
    shown = watchkeep("show", theirs, "--json")
    assert shown.code == 0, shown.err


def test_what_a_foreign_baseline_cannot_do_is_said_in_one_sentence(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    for kind in ("statistics", "constraints"):
        (theirs / f"{kind}.json").write_bytes((GOLDEN / f"{kind}_binary.json").read_bytes())
    day = served("binary", 500, 3)
    source = write(day, tmp_path / "w.parquet")
    roles = ("--label", "y", "--score", "p")

    searched = watchkeep("check", theirs, source, *roles, "--find-segments", "--out", tmp_path / "r")
    planned = watchkeep("label-plan", theirs, source, *roles)
    loaded = wk.load(theirs)

    assert (searched.code, "features" in searched.err) == (2, True)
    assert (planned.code, "baseline" in planned.err) == (2, True)
    for check in (loaded.check, lambda table: loaded.judge(loaded.scan(table))):
        with pytest.raises(wk.WatchkeepError, match="label"):
            check(day)
    with pytest.raises(wk.WatchkeepError, match="when the baseline is loaded"):
        loaded.check(wk.read(day, label="y", score="p"))
    with pytest.raises(wk.WatchkeepError, match="nothing more to write"):
        loaded.save(tmp_path / "copy")
    named = [wk.load(theirs, roles=wk.Roles(label="y", score="p", timestamp=at)) for at in (None, "at")]
    assert named[0].states_id == named[1].states_id == loaded.states_id
    report = named[0].check(wk.read(day, members="x"))  # which is no list: no row has a spread
    assert isinstance(report.document(), dict)

    text = (
        (GOLDEN / "statistics_binary.json")
        .read_text()
        .replace('"1" : { "0" : 66, "1" : 340 }', '"2" : { "1" : 3 }')
    )
    (theirs / "statistics.json").write_text(text)
    broken = watchkeep("check", theirs, source, *roles, "--out", tmp_path / "r")
    assert (broken.code, "confusion matrix" in broken.err) == (2, True)


def test_members_that_the_baseline_does_not_know_are_no_fault(learned: Path, tmp_path: Path) -> None:
    source = write(with_members(served("binary", 500, 4), 4, 0.1), tmp_path / "w.parquet")

    answer = watchkeep("check", learned, source, "--members", "each", "--out", tmp_path / "r", "--json")

    assert answer.code in (0, 1), answer.err
    assert answer.document["quality"]["uncertain"]["spread"] > 0


def test_rows_without_an_id_are_not_planned(learned: Path, tmp_path: Path) -> None:
    day = served("binary", 900, 6).drop_columns(["y"])
    ids = pa.array([None if at % 3 == 0 else one for at, one in enumerate(day["id"].to_pylist())])
    source = write(day.set_column(0, "id", ids), tmp_path / "w.parquet")

    chosen = watchkeep("label-plan", learned, source, "--json").document["chosen"]

    assert len(chosen) > 100
    assert all(one["id"].startswith("r6-") for one in chosen)


def test_a_label_that_is_named_and_is_not_there_is_refused(learned: Path, tmp_path: Path) -> None:
    source = write(served("binary", 500, 3), tmp_path / "w.parquet")

    answer = watchkeep("check", learned, source, "--label", "yy", "--out", tmp_path / "r")

    assert answer.code == 2
    assert "label" in answer.err
    assert "'y'" in answer.err


def test_a_plan_that_is_not_done_says_what_is_missing(learned: Path, tmp_path: Path) -> None:
    day = served("binary", 3_000, 71)
    source = write(day.drop_columns(["y"]), tmp_path / "w.parquet")
    plan = watchkeep("label-plan", learned, source, "--json").document
    some = {one["id"] for one in plan["chosen"][:40]}
    mine = [one in some for one in day["id"].to_pylist()]
    labels = write(day.select(["id", "y"]).filter(pa.array(mine)), tmp_path / "labels.csv")

    answer = watchkeep("label-plan", learned, source, "--labels", labels)

    assert f"{plan['labels'] - 40:,} labels of the plan are missing" in answer.out


def test_members_must_be_lists(tmp_path: Path) -> None:
    source = write(served("binary", 500, 3), tmp_path / "val.parquet")

    answer = watchkeep(
        *("baseline", "model-quality", source, *ROLES["binary"], "--members", "x", "--out", tmp_path / "b")
    )

    assert (answer.code, "lists of numbers" in answer.err) == (2, True)
