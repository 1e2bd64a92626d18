"""Several workers at one address: they are replaced when they die, and stop without breaking anything off."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.proxied import ASK, OK, Handler, Model, Peer, answering, run, until

from watchkeep.core.errors import OptionError
from watchkeep.gateway import Counters, Endpoint, Exchange, GatewayConfig, Upstream, Watch, serve

ROOT = Path(__file__).parents[2]
CHURN = Endpoint(name="churn", upstreams=(Upstream(url="http://127.0.0.1:9"),))


@contextmanager
def noting(folder: Path, number: int, counters: Counters) -> Iterator[Watch]:
    """A watch that leaves a file for each worker, with its process's number, and what it counted."""
    name = folder / f"{number}-{os.getpid()}"
    (folder / f"{name}.open").touch()
    told = 0

    def watch(exchange: Exchange) -> None:
        nonlocal told
        told += 1

    yield watch
    name.with_suffix(".closed").write_text(json.dumps({"told": told, **counters.snapshot()}))


def failing(number: int, counters: Counters) -> AbstractContextManager[Watch]:
    raise OptionError("capture", got="/nowhere", expected="a folder that can be written")


def command(upstream: int, folder: Path, **config: Any) -> list[str]:
    code = (
        "import sys, json; from pathlib import Path; from functools import partial\n"
        "from tests.scenarios.test_gateway_workers import noting\n"
        "from watchkeep.gateway import *\n"
        "upstream, folder, told = int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])\n"
        "timeouts = Timeouts(**told.pop('timeouts', {}))\n"
        "churn = Endpoint(name='churn', upstreams=(Upstream(url=f'http://127.0.0.1:{upstream}'),))\n"
        "serve(GatewayConfig(endpoints=(churn,), port=0, timeouts=timeouts, **told), partial(noting, folder),"
        " ready=lambda port: print(port, flush=True))\n"
        "print('done', flush=True)\n"
    )
    return [sys.executable, "-c", code, str(upstream), str(folder), json.dumps(config)]


class Gateway:
    """A gateway in processes of its own."""

    def __init__(self, upstream: int, folder: Path, **config: Any) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            command(upstream, folder, **config), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1].decode())
        self.port = int(line)

    def workers(self) -> list[int]:
        """The processes that answer."""
        opened = {int(name.stem.partition("-")[2]) for name in self.folder.glob("*.open")}
        return [process for process in opened if Path(f"/proc/{process}").exists()]

    def closed(self) -> list[dict[str, Any]]:
        return [json.loads(name.read_text()) for name in self.folder.glob("*.closed")]

    def stop(self) -> str:
        """Tell it to stop, and hear what it says."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=20)
        assert out == b"done\n"
        assert self.process.returncode == 0
        return err.decode()


class Load:
    """Clients that ask without end, each over a connection it keeps."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered = self.broken = 0
        self.ending = False

    async def client(self) -> None:
        while not self.ending:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                peer = Peer(reader, writer)
                try:
                    while not self.ending:
                        await peer.say(ASK)
                        if await peer.reader.read(1) != b"H":  # closed between requests: nothing was begun
                            break
                        if await peer.hear(len(OK) - 1) != OK[1:]:
                            self.broken += 1
                        self.answered += 1
                except asyncio.IncompleteReadError:
                    self.broken += 1
                    raise
                finally:
                    await peer.close()
            await asyncio.sleep(0.005)


def with_model(story: Callable[[Model], Coroutine[Any, Any, None]], handler: Handler | None = None) -> None:
    async def told() -> None:
        model = Model(handler or answering(OK))
        await model.start()
        try:
            await story(model)
        finally:
            await model.stop()
            await asyncio.sleep(0)

    run(told())


@asynccontextmanager
async def running(model: Model, folder: Path, **config: Any) -> AsyncIterator[Gateway]:
    it = await asyncio.to_thread(Gateway, model.port, folder, **config)
    try:
        yield it
    finally:
        it.process.kill()
        await asyncio.to_thread(it.process.communicate)


@asynccontextmanager
async def loaded(port: int, clients: int) -> AsyncIterator[Load]:
    load = Load(port)
    tasks = [asyncio.create_task(load.client()) for _ in range(clients)]
    try:
        yield load
    finally:
        load.ending = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def connected(port: int) -> Peer:
    return Peer(*await asyncio.open_connection("127.0.0.1", port))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_stop_amid_load_workers_break_nothing_off(tmp_path: Path, workers: int) -> None:
    async def story(model: Model) -> None:
        async with running(model, tmp_path, workers=workers) as it, loaded(it.port, 16) as load:
            await until(lambda: load.answered > 500)
            assert await asyncio.to_thread(it.stop) == ""
            assert load.broken == 0
            assert len(it.closed()) == workers
            assert min(each["told"] for each in it.closed()) > 0
            assert sum(each["told"] for each in it.closed()) == len(model.requests)
            assert not any(each["failed"] or each["refused"] for each in it.closed())

    with_model(story)


