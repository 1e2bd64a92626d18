"""Events of payload loggers become records, whatever their order, and whatever else is sent."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeep.capture.cloud_events import Half, NotAnEventError, Pairing, half_of

KSERVE = "org.kubeflow.serving.inference."
SELDON = "io.seldon.serving.inference."


def headers(side: str, name: str = "7", **more: str) -> dict[str, str]:
    return {
        "ce-specversion": "1.0",
        "ce-id": name,
        "ce-type": KSERVE + side,
        "ce-source": "http://localhost:9081/",
        "ce-time": "2026-11-23T19:00:00.250Z" if side == "response" else "2026-11-23T19:00:00Z",
        "ce-inferenceservicename": "churn",
        "ce-component": "predictor",
        "content-type": "application/json",
    } | more


def test_both_sides_are_one_record() -> None:
    pairing = Pairing()
    asked, answered = (
        half_of(headers("request"), b'{"instances": [[41]]}'),
        half_of(headers("response"), b"[0.5]"),
    )

    assert pairing.add(answered, 0) == []
    (one,) = pairing.add(asked, 1)

    assert (one.endpoint, one.variant, one.event_id, one.inference_id) == ("churn", "AllTraffic", "7", "7")
    assert (one.input, one.output, one.status, one.latency) == (
        b'{"instances": [[41]]}',
        b"[0.5]",
        200,
        250_000,
    )
    assert one.time == 1_795_460_400_000_000
    assert len(pairing) == 0


def test_json_mode_and_seldon() -> None:
    event: dict[str, Any] = {
        "id": "8",
        "type": SELDON + "request",
        "time": "2026-11-23T20:00:00+01:00",
        "deploymentname": "fraud",
        "model": "b",
        "data": {"data": {"ndarray": [[1]]}},
    }
    kind = {"content-type": "application/cloudevents+json; charset=utf-8"}

    plain = half_of(kind, json.dumps(event).encode())
    del event["data"]
    coded = half_of(kind, json.dumps(event | {"data_base64": base64.b64encode(b"\x00").decode()}).encode())

    assert (plain.endpoint, plain.variant, plain.time) == ("fraud", "b", 1_795_460_400_000_000)
    assert json.loads(plain.body) == {"data": {"ndarray": [[1]]}}
    assert coded.body == b"\x00"


@pytest.mark.parametrize(
    ("sent", "body", "told"),
    [
        ({}, b"", "no ce-"),
        (headers("request", **{"ce-type": "other"}), b"", "its type is 'other'"),
        (headers("request", name=""), b"", "no id"),
        (headers("request", **{"ce-inferenceservicename": ""}), b"", "names no endpoint"),
        (headers("request", **{"ce-time": "yesterday"}), b"", "its time is 'yesterday'"),
        (
            headers("request", **{"ce-inferenceservicename": "x" * 300}),
            b"",
            "its endpoint or variant is 'xxx",
        ),
        (headers("request", **{"ce-component": "a\nb"}), b"", "its endpoint or variant is 'a"),
        (headers("request", name="7" * 2000), b"", "its id has 2000 characters"),
        ({"content-type": "application/cloudevents+json"}, b'{"data_base64": "\xc3\xa9"}', "not base64"),
        ({"content-type": "application/cloudevents+json"}, b'{"id": "\\ud800"}', "halves of characters"),
        ({"content-type": "application/cloudevents+json"}, b'{"data": "\\ud800"}', "halves of characters"),
        ({"content-type": "application/cloudevents+json"}, b"{", "no JSON"),
        ({"content-type": "application/cloudevents+json"}, b"[1]", "no JSON object"),
        ({"content-type": "application/cloudevents+json"}, b'{"data_base64": "?"}', "not base64"),
    ],
)
def test_what_is_no_event_is_told(sent: dict[str, str], body: bytes, told: str) -> None:
    with pytest.raises(NotAnEventError, match=told):
        half_of(sent, body)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 30)), max_size=30), st.integers(1, 5)
)
def test_every_side_is_in_one_record(sides: list[tuple[int, bool, int]], most: int) -> None:
    pairing, records, sent, now = Pairing(patience=20, most=most), [], set(), 0
    for at, (name, is_answer, later) in enumerate(sides):
        now += later
        body = f"{at}".encode()
        records += pairing.add(Half("churn", "A", str(name), at, is_answer, body, "text/csv"), now)
        sent.add(body)
        assert len(pairing) <= most
    records += pairing.rest()

    told = [body for one in records for body in (one.input, one.output) if body is not None]
    assert len(told) == len(set(told))
    repeated = sent - set(told)
    # A side that was sent while the same one waited is the same one, sent again.
    assert all(
        any(n == sides[int(body)][0] and a == sides[int(body)][1] for n, a, _ in sides[: int(body)])
        for body in repeated
    )


def test_sides_that_wait_have_bodies_of_so_many_bytes_together() -> None:
    pairing = Pairing(memory=25)
    halves = [Half("churn", "A", str(at), at, False, bytes(10), "text/csv") for at in range(4)]

    alone = [one.inference_id for half in halves for one in pairing.add(half, 0.0)]
    (both,) = pairing.add(Half("churn", "A", "3", 9, True, bytes(10), "text/csv"), 0.0)
    more = pairing.add(halves[0], 0.0)

    assert (alone, both.inference_id, more, len(pairing)) == (["0", "1"], "3", [], 2)
