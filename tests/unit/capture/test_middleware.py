"""Applications answer as they did, and what they were asked is recorded: ASGI, WSGI and functions."""

import asyncio
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import watchkeep as wk
from watchkeep.capture.asgi import CaptureMiddleware as Asgi
from watchkeep.capture.exchange import Capturing, RecordLostError, whole
from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.segment import blocks_of, complete
from watchkeep.capture.watching import watched
from watchkeep.capture.wsgi import CaptureMiddleware as Wsgi

PIECES = st.lists(st.binary(max_size=6), max_size=4)


class Kept:
    """A recorder that keeps records in memory, or refuses them."""

    def __init__(self, why: str | None = None) -> None:
        self.why = why
        self.records: list[Inference] = []

    def take(self, make: Any, what: Any, size: int, told: Callable[[str | None], None] | None = None) -> None:
        self.records.append(make(what, "e"))
        assert size == len(what[-1]) + len(what[-2])
        if told is not None:
            told(self.why)

    def flush(self) -> bool:
        return True


def capturing(kept: Kept, **more: Any) -> Capturing:
    return Capturing(recorder=kept, endpoint="churn", **more)  # type: ignore[arg-type]


def through_asgi(
    app: Any, asked: Iterable[bytes], *, method: str = "POST", headers: Iterable[tuple[bytes, bytes]] = ()
) -> list[dict[str, Any]]:
    """What an application sends."""
    pieces = list(asked) or [b""]
    messages = iter(
        [
            {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1}
            for at, piece in enumerate(pieces)
        ]
    )
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/predict", "headers": list(headers)}
    asyncio.run(app(scope, receive, send))
    return sent


def answering(pieces: list[bytes], status: int = 200) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/csv")]}
        )
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    return app


@given(PIECES, PIECES)
def test_asgi_passes_everything_and_records_it(asked: list[bytes], answered: list[bytes]) -> None:
    kept = Kept()

    sent = through_asgi(Asgi(answering(answered), capturing(kept)), asked)

    assert sent == through_asgi(answering(answered), asked)
    (one,) = kept.records
    assert (one.input, one.output) == (b"".join(asked), b"".join(answered))
    assert (one.status, one.output_type, one.endpoint, one.variant) == (
        200,
        "text/csv",
        "churn",
        "AllTraffic",
    )
    assert one.latency >= 0


def test_headers_name_a_request() -> None:
    kept = Kept()
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"x-request-id", b"other"),
        (b"x-amzn-sagemaker-inference-id", b"mine"),
        (b"x-amzn-sagemaker-custom-attributes", b"trace=7"),
    ]
    through_asgi(Asgi(answering([]), capturing(kept)), [b"{}"], headers=headers)
    through_asgi(Asgi(answering([]), capturing(kept)), [b"{}"], headers=headers[1:2])

    assert [one.inference_id for one in kept.records] == ["mine", "other"]
    assert kept.records[0].attributes == "trace=7"
    assert kept.records[0].input_type == "application/json; charset=utf-8"


def test_only_what_is_wanted_is_recorded() -> None:
    kept = Kept()
    through_asgi(Asgi(answering([]), capturing(kept)), [b""], method="GET")
    through_asgi(Asgi(answering([]), capturing(kept, paths=frozenset({"/other"}))), [b"1"])
    assert kept.records == []


def test_a_body_that_is_too_large_is_not_recorded_and_that_is_told() -> None:
    kept = Kept()
    sent = through_asgi(Asgi(answering([b"x" * 60] * 100), capturing(kept, limit=100)), [b"y" * 60] * 100)

    assert sum(len(message.get("body", b"")) for message in sent) == 6000
    (one,) = kept.records
    assert (one.input, one.output) == (None, None)
    assert json.loads(one.flags) == {"input": "larger than the limit", "output": "larger than the limit"}


def test_an_error_passes_and_is_recorded() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise ZeroDivisionError

    kept = Kept()
    with pytest.raises(ZeroDivisionError):
        through_asgi(Asgi(app, capturing(kept)), [b"1"])
    assert [(one.status, one.input) for one in kept.records] == [(500, b"1")]


def test_no_answer_is_given_whose_record_cannot_be_kept() -> None:
    kept = Kept("disk is full")
    with pytest.raises(RecordLostError, match="disk is full"):
        through_asgi(Asgi(answering([b"1"]), capturing(kept, durable=True)), [b"1"])
    with pytest.raises(RecordLostError, match="disk is full"):
        through_wsgi(Wsgi(plain([b"1"]), capturing(kept, durable=True)), b"1")


def plain(pieces: list[bytes], status: str = "200 OK") -> Any:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        environ["wsgi.input"].read()
        start_response(status, [("Content-Type", "text/csv")])
        yield from pieces

    return app


def through_wsgi(app: Any, body: bytes) -> tuple[str, list[bytes]]:
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/predict",
        "CONTENT_TYPE": "application/json",
        "HTTP_X_AMZN_SAGEMAKER_INFERENCE_ID": "mine",
        "wsgi.input": io.BytesIO(body),
    }

    def start_response(status: str, headers: list[tuple[str, str]]) -> Callable[[bytes], None]:
        told.append(status)
        return lambda piece: None

    answer = app(environ, start_response)
    try:
        pieces = list(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return told[0], pieces


@given(st.binary(max_size=20), PIECES)
def test_wsgi_passes_everything_and_records_it(asked: bytes, answered: list[bytes]) -> None:
    kept = Kept()

    assert through_wsgi(Wsgi(plain(answered), capturing(kept)), asked) == ("200 OK", answered)

    (one,) = kept.records
    assert (one.input, one.output, one.status) == (asked, b"".join(answered), 200)
    assert (one.input_type, one.output_type, one.inference_id) == ("application/json", "text/csv", "mine")


def test_wsgi_records_errors_and_answers_that_nobody_waits_for() -> None:
    kept = Kept()

    def fails(environ: Any, start_response: Any) -> list[bytes]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        through_wsgi(Wsgi(fails, capturing(kept)), b"1")
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "wsgi.input": io.BytesIO(b"")}
    answer: Any = Wsgi(plain([b"1", b"2"], "404 Not Found"), capturing(kept))(environ, lambda *_: None)
    answer.close()

    assert [one.status for one in kept.records] == [500, 0]


