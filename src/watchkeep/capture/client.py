"""What one line in a model server calls."""

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial, wraps
from inspect import Parameter, iscoroutinefunction, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar

from watchkeep.capture.exchange import LIMIT, VARIANT, Capturing
from watchkeep.capture.home import SEGMENTS, home_of, start_sealer
from watchkeep.capture.names import EXPECTED, is_name
from watchkeep.capture.policies import EndpointPolicy, Policy
from watchkeep.capture.recorder import Recorder, Settings
from watchkeep.capture.steps import Step
from watchkeep.core.errors import OptionError

if TYPE_CHECKING:
    from watchkeep.capture.admission import Admission

P = ParamSpec("P")
T = TypeVar("T")


def _named(function: Callable[P, T]) -> Callable[P, T]:
    """A function as it was, which tells whoever misspells an option what it is called."""
    parameters = signature(function).parameters
    known = [name for name, one in parameters.items() if one.kind is Parameter.KEYWORD_ONLY]

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        for name in kwargs:
            if name not in parameters:
                raise OptionError(function.__name__, got=name, expected=", ".join(known), choices=known)
        if args and len(known) == len(parameters):
            expected = f"options in brackets, such as @wk.capture.{function.__name__}(endpoint='churn')"
            raise OptionError(function.__name__, got=repr(args[0]), expected=expected)
        return function(*args, **kwargs)

    return called


Durability = Literal["async", "sync"]
"""`async`: nobody waits, and a record is on the disk within `delay` seconds. `sync`: an answer is complete only when
its record is on the disk; one whose record cannot be kept is not given."""

_RECORDERS: Final[dict[Path, Recorder]] = {}
_LOCK: Final = threading.Lock()


@_named
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
    sampling: Mapping[str, Any] | None = None,
    privacy: Mapping[str, Any] | None = None,
    admission: "Mapping[str, Any] | str | os.PathLike[str] | None" = None,
    policy: Policy = "flag",
    columns: Mapping[str, Any] | None = None,
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
        sampling: which requests are recorded; see `Sampling.of`. All, when it is not given.
        privacy: what must not be stored of them; see `Privacy.of`. Its key is that of `WATCHKEEP_PRIVACY_KEY`.
        admission: what requests must be like: the file that `watchkeep admission` wrote, or what it holds.
        policy: what becomes of those that are not; see `Policy`.
        columns: names of values that come without (CSV, bare lists); see `ColumnNames.of`.
        seal: whether a process is started that turns records into Parquet files.

    Raises:
        DocumentError: the admission does not follow its schema.
        OptionError: a value is none that can be used, or the home cannot be written.

    >>> async def app(scope, receive, send): ...
    >>> middleware(app, endpoint="churn", durability="never")
    Traceback (most recent call last):
    ...
    watchkeep.core.errors.OptionError: durability: got 'never', expected 'async' or 'sync'
    """
    given = {"sampling": sampling, "privacy": privacy, "admission": admission, "columns": columns}
    _check(endpoint, variant, durability, delay, limit, paths, methods)
    policies = EndpointPolicy.of({**given, "policy": policy}, limit=limit, endpoint=endpoint)
    capturing = _capturing(
        endpoint=endpoint,
        variant=variant,
        home=home,
        durable=durability == "sync",
        delay=delay,
        paths=paths,
        methods=methods,
        limit=limit,
        steps=policies.after if policies.refuses else policies.steps,
        seal=seal,
    )
    policies.tell(home_of(home), endpoint)
    if policies.admission is not None and policies.refuses:
        return _refusing(app, capturing, policies.admission, policies.names)
    if _is_asgi(app):
        from watchkeep.capture.asgi import CaptureMiddleware

        return CaptureMiddleware(app, capturing)
    from watchkeep.capture.wsgi import CaptureMiddleware as OfWsgi

    return OfWsgi(app, capturing)


def _refusing(app: Any, capturing: Capturing, admission: "Admission", names: Sequence[str] | None) -> Any:
    if _is_asgi(app):
        from watchkeep.capture.asgi_admission import AdmissionMiddleware

        return AdmissionMiddleware(app, capturing, admission, names)
    from watchkeep.capture.wsgi_admission import AdmissionMiddleware as OfWsgi

    return OfWsgi(app, capturing, admission, names)


@_named
def watch(
    *,
    endpoint: str,
    variant: str = VARIANT,
    home: str | os.PathLike[str] | None = None,
    delay: float = 0.1,
    limit: int = LIMIT,
    sampling: Mapping[str, Any] | None = None,
    privacy: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
    seal: bool = True,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Has the calls of a function recorded; see `watched` for what is recorded, and `middleware` for the arguments.

    Raises:
        OptionError: a value is none that can be used, or the home cannot be written.
    """
    from watchkeep.capture.watching import watched

    given = {"sampling": sampling, "privacy": privacy, "columns": columns}
    _check(endpoint, variant, "async", delay, limit, (), ())
    policies = EndpointPolicy.of(given, limit=limit, endpoint=endpoint)
    capturing = _capturing(
        endpoint=endpoint,
        variant=variant,
        home=home,
        delay=delay,
        paths=(),
        methods=(),
        limit=limit,
        steps=policies.steps,
        seal=seal,
    )
    policies.tell(home_of(home), endpoint)
    return lambda function: watched(function, capturing)