@pytest.mark.slow
def test_what_runs_is_answered_and_nothing_new_begun(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def slow(model: Model, peer: Peer) -> None:
        model.requests.append(await peer.hear_request())
        await go.wait()
        await peer.say(OK)

    async def story(model: Model) -> None:
        async with running(model, tmp_path) as it:
            busy, idle = await connected(it.port), await connected(it.port)
            await busy.say(ASK)
            await until(lambda: model.requests)
            stopping = asyncio.create_task(asyncio.to_thread(it.stop))
            assert await idle.hear_all() == b""
            with pytest.raises(ConnectionError):
                await connected(it.port)
            go.set()
            assert await busy.hear_all() == OK
            await stopping
            await busy.close()
            await idle.close()

    with_model(story, slow)


@pytest.mark.slow
def test_a_second_word_to_stop_ends_all_at_once(tmp_path: Path) -> None:
    async def mute(model: Model, peer: Peer) -> None:
        model.requests.append(await peer.hear_request())
        await peer.hear_all()

    async def story(model: Model) -> None:
        async with running(model, tmp_path, timeouts={"drain": 600}) as it:
            busy = await connected(it.port)
            await busy.say(ASK)
            await until(lambda: model.requests)
            it.process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.2)
            await asyncio.to_thread(it.stop)
            assert await busy.hear_all() == b""
            await busy.close()
            assert it.closed() == []

    with_model(story, mute)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(tmp_path: Path) -> None:
    async def story(model: Model) -> None:
        async with running(model, tmp_path, workers=2) as it, loaded(it.port, 16) as load:
            for killed in range(3):
                before = load.answered
                await until(lambda: load.answered > before + 200)  # noqa: B023 - awaited at once
                victim, other = it.workers()
                os.kill(victim, signal.SIGKILL)
                await until(lambda: victim not in it.workers() and len(it.workers()) == 2)  # noqa: B023
                assert other in it.workers()
                assert load.broken <= 16 * (killed + 1)
            before = load.answered
            await until(lambda: load.answered > before + 200)
            told = await asyncio.to_thread(it.stop)
            assert told.count("ended with -9") == 3

    with_model(story)


@pytest.mark.slow
def test_workers_do_not_outlive_who_started_them(tmp_path: Path) -> None:
    async def story(model: Model) -> None:
        async with running(model, tmp_path, workers=2) as it:
            assert len(it.workers()) == 2
            it.process.kill()
            await until(lambda: it.workers() == [])
            assert len(it.closed()) == 2

    with_model(story)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_hundred_megabytes_pass_through_a_few(tmp_path: Path, way: str) -> None:
    size = 100_000_000
    piece = bytes(1_000_000)

    async def big(model: Model, peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(piece)):
                await peer.say(piece)
        else:
            await slowly(peer, size)
            await peer.say(OK)

    async def slowly(peer: Peer, left: int) -> None:
        await asyncio.sleep(0.3)  # all that can pile up does
        while left:
            left -= len(await peer.reader.read(500_000))

    async def story(model: Model) -> None:
        async with running(model, tmp_path) as it:
            (worker,) = it.workers()
            before = peak(worker)
            client = await connected(it.port)
            if way == "up":
                await client.say(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
                for _ in range(size // len(piece)):
                    await client.say(piece)
                assert await client.hear(len(OK)) == OK
            else:
                await client.say(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                await client.reader.readuntil(b"\r\n\r\n")
                await slowly(client, size)
            await client.close()
            assert peak(worker) - before < 24_000_000  # captured up to 6 MiB of each side
            await asyncio.to_thread(it.stop)

    with_model(story, big)


def peak(process: int) -> int:
    """The most memory a process has had, bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_an_address_that_is_taken_is_named(workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = GatewayConfig(endpoints=(CHURN,), port=taken.getsockname()[1], workers=workers)
        with pytest.raises(OptionError, match=rf"listen: got '127.0.0.1:{config.port}'"):
            serve(config)


@pytest.mark.slow
def test_a_watch_that_cannot_be_made_ends_all_with_its_own_words() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with pytest.raises(OptionError, match="a folder that can be written"):
        serve(GatewayConfig(endpoints=(CHURN,), port=0, workers=2), failing)

    assert signal.getsignal(signal.SIGTERM) is before
