"""Captures what an ASGI application is asked and answers (Starlette, FastAPI, Litestar, Django, Quart)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import time_ns
from typing import Any

from watchkeep.capture.exchange import (
    ATTRIBUTES,
    CONTENT_TYPE,
    INFERENCE_ID,
    REQUEST_ID,
    Capturing,
    Exchange,
    RecordLostError,
    whole,
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class CaptureMiddleware:
    """An application as it was, whose requests and answers are recorded.

    Bodies pass as they are, piece by piece. An exception passes too, and is recorded as status 500.

    Args:
        app: the application.
        capturing: which requests are captured.
    """

    def __init__(self, app: Application, capturing: Capturing) -> None:
        self.app, self.capturing = app, capturing
        self._take, self._make = capturing.recorder.take, capturing

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection, as ASGI has it.

        Raises:
            RecordLostError: a record cannot be kept of an answer that must have one.
        """
        if scope["type"] == "http" and self.capturing.wants(scope["method"], scope["path"]):
            await self._captured(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.app(scope, receive, self._until_shut_down(send))
        else:
            await self.app(scope, receive, send)

    async def _captured(self, scope: Message, receive: Receive, send: Send) -> None:
        limit, durable = self.capturing.limit, self.capturing.durable
        asked: list[bytes] = []
        answered: list[bytes] = []
        sizes = [0, 0]
        status = 0
        headers: Headers = ()
        waiting = True
        start = time_ns()

        async def heard() -> Message:
            message = await receive()
            body = message.get("body", b"")
            if sizes[0] <= limit:  # what passes the limit tells that it does; more is not needed
                asked.append(body[: limit + 1 - sizes[0]])
                sizes[0] += len(body)
            return message

        async def said(message: Message) -> None:
            nonlocal headers, status, waiting
            if message["type"] == "http.response.start":
                status, headers = message["status"], message.get("headers", ())
            elif message["type"] == "http.response.body":
                body = message.get("body", b"")
                if sizes[1] <= limit:
                    answered.append(body[: limit + 1 - sizes[1]])
                    sizes[1] += len(body)
                if not message.get("more_body", False):
                    waiting = False
                    what = _exchange(start, status, scope["headers"], headers, asked, answered)
                    if durable:
                        await self._stored(what)
                    else:
                        self._take(self._make, what, len(what[-1]) + len(what[-2]))
            await send(message)

        try:
            await self.app(scope, heard, said)
        except BaseException:
            status = status or 500
            raise
        finally:
            if waiting:  # it ended without an answer, or amid one
                what = _exchange(start, status, scope["headers"], headers, asked, answered)
                self._take(self._make, what, len(what[-1]) + len(what[-2]))

    async def _stored(self, what: Exchange) -> None:
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[str | None] = loop.create_future()

        def told(why: str | None) -> None:
            loop.call_soon_threadsafe(_settle, stored, why)

        self._take(self._make, what, len(what[-1]) + len(what[-2]), told)
        why = await stored
        if why is not None:
            raise RecordLostError(why)

    def _until_shut_down(self, send: Send) -> Send:
        """Servers may end by the signal they got, and then Python tells nobody: what is held is written before."""

        async def told(message: Message) -> None:
            if message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                self.capturing.recorder.flush()
            await send(message)

        return told


def _exchange(
    start: int,
    status: int,
    asked_with: Headers,
    answered_with: Headers,
    asked: list[bytes],
    answered: list[bytes],
) -> Exchange:
    end = time_ns()
    told = dict(asked_with)
    output_type = None
    for name, value in answered_with:
        if name == CONTENT_TYPE:
            output_type = value
    return (
        start,
        end,
        status,
        told.get(CONTENT_TYPE),
        output_type,
        told.get(INFERENCE_ID) or told.get(REQUEST_ID),
        told.get(ATTRIBUTES),
        whole(asked),
        whole(answered),
    )


def _settle(stored: "asyncio.Future[str | None]", why: str | None) -> None:
    if not stored.done():
        stored.set_result(why)
