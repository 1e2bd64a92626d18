"""The gateway between moody upstreams and careless clients."""

import asyncio
from contextlib import suppress
from random import Random

import pytest
from tests.scenarios.proxied import (
    LOOPS,
    QUICK,
    Handler,
    Loop,
    Model,
    Peer,
    Place,
    Seen,
    gateway,
    post,
    run,
    until,
)


def moody(random: Random) -> Handler:
    """Answers with what it was sent, many times over; or closes, resets, hangs, breaks off, or speaks nonsense."""

    async def answer(peer: Peer, body: bytes) -> None:
        if random.random() < 0.5:
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        else:
            chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, cuts=(30, 60))

    async def handle(model: Model, peer: Peer) -> None:
        while request := await peer.hear_request():
            body = request.partition(b"\r\n\r\n")[2] * random.choice([1, 10, 30_000])
            match random.choice(["closes", "breaks off", "babbles", "hangs", "resets", *["answers"] * 15]):
                case "closes":
                    return
                case "breaks off":
                    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 1) + body)
                    return
                case "babbles":
                    await peer.say(b"nonsense\r\n\r\n")
                case "hangs":
                    await asyncio.sleep(0.4)
                case "resets":
                    peer.reset()
                    return
                case _:
                    await answer(peer, body)

    return handle


async def careless(place: Place, number: int, random: Random) -> int:
    """A client that asks a few times, unless it leaves; how many whole answers it got. All of them were its own."""
    whole = 0
    peer = await place.client()
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        for turn in range(6):
            name = b"%d.%d;" % (number, turn)
            ask = post(name, b"Content-Length: %d" % len(name))
            await peer.say(ask, cuts=(random.randrange(1, len(ask)),) if random.random() < 0.3 else ())
            mood = random.random()
            if mood < 0.1:
                peer.reset()
                return whole
            if mood < 0.15:
                break
            status, body = await answer_of(peer)
            if status == 200:
                assert body.replace(name, b"") == b""
                whole += 1
            else:
                assert status in (408, 502, 504)
    await peer.close()
    return whole


@LOOPS
@pytest.mark.parametrize("seed", range(3))
def test_amid_chaos_every_whole_answer_is_the_right_one_and_nothing_is_left_behind(
    loop: Loop, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(seed)

    async def story() -> None:
        seen = Seen()
        async with gateway(moody(random), watch=seen, timeouts=QUICK) as place:
            whole = sum(await asyncio.gather(*(careless(place, number, random) for number in range(60))))
            await until(lambda: place.counters.clients == 0 and place.counters.running == 0)
            assert whole > 60
            assert sum(each.error is None for each in seen) >= whole
            assert place.counters.watched == len(seen) <= 360
            (pool,) = place.server._house.pools
            assert not pool._waiting
            await until(lambda: not pool._tasks and pool._open == set(pool._idle))

    run(story(), loop)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def answer_of(peer: Peer) -> tuple[int, bytes]:
    """Status and body of an answer of either framing."""
    async with asyncio.timeout(10):
        head = await peer.reader.readuntil(b"\r\n\r\n")
        if b"chunked" not in head:
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            return int(head[9:12]), await peer.reader.readexactly(length)
        body = b""
        while size := int(await peer.reader.readuntil(b"\r\n"), 16):
            body += (await peer.reader.readexactly(size + 2))[:-2]
        await peer.reader.readexactly(2)
        return int(head[9:12]), body
