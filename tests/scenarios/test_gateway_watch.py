"""What the watch of a gateway is told, and what it may hold back."""

import asyncio
import time
from collections.abc import Awaitable

import pytest
from tests.scenarios.proxied import ASK, LOOPS, OK, Loop, Model, Peer, Seen, answering, gateway, run, until

from watchkeep.gateway import Exchange, Limits, Timeouts
from watchkeep.gateway.routes import Route

JSON = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"score": 1}'


def test_the_watch_is_told_what_passed_and_when() -> None:
    ask = (
        b"POST /endpoints/churn/invocations?x=1 HTTP/1.1\r\nHost: models\r\nContent-Type: text/csv\r\n"
        b"X-Amzn-SageMaker-Inference-Id: i-1\r\nx-request-id: r-1\r\nContent-Encoding: gzip\r\n"
        b"X-Amzn-SageMaker-Custom-Attributes: a=1,b=2\r\nX-Amzn-SageMaker-Target-Model: m.tar.gz\r\n"
        b"Content-Length: 4\r\n\r\n41,7"
    )

    async def slow(model: Model, peer: Peer) -> None:
        await peer.hear_request()
        await asyncio.sleep(0.05)
        await peer.say(JSON[:20])
        await asyncio.sleep(0.05)
        await peer.say(JSON[20:])

    async def story() -> None:
        async with gateway(slow, watch=(seen := Seen())) as place:
            before = time.time_ns()
            client = await place.client()
            await client.say(ask[:-2])
            await asyncio.sleep(0.05)
            await client.say(ask[-2:])
            await client.hear_answer()
            await client.close()
            (one,) = seen
            assert one.route == Route("churn", "sagemaker", "/invocations", captured=True)
            assert (one.variant, one.method) == ("A", b"POST")
            assert one.target == b"/endpoints/churn/invocations?x=1"
            assert (one.content_type, one.content_encoding) == (b"text/csv", b"gzip")
            assert (one.inference_id, one.attributes, one.target_model) == (b"i-1", b"a=1,b=2", b"m.tar.gz")
            assert one.input_bytes() == b"41,7"
            assert one.output_bytes() == b'{"score": 1}'
            assert (one.output_type, one.output_encoding) == (b"application/json", b"")
            assert (one.status, one.error) == (200, None)
            assert before <= one.started <= time.time_ns()
            assert 95_000 <= one.latency < one.total - 45_000
            assert one.total <= (time.time_ns() - before) / 1000
            assert (one.input_truncated, one.output_truncated) == (False, False)

    run(story())


def test_only_what_is_captured_is_told_and_each_once() -> None:
    async def story() -> None:
        async with gateway(watch=(seen := Seen())) as place:
            for method, path in [
                (b"POST", b"/invocations"),
                (b"GET", b"/invocations"),
                (b"GET", b"/ping"),
                (b"POST", b"/v2/models/churn/load"),
                (b"POST", b"/endpoints/nobody/invocations"),
                (b"PUT", b"/predict"),
                (b"POST", b"/predict"),
                (b"POST", b"/v1/models/churn:predict"),
            ]:
                await place.ask(ASK.replace(b"POST /invocations", method + b" " + path))
            assert [each.target for each in seen] == [
                b"/invocations",
                b"/predict",
                b"/v1/models/churn:predict",
            ]
            assert place.counters.watched == 3
            assert place.counters.snapshot()["answers"] == {"2xx": 7}

        async with gateway(watch=(seen := Seen()), methods=frozenset({"GET"})) as place:
            await place.ask(ASK)
            await place.ask(ASK.replace(b"POST", b"GET"))
            assert [each.method for each in seen] == [b"GET"]

    run(story())


def test_the_request_id_names_an_inference_that_has_no_other_name() -> None:
    async def story() -> None:
        async with gateway(watch=(seen := Seen())) as place:
            await place.ask(ASK.replace(b"Host", b"X-Request-ID: r-1\r\nHost"))
            await place.ask(ASK)
            assert [each.inference_id for each in seen] == [b"r-1", b""]

    run(story())


def test_the_upstreams_own_errors_pass_and_are_told() -> None:
    sad = b"HTTP/1.1 500 Oh no\r\nX: 1\r\nContent-Length: 9\r\n\r\ntraceback"

    async def story() -> None:
        async with gateway(answering(sad), watch=(seen := Seen())) as place:
            client = await place.client()
            await client.say(ASK)
            assert await client.hear(len(sad)) == sad
            await client.close()
            assert [(each.status, each.error, each.output_bytes()) for each in seen] == [
                (500, None, b"traceback")
            ]

    run(story())


@LOOPS
def test_bodies_in_chunks_are_told_without_their_framing(loop: Loop) -> None:
    ask = (
        b"POST /invocations HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\n41\r\n3;x\r\n,42\r\n0\r\n\r\n"
    )
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n2\r\n.5\r\n0\r\nEtag: 1\r\n\r\n"

    async def story() -> None:
        async with gateway(answering(answer, cuts=(30, 60, 70)), watch=(seen := Seen())) as place:
            client = await place.client()
            for cuts in ((), (20, 80, 90)):
                await client.say(ask, cuts=cuts)
                assert await client.hear(len(answer)) == answer
            await client.close()
            assert [(each.input_bytes(), each.output_bytes()) for each in seen] == [(b"41,42", b"0.5")] * 2

    run(story(), loop)


