"""A server under more traffic than its disk takes: what its memory, its requests and its records come to.

    python -m bench.capture.overload --seconds 600

Its recorder writes to a disk that takes little, and for a tenth of the time is full. Each second its memory is read;
afterwards everything is sealed, and what was asked must be what is stored and what is counted as lost, by reason, on
`/metrics` and in the report of `watchkeep check`.
"""

import argparse
import errno
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, cast

from bench.capture.serving import Load, loaded
from bench.measure import ROOT

MOST: Final = 64 << 20
"""Bytes that capture may take under overload, more than the server takes without it."""
_CALM: Final = 10
"""Seconds of load without capture, and with a disk that is fast enough."""
_FULL: Final = (0.7, 0.8)
"""The part of the time in which the disk is full."""


def slow_disk(mebibytes: float, full: tuple[float, float]) -> None:
    """Have segments written so slowly, and not at all between two moments, as seconds from now."""
    from watchkeep.capture.segment import Segment

    write, begun = Segment.append, time.monotonic()

    def append(self: Segment, records: Sequence[Any], *words: Any, **named: Any) -> None:
        if full[0] <= time.monotonic() - begun < full[1]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        before = self.size
        write(self, records, *words, **named)
        time.sleep((self.size - before) / (mebibytes * (1 << 20)))

    Segment.append = append  # type: ignore[method-assign]


class Memory(threading.Thread):
    """The resident memory of a process, each second."""

    def __init__(self, pid: int, *, every: float = 1) -> None:
        super().__init__(daemon=True)
        self._pid, self._every, self._over = pid, every, threading.Event()
        self.bytes: list[int] = []

    def run(self) -> None:
        while not self._over.wait(self._every):
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self._pid}/status").read_text())
            if found:
                self.bytes.append(int(found[1]) * 1024)

    def end(self) -> list[int]:
        self._over.set()
        self.join()
        return self.bytes


def overloaded(seconds: int, mebibytes: float, home: Path) -> tuple[Load, list[int]]:
    """Load on a server whose disk takes so much a second; its memory, each second."""
    watched: list[Memory] = []

    def watch(pid: int) -> None:
        watched.append(Memory(pid))
        watched[0].start()

    disk = [str(mebibytes), *(str(seconds * part) for part in _FULL)]
    load = loaded(
        "async", seconds=seconds, home=home, module="bench.capture.overload", more=disk, watch=watch
    )
    return load, watched[0].end()


def told(home: Path) -> dict[str, Any]:
    """What a home tells of what was asked: the store, `/metrics`, and the report of a check."""
    environment = os.environ | {"WATCHKEEP_HOME": str(home), "COLUMNS": "400"}
    environment.pop("WATCHKEEP_STORE_URL", None)

    def run(*words: str, good: Sequence[int] = (0,)) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "watchkeep", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in good:
            raise RuntimeError(f"watchkeep {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    sealed = json.loads(run("captures", "seal", "--json"))
    (listed,) = json.loads(run("captures", "list", "--json"))["captures"]
    reasons = listed["not_stored"]
    with _serving(environment) as port, urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        metrics = dict(re.findall(r'NotStored_total\{.*?Reason="([^"]+)".*?\} (\S+)', answer.read().decode()))
    run("baseline", "data-quality", "captures:bench", "--out", str(home / "baseline"), good=(0, 1))
    run("check", str(home / "baseline"), "captures:bench", "--out", str(home / "report"), good=(0, 1))
    report = json.loads((home / "report" / "report.json").read_text())
    return {
        "asked": listed["Invocations"],
        "stored": sealed["records"],
        "lost": reasons,
        "metrics": {reason: int(float(count)) for reason, count in metrics.items()},
        "report": _rejected(report),
    }


def _rejected(report: Mapping[str, Any]) -> dict[str, int]:
    """What a report tells of rows that are not there."""
    rows = report["rows"]["rejected"]
    start = "not stored: "
    return {why.removeprefix(start): count for why, count in rows.items() if why.startswith(start)}


@contextmanager
def _serving(environment: Mapping[str, str]) -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    words = [sys.executable, "-m", "watchkeep", "serve", "--port", str(port)]
    with subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def main() -> None:
    """Measure, and say whether what must hold does.

    Raises:
        SystemExit: it does not.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600, help="of overload")
    parser.add_argument("--disk", type=float, default=0.25, help="MiB that the disk takes a second")
    parser.add_argument("--out", type=Path, help="a file for all that was measured, as JSON")
    wanted = parser.parse_args()
    none, calm = (loaded(mode, seconds=_CALM) for mode in ("none", "async"))
    with tempfile.TemporaryDirectory() as scratch:
        load, memory = overloaded(wanted.seconds, wanted.disk, Path(scratch))
        found = told(Path(scratch))
    for name, one in (("without capture", none), ("captured", calm), ("overloaded", load)):
        print(
            f"{name:16} {one.rate:8,.0f} requests/s  {one.cpu:5.1f} us  p50 {one.median:.2f} ms  p99 {one.p99:.2f} ms"
            f"  peak {one.peak / (1 << 20):.0f} MiB  {one.failed} failed"
        )
    extra = max(memory) - none.peak
    curve = {
        f"{at}": round(memory[at] / (1 << 20), 1) for at in range(0, len(memory), max(1, len(memory) // 12))
    }
    print(f"memory by second, MiB: {curve}")
    print(
        f"memory under overload: median {statistics.median(memory) / (1 << 20):.1f} MiB,"
        f" greatest {max(memory) / (1 << 20):.1f}, {extra / (1 << 20):.1f} more than without capture"
    )
    print(json.dumps(found, indent=1))
    if wanted.out is not None:
        wanted.out.write_text(json.dumps({"memory": memory, **found}) + "\n")
    lost = sum(found["lost"].values())
    wrong = [
        what
        for what, holds in (
            ("memory is bounded", extra < MOST),
            ("no request failed", load.failed == 0),
            ("there was an overload, for both reasons", len(found["lost"]) == 2),
            ("what was asked is stored or counted", found["asked"] == found["stored"] + lost),
            ("/metrics says the same", found["metrics"] == found["lost"]),
            ("the report says the same", found["report"] == found["lost"]),
        )
        if not holds
    ]
    if wrong:
        raise SystemExit(f"does not hold: {'; '.join(wrong)}")


def _served(port: str, mode: str, milliseconds: str, home: str, disk: str, start: str, end: str) -> None:
    from bench.capture.application import serve

    slow_disk(float(disk), (float(start), float(end)))
    serve(int(port), cast("Literal['none', 'async', 'sync']", mode), float(milliseconds), Path(home))


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].isdigit():
        _served(*sys.argv[1:])
    else:
        main()
