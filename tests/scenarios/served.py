"""A model behind a real server, captured with options of its own."""

import json
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.scenarios.listening import PATIENCE, free_port, running, settled

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
    port = free_port()
    words = ("-c", textwrap.dedent(SERVER), str(port), json.dumps(options))
    with running(port, *words, home=home) as process:
        yield f"http://127.0.0.1:{port}/predict"
        process.terminate()
        process.wait(PATIENCE)
    settled(home)


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
