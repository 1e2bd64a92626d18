"""Servers of the benchmark: processes that are started, asked what they cost, and stopped."""

import asyncio
import gc
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from bench.measure import ROOT
from watchkeep.gateway import Counters, Endpoint, Exchange, GatewayConfig, Server, Upstream, Watch, serve

_TICKS = os.sysconf("SC_CLK_TCK")
_NGINX = """\
worker_processes {workers}; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 1000000000;
  upstream models {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} reuseport backlog=2048;
    location / {{ proxy_pass http://models; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


class Running:
    """A server that answers at a port.

    Args:
        name: what it is called in results.
        port: where it listens.
        process: the one that was started; `worker` when that does the work itself.
    """

    def __init__(self, name: str, port: int, process: int) -> None:
        self.name, self.port, self._process = name, port, process

    def workers(self) -> list[int]:
        """The processes that do the work."""
        children = Path(f"/proc/{self._process}/task/{self._process}/children").read_text().split()
        spawned = [int(child) for child in children if b"resource_tracker" not in _command(int(child))]
        return spawned or [self._process]

    def cpu(self) -> float:
        """Seconds of CPU that its workers have taken."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers()]
        return sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@contextmanager
def started(name: str, port: int, *words: str) -> Iterator[Running]:
    """A server from a command, until it is not needed any more."""
    with subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > until:
                        raise RuntimeError(f"{name} does not answer") from None
                    time.sleep(0.05)
            time.sleep(0.5)  # all its workers are there
            yield Running(name, port, process.pid)
        finally:
            process.terminate()
            process.wait()


def raw(size: int, lines: int) -> tuple[str, int, list[str]]:
    port = free_port()
    return "direct", port, [sys.executable, "-m", "bench.gateway.raw", *map(str, (port, size, lines))]


def bare(upstream: int) -> tuple[str, int, list[str]]:
    port = free_port()
    return "bare", port, [sys.executable, "-m", "bench.gateway.bare", str(port), str(upstream)]


def gateway(upstream: int, *, watching: bool, workers: int = 1) -> tuple[str, int, list[str]]:
    port, name = free_port(), "watch" if watching else "plain"
    words = [str(port), str(upstream), name, str(workers)]
    return name, port, [sys.executable, "-m", "bench.gateway.servers", *words]


def nginx(upstream: int, folder: Path, workers: int = 1) -> tuple[str, int, list[str]] | None:
    """None where it is not installed."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(program).exists():
        return None
    port = free_port()
    place = folder / f"nginx-{workers}"
    place.mkdir(exist_ok=True)
    config = place / "nginx.conf"
    config.write_text(_NGINX.format(workers=workers, folder=place, upstream=upstream, port=port))
    return "nginx", port, [program, "-c", str(config), "-p", str(place)]


@contextmanager
def keeping(number: int, counters: Counters) -> Iterator[Watch]:  # noqa: ARG001 - the signature of makers of watches
    """A watch that only keeps what it is told, for the twentieth of a second that others would take to fetch it."""
    kept: deque[Exchange] = deque()
    loop = asyncio.get_running_loop()

    def fetch() -> None:
        kept.clear()
        loop.call_later(0.05, fetch)

    fetch()
    yield kept.append


def main(port: int, upstream: int, watching: bool, workers: int) -> None:
    """One worker is run as it is, with nobody above it, as the bare proxy is."""
    churn = Endpoint(name="churn", upstreams=(Upstream(url=f"http://127.0.0.1:{upstream}"),))
    config = GatewayConfig(endpoints=(churn,), port=port, workers=workers)
    if workers > 1:
        serve(config, keeping if watching else None)
        return

    async def alone() -> None:
        with keeping(0, Counters()) as watch:
            server = Server(config, watch if watching else None)
            await server.start()
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 50)  # as workers do
            await asyncio.Event().wait()

    uvloop.run(alone())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "watch", int(sys.argv[4]))
