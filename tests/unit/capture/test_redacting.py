"""What must not be stored is in no byte of a segment."""

import json
from pathlib import Path
from typing import Any

import pytest

import watchkeep as wk
from watchkeep.capture.flags import ADMISSION
from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.redacting import KEY, redaction
from watchkeep.capture.segment import blocks_of, complete
from watchkeep.capture.traffic import Tallies

OPTIONS: dict[str, Any] = {"columns": {"user": "hash", "ssn": "drop"}, "detect": ["email"]}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "00" * 32)


def record(**values: Any) -> Inference:
    kind = "application/json"
    return Inference("e", "A", "1", "i", 0, 1, 1, 200, 1.0, "", "", kind, kind, b"{}", b"[0.5]")._replace(
        **values
    )


def test_bodies_and_attributes_are_redacted_and_numbers_of_answers_stay() -> None:
    body = json.dumps({"user": "ann", "ssn": "078-05-1120", "note": "ann@example.org", "age": 41}).encode()

    (one,) = redaction(OPTIONS)([record(input=body, attributes="for ann@example.org")], Tallies())

    told = json.loads(one.input or b"")
    assert told.keys() == {"user", "note", "age"}
    assert told["user"] != "ann"
    assert (told["note"], one.attributes, one.output) == ("<email>", "for <email>", b"[0.5]")


def test_what_cannot_be_looked_into_is_withheld_and_told() -> None:
    (one,) = redaction(OPTIONS)([record(input=b"\x00\x01", input_type="application/octet-stream")], Tallies())

    assert one.input is None
    assert json.loads(one.flags)["input"].startswith("withheld: ")


def test_what_admission_found_is_told_without_the_values() -> None:
    flags = json.dumps({ADMISSION: [{"column": "ssn", "what": "range", "got": "078-05-1120"}]})

    (one,) = redaction(OPTIONS)([record(flags=flags)], Tallies())

    assert json.loads(one.flags) == {ADMISSION: [{"column": "ssn", "what": "range"}]}


def test_a_record_without_anything_of_the_kind_is_the_same() -> None:
    one = record(input=b'{"age": 41}')
    (same,) = redaction(OPTIONS)([one], Tallies())
    assert same is one


def test_no_byte_of_it_reaches_the_disk(tmp_path: Path) -> None:
    @wk.capture.watch(endpoint="e", home=tmp_path, privacy=OPTIONS, seal=False)
    def predict(row: dict[str, Any]) -> float:
        return 0.5

    predict({"user": "Ann-Secret", "ssn": "078-05-1120", "note": "write to ann@example.org"})
    wk.capture.recorder_of(tmp_path, seal=False).close()

    (path,) = complete(tmp_path / "segments")
    assert len([one for block in blocks_of(path)[0] for one in records_of(block)]) == 1
    for secret in (b"Ann-Secret", b"078-05-1120", b"ann@example.org"):
        assert secret not in path.read_bytes()


@pytest.mark.parametrize("text", ["xyz", "00"])
def test_a_key_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(KEY, text)
    with pytest.raises(wk.WatchkeepError) as told:
        redaction(OPTIONS)
    assert text not in str(told.value).replace("32", "")


def test_a_rule_that_needs_a_key_is_refused_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY)
    with pytest.raises(wk.WatchkeepError):
        redaction(OPTIONS)
