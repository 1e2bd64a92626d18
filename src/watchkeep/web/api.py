"""The application: captures, labels and events in, metrics out."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from watchkeep import __version__
from watchkeep.adapters.sources import open_source
from watchkeep.app.ground_truth import take
from watchkeep.app.traffic import Totals
from watchkeep.capture.client import recorder_of
from watchkeep.capture.cloud_events import NotAnEventError, Pairing, half_of
from watchkeep.capture.record import Inference
from watchkeep.capture.recorder import Recorder
from watchkeep.web.bodies import Captures, Labels
from watchkeep.web.metrics import exposition
from watchkeep.web.problems import install, problem

LIMIT: Final = 32 << 20
"""Bytes of a request's body."""
_OFTEN: Final = 1.0


def application(home: Path) -> FastAPI:
    """The API of a home."""
    recorder = recorder_of(home)
    pairing = Pairing()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(_tick(pairing, recorder))
        yield
        ticking.cancel()
        for one in pairing.rest():
            recorder.record(one)
        await run_in_threadpool(recorder.flush)

    app = FastAPI(title="Watchkeep", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    install(app)
    app.middleware("http")(_limited)

    @app.post("/api/v1/captures", status_code=201)
    async def captures(sent: Captures) -> JSONResponse:
        """Record inferences. When it is answered they are on the disk."""
        now = datetime.now(UTC)
        try:
            records = [one.inference(now) for one in sent.captures]
        except ValueError as error:
            return problem(422, str(error))
        why = await _stored(recorder, records)
        return _told(len(records), why)

    @app.post("/api/v1/events", status_code=202)
    async def events(request: Request) -> Response:
        """Take an event of a payload logger (KServe, Seldon): a request, or an answer."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            half = half_of(headers, await request.body())
        except NotAnEventError as error:
            return problem(400, f"This is no event of a payload logger: {error}")
        for one in pairing.add(half, time.monotonic()):
            recorder.record(one)
        return Response(status_code=202)

    @app.post("/api/v1/labels", status_code=201)
    async def labels(sent: Labels) -> JSONResponse:
        """Take true outcomes in. When it is answered they are on the disk."""
        source = open_source(_table(sent))
        taken = await run_in_threadpool(
            take, home, sent.endpoint, source, id="id", label=sent.name, arrival="arrival"
        )
        return JSONResponse(taken.document(), 201)

    @app.get("/metrics")
    async def metrics() -> Response:
        """What was asked of endpoints, for Prometheus."""
        text = await run_in_threadpool(exposition, Totals(home).now)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> Response:
        """Whether records can be kept."""
        why = recorder.failing
        return (
            JSONResponse({"status": "ok"}) if why is None else problem(503, f"Records cannot be kept: {why}")
        )

    return app


async def _stored(recorder: Recorder, records: list[Inference]) -> str | None:
    """Record inferences and wait for the disk; why not all of them are there, or None."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str | None] = loop.create_future()
    left, reasons = len(records), list[str]()

    def settle(why: str | None) -> None:
        nonlocal left
        left -= 1
        if why is not None:
            reasons.append(why)
        if not left and not done.done():
            done.set_result(reasons[0] if reasons else None)

    def told(why: str | None) -> None:
        loop.call_soon_threadsafe(settle, why)

    for one in records:
        recorder.record(one, told)
    return await done


def _told(count: int, why: str | None) -> JSONResponse:
    if why is None:
        return JSONResponse({"stored": count}, 201)
    return problem(503, f"Not all of these can be kept now: {why}. Send them again, with their event ids.")


def _table(sent: Labels) -> pa.Table:
    values: list[Any] = [one.label for one in sent.labels]
    kinds = {type(value) for value in values}
    if not kinds <= {int, float} and len(kinds) > 1:  # of several kinds, as texts
        values = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return pa.table(
        {
            "id": [one.id for one in sent.labels],
            sent.name: pa.array(values),
            "arrival": pa.array([one.arrival for one in sent.labels], pa.timestamp("us", tz="UTC")),
        }
    )


async def _tick(pairing: Pairing, recorder: Recorder) -> None:
    while True:
        await asyncio.sleep(_OFTEN)
        for one in pairing.expired(time.monotonic()):
            recorder.record(one)


async def _limited(request: Request, call_next: Any) -> Response:
    length = request.headers.get("content-length")
    if length is None and request.method in ("POST", "PUT", "PATCH"):
        return problem(411, "A request with a body must tell its length")
    if length is not None and (not length.isdecimal() or int(length) > LIMIT):
        return problem(413, f"A request may have {LIMIT >> 20} MB")
    answer: Response = await call_next(request)
    return answer
