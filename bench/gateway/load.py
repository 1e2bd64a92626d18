"""Load: as much as goes, by wrk; or so many requests a second, each told how late its answer was."""

import re
import select
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

BODY = b'{"instances": [[0.1, 2.0, 3.5, 4.25, 0, 1, 7, 12.5, 0.003, 44, 3, 1, 0, 0.25, 9.5, 10, 1.5, 0.0, 2, 3]]}'
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "bench/1.0",
}
_DIFFERENT = 20_000  # requests that follow each other are as different as those of real clients
_LUA = """\
local requests, at = {{}}, 0
init = function(args)
  for n = 1, {different} do
    requests[n] = wrk.format("POST", "{path}", {{
      {headers}
      ["X-Amzn-SageMaker-Inference-Id"] = string.format("0b0c7e0e-31a3-4c24-92d4-%012d", n)
    }}, '{body}')
  end
end
request = function()
  at = at % {different} + 1
  return requests[at]
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw.

    Args:
        requests: answered.
        rate: a second.
        p99: seconds until the answer, of the slowest but one in a hundred.
        errors: answers that were none, and sockets that broke.
    """

    requests: int
    rate: float
    p99: float
    errors: int


def script(folder: Path, path: str) -> Path:
    """What wrk is to ask."""
    headers = "\n".join(f'["{name}"] = "{value}",' for name, value in _HEADERS.items())
    file = folder / "post.lua"
    file.write_text(_LUA.format(different=_DIFFERENT, path=path, headers=headers, body=BODY.decode()))
    return file


def wrk(port: int, lua: Path, *, connections: int, seconds: int, threads: int = 1) -> Load:
    """As many requests as can be answered."""
    words = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(lua)]
    done = subprocess.run(
        [*words, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
    ).stdout
    requests = re.search(r"(\d+) requests in", done)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", done)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", done)
    if requests is None or rate is None or p99 is None:
        raise RuntimeError(f"wrk said: {done}")
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    errors = sum(map(int, broken.groups() if broken else ())) + int(refused[1] if refused else 0)
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1.0}[p99[2]]
    return Load(int(requests[1]), float(rate[1]), float(p99[1]) * unit, errors)


def paced(port: int, path: str, *, rate: float, seconds: float, connections: int = 64) -> list[float]:
    """Seconds from when each request was due to its answer's last byte, sorted; of a steady stream of them.

    A request that finds no free connection waits for one, and its wait counts.
    """
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in _HEADERS.items()
    )
    rest = f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    sockets: list[socket.socket] = []
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        sockets.append(sock)
    free = list(sockets)
    due: dict[socket.socket, float] = {}
    lateness: list[float] = []
    start = time.perf_counter() + 0.05
    total, sent = int(rate * seconds), 0
    now = start
    while len(lateness) < total and now < start + 2 * seconds + 5:
        now = time.perf_counter()
        while free and sent < total and now >= start + sent / rate:
            sock = free.pop()
            sock.send(head.encode() + b"X-Amzn-SageMaker-Inference-Id: %d\r\n" % sent + rest)
            due[sock] = start + sent / rate
            sent += 1
        pause = max(0.0, start + sent / rate - now) if free and sent < total else 0.1
        for sock in select.select(due, (), (), pause)[0]:
            answer = sock.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"an answer that is none: {answer[:80]!r}")
            lateness.append(time.perf_counter() - due.pop(sock))
            free.append(sock)
    for sock in sockets:
        sock.close()
    if len(lateness) < total:
        raise RuntimeError(f"{total - len(lateness)} of {total} requests were not answered")
    return sorted(lateness)


def quantile(lateness: list[float], share: float) -> float:
    return lateness[min(int(share * len(lateness)), len(lateness) - 1)]