ASKED: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any, Any]] = [
    (lambda row: row["age"] / 100, ({"age": 41},), {}, {"age": 41}, 0.41),
    (
        lambda rows: [0.5 for _ in rows],
        ([{"age": 1}, {"age": 2}],),
        {},
        [{"age": 1}, {"age": 2}],
        {"predictions": [0.5, 0.5]},
    ),
    (lambda age, fare: {"score": age + fare}, (1,), {"fare": 2}, {"age": 1, "fare": 2}, {"score": 3}),
    (lambda x: x.sum(axis=1), (np.array([[1, 2], [3, 4]]),), {}, [[1, 2], [3, 4]], {"predictions": [3, 7]}),
    (
        lambda frame: frame["a"],
        (pd.DataFrame({"a": [1, 2]}),),
        {},
        [{"a": 1}, {"a": 2}],
        {"predictions": [1, 2]},
    ),
    (lambda number: number, (np.float64(0.5),), {}, {"number": 0.5}, 0.5),
]


@pytest.mark.parametrize("asked", ASKED, ids=["row", "rows", "arguments", "array", "frame", "number"])
def test_calls_of_functions_are_recorded(
    asked: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any, Any],
) -> None:
    function, args, kwargs, given_, said = asked
    kept = Kept()

    found = watched(function, capturing(kept))(*args, **kwargs)

    np.testing.assert_array_equal(found, function(*args, **kwargs))
    (one,) = kept.records
    assert json.loads(one.input or b"") == given_
    assert json.loads(one.output or b"") == said


def test_functions_that_fail_and_functions_that_wait() -> None:
    kept = Kept()

    def fails(age: int) -> float:
        raise ZeroDivisionError

    async def waits(age: int) -> float:
        return age / 2

    with pytest.raises(ZeroDivisionError):
        watched(fails, capturing(kept))(age=1)
    assert asyncio.run(watched(waits, capturing(kept))(3)) == 1.5

    assert [(one.status, one.input, one.output) for one in kept.records] == [
        (500, b'{"age":1}', b""),
        (200, b'{"age":3}', b"1.5"),
    ]


def test_one_line_captures(tmp_path: Path) -> None:
    @wk.capture.watch(endpoint="churn", home=tmp_path, seal=False)
    def predict(row: dict[str, float]) -> float:
        return row["age"] / 100

    assert predict({"age": 41}) == 0.41
    app = answering([b"1"])
    for asgi in (app, lambda scope, receive, send: app(scope, receive, send)):
        through_asgi(wk.capture.middleware(asgi, endpoint="churn", home=tmp_path, seal=False), [b"2"])
    through_wsgi(wk.capture.middleware(plain([b"1"]), endpoint="churn", home=tmp_path, seal=False), b"3")
    recorder = wk.capture.recorder_of(tmp_path, seal=False)
    recorder.close()

    assert isinstance(recorder, Recorder)
    assert isinstance(recorder.settings, Settings)
    found = [
        one
        for path in complete(tmp_path / "segments")
        for block in blocks_of(path)[0]
        for one in records_of(block)
    ]
    assert [one.input for one in found] == [b'{"age":41}', b"2", b"2", b"3"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"endpoint": ""}, "endpoint: got ''"),
        ({"endpoint": "a\nb"}, "endpoint"),
        ({"endpoint": "x" * 64}, "1 to 63"),
        ({"endpoint": "模" * 30}, "200 bytes as the name of a folder"),
        ({"endpoint": "a", "variant": ""}, "variant"),
        ({"endpoint": "a", "durability": "asynk"}, "did you mean 'async'"),
        ({"endpoint": "a", "delay": 0}, "delay"),
        ({"endpoint": "a", "delay": "1"}, "delay: got \"'1'\", expected seconds"),
        ({"endpoint": "a", "limit": -1}, "limit: got '-1', expected a number of bytes"),
        ({"endpoint": "a", "methods": "POST"}, "methods: got .*in a list"),
        ({"endpoint": 5}, "endpoint: got '5'"),
        ({"endpoint": "a b/c"}, "a name without /"),
        ({"endpoint": "a", "durabilty": "sync"}, "did you mean 'durability'"),
        ({"endpoint": "a", "sampling": 5}, "policy of a: sampling: got '5'"),
    ],
)
def test_values_that_cannot_be_used_are_told(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(wk.WatchkeepError, match=told):
        wk.capture.middleware(print, home=tmp_path, seal=False, **options)


def test_a_decorator_without_brackets_is_told() -> None:
    with pytest.raises(wk.WatchkeepError, match=r"expected options in brackets, such as @wk.capture.watch\("):
        wk.capture.watch(print)  # type: ignore[arg-type, call-arg]


def test_what_is_kept_of_a_body_takes_no_more_memory_than_it_is_long() -> None:
    small, large = b"x" * 100, b"x" * 100_000

    assert whole([small]) == small
    assert whole([small]) is not small  # its buffer may be larger, as long as it lives
    assert whole([large]) is large
    assert whole([small, large]) == small + large