def test_what_is_too_much_to_keep_passes_and_is_told_in_part() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"o" * 100_000

    async def story() -> None:
        few = Limits(captured_bytes=1000)
        async with gateway(answering(answer), watch=(seen := Seen()), limits=few) as place:
            ask = ASK.replace(b"Length: 2", b"Length: 3000")[:-2] + b"i" * 3000
            _, _, body = await place.ask(ask, cuts=(200, 1000, 2000))
            assert body == b"o" * 100_000
            (one,) = seen
            assert (one.input_truncated, one.output_truncated) == (True, True)
            assert one.input_bytes() == b"i" * 1000
            assert one.output_bytes() == b"o" * 1000
            assert (one.input_size, one.output_size) == (len(ask), len(answer))

    run(story())


@LOOPS
@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + bytes(400_000),
    ],
)
def test_an_answer_does_not_end_before_the_watch_lets_it(loop: Loop, answer: bytes) -> None:
    async def once(model: Model, peer: Peer) -> None:
        while await peer.hear_request():
            await peer.say(answer)
            if answer.endswith(b"end"):
                return

    async def story() -> None:
        held: list[asyncio.Future[None]] = []

        def hold(exchange: Exchange) -> Awaitable[None]:
            held.append(asyncio.get_running_loop().create_future())
            return held[-1]

        async with gateway(once, watch=hold) as place:
            client = await place.client()
            await client.say(ASK)
            await until(lambda: held)
            await client.say(ASK)  # one that is sent ahead waits, too
            await asyncio.sleep(0.05)
            heard = bytes(client.reader._buffer)  # type: ignore[attr-defined]
            assert answer.startswith(heard)
            if not answer.endswith(b"end"):
                assert len(heard) < len(answer)
            assert not client.reader.at_eof()
            assert len(held) == 1
            held[0].set_result(None)
            assert await client.hear(len(answer)) == answer
            if answer.endswith(b"end"):
                assert await client.hear_all() == b""
            else:
                await until(lambda: len(held) == 2)
                held[1].set_result(None)
                assert await client.hear(len(answer)) == answer
            await client.close()

    run(story(), loop)


def test_problems_are_held_back_too() -> None:
    async def story() -> None:
        free = asyncio.Event()

        def hold(exchange: Exchange) -> Awaitable[object]:
            return free.wait()

        async with gateway(answering(b"nonsense\r\n\r\n"), watch=hold) as place:
            client = await place.client()
            await client.say(ASK)
            await until(lambda: place.counters.watched)
            await asyncio.sleep(0.05)
            assert not client.reader._buffer  # type: ignore[attr-defined]
            free.set()
            assert (await client.hear_problem())["status"] == 502
            await client.close()

    run(story())


@pytest.mark.parametrize("how", ["raises", "fails", "is cancelled", "never ends"])
def test_whatever_becomes_of_the_watch_clients_are_answered_and_it_is_counted(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    def odd(exchange: Exchange) -> Awaitable[None]:
        if how == "raises":
            raise RuntimeError("disk on fire")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if how == "fails":
            future.set_exception(OSError("disk full"))
        elif how == "is cancelled":
            future.cancel()
        return future

    async def story() -> None:
        async with gateway(watch=odd, timeouts=Timeouts(watch=0.1, drain=0.2)) as place:
            client = await place.client()
            for _ in range(2):
                await client.say(ASK)
                assert await client.hear(len(OK)) == OK
            await client.close()
            assert place.counters.watch_errors == 2
            assert place.counters.watched == 2

    run(story())
    assert len([record for record in caplog.records if record.name.startswith("watchkeep")]) == 1


@pytest.mark.parametrize("how", ["fails", "never ends"])
def test_where_that_is_asked_for_nothing_is_answered_that_was_not_kept(how: str) -> None:
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + bytes(400_000)

    def odd(exchange: Exchange) -> Awaitable[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if how == "fails":
            future.set_exception(OSError("disk full"))
        return future

    async def story() -> None:
        times = Timeouts(watch=0.1, drain=0.2)
        async with gateway(answering(OK, OK, long), watch=odd, timeouts=times, strict=True) as place:
            client = await place.client()
            for _ in range(2):
                await client.say(ASK)
                problem = await client.hear_problem()
                assert (problem["status"], problem["type"]) == (503, "urn:watchkeep:gateway:not-recorded")
            await client.say(ASK)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await client.hear(len(long))
            await client.close()
            assert place.counters.watch_errors == 3

    run(story())


def test_a_client_that_leaves_while_its_answer_is_held_back_was_answered() -> None:
    async def story() -> None:
        free = asyncio.Event()
        seen = Seen()

        def hold(exchange: Exchange) -> Awaitable[object]:
            seen(exchange)
            return free.wait()

        async with gateway(watch=hold) as place:
            client = await place.client()
            await client.say(ASK)
            await until(lambda: seen)
            client.reset()
            await until(lambda: place.counters.clients == 0)
            free.set()
            await asyncio.sleep(0.02)
            assert [each.error for each in seen] == [None]

    run(story())


def test_without_a_watch_nothing_is_kept() -> None:
    async def story() -> None:
        async with gateway() as place:
            await place.ask()
            assert place.counters.snapshot() | {"clients": 0} == {
                "clients": 0,
                "running": 0,
                "requests": 1,
                "answers": {"2xx": 1},
                "refused": {},
                "failed": {},
                "retried": 0,
                "watched": 0,
                "watch_errors": 0,
            }

    run(story())
