"""Several workers that answer at one address, and who starts them, replaces them and stops them."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from time import monotonic
from types import FrameType
from typing import Final, NamedTuple, cast

from watchkeep.core.errors import OptionError
from watchkeep.gateway.config import GatewayConfig
from watchkeep.gateway.counters import Counters
from watchkeep.gateway.exchange import Watch
from watchkeep.gateway.house import NO_GATES
from watchkeep.gateway.server import Server, listen
from watchkeep.gateway.turns import Gate

OpenWatch = Callable[[int, Counters], AbstractContextManager[Watch | None]]
"""Makes a worker's watch, given the worker's number (from 0) and its counters. It is entered within the worker's event
loop, before the first connection is taken, and left after the last request was answered. It is sent to another
process, so it must be a function of a module, or a `functools.partial` of one."""

OpenGates = Callable[[], Mapping[str, Gate]]
"""Makes a worker's gates: what requests must be like, by endpoint. It is sent as `OpenWatch` is."""

_log = logging.getLogger(__name__)
_SPAWN: Final = multiprocessing.get_context("spawn")
_STEADY_SECONDS, _LONGEST_PAUSE = 10.0, 5.0
_READY: Final = "ready"
_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


def serve(
    config: GatewayConfig,
    open_watch: OpenWatch | None = None,
    *,
    open_gates: OpenGates | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Answer until told to stop by SIGTERM or SIGINT; then finish what runs, and return.

    A worker that dies is replaced; connections that waited to be accepted by it wait for its successor. A second signal
    ends all at once. To be called in the main thread.

    Args:
        config: what to do.
        open_watch: makes each worker's watch; None for none.
        open_gates: makes each worker's gates; None for none.
        ready: is told the port once all workers answer.

    Raises:
        OptionError: it cannot listen at the address.
        Exception: whatever the making of the first watches raised.
    """
    sockets = _sockets(config)
    supervisor = _Supervisor(_Work(config, open_watch, open_gates), sockets)
    with _signals(supervisor.stop):
        try:
            supervisor.run(ready)
        finally:
            supervisor.end()


class _Work(NamedTuple):
    """What a worker is told."""

    config: GatewayConfig
    open_watch: OpenWatch | None
    open_gates: OpenGates | None


class _Worker:
    """One process, and how to speak with it."""

    def __init__(self, number: int, sock: socket.socket, work: _Work) -> None:
        self.number, self.sock = number, sock
        self.started = monotonic()
        self.ready = False
        self.pipe, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(
            target=_work, args=(number, work, sock, theirs), name=f"gateway worker {number}"
        )
        self.process.start()
        theirs.close()


class _Supervisor:
    """Keeps a worker on each socket."""

    def __init__(self, work: _Work, sockets: list[socket.socket]) -> None:
        self._work, self._sockets = work._replace(config=replace(work.config, workers=1)), sockets
        self._workers: list[_Worker] = []
        self._due: list[tuple[float, int]] = []  # when to start a worker of which number
        self._pauses = [0.0] * len(sockets)
        self._signals = 0
        self._wake, self._woken = os.pipe()

    def stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of handlers
        """Remember a signal."""
        self._signals += 1
        os.write(self._woken, b".")

    def run(self, ready: Callable[[int], None] | None) -> None:
        """Start all workers, replace those that die, and stop all when told to."""
        for number in range(len(self._sockets)):
            self._start(number)
        told = False
        while not self._signals:
            if not told and all(worker.ready for worker in self._workers):
                told = True
                if ready is not None:
                    ready(self._sockets[0].getsockname()[1])
            self._look(first=not told)
        os.read(self._wake, 64)
        for sock in self._sockets:
            sock.close()
        for worker in self._workers:
            worker.process.terminate()
        until = monotonic() + self._work.config.timeouts.drain + 5
        while self._signals == 1 and monotonic() < until and any(w.process.is_alive() for w in self._workers):
            wait([self._wake, *(worker.process.sentinel for worker in self._workers)], 0.2)

    def end(self) -> None:
        """Leave nothing behind."""
        for worker in self._workers:
            if worker.process.is_alive():
                worker.process.kill()
            worker.process.join()
            worker.pipe.close()
        for sock in self._sockets:
            sock.close()
        os.close(self._wake)
        os.close(self._woken)

    def _start(self, number: int) -> None:
        self._workers.append(_Worker(number, self._sockets[number], self._work))

    def _look(self, *, first: bool) -> None:
        """Wait for something to happen, and see to it."""
        now = monotonic()
        for due in [due for due in self._due if due[0] <= now]:
            self._due.remove(due)
            self._start(due[1])
        patience = min((due[0] - now for due in self._due), default=None)
        pipes = [worker.pipe for worker in self._workers if not worker.ready]
        ends = [worker.process.sentinel for worker in self._workers]
        wait([self._wake, *pipes, *ends], patience)
        for worker in list(self._workers):
            if not worker.ready and worker.pipe.poll():
                self._hear(worker, first=first)
            if not worker.process.is_alive():
                self._bury(worker, first=first)

    def _hear(self, worker: _Worker, *, first: bool) -> None:
        try:
            word = worker.pipe.recv()
        except (EOFError, OSError):
            return
        worker.ready = word == _READY
        if first and isinstance(word, Exception):
            raise word

    def _bury(self, worker: _Worker, *, first: bool) -> None:
        self._workers.remove(worker)
        worker.process.join()
        worker.pipe.close()
        code = worker.process.exitcode
        if first and not self._signals:
            raise RuntimeError(f"gateway worker {worker.number} ended with {code} before it answered")
        steady = monotonic() - worker.started > _STEADY_SECONDS
        pause = 0.0 if steady else self._pauses[worker.number]
        self._pauses[worker.number] = min(max(2 * pause, 0.1), _LONGEST_PAUSE)
        if not self._signals:
            _log.error(
                "gateway worker %d ended with %s; the next starts in %.1f s", worker.number, code, pause
            )
            self._due.append((monotonic() + pause, worker.number))


def _sockets(config: GatewayConfig) -> list[socket.socket]:
    """What each worker listens at. They stay open here, so that no connection is lost with a worker."""
    try:
        first = listen(config)
        if config.workers == 1 or not sys.platform.startswith("linux"):
            return [first] * config.workers
        port = first.getsockname()[1]
        first.close()  # nobody else listened there: sockets that share an address do not tell
        shared = replace(config, port=port)
        return [listen(shared, shared=True) for _ in range(config.workers)]
    except OSError as error:
        where = f"{config.host}:{config.port}"
        raise OptionError(
            "listen", got=where, expected=f"an address to listen at ({error.strerror or error})"
        ) from error


@contextmanager
def _signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _STOPS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _work(number: int, work: _Work, sock: socket.socket, pipe: Connection) -> None:
    """What a worker process does."""
    for each in _STOPS:
        signal.signal(each, signal.SIG_DFL if each == signal.SIGTERM else signal.SIG_IGN)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_answer(number, work, sock, pipe))


async def _answer(number: int, work: _Work, sock: socket.socket, pipe: Connection) -> None:
    config, open_watch, open_gates = work
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(pipe.fileno(), stop.set)  # it says nothing: it ends with the supervisor
    counters = Counters()
    try:
        with open_watch(number, counters) if open_watch is not None else nullcontext() as watch:
            server = Server(config, watch, counters, NO_GATES if open_gates is None else open_gates())
            await server.start(sock)
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 50)  # what a request leaves behind is no garbage of cycles
            pipe.send(_READY)
            await stop.wait()
            await server.stop()
    except Exception as error:
        _tell(pipe, error)
        raise


def _tell(pipe: Connection, error: Exception) -> None:
    try:
        pipe.send(error)
    except Exception as unsent:  # noqa: BLE001 - an error that cannot be sent is told in words
        pipe.send(RuntimeError(f"{type(error).__name__}: {error} ({unsent})"))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return cast("Callable[[], asyncio.AbstractEventLoop]", uvloop.new_event_loop)
