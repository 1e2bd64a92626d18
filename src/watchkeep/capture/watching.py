"""Captures what a function of Python is asked and answers."""

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction, signature
from time import time_ns
from typing import Any, ParamSpec, TypeVar, cast

from watchkeep.capture.exchange import Capturing, Exchange

P = ParamSpec("P")
T = TypeVar("T")
_JSON = b"application/json"


def watched(function: Callable[P, T], capturing: Capturing) -> Callable[P, T]:
    """A function as it was, whose calls are recorded: its arguments are the input, what it returns is the output.

    A call with one argument that holds fields, or rows (a mapping, a list, an array, a frame), is recorded as these;
    others by the names of their parameters. An exception passes, and is recorded as status 500.

    Args:
        function: plain or `async`.
        capturing: where records go.
    """
    bound = signature(function).bind

    def asked(*args: P.args, **kwargs: P.kwargs) -> bytes:
        arguments = bound(*args, **kwargs).arguments
        arguments = {name: value for name, value in arguments.items() if name not in ("self", "cls")}
        if len(arguments) == 1:
            (only,) = arguments.values()
            body = _plain(only)
            if isinstance(body, dict | list):
                return _text(body)
        return _text(arguments)

    def record(start: int, status: int, given: bytes, said: bytes) -> None:
        what: Exchange = (start, time_ns(), status, _JSON, _JSON, None, None, given, said)
        capturing.take(what)

    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            given, start = asked(*args, **kwargs), time_ns()
            try:
                found = await cast("Awaitable[Any]", function(*args, **kwargs))
            except BaseException:
                record(start, 500, given, b"")
                raise
            record(start, 200, given, _text(_answer(found)))
            return found

        return cast("Callable[P, T]", awaited)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        given, start = asked(*args, **kwargs), time_ns()
        try:
            found = function(*args, **kwargs)
        except BaseException:
            record(start, 500, given, b"")
            raise
        record(start, 200, given, _text(_answer(found)))
        return found

    return called


def _answer(found: object) -> object:
    """What a function returned, as one row or several: numbers in a list are rows of their own."""
    body = _plain(found)
    if isinstance(body, list) and not any(isinstance(one, dict | list) for one in body):
        return {"predictions": body}
    return body


def _plain(value: Any) -> Any:
    """Frames, arrays and numbers of libraries as what JSON has."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict(orient="records") if hasattr(value, "iloc") else value.to_dicts()
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def _text(value: object) -> bytes:
    return json.dumps(value, default=_other, separators=(",", ":")).encode()


def _other(value: Any) -> Any:
    plain = _plain(value)
    return str(value) if plain is value else plain
