"""A model is served, captured, and what was captured is checked; processes are killed in the middle of it."""

import http.client
import json
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.scenarios.listening import free_port, running, settled
from tests.scenarios.world import watchkeep, write
from tests.unit.capture.stores import queried

SERVER = """
import json, sys
import uvicorn
import watchkeep as wk

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    rows = json.loads(body)["instances"]
    status = 200 if all("age" in row for row in rows) else 422
    answer = json.dumps({"predictions": [row.get("age", 0) / 100 for row in rows]}).encode()
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer})

app = wk.capture.middleware(app, endpoint="churn", durability=sys.argv[2], delay=0.05)
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""


@contextmanager
def server(home: Path, durability: str = "async") -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """The model server; it is killed afterwards if it still runs."""
    port = free_port()
    with running(port, "-c", textwrap.dedent(SERVER), str(port), durability, home=home) as process:
        yield process, f"http://127.0.0.1:{port}/predict"


def ask(url: str, rows: list[dict[str, Any]], inference_id: str = "") -> int:
    """Ask, and get the status of the answer; 0 where there was none."""
    headers = {"Content-Type": "application/json", "X-Amzn-SageMaker-Inference-Id": inference_id}
    request = urllib.request.Request(url, json.dumps({"instances": rows}).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return 0


def person(number: int) -> dict[str, Any]:
    random = np.random.default_rng(number)
    return {
        "age": int(random.integers(18, 80)),
        "fare": float(random.normal(30, 5)),
        "city": ["Oslo", "Rome"][number % 2],
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path / "home"


def test_what_was_asked_and_answered_is_checked(home: Path, tmp_path: Path) -> None:
    train = [person(number) for number in range(3000)]
    known = tmp_path / "known"
    table = pa.Table.from_pylist([one | {"_c0": one["age"] / 100} for one in train])
    assert (
        watchkeep("baseline", "data-quality", write(table, tmp_path / "t.parquet"), "--out", known).code == 0
    )
    with server(home) as (process, url):
        for number in range(3000, 3300, 3):
            assert ask(url, [person(number), person(number + 1), person(number + 2)], f"i{number}") == 200
        assert ask(url, [{"fare": 1.0}]) == 422
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    settled(home)

    checked = watchkeep("check", known, "captures:churn", "--out", tmp_path / "r", "--json")
    listed = watchkeep("captures", "list", "--json")

    assert checked.code in (0, 1), checked.err
    assert checked.document["rows"]["analysed"] == 300
    assert checked.document["rows"]["rejected"] == {"answered with status 422": 1}
    (captured,) = listed.document["captures"]
    assert (captured["Invocations"], captured["Invocation4XXErrors"]) == (101, 1)
    assert captured["ModelLatency"]["p50"] > 0
    found = queried(
        "SELECT count(*), avg(age), max(capture_rows) FROM"
        f" read_parquet('{home}/captures/**/*.parquet', union_by_name=true) WHERE capture_problem IS NULL"
    )[0]
    assert found[0] == 300
    assert found[1] == pytest.approx(np.mean([person(number)["age"] for number in range(3000, 3300)]))
    assert found[2] == 3


def test_labels_find_the_rows_they_are_about(home: Path, tmp_path: Path) -> None:
    with server(home) as (process, url):
        for number in range(40):
            assert ask(url, [person(number)], f"i{number}") == 200
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    settled(home)
    labels = pa.table({"inferenceId": [f"i{number}" for number in range(30)], "churned": [0, 1] * 15})
    train = pa.table({"_c0": np.linspace(0, 1, 400), "churned": [0, 1] * 200})
    known = tmp_path / "known"
    roles = ("--label", "churned", "--score", "_c0")
    assert (
        watchkeep(
            "baseline", "model-quality", write(train, tmp_path / "t.parquet"), *roles, "--out", known
        ).code
        == 0
    )

    labelled = write(labels, tmp_path / "labels.parquet")
    checked = watchkeep(
        "check",
        known,
        "captures:churn",
        "--id",
        "inferenceId",
        "--labels",
        labelled,
        "--out",
        tmp_path / "r",
        "--json",
    )

    assert checked.code in (0, 1), checked.err
    assert (checked.document["rows"]["read"], checked.document["rows"]["unmatched"]) == (40, 10)


def test_labels_are_stored_as_they_come(home: Path, tmp_path: Path) -> None:
    with server(home) as (process, url):
        for number in range(40):
            assert ask(url, [person(number)], f"i{number}") == 200
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    settled(home)
    train = pa.table({"_c0": np.linspace(0, 1, 400), "churned": [0, 1] * 200})
    known = tmp_path / "known"
    roles = ("--label", "churned", "--score", "_c0")
    written = write(train, tmp_path / "t.parquet")
    assert watchkeep("baseline", "model-quality", written, *roles, "--out", known).code == 0
    first = pa.table({"order": [f"i{number}" for number in range(30)] + [None], "churned": [0, 1] * 15 + [1]})
    later = pa.table({"order": ["i0", "i35", "i36"], "churned": [1, 0, None]})

    for table, name in ((first, "first"), (first, "again"), (later, "later")):
        labelled = write(table, tmp_path / f"{name}.csv")
        told = watchkeep("labels", "churn", labelled, "--id", "order", "--label", "churned", "--json")
        assert told.code == 0, told.err
    checked = watchkeep(
        *("check", known, "captures:churn", "--id", "inferenceId", "--labels", "labels:churn"),
        *("--out", tmp_path / "r", "--json"),
    )

    assert (told.document["labels"], told.document["without_value"]) == (2, 1)
    assert checked.code in (0, 1), checked.err
    assert checked.document["rows"]["unmatched"] == 9
    joined = checked.document["quality"]["join"]
    assert joined["match_rate"] == pytest.approx(31 / 40)
    assert joined["changed_labels"] == 1


@pytest.mark.parametrize("round_", range(3))
def test_every_answer_that_was_given_in_sync_mode_is_there_after_a_kill(home: Path, round_: int) -> None:
    with server(home, "sync") as (process, url), ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, url, [person(number)], f"i{number}") for number in range(1500)]
        while sum(answer.done() for answer in answers) < 200 + 300 * round_:
            time.sleep(0.01)
        process.kill()
        given = {f"i{number}" for number, answer in enumerate(answers) if answer.result() == 200}
    settled(home, by_hand=True)

    stored = queried(f"SELECT capture_inference_id FROM read_parquet('{home}/captures/**/*.parquet')")
    ids = [one for (one,) in stored]
    assert len(given) >= 200 + 300 * round_
    assert len(ids) == len(set(ids))
    assert given <= set(ids)
    assert len(set(ids) - given) <= 8  # answered, and killed before the asker heard


def test_a_sealer_that_is_killed_loses_nothing_and_doubles_nothing(home: Path) -> None:
    from watchkeep.capture.record import Inference
    from watchkeep.capture.segment import Segment

    body = json.dumps({"instances": [person(1)]}).encode()
    for part in range(6):
        segment = Segment.new(home / "segments")
        for at in range(20):
            segment.append(
                [
                    Inference(
                        "churn",
                        "A",
                        f"{part}-{at}-{n}",
                        "",
                        1_700_000_000_000_000 + n * 10**9,
                        1,
                        1,
                        200,
                        1.0,
                        "",
                        "",
                        "application/json",
                        "application/json",
                        body,
                        b'{"predictions": [0.5]}',
                    )
                    for n in range(50)
                ]
            )
        segment.close()
    for patience in (0.35, 0.5, 0.65, 0.8):
        process = subprocess.Popen(
            [sys.executable, "-m", "watchkeep", "captures", "seal", "--home", str(home)]
        )
        time.sleep(patience)
        process.kill()
        process.wait()
    watchkeep("captures", "seal")

    ids = queried(f"SELECT capture_event_id FROM read_parquet('{home}/captures/**/*.parquet')")
    assert len(ids) == len(set(ids)) == 6 * 20 * 50
    (captured,) = watchkeep("captures", "list", "--json").document["captures"]
    assert captured["hours"] == 14


def test_a_home_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    import watchkeep as wk
    from watchkeep.core.errors import OptionError

    (tmp_path / "file").write_text("")

    with pytest.raises(OptionError, match="a folder that can be written"):
        wk.capture.middleware(print, endpoint="churn", home=tmp_path / "file" / "home")


def test_what_is_not_there_is_told(home: Path, tmp_path: Path) -> None:
    known = tmp_path / "known"
    train = write(pa.table({"age": list(range(100))}), tmp_path / "t.parquet")
    assert watchkeep("baseline", "data-quality", train, "--out", known).code == 0

    answer = watchkeep("check", known, "captures:churn", "--out", tmp_path / "r")

    assert answer.is_one_sentence
    assert "churn" in answer.err
    assert watchkeep("captures", "list").code == 0
