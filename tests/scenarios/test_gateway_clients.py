"""The gateway among bad clients: they are refused in order, not waited for, and nothing worse comes of it."""

import asyncio
import socket
from collections.abc import Callable

import pytest
from tests.scenarios.proxied import (
    ASK,
    CHUNKED,
    LOOPS,
    OK,
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

from watchkeep.gateway import Limits


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"0\r\n\r\n", b"Content-Length: 3", CHUNKED), 400),
        (post(b"0\r\n\r\n", CHUNKED, b"Content-Length: 3"), 400),
        (post(b"abc", b"Content-Length: 3", b"Content-Length: 2"), 400),
        (post(b"abc", b"Content-Length: 3", b"Content-Length: 3"), 400),
        (post(b"abc", b"Content-Length: 3\r"), 400),
        (post(b"abc", b"Content-Length: three"), 400),
        (post(b"0\r\n\r\n", b"Transfer-Encoding: gzip, chunked"), 501),
        (post(b"0\r\n\r\n", b"Transfer-Encoding : chunked"), 400),
        (post(b"0\r\n\r\n", b"Transfer-Encoding:\r\n chunked"), 400),
        (post(b"zz\r\nabc\r\n0\r\n\r\n", CHUNKED), 400),
        (post(b"3\r\nabcd\r\n0\r\n\r\n", CHUNKED), 400),
        (post(b"3\nabc\n0\n\n", CHUNKED), 400),
        (post(b"ffffffffffffffffff\r\n", CHUNKED), 400),
        (post(b"", b"X: a\nX-Evil: b"), 400),
        (post(b"", b"X: a\rX-Evil: b"), 400),
        (post(b"", b"X: a\0b"), 400),
        (post(b"", b"X: a", b" folded"), 400),
        (post(b"", b"no colon"), 400),
        (post(b"", b"Host: b"), 400),
        (b"POST /invocations HTTP/1.1\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\nHost: a\n\n", 400),
        (b"POST /invocations\r\n\r\n", 400),
        (b"POST /invocations HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\x16\x03\x01\x00\xf7\x01\x00\x00\xf3\x03\x03", 400),
        (b"CONNECT models:80 HTTP/1.1\r\nHost: models:80\r\n\r\n", 501),
        (b"POST /endpoints/../../etc/invocations HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST /endpoints/%2e%2e%2f/invocations HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST /endpoints/nobody/invocations HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ],
)
def test_hostile_requests_are_refused_and_no_upstream_sees_them(request_: bytes, status: int) -> None:
    async def story() -> None:
        async with gateway() as place:
            assert (await place.ask(request_))[0] == status
            for cuts in (tuple(range(1, 40)), (len(request_) - 3,)):
                client = await place.client()
                await client.say(request_, cuts=cuts)
                assert (await client.hear_problem())["status"] == status
                await client.close()
            assert place.model.requests == []
            assert sum((*place.counters.refused.values(), *place.counters.failed.values())) == 3
            assert (await place.ask())[0] == 200

    run(story())


def test_a_refused_request_that_ends_somewhere_leaves_the_connection_and_others_do_not() -> None:
    async def story() -> None:
        async with gateway() as place:
            client = await place.client()
            lost = ASK.replace(b"/invocations", b"/endpoints/nobody/invocations")
            await client.say(lost[:-1])
            await asyncio.sleep(0.02)
            await client.say(lost[-1:])
            assert (await client.hear_problem())["message"] == "There is no endpoint nobody."
            await client.say(ASK)
            assert await client.hear(len(OK)) == OK
            await client.say(post(b"3\r\nabc\r\nHELP", CHUNKED) + ASK)
            assert (await client.hear_problem())["status"] == 400
            assert await client.hear_all() == b""
            await client.close()
            assert place.model.requests == [ASK]

    run(story())


def test_a_client_that_waits_to_be_told_to_send_is_refused_at_once() -> None:
    async def story() -> None:
        async with gateway() as place:
            client = await place.client()
            head = ASK[:-2].replace(b"/invocations", b"/endpoints/x/invocations")
            await client.say(head.replace(b"Host", b"Expect: 100-continue\r\nHost"))
            assert (await client.hear_problem())["status"] == 404
            assert await client.hear_all() == b""
            await client.close()

    run(story())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"", b"X: " + b"a" * 900), 431),
        (post(b"", *[b"X: 1"] * 8), 431),
        (b"POST /" + b"a" * 300 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 1000, 431),
        (post(b"", b"Content-Length: 51"), 413),
        (post(b"33\r\n" + b"a" * 51 + b"\r\n0\r\n\r\n", CHUNKED), 413),
    ],
)
def test_what_is_too_large_is_refused(request_: bytes, status: int) -> None:
    async def story() -> None:
        few = Limits(head_bytes=800, headers=8, target_bytes=200, body_bytes=50)
        async with gateway(limits=few) as place:
            assert (await place.ask(request_))[0] == status
            assert (await place.ask(request_, cuts=(30, 60, 90)))[0] == status
            assert (await place.ask())[0] == 200

    run(story())


def test_requests_at_the_limits_pass() -> None:
    async def story() -> None:
        few = Limits(head_bytes=800, headers=8, target_bytes=200, body_bytes=50)
        async with gateway(limits=few) as place:
            padding = 800 - len(post(b"", b"Content-Length: 50", b"X: "))
            full = post(b"a" * 50, b"Content-Length: 50", b"X: " + b"a" * padding)
            assert (await place.ask(full))[0] == 200
            assert (await place.ask(post(b"", *[b"X: 1"] * 7)))[0] == 200
            assert (await place.ask(b"POST /" + b"a" * 199 + b" HTTP/1.1\r\nHost: a\r\n\r\n"))[0] == 200

    run(story())


