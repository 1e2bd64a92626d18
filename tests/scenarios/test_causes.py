"""Why did it ring? All the monitors of a model, checked together as a user does, and one ranking of causes."""

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from tests.scenarios.world import watchkeep, write

import watchkeep as wk
from watchkeep.core.errors import BaselineError, OptionError
from watchkeep.core.verdicts import Status
from watchkeep.service.answers import QualityLearned

FEATURES = ("age", "income", "distance", "hours", "noise")
ROLES = ("--label", "late", "--score", "score", "--id", "id")


def trips(n: int, *, seed: int) -> pa.Table:
    """Rows whose label rests on distance most, then on age and income; hardly on hours, not on noise."""
    rng = np.random.default_rng(seed)
    columns = {
        "age": rng.normal(40, 10, n).round(),
        "income": rng.lognormal(8, 0.5, n).round(2),
        "distance": rng.gamma(3.0, 20.0, n).round(1),
        "hours": rng.integers(1, 24, n).astype(np.float64),
        "noise": rng.normal(size=n),
    }
    odds = (columns["distance"] - 60) / 15 + (columns["age"] - 40) / 12 + (columns["income"] - 3000) / 2500
    late = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    depot = rng.choice(["north", "south", "west"], n).tolist()
    return pa.table({"id": np.arange(n) + n * seed, **columns, "depot": depot, "late": late})


def scored(rows: pa.Table, model: xgboost.Booster) -> pa.Table:
    columns = np.stack([rows.column(name).to_numpy() for name in FEATURES], axis=1)
    score = model.predict(xgboost.DMatrix(columns, feature_names=list(FEATURES)))
    return rows.append_column("score", pa.array(score.astype(np.float64)))


