"""Connections to one upstream, kept open between requests."""

import asyncio
import os
import ssl
from collections import deque
from time import monotonic
from urllib.parse import urlsplit

from watchkeep.gateway.config import Limits, Timeouts, Upstream
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.memo import Memo
from watchkeep.gateway.responses import read_head
from watchkeep.gateway.turns import Asker, Turn
from watchkeep.gateway.upstream import BUSY, UNREACHABLE, UpstreamConnection


class Pool:
    """Lends connections to one upstream, opens those that lack, and closes those nobody used for a while.

    Args:
        upstream: whom to connect to.
        limits, timeouts: see there.
        counters: where repeated requests are counted.
    """

    def __init__(self, upstream: Upstream, limits: Limits, timeouts: Timeouts, counters: Counters) -> None:
        self.variant = upstream.variant
        self.answer = timeouts.answer
        self.head_bytes = limits.head_bytes
        self.heads = Memo(read_head, 512)
        self._most = limits.connections
        self._patience, self._kept = timeouts.connect, timeouts.upstream_idle
        self._counters = counters
        parts = urlsplit(upstream.url)
        self._unix = parts.path if parts.scheme == "unix" else None
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._tls else 80)
        self._url = upstream.url
        self.prefix = b"" if self._unix else parts.path.rstrip("/").encode()
        self.host = upstream.host.encode() if upstream.host else None
        self._idle: list[UpstreamConnection] = []
        self._open: set[UpstreamConnection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[Turn, Asker, float]] = deque()

    def ask(self, turn: Turn, asker: Asker) -> None:
        """Have a turn asked, over a kept connection if there is one."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if not connection.closing:
                connection.ask(turn, asker)
                return
        asker.hold(True)
        self._waiting.append((turn, asker, monotonic() + self._patience))
        self._connect()

    def again(self, turn: Turn, asker: Asker) -> None:
        """Ask once more, not over one of the connections that were kept together with the one that was closed."""
        turn.replayable = False
        turn.pending = list(turn.input)
        asker.link = None
        self._counters.retried += 1
        self._close_idle()
        self.ask(turn, asker)

    def back(self, connection: UpstreamConnection) -> None:
        """Take a connection back, and lend it to who waits longest."""
        if not (self._waiting and self._lend(connection)):
            connection.since = monotonic()
            self._idle.append(connection)

    def gone(self, connection: UpstreamConnection) -> None:
        """Forget a connection that was lost."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if self._waiting:
            self._connect()

    def sweep(self, now: float) -> None:
        """End what is late: silent answers, requests that wait for a connection, connections nobody uses."""
        for connection in [each for each in self._open if each.deadline < now]:
            connection.late()
        while len(self._waiting) > len(self._tasks) and self._waiting[0][2] < now:
            turn, asker, _ = self._waiting.popleft()
            if asker.turn is turn:
                asker.fail(BUSY, f"No connection to the upstream became free within {self._patience:g} s.")
        stale = 0
        for connection in self._idle:  # the one unused for longest comes first
            if connection.since + self._kept > now:
                break
            stale += 1
        if stale:
            old, self._idle = self._idle[:stale], self._idle[stale:]
            for connection in old:
                connection.drop()

    def close(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        for connection in list(self._open):
            connection.drop()

    def _close_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.drop()

    def _lend(self, connection: UpstreamConnection) -> bool:
        while self._waiting:
            turn, asker, _ = self._waiting.popleft()
            if asker.turn is turn:  # else the client has left
                asker.hold(False)
                connection.ask(turn, asker)
                return True
        return False

    def _connect(self) -> None:
        if len(self._open) + len(self._tasks) < self._most and len(self._tasks) < len(self._waiting):
            task = asyncio.ensure_future(self._connected())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connected(self) -> None:
        loop = asyncio.get_running_loop()
        connection = UpstreamConnection(self)
        try:
            async with asyncio.timeout(self._patience):
                if self._unix is not None:
                    await loop.create_unix_connection(lambda: connection, self._unix)
                else:
                    await loop.create_connection(lambda: connection, self._host, self._port, ssl=self._tls)
        except (OSError, TimeoutError) as error:
            why = f"not within {self._patience:g} s" if isinstance(error, TimeoutError) else _why(error)
            self._unreachable(f"The upstream {self.variant} cannot be reached: {why}.")
            return
        self._open.add(connection)
        self.back(connection)

    def _unreachable(self, detail: str) -> None:
        while self._waiting:
            turn, asker, _ = self._waiting.popleft()
            if asker.turn is turn:
                asker.fail(UNREACHABLE, detail)
                return


def _why(error: OSError) -> str:
    """What went wrong, without the upstream's address, which is nobody's business outside."""
    known = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return (known or type(error).__name__).lower()
