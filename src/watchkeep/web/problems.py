"""Errors as problem documents (RFC 9457)."""

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from watchkeep.core.errors import BadInputError

TYPE: Final = "application/problem+json"


def problem(status: int, title: str, **more: Any) -> JSONResponse:
    """An answer that says what is wrong."""
    return JSONResponse({"title": title, "status": status, **more}, status, media_type=TYPE)


def install(app: FastAPI) -> None:
    """Have every error of an application answered as a problem."""

    async def of_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 (it is installed for these)
        return problem(error.status_code, str(error.detail))

    async def of_validation(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 (as above)
        for one in error.errors():
            if one["type"] == "json_invalid":
                where = f"at character {one['loc'][-1]}" if len(one["loc"]) > 1 else "at its end"
                why = one.get("ctx", {}).get("error", one["msg"])
                return problem(422, "The body is not JSON", detail=f"{why}, {where}")
        errors = [
            {
                "pointer": "/" + "/".join(map(str, one["loc"][1:])),
                "detail": one["msg"].removeprefix("Value error, "),
            }
            for one in error.errors()
        ]
        return problem(422, "The request is not what was expected", errors=errors)

    async def of_input(_: Request, error: Exception) -> JSONResponse:
        return problem(400, str(error))

    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(BadInputError, of_input)
