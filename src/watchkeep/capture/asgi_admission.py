"""Refuses what does not fit before an ASGI application is asked."""

import asyncio
from collections.abc import Sequence
from time import perf_counter_ns
from typing import Final

from watchkeep.capture.admission import Admission
from watchkeep.capture.admission_columns import Problem
from watchkeep.capture.asgi import Application, CaptureMiddleware, Message, Receive, Send
from watchkeep.capture.exchange import Capturing
from watchkeep.capture.flagging import Checked
from watchkeep.capture.refusing import CONTENT_TYPE, STATUS, looked_at, reasons, refusal

_LONG: Final = 1 << 16
"""Bytes of a body that is looked at in another thread, so that other requests are answered meanwhile."""


class AdmissionMiddleware:
    """An application that is asked only what fits; what it is asked, and what it is not, is recorded.

    A body is read whole before the application is called, which then gets it as it came, piece by piece.

    Args:
        app: the application.
        capturing: which requests are captured; these are looked at, too.
        admission: what they must be like.
        names: of values that come without; None for those of the columns.
    """

    def __init__(
        self,
        app: Application,
        capturing: Capturing,
        admission: Admission,
        names: Sequence[str] | None = None,
    ) -> None:
        self.app, self.capturing, self.admission, self._names = app, capturing, admission, names
        self._captured = CaptureMiddleware(app, capturing)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection, as ASGI has it; see `CaptureMiddleware`."""
        if scope["type"] == "http" and self.capturing.wants(scope["method"], scope["path"]):
            await self._checked(scope, receive, send)
        else:
            await self._captured(scope, receive, send)

    async def _checked(self, scope: Message, receive: Receive, send: Send) -> None:
        heard, complete = await self._heard(receive)
        again = _again(heard, receive)
        if not complete:  # whoever asked has gone
            await self._captured(scope, again, send)
            return
        body = b"".join([message.get("body", b"") for message in heard])
        kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
        start = perf_counter_ns()
        if len(body) <= _LONG:
            problems = looked_at(self.admission, body, kind, self._names)
        else:
            problems = await asyncio.to_thread(looked_at, self.admission, body, kind, self._names)
        spent = (perf_counter_ns() - start) // 1000
        if not problems:
            await self._captured(scope, again, send)
        elif why := reasons(problems):
            whole = len(body) <= self.admission.bytes
            checked = Checked.of(self.capturing, problems, refused=True, whole=whole, spent=spent)
            await CaptureMiddleware(_refusing(why, len(heard)), checked)(scope, again, send)
        else:
            checked = Checked.of(self.capturing, problems, refused=False)
            await CaptureMiddleware(self.app, checked)(scope, again, send)

    async def _heard(self, receive: Receive) -> tuple[list[Message], bool]:
        """The messages of a body, and whether they are all of it, or more than it may have."""
        heard: list[Message] = []
        size = 0
        while True:
            message = await receive()
            heard.append(message)
            if message["type"] != "http.request":
                return heard, False
            size += len(message.get("body", b""))
            if size > self.admission.bytes or not message.get("more_body", False):
                return heard, True


def _again(heard: Sequence[Message], receive: Receive) -> Receive:
    """Gives messages that were heard once more, and then those that come."""
    left = iter(heard)

    async def given() -> Message:
        for message in left:
            return message
        return await receive()

    return given


def _refusing(why: Sequence[Problem], messages: int) -> Application:
    """An application that refuses a request.

    Args:
        why: what is wrong.
        messages: of which its body is made, as far as it was read.
    """
    body = refusal(why)
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
    ]

    async def app(scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG001 (ASGI's signature)
        for _ in range(messages):
            await receive()
        await send({"type": "http.response.start", "status": STATUS, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
