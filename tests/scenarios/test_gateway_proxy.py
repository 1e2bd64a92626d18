"""The gateway between real sockets: what passes is what was said, to the byte, and in order."""

import asyncio
import socket
from pathlib import Path
from random import Random

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenarios.proxied import ASK, LOOPS, OK, Loop, Model, Peer, Place, answering, gateway, run

from watchkeep.gateway import Endpoint, GatewayConfig, Server, Upstream

phrases = st.sampled_from([b"", b" ", b" OK", b" Fine, \xe9\ttoo"])
fields = st.lists(
    st.sampled_from(
        [
            b"X-Empty:",
            b"x-space:  a  ",
            b"Set-Cookie: a=1",
            b"set-cookie: b=2",
            b"X-Text: \xff\xe9",
            b"Server:raw",
            b"Keep-Alive: timeout=5",
            b"Content-Type: application/json",
            b"Connection: keep-alive",
            b"Connection: X-Hop",
        ]
    ),
    max_size=6,
)
statuses = st.sampled_from([200, 201, 299, 404, 422, 500, 503])


def chunked(pieces: list[bytes], extension: bytes, trailer: bytes) -> bytes:
    framed = b"".join(b"%X%b\r\n%b\r\n" % (len(each), extension, each) for each in pieces)
    return framed + b"000\r\n" + trailer + b"\r\n"


