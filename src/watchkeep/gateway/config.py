"""What a gateway is told: where it listens, what stands behind it, and how patient it is."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Final
from urllib.parse import urlsplit

from watchkeep.core.errors import OptionError

NAME: Final = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9._])*")
"""What endpoints and variants may be called. Such a name is a folder's name on every system, and never `..`."""
LONGEST_NAME: Final = 63
_SCHEMES: Final = ("http", "https", "unix")


def is_name(text: str) -> bool:
    """Whether an endpoint or variant may be called so.

    >>> is_name("churn-v2"), is_name("../churn"), is_name("a" * 64)
    (True, False, False)
    """
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One model server.

    Args:
        url: `http://host:port`, `https://host:port` or `unix:/path/of/socket`; a path after it is put before those of
            requests.
        variant: the name of what it serves.
        weight: its share of the requests that name no variant is this over the sum of all; 0 for none of them.
        host: the `Host` it is told; None for what the client said.
    """

    url: str
    variant: str = "AllTraffic"
    weight: float = 1.0
    host: str | None = None

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            there = bool(parts.path if parts.scheme == "unix" else parts.hostname) and parts.port != 0
        except ValueError:
            parts, there = urlsplit(""), False
        if parts.scheme not in _SCHEMES or not there or parts.query or parts.fragment or parts.username:
            raise OptionError("upstream", got=self.url, expected="http://host:port, https://… or unix:/path")
        if not is_name(self.variant):
            raise OptionError("variant", got=self.variant, expected=f"a name as in {NAME.pattern}")
        if not (isfinite(self.weight) and self.weight >= 0):
            raise OptionError("weight", got=str(self.weight), expected="a number, 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model by name, and the servers that answer for it.

    Args:
        name: as in paths and in records.
        upstreams: one for each variant.
        container: whether SageMaker's `/endpoints/{name}/invocations` becomes `/invocations`, as containers serve it.
        paths: which paths of no known protocol are captured when they are posted to; None for all.
    """

    name: str
    upstreams: tuple[Upstream, ...]
    container: bool = True
    paths: Collection[str] | None = None

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise OptionError(
                "endpoint", got=self.name, expected=f"up to {LONGEST_NAME} characters as in {NAME.pattern}"
            )
        variants = [upstream.variant for upstream in self.upstreams]
        if not variants:
            raise OptionError(f"endpoint {self.name}", got="no upstream", expected="one or more")
        for variant in variants:
            if variants.count(variant) > 1:
                raise OptionError(
                    f"endpoint {self.name}", got=f"variant {variant} twice", expected="each variant once"
                )
        if not any(upstream.weight for upstream in self.upstreams):
            raise OptionError(f"endpoint {self.name}", got="weights of 0", expected="one weight above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is accepted.

    Args:
        head_bytes: of request line and headers; beyond it 431. Answers' heads are held to it, too.
        headers: lines of them; beyond it 431.
        target_bytes: of the request target; beyond it 414.
        body_bytes: of a request's body; beyond it 413.
        captured_bytes: of input, and of output, kept for the watch; what is beyond passes and is not kept.
        replay_bytes: of a request's body kept for sending it again where nothing is captured.
        connections: to one upstream, each worker; more requests wait.
        clients: connections of clients, each worker; more get 503.
    """

    head_bytes: int = 32 * 1024
    headers: int = 100
    target_bytes: int = 8 * 1024
    body_bytes: int = 1024**3
    captured_bytes: int = 6 * 1024**2
    replay_bytes: int = 64 * 1024
    connections: int = 1024
    clients: int = 20_000

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) < (0 if each.name.endswith("bytes") else 1):
                raise OptionError(each.name, got=str(getattr(self, each.name)), expected="a positive number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long is waited, in seconds. They are kept to a quarter of a second, or of the shortest of them.

    Args:
        connect: for a connection to an upstream, or for one to become free; then 502 or 503.
        answer: for the next byte of an answer, while the client reads; then 504, or the transfer is broken off.
        head: for a request's line and headers, from their first byte; then 408.
        body: for the next bytes of a request's body; then 408.
        idle: for the next request of a client; then it is hung up on.
        stall: for a client to read what it is sent; then it is hung up on.
        upstream_idle: how long unused connections to upstreams are kept; less than what model servers keep theirs.
        watch: for the watch to be done with an exchange that it holds up; then it is answered and counted.
        drain: for running requests when told to stop; then they are broken off.
    """

    connect: float = 5.0
    answer: float = 60.0
    head: float = 20.0
    body: float = 30.0
    idle: float = 75.0
    stall: float = 60.0
    upstream_idle: float = 4.0
    watch: float = 10.0
    drain: float = 30.0

    def __post_init__(self) -> None:
        for each in fields(self):
            seconds = getattr(self, each.name)
            if not (isfinite(seconds) and seconds > 0):
                raise OptionError(f"timeout {each.name}", got=str(seconds), expected="seconds above 0")

    @property
    def tick(self) -> float:
        """Seconds between looks at what is late."""
        shortest: float = min(getattr(self, each.name) for each in fields(self))
        return min(0.25, shortest / 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """All that a gateway needs to know.

    Args:
        endpoints: the models behind it.
        host, port: where it listens; port 0 for any that is free.
        default: which endpoint gets requests whose path names none of them; the only one when there is one.
        workers: processes that answer.
        methods: of requests that are captured.
        forwarded: whether requests are given `X-Forwarded-For` and `X-Forwarded-Proto`.
        via: the name under which the gateway puts itself into `Via` of requests; None for not at all.
        retry: whether predictions are sent again when the kept connection they were sent over was closed unanswered.
            Other requests are sent again only when their method is idempotent.
        strict: whether answers that a watch holds back and then fails to keep are not given: 503 instead, or the
            transfer is broken off; else they are given and counted.
        backlog: connections that wait to be accepted, each worker.
        limits, timeouts: see there.

    >>> churn = Endpoint(name="churn", upstreams=(Upstream(url="http://127.0.0.1:9000"),))
    >>> GatewayConfig(endpoints=(churn,)).default
    'churn'
    """

    endpoints: tuple[Endpoint, ...]
    host: str = "127.0.0.1"
    port: int = 8080
    default: str | None = None
    workers: int = 1
    methods: frozenset[str] = frozenset({"POST"})
    forwarded: bool = False
    via: str | None = None
    retry: bool = True
    strict: bool = False
    backlog: int = 2048
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        names = [endpoint.name for endpoint in self.endpoints]
        if not names:
            raise OptionError("endpoints", got="none", expected="one or more")
        for name in names:
            if names.count(name) > 1:
                raise OptionError("endpoints", got=f"{name} twice", expected="each name once")
        if self.default is None and len(names) == 1:
            object.__setattr__(self, "default", names[0])
        if self.default is not None and self.default not in names:
            raise OptionError("default", got=self.default, expected="one of the endpoints", choices=names)
        if not 0 <= self.port < 65536:
            raise OptionError("port", got=str(self.port), expected="0 to 65535")
        if self.workers < 1:
            raise OptionError("workers", got=str(self.workers), expected="1 or more")
        if self.via is not None and not is_name(self.via):
            raise OptionError("via", got=self.via, expected=f"a name as in {NAME.pattern}")
