"""A store behind an S3 address: everything that a folder can do, and records that wait while it is away."""

import logging
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.scenarios.world import watchkeep
from tests.unit.capture.records import inference
from tests.unit.capture.stores import record, segment

from watchkeep.adapters.sources.stored.columns import EVENT_ID
from watchkeep.adapters.sources.stored.source import of_captures
from watchkeep.app.captures import named
from watchkeep.capture.home import SEGMENTS
from watchkeep.capture.recorder import SPOOLED, Recorder, Settings
from watchkeep.service.ports import Ask

REGION = "eu-west-1"


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A home whose store is a bucket that is not there yet; what makes buckets there."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    reset = urllib.request.Request(
        f"http://127.0.0.1:{port}/moto-api/reset", method="POST"
    )  # all servers are one
    urllib.request.urlopen(reset).close()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "WATCHKEEP_HOME": str(tmp_path / "home"),
        "WATCHKEEP_STORE_URL": "s3://store/kept",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        yield boto3.resource("s3", region_name=REGION).Bucket("store")
    finally:
        server.stop()


def made(bucket: Any) -> None:
    bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})


def told(*words: object) -> Any:
    answer = watchkeep(*words, "--json")
    assert answer.code == 0, answer.err
    return answer.document


def events(endpoint: str = "churn") -> list[str]:
    source = of_captures(named(f"captures:{endpoint}"))
    batches = [batch for batch in source.batches(Ask(columns=[EVENT_ID])) if batch.rows]
    return sorted(one for batch in batches for one in batch.column(EVENT_ID).to_pylist())


def test_a_bucket_holds_what_a_folder_does(bucket: Any, tmp_path: Path) -> None:
    made(bucket)
    segments = tmp_path / "home" / SEGMENTS
    for hour in range(2):
        for part in range(2):
            names = [f"e{hour}{part}{n}" for n in range(3)]
            segment(
                segments, [record(name, [{"age": 41}], hour=hour, inference=f"id-{name}") for name in names]
            )
    table = tmp_path / "batch.csv"
    table.write_text("key,age\nb1,33\nb2,34\n")
    imported = ("captures", "import", table, "--endpoint", "churn", "--variant", "A", "--id", "key")
    labels = tmp_path / "labels.csv"
    labels.write_text("key,churned\nid-e001,1\nid-e000,0\n")

    assert told("captures", "seal")["files"] == 4
    assert told(*imported, "--at", "2023-11-14T22:20:00Z")["written"] == 1
    assert told(*imported, "--at", "2023-11-14T22:20:00Z")["known"] == 1
    compacted = told("captures", "compact", "--older", "0")
    assert (compacted["before"], compacted["after"]) == (5, 2)
    (listed,) = told("captures", "list")["captures"]
    assert (listed["Invocations"], listed["hours"], listed["files"]) == (14, 2, 2)
    assert watchkeep("labels", "churn", labels, "--id", "key", "--label", "churned").code == 0

    forgotten = told("captures", "forget", "churn", "--id", "id-e001")
    assert (forgotten["records"], forgotten["labels"], forgotten["left"]) == (1, 1, [])
    assert b"id-e001" not in b"".join(one.get()["Body"].read() for one in bucket.objects.all())

    told("captures", "export", "churn", "--out", "s3://store/out")
    again = told("captures", "import", "s3://store/out/churn", "--endpoint", "copy")
    assert again["rejected"] == {}
    assert events("copy") == events()
    assert len(events()) == 13
    checked = tmp_path / "known"
    assert watchkeep("baseline", "data-quality", "captures:churn", "--out", checked).code == 0
    assert watchkeep("check", checked, "captures:copy", "--out", tmp_path / "report").code in (0, 1)

    assert {one["hours"] for one in told("captures", "expire", "--older", "1")["expired"]} == {2}
    assert told("captures", "list")["captures"] == []
    assert told("captures", "expire", "--older", "1")["expired"] == []


def test_records_wait_while_the_store_is_away_and_what_the_spool_cannot_hold_is_counted(
    bucket: Any, tmp_path: Path
) -> None:
    recorder = Recorder(Settings(folder=tmp_path / "home" / SEGMENTS, spool=1, delay=0.01))
    recorder.record(inference({"age": 41}, {"p": 0.5}, event=""))
    assert recorder.flush()

    away = watchkeep("captures", "seal")
    assert away.is_one_sentence
    assert "s3://store/kept" in away.err

    recorder.record(inference({"age": 42}, {"p": 0.5}, event=""))
    assert not recorder.flush(patience=0.3)
    assert recorder.failing == SPOOLED

    made(bucket)
    assert told("captures", "seal")["records"] == 1
    recorder.close()
    assert recorder.counts.document() == {"stored": 2, "left_out": 0, "lost": {}}
    assert told("captures", "seal")["records"] == 1
    assert len(events()) == 2


def test_what_was_lost_while_the_store_was_away_is_told_once_it_is_back(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("WATCHKEEP_STORE_URL", f"s3://store/kept?endpoint_override={address}&scheme=http")
    folder = tmp_path / "home" / SEGMENTS
    recorder = Recorder(Settings(folder=folder, spool=1, delay=0.01, memory=3000))
    recorder.record(inference({"age": 41}, {"p": 0.5}, event=""))
    assert recorder.flush()
    for _ in range(9):
        recorder.record(inference({"age": 42}, {"p": 0.5}, event=""))
    assert not recorder.flush(patience=0.3)
    for _ in range(5):
        recorder.record(inference({"age": 43}, {"p": 0.5}, event=""))

    made(bucket)
    told("captures", "seal")
    recorder.close()
    told("captures", "seal")

    (listed,) = told("captures", "list")["captures"]
    lost = sum(listed["not_stored"].values())
    assert SPOOLED in listed["not_stored"]
    assert listed["Invocations"] == 15
    assert len(events()) + lost == 15
