"""`python -m bench.gateway`: what the gateway costs beside a bare proxy and nginx; writes the page."""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from itertools import product
from pathlib import Path

from bench.gateway.calm import Calm
from bench.gateway.load import Load, paced, quantile, script, wrk
from bench.gateway.servers import Running, bare, gateway, nginx, raw, started
from bench.machine import this_machine

_HERE = Path(__file__).resolve().parents[1]
_PATH = "/invocations"
_MUST_RATE, _MUST_P99, _MUST_SCALE = 0.60, 0.001, 1.8
_CGROUPS = Path("/sys/fs/cgroup/cpu")
_PERIOD, _SHARE = 10_000, 0.3
_SLICE, _SLICES = 0.5, 4

_METHOD = """\
Written by `python -m bench.gateway`, not by hand.

Everything runs on one machine, over loopback: wrk (one thread, 32 connections), the proxy, and a server of fixed bytes
in Python on uvloop. Requests are a JSON body of 106 bytes with six headers, one of which differs each time; answers
are 100 bytes of JSON. The servers take turns, round after round, and a ratio is the median of the rounds' own ratios:
the machine has few cores. What is measured while other processes work on it is measured again, and what could not be
had calm is counted above. *CPU* is what the
proxy's own processes took for a request, in user and kernel, by the kernel's count.

- *bare* is the fastest plain proxy that we could make of uvloop and httptools (`bench/gateway/bare.py`): whole packets
  passed on, kept connections, no check, no limit, no timeout, no chunks. Nobody could run it.
- *plain* is the gateway without a watch: nothing is captured.
- *watch* is the gateway with a watch that keeps every exchange, and forgets them 20 times a second.
- *nginx* has one worker, kept connections to the upstream, and no access log."""

_PACED = """\
At {half:,.0f} requests a second, half of what *watch* can do, over 64 connections, each counted from the moment it was
due (`bench/gateway/load.py`). The servers take turns in slices of half a second; the figures are those of the median
slice."""

_SHARED = """\
All of it shares {cores} cores: where one worker, wrk and the upstream leave no core idle, a second worker has none to
run on. So each worker is also held to a share of a core by the kernel (a cgroup's quota), which leaves the others
room, and shows what workers cost each other."""


