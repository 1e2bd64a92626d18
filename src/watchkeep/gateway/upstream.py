"""A connection to an upstream: sends requests, and passes answers on as they came."""

import asyncio
from math import inf
from time import monotonic
from typing import Final, Protocol, cast

from watchkeep.gateway.memo import Memo
from watchkeep.gateway.responses import Chunks, FramingError, Head
from watchkeep.gateway.turns import Asker, Turn

UNREACHABLE: Final = "upstream-unreachable"
BUSY: Final = "upstream-busy"
CLOSED: Final = "upstream-closed"
TIMEOUT: Final = "upstream-timeout"
GARBLED: Final = "upstream-garbled"

_HEAD, _LENGTH, _CHUNKS, _CLOSE = range(4)


class Owner(Protocol):
    """Who lends connections, as the connections see it."""

    answer: float
    head_bytes: int
    heads: Memo[bytes, Head]

    def back(self, connection: "UpstreamConnection") -> None:
        """The connection can be lent again."""

    def gone(self, connection: "UpstreamConnection") -> None:
        """The connection was lost."""

    def again(self, turn: Turn, asker: Asker) -> None:
        """Ask once more, over another connection."""


class UpstreamConnection(asyncio.Protocol):
    """One connection, for one request at a time.

    Attributes:
        deadline: when, on the monotonic clock, it is too late for the next byte of the answer.
        since: when it was last given back.
    """

    __slots__ = (
        "_asker",
        "_chunks",
        "_held",
        "_keep",
        "_left",
        "_mode",
        "_owner",
        "_paused",
        "_transport",
        "_turn",
        "_used",
        "deadline",
        "since",
    )

    _transport: asyncio.Transport

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._turn: Turn | None = None
        self._asker: Asker | None = None
        self._mode = _HEAD
        self._left = 0
        self._held = b""
        self._chunks: Chunks | None = None
        self._keep = self._used = self._paused = False
        self.deadline = inf
        self.since = 0.0

    @property
    def closing(self) -> bool:
        """Whether nothing can be asked over it any more."""
        return self._transport.is_closing()

    # How it is used.

    def ask(self, turn: Turn, asker: Asker) -> None:
        """Send what there is of a request, and pass on the answer."""
        self._turn, self._asker = turn, asker
        asker.link = self
        pieces, turn.pending = turn.pending, []
        self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        now = turn.sent = monotonic()
        self.deadline = now + self._owner.answer

    def send(self, piece: bytes) -> None:
        """Send a piece of the request's body."""
        self._transport.write(piece)
        now = cast("Turn", self._turn).sent = monotonic()
        self.deadline = now + self._owner.answer

    def hold(self, held: bool) -> None:
        """Stop reading the answer, or go on."""
        if held is self._paused or self._transport.is_closing():
            return
        self._paused = held
        if held:
            self._transport.pause_reading()
            self.deadline = inf
        else:
            self._transport.resume_reading()
            self.deadline = monotonic() + self._owner.answer

    def drop(self) -> None:
        """Give up what was asked, and the connection with it."""
        self._turn = self._asker = None
        self._transport.abort()

    def late(self) -> None:
        """The deadline has passed."""
        self._fail(TIMEOUT, f"The upstream was silent for {self._owner.answer:g} s.")

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready to ask."""
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        """Take no more of the request: the upstream reads slower than it comes."""
        if self._asker is not None:
            self._asker.hold(True)

    def resume_writing(self) -> None:
        """Go on: the upstream has read what there was."""
        if self._asker is not None:
            self._asker.hold(False)

    def data_received(self, data: bytes) -> None:
        """Pass on what it answers."""
        turn, asker = self._turn, self._asker
        if turn is None or asker is None:  # it speaks without being asked
            self._transport.abort()
            return
        try:
            if self._mode == _HEAD:
                self._read_head(turn, asker, data)
            else:
                self._read_body(turn, asker, data)
        except FramingError as error:
            self._fail(GARBLED, f"The upstream's answer cannot be passed on: {error}.")

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer that ends so; else ask again where that is safe, or tell that there is none."""
        self._owner.gone(self)
        turn, asker = self._turn, self._asker
        if turn is None or asker is None:
            return
        self._turn = self._asker = None
        if self._mode == _CLOSE and exc is None:
            asker.finish(b"", keep=False)
        elif self._used and self._mode == _HEAD and not self._held and turn.replayable:
            self._owner.again(turn, asker)
        else:
            asker.fail(
                CLOSED,
                "The upstream closed the connection before its answer's end.",
                hard=self._mode == _CLOSE,
            )

    # How answers are read.

    def _read_head(self, turn: Turn, asker: Asker, data: bytes) -> None:
        if self._held:
            data = self._held + data
        while True:
            end = data.find(b"\r\n\r\n") + 4
            if (len(data) if end < 4 else end) > self._owner.head_bytes:
                raise FramingError(f"its head has more than {self._owner.head_bytes} bytes")
            if end < 4:
                self._held = data
                self.deadline = monotonic() + self._owner.answer
                return
            head = self._owner.heads[data[:end]]
            if head.status >= 200:
                break
            if head.status == 101:
                raise FramingError("it changes the protocol, which nobody asked for")
            turn.replayable = False
            asker.interim(data[:end])
            data = data[end:]
        self._held = b""
        self._frame(turn, head, end)
        if self._mode == _CHUNKS:
            self._read_chunks(turn, asker, data, end)
        else:
            self._left += end
            self._read_body(turn, asker, data)

    def _frame(self, turn: Turn, head: Head, end: int) -> None:
        turn.answer, turn.status, turn.output_skip = head, head.status, end
        modern = turn.line.modern
        self._keep = head.keep if modern else head.explicit
        if head.status in (204, 304) or turn.line.method == b"HEAD":
            self._mode, self._left = _LENGTH, 0
        elif head.chunked:
            if not modern:
                raise FramingError("it comes in chunks, and the client speaks HTTP/1.0")
            self._mode, self._chunks = _CHUNKS, Chunks()
        elif head.length is not None:
            self._mode, self._left = _LENGTH, head.length
        else:
            self._mode, self._keep = _CLOSE, False

    def _read_body(self, turn: Turn, asker: Asker, data: bytes) -> None:
        if self._mode == _LENGTH:
            left = self._left - len(data)
            if left <= 0:
                self._finish(turn, asker, data, left)
                return
            self._left = left
        elif self._mode == _CHUNKS:
            self._read_chunks(turn, asker, data, 0)
            return
        self._pass_on(turn, asker, data)

    def _read_chunks(self, turn: Turn, asker: Asker, data: bytes, start: int) -> None:
        end = cast("Chunks", self._chunks).feed(data, start)
        if end < 0:
            self._pass_on(turn, asker, data)
        else:
            self._finish(turn, asker, data, end - len(data))

    def _pass_on(self, turn: Turn, asker: Asker, data: bytes) -> None:
        if turn.watched:
            turn.give(data)
        if not self._paused:
            self.deadline = monotonic() + self._owner.answer
        asker.pass_on(data)

    def _finish(self, turn: Turn, asker: Asker, data: bytes, beyond: int) -> None:
        """Pass on the last data of an answer; a negative `beyond` tells how many bytes of them are too many."""
        keep = self._keep
        if beyond:
            data = data[:beyond]
        if turn.watched:
            turn.give(data)
        self._turn = self._asker = None
        self._mode, self._chunks = _HEAD, None
        if self._paused:
            self.hold(False)
        self.deadline = inf
        if beyond or not (keep and turn.ended) or self._transport.is_closing():
            self._transport.abort()
        else:
            self._used = True
            self._owner.back(self)
        asker.finish(data, keep=keep)

    def _fail(self, error: str, detail: str) -> None:
        asker, hard = self._asker, self._mode == _CLOSE
        self._turn = self._asker = None
        self._transport.abort()
        if asker is not None:
            asker.fail(error, detail, hard=hard)
