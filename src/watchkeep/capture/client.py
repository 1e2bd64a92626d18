"""What one line in a model server calls."""

import os
import threading
from collections.abc import Callable, Collection
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar

from watchkeep.capture.exchange import LIMIT, VARIANT, Capturing
from watchkeep.capture.home import SEGMENTS, home_of, start_sealer
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.core.errors import OptionError

P = ParamSpec("P")
T = TypeVar("T")
Durability = Literal["async", "sync"]
"""`async`: nobody waits, and a record is on the disk within `delay` seconds. `sync`: an answer is complete only when
its record is on the disk; one whose record cannot be kept is not given."""

_RECORDERS: Final[dict[Path, Recorder]] = {}
_LOCK: Final = threading.Lock()


def middleware(
    app: Any,
    *,
    endpoint: str,
    variant: str = VARIANT,
    home: str | os.PathLike[str] | None = None,
    durability: Durability = "async",
    delay: float = 0.1,
    paths: Collection[str] = (),
    methods: Collection[str] = ("POST",),
    limit: int = LIMIT,
    seal: bool = True,
) -> Any:
    """An ASGI or WSGI application as it was, whose requests and answers are recorded.

    Args:
        app: the application. One whose call is a coroutine function, or takes three arguments, is ASGI.
        endpoint, variant: whose records these are.
        home: where they are kept; `WATCHKEEP_HOME`, or `.watchkeep` here, when it is not given.
        durability: see `Durability`.
        delay: seconds after which a record is on the disk.
        paths: only requests to these; all, when none are named.
        methods: only requests by these.
        limit: bytes of a body that is recorded; of a larger one it is only told that it was.
        seal: whether a process is started that turns records into Parquet files.

    Raises:
        OptionError: a value is none that can be used, or the home cannot be written.

    >>> async def app(scope, receive, send): ...
    >>> middleware(app, endpoint="churn", durability="never")
    Traceback (most recent call last):
    ...
    watchkeep.core.errors.OptionError: durability: got 'never', expected 'async' or 'sync'
    """
    capturing = _capturing(
        endpoint=endpoint,
        variant=variant,
        home=home,
        durability=durability,
        delay=delay,
        paths=paths,
        methods=methods,
        limit=limit,
        seal=seal,
    )
    if _is_asgi(app):
        from watchkeep.capture.asgi import CaptureMiddleware

        return CaptureMiddleware(app, capturing)
    from watchkeep.capture.wsgi import CaptureMiddleware as OfWsgi

    return OfWsgi(app, capturing)


def watch(
    *,
    endpoint: str,
    variant: str = VARIANT,
    home: str | os.PathLike[str] | None = None,
    delay: float = 0.1,
    limit: int = LIMIT,
    seal: bool = True,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Has the calls of a function recorded; see `watched` for what is recorded, and `middleware` for the arguments.

    Raises:
        OptionError: a value is none that can be used, or the home cannot be written.
    """
    from watchkeep.capture.watching import watched

    capturing = _capturing(
        endpoint=endpoint,
        variant=variant,
        home=home,
        durability="async",
        delay=delay,
        paths=(),
        methods=(),
        limit=limit,
        seal=seal,
    )
    return lambda function: watched(function, capturing)


def recorder_of(
    home: str | os.PathLike[str] | None = None, *, delay: float = 0.1, seal: bool = True
) -> Recorder:
    """The recorder of a home. A process has one of each.

    Raises:
        OptionError: the home cannot be written.
    """
    where = home_of(home)
    with _LOCK:
        if where not in _RECORDERS:
            if seal:
                try:
                    start_sealer(where)
                except OSError as error:
                    expected = f"a folder that can be written ({error.strerror})"
                    raise OptionError("home", got=str(where), expected=expected) from error
            opened = partial(start_sealer, where) if seal else None
            _RECORDERS[where] = Recorder(Settings(folder=where / SEGMENTS, delay=delay, opened=opened))
        return _RECORDERS[where]


def _capturing(
    *,
    endpoint: str,
    variant: str,
    home: str | os.PathLike[str] | None,
    durability: str,
    delay: float,
    paths: Collection[str],
    methods: Collection[str],
    limit: int,
    seal: bool,
) -> Capturing:
    if durability not in ("async", "sync"):
        raise OptionError(
            "durability", got=durability, expected="'async' or 'sync'", choices=("async", "sync")
        )
    for option, value in (("endpoint", endpoint), ("variant", variant)):
        if not value or len(value) > _LONGEST or not value.isprintable():
            raise OptionError(option, got=value, expected=f"a name of 1 to {_LONGEST} printable characters")
    if not 0 < delay <= _LATEST:
        raise OptionError("delay", got=str(delay), expected=f"seconds, more than 0 and at most {_LATEST}")
    return Capturing(
        recorder=recorder_of(home, delay=delay, seal=seal),
        endpoint=endpoint,
        variant=variant,
        paths=frozenset(paths),
        methods=frozenset(methods),
        limit=limit,
        durable=durability == "sync",
    )


_LONGEST: Final = 63
_LATEST: Final = 60


def _is_asgi(app: Any) -> bool:
    return iscoroutinefunction(app) or iscoroutinefunction(type(app).__call__)
