"""What the API tells of a home."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from watchkeep.app.traffic import Totals
from watchkeep.web.keeping import Keeper
from watchkeep.web.metrics import exposition
from watchkeep.web.problems import problem


def telling(home: Path, keeper: Keeper) -> APIRouter:
    """The paths at which something is told.

    Args:
        home: of which.
        keeper: what keeps what it is sent.
    """
    router = APIRouter()

    @router.get("/metrics")
    async def metrics() -> Response:
        """What was asked of endpoints, for Prometheus."""
        text = await run_in_threadpool(exposition, Totals(home).now)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the process answers."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Whether records can be kept."""
        why = keeper.failing
        if why is not None:
            return problem(503, f"Records cannot be kept: {why}")
        return JSONResponse({"status": "ok"})

    return router