def changed(rows: pa.Table, name: str, values: Any) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, pa.array(values))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and baselines of its data, its answers and its attributions in one folder."""
    at = tmp_path_factory.mktemp("causes")
    train = trips(6_000, seed=1)
    columns = np.stack([train.column(name).to_numpy() for name in FEATURES], axis=1)
    data = xgboost.DMatrix(columns, label=train.column("late").to_numpy(), feature_names=list(FEATURES))
    options = {"objective": "binary:logistic", "max_depth": 3, "seed": 1, "nthread": 1}
    model = xgboost.train(options, data, num_boost_round=40)
    model.save_model(at / "model.json")
    reference = write(scored(trips(6_000, seed=2), model), at / "reference.parquet")
    for kind, name in (("data-quality", "data"), ("model-quality", "quality"), ("attribution", "why")):
        more = ("--model", at / "model.json") if kind == "attribution" else ()
        made = watchkeep("baseline", kind, reference, *ROLES, *more, "--out", at / "baselines" / name)
        assert made.code == 0, made.err
    return at


def model_of(home: Path) -> xgboost.Booster:
    return xgboost.Booster(model_file=home / "model.json")


def checked(home: Path, rows: pa.Table, *options: object) -> Any:
    window = write(rows, home / "window.parquet")
    return watchkeep("check", home / "baselines", window, "--out", home / "r", "--json", *options)


def test_every_monitor_is_run_and_has_a_report_of_its_own(home: Path) -> None:
    rows = scored(trips(2_000, seed=3), model_of(home))
    answer = checked(home, rows, "--model", home / "model.json")

    assert answer.code == 0, answer.err
    assert answer.document["status"] == "Completed"
    assert answer.document["causes"] == []
    assert {one["name"]: one["kind"] for one in answer.document["monitors"]} == {
        "data": "data-quality",
        "quality": "model-quality",
        "why": "attribution",
    }
    for one in answer.document["monitors"]:
        assert (home / "r" / one["report"]).is_file()
    held = [path for path in (home / "r").rglob("report.json") if path.parent != home / "r"]
    assert sum(len(json.loads(path.read_text())["verdicts"]) for path in held) == len(
        answer.document["verdicts"]
    )


def test_a_unit_error_is_named_first_and_by_name_and_so_is_who_sends_it(home: Path) -> None:
    rows = trips(4_000, seed=4)
    metres = np.where(
        np.array(rows.column("depot").to_pylist()) == "west",
        rows.column("distance").to_numpy() * 1.609344,
        rows.column("distance").to_numpy(),
    )
    served = scored(changed(rows, "distance", metres), model_of(home))
    answer = checked(home, served, "--model", home / "model.json")

    assert answer.code == 1
    first = answer.document["causes"][0]
    assert (first["subject"], first["pattern"]) == ("distance", "unit change")
    assert first["segments"] == ["depot = 'west'"]
    assert "miles" in first["sentence"]
    assert first["importance"] > 0.4
    page = home / "r" / first["chart"].partition("#")[0]
    assert f'id="{first["chart"].partition("#")[2]}"' in page.read_text()


def test_among_what_moved_that_comes_first_which_answers_rest_on(home: Path) -> None:
    rows = trips(4_000, seed=5)
    rows = changed(rows, "noise", rows.column("noise").to_numpy() + 1.0)
    rows = changed(rows, "distance", rows.column("distance").to_numpy() + 15.0)
    data = checked(home, scored(rows, model_of(home)), "--model", home / "model.json").document
    alone = wk.load(home / "baselines" / "data").check(home / "window.parquet")

    ranked = [one["subject"] for one in data["causes"] if one["drift"] and isinstance(one["share"], float)]
    assert ranked.index("distance") < ranked.index("noise")
    assert alone.causes[0].subject == "noise"  # without a model, what moved most


def test_worse_answers_are_put_down_to_the_mix_that_makes_them_worse(home: Path) -> None:
    rng = np.random.default_rng(6)
    rows = trips(30_000, seed=6)
    near = np.abs(rows.column("distance").to_numpy() - 60) < 12  # where the model is least sure
    rows = rows.filter(pa.array(near | (rng.random(len(rows)) < 0.1)))
    served = scored(rows, model_of(home))
    answer = checked(home, served, "--model", home / "model.json")

    found = {one["subject"]: one for one in answer.document["causes"]}
    assert answer.document["causes"][0]["subject"] == "distance"
    assert found["distance"]["effect"] > 0.03
    assert "adds" in found["distance"]["sentence"]


def test_a_model_that_is_missing_keeps_no_other_monitor_from_its_work(home: Path) -> None:
    rows = trips(2_000, seed=7)
    served = scored(changed(rows, "hours", rows.column("hours").to_numpy() * 60), model_of(home))
    answer = checked(home, served, "--model", home / "nowhere.json")

    assert answer.code == 3
    assert answer.document["status"] == "Failed"
    failed = [one for one in answer.document["monitors"] if one["status"] == "Failed"]
    assert [(one["name"], "nowhere.json" in one["why"]) for one in failed] == [("why", True)]
    assert answer.document["causes"][0]["pattern"] == "unit change"
    drawn = watchkeep("show", home / "r")
    assert "nowhere.json" in drawn.out


def test_a_baseline_that_is_damaged_keeps_no_other_from_its_work(home: Path, tmp_path: Path) -> None:
    copied = tmp_path / "baselines"
    shutil.copytree(home / "baselines", copied)
    (copied / "data").rename(copied / "a#b?c% d")
    whole = (copied / "why" / "baseline.arrow").read_bytes()
    (copied / "why" / "baseline.arrow").write_bytes(whole[:2000])
    rows = write(scored(trips(1_000, seed=12), model_of(home)), tmp_path / "window.parquet")
    answer = watchkeep(
        "check", copied, rows, "--model", home / "model.json", "--out", tmp_path / "r", "--json"
    )

    assert answer.code == 3
    (failed,) = [one for one in answer.document["monitors"] if one["status"] == "Failed"]
    assert failed["name"] == "why"
    pages = [one["report"] for one in answer.document["monitors"] if one["status"] != "Failed"]
    assert [(tmp_path / "r" / unquote(page)).is_file() for page in pages] == [True, True]
    drawn = watchkeep("show", tmp_path / "r")
    assert "The monitor why could not be run." in " ".join(drawn.out.split())
    one = watchkeep("show", copied)
    assert "several baselines" in one.err


def test_a_fault_of_one_monitor_is_told_and_the_others_go_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    baselines = wk.Baselines.load(home / "baselines")
    monkeypatch.setattr(QualityLearned, "check", broken)
    reports = baselines.check(scored(trips(800, seed=13), model_of(home)), model=home / "model.json")
    assert list(reports.reports) == ["data", "why"]
    assert "fault of ours: RuntimeError: a bug" in reports.failures["quality"]
    assert reports.status is Status.FAILED
    assert reports.decision is not None


def test_labels_that_have_not_come_are_no_missing_column(home: Path) -> None:
    rows = scored(trips(1_000, seed=14), model_of(home))
    labels = write(rows.select(["id", "late"]), home / "labels.parquet")
    served = rows.drop_columns(["late"])
    answer = checked(home, served, "--model", home / "model.json", "--labels", labels)

    assert answer.code == 0, answer.err
    assert answer.document["causes"] == []


def test_another_model_is_told_as_such(home: Path) -> None:
    train = trips(6_000, seed=1)
    columns = np.stack([train.column(name).to_numpy() for name in FEATURES], axis=1)
    columns[:, 2] = np.random.default_rng(1).permutation(columns[:, 2])
    data = xgboost.DMatrix(columns, label=train.column("late").to_numpy(), feature_names=list(FEATURES))
    other = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, data, num_boost_round=40
    )
    other.save_model(home / "other.json")
    report = wk.load(home / "baselines" / "why").check(trips(3_000, seed=15), model=home / "other.json")

    assert report.causes[0].subject == "model"
    assert "another model" in report.causes[0].sentence


def test_labels_that_turned_are_not_put_down_to_the_model(home: Path) -> None:
    rows = scored(trips(3_000, seed=18), model_of(home))
    turned = changed(rows, "late", 1 - rows.column("late").to_numpy())
    answer = checked(home, turned, "--model", home / "model.json")

    outcomes = {one["name"]: one["outcomes"]["violated"] for one in answer.document["monitors"]}
    assert outcomes["quality"] > 0
    assert outcomes["why"] == 0
    assert "model" not in [one["subject"] for one in answer.document["causes"]]
    decision = answer.document["decision"]
    assert (decision["monitor"], decision["alarm"]) == ("quality", True)
    (data,) = [one for one in answer.document["monitors"] if one["name"] == "data"]
    assert "depot" in data["decision"]["parts"]


def test_models_in_memory_are_taken_as_they_are(home: Path) -> None:
    rows = trips(1_500, seed=16).select(list(FEATURES))

    def late(frame: Any) -> Any:
        return frame["distance"] * 2 + frame["age"]

    by_function = wk.Attribution(model=late).baseline(rows)
    by_booster = wk.Attribution(model=model_of(home)).baseline(rows)
    assert by_function.check(trips(800, seed=17)).measures["ndcg", "dataset"] == pytest.approx(1, abs=1e-3)
    assert by_booster.check(trips(800, seed=17)).measures["ndcg", "dataset"] == pytest.approx(1, abs=1e-2)
    with pytest.raises(OptionError, match="an object with `scores`"):
        wk.Attribution(model=3).baseline(rows)


@pytest.mark.parametrize("names", [["x", "x"], ["x"], ["../up", "y"], ["", "y"]])
def test_names_of_baselines_are_names_of_folders(home: Path, names: list[str]) -> None:
    both = [wk.load(home / "baselines" / name) for name in ("data", "quality")]
    with pytest.raises(OptionError, match="different names"):
        wk.Baselines(*both, names=names)


def test_a_watch_is_of_one_baseline(home: Path) -> None:
    rows = scored(trips(500, seed=8), model_of(home))
    answer = checked(home, rows, "--watch", home / "w.watch")

    assert answer.code == 2
    assert "holds several" in answer.err


def test_a_folder_without_a_baseline_says_so(home: Path, tmp_path: Path) -> None:
    answer = watchkeep("check", tmp_path, home / "reference.parquet", "--out", tmp_path / "r")

    assert answer.code == 2
    assert "baseline" in answer.err
    with pytest.raises(BaselineError, match="none of its folders"):
        wk.Baselines.load(tmp_path)
    with pytest.raises(OptionError, match="baselines"):
        wk.Baselines()


def test_the_python_api_ranks_as_the_command_does(home: Path) -> None:
    rows = trips(2_000, seed=9)
    rows = changed(rows, "age", np.where(np.arange(len(rows)) % 5, rows.column("age").to_numpy(), -999.0))
    served = scored(rows, model_of(home))
    answer = checked(home, served, "--model", home / "model.json")
    reports = wk.Baselines.load(home / "baselines").check(served, model=home / "model.json")

    assert reports.status is Status.COMPLETED_WITH_VIOLATIONS
    assert list(reports.reports) == ["data", "quality", "why"]
    assert [one.subject for one in reports.causes] == [one["subject"] for one in answer.document["causes"]]
    assert reports.causes[0].pattern == "new null code"
    reports.save(home / "again")
    assert (home / "again" / "monitors" / "why" / "report.html").is_file()


def test_a_report_of_several_is_only_put_where_one_was(home: Path) -> None:
    rows = write(scored(trips(500, seed=10), model_of(home)), home / "small.parquet")
    answer = watchkeep("check", home / "baselines", rows, "--out", home / "baselines")

    assert answer.code == 2
    assert (home / "baselines" / "data" / "baseline.arrow").is_file()


def test_attribution_alone_says_what_moved_and_how_much_rests_on_it(home: Path) -> None:
    rows = trips(3_000, seed=11)
    rows = changed(rows, "distance", rows.column("distance").to_numpy() * 1000)
    report = wk.load(home / "baselines" / "why").check(rows, model=home / "model.json")

    first = report.causes[0]
    assert (first.subject, first.pattern) == ("distance", "unit change")
    assert isinstance(first.importance, float)
    assert first.importance > 0.4
    assert first.chart == "#column-distance"
    assert 'id="column-distance"' in report.html()
