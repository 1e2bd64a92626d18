"""A gateway whose policy refuses: what does not fit is answered with 422, and its model never hears of it."""

import asyncio
import gzip
import http.client
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.scenarios.listening import settled
from tests.scenarios.proxied import (
    LOOPS,
    QUICK,
    Loop,
    Model,
    Peer,
    Seen,
    gateway,
    post,
    run,
    until,
)
from tests.scenarios.test_gateway import gateway as process_of
from tests.scenarios.test_gateway import home, rows, upstream
from tests.scenarios.world import watchkeep

from watchkeep.capture.admission import Admission
from watchkeep.gateway.gate import Gate

__all__ = ["home", "upstream"]

COLUMNS = [{"name": "age", "type": "integer", "nullable": False, "min": 0, "max": 120}]
GATES = {"churn": Gate(Admission.of({"columns": COLUMNS, "bytes": 400}))}
GOOD, BAD = b'{"age": 41}', b'{"age": 430}'
JSON = b"Content-Type: application/json"


def request(body: bytes, *lines: bytes, path: bytes = b"/invocations") -> bytes:
    told = post(body, JSON, b"Content-Length: %d" % len(body), *lines)
    return told.replace(b"/invocations", path, 1)


def chunked(*pieces: bytes) -> bytes:
    body = b"".join(b"%x;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return post(body + b"0\r\nX: 1\r\n\r\n", JSON, b"Transfer-Encoding: chunked")


def bodies(model: Model) -> list[bytes]:
    return [each.partition(b"\r\n\r\n")[2] for each in model.requests]


async def hear_refusal(client: Peer) -> dict[str, Any]:
    status, head, body = await client.hear_answer()
    told: dict[str, Any] = json.loads(body)
    assert status == told["status"] == 422
    assert b"\r\nContent-Type: application/problem+json\r\n" in head
    assert told["type"] == "urn:watchkeep:admission"
    return told


@LOOPS
def test_a_connection_goes_on_after_what_was_refused(loop: Loop) -> None:
    async def story() -> None:
        async with gateway(watch=(seen := Seen()), gates=GATES) as place:
            client = await place.client()
            for _ in range(2):
                await client.say(request(BAD))
                told = await hear_refusal(client)
                assert told["detail"] == "row 0, age: got 430, expected a whole number from 0 to 120"
                assert "message" not in told
                await client.say(request(GOOD), cuts=(30, 100))
                assert (await client.hear_answer())[0] == 200
            await client.say(request(BAD, path=b"/endpoints/churn/invocations"))
            told = await hear_refusal(client)
            assert told["message"] == told["detail"]
            await client.close()

            assert bodies(place.model) == [GOOD, GOOD]
            assert place.model.connections == 1
            assert place.counters.snapshot()["refused"] == {"admission": 3}
            assert place.counters.snapshot()["answers"] == {"2xx": 2}
            assert (place.counters.running, place.counters.watched) == (0, 5)
            refused = [each for each in seen if each.finding is not None]
            assert [(each.status, each.error, each.latency, each.variant) for each in refused] == [
                (422, None, 0, "A")
            ] * 3
            assert {each.input_bytes() for each in refused} == {BAD}

    run(story(), loop)


@LOOPS
def test_requests_that_are_sent_ahead_are_answered_in_their_order(loop: Loop) -> None:
    many = [request(BAD), chunked(GOOD), chunked(b'{"age":', b" 999}"), request(GOOD), chunked(BAD)]

    async def story() -> None:
        for cuts in ((), (5, 90, 170, 250, 260, 400)):
            async with gateway(gates=GATES) as place:
                client = await place.client()
                await client.say(b"".join(many), cuts=cuts)
                client.writer.write_eof()
                statuses = [(await client.hear_answer())[0] for _ in many]
                assert statuses == [422, 200, 422, 200, 422]
                assert await client.hear_all() == b""
                await client.close()
                assert place.model.requests == [many[1], many[3]]

    run(story(), loop)


def test_who_waits_for_a_word_before_the_body_is_given_one() -> None:
    async def story() -> None:
        async with gateway(gates=GATES) as place:
            client = await place.client()
            for body, status in ((BAD, 422), (GOOD, 200)):
                head = request(body, b"Expect: 100-continue")[: -len(body)]
                await client.say(head)
                assert await client.hear(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
                assert place.model.requests == []
                await client.say(body)
                assert (await client.hear_answer())[0] == status
            await client.say(request(b" " * 401, b"Expect: 100-continue")[:-401])
            told = await hear_refusal(client)
            assert told["errors"][0]["got"] == "401 bytes"
            assert await client.hear_all() == b""
            await client.close()
            assert b"xpect" not in place.model.requests[0]
            assert bodies(place.model) == [GOOD]

    run(story())


@LOOPS
@pytest.mark.parametrize(
    "asked",
    [
        request(b" " * 401),
        request(b" " * 401)[:-300],
        chunked(b" " * 300, b" " * 300),
        chunked(b" " * 300, b" " * 300)[:-20],
        post(b"1;" + b"x" * 15_000 + b"\r\n \r\n", JSON, b"Transfer-Encoding: chunked")
        + (b"1;" + b"x" * 15_000 + b"\r\n \r\n") * 9,
    ],
)
def test_what_is_too_large_is_not_waited_for(asked: bytes, loop: Loop) -> None:
    async def story() -> None:
        async with gateway(watch=(seen := Seen()), gates=GATES) as place:
            client = await place.client()
            await client.say(asked)
            told = await hear_refusal(client)
            assert [one["what"] for one in told["errors"]] == ["size"]
            await client.close()
            await until(lambda: not place.counters.clients)
            assert place.model.connections == 0
            (one,) = seen
            assert one.finding is not None
            assert one.finding.refused
            assert place.counters.running == 0

    run(story(), loop)


def test_only_what_must_be_looked_at_is_held() -> None:
    async def story() -> None:
        heard = asyncio.Event()

        async def listening(model: Model, peer: Peer) -> None:
            model.requests.append(await peer.reader.readuntil(b"\r\n\r\n"))
            heard.set()
            await asyncio.sleep(10)

        first, rest = request(GOOD)[:-5], request(GOOD)[-5:]
        async with gateway(listening, gates=GATES) as place:
            client = await place.client()
            await client.say(first)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await heard.wait()
            await client.say(rest)
            await heard.wait()
            await client.close()
        for gates, ask in (({}, first), (GATES, first.replace(b"POST", b"PUT"))):
            heard.clear()
            async with gateway(listening, gates=gates) as place:
                client = await place.client()
                await client.say(ask)
                await heard.wait()
                await client.close()

    run(story())


def test_bodies_are_looked_at_as_they_were_before_they_were_compressed() -> None:
    def packed(body: bytes) -> bytes:
        return request(gzip.compress(body), b"Content-Encoding: gzip")

    async def story() -> None:
        async with gateway(gates=GATES) as place:
            assert [
                (await place.ask(asked))[0] for asked in (packed(GOOD), packed(BAD), packed(b" " * 10**6))
            ] == [200, 422, 422]
            wrong = request(b"no gzip", b"Content-Encoding: gzip")
            assert json.loads((await place.ask(wrong))[2])["errors"][0]["what"] == "body"
            assert place.model.requests == [packed(GOOD)]

    run(story())


@LOOPS
def test_large_bodies_do_not_hold_up_others(loop: Loop) -> None:
    large = json.dumps([{"age": 41}] * 9_000).encode()
    gates = {"churn": Gate(Admission.of({"columns": COLUMNS}))}

    async def story() -> None:
        async with gateway(watch=(seen := Seen()), gates=gates) as place:
            clients = [await place.client() for _ in range(3)]
            for client in clients:
                await client.say(
                    request(large) + request(BAD) + request(large[:-2] + b"9}]") + chunked(large)
                )
            gone = await place.client()
            await gone.say(request(large))
            gone.reset()
            for client in clients:
                assert [(await client.hear_answer())[0] for _ in range(4)] == [200, 422, 422, 200]
                await client.close()
            await until(lambda: not place.counters.running)
            assert len([each for each in seen if each.finding is not None]) == 6
            assert place.counters.watch_errors == 0

    run(story(), loop)


def test_those_who_leave_or_dawdle_amid_a_body_that_is_held() -> None:
    async def story() -> None:
        async with gateway(watch=(seen := Seen()), gates=GATES, timeouts=QUICK) as place:
            client = await place.client()
            await client.say(request(GOOD)[:-5])
            await client.close()
            await until(lambda: len(seen) == 1)
            client = await place.client()
            await client.say(request(GOOD)[:-5])
            assert (await client.hear_answer())[0] == 408
            await client.close()
            client = await place.client()
            await client.say(chunked(GOOD)[:-20] + b"no chunk\r\n", cuts=(len(chunked(GOOD)) - 20,))
            with suppress(ConnectionError):
                assert (await client.hear_answer())[0] == 400
            await client.close()
            assert [each.error for each in seen] == ["client-gone", "slow-request", "bad-request"]
            assert place.model.connections == 0
            assert place.counters.running == 0

    run(story())


def test_a_fault_of_ours_keeps_nobody_from_the_model() -> None:
    class Broken:
        def beyond(self, turn: object) -> None:
            return None

        def look(self, turn: object) -> None:
            raise RuntimeError

    async def story() -> None:
        async with gateway(gates={"churn": Broken()}) as place:
            assert (await place.ask(request(BAD)))[0] == 200
            assert (await place.ask(request(b" " * 70_000)))[0] == 200
            assert place.counters.watch_errors == 2

    run(story())


def test_a_policy_file_says_so_and_names_columns(home: Path, upstream: int, tmp_path: Path) -> None:
    admission = {
        "columns": [{"name": "years", "type": "number", "max": 9}, {"name": "fee", "type": "number"}]
    }
    policy = {
        "churn": {
            "admission": admission,
            "policy": "refuse",
            "columns": {"input": ["fee", "years"], "output": ["score"]},
            "sampling": {"percentage": 0, "keep": ["score > 5", "problems > 0"]},
        }
    }
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(policy))
    options = ("--policy", str(tmp_path / "policy.yaml"), "--workers", "2", "--durability", "sync")

    def asked(port: int) -> list[int]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        statuses = []
        for row in ([100, 2], [3, 1], [1, 10]):
            body = json.dumps({"instances": [row]})
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                answer.read()
                statuses.append(answer.status)
        connection.close()
        return statuses

    with process_of(home, upstream, *options) as (process, port):
        assert asked(port) == [200, 200, 422]
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0
    settled(home, by_hand=True)

    assert rows(home, "fee, years, score, capture_status, capture_output, capture_model_latency") == [
        (100, 2, 102.0, 200, b'{"predictions": [102]}', pytest.approx(5e5, abs=5e5)),
        (None, None, None, 422, None, None),
    ]
    (listed,) = watchkeep("captures", "list", "--json").document["captures"]
    assert (listed["Invocations"], listed["Invocation4XXErrors"]) == (3, 1)
    assert listed["flagged"] == {"years": {"range": 1}}
    assert listed["not_stored"] == {"left out of the sample": 1}


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ({"policy": "refuse"}, "admission: got 'nothing'"),
        ({"policy": "drop"}, "expected 'flag' or 'refuse'"),
        ({"columns": ["age"]}, "a mapping of input and output"),
        ({"colums": {}}, "did you mean 'columns'?"),
    ],
)
def test_policies_that_cannot_be_followed_are_told(policy: Any, told: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump({"churn": policy}))
    for words in (["gateway", "churn=http://127.0.0.1:1"], ["serve"]):
        asked = watchkeep(*words, "--policy", tmp_path / "policy.yaml", "--home", tmp_path / "home")
        assert asked.code == 2
        assert told in " ".join(asked.err.split())
        assert asked.is_one_sentence
