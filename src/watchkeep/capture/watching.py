"""Captures what a function of Python is asked and answers."""

import json
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from inspect import iscoroutinefunction, signature
from time import time_ns
from typing import Any, ParamSpec, TypeVar, cast

from watchkeep.capture.exchange import Capturing, Exchange

P = ParamSpec("P")
T = TypeVar("T")
_TYPE = b"application/json"


def watched(function: Callable[P, T], capturing: Capturing) -> Callable[P, T]:
    """A function as it was, whose calls are recorded: its arguments are the input, what it returns is the output.

    A call with one argument that holds fields, or rows (a mapping, a list, an array, a frame), is recorded as these;
    others by the names of their parameters. An exception passes, and is recorded as status 500. What cannot be written
    as JSON is recorded as an empty body.

    Args:
        function: plain or `async`.
        capturing: where records go.
    """
    bound = signature(function).bind

    def asked(*args: P.args, **kwargs: P.kwargs) -> object:
        arguments = bound(*args, **kwargs).arguments
        arguments = {name: value for name, value in arguments.items() if name not in ("self", "cls")}
        if len(arguments) == 1:
            (only,) = arguments.values()
            body = _plain(only)
            if isinstance(body, dict | list):
                return body
        return arguments

    def record(start: int, status: int, given: bytes, said: bytes) -> None:
        what: Exchange = (start, time_ns(), status, _TYPE, _TYPE, None, None, given, said)
        capturing.take(what)

    if iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            given, start = _text(partial(asked, *args, **kwargs)), time_ns()
            try:
                found = await cast("Awaitable[Any]", function(*args, **kwargs))
            except BaseException:
                record(start, 500, given, b"")
                raise
            record(start, 200, given, _text(partial(_answer, found)))
            return found

        return cast("Callable[P, T]", awaited)

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        given, start = _text(partial(asked, *args, **kwargs)), time_ns()
        try:
            found = function(*args, **kwargs)
        except BaseException:
            record(start, 500, given, b"")
            raise
        record(start, 200, given, _text(partial(_answer, found)))
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


def _text(tell: Callable[[], object]) -> bytes:
    """What is told as JSON; nothing where that fails, since the function must be called and answer all the same."""
    try:
        value = tell()
        try:
            return _json(value)
        except TypeError:  # a key that JSON does not have
            return _json(_spelled(value))
    except Exception:  # noqa: BLE001 (whatever the arguments of others do when they are looked at)
        return b""


def _json(value: object) -> bytes:
    return json.dumps(value, default=_other, separators=(",", ":")).encode()


def _spelled(value: object) -> object:
    """A value whose keys are texts."""
    plain = _plain(value)
    if isinstance(plain, dict):
        return {key if isinstance(key, str) else str(key): _spelled(held) for key, held in plain.items()}
    return [_spelled(one) for one in plain] if isinstance(plain, list | tuple) else plain


def _other(value: Any) -> Any:
    plain = _plain(value)
    return str(value) if plain is value else plain
