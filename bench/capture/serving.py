"""A server under load: what its requests cost, with capture and without."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.measure import ROOT

BODY: Final = '{"instances":[[0.1,0.2,0.3,0.4,0.5,6,7,8],[0.1,0.2,0.3,0.4,0.5,6,7,8]]}'
_LUA: Final = f"""wrk.method = "POST"
wrk.body = '{BODY}'
wrk.headers["Content-Type"] = "application/json"
"""
_TICK: Final = os.sysconf("SC_CLK_TCK")
_UNITS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load.

    Args:
        rate: requests a second.
        cpu: microseconds of the server's processors for each.
        median, p99: milliseconds.
        failed: answers that were no 2xx.
        peak: bytes of memory, at most.
    """

    rate: float
    cpu: float
    median: float
    p99: float
    failed: int
    peak: int


def loaded(
    mode: str,
    *,
    seconds: int,
    milliseconds: float = 0,
    connections: int = 32,
    home: Path | None = None,
    module: str = "bench.capture.application",
    more: Sequence[str] = (),
    watch: Callable[[int], None] | None = None,
) -> Load:
    """The server of `bench.capture.application` on one core, and wrk on another.

    Args:
        mode, milliseconds: see `application`.
        seconds, connections: of the load.
        home: where the server records; a folder that goes away when it is not given.
        module: another server.
        more: further words for it.
        watch: is told its process, once it answers.

    Raises:
        SystemExit: wrk is not installed.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("bench.capture needs wrk: apt-get install wrk")
    with (
        tempfile.TemporaryDirectory() as scratch,
        _server([module, mode, str(milliseconds), str(home or scratch), *more]) as (process, port),
    ):
        script = Path(scratch) / "post.lua"
        script.write_text(_LUA)
        if watch is not None:
            watch(process.pid)
        _wrk(port, 1, connections, script)  # warm
        before = _cpu(process.pid)
        said = _wrk(port, seconds, connections, script)
        return _read(said, _cpu(process.pid) - before, _peak(process.pid))


def _read(said: str, cpu: float, peak: int) -> Load:
    requests = int(_found(r"(\d+) requests in", said))
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        cpu=cpu / requests * 1e6,
        median=_milliseconds(_found(r"50%\s+([\d.]+[a-z]+)", said)),
        p99=_milliseconds(_found(r"99%\s+([\d.]+[a-z]+)", said)),
        failed=int(failed[1]) if failed else 0,
        peak=peak,
    )


@contextmanager
def _server(words: Sequence[str]) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    words = [sys.executable, "-m", words[0], str(port), *words[1:]]
    process = subprocess.Popen(words, cwd=ROOT, preexec_fn=_on_first)
    try:
        while True:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _on_first() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _on_last() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _wrk(port: int, seconds: int, connections: int, script: Path) -> str:
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    done = subprocess.run(
        [*words, f"http://127.0.0.1:{port}/predict"],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=_on_last,
    )
    return done.stdout


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _peak(pid: int) -> int:
    return int(_found(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())) * 1024


def _found(pattern: str, said: str) -> str:
    match = re.search(pattern, said)
    if match is None:
        raise ValueError(f"{pattern} is not in:\n{said}")
    return match[1]


def _milliseconds(said: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", said).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]
