"""The gateway before bad upstreams: what is broken looks broken, and what can be mended is."""

import asyncio
import socket
from typing import Any

import pytest
from tests.scenarios.proxied import (
    ASK,
    CHUNKED,
    LOOPS,
    OK,
    QUICK,
    Handler,
    Loop,
    Model,
    Peer,
    Seen,
    answering,
    gateway,
    post,
    run,
    until,
)

from watchkeep.gateway import Endpoint, Limits, Timeouts, Upstream


async def mute(model: Model, peer: Peer) -> None:
    model.requests.append(await peer.hear_request())
    await peer.hear_all()


def says(data: bytes, *, reset: bool = False, wait: bool = False) -> Handler:
    async def handle(model: Model, peer: Peer) -> None:
        model.requests.append(await peer.hear_request())
        await peer.say(data)
        if wait:
            await peer.hear_all()
        if reset:
            await asyncio.sleep(0.05)
            peer.reset()

    return handle


@LOOPS
def test_an_upstream_that_is_not_there_is_said_to_be_not_there(loop: Loop) -> None:
    async def story() -> None:
        seen = Seen()
        nobody = Upstream(url="http://127.0.0.1:9", variant="A")
        unknown = Upstream(url="http://no-such-host.invalid", variant="B")
        endpoints = (
            Endpoint(name="churn", upstreams=(nobody,)),
            Endpoint(name="fraud", upstreams=(unknown,)),
        )
        async with gateway(watch=seen, endpoints=endpoints, default="churn") as place:
            client = await place.client()
            for path in (b"/invocations", b"/endpoints/fraud/invocations", b"/invocations"):
                await client.say(ASK.replace(b"/invocations", path))
                problem = await client.hear_problem()
                assert (problem["status"], problem["title"]) == (502, "Bad Gateway")
                assert problem["type"] == "urn:watchkeep:gateway:upstream-unreachable"
                assert "127.0.0.1" not in problem["detail"]
            await client.close()
            assert [each.error for each in seen] == ["upstream-unreachable"] * 3
            assert [each.latency for each in seen] == [0, 0, 0]
            assert seen[0].input_bytes() == b"41"

    run(story(), loop)


def test_an_upstream_that_takes_no_connection_is_not_waited_for() -> None:
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(full.getsockname())

    async def story() -> None:
        upstream = Upstream(url=f"http://127.0.0.1:{full.getsockname()[1]}")
        endpoints = (Endpoint(name="churn", upstreams=(upstream,)),)
        async with gateway(endpoints=endpoints, timeouts=QUICK) as place:
            status, _, body = await place.ask()
            assert status == 502
            assert b"not within 0.3 s" in body

    run(story())
    for each in (*waiting, full):
        each.close()


@LOOPS
def test_an_upstream_that_is_silent_is_not_waited_for(loop: Loop) -> None:
    async def story() -> None:
        seen = Seen()
        async with gateway(mute, watch=seen, timeouts=QUICK) as place:
            client = await place.client()
            for _ in range(2):
                await client.say(ASK)
                problem = await client.hear_problem()
                assert (problem["status"], problem["type"]) == (504, "urn:watchkeep:gateway:upstream-timeout")
            await client.close()
            assert [(each.status, each.error) for each in seen] == [(504, "upstream-timeout")] * 2
            assert seen[0].latency >= 250_000

    run(story(), loop)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
def test_what_is_no_answer_is_not_passed_on(answer: bytes) -> None:
    async def story() -> None:
        async with gateway(says(answer)) as place:
            client = await place.client()
            await client.say(ASK)
            assert (await client.hear_problem())["status"] == 502
            await client.say(ASK)
            assert (await client.hear_problem())["status"] == 502
            await client.close()
            assert len(place.model.requests) == 2

    run(story())


@LOOPS
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nEtag",
    ],
)
@pytest.mark.parametrize("how", ["closes", "resets", "hangs", "babbles"])
def test_an_answer_that_breaks_off_looks_broken_off(loop: Loop, answer: bytes, how: str) -> None:
    async def babbling(model: Model, peer: Peer) -> None:
        await peer.hear_request()
        await peer.say(answer)
        await asyncio.sleep(0.05)
        await peer.say(b"\n\n" if b"chunked" in answer else b"")

    handler = babbling if how == "babbles" else says(answer, reset=how == "resets", wait=how == "hangs")

    async def story() -> None:
        seen = Seen()
        async with gateway(handler, watch=seen, timeouts=QUICK) as place:
            client = await place.client()
            await client.say(ASK)
            heard = await client.hear_all()
            await client.close()
            assert answer.startswith(heard)
            assert b"\r\n0\r\n\r\n" not in heard
            assert [each.status for each in seen] == [200]
            assert seen[0].error in ("upstream-closed", "upstream-timeout", "upstream-garbled")
            assert seen[0].output_bytes() in (b"half", b"")

    run(story(), loop)


