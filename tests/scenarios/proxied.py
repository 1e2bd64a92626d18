"""A gateway between a client and a model server that do and say whatever a test wants."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop

from watchkeep.gateway import Counters, Endpoint, Exchange, GatewayConfig, Server, Timeouts, Upstream, Watch
from watchkeep.gateway.house import NO_GATES
from watchkeep.gateway.turns import Gate

LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
Loop = Callable[[], asyncio.AbstractEventLoop]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ASK = b"POST /invocations HTTP/1.1\r\nHost: models\r\nContent-Length: 2\r\n\r\n41"
CHUNKED = b"Transfer-Encoding: chunked"
QUICK = Timeouts(
    connect=0.3, answer=0.3, head=0.3, body=0.3, idle=0.3, stall=0.3, upstream_idle=0.3, watch=0.3, drain=1.0
)
LONG = 10.0
"""Seconds after which a test has failed."""


def run(test: Coroutine[Any, Any, None], loop: Loop = uvloop.new_event_loop) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await test

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(limited())


def post(body: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([b"POST /invocations HTTP/1.1", b"Host: a", *lines, b"", body])


class Peer:
    """One side of a connection, in bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes, *, cuts: tuple[int, ...] = ()) -> None:
        """Send bytes, in packets cut at these places."""
        start = 0
        for cut in (*sorted(set(cuts)), len(data)):
            if self.writer.transport.is_closing():
                raise ConnectionResetError
            self.writer.write(data[start:cut])
            start = cut
            await self.writer.drain()
            if cuts:
                await asyncio.sleep(0.0005)

    async def hear(self, size: int) -> bytes:
        async with asyncio.timeout(LONG):
            return await self.reader.readexactly(size)

    async def hear_all(self) -> bytes:
        """All until the other side ends."""
        async with asyncio.timeout(LONG):
            return await self.reader.read()

    async def hear_answer(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of an answer with a length."""
        async with asyncio.timeout(LONG):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            return int(head[9:12]), head, await self.reader.readexactly(length)

    async def hear_problem(self) -> dict[str, Any]:
        """The body of an answer that must be the gateway's own."""
        status, head, body = await self.hear_answer()
        problem: dict[str, Any] = json.loads(body)
        assert b"application/problem+json" in head
        assert problem["status"] == status
        assert problem["source"] == "watchkeep gateway"
        return problem

    async def hear_request(self) -> bytes:
        """A whole request, as it came; empty when there is none."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked" in lower:
            body, line = b"", b""
            while (line := await self.reader.readuntil(b"\r\n")).split(b";")[0].strip(b"0\r\n"):
                body += line + await self.reader.readexactly(int(line.split(b";")[0], 16) + 2)
            while line != b"\r\n":
                body += line
                line = await self.reader.readuntil(b"\r\n")
            return head + body + line
        at = lower.find(b"\r\ncontent-length:")
        length = int(lower[at + 17 : lower.find(b"\r", at + 2)]) if at >= 0 else 0
        return head + await self.reader.readexactly(length)

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    def reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Handler = Callable[["Model", Peer], Awaitable[None]]


class Model:
    """A model server in bytes.

    Attributes:
        requests: all it heard.
        connections: how many were made to it.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, sock: socket.socket | None = None) -> None:
        if sock is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**20)
        else:
            self._server = await asyncio.start_unix_server(self._serve, sock=sock, limit=2**20)
            return
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._handle(Peer(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, peer: Peer) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._handler(self, peer)
        finally:
            await peer.close()


def answering(*answers: bytes, cuts: tuple[int, ...] = ()) -> Handler:
    """Says these answers in turn, the last of them again and again."""

    async def handle(model: Model, peer: Peer) -> None:
        while request := await peer.hear_request():
            model.requests.append(request)
            await peer.say(answers[min(len(model.requests), len(answers)) - 1], cuts=cuts)

    return handle


class Place:
    """A gateway before a model."""

    def __init__(self, server: Server, model: Model) -> None:
        self.server, self.model = server, model
        self.counters: Counters = server.counters

    async def client(self) -> Peer:
        return Peer(*await asyncio.open_connection("127.0.0.1", self.server.port, limit=2**20))

    async def ask(self, request: bytes = ASK, *, cuts: tuple[int, ...] = ()) -> tuple[int, bytes, bytes]:
        """Ask once, over a connection of its own."""
        peer = await self.client()
        await peer.say(request, cuts=cuts)
        answer = await peer.hear_answer()
        await peer.close()
        return answer

    async def ask_all(self, request: bytes, *, cuts: tuple[int, ...] = ()) -> bytes:
        """All that a client hears that says this, and then no more."""
        peer = await self.client()
        await peer.say(request, cuts=cuts)
        peer.writer.write_eof()
        heard = await peer.hear_all()
        await peer.close()
        return heard


@asynccontextmanager
async def gateway(
    handler: Handler | None = None,
    watch: Watch | None = None,
    *,
    container: bool = True,
    gates: Mapping[str, Gate] = NO_GATES,
    **config: Any,
) -> AsyncIterator[Place]:
    """A gateway before a model server that does as the handler says."""
    model = Model(handler or answering(OK))
    await model.start()
    upstream = Upstream(url=f"http://127.0.0.1:{model.port}", variant="A")
    config.setdefault("endpoints", (Endpoint(name="churn", upstreams=(upstream,), container=container),))
    config.setdefault("timeouts", Timeouts(drain=1.0))
    server = Server(GatewayConfig(port=0, **config), watch, gates=gates)
    await server.start()
    try:
        yield Place(server, model)
    finally:
        await server.stop()
        await model.stop()
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(LONG):
        while not condition():
            await asyncio.sleep(0.005)


class Seen(list[Exchange]):
    """A watch that keeps what it is told."""

    def __call__(self, exchange: Exchange) -> None:
        self.append(exchange)
