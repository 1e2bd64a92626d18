"""What all connections of one worker share."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from itertools import accumulate
from random import Random
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from watchkeep.gateway.config import Endpoint, GatewayConfig
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.exchange import Watch
from watchkeep.gateway.memo import Memo
from watchkeep.gateway.pool import Pool
from watchkeep.gateway.problems import Refusal
from watchkeep.gateway.requests import Line, RequestError, read_field, read_line
from watchkeep.gateway.routes import NOWHERE, Route, Router
from watchkeep.gateway.turns import Gate, Turn

_IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"})
ADMISSION: Final = "admission"
"""Under which requests are counted that were refused as they are not like what the model learned from."""
NO_GATES: Final[Mapping[str, Gate]] = MappingProxyType({})
_log = logging.getLogger(__name__)


class Client(Protocol):
    """A client's connection, as the worker sees it."""

    transport: asyncio.Transport
    deadline: float

    def late(self) -> None:
        """The deadline has passed."""

    def drain(self) -> None:
        """Hang up now, or after what runs."""


class Plan(NamedTuple):
    """What the first line of a request says of what is to be done.

    Args:
        line: it.
        route: where it leads.
        refusal: why it leads nowhere; None when it leads somewhere.
        choice: whom to ask; None when it leads nowhere.
        where: what the upstream is asked for.
        watched: whether the watch is told.
        collects: bytes of request and answer to keep.
        replayable: whether it may be asked twice.
        gate: what it must pass before anyone is asked; None for nothing.
    """

    line: Line
    route: Route
    refusal: Refusal | None
    choice: "Choice | None"
    where: bytes
    watched: bool
    collects: int
    replayable: bool
    gate: Gate | None = None


class House:
    """One worker's endpoints, counters and watch.

    Args:
        config: what it was told.
        watch: who is told of captured exchanges; None for nobody.
        counters: what is counted.
        gates: what requests must be like, by endpoint.
        random: chooses between variants.
    """

    def __init__(
        self,
        config: GatewayConfig,
        watch: Watch | None,
        counters: Counters,
        gates: Mapping[str, Gate] = NO_GATES,
        random: Random | None = None,
    ) -> None:
        self.config, self.limits, self.timeouts = config, config.limits, config.timeouts
        self.watch, self.counters, self._gates = watch, counters, gates
        self.router = Router(config.endpoints, config.default)
        self.adds = config.forwarded or config.via is not None
        self.plans = Memo(self.plan, 1024)
        self.fields = Memo(read_field, 2048)
        """Most of a client's lines are the same in each of its requests. Both are for lines of bounded length."""
        self.clients: set[Client] = set()
        self.draining = False
        self._told = False
        random = random or Random()  # noqa: S311 - chooses variants, no secrets
        pools: dict[tuple[str, str | None, str], Pool] = {}
        self.choices = {
            endpoint.name: Choice(endpoint, self._pools_of(endpoint, pools), random)
            for endpoint in config.endpoints
        }
        self.pools = list(pools.values())

    def plan(self, line: bytes) -> Plan:
        """Read a request line and find its route.

        Raises:
            RequestError: it is none that is answered here.
        """
        read = read_line(line)
        if len(read.target) > self.limits.target_bytes:
            most = f"its target has more than {self.limits.target_bytes} bytes"
            raise RequestError(most, status=414, reason="target-too-long")
        raw, mark, query = read.where.partition(b"?")
        path = raw.decode("ascii")
        route = self.router.route(path)
        if isinstance(route, Refusal):
            return Plan(read, NOWHERE, route, None, read.where, watched=False, collects=0, replayable=False)
        where = read.where if route.path == path else route.path.encode() + mark + query
        replayable = self.config.retry and (route.captured or read.method in _IDEMPOTENT)
        asks = route.captured and read.method.decode() in self.config.methods
        watched = self.watch is not None and asks
        keeps = self.limits.captured_bytes if watched else self.limits.replay_bytes * replayable
        gate = self._gates.get(route.endpoint) if asks else None
        return Plan(read, route, None, self.choices[route.endpoint], where, watched, keeps, replayable, gate)

    def settle(self, turn: Turn) -> Awaitable[object] | None:
        """Tell the watch of an exchange that is over; what it gives back holds the answer's end."""
        self.counters.running -= 1
        if turn.error is not None:
            self.counters.fail(turn.error)
        elif turn.finding is not None and turn.finding.refused:
            self.counters.refuse(ADMISSION)
        else:
            self.counters.answers[min(turn.status // 100, 9)] += 1
        watch = self.watch
        if watch is None or not turn.watched:
            return None
        self.counters.watched += 1
        try:
            return watch(turn)
        except Exception as error:  # noqa: BLE001 - whatever a watch does, clients are answered
            self.unwatched(error)
            return None

    def unwatched(self, error: BaseException) -> None:
        """Count that the watch did not take an exchange, and tell why, once."""
        self.counters.watch_errors += 1
        if not self._told:
            self._told = True
            _log.error(
                "the recorder did not take an exchange; later ones are counted, not told", exc_info=error
            )

    def _pools_of(self, endpoint: Endpoint, pools: dict[tuple[str, str | None, str], Pool]) -> list[Pool]:
        found = []
        for upstream in endpoint.upstreams:
            key = (upstream.url, upstream.host, upstream.variant)
            if key not in pools:
                pools[key] = Pool(upstream, self.limits, self.timeouts, self.counters)
            found.append(pools[key])
        return found


class Choice:
    """The variants of one endpoint."""

    def __init__(self, endpoint: Endpoint, pools: list[Pool], random: Random) -> None:
        self.by_name = {pool.variant.encode(): pool for pool in pools}
        self._pools = pools
        self._weights = list(accumulate(upstream.weight for upstream in endpoint.upstreams))
        self._random = random
        self._only = pools[0] if len(pools) == 1 else None

    def any(self) -> Pool:
        """One of them, by weight.

        A variant of weight 0 is never chosen.
        """
        return self._only or self._random.choices(self._pools, cum_weights=self._weights)[0]
