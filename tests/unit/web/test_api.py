"""The API keeps what it is sent, and says what it cannot use."""

import base64
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.unit.capture.stores import queried

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.labels import LabelRows
from watchkeep.app import ground_truth
from watchkeep.app.captures import seal
from watchkeep.capture import client as clients
from watchkeep.capture.client import recorder_of
from watchkeep.capture.home import LABEL_SEGMENTS
from watchkeep.capture.policies import EndpointPolicy
from watchkeep.capture.segment import Segment, blocks_of, pending
from watchkeep.web.api import LIMIT, application


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    for module in (clients, ground_truth):
        monkeypatch.setattr(module, "start_sealer", lambda home: None)
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


def labelled(home: Path, columns: str) -> list[Any]:
    ground_truth.intake_of(home).flush()
    seal(home)
    files = f"read_parquet('{home}/labels/**/*.parquet', union_by_name=true)"
    rows: list[Any] = queried(f"SELECT {columns} FROM {files} ORDER BY ALL")
    return rows


def test_labels_that_come_one_by_one_make_few_files(client: TestClient, tmp_path: Path) -> None:
    for at in range(40):
        one = {"id": f"i{at % 20}", "label": at % 2}
        answer = client.post("/api/v1/labels", json={"endpoint": "churn", "name": "churned", "labels": [one]})
        assert (answer.status_code, answer.json()) == (201, {"labels": 1, "without_value": 0})
        there = [block.rows for path, _ in pending(tmp_path / LABEL_SEGMENTS) for block in blocks_of(path)[0]]
        assert sum(there) == at + 1

    found = labelled(
        tmp_path, "inferenceId, churned, age(now()::timestamp, arrival::timestamp) < INTERVAL 1 MINUTE"
    )
    assert found == sorted((f"i{at}", at % 2, True) for at in range(20))
    assert len(list(tmp_path.glob("labels/**/*.parquet"))) in (1, 2)  # an hour may have begun
    assert list(pending(tmp_path / LABEL_SEGMENTS)) == []


def test_labels_of_any_type_and_time(client: TestClient, tmp_path: Path) -> None:
    early = "2026-11-23T19:59:59.999999+01:00"
    sent = [
        {"id": "a", "label": True, "arrival": early},
        {"id": "b", "label": 2**70},
        {"id": "c", "label": 0.5},
        {"id": "d", "label": "no"},
        {"id": "e", "label": ""},
        {"id": "f", "label": 7, "arrival": "1969-12-31T23:00:00Z"},
        {"id": "a", "label": True, "arrival": early},
        {"id": "a", "label": True, "arrival": "2026-11-23T19:00:00Z"},
    ]

    answer = client.post("/api/v1/labels", json={"endpoint": "a/b", "labels": sent})
    assert answer.json() == {"labels": 7, "without_value": 1}

    labelled(tmp_path, "inferenceId")
    read = open_source(f"labels:{tmp_path}/labels#a/b")
    rows = LabelRows(read, "inferenceId", "label", "arrival")
    found = {(row["id"], row["label"]) for table in rows.tables() for row in table.to_pylist()}
    assert found == {("a", "true"), ("b", str(2**70)), ("c", "0.5"), ("d", "no"), ("f", "7")}
    hours = {path.parent.name for path in tmp_path.glob("labels/*/label_date=2026-11-23/*/*.parquet")}
    assert {"label_hour=18", "label_hour=19"} <= hours
    assert len(list(tmp_path.glob("labels/*/label_date=1969-12-31/label_hour=23/*.parquet"))) == 1


