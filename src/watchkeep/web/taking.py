"""What the API takes in: captures, events of payload loggers, labels."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from watchkeep.capture.cloud_events import NotAnEventError, half_of
from watchkeep.web.bodies import Captures, Labels
from watchkeep.web.keeping import Keeper
from watchkeep.web.problems import problem


def taking(keeper: Keeper) -> APIRouter:
    """The paths to which something is posted.

    Args:
        keeper: keeps it.
    """
    router = APIRouter(prefix="/api/v1")

    @router.post("/captures", status_code=201)
    async def captures(sent: Captures) -> JSONResponse:
        """Record inferences. When it is answered they are on the disk, but for those that a sample leaves out."""
        now = datetime.now(UTC)
        try:
            records = [one.inference(now) for one in sent.captures]
        except (ValueError, RecursionError) as error:
            return problem(422, str(error))
        stored, why = await keeper.captures(records)
        if why is not None:
            return _not_kept(why)
        left = len(records) - stored
        return JSONResponse({"stored": stored} | ({"left_out": left} if left else {}), 201)

    @router.post("/events", status_code=202)
    async def events(request: Request) -> Response:
        """Take an event of a payload logger (KServe, Seldon): a request, or an answer."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            half = half_of(headers, await request.body())
        except NotAnEventError as error:
            return problem(400, f"This is no event of a payload logger: {error}")
        keeper.event(half)
        return Response(status_code=202)

    @router.post("/labels", status_code=201)
    async def labels(sent: Labels) -> JSONResponse:
        """Take true outcomes in. When it is answered they are on the disk, and read within a quarter of a minute."""
        told, without = sent.told(datetime.now(UTC))
        why = await keeper.labels(told)
        if why is not None:
            return _not_kept(why)
        return JSONResponse({"labels": len(sent.labels) - without, "without_value": without}, 201)

    return router


def _not_kept(why: str) -> JSONResponse:
    return problem(503, f"Not all of these can be kept now: {why}. Send them again, with the same ids.")