@dataclass
class Measured:
    """One server's rounds."""

    loads: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    lateness: list[list[float]] = field(default_factory=list)

    def keep(self, load: Load, cpu: float) -> None:
        if load.errors:
            raise RuntimeError(f"wrk saw {load.errors} errors")
        self.loads.append(load)
        self.cpu.append(1e6 * cpu / load.requests)

    def rate(self) -> float:
        return statistics.median(load.rate for load in self.loads)

    def late(self, share: float, of: float = 0.5) -> float:
        """A quantile of lateness, in seconds: that of the slice that stands there among all, by it."""
        return quantile(sorted(quantile(late, share) for late in self.lateness), of)

    def micros(self) -> float:
        return statistics.median(self.cpu)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a goal is missed.
    """
    options = _options(arguments)
    if shutil.which("wrk") is None:
        print("bench: this needs wrk: apt-get install wrk nginx", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        lua = script(folder, _PATH)
        name, port, words = raw(100, 0)
        upstream = stack.enter_context(started(name, port, *words))
        commands = [
            bare(port),
            gateway(port, watching=False),
            gateway(port, watching=True),
            nginx(port, folder),
        ]
        servers = [upstream, *(stack.enter_context(started(n, p, *w)) for n, p, w in filter(None, commands))]
        calm = Calm(servers, patience=60 * options.patience)
        measured = _rates(servers, lua, calm, options)
        half = measured["watch"].rate() / 2
        _lateness([each for each in servers if each.name != "direct"], measured, half, calm, options)
        scale = list(_scaling(upstream, folder, lua, calm, options))
    page, met = _page(measured, half, scale, calm)
    options.out.write_text(page + "\n", encoding="utf-8")
    print(page)
    return 0 if met else 1


def _rates(servers: list[Running], lua: Path, calm: Calm, options: argparse.Namespace) -> dict[str, Measured]:
    measured = {server.name: Measured() for server in servers}
    for turn in range(options.repeat):
        for server in _turns(servers, turn):
            wrk(server.port, lua, connections=32, seconds=1)
            load, cpu = calm.measure(partial(_loaded, server, lua, 32, options.seconds))
            measured[server.name].keep(load, cpu)
            print(f"{turn} {server.name}: {load.rate:.0f}/s", file=sys.stderr)
    return measured


def _turns(servers: list[Running], turn: int) -> list[Running]:
    at = turn % len(servers)
    return servers[at:] + servers[:at]


def _loaded(server: Running, lua: Path, connections: int, seconds: int) -> tuple[Load, float]:
    before = server.cpu()
    load = wrk(server.port, lua, connections=connections, seconds=seconds)
    return load, server.cpu() - before


def _lateness(
    servers: list[Running],
    measured: dict[str, Measured],
    half: float,
    calm: Calm,
    options: argparse.Namespace,
) -> None:
    for turn in range(_SLICES * options.repeat):
        for server in _turns(servers, turn):
            late = calm.measure(partial(paced, server.port, _PATH, rate=half, seconds=_SLICE))
            measured[server.name].lateness.append(late)
            print(f"{turn} {server.name}: p99 {1e3 * quantile(late, 0.99):.2f} ms", file=sys.stderr)


def _scaling(
    upstream: Running, folder: Path, lua: Path, calm: Calm, options: argparse.Namespace
) -> Iterator[tuple[str, bool, Measured, Measured]]:
    """Name, whether workers were held to a share of a core, and what one and two workers did."""
    for name, held in product(("watch", "nginx"), (False, True)):
        ways = {1: Measured(), 2: Measured()}
        for _, workers in product(range(options.repeat), ways):
            if name == "nginx":
                command = nginx(upstream.port, folder, workers)
            else:
                command = gateway(upstream.port, watching=True, workers=workers)
            if command is None:
                return
            label, port, words = command
            with started(label, port, *words) as server:
                if held and not _hold(server):
                    return
                wrk(port, lua, connections=64, seconds=1)
                with calm.beside(server):
                    load, cpu = calm.measure(partial(_loaded, server, lua, 64, options.seconds))
                ways[workers].keep(load, cpu)
                print(f"{name} x{workers} held {held}: {load.rate:.0f}/s", file=sys.stderr)
        yield name, held, ways[1], ways[2]
    for group in _CGROUPS.glob("bench-gateway-*"):
        group.rmdir()


def _hold(server: Running) -> bool:
    """Hold each worker of a server to its own share of a core, where that may be done."""
    for number, pid in enumerate(server.workers()):
        group = _CGROUPS / f"bench-gateway-{number}"
        try:
            group.mkdir(exist_ok=True)
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(int(_PERIOD * _SHARE)))
            (group / "cgroup.procs").write_text(str(pid))
        except OSError:
            return False
    return True


def _page(
    measured: dict[str, Measured],
    half: float,
    scale: list[tuple[str, bool, Measured, Measured]],
    calm: Calm,
) -> tuple[str, bool]:
    machine = this_machine()
    where = (
        f"{datetime.now(UTC):%Y-%m-%d}; {machine.processor}, {machine.cores} cores; {machine.python}; "
        f"uvloop {metadata.version('uvloop')}, httptools {metadata.version('httptools')}; "
        f"{calm.taken} figures, {calm.disturbed} of them taken while others worked on the machine"
    )
    lines = ["| | requests/s | of bare | of plain | CPU µs | bare's CPU of it |", "|---|--:|--:|--:|--:|--:|"]
    for name, each in measured.items():
        lines.append(
            f"| {name} | {each.rate():,.0f} | {_ratio(each, measured['bare']):.2f} |"
            f" {_ratio(each, measured['plain']):.2f} | {each.micros():.1f} |"
            f" {_cpu_ratio(measured['bare'], each):.2f} |"
        )
    late = ["| | p50 ms | p99 ms | p99 ms, a quarter of slices are worse |", "|---|--:|--:|--:|"]
    for name, each in measured.items():
        if each.lateness:
            p50, p99, most = each.late(0.5), each.late(0.99), each.late(0.99, of=0.75)
            late.append(f"| {name} | {1e3 * p50:.2f} | {1e3 * p99:.2f} | {1e3 * most:.2f} |")
    more = [
        "| | a worker has | one worker/s | two/s | ratio | CPU µs, one | two |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    scales = {}
    for name, held, one, two in scale:
        scales[name, held] = ratio = _ratio(two, one)
        share = f"{_SHARE:.0%} of a core" if held else "what is free"
        more.append(
            f"| {name} | {share} | {one.rate():,.0f} | {two.rate():,.0f} | {ratio:.2f} |"
            f" {one.micros():.1f} | {two.micros():.1f} |"
        )
    of_plain, of_bare = (_ratio(measured["watch"], measured[name]) for name in ("plain", "bare"))
    later = measured["watch"].late(0.99) - min(measured["bare"].late(0.99), measured["plain"].late(0.99))
    goals = [
        (f"60 % of the rate of the gateway without capture: {of_plain:.0%}", of_plain >= _MUST_RATE),
        (f"60 % of that of the bare proxy: {of_bare:.0%}", of_bare >= _MUST_RATE),
        (
            f"p99 at half load within 1 ms of that without capture, and of the bare proxy's: {1e3 * later:+.2f} ms",
            later <= _MUST_P99,
        ),
    ]
    if ("watch", True) in scales:
        found = scales["watch", True]
        goals.append((f"two workers do 1.8 times what one does: {found:.2f}", found >= _MUST_SCALE))
    told = [f"- {'met' if met else '**missed**'}: {goal}" for goal, met in goals]
    parts = [
        "# The gateway, measured",
        where + ".",
        _METHOD,
        "## Goals",
        "\n".join(told),
        "## Rate",
        "\n".join(lines),
        "## Lateness",
        _PACED.format(half=half),
        "\n".join(late),
        "## Two workers",
        _SHARED.format(cores=machine.cores),
        "\n".join(more),
    ]
    return "\n\n".join(parts), all(met for _, met in goals)


def _ratio(of: Measured, to: Measured) -> float:
    return statistics.median(a.rate / b.rate for a, b in zip(of.loads, to.loads, strict=True))


def _cpu_ratio(of: Measured, to: Measured) -> float:
    return statistics.median(a / b for a, b in zip(of.cpu, to.cpu, strict=True))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--repeat", type=int, default=7, help="rounds in which the servers take turns")
    parser.add_argument("--seconds", type=int, default=4, help="of load in each")
    parser.add_argument(
        "--patience", type=float, default=20, help="minutes to wait for others to rest, in all"
    )
    parser.add_argument("--out", type=Path, default=_HERE / "GATEWAY.md", help="the page to write")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
