"""Requests that do not fit are refused before the model is asked; the others pass as they came."""

import asyncio
import io
import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import watchkeep as wk
from watchkeep.capture.admission import Admission
from watchkeep.capture.asgi import CaptureMiddleware
from watchkeep.capture.exchange import Capturing, RecordLostError
from watchkeep.capture.record import Inference, records_of
from watchkeep.capture.segment import blocks_of, complete
from watchkeep.capture.traffic import Tallies

COLUMNS = [
    {"name": "age", "type": "integer", "nullable": False, "min": 0, "max": 120},
    {"name": "city", "type": "text"},
]
ADMISSION = {"columns": COLUMNS, "bytes": 300_000}
GOOD, BAD, ODD = (
    b'{"age": 41, "city": "Oslo"}',
    b'[{"age": 41}, {"age": 430, "x": 1}]',
    b'{"age": 41, "x": 1}',
)


class World:
    """A model that is served and captured; what happened is told in `told`."""

    def __init__(self, home: Path, *, wsgi: bool, **options: Any) -> None:
        self.told: list[str] = []
        self.home = home
        self.wsgi = wsgi
        options = {"admission": ADMISSION, "policy": "refuse"} | options
        model = self._wsgi_model if wsgi else self._asgi_model
        self.app = wk.capture.middleware(model, endpoint="churn", home=home, seal=False, **options)

    async def _asgi_model(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            self.told.append(f"model hears {len(message.get('body', b''))} {message['type'][5:]}")
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"echo": %d}' % len(body)})

    def _wsgi_model(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.told.append(f"model hears {len(body)}")
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"echo": %d}' % len(body)]

    def ask(
        self, *pieces: bytes, kind: str = "application/json", gone: bool = False
    ) -> tuple[int, str, bytes]:
        """Status, content type and body of the answer; `gone` is an asker who leaves amid the body."""
        return self._ask_wsgi(b"".join(pieces), kind) if self.wsgi else self._ask_asgi(pieces, kind, gone)

    def _ask_asgi(self, pieces: tuple[bytes, ...], kind: str, gone: bool) -> tuple[int, str, bytes]:
        last = len(pieces) - 1
        messages = [
            {"type": "http.request", "body": piece, "more_body": gone or at < last}
            for at, piece in enumerate(pieces)
        ]
        left = iter(messages)
        sent: list[Any] = []

        async def receive() -> Any:
            message = next(left, {"type": "http.disconnect"})
            self.told.append(f"server gives {len(message.get('body', b''))}")  # type: ignore[arg-type]
            return message

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", kind.encode())]}
        asyncio.run(self.app(scope, receive, send))
        start, *rest = sent
        return (
            start["status"],
            dict(start["headers"])[b"content-type"].decode(),
            b"".join(one["body"] for one in rest),
        )

    def _ask_wsgi(self, body: bytes, kind: str) -> tuple[int, str, bytes]:
        told: list[Any] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body + b"what follows on the connection"),
        }

        def start_response(status: str, headers: list[tuple[str, str]]) -> Callable[[bytes], None]:
            told[:] = [int(status.split()[0]), dict(headers)["Content-Type"]]
            return lambda piece: None

        answer = self.app(environ, start_response)
        pieces = b"".join(answer)
        getattr(answer, "close", lambda: None)()
        return (*told, pieces)

    def stored(self) -> tuple[list[Inference], Tallies]:
        wk.capture.recorder_of(self.home, seal=False).flush()
        tallies, found = Tallies(), []
        for path in complete(self.home / "segments"):
            for block in blocks_of(path)[0]:
                tallies.merge(Tallies.read(block.tallies))
                found += records_of(block)
        return found, tallies