def recorder_of(
    home: str | os.PathLike[str] | None = None, *, delay: float = 0.1, seal: bool = True
) -> Recorder:
    """The recorder of a home. A process has one of each.

    Raises:
        OptionError: the home cannot be written, or `WATCHKEEP_ENCRYPTION_KEY` holds no key.
        MissingExtraError: it holds one, and the library for encryption is not installed.
    """
    where = home_of(home)
    with _LOCK:
        if where not in _RECORDERS:
            opened = partial(start_sealer, where) if seal else None
            settings = Settings(folder=where / SEGMENTS, delay=delay, opened=opened)
            if seal:
                try:
                    start_sealer(where)
                except OSError as error:
                    expected = f"a folder that can be written ({error.strerror})"
                    raise OptionError("home", got=str(where), expected=expected) from error
            _RECORDERS[where] = Recorder(settings)
        return _RECORDERS[where]


def _capturing(
    *,
    endpoint: str,
    variant: str,
    home: str | os.PathLike[str] | None,
    delay: float,
    paths: Collection[str],
    methods: Collection[str],
    limit: int,
    steps: tuple[Step, ...],
    seal: bool,
    durable: bool = False,
) -> Capturing:
    return Capturing(
        recorder=recorder_of(home, delay=delay, seal=seal),
        endpoint=endpoint,
        variant=variant,
        paths=frozenset(paths),
        methods=frozenset(methods),
        limit=limit,
        durable=durable,
        steps=steps,
    )


def _check(
    endpoint: object,
    variant: object,
    durability: object,
    delay: object,
    limit: object,
    paths: object,
    methods: object,
) -> None:
    """See that what somebody gave can be used."""
    if durability not in ("async", "sync"):
        choices = ("async", "sync")
        raise OptionError("durability", got=str(durability), expected="'async' or 'sync'", choices=choices)
    for option, value in (("endpoint", endpoint), ("variant", variant)):
        if not isinstance(value, str) or not is_name(value):
            raise OptionError(option, got=str(value), expected=EXPECTED)
        if "/" in value:
            expected = "a name without /, which stands between endpoint and variant"
            raise OptionError(option, got=value, expected=expected)
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 < delay <= _LATEST:
        raise OptionError("delay", got=repr(delay), expected=f"seconds, more than 0 and at most {_LATEST}")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise OptionError("limit", got=repr(limit), expected="a number of bytes, 0 or more")
    for option, several in (("paths", paths), ("methods", methods)):
        if isinstance(several, str) or not isinstance(several, Collection):
            raise OptionError(option, got=repr(several), expected="several of them, in a list")


_LATEST: Final = 60


def _is_asgi(app: Any) -> bool:
    if iscoroutinefunction(app) or iscoroutinefunction(type(app).__call__):
        return True
    try:
        takes = signature(app).parameters.values()
    except (TypeError, ValueError):
        return False
    return sum(one.default is one.empty and one.kind in _BY_PLACE for one in takes) == _OF_ASGI


_BY_PLACE: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_OF_ASGI: Final = 3
"""Arguments of an ASGI application; a WSGI application has two."""
