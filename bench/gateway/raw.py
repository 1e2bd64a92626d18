"""A model server that does nothing: fixed bytes to every request, as fast as Python can."""

import asyncio
import re
import sys
from typing import cast

import uvloop

_LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)


def answer_of(size: int, lines: int) -> bytes:
    """An answer with a JSON body of some bytes, and headers as a model server's."""
    body = b'{"predictions":[' + b"1" * (size - 18) + b"]}"
    more = b"".join(b"x-more-%d: %d\r\n" % (line, line) for line in range(lines))
    return (
        b"HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 12:00:00 GMT\r\nserver: raw\r\n"
        b"content-length: %d\r\ncontent-type: application/json\r\n%b\r\n" % (len(body), more)
    ) + body


class Raw(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        while (end := data.find(b"\r\n\r\n") + 4) > 3:
            found = _LENGTH.search(data, 0, end)
            whole = end + (int(found[1]) if found else 0)
            if len(data) < whole:
                break
            data = data[whole:]
            self._transport.write(self._answer)
        self._held = data


async def serve(port: int, size: int, lines: int) -> None:
    answer = answer_of(size, lines)
    server = await asyncio.get_running_loop().create_server(lambda: Raw(answer), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(*map(int, sys.argv[1:4])))