def test_a_body_that_grows_too_large_on_its_way_is_cut_off() -> None:
    async def story() -> None:
        seen = Seen()
        async with gateway(watch=seen, limits=Limits(body_bytes=50)) as place:
            client = await place.client()
            await client.say(post(b"20\r\n" + b"a" * 32 + b"\r\n", CHUNKED))
            await until(lambda: place.model.connections)
            await client.say(b"20\r\n" + b"a" * 32 + b"\r\n")
            assert (await client.hear_problem())["status"] == 413
            assert await client.hear_all() == b""
            await client.close()
            assert place.model.requests == []
            assert [(each.status, each.error) for each in seen] == [(413, "body-too-large")]

    run(story())


def test_too_many_clients_are_told_so() -> None:
    async def story() -> None:
        async with gateway(limits=Limits(clients=2)) as place:
            inside = [await place.client() for _ in range(2)]
            for client in inside:
                await client.say(ASK)
                await client.hear(len(OK))
            third = await place.client()
            assert (await third.hear_problem())["status"] == 503
            await third.close()
            await inside[0].close()
            await until(lambda: place.counters.clients == 1)
            assert (await place.ask())[0] == 200
            await inside[1].close()

    run(story())


@LOOPS
@pytest.mark.parametrize("part", [b"POST /inv", ASK[:-1], post(b"5\r\nab", CHUNKED)])
def test_slow_clients_are_not_waited_for(loop: Loop, part: bytes) -> None:
    async def story() -> None:
        async with gateway(timeouts=QUICK) as place:
            client = await place.client()
            await client.say(part)
            assert (await client.hear_problem())["status"] == 408
            assert await client.hear_all() == b""
            await client.close()
            assert place.model.requests == []
            await until(lambda: place.counters.running == 0)

    run(story(), loop)


def test_a_head_that_drips_is_late_all_the_same() -> None:
    async def story() -> None:
        async with gateway(timeouts=QUICK) as place:
            client = await place.client()
            dripping = asyncio.create_task(
                client.say(b"GET / HTTP/1.1\r\nX: " + b"a" * 4000, cuts=tuple(range(4000)))
            )
            assert (await client.hear_problem())["status"] == 408
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
            await client.close()

    run(story())


def test_clients_that_ask_nothing_are_hung_up_on_without_a_word() -> None:
    async def story() -> None:
        async with gateway(timeouts=QUICK) as place:
            fresh, used = await place.client(), await place.client()
            await used.say(ASK)
            await used.hear(len(OK))
            assert await fresh.hear_all() == b""
            assert await used.hear_all() == b""
            await fresh.close()
            await used.close()
            assert place.counters.refused == {}

    run(story())


@LOOPS
def test_a_client_that_does_not_read_is_hung_up_on_and_holds_nothing(loop: Loop) -> None:
    size = 100_000_000
    sent = 0

    async def generous(model: Model, peer: Peer) -> None:
        nonlocal sent
        await peer.hear_request()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            await peer.say(bytes(100_000))
            sent += 100_000

    async def story() -> None:
        seen = Seen()
        async with gateway(generous, watch=seen, timeouts=QUICK) as place:
            client = socket.create_connection(("127.0.0.1", place.server.port))
            client.sendall(ASK)
            await until(lambda: seen)
            assert seen[0].error == "client-gone"
            assert sent < 60_000_000  # what sockets hold, and not what the answer has
            client.close()
            await until(lambda: place.counters.clients == 0)

    run(story(), loop)


@LOOPS
@pytest.mark.parametrize("early", [True, False])
def test_a_client_that_leaves_has_nothing_asked_for_it_any_more(loop: Loop, early: bool) -> None:
    left = asyncio.Event()

    async def patient(model: Model, peer: Peer) -> None:
        model.requests.append(await peer.hear_request())
        if not early:
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha")
        await peer.hear_all()
        left.set()

    async def story() -> None:
        seen = Seen()
        async with gateway(patient, watch=seen) as place:
            client = await place.client()
            await client.say(ASK)
            await until(lambda: place.model.requests)
            if not early:
                await client.hear(30)
            client.reset()
            async with asyncio.timeout(5):
                await left.wait()
            assert [(each.error, each.status) for each in seen] == [("client-gone", 0 if early else 200)]
            assert place.counters.running == 0

    run(story(), loop)


def test_a_client_that_leaves_amid_its_request_asks_nothing() -> None:
    async def story() -> None:
        async with gateway(watch=(seen := Seen())) as place:
            client = await place.client()
            await client.say(ASK[:-1])
            await until(lambda: place.counters.running)
            await client.close()
            await until(lambda: place.counters.running == 0)
            assert [(each.error, each.status) for each in seen] == [("client-gone", 0)]
            assert place.model.requests == []

    run(story())


@pytest.mark.parametrize("when", [lambda ask: ask, lambda ask: ask[:30], lambda ask: ask[:-1]])
def test_a_client_that_leaves_while_a_connection_is_made_leaves_nothing_behind(
    when: Callable[[bytes], bytes],
) -> None:
    async def story() -> None:
        async with gateway() as place:
            for _ in range(20):
                client = await place.client()
                await client.say(when(ASK))
                client.reset()
            await until(lambda: place.counters.clients == 0 and place.counters.running == 0)
            assert (await place.ask())[0] == 200

    run(story())
