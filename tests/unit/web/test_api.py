"""The API keeps what it is sent, and says what it cannot use."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.unit.capture.stores import queried

from watchkeep.app.captures import seal
from watchkeep.capture import client as clients
from watchkeep.capture.client import recorder_of
from watchkeep.web.api import LIMIT, application


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(clients, "start_sealer", lambda home: None)
    monkeypatch.delenv("WATCHKEEP_STORE_URL", raising=False)
    with TestClient(application(tmp_path)) as client:
        yield client


def stored(home: Path, columns: str) -> list[Any]:
    recorder_of(home).flush()
    seal(home)
    files = f"read_parquet('{home}/captures/**/*.parquet', union_by_name=true)"
    rows: list[Any] = queried(f"SELECT {columns} FROM {files} ORDER BY ALL")
    return rows


def test_captures_are_on_the_disk_when_they_are_answered(client: TestClient, tmp_path: Path) -> None:
    both = {
        "captures": [
            {"endpoint": "churn", "input": {"age": 41}, "output": {"score": 0.5}, "inference_id": "a"},
            {
                "endpoint": "churn",
                "variant": "B",
                "input_body": {
                    "data": base64.b64encode(b"7,8").decode(),
                    "encoding": "base64",
                    "content_type": "text/csv",
                },
                "output_body": {"data": "0.25", "content_type": "text/csv"},
                "time": "2026-11-23T19:00:00+01:00",
                "model_latency": 250,
            },
        ]
    }

    answer = client.post("/api/v1/captures", json=both)

    assert (answer.status_code, answer.json()) == (201, {"stored": 2})
    found = stored(
        tmp_path, "capture_variant, age, score, _c0, _c1, capture_model_latency, capture_inference_id"
    )
    assert found == [
        ("AllTraffic", 41, 0.5, None, None, None, "a"),
        ("B", None, None, "0.25", "7", 250, None),
    ]


def test_events_of_a_payload_logger(client: TestClient, tmp_path: Path) -> None:
    headers = {"ce-id": "7", "ce-time": "2026-11-23T19:00:00Z", "ce-inferenceservicename": "churn"}
    for side, body in (("request", {"instances": [{"age": 41}]}), ("response", {"predictions": [0.5]})):
        told = {**headers, "ce-type": f"org.kubeflow.serving.inference.{side}"}
        assert client.post("/api/v1/events", json=body, headers=told).status_code == 202
    wrong = client.post("/api/v1/events", json={})

    assert stored(tmp_path, "age, _c0, capture_event_id") == [(41, 0.5, "7")]
    assert wrong.status_code == 400
    assert "no event of a payload logger" in wrong.json()["title"]


def test_labels(client: TestClient, tmp_path: Path) -> None:
    sent = {
        "endpoint": "churn",
        "name": "churned",
        "labels": [{"id": "a", "label": 1}, {"id": "b", "label": 0}],
    }
    for _ in range(2):
        answer = client.post("/api/v1/labels", json=sent)
        assert (answer.status_code, answer.json()["labels"]) == (201, 2)

    found = queried(
        f"SELECT inferenceId, churned FROM read_parquet('{tmp_path}/labels/**/*.parquet') ORDER BY 1"
    )
    assert found == [("a", 1), ("b", 0)]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("captures", {"captures": []}, "/captures"),
        ("captures", {"captures": [{"endpoint": "churn", "inputs": 1}]}, "/captures/0/inputs"),
        ("captures", {"captures": [{"endpoint": "a\nb"}]}, "/captures/0/endpoint"),
        ("captures", {"captures": [{"endpoint": "a", "time": "2026-11-23T19:00:00"}]}, "/captures/0/time"),
        ("labels", {"endpoint": "a", "labels": [{"id": "", "label": 1}]}, "/labels/0/id"),
    ],
)
def test_what_cannot_be_used_is_told(client: TestClient, path: str, body: Any, told: str) -> None:
    answer = client.post(f"/api/v1/{path}", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in [one["pointer"] for one in answer.json()["errors"]]


def test_hostile_requests(client: TestClient) -> None:
    broken = client.post("/api/v1/captures", content=b"{", headers={"content-type": "application/json"})
    coded = {"captures": [{"endpoint": "a", "input_body": {"data": "?", "encoding": "base64"}}]}
    large = client.post("/api/v1/captures", content=b"", headers={"content-length": str(LIMIT + 1)})
    deep = client.post("/api/v1/captures", content=b'{"captures": ' + b"[" * 100_000)

    assert broken.status_code == 422
    assert client.post("/api/v1/captures", json=coded).status_code == 422
    assert large.status_code == 413
    assert deep.status_code in (400, 422)
    assert client.get("/api/v1/nothing").json()["status"] == 404


def test_metrics_count_what_was_asked_sealed_or_not(client: TestClient, tmp_path: Path) -> None:
    sent = [
        {"endpoint": "churn", "input": {"age": 1}, "output": 0.5, "status": status, "model_latency": latency}
        for status, latency in [(200, 1500), (200, 90), (503, 5)]
    ]
    for _ in range(2):
        assert client.post("/api/v1/captures", json={"captures": sent}).status_code == 201
        before = client.get("/metrics").text
        recorder_of(tmp_path).flush()
        seal(tmp_path)
        after = client.get("/metrics").text
        assert before == after

    labels = '{EndpointName="churn",VariantName="AllTraffic"}'
    assert f"watchkeep_Invocations_total{labels} 6.0" in after
    assert f"watchkeep_Invocation5XXErrors_total{labels} 2.0" in after
    assert f"watchkeep_InvocationModelErrors_total{labels} 2.0" in after
    assert (
        'watchkeep_ModelLatency_microseconds_bucket{EndpointName="churn",VariantName="AllTraffic",le="100.0"} 4.0'
        in after
    )
    assert f"watchkeep_ModelLatency_microseconds_sum{labels} 3190.0" in after
    assert "watchkeep_NotStored" in after


def test_health(client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(recorder_of(tmp_path), "_failing", "disk is full")
    assert client.get("/readyz").status_code == 503


def test_the_api_describes_itself(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert {"/api/v1/captures", "/api/v1/labels", "/api/v1/events", "/metrics"} <= set(document["paths"])
    json.dumps(document)
