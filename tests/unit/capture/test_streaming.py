"""Answers pass as they are made, and what is recorded of large bodies takes no more memory than it may."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from tests.unit.capture.test_middleware import (
    Kept,
    answering,
    capturing,
    plain,
    through_asgi,
    through_wsgi,
)

from watchkeep.capture.asgi import CaptureMiddleware as Asgi
from watchkeep.capture.exchange import Capturing, RecordLostError
from watchkeep.capture.record import records_of
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.segment import blocks_of, complete
from watchkeep.capture.wsgi import CaptureMiddleware as Wsgi


def asked(app: Any) -> Any:
    """An answer of a WSGI application that nobody has read yet."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": io.BytesIO(b"")}
    return app(environ, lambda *_: None)


def test_wsgi_passes_each_piece_on_before_the_next_one_is_made() -> None:
    made: list[int] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for at in range(3):
            made.append(at)
            yield b"%d" % at

    kept = Kept()
    answer = asked(Wsgi(app, capturing(kept)))
    for at, piece in enumerate(answer):
        assert (piece, made) == (b"%d" % at, list(range(at + 1)))
    answer.close()

    (one,) = kept.records
    assert (one.output, one.status) == (b"012", 200)


def test_a_client_that_leaves_is_no_error_of_the_model() -> None:
    kept = Kept()
    pieces = iter(asked(Wsgi(plain([b"1", b"2"]), capturing(kept))))
    next(pieces)
    pieces.close()

    (one,) = kept.records
    assert (one.output, one.status) == (b"1", 200)


@pytest.mark.parametrize("side", ["input", "output"])
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_a_body_beyond_all_memory_is_told_to_be_too_large(tmp_path: Path, side: str, kind: str) -> None:
    recorder = Recorder(Settings(folder=tmp_path, delay=60, memory=4000))
    own = Capturing(recorder=recorder, endpoint="churn", limit=1000)
    body = {"input": b"", "output": b"", side: bytes(10_000)}
    if kind == "asgi":
        through_asgi(Asgi(answering([body["output"]]), own), [body["input"]])
    else:
        through_wsgi(Wsgi(plain([body["output"]]), own), body["input"])
    recorder.close()

    (one,) = (one for path in complete(tmp_path) for block in blocks_of(path)[0] for one in records_of(block))
    assert (getattr(one, side), one.flags) == (None, f'{{"{side}": "larger than the limit"}}')


def through_text(stream: Any) -> bytes:
    return io.TextIOWrapper(stream, "latin-1", newline="").read().encode("latin-1")


def into(stream: Any) -> bytes:
    buffer = bytearray(30)
    pieces = []
    while size := stream.readinto(buffer):
        pieces.append(bytes(buffer[:size]))
    return b"".join(pieces)


def again(stream: Any) -> bytes:
    first = stream.read(7)
    assert (stream.tell(), stream.seek(0)) == (7, 0)
    assert stream.read(5) == first[:5]
    return bytes(first[:5]) + bytes(stream.read(None))


def with_flask(stream: Any) -> bytes:
    return bytes(flask.Request({"wsgi.input": stream, "CONTENT_LENGTH": str(len(BODY))}).get_data())


BODY = b"4,2\n" * 40
WAYS: list[Callable[[Any], bytes]] = [
    lambda stream: stream.read(),
    lambda stream: b"".join(iter(lambda: stream.read1(9), b"")),
    lambda stream: b"".join(stream),
    lambda stream: stream.readline(2) + b"".join(stream.readlines()),
    lambda stream: io.BufferedReader(stream).read(),
    through_text,
    into,
    again,
    with_flask,
]


@pytest.mark.parametrize("way", WAYS)
def test_wsgi_hears_a_body_in_whatever_way_it_is_read(way: Callable[[Any], bytes]) -> None:
    read: list[bytes] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        read.append(way(environ["wsgi.input"]))
        start_response("200 OK", [])
        return [b"1"]

    kept = Kept()
    through_wsgi(Wsgi(app, capturing(kept)), BODY)

    assert read == [kept.records[0].input] == [BODY]


def test_an_answer_that_is_whole_passes_as_it_is() -> None:
    """Servers tell its length where it is a list of one piece."""
    kept, pieces = Kept(), [b"0.5"]

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return pieces

    answer = asked(Wsgi(app, capturing(kept)))

    assert answer is pieces
    assert [(one.output, one.status) for one in kept.records] == [(b"0.5", 200)]
    with pytest.raises(RecordLostError):
        asked(Wsgi(app, capturing(Kept("full"), durable=True)))