def test_labels_that_cannot_be_kept_are_not_acknowledged(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no")

    sent = {"endpoint": "churn", "labels": [{"id": "a", "label": 1}]}
    with monkeypatch.context() as patched:
        patched.setattr(Segment, "append", full)
        refused = client.post("/api/v1/labels", json=sent)
        assert refused.status_code == 503
        assert "disk is full" in refused.json()["title"]
        assert client.get("/readyz").status_code == 503
    assert client.post("/api/v1/labels", json=sent).status_code == 201
    assert labelled(tmp_path, "inferenceId, label") == [("a", 1)]


POLICIES = {
    "churn": {
        "sampling": {"percentage": 0, "keep": ["score > 0.5", "problems > 0"]},
        "privacy": {"columns": {"ssn": {"truncate": 3}}, "detect": ["email"]},
        "admission": {"columns": [{"name": "age", "type": "integer", "max": 120}], "known": ["ssn"]},
        "policy": "refuse",
        "columns": {"input": ["age", "ssn"], "output": ["score"]},
    }
}


def test_policies_hold_for_what_comes_over_http(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "other"
    policies = {name: EndpointPolicy.of(one, limit=LIMIT) for name, one in POLICIES.items()}

    def capture(age: int, score: float, endpoint: str = "churn") -> dict[str, Any]:
        given = {"data": f"{age},123-45-6789", "content_type": "text/csv"}
        said = {"data": str(score), "content_type": "text/csv"}
        return {
            "endpoint": endpoint,
            "input_body": given,
            "output_body": said,
            "custom_attributes": "a@b.org",
        }

    with TestClient(application(home, policies)) as other:
        both = [capture(41, 0.9), capture(41, 0.1), capture(999, 0.1), capture(999, 0.1, "others")]
        answer = other.post("/api/v1/captures", json={"captures": both})
        assert (answer.status_code, answer.json()) == (201, {"stored": 3, "left_out": 1})
        headers = {"ce-time": "2026-11-23T19:00:00Z", "ce-inferenceservicename": "churn"}
        for name, score in (("7", 0.1), ("8", 0.8)):
            for side, body in (("request", [[41, "123-45-6789"]]), ("response", {"predictions": [score]})):
                told = {**headers, "ce-id": name, "ce-type": f"org.kubeflow.serving.inference.{side}"}
                assert other.post("/api/v1/events", json=body, headers=told).status_code == 202
        found = stored(home, "capture_endpoint, age, score, ssn, capture_attributes, capture_input, _c1")

    mail = "<email>"
    assert found == [
        ("churn", "41", "0.8", "123", None, b'[[41,"123"]]', None),
        ("churn", "41", "0.9", "123", mail, b"41,123", None),
        ("churn", "999", "0.1", "123", mail, b"999,123", None),
        ("others", None, None, None, "a@b.org", b"999,123-45-6789", "999"),
    ]
    (traffic,) = (json.loads(path.read_bytes()) for path in home.glob("traffic.json"))
    (own,) = (one for one in traffic["totals"] if one["endpoint"] == "churn")
    assert own["invocations"] == 5
    assert own["flagged"] == {"age": {"range": 1}}
    assert own["lost"] == {"left out of the sample": 2}


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("captures", {"captures": []}, "/captures"),
        ("captures", {"captures": [{"endpoint": "churn", "inputs": 1}]}, "/captures/0/inputs"),
        ("captures", {"captures": [{"endpoint": "a\nb"}]}, "/captures/0/endpoint"),
        ("captures", {"captures": [{"endpoint": "模" * 30}]}, "/captures/0/endpoint"),
        ("captures", {"captures": [{"endpoint": "a", "model_latency": 2**70}]}, "/captures/0/model_latency"),
        ("captures", {"captures": [{"endpoint": "a", "time": "2026-11-23T19:00:00"}]}, "/captures/0/time"),
        ("labels", {"endpoint": "a", "labels": [{"id": "", "label": 1}]}, "/labels/0/id"),
        ("labels", {"endpoint": "a", "name": "arrival", "labels": [{"id": "a", "label": 1}]}, "/name"),
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
    halved = b'{"endpoint": "a", "labels": [{"id": "\\ud800", "label": 1}, {"id": "a", "label": "\\ud800"}]}'
    large = client.post("/api/v1/captures", content=b"", headers={"content-length": str(LIMIT + 1)})
    deep = client.post("/api/v1/captures", content=b'{"captures": ' + b"[" * 100_000)
    two_ways = {"content-length": "2", "transfer-encoding": "chunked"}

    assert broken.status_code == 422
    assert broken.json() == {
        "title": "The body is not JSON",
        "status": 422,
        "detail": "Expecting property name enclosed in double quotes, at character 1",
    }
    without = {"endpoint": "a", "labels": [{"id": "7", "label": None}]}
    (only,) = client.post("/api/v1/labels", json=without).json()["errors"]
    assert only["pointer"] == "/labels/0/label"
    assert only["detail"].startswith("expected a number, true, false, or a text")
    assert client.post("/api/v1/captures", json=coded).status_code == 422
    json_type = {"content-type": "application/json"}
    told = client.post("/api/v1/labels", content=halved, headers=json_type).json()["errors"]
    assert {"/labels/0/id", "/labels/1/label"} <= {one["pointer"] for one in told}
    assert large.status_code == 413
    assert client.post("/api/v1/captures", content=b"{}", headers=two_ways).status_code == 411
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
