"""The half of a client's connection that answers: one request at a time, in the order they came."""

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from functools import partial
from math import inf
from time import monotonic
from typing import Final, cast

from watchkeep.gateway.house import House
from watchkeep.gateway.problems import Refusal, answer
from watchkeep.gateway.routes import SAGEMAKER
from watchkeep.gateway.turns import Link, Turn
from watchkeep.gateway.upstream import BUSY, TIMEOUT

CLIENT_GONE: Final = "client-gone"
INVOKED_VARIANT: Final = b"x-Amzn-Invoked-Production-Variant: "
_STATUS: Final = {TIMEOUT: 504, BUSY: 503}
_NOT_KEPT: Final = Refusal(503, "not-recorded", "There is an answer, and it could not be recorded.")
_LINGER_SECONDS: Final = 2.0
_RESET: Final = struct.pack("ii", 1, 0)
BY_UPSTREAM, BY_NEXT = 1, 2
"""Why nothing is read from the client: the upstream reads no further, or what was read belongs to the next request."""


class Answering(asyncio.Protocol, ABC):
    """Has requests asked and answers them.

    Attributes:
        house: what the worker knows.
        transport: to the client.
        turn: the request that is being answered.
        link: the upstream's connection that has it; None before there is one.
        coming: the request whose head is being read; None when nothing of one is there.
        rest: what was read of the client and belongs to the next request.
        deaf: whether nothing more is read of what the client sends.
        gone: whether the client sends no more.
        deadline: when, on the monotonic clock, what is awaited of the client, or of the watch, is late.
        held: the end of an answer that the watch holds back.
        stalled: whether the client does not read what it is sent.
        paused: why nothing is read; 0 while it is.
    """

    __slots__ = (
        "_begun",
        "coming",
        "deadline",
        "deaf",
        "gone",
        "held",
        "house",
        "link",
        "paused",
        "rest",
        "stalled",
        "transport",
        "turn",
    )

    transport: asyncio.Transport

    def __init__(self, house: House) -> None:
        self.house = house
        self.turn: Turn | None = None
        self.link: Link | None = None
        self.coming: Turn | None = None
        self.rest = b""
        self.deadline = inf
        self.held: bytes | None = None
        self.paused = 0
        self._begun = self.deaf = self.gone = self.stalled = False

    # What the upstream's connection calls.

    def hold(self, held: bool) -> None:
        """See `Asker`."""
        self.pause(BY_UPSTREAM, held)

    def interim(self, data: bytes) -> None:
        """See `Asker`."""
        if self.turn is not None and self.turn.line.modern:
            self.transport.write(data)

    def pass_on(self, data: bytes) -> None:
        """See `Asker`."""
        if not self._begun:
            self._begun = True
            turn = cast("Turn", self.turn)
            if turn.route.protocol == SAGEMAKER:
                data = _naming_variant(turn, data)
        self.transport.write(data)

    def finish(self, last: bytes, *, keep: bool) -> None:
        """See `Asker`."""
        turn = cast("Turn", self.turn)
        self.link = None
        turn.keep = turn.keep and keep
        if not self._begun and turn.route.protocol == SAGEMAKER:
            last = _naming_variant(turn, last)
        self.end(turn, last)

    def fail(self, error: str, detail: str, *, hard: bool = False) -> None:
        """See `Asker`."""
        self.link = None
        self.give_up(Refusal(_STATUS.get(error, 502), error, detail), hard=hard)

    # How turns follow each other.

    def begin(self, turn: Turn) -> None:
        """Let a turn begin: have it asked, or refuse it."""
        self.turn = turn
        self._begun = False
        if turn.refusal is not None:
            if turn.ended or not turn.keep:
                self.refuse(turn, turn.refusal)
        elif turn.door is not None:
            self.house.counters.running += 1
            if turn.gate is None:
                turn.door.ask(turn, self)

    def refuse(self, turn: Turn, refusal: Refusal) -> None:
        """Answer a turn that nobody was asked about."""
        self.house.counters.refuse(refusal.reason)
        turn.keep = turn.keep and not self.house.draining
        self.transport.write(_own(turn, refusal))
        self._next(turn)

    def give_up(self, refusal: Refusal, *, hard: bool = False) -> None:
        """Tell the client why there is no answer of the upstream; break off when one has begun already."""
        turn = cast("Turn", self.turn)
        turn.error = refusal.reason
        if self._begun:
            turn.done = monotonic()
            self.house.settle(turn)
            self._break(hard=hard)
            return
        turn.keep = turn.keep and turn.ended and not self.house.draining
        turn.status = refusal.status
        self.end(turn, _own(turn, refusal))

    def pause(self, why: int, on: bool) -> None:
        """Stop reading what the client sends for some reason, or have that reason no more."""
        before = self.paused
        self.paused = before | why if on else before & ~why
        if bool(before) is bool(self.paused) or self.transport.is_closing():
            return
        if self.paused:
            self.transport.pause_reading()
            self.deadline = inf
        else:
            self.transport.resume_reading()
            if self.turn is not None and not self.turn.ended:
                self.deadline = monotonic() + self.house.timeouts.body

    def drain(self) -> None:
        """Hang up now, or after what runs."""
        if self.turn is None and not self.rest:
            self.transport.close()

    @abstractmethod
    def go_on(self) -> None:
        """Read the next request, as far as it is there already."""

    def end(self, turn: Turn, last: bytes) -> None:
        """Settle a turn, and answer its last bytes when the watch lets them go."""
        turn.done = monotonic()
        hold = self.house.settle(turn)
        if hold is None:
            self.transport.write(last)
            self._next(turn)
            return
        self.held = last
        self.deadline = monotonic() + self.house.timeouts.watch
        asyncio.ensure_future(hold).add_done_callback(partial(self._watched, turn))

    def _watched(self, turn: Turn, done: "asyncio.Future[object]") -> None:
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        if error is not None:
            self.house.unwatched(error)
        if self.turn is turn and self.held is not None:
            self.release(kept=error is None)

    def release(self, *, kept: bool) -> None:
        """Let the end of an answer go that was held back, unless the watch had to keep it and did not."""
        turn, last, self.held = cast("Turn", self.turn), self.held or b"", None
        if not kept and self.house.config.strict:
            if self._begun:
                self._break(hard=True)
                return
            last = _own(turn, _NOT_KEPT)
        self.transport.write(last)
        self._next(turn)

    def _next(self, turn: Turn) -> None:
        """Go on after a turn that was answered."""
        self.turn = None
        if self.paused & BY_UPSTREAM:
            self.pause(BY_UPSTREAM, on=False)
        if not (turn.keep and turn.ended) or (not self.rest and (self.gone or self.house.draining)):
            if self.deaf or self.rest or not turn.ended:
                self._linger()
            else:
                self._close()
        elif self.rest:
            asyncio.get_running_loop().call_soon(self.go_on)
        elif not self.stalled:
            self.deadline = monotonic() + self.house.timeouts.idle

    # How connections end.

    def _close(self) -> None:
        self.deaf = True
        self.deadline = monotonic() + self.house.timeouts.stall  # what is written may never be read
        self.transport.close()

    def _linger(self) -> None:
        """Hang up while the client may still be sending: were it cut off, it might not read what it was answered."""
        self.deaf = True
        if self.gone or self.transport.is_closing():
            self.transport.close()
            return
        self.pause(BY_UPSTREAM | BY_NEXT, on=False)
        self.transport.write_eof()
        self.deadline = monotonic() + _LINGER_SECONDS

    def _break(self, *, hard: bool) -> None:
        """Hang up amid an answer; `hard` where the mere end of the connection would look like the answer's."""
        self.turn = None
        self.deaf = True
        if hard:
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
        else:
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Forget the client; what is asked for it is asked no more."""
        house = self.house
        house.clients.discard(self)
        house.counters.clients -= 1
        turn, link = self.turn, self.link
        self.turn = self.link = self.coming = None
        self.deaf = True
        self.rest = b""
        if link is not None:
            link.drop()
        if turn is not None and turn.refusal is None and self.held is None:
            turn.error = CLIENT_GONE
            turn.done = monotonic()
            house.settle(turn)
        self.held = None

    # How fast the client reads.

    def pause_writing(self) -> None:
        """Ask for no more of the answer: the client reads slower than it comes."""
        self.stalled = True
        self.deadline = monotonic() + self.house.timeouts.stall
        if self.link is not None:
            self.link.hold(True)

    def resume_writing(self) -> None:
        """Go on: the client has read what there was."""
        self.stalled = False
        timeouts = self.house.timeouts
        if self.turn is None:
            self.deadline = monotonic() + timeouts.idle
        elif not (self.turn.ended or self.paused):
            self.deadline = monotonic() + timeouts.body
        else:
            self.deadline = inf
        if self.link is not None:
            self.link.hold(False)


def _naming_variant(turn: Turn, data: bytes) -> bytes:
    """The beginning of an answer, with the one line that is ever added: the variant, as SageMaker names it."""
    if turn.answer is None or turn.answer.variant:
        return data
    at = turn.output_skip - 2
    return b"".join((data[:at], INVOKED_VARIANT, turn.variant.encode(), b"\r\n", data[at:]))


def _own(turn: Turn, refusal: Refusal) -> bytes:
    bodiless = turn.method == b"HEAD"
    return answer(refusal, keep=turn.keep, bodiless=bodiless, sagemaker=is_sagemaker(turn))


def is_sagemaker(turn: Turn) -> bool:
    """Whether whoever asks is a client of SageMaker's."""
    return turn.route.protocol == SAGEMAKER or turn.target.startswith(b"/endpoints/")
