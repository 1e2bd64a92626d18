"""One request and its answer, as they passed."""

from collections.abc import Awaitable, Callable, Sequence
from time import monotonic, time_ns
from typing import NamedTuple

from watchkeep.capture.admission_columns import Problem
from watchkeep.gateway.bodies import body_of
from watchkeep.gateway.requests import ATTRIBUTES, INFERENCE_ID, NO_LINE, REQUEST_ID, TARGET_MODEL
from watchkeep.gateway.responses import Head
from watchkeep.gateway.routes import NOWHERE


class Finding(NamedTuple):
    """What was found wrong with a request before its model was asked.

    Args:
        problems: at least one.
        refused: whether the model is not asked for that.
    """

    problems: Sequence[Problem]
    refused: bool


class Exchange:
    """One request and what became of it. Bodies are held in pieces, as they came, and joined by whoever asks for them.

    Attributes:
        line: the request's first line.
        told: its headers that the gateway looks at, by their names in lower case.
        route: which endpoint it was for, how it was asked, and whether it is captured.
        variant: which version of the model was asked; empty before one was chosen.
        answer: the head of the upstream's answer; None when there is none.
        status: of the answer; of the gateway's own when the upstream gave none; 0 when nobody was told any.
        error: why there is no whole answer of the upstream; None when there is.
        finding: what was found wrong with the request before anyone was asked; None when nothing was.
        input, output: pieces of request and answer as they passed, heads and framing included; see `input_bytes`
            and `output_bytes`.
        input_size, output_size: bytes that passed, all of them.
        input_skip, output_skip: bytes of the heads.
        input_chunked: whether the request's body is framed in chunks.
        input_truncated, output_truncated: whether more passed than was kept.
        started: when the request's first byte was read, nanoseconds since 1970 (UTC).
        began, sent, done: seconds of the monotonic clock: when the request's first byte was read, when its last byte
            was handed to the upstream's connection (0 when none was), when the answer's last byte was read.
    """

    __slots__ = (
        "answer",
        "began",
        "done",
        "error",
        "finding",
        "input",
        "input_chunked",
        "input_size",
        "input_skip",
        "input_truncated",
        "line",
        "output",
        "output_size",
        "output_skip",
        "output_truncated",
        "route",
        "sent",
        "started",
        "status",
        "told",
        "variant",
    )

    def __init__(self) -> None:
        self.started = time_ns()
        self.began = monotonic()
        self.sent = self.done = 0.0
        self.line = NO_LINE
        self.told: dict[bytes, bytes] = {}
        self.route = NOWHERE
        self.variant = ""
        self.answer: Head | None = None
        self.error: str | None = None
        self.finding: Finding | None = None
        self.input: list[bytes] = []
        self.output: list[bytes] = []
        self.status = self.input_size = self.output_size = self.input_skip = self.output_skip = 0
        self.input_chunked = self.input_truncated = self.output_truncated = False

    @property
    def method(self) -> bytes:
        """Of the request, as it came."""
        return self.line.method

    @property
    def target(self) -> bytes:
        """Of the request, as it came: path and query, and more if the client said more."""
        return self.line.target

    @property
    def content_type(self) -> bytes:
        """Of the request's body; empty when not told."""
        return self.told.get(b"content-type", b"")

    @property
    def content_encoding(self) -> bytes:
        """Of the request's body; empty when not told."""
        return self.told.get(b"content-encoding", b"")

    @property
    def inference_id(self) -> bytes:
        """What the client calls it, as to SageMaker or else by `X-Request-Id`; empty when it does not."""
        return self.told.get(INFERENCE_ID) or self.told.get(REQUEST_ID, b"")

    @property
    def attributes(self) -> bytes:
        """What the client says about it: `X-Amzn-SageMaker-Custom-Attributes`; empty when nothing."""
        return self.told.get(ATTRIBUTES, b"")

    @property
    def target_model(self) -> bytes:
        """Which model of several the client asks for: `X-Amzn-SageMaker-Target-Model`; empty when it does not say."""
        return self.told.get(TARGET_MODEL, b"")

    @property
    def output_type(self) -> bytes:
        """Of the answer's body; empty when not told."""
        return self.answer.content_type if self.answer else b""

    @property
    def output_encoding(self) -> bytes:
        """Of the answer's body; empty when not told."""
        return self.answer.content_encoding if self.answer else b""

    @property
    def latency(self) -> int:
        """Microseconds that the model took.

        From the last byte of the request handed to the upstream's connection to the last byte of its answer read; 0
        when it was never asked.
        """
        return int((self.done - self.sent) * 1e6) if self.sent else 0

    @property
    def total(self) -> int:
        """Microseconds from the request's first byte read to the answer's last byte read.

        The client's sending is part of it. What is beyond `latency` is overhead.
        """
        return int((self.done - self.began) * 1e6)

    def input_bytes(self) -> bytes:
        """The request's body, or its beginning when `input_truncated`; without the framing of chunks."""
        return body_of(self.input, self.input_skip, chunked=self.input_chunked)

    def output_bytes(self) -> bytes:
        """The answer's body, or its beginning when `output_truncated`; without the framing of chunks.

        Contents stay encoded as `output_encoding` tells.
        """
        chunked = self.answer is not None and self.answer.chunked
        return body_of(self.output, self.output_skip, chunked=chunked)


Watch = Callable[[Exchange], Awaitable[object] | None]
"""Is told of each captured exchange, once, in the loop that answers: it must return at once. What it returns, if
anything, holds back the end of the answer until it is done."""
