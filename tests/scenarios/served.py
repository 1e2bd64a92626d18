"""A model behind a real server, captured with options of its own."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = """
import json, sys
import uvicorn
import watchkeep as wk

asked = 0

async def app(scope, receive, send):
    global asked
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
    if scope["path"] == "/asked":
        answer = {"asked": asked}
    else:
        asked += 1
        answer = {"predictions": [row["score"] if "score" in row else 0.5 for row in json.loads(body)["instances"]]}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

app = wk.capture.middleware(app, endpoint="churn", delay=0.05, paths=["/predict"], **json.loads(sys.argv[2]))
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""


@contextmanager
def served(home: Path, options: Mapping[str, Any]) -> Iterator[str]:
    """Where the model is served; afterwards the server is ended, and all that was recorded is sealed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER), str(port), json.dumps(options)],
        env=os.environ | {"WATCHKEEP_HOME": str(home)},
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/predict"
        process.terminate()
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 60
    while any((home / "segments").glob("*.segment")) or any((home / "segments").glob("*.open")):
        assert time.monotonic() < deadline, list((home / "segments").iterdir())
        time.sleep(0.1)


def ask(url: str, rows: object, inference_id: str = "", *, body: bytes | None = None) -> tuple[int, Any]:
    """Status and JSON of the answer to a request of some rows, or of a body."""
    sent = json.dumps({"instances": rows}).encode() if body is None else body
    headers = {"Content-Type": "application/json", "X-Amzn-SageMaker-Inference-Id": inference_id}
    request = urllib.request.Request(url, sent, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            told, kind = json.loads(error.read()), error.headers["Content-Type"]
    assert kind == "application/problem+json"
    return told["status"], told
