"""A gateway in front of a model server: everything passes, everything is recorded, and kills lose nothing promised."""

import http.client
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from tests.scenarios.listening import free_port, running, settled
from tests.scenarios.world import watchkeep
from tests.unit.capture.stores import queried

UPSTREAM = """
import json, sys
import uvicorn

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    try:
        rows = json.loads(body)["instances"]
        status, answer = 200, json.dumps({"predictions": [sum(row) for row in rows]}).encode()
    except ValueError:
        status, answer = 400, b'{"error": "that is no JSON"}'
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer})

uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""


@contextmanager
def gateway(home: Path, upstream: int, *options: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = free_port()
    words = (
        "-m",
        "watchkeep",
        "gateway",
        f"churn=http://127.0.0.1:{upstream}",
        "--port",
        str(port),
        *options,
    )
    with running(port, *words, home=home) as process:
        yield process, port


@pytest.fixture
def upstream() -> Iterator[int]:
    port = free_port()
    with running(port, "-c", UPSTREAM, str(port)):
        yield port


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHKEEP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    return tmp_path / "home"


def rows(home: Path, columns: str) -> list[Any]:
    files = f"read_parquet('{home}/captures/**/*.parquet', union_by_name=true)"
    found: list[Any] = queried(f"SELECT {columns} FROM {files} ORDER BY ALL")
    return found


def test_the_client_of_sagemaker_speaks_to_any_model_through_it(home: Path, upstream: int) -> None:
    with gateway(home, upstream) as (process, port):
        client = boto3.client(
            "sagemaker-runtime",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="eu-west-1",
            config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1}),
        )
        answer = client.invoke_endpoint(
            EndpointName="churn",
            ContentType="application/json",
            InferenceId="mine",
            CustomAttributes="trace=7",
            Body=b'{"instances": [[1, 2.5], [3, 4]]}',
        )
        body = json.loads(answer["Body"].read())
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            client.invoke_endpoint(EndpointName="churn", ContentType="application/json", Body=b"no")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    settled(home, by_hand=True)

    assert body == {"predictions": [3.5, 7]}
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    sound = "_c0, _c1, _c2, capture_inference_id, capture_attributes, capture_row, capture_problem"
    assert rows(home, sound) == [
        (3.5, 1, 2.5, "mine", "trace=7", 0, None),
        (7.0, 3, 4.0, "mine", "trace=7", 1, None),
        (None, None, None, None, None, 0, "answered with status 400"),
    ]
    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert (listed["Invocations"], listed["Invocation4XXErrors"]) == (2, 1)


def ask(port: int, number: int) -> int:
    body = json.dumps({"instances": [[number, 1]]}).encode()
    headers = {"Content-Type": "application/json", "X-Amzn-SageMaker-Inference-Id": f"i{number}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException):
        return 0


def test_every_answer_that_passed_in_sync_mode_is_recorded_after_a_kill(home: Path, upstream: int) -> None:
    given: set[str] = set()
    for part in range(2):
        with (
            gateway(home, upstream, "--durability", "sync") as (process, port),
            ThreadPoolExecutor(8) as pool,
        ):
            numbers = range(part * 1000, part * 1000 + 1000)
            answers = {number: pool.submit(ask, port, number) for number in numbers}
            while sum(answer.done() for answer in answers.values()) < 300:
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGKILL)
            given |= {f"i{number}" for number, answer in answers.items() if answer.result() == 200}
    settled(home, by_hand=True)

    ids = [one for (one,) in rows(home, "capture_inference_id")]
    assert len(given) >= 600
    assert len(ids) == len(set(ids))
    assert given <= set(ids)


def test_an_upstream_that_is_down_is_told_and_counted(home: Path) -> None:
    with gateway(home, free_port()) as (process, port):
        assert ask(port, 1) == 502
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    settled(home, by_hand=True)

    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert (listed["Invocations"], listed["Invocation5XXErrors"], listed["InvocationModelErrors"]) == (
        1,
        1,
        1,
    )
    ((problem, flags),) = rows(home, "capture_problem, capture_flags")
    assert problem == "answered with status 502"
    assert "error" in json.loads(flags)


def test_policies_hold_for_what_passes(home: Path, upstream: int, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "churn:\n  sampling: {percentage: 0, keep: ['status >= 400']}\n  privacy: {detect: [email]}\n"
    )
    with gateway(home, upstream, "--policy", str(policy)) as (process, port):
        assert ask(port, 1) == 200
        url = f"http://127.0.0.1:{port}/invocations"
        bad = urllib.request.Request(url, b"ann@example.org", {"Content-Type": "text/plain"})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(bad, timeout=10)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    settled(home, by_hand=True)

    assert rows(home, "capture_input, capture_weight") == [(b"<email>", 1.0)]
    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert (listed["Invocations"], listed["not_stored"]) == (2, {"left out of the sample": 1})


def test_policies_that_cannot_be_used_are_told(home: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    for text, told in (
        ("chrun: {}", "did you mean 'churn'"),
        ("churn: {sampled: 1}", "sampling"),
        ("[", "YAML"),
    ):
        policy.write_text(text)
        answer = watchkeep("gateway", "churn=http://x", "--policy", policy)
        assert answer.is_one_sentence
        assert told in answer.err


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("http://x", "ENDPOINT[/VARIANT]=URL"),
        ("a=ftp://x", "upstream"),
        ("../x=http://y", "endpoint"),
        ("a=http://y*0", "weight"),
        ("a=http://y*1.2.3", "weight"),
    ],
)
def test_targets_that_cannot_be_used_are_told(home: Path, target: str, told: str) -> None:
    answer = watchkeep("gateway", target)

    assert answer.is_one_sentence
    assert told in answer.err
