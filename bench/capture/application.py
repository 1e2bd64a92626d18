"""The smallest model that answers JSON, captured or not. Its words: PORT MODE MILLISECONDS HOME."""

import sys
import time
from pathlib import Path
from typing import Any, Literal, cast

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import watchkeep as wk


def application(mode: Literal["none", "async", "sync"], milliseconds: float, home: Path) -> Any:
    """An application that takes so long to answer, uncaptured (`none`), or captured (`async`, `sync`)."""

    async def predict(request: Request) -> Response:
        rows = orjson.loads(await request.body())["instances"]
        end = time.perf_counter() + milliseconds / 1000
        while milliseconds and time.perf_counter() < end:
            pass
        return Response(orjson.dumps({"predictions": [0.5] * len(rows)}), media_type="application/json")

    app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
    if mode == "none":
        return app
    return wk.capture.middleware(app, endpoint="bench", home=home, durability=mode, seal=False)


def serve(port: int, mode: Literal["none", "async", "sync"], milliseconds: float, home: Path) -> None:
    """Answer at a port until told to stop."""
    uvicorn.run(
        application(mode, milliseconds, home),
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="error",
    )


if __name__ == "__main__":
    port, mode, milliseconds, home = sys.argv[1:]
    serve(int(port), cast("Literal['none', 'async', 'sync']", mode), float(milliseconds), Path(home))
