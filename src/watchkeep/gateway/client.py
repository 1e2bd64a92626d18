"""A client's connection: the half that reads requests."""

import asyncio
import re
from functools import partial
from math import inf
from time import monotonic
from typing import Final, cast

from watchkeep.capture.refusing import STATUS, reasons, refusal
from watchkeep.gateway.answering import BY_NEXT, Answering, is_sagemaker
from watchkeep.gateway.exchange import Finding
from watchkeep.gateway.problems import Refusal, whole_answer
from watchkeep.gateway.reading import read_head
from watchkeep.gateway.requests import RequestError, is_stray
from watchkeep.gateway.responses import FramingError
from watchkeep.gateway.turns import Gate, Turn

_CR: Final = 13
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_LONG: Final = 1 << 16
"""Bytes of a request that is looked at in another thread, so that other requests are answered meanwhile."""
_BLANK: Final = re.compile(rb"(?:\r\n)*+")
"""Empty lines before a request, which are passed over (RFC 9112, 2.2)."""


class ClientConnection(Answering):
    """One client. What it sends after a request, before that is answered, waits unread."""

    __slots__ = ()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a request."""
        self.transport = cast("asyncio.Transport", transport)
        house = self.house
        house.clients.add(self)
        house.counters.clients += 1
        self.deadline = monotonic() + house.timeouts.idle
        if len(house.clients) > house.limits.clients:
            self._refuse_to_read(Refusal(503, "too-many-clients", "Too many clients are connected."))

    def data_received(self, data: bytes) -> None:
        """Read a request, or more of it."""
        turn = self.turn
        if self.deaf:
            return
        if turn is None:
            self._read_head(self.rest + data if self.rest else data)
        elif turn.ended:
            self.rest += data
            self.pause(BY_NEXT, on=True)
        else:
            self._read_body(turn, data)

    def eof_received(self) -> bool:
        """Stay to answer what was asked, and only that."""
        self.gone = True
        return self.turn is not None and self.turn.ended and not self.deaf

    def late(self) -> None:
        """The deadline has passed."""
        if self.held is not None:
            self.house.unwatched(TimeoutError(f"not done within {self.house.timeouts.watch:g} s"))
            self.release(kept=False)
        elif (
            self.deaf or self.stalled or self.transport.is_closing() or (self.turn is None and not self.rest)
        ):
            self.transport.abort()
        else:
            self._refuse_to_read(Refusal(408, "slow-request", "The request did not come in time."))

    def go_on(self) -> None:
        """Read what was sent ahead of the last answer."""
        if self.deaf or self.turn is not None:
            return
        data, self.rest = self.rest, b""
        self.pause(BY_NEXT, on=False)
        self._read_head(data)
        if self.gone and self.turn is None:
            self.transport.close()

    # How requests are read.

    def _read_head(self, data: bytes) -> None:
        house = self.house
        if data and data[0] == _CR:
            data = data[cast("re.Match[bytes]", _BLANK.match(data)).end() :]
        end = data.find(b"\r\n\r\n") + 4
        if end < 4 or end > house.limits.head_bytes:
            self._wait_for_head(data, end)
            return
        turn, self.coming = self.coming or Turn(), None
        self.rest = b""
        house.counters.requests += 1
        head = data[:end]
        sent = read_head(turn, house, head, self._peer() if house.adds else b"")
        stop = len(data)
        if turn.refusal is None or turn.keep:
            try:
                stop = _end_of_body(turn, data, end)
            except RequestError as error:
                turn.refusal, turn.keep = error.refusal, False
        if turn.refusal is not None and not turn.keep:
            self.deaf = True
            self.begin(turn)
            return
        if stop != len(data):
            self.rest = data[stop:]
            self.pause(BY_NEXT, on=True)
            data = data[:stop]
        if turn.refusal is None:
            turn.input_skip = len(sent)
            sent = data if sent is head else sent + data[end:]
            turn.take(sent)
            turn.pending.append(sent)
        self.deadline = inf if turn.ended else monotonic() + house.timeouts.body
        self.begin(turn)
        if turn.gate is not None:
            self._at_gate(turn, turn.gate)

    def _wait_for_head(self, data: bytes, end: int) -> None:
        most = self.house.limits.head_bytes
        self.rest = data
        if not data:
            return
        turn = self.coming = self.coming or Turn()
        if max(end, len(data) if end < 4 else 0) > most:
            self._refuse_to_read(
                Refusal(431, "head-too-large", f"A request's head may have up to {most} bytes.")
            )
        elif is_stray(data):
            self._refuse_to_read(RequestError("a line of its head does not end as lines do").refusal)
        elif not self.stalled:
            self.deadline = turn.began + self.house.timeouts.head

    def _read_body(self, turn: Turn, data: bytes) -> None:
        try:
            stop = _end_of_body(turn, data, 0)
        except RequestError as error:
            self._refuse_to_read(error.refusal)
            return
        if stop != len(data):
            self.rest = data[stop:]
            self.pause(BY_NEXT, on=True)
            data = data[:stop]
        if not self.stalled:
            self.deadline = inf if turn.ended else monotonic() + self.house.timeouts.body
        if turn.refusal is not None:
            if turn.ended:
                self.refuse(turn, turn.refusal)
            return
        turn.take(data)
        if turn.gate is not None:
            turn.pending.append(data)
            self._at_gate(turn, turn.gate)
        elif self.link is not None:
            self.link.send(data)
        else:
            turn.pending.append(data)

    # How requests are looked at that must be like what the model learned from.

    def _at_gate(self, turn: Turn, gate: Gate) -> None:
        """Hold a request until it is read whole, or is too large; then look at it."""
        finding = gate.beyond(turn)
        if finding is not None:
            self.deaf = not turn.ended
            turn.input_truncated = turn.input_truncated or self.deaf
            self._looked_at(turn, finding)
        elif not turn.ended:
            if b"expect" in turn.told and len(turn.pending) == 1 and turn.line.modern:
                self.transport.write(_CONTINUE)
        elif turn.input_size <= _LONG:
            try:
                finding = gate.look(turn)
            except Exception as error:  # noqa: BLE001 - a fault of ours keeps no request from its model
                self.house.unwatched(error)
            self._looked_at(turn, finding)
        else:
            looking = asyncio.get_running_loop().run_in_executor(None, gate.look, turn)
            looking.add_done_callback(partial(self._looked, turn))

    def _looked(self, turn: Turn, done: "asyncio.Future[Finding | None]") -> None:
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        if error is not None:
            self.house.unwatched(error)
        if self.turn is turn:  # else the client has left
            self._looked_at(turn, None if error is not None else done.result())

    def _looked_at(self, turn: Turn, finding: Finding | None) -> None:
        turn.gate, turn.finding = None, finding
        if finding is not None and finding.refused:
            turn.status, turn.keep = STATUS, turn.keep and turn.ended and not self.house.draining
            turn.pending = []  # nobody is asked, and the record may wait for long
            body = refusal(reasons(finding.problems), message=is_sagemaker(turn))
            self.end(turn, whole_answer(STATUS, body, keep=turn.keep))
        elif turn.door is not None:
            turn.door.ask(turn, self)

    def _refuse_to_read(self, refusal: Refusal) -> None:
        """End what is being read, and read nothing after it."""
        self.deaf = True
        turn = self.turn
        if turn is None:
            turn, self.coming = self.coming or Turn(), None
            turn.refusal, turn.keep = refusal, False
            self.begin(turn)
        elif turn.refusal is not None:
            turn.keep = False
            self.refuse(turn, turn.refusal)
        else:
            link, self.link = self.link, None
            if link is not None:
                link.drop()
            self.give_up(refusal)

    def _peer(self) -> bytes:
        peer = self.transport.get_extra_info("peername")
        return str(peer[0]).encode() if peer else b"unknown"


def _end_of_body(turn: Turn, data: bytes, start: int) -> int:
    """Where in the data the request ends, or the data's end; the turn is told whether it did.

    Raises:
        RequestError: its body is no body, or too large.
    """
    size = len(data)
    if turn.chunks is not None:
        try:
            stop = turn.chunks.feed(data, start)
        except FramingError as error:
            raise RequestError(f"of its body, {error}") from error
        turn.ended = stop >= 0
        stop = stop if turn.ended else size
        turn.left -= stop - start
        if turn.left < 0:
            raise RequestError("its body is too large", status=413, reason="body-too-large")
        return stop
    left = turn.left - (size - start)
    turn.ended = left <= 0
    turn.left = max(left, 0)
    return size + min(left, 0)
