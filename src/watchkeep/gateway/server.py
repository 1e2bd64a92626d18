"""One worker of the gateway: listens, looks for what is late, and stops without breaking anything off."""

import asyncio
import socket
from collections.abc import Mapping
from time import monotonic
from typing import Final

from watchkeep.gateway.client import ClientConnection
from watchkeep.gateway.config import GatewayConfig
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.exchange import Watch
from watchkeep.gateway.house import NO_GATES, House
from watchkeep.gateway.turns import Gate

_LAST_CALL: Final = 0.02
"""Seconds that connections and requests are still taken after the word to stop: those that were on their way."""


class Server:
    """A reverse proxy within an event loop.

    Args:
        config: what to do. Its number of workers is not this one's business.
        watch: who is told of captured exchanges; None for nobody, which costs nothing.
        counters: where to count; its own when None.
        gates: what requests must be like, by endpoint.

    >>> async def serve_for_a_moment(config):
    ...     server = Server(config)
    ...     await server.start()
    ...     print(server.port > 0)
    ...     await server.stop()
    >>> from watchkeep.gateway.config import Endpoint, Upstream
    >>> churn = Endpoint(name="churn", upstreams=(Upstream(url="http://127.0.0.1:9000"),))
    >>> asyncio.run(serve_for_a_moment(GatewayConfig(endpoints=(churn,), port=0)))
    True
    """

    def __init__(
        self,
        config: GatewayConfig,
        watch: Watch | None = None,
        counters: Counters | None = None,
        gates: Mapping[str, Gate] = NO_GATES,
    ) -> None:
        self.counters = counters or Counters()
        self._house = House(config, watch, self.counters, gates)
        self._config = config
        self._server: asyncio.Server | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """Where it listens, once it does."""
        return self._port

    async def start(self, sock: socket.socket | None = None) -> None:
        """Begin to answer.

        Args:
            sock: listens already; one of the config's address when None.

        Raises:
            OSError: the address is taken, or is none of this machine's.
        """
        loop = asyncio.get_running_loop()
        house, config = self._house, self._config
        sock = sock or listen(config)
        self._port = sock.getsockname()[1]
        self._server = await loop.create_server(
            lambda: ClientConnection(house), sock=sock, backlog=config.backlog
        )
        self._tick = loop.call_later(config.timeouts.tick, self._sweep)

    async def stop(self) -> None:
        """Take no more connections, answer what was asked, and hang up."""
        house = self._house
        if self._server is None:
            return
        await asyncio.sleep(_LAST_CALL)  # who is connected already is let in
        self._server.close()
        await asyncio.sleep(_LAST_CALL)  # and heard
        house.draining = True
        until = monotonic() + house.timeouts.drain
        for client in list(house.clients):
            client.drain()
        while house.clients and monotonic() < until:
            await asyncio.sleep(min(0.02, house.timeouts.tick))
        for client in list(house.clients):
            client.transport.abort()
        for pool in house.pools:
            pool.close()
        if self._tick is not None:
            self._tick.cancel()
        await asyncio.sleep(0)  # what was aborted is told so
        await self._server.wait_closed()
        self._server = None

    def _sweep(self) -> None:
        house = self._house
        now = monotonic()
        for client in [each for each in house.clients if each.deadline < now]:
            client.late()
        for pool in house.pools:
            pool.sweep(now)
        self._tick = asyncio.get_running_loop().call_later(house.timeouts.tick, self._sweep)


def listen(config: GatewayConfig, *, shared: bool = False) -> socket.socket:
    """A socket that listens where the config says.

    Args:
        config: tells the address.
        shared: whether other sockets listen there, too, and the system spreads connections over them.

    Raises:
        OSError: the address is taken, or is none of this machine's.
    """
    found = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(config.backlog)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
