"""An endpoint is sampled; what monitors say of the sample is what they would say of all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.served import ask, served
from tests.scenarios.world import watchkeep, write
from tests.unit.capture.records import inference
from tests.unit.capture.stores import queried

from watchkeep.capture.sampling import Sampling

SAMPLING = {
    "percentage": 20,
    "keep": ["status >= 400", "score < 0.3", "country in (IS, LI)"],
    "names": ["score"],
}
N = 1200


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path / "home"


def test_measures_of_a_sample_are_those_of_all(home: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    scores = random.random(N).round(4)
    came = (random.random(N) < scores).astype(int)
    countries = random.choice(["NO", "SE", "FR", "IS"], N, p=[0.4, 0.4, 0.15, 0.05])
    rows = [{"country": str(c), "score": float(s)} for c, s in zip(countries, scores, strict=True)]
    with served(home, {"sampling": SAMPLING}) as url, ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda at: ask(url, [rows[at]], f"i{at}")[0], range(N)))
    assert set(statuses) == {200}

    # The same inferences are in the sample here as there.
    sampling = Sampling.of(SAMPLING)
    records = [
        inference({"instances": [row]}, {"predictions": [row["score"]]}, name=f"i{at}")
        for at, row in enumerate(rows)
    ]
    weights = {one.inference_id: weight for one in records if (weight := sampling.weight(one))}
    stored = queried(
        f"SELECT capture_inference_id, capture_weight FROM read_parquet('{home}/captures/**/*.parquet')"
    )
    assert dict(stored) == weights
    assert len(stored) == len(weights) < 0.7 * N
    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert listed["Invocations"] == N
    assert listed["not_stored"] == {"left out of the sample": N - len(weights)}

    train = random.random(4000).round(4)
    labels = (random.random(4000) < train).astype(int)
    table = pa.table({"_c0": train, "came": labels})
    known, options = tmp_path / "known", ("--label", "came", "--score", "_c0")
    learned = watchkeep(
        "baseline", "model-quality", write(table, tmp_path / "t.parquet"), *options, "--out", known
    )
    assert learned.code == 0, learned.err
    truth = write(
        pa.table({"inferenceId": [f"i{n}" for n in range(N)], "came": came}), tmp_path / "l.parquet"
    )
    joined = ("--id", "inferenceId", "--labels", truth)
    checked = watchkeep("check", known, "captures:churn", *joined, "--out", tmp_path / "r", "--json")

    assert checked.code in (0, 1), checked.err
    report = checked.document
    assert report["rows"]["weights"] == {"column": "capture_weight", "used": True, "even": False}
    assert report["rows"]["outside"] == {"sample": N - len(weights)}
    assert report["rows"]["analysed"] == len(weights)
    page, said = (tmp_path / "r" / "report.html").read_text(), "each counted as as many as it stands for"
    assert said in page
    assert said in watchkeep("show", tmp_path / "r").out
    measured = {one["measure"]: one["value"] for one in report["measures"]}
    recall = (came[scores > 0.5]).sum() / came.sum()
    kept = np.array([f"i{n}" in weights for n in range(N)])
    of_the_sample = came[kept & (scores > 0.5)].sum() / came[kept].sum()
    assert measured["recall"] == pytest.approx(recall, abs=0.05)
    assert abs(of_the_sample - recall) > 0.1

    by_hand = ("--weight", "capture_weight")
    told = watchkeep("check", known, "captures:churn", *joined, *by_hand, "--out", tmp_path / "r", "--json")
    assert {one["measure"]: one["value"] for one in told.document["measures"]} == measured
    assert "weights" not in told.document["rows"]


def test_data_quality_of_a_sample_with_rules_is_that_of_all(home: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    rows = [{"score": float(score)} for score in random.random(1500).round(4)]
    with served(home, {"sampling": SAMPLING}) as url, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: ask(url, [rows[at]], f"i{at}"), range(len(rows))))
    table = pa.table({"score": random.random(4000).round(4), "_c0": np.full(4000, 0.5)})
    known, out = tmp_path / "known", ("--out", tmp_path / "r", "--json")
    train = write(table, tmp_path / "t.parquet")
    assert watchkeep("baseline", "data-quality", train, "--ignore", "_c0", "--out", known).code == 0

    checked = watchkeep("check", known, "captures:churn", *out)
    stored = watchkeep(
        "check", known, "captures:churn", "--states", tmp_path / "states", "--timestamp", "capture_time", *out
    )

    assert checked.code == 0, checked.err
    report = checked.document
    assert report["rows"]["weights"] == {"column": "capture_weight", "used": True, "even": True}
    kept, left = report["rows"]["analysed"], report["rows"]["outside"]["even sample"]
    assert kept == pytest.approx(0.2 * len(rows), abs=70)
    assert left > 200  # of those that a rule kept, and that are a third of all
    assert {one["measure"]: one["value"] for one in report["measures"]}["mean"] == pytest.approx(
        0.5, abs=0.07
    )
    assert (
        "some were left out so that each stands for the same number" in watchkeep("show", tmp_path / "r").out
    )
    assert stored.document["rows"]["analysed"] == kept


def test_a_report_says_what_records_weigh_and_nothing_where_all_are_there(home: Path, tmp_path: Path) -> None:
    table = write(
        pa.table({"score": [n / 300 for n in range(300)], "_c0": [0.5] * 300}), tmp_path / "t.parquet"
    )
    known = tmp_path / "known"
    assert watchkeep("baseline", "data-quality", table, "--out", known).code == 0
    with served(home, {"sampling": {"percentage": 50}}) as url:
        for n in range(80):
            assert ask(url, [{"score": n / 80}], f"i{n}")[0] == 200
    sampled = watchkeep("check", known, "captures:churn", "--out", tmp_path / "r", "--json")
    assert sampled.document["rows"]["weights"] == {"column": "capture_weight", "used": True, "even": False}
    assert "each counted as as many as it stands for" in watchkeep("show", tmp_path / "r").out

    with served(tmp_path / "other", {}) as url:
        assert ask(url, [{"score": 0.5}] * 40, "i")[0] == 200
    whole = f"captures:{tmp_path / 'other' / 'captures'}#churn"
    told = watchkeep("check", known, whole, "--out", tmp_path / "r", "--json")
    assert told.document["rows"]["analysed"] == 40
    assert "weights" not in told.document["rows"]


def test_a_baseline_of_captures_that_are_sampled_has_their_weights(home: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    scores = random.random(400).round(4)
    with served(home, {"sampling": SAMPLING}) as url:
        for n, score in enumerate(scores):
            ask(url, [{"score": float(score), "sex": "FM"[n % 2], "hired": int(score > 0.4)}], f"i{n}")
    options = ("--label", "hired", "--facet", "sex=F", "--out", tmp_path / "b", "--json")
    learned = watchkeep("baseline", "bias", "captures:churn", *options)

    assert learned.code == 0, learned.err
    assert learned.document["roles"]["weight"] == "capture_weight"