@pytest.fixture(params=[False, True], ids=["asgi", "wsgi"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., World]:
    return lambda **options: World(tmp_path, wsgi=request.param, **options)


def test_what_does_not_fit_is_refused_with_the_reason_and_the_model_is_not_asked(
    make: Callable[..., World],
) -> None:
    world = make()

    status, kind, body = world.ask(BAD)

    assert (status, kind) == (422, "application/problem+json")
    assert [line for line in world.told if "model" in line] == []
    told = json.loads(body)
    assert told["type"] == "urn:watchkeep:admission"
    assert (told["status"], told["title"]) == (422, "The request is not like what the model learned from")
    assert told["detail"] == "row 1, age: got 430, expected a whole number from 0 to 120"
    assert told["errors"] == [
        {
            "row": 1,
            "column": "age",
            "what": "range",
            "got": "430",
            "expected": "a whole number from 0 to 120",
            "detail": "row 1, age: got 430, expected a whole number from 0 to 120",
        }
    ]


def test_what_is_refused_is_recorded_and_counted_without_a_latency_of_the_model(
    make: Callable[..., World],
) -> None:
    world = make()
    world.ask(BAD)
    world.ask(GOOD)

    (refused, answered), tallies = world.stored()

    assert (refused.status, refused.input, refused.output, refused.latency) == (422, BAD, None, -1)
    assert refused.overhead >= 0
    assert [one["what"] for one in json.loads(refused.flags)["admission"]] == ["unknown", "range"]
    assert (answered.status, answered.input, answered.output, answered.flags) == (
        200,
        GOOD,
        b'{"echo": 27}',
        "",
    )
    (traffic,) = tallies.of.values()
    assert (traffic.invocations, traffic.client_errors, traffic.latency.count) == (2, 1, 1)
    assert traffic.flagged == {("age", "range"): 1, ("", "unknown"): 1}


def test_a_column_that_nobody_knows_is_flagged_and_passes(make: Callable[..., World]) -> None:
    world = make()

    assert world.ask(ODD)[::2] == (200, b'{"echo": 19}')

    (one,), tallies = world.stored()
    assert json.loads(one.flags)["admission"] == [
        {"row": 0, "column": "x", "what": "unknown", "expected": "columns that are known"}
    ]
    assert one.latency >= 0
    assert next(iter(tallies.of.values())).flagged == {("", "unknown"): 1}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff"])
def test_what_cannot_be_read_is_refused(make: Callable[..., World], body: bytes) -> None:
    world = make()

    assert world.ask(body)[0] == 422
    assert world.ask(GOOD, kind="image/png")[0] == 422
    assert [one.status for one in world.stored()[0]] == [422, 422]


def test_a_large_request_is_looked_at_and_passes(make: Callable[..., World]) -> None:
    world = make()
    rows = json.dumps([{"age": n % 100, "city": "Oslo"} for n in range(5000)]).encode()
    rows_with_one_bad = rows.replace(b'"age": 99', b'"age": 999', 1)

    assert world.ask(rows)[::2] == (200, b'{"echo": %d}' % len(rows))
    assert "row 99, age: got 999" in json.loads(world.ask(rows_with_one_bad)[2])["detail"]


def test_a_body_that_is_too_large_is_not_read_to_its_end(make: Callable[..., World]) -> None:
    world = make(admission=ADMISSION | {"bytes": 100})

    status, _, body = world.ask(*[b"x" * 60] * 10)

    assert status == 422
    assert "at most 100 bytes" in json.loads(body)["detail"]
    if not world.wsgi:
        assert world.told == ["server gives 60", "server gives 60"]
    (one,), tallies = world.stored()
    assert (one.status, one.input) == (422, None)
    assert json.loads(one.flags)["input"] == "larger than the limit"
    assert next(iter(tallies.of.values())).flagged == {("", "size"): 1}


def test_with_the_policy_to_flag_requests_pass_and_their_records_say_so(make: Callable[..., World]) -> None:
    world = make(policy="flag")

    assert world.ask(BAD)[::2] == (200, b'{"echo": 35}')

    (one,), tallies = world.stored()
    assert (one.status, one.input) == (200, BAD)
    assert [each["what"] for each in json.loads(one.flags)["admission"]] == ["unknown", "range"]
    assert next(iter(tallies.of.values())).flagged == {("age", "range"): 1, ("", "unknown"): 1}


@pytest.mark.parametrize("options", [{"admission": None, "policy": "flag"}, {"policy": "flag"}, {}])
def test_bodies_are_read_before_the_application_only_to_refuse(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    world = World(tmp_path, wsgi=False, **options)

    world.ask(GOOD[:5], GOOD[5:])

    given_, heard = ["server gives 5", "server gives 22"], ["model hears 5 request", "model hears 22 request"]
    together = [given_[0], heard[0], given_[1], heard[1]]
    assert world.told == ([*given_, *heard] if not options else together)
    assert type(world.app) is CaptureMiddleware or not options


def test_an_asker_who_leaves_is_told_to_the_application(tmp_path: Path) -> None:
    world = World(tmp_path, wsgi=False)

    world.ask(GOOD[:5], gone=True)

    assert world.told[2:] == ["model hears 5 request", "model hears 0 disconnect"]
    assert [one.input for one in world.stored()[0]] == [GOOD[:5]]


@given(st.lists(st.integers(0, len(GOOD)), max_size=4))
def test_a_body_reaches_the_application_as_it_came_piece_by_piece(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(GOOD)]
    pieces = [GOOD[start:end] for start, end in pairwise(places)]
    heard: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            heard.append(message["body"])
            more = message["more_body"]
        heard.append((await receive())["type"].encode())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    from watchkeep.capture.admission import Admission
    from watchkeep.capture.asgi_admission import AdmissionMiddleware

    class Kept:
        def take(self, *told: Any) -> None:
            pass

    capturing = Capturing(recorder=Kept(), endpoint="churn")  # type: ignore[arg-type]
    left = [
        {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1}
        for at, piece in enumerate(pieces)
    ]

    async def receive() -> Any:
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        assert message.get("status", 204) == 204

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(AdmissionMiddleware(app, capturing, Admission.of(ADMISSION))(scope, receive, send))

    assert heard == [*pieces, b"http.disconnect"]


def test_only_what_is_captured_is_looked_at(tmp_path: Path) -> None:
    world = World(tmp_path, wsgi=False, paths=["/other"])

    assert world.ask(BAD)[0] == 200
    assert world.stored()[0] == []


def test_a_refusal_too_is_given_only_when_its_record_is_kept(
    make: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make(durability="sync")
    assert world.ask(BAD)[0] == 422
    assert [one.status for one in world.stored()[0]] == [422]

    def never(recorder: Any, made: Any, what: Any, size: int, told: Any) -> None:
        told("disk is full")

    monkeypatch.setattr("watchkeep.capture.recorder.Recorder.take", never)
    world = make(durability="sync")
    with pytest.raises(RecordLostError, match="disk is full"):
        world.ask(BAD)


def test_chunked_bodies_are_read_to_their_end(tmp_path: Path) -> None:
    heard: list[bytes] = []

    class Trickling(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(3, size) if size and size > 0 else 3)

    def model(environ: Any, start_response: Any) -> list[bytes]:
        heard.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b""]

    app = wk.capture.middleware(
        model, endpoint="churn", home=tmp_path, seal=False, admission=ADMISSION, policy="refuse"
    )
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_TYPE": "", "wsgi.input_terminated": True}
    list(app(environ | {"wsgi.input": Trickling(GOOD)}, lambda *_: None))

    assert heard == [GOOD]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"policy": "refuze"}, "policy: got 'refuze', .*did you mean 'refuse'"),
        ({"policy": "refuse"}, "admission: got 'nothing', expected a file that `watchkeep admission` wrote"),
        ({"admission": "nowhere.json"}, "a file that can be read"),
        ({"admission": {"columns": [{"name": "a", "typo": 1}]}}, "got 'typo'.*did you mean 'type'"),
        ({"sampling": {"percentage": -1}}, "sampling: percentage"),
    ],
)
def test_values_that_cannot_be_used_are_told(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(wk.WatchkeepError, match=told):
        wk.capture.middleware(print, endpoint="churn", home=tmp_path, seal=False, **options)


def test_functions_are_sampled_too(tmp_path: Path) -> None:
    @wk.capture.watch(
        endpoint="churn", home=tmp_path, seal=False, sampling={"percentage": 0, "keep": ["_c0 > 0.5"]}
    )
    def predict(row: dict[str, float]) -> float:
        return row["age"] / 100

    for age in (41, 77):
        predict({"age": age})
    recorder = wk.capture.recorder_of(tmp_path, seal=False)
    recorder.close()

    blocks = [block for path in complete(tmp_path / "segments") for block in blocks_of(path)[0]]
    assert [one.input for block in blocks for one in records_of(block)] == [b'{"age":77}']
    assert recorder.counts.left_out == 1


@pytest.mark.parametrize("wsgi", [False, True])
@pytest.mark.parametrize("size", [10, 100_000])
def test_a_fault_of_the_check_keeps_no_request_from_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wsgi: bool, size: int
) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError("41 is told to nobody")

    monkeypatch.setattr(Admission, "check", fails)

    status, _, body = World(tmp_path, wsgi=wsgi).ask(b"4" * size)

    assert (status, body) == (200, b'{"echo": %d}' % size)
    assert caplog.messages == ["a request could not be looked at, and passes: ValueError"]
