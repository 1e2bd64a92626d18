"""The fastest plain reverse proxy that Python makes of uvloop and httptools, to measure the gateway against.

It passes whole packets on as they are, keeps connections to the upstream, and finds the ends of messages. It checks
nothing, limits nothing, waits for ever, and knows no chunks, no closing and no errors: nobody should run it.
"""

import asyncio
import socket
import sys
from typing import cast

import httptools
import uvloop


class Client(asyncio.Protocol):
    def __init__(self, pool: list["Upstream"], port: int) -> None:
        self._pool, self._port = pool, port
        self._parser = httptools.HttpRequestParser(self)
        self._link: Upstream | None = None
        self._waiting: list[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)
        if self._link is None:
            if self._pool:
                self._link = self._pool.pop()
                self._link.client = self
            else:
                if self._waiting is None:
                    self._waiting = []
                    self._connecting = asyncio.ensure_future(self._connect())
                self._waiting.append(data)
                return
        self._link.transport.write(data)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(lambda: Upstream(self._pool), "127.0.0.1", self._port)
        self._link, link.client = link, self
        link.transport.write(b"".join(self._waiting or []))
        self._waiting = None

    def on_message_complete(self) -> None:
        pass

    def done(self) -> None:
        self._link = None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        del self._parser


class Upstream(asyncio.Protocol):
    def __init__(self, pool: list["Upstream"]) -> None:
        self._pool = pool
        self.client: Client | None = None
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        client = cast("Client", self.client)
        if not self._left:
            end = data.find(b"\r\n\r\n") + 4
            at = data.find(b"content-length: ") + 16
            self._left = end + int(data[at : data.find(b"\r", at)])
        self._left -= len(data)
        if client.transport.is_closing():
            self.transport.abort()
            return
        client.transport.write(data)
        if self._left <= 0:
            self._left = 0
            self.client = None
            self._pool.append(self)
            client.done()


async def serve(port: int, upstream: int) -> None:
    pool: list[Upstream] = []
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Client(pool, upstream), sock=sock, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(*map(int, sys.argv[1:3])))
