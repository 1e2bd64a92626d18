"""A baseline becomes what requests must be like, and a real server keeps to it."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.served import ask, served
from tests.scenarios.world import watchkeep, write
from tests.unit.capture.stores import queried


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def admission(tmp_path: Path) -> Path:
    """What requests must be like, by the rows a model was trained on."""
    random = np.random.default_rng(1)
    train = pa.table(
        {
            "age": random.integers(18, 80, 3000),
            "fare": random.normal(30, 5, 3000).round(2),
            "city": random.choice(["Oslo", "Rome"], 3000),
            "churned": random.integers(0, 2, 3000),
        }
    )
    rows = write(train, tmp_path / "train.parquet")
    assert (
        watchkeep("baseline", "data-quality", rows, "--label", "churned", "--out", tmp_path / "known").code
        == 0
    )
    made = watchkeep("admission", tmp_path / "known", "--out", tmp_path / "admission.json")
    assert made.code == 0, made.err
    assert "a whole number from 0 to 140" in made.out
    assert 'one of "Oslo", "Rome"' in made.out
    return tmp_path / "admission.json"


GOOD = {"age": 41, "fare": 31.5, "city": "Oslo"}


def test_what_does_not_fit_is_refused_and_never_reaches_the_model(
    home: Path, admission: Path, tmp_path: Path
) -> None:
    with served(home, {"admission": str(admission), "policy": "refuse"}) as url:
        assert ask(url, [GOOD, GOOD]) == (200, {"predictions": [0.5, 0.5]})
        assert ask(url, [GOOD | {"shoe": 43}])[0] == 200
        status, told = ask(url, [GOOD, GOOD | {"age": "41", "fare": 3150, "city": "Paris"}])
        assert status == told["status"] == 422
        assert [(one["row"], one["column"], one["what"]) for one in told["errors"]] == [
            (1, "age", "type"),
            (1, "fare", "range"),
            (1, "city", "domain"),
        ]
        assert told["detail"].startswith(
            'row 1, age: got "41", expected a whole number from 0 to 140; and 2 more'
        )
        assert ask(url, [{"age": 41, "fare": 31.5}])[1]["errors"][0]["what"] == "missing"
        assert ask(url, None, body=b'{"instances": [')[1]["errors"][0]["what"] == "body"
        assert piecemeal(url, [GOOD] * 500) == 200
        assert piecemeal(url, [GOOD] * 499 + [GOOD | {"age": 999}]) == 422
        assert ask(url.replace("/predict", "/asked"), [])[1] == {"asked": 3}

    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert (listed["Invocations"], listed["Invocation4XXErrors"]) == (7, 4)
    assert listed["flagged"] == {
        "": {"body": 1, "unknown": 1},
        "age": {"range": 1, "type": 1},
        "city": {"domain": 1, "missing": 1},
        "fare": {"range": 1},
    }
    checked = watchkeep("check", tmp_path / "known", "captures:churn", "--out", tmp_path / "r", "--json")
    assert checked.code in (0, 1), checked.err
    assert checked.document["rows"]["analysed"] == 503
    assert checked.document["rows"]["rejected"] == {"answered with status 422": 4}


def piecemeal(url: str, rows: object) -> int:
    """The status of the answer to a request whose body comes in chunks."""
    body = json.dumps({"instances": rows}).encode()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    pieces = iter([body[at : at + 1000] for at in range(0, len(body), 1000)])
    connection.request("POST", "/predict", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_flagged_requests_are_answered_and_their_records_tell(home: Path, admission: Path) -> None:
    with served(home, {"admission": str(admission)}) as url:
        assert ask(url, [GOOD])[0] == 200
        assert ask(url, [GOOD, GOOD | {"fare": -999.0}])[0] == 200

    found = queried(
        f"SELECT capture_row, capture_flags FROM read_parquet('{home}/captures/**/*.parquet')"
        " ORDER BY capture_rows, capture_row"
    )
    assert found[0] == (0, None)
    assert [row for row, _ in found] == [0, 0, 1]
    (problem,) = json.loads(found[1][1])["admission"]
    assert (problem["row"], problem["column"], problem["what"]) == (1, "fare", "range")
    assert found[1][1] == found[2][1]
    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert listed["flagged"] == {"fare": {"range": 1}}


def test_what_cannot_be_made_is_told(tmp_path: Path, admission: Path) -> None:
    nowhere = watchkeep("admission", tmp_path / "nowhere", "--out", tmp_path / "a.json")
    assert nowhere.code == 2
    assert nowhere.is_one_sentence
    slack = watchkeep("admission", tmp_path / "known", "--slack", "-1")
    assert slack.code == 2
    assert "--slack: got '-1.0', expected a number, 0 or more" in slack.err

    told = watchkeep("admission", tmp_path / "known", "--slack", "0", "--rows", "7", "--json")
    assert told.document["rows"] == 7
    assert told.document["columns"][0]["min"] == 18
    assert json.loads(admission.read_text())["columns"][0]["max"] == 140