@LOOPS
@pytest.mark.parametrize("reset", [True, False])
def test_an_answer_that_ends_with_its_connection_is_whole_only_if_that_is_closed(
    loop: Loop, reset: bool
) -> None:
    async def story() -> None:
        seen = Seen()
        async with gateway(says(b"HTTP/1.1 200 OK\r\n\r\nall?", reset=reset), watch=seen) as place:
            client = await place.client()
            await client.say(ASK)
            await client.hear(len(b"HTTP/1.1 200 OK\r\n\r\n"))
            if reset:
                with pytest.raises(ConnectionResetError):
                    await client.hear_all()
            else:
                assert await client.hear_all() == b"all?"
            await client.close()
            assert [each.error for each in seen] == ["upstream-closed" if reset else None]

    run(story(), loop)


def test_an_upstream_that_speaks_unasked_is_dropped() -> None:
    async def story() -> None:
        async with gateway(answering(OK + b"HTTP/1.1 200 OK\r\n\r\nevil", OK)) as place:
            client = await place.client()
            for _ in range(3):
                await client.say(ASK)
                assert await client.hear(len(OK)) == OK
            await client.close()
            assert place.model.connections == 2

    run(story())


def forgetting(times: int) -> Handler:
    """Answers the first request of a connection; closes it at the next, for so many connections."""

    async def handle(model: Model, peer: Peer) -> None:
        for turn in range(1000):
            request = await peer.hear_request()
            if request:
                model.requests.append(request)
            if not request or (turn == 1 and model.connections <= times):
                return
            await peer.say(OK)

    return handle


@LOOPS
def test_a_prediction_over_a_kept_connection_that_was_closed_is_asked_once_more(loop: Loop) -> None:
    chunks = post(b"2\r\n41\r\n0\r\n\r\n", CHUNKED)

    async def story() -> None:
        for ask in (ASK, chunks):
            seen = Seen()
            async with gateway(forgetting(1), watch=seen) as place:
                for cuts in ((), (len(ask) - 1,)):
                    assert (await place.ask(ask, cuts=cuts))[0] == 200
                assert place.model.requests == [ask] * 3
                assert place.counters.retried == 1
                assert [each.input_bytes() for each in seen] == [b"41"] * 2

    run(story(), loop)


def test_nothing_is_asked_a_third_time() -> None:
    async def always(model: Model, peer: Peer) -> None:
        model.requests.append(await peer.hear_request())
        if len(model.requests) == 1:
            await peer.say(OK)
            model.requests.append(await peer.hear_request())

    async def story() -> None:
        async with gateway(always) as place:
            assert (await place.ask())[0] == 200
            assert (await place.ask())[0] == 502
            assert place.model.requests == [ASK] * 3

    run(story())


@pytest.mark.parametrize(
    ("ask", "options"),
    [
        (ASK, {"retry": False}),
        (ASK.replace(b"/invocations", b"/v2/repository/index"), {}),
        (post(b"a" * 101, b"Content-Length: 101"), {"limits": Limits(replay_bytes=100)}),
    ],
)
def test_what_must_not_or_cannot_be_asked_again_is_not(ask: bytes, options: dict[str, Any]) -> None:
    async def story() -> None:
        async with gateway(forgetting(1), **options) as place:
            assert [(await place.ask(ask))[0] for _ in range(2)] == [200, 502]
            assert place.counters.retried == 0

    run(story())


def test_a_request_without_effect_is_asked_again() -> None:
    async def story() -> None:
        async with gateway(forgetting(1)) as place:
            get = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
            assert [(await place.ask(get))[0] for _ in range(2)] == [200, 200]

    run(story())


def test_a_new_connection_that_closes_unanswered_is_no_reason_to_ask_again() -> None:
    async def story() -> None:
        async with gateway(says(b"")) as place:
            assert (await place.ask())[0] == 502
            assert place.model.requests == [ASK]

    run(story())


def test_connections_nobody_uses_are_closed_before_the_upstream_would() -> None:
    async def story() -> None:
        left = 0

        async def counting(model: Model, peer: Peer) -> None:
            nonlocal left
            while await peer.hear_request():
                await peer.say(OK)
            left += 1

        async with gateway(counting, timeouts=QUICK) as place:
            await place.ask()
            await until(lambda: left)
            await place.ask()
            assert place.model.connections == 2

    run(story())


def test_requests_wait_for_one_of_few_connections() -> None:
    async def slow(model: Model, peer: Peer) -> None:
        while await peer.hear_request():
            await asyncio.sleep(0.01)
            await peer.say(OK)

    async def story() -> None:
        async with gateway(slow, limits=Limits(connections=2)) as place:
            answers = await asyncio.gather(*(place.ask() for _ in range(20)))
            assert [status for status, _, _ in answers] == [200] * 20
            assert place.model.connections == 2

        async with gateway(
            mute, limits=Limits(connections=1), timeouts=Timeouts(connect=0.2, drain=0.1)
        ) as place:
            stuck = await place.client()
            await stuck.say(ASK)
            await until(lambda: place.model.requests)
            assert (await place.ask())[0] == 503
            await stuck.close()

    run(story())
