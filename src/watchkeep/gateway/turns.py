"""A request on its way through the gateway, and what those who carry it know of each other."""

from typing import Protocol

from watchkeep.gateway.exchange import Exchange, Finding
from watchkeep.gateway.problems import Refusal
from watchkeep.gateway.responses import Chunks


class Link(Protocol):
    """A connection to an upstream that has been given a turn."""

    def send(self, piece: bytes) -> None:
        """Hand on the next piece of the request's body."""

    def hold(self, held: bool) -> None:
        """Stop reading the answer, or go on."""

    def drop(self) -> None:
        """Give the turn up: nobody waits for the answer any more."""


class Asker(Protocol):
    """The client's connection, as the upstream's sees it."""

    turn: "Turn | None"
    link: Link | None

    def hold(self, held: bool) -> None:
        """Stop reading the request's body, or go on."""

    def interim(self, data: bytes) -> None:
        """Pass on an interim answer."""

    def pass_on(self, data: bytes) -> None:
        """Pass on a part of the answer that is not its last."""

    def finish(self, last: bytes, *, keep: bool) -> None:
        """Pass on the last part of the answer. `keep` tells whether its framing lets the client ask again."""

    def fail(self, error: str, detail: str, *, hard: bool = False) -> None:
        """There is no whole answer. `hard` tells that closing would look as if there were one."""


class Door(Protocol):
    """Where a turn is taken to: one upstream."""

    variant: str
    prefix: bytes
    host: bytes | None

    def ask(self, turn: "Turn", asker: Asker) -> None:
        """Give the turn to a connection, at once or when there is one."""


class Gate(Protocol):
    """Looks at requests before their model is asked."""

    def beyond(self, turn: "Turn") -> Finding | None:
        """What is wrong with a request because of its size, as far as it has been read; None where nothing is."""

    def look(self, turn: "Turn") -> Finding | None:
        """What is wrong with a request that was read whole; None where nothing is."""


class Turn(Exchange):
    """An exchange, and what the engine needs to get it done.

    Attributes:
        door: whom to ask.
        pending: pieces of the request that no connection has been given yet.
        left: bytes of its body that have not been read; that may follow, when it comes in chunks.
        chunks: follows its body when it comes in chunks.
        ended: whether the request was read whole.
        keep: whether the client may ask again on its connection.
        watched: whether the watch is told of it.
        collects: bytes of either body to keep.
        replayable: whether `input` holds all of the request so far, and the request may be sent again.
        refusal: what to answer instead of asking anyone.
        gate: holds the request until it is read whole, and says whether anyone is asked; None where it is not held.
    """

    __slots__ = (
        "chunks",
        "collects",
        "door",
        "ended",
        "gate",
        "keep",
        "left",
        "pending",
        "refusal",
        "replayable",
        "watched",
    )

    def __init__(self) -> None:
        super().__init__()
        self.door: Door | None = None
        self.pending: list[bytes] = []
        self.left = 0
        self.chunks: Chunks | None = None
        self.ended = self.watched = False
        self.keep = self.replayable = True
        self.collects = 0
        self.refusal: Refusal | None = None
        self.gate: Gate | None = None

    def take(self, piece: bytes) -> None:
        """Keep a piece of the request, as far as it is to be kept."""
        before = self.input_size
        self.input_size = size = before + len(piece)
        room = self.collects + self.input_skip
        if size <= room:
            self.input.append(piece)
            return
        self.replayable = False
        if not self.watched:
            self.input.clear()
        else:
            self.input_truncated = True
            if before < room:
                self.input.append(piece[: room - before])

    def give(self, piece: bytes) -> None:
        """Keep a piece of the answer, as far as it is to be kept."""
        before = self.output_size
        self.output_size = size = before + len(piece)
        room = self.collects + self.output_skip
        if size <= room:
            self.output.append(piece)
        else:
            self.output_truncated = True
            if before < room:
                self.output.append(piece[: room - before])