def with_length(status: int, phrase: bytes, lines: list[bytes], body: bytes, name: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 %d%b" % (status, phrase), *lines, name + b": %d" % len(body), b"", body])


def in_chunks(status: int, phrase: bytes, lines: list[bytes], body: bytes) -> bytes:
    head = b"\r\n".join(
        [b"HTTP/1.1 %d%b" % (status, phrase), *lines, b"TRANSFER-encoding: chunked", b"", b""]
    )
    return head + body


def empty(status: int, phrase: bytes, lines: list[bytes]) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 %d%b" % (status, phrase), *lines, b"", b""])


bodies = st.binary(max_size=200)
delimited = st.one_of(
    st.builds(
        with_length,
        statuses,
        phrases,
        fields,
        bodies,
        st.sampled_from([b"Content-Length", b"content-lengtH"]),
    ),
    st.builds(
        in_chunks,
        statuses,
        phrases,
        fields,
        st.builds(
            chunked,
            st.lists(st.binary(min_size=1, max_size=50), max_size=4),
            st.sampled_from([b"", b";x=1"]),
            st.sampled_from([b"", b"Etag: 1\r\n"]),
        ),
    ),
    st.builds(empty, st.sampled_from([204, 304]), phrases, fields),
)
cuts = st.lists(st.integers(1, 400), max_size=6).map(tuple)
settings.register_profile("sockets", deadline=None, max_examples=40)
few = settings(settings.get_profile("sockets"))


@few
@given(
    st.lists(delimited, min_size=1, max_size=3),
    cuts,
    st.sampled_from([asyncio.new_event_loop, uvloop.new_event_loop]),
)
def test_answers_pass_to_the_byte_and_the_connection_is_kept(
    answers: list[bytes], cuts: tuple[int, ...], loop: Loop
) -> None:
    async def story() -> None:
        async with gateway(answering(*answers, cuts=cuts)) as place:
            client = await place.client()
            for answer in answers:
                await client.say(ASK)
                assert await client.hear(len(answer)) == answer
            await client.say(ASK)  # nothing was left between answers, and the connection is as before
            assert await client.hear(len(answers[-1])) == answers[-1]
            assert place.model.connections == 1
            await client.close()

    run(story(), loop)


@few
@given(statuses, phrases, fields, bodies, cuts, st.sampled_from([b"HTTP/1.1", b"HTTP/1.0"]))
def test_answers_that_end_with_the_connection_end_ours(
    status: int, phrase: bytes, lines: list[bytes], body: bytes, cuts: tuple[int, ...], version: bytes
) -> None:
    answer = b"\r\n".join([version + b" %d%b" % (status, phrase), *lines, b"", body])

    async def once(model: Model, peer: Peer) -> None:
        await peer.hear_request()
        await peer.say(answer, cuts=cuts)

    async def story() -> None:
        async with gateway(once) as place:
            client = await place.client()
            await client.say(ASK)
            assert await client.hear_all() == answer
            await client.close()

    run(story())


@LOOPS
def test_packets_may_be_cut_anywhere(loop: Loop) -> None:
    request = (
        b"POST /invocations HTTP/1.1\r\nHost: models\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2;x\r\n41\r\n1\r\n2\r\n0\r\nEtag: 1\r\n\r\n"
    )
    answer = in_chunks(200, b" OK", [b"X: 1"], chunked([b"0.5", b"0"], b";y", b"Etag: 2\r\n"))

    async def story() -> None:
        async with gateway(answering(answer, cuts=tuple(range(1, len(answer))))) as place:
            client = await place.client()
            for cut in (tuple(range(1, len(request))), ()):
                await client.say(request, cuts=cut)
                assert await client.hear(len(answer)) == answer
            assert place.model.requests == [request, request]
            await client.close()

    run(story(), loop)


@few
@given(
    st.binary(max_size=300),
    st.lists(st.binary(min_size=1, max_size=40), max_size=4),
    fields.map(lambda lines: [line for line in lines if line[:4].lower() not in (b"conn", b"keep")]),
    cuts,
)
def test_requests_pass_to_the_byte(
    body: bytes, pieces: list[bytes], lines: list[bytes], cuts: tuple[int, ...]
) -> None:
    first = b"POST /v2/models/churn/infer?a=%20b HTTP/1.1"
    requests = [
        b"\r\n".join([first, b"hOst:  models", *lines, b"content-Length: %d" % len(body), b"", body]),
        b"\r\n".join(
            [first, *lines, b"Host: x", b"transfer-encoding: Chunked", b"", chunked(pieces, b"", b"")]
        ),
    ]

    async def story() -> None:
        async with gateway() as place:
            client = await place.client()
            for request in requests:
                await client.say(request, cuts=cuts)
                assert await client.hear(len(OK)) == OK
            await client.close()
            assert place.model.requests == requests

    run(story())


@few
@given(
    st.lists(st.sampled_from([b"/invocations", b"/a//b", b"/ping", b"/v2/models/churn/infer"]), max_size=12),
    cuts,
)
def test_requests_sent_ahead_are_answered_in_order(paths: list[bytes], cuts: tuple[int, ...]) -> None:
    async def echo(model: Model, peer: Peer) -> None:
        while request := await peer.hear_request():
            path = request.split(b" ")[1]
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path)

    async def story() -> None:
        async with gateway(echo) as place:
            client = await place.client()
            ahead = b"\r\n".join(
                b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" % path for path in paths
            )
            await client.say(ahead, cuts=cuts)
            for path in paths:
                status, _, body = await client.hear_answer()
                assert (status, body) == (200, path) if b"//" not in path else status == 400
            await client.close()

    run(story())


@LOOPS
def test_interim_answers_pass_and_are_not_the_answer(loop: Loop) -> None:
    go, hints = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

    async def careful(model: Model, peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(go + hints)
        model.requests.append(head + await peer.hear(2))
        await peer.say(OK)

    async def story() -> None:
        async with gateway(careful) as place:
            client = await place.client()
            head, body = ASK[:-2].replace(b"Host", b"Expect: 100-continue\r\nHost"), ASK[-2:]
            await client.say(head)
            assert await client.hear(len(go + hints)) == go + hints
            await client.say(body)
            assert await client.hear(len(OK)) == OK
            assert place.model.requests == [head + body]
            await client.close()

    run(story(), loop)


def test_old_clients_hear_no_interim_answers_and_are_left_as_they_expect() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    kept = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok"

    async def story() -> None:
        async with gateway(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + answer, kept, answer)) as place:
            old = ASK.replace(b"HTTP/1.1", b"HTTP/1.0")
            assert await place.ask_all(old) == answer
            keeping = old.replace(b"Host", b"Connection: keep-alive\r\nHost")
            client = await place.client()
            await client.say(keeping)
            assert await client.hear(len(kept)) == kept
            await client.say(keeping)
            assert await client.hear_all() == answer
            await client.close()
            assert place.model.requests[0] == old
            assert b"\r\nConnection: keep-alive\r\n" in place.model.requests[1]

    run(story())


