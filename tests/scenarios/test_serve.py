"""`watchkeep serve`: what it acknowledged is there after a kill, in few files, as the policy of the endpoint says."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.listening import free_port, running, settled
from tests.scenarios.test_gateway import home
from tests.scenarios.world import watchkeep
from tests.unit.capture.stores import queried

from watchkeep.capture.home import LABEL_SEGMENTS

__all__ = ["home"]


def post(port: int, path: str, document: Any) -> bool:
    """Whether something was acknowledged."""
    url = f"http://127.0.0.1:{port}/api/v1/{path}"
    request = urllib.request.Request(url, json.dumps(document).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bool(answer.status == 201)
    except OSError:
        return False


def test_what_was_acknowledged_is_there_after_a_kill(home: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("churn:\n  columns: {input: [age, zip]}\n  privacy: {columns: {zip: {truncate: 2}}}\n")
    port = free_port()

    def label(number: int) -> bool:
        one = {"id": f"i{number}", "label": number % 2}
        return post(port, "labels", {"endpoint": "churn", "name": "churned", "labels": [one]})

    words = ("-m", "watchkeep", "serve", "--port", str(port), "--policy", str(policy))
    with running(port, *words, home=home) as process, ThreadPoolExecutor(8) as pool:
        given = {"data": "41,94105", "content_type": "text/csv"}
        captures = {"captures": [{"endpoint": "churn", "input_body": given, "inference_id": "i3"}]}
        assert post(port, "captures", captures)
        answers = [pool.submit(label, number) for number in range(400)]
        while sum(answer.done() for answer in answers) < 150:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        acknowledged = {f"i{number}" for number, answer in enumerate(answers) if answer.result()}
    settled(home, by_hand=True)
    deadline = time.monotonic() + 60
    while any((home / LABEL_SEGMENTS).iterdir()):
        watchkeep("captures", "seal")
        assert time.monotonic() < deadline
        time.sleep(0.1)

    assert len(acknowledged) >= 100
    found = queried(f"SELECT inferenceId, churned FROM read_parquet('{home}/labels/**/*.parquet')")
    assert acknowledged <= {name for name, _ in found}
    assert all(int(name[1:]) % 2 == value for name, value in found)
    assert len(list(home.glob("labels/**/*.parquet"))) <= 2
    rows = queried(f"SELECT age, zip FROM read_parquet('{home}/captures/**/*.parquet')")
    assert rows == [("41", "94")]


def test_a_port_that_is_free_is_told_and_one_that_is_taken_is_an_error(home: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "watchkeep", "serve", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as answer:
            assert answer.status == 200
        asked = watchkeep("serve", "--port", port, "--home", tmp_path / "home")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0

    assert (asked.code, asked.is_one_sentence) == (2, True)
    assert f"127.0.0.1:{port}" in asked.err


@pytest.mark.parametrize("text", ["churn", "- churn", "churn: 1", "7: {}", "\x00", "churn: {colums: {}}"])
def test_policy_files_that_are_none_are_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(text)
    asked = watchkeep("serve", "--policy", tmp_path / "policy.yaml", "--home", tmp_path / "home")
    assert asked.code == 2
    assert asked.is_one_sentence
