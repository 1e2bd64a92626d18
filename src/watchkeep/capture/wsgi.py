"""Captures what a WSGI application is asked and answers (Flask, Django, Bottle, MLflow's scoring server)."""

import threading
from collections.abc import Callable, Iterable, Iterator
from time import time_ns
from typing import Any

from watchkeep.capture.exchange import Capturing, Exchange, RecordLostError, whole

Environment = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environment, StartResponse], Iterable[bytes]]


class CaptureMiddleware:
    """An application as it was, whose requests and answers are recorded.

    Args:
        app: the application.
        capturing: which requests are captured.
    """

    def __init__(self, app: Application, capturing: Capturing) -> None:
        self.app, self.capturing = app, capturing

    def __call__(self, environ: Environment, start_response: StartResponse) -> Iterable[bytes]:
        """One request, as WSGI has it.

        Raises:
            RecordLostError: a record cannot be kept of an answer that must have one.
        """
        if not self.capturing.wants(environ["REQUEST_METHOD"], path_of(environ)):
            return self.app(environ, start_response)
        return _Answer(self.app, self.capturing, environ, start_response).passed()


class _Answer:
    """The answer of an application, piece by piece; its record is made when it is closed."""

    def __init__(
        self, app: Application, capturing: Capturing, environ: Environment, start_response: StartResponse
    ) -> None:
        self._capturing, self._environ, self._start_response = capturing, environ, start_response
        self._status, self._output_type = 0, ""
        self._answered: list[bytes] = []
        self._size, self._recorded = 0, False
        self._asked = _Heard(environ["wsgi.input"], capturing.limit)
        environ["wsgi.input"] = self._asked
        self._start, self._end = time_ns(), 0
        try:
            self._pieces = app(environ, self._begin)
        except BaseException:
            self._status = self._status or 500
            self._record()
            raise

    def _begin(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
        self._status = int(status.split(" ", 1)[0])
        self._output_type = next((value for name, value in headers if name.lower() == "content-type"), "")
        write = self._start_response(status, headers, *more)

        def heard(piece: bytes) -> object:
            self._hear(piece)
            return write(piece)

        return heard

    def passed(self) -> Iterable[bytes]:
        """What the application gave where that is there whole: servers look at how many pieces it has. Else itself."""
        if type(self._pieces) not in (list, tuple):
            return self
        for piece in self._pieces:
            self._hear(piece)
        self._record()
        return self._pieces

    def __iter__(self) -> Iterator[bytes]:
        held: bytes | None = None
        try:
            for piece in self._pieces:
                self._hear(piece)
                if not self._capturing.durable:
                    yield piece
                    continue
                if held is not None:
                    yield held
                held = piece
        except GeneratorExit:  # whoever asked has gone
            raise
        except BaseException:
            self._status, self._end = 500, 0
            raise
        finally:
            self._record()
        if held is not None:
            yield held

    def close(self) -> None:
        """See WSGI: called when the answer was sent, or given up."""
        self._record()
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()

    def _hear(self, piece: bytes) -> None:
        self._end = time_ns()
        limit = self._capturing.limit
        if self._size <= limit:
            self._answered.append(piece[: limit + 1 - self._size])
            self._size += len(piece)

    def _record(self) -> None:
        if self._recorded:
            return
        self._recorded = True
        get = self._environ.get
        what: Exchange = (
            self._start,
            self._end or time_ns(),
            self._status,
            _bytes(get("CONTENT_TYPE")),
            _bytes(self._output_type),
            _bytes(get("HTTP_X_AMZN_SAGEMAKER_INFERENCE_ID") or get("HTTP_X_REQUEST_ID")),
            _bytes(get("HTTP_X_AMZN_SAGEMAKER_CUSTOM_ATTRIBUTES")),
            self._asked.whole(),
            whole(self._answered),
        )
        if self._capturing.durable:
            stored(self._capturing, what)
        else:
            self._capturing.take(what)


class _Heard:
    """A request's body, of which a copy is kept as it is read, in whatever way that is; what is read twice, once."""

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream, self._left = stream, limit
        self._at = self._heard = 0
        self._pieces: list[bytes] = []

    def _hear(self, piece: bytes) -> bytes:
        self._at += len(piece)
        new = self._at - self._heard
        if new > 0:
            self._heard = self._at
            if self._left >= 0:
                self._pieces.append(piece[max(0, len(piece) - new) :][: self._left + 1])
                self._left -= new
        return piece

    def read(self, size: int | None = -1) -> bytes:
        return self._hear(self._stream.read() if size is None or size < 0 else self._stream.read(size))

    def read1(self, size: int = -1) -> bytes:
        read = getattr(self._stream, "read1", self._stream.read)
        return self._hear(read() if size < 0 else read(size))

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        piece = self.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def readline(self, size: int | None = -1) -> bytes:
        return self._hear(
            self._stream.readline() if size is None or size < 0 else self._stream.readline(size)
        )

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        return [
            self._hear(line)
            for line in self._stream.readlines(*(() if hint is None or hint < 0 else (hint,)))
        ]

    def seek(self, *where: int) -> int:
        self._at = int(self._stream.seek(*where))
        return self._at

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def whole(self) -> bytes:
        return whole(self._pieces)


def path_of(environ: Environment) -> str:
    """Where a request goes, as ASGI tells it."""
    return str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))


def stored(capturing: Capturing, what: Exchange) -> None:
    """Record an exchange, and wait until that is on the disk.

    Raises:
        RecordLostError: it may never be.
    """
    done = threading.Event()
    reasons: list[str | None] = []

    def told(why: str | None) -> None:
        reasons.append(why)
        done.set()

    capturing.take(what, told)
    done.wait()
    if reasons[0] is not None:
        raise RecordLostError(reasons[0])


def _bytes(text: str | None) -> bytes | None:
    return text.encode("latin-1", "replace") if text else None