def test_answers_to_head_have_no_body_whatever_they_say() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    async def story() -> None:
        async with gateway(answering(answer)) as place:
            client = await place.client()
            for _ in range(2):
                await client.say(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")
                assert await client.hear(len(answer)) == answer
            await client.say(b"HEAD /endpoints/-/invocations HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 400")
            await client.say(b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n")
            assert await client.hear(len(answer)) == answer
            await client.close()

    run(story())


@LOOPS
def test_an_answer_before_the_request_has_ended_reaches_the_client_whole(loop: Loop) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"

    async def hasty(model: Model, peer: Peer) -> None:
        model.requests.append(await peer.reader.readuntil(b"\r\n\r\n"))
        await peer.say(refusal)
        await peer.hear_all()

    async def story() -> None:
        async with gateway(hasty) as place:
            client = await place.client()
            await client.say(
                b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + bytes(5000)
            )
            assert await client.hear(len(refusal)) == refusal
            await client.say(bytes(5000))  # still sending, as nobody told it to stop
            assert await client.hear_all() == b""
            await client.close()
            assert (await place.ask(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))[0] == 413
            assert len(place.model.requests) == 2

    run(story(), loop)


def test_a_client_that_has_said_all_still_hears_the_answer() -> None:
    async def slow(model: Model, peer: Peer) -> None:
        await peer.hear_request()
        await asyncio.sleep(0.05)
        await peer.say(OK)

    async def story() -> None:
        async with gateway(slow) as place:
            assert await place.ask_all(ASK + ASK) == OK + OK

    run(story())


def test_a_client_that_asks_to_close_is_hung_up_on() -> None:
    async def story() -> None:
        async with gateway() as place:
            client = await place.client()
            await client.say(ASK.replace(b"Host", b"Connection: close\r\nHost") + b"more")
            assert await client.hear_all() == OK
            await client.close()
            assert (await place.ask())[0] == 200
            assert place.model.connections == 1  # that to the model was kept

    run(story())


def test_an_upstream_that_says_it_closes_has_the_client_told_so() -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

    async def story() -> None:
        async with gateway(answering(answer)) as place:
            client = await place.client()
            await client.say(ASK)
            assert await client.hear_all() == answer
            await client.close()
            await place.ask()
            assert place.model.connections == 2

    run(story())


def test_an_offer_to_upgrade_is_passed_over_and_websockets_are_refused() -> None:
    offer = ASK.replace(
        b"Host", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\nHost"
    )

    async def story() -> None:
        async with gateway() as place:
            client = await place.client()
            for _ in range(2):
                await client.say(offer)
                assert await client.hear(len(OK)) == OK
            await client.say(ASK.replace(b"Host", b"Connection: Upgrade\r\nUpgrade: WebSocket\r\nHost"))
            assert (await client.hear_problem())["status"] == 501
            await client.close()
            assert place.model.requests == [ASK, ASK]

    run(story())


def test_the_variant_is_named_to_those_who_ask_as_of_sagemaker_and_nothing_else_is_added() -> None:
    named = b"HTTP/1.1 200 OK\r\nx-amzn-invoked-production-variant: B\r\nContent-Length: 2\r\n\r\nok"
    ask = ASK.replace(b"/invocations", b"/endpoints/churn/invocations")

    async def story() -> None:
        async with gateway(answering(OK, named, OK)) as place:
            client = await place.client()
            await client.say(ask)
            more = b"x-Amzn-Invoked-Production-Variant: A\r\n"
            assert await client.hear(len(OK) + len(more)) == OK.replace(b"\r\n\r\n", b"\r\n" + more + b"\r\n")
            await client.say(ask)
            assert await client.hear(len(named)) == named
            await client.say(ASK)
            assert await client.hear(len(OK)) == OK
            await client.close()
            assert place.model.requests == [ASK, ASK, ASK]

    run(story())


def test_variants_are_chosen_by_weight_or_by_name() -> None:
    async def story() -> None:
        async with gateway(answering(OK)) as a, gateway(answering(OK)) as b:
            upstreams = (
                Upstream(url=f"http://127.0.0.1:{a.model.port}", variant="A", weight=3),
                Upstream(url=f"http://127.0.0.1:{b.model.port}", variant="B"),
                Upstream(url="http://127.0.0.1:9", variant="C", weight=0),
            )
            server = Server(GatewayConfig(endpoints=(Endpoint(name="churn", upstreams=upstreams),), port=0))
            await server.start()
            place = Place(server, a.model)
            client = await place.client()
            for _ in range(400):
                await client.say(ASK)
                await client.hear(len(OK))
            assert len(a.model.requests) + len(b.model.requests) == 400
            assert 240 <= len(a.model.requests) <= 360  # beyond 6 deviations of 300
            before = len(b.model.requests)
            for _ in range(20):
                await client.say(ASK.replace(b"Host", b"x-amzn-sagemaker-target-variant: B\r\nHost"))
                await client.hear(len(OK))
            assert len(b.model.requests) == before + 20
            await client.say(ASK.replace(b"Host", b"X-Amzn-SageMaker-Target-Variant: D\r\nHost"))
            assert (await client.hear_problem())["type"].endswith("no-such-variant")
            await client.say(ASK)
            assert await client.hear(len(OK)) == OK
            await client.close()
            await server.stop()

    run(story())


def test_what_is_told_about_the_client_is_told_when_asked_for() -> None:
    async def story() -> None:
        async with gateway(forwarded=True, via="watch") as place:
            await place.ask(
                ASK.replace(
                    b"Host", b"x-forwarded-for: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nVia: 1.0 a\r\nHost"
                )
            )
            assert place.model.requests == [
                ASK.replace(
                    b"\r\n\r\n",
                    b"\r\nX-Forwarded-For: 10.0.0.1, 127.0.0.1\r\nX-Forwarded-Proto: http\r\n"
                    b"Via: 1.0 a, 1.1 watch\r\n\r\n",
                )
            ]

    run(story())


def test_upstreams_may_have_a_path_a_host_and_a_socket_of_their_own(tmp_path: Path) -> None:
    async def story() -> None:
        model = Model(answering(OK))
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(str(tmp_path / "models.sock"))
        await model.start(sock)
        unix = Upstream(url=f"unix:{tmp_path / 'models.sock'}", variant="U", host="inside")
        async with gateway(endpoints=(Endpoint(name="churn", upstreams=(unix,)),)) as place:
            assert (await place.ask(ASK.replace(b"/inv", b"http://a/inv")))[0] == 200
            assert model.requests == [ASK.replace(b"models", b"inside")]
        await model.stop()

        async with gateway() as place:
            based = Upstream(url=f"http://127.0.0.1:{place.model.port}/base/")
            async with gateway(endpoints=(Endpoint(name="churn", upstreams=(based,)),)) as other:
                await other.ask(ASK.replace(b"/invocations", b"/endpoints/churn/invocations?a=1"))
            assert place.model.requests == [ASK.replace(b"/invocations", b"/base/invocations?a=1")]

    run(story())


@pytest.mark.slow
@LOOPS
def test_bodies_of_any_size_stream_both_ways_at_once(loop: Loop) -> None:
    whole = Random(7).randbytes(3_000_000)

    async def echo(model: Model, peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(whole))
        left = len(whole)
        while left:
            data = await peer.reader.read(70_000)
            left -= len(data)
            await peer.say(data)

    async def story() -> None:
        async with gateway(echo) as place:
            client = await place.client()
            saying = asyncio.create_task(
                client.say(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole)
            )
            status, _, body = await client.hear_answer()
            await saying
            assert status == 200
            assert body == whole
            await client.close()

    run(story(), loop)
