"""The application: captures, labels and events in, metrics out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from watchkeep import __version__
from watchkeep.web.keeping import Keeper, Policies
from watchkeep.web.problems import install, problem
from watchkeep.web.taking import taking
from watchkeep.web.telling import telling

LIMIT: Final = 32 << 20
"""Bytes of a request's body."""
_OFTEN: Final = 1.0
NO_POLICIES: Final[Policies] = MappingProxyType({})


def application(home: Path, policies: Policies = NO_POLICIES) -> FastAPI:
    """The API of a home.

    Args:
        home: where everything is kept.
        policies: what is done with records of endpoints, by name; see `Keeper`.

    Raises:
        OptionError: the home cannot be written.
    """
    keeper = Keeper(home, policies)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(_tick(keeper))
        yield
        ticking.cancel()
        await run_in_threadpool(keeper.end)

    app = FastAPI(title="Watchkeep", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    install(app)
    app.middleware("http")(_limited)
    app.include_router(taking(keeper))
    app.include_router(telling(home, keeper))
    return app


async def _tick(keeper: Keeper) -> None:
    while True:
        await asyncio.sleep(_OFTEN)
        keeper.expire()


async def _limited(request: Request, call_next: Any) -> Response:
    length = request.headers.get("content-length")
    chunked = "transfer-encoding" in request.headers
    if chunked or (length is None and request.method in ("POST", "PUT", "PATCH")):
        return problem(411, "A request with a body must tell its length")
    if length is not None and (not length.isdecimal() or int(length) > LIMIT):
        return problem(413, f"A request may have {LIMIT >> 20} MB")
    answer: Response = await call_next(request)
    return answer
