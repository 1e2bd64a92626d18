"""`python -m bench.capture`: what capture costs, measured; writes bench/CAPTURE.md."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.capture.joined import made
from bench.capture.serving import Load, loaded
from bench.capture.storing import KINDS, acknowledged, sealed
from bench.machine import this_machine
from bench.measure import ROOT
from bench.scale.page import table

_HERE: Final = Path(__file__).resolve().parents[1]
_MODES: Final = ("none", "async")
_MODEL: Final = 1.0
"""Milliseconds that a model takes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    options, machine = _options(arguments), this_machine()
    lines = [
        "# What capture costs",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}; {machine.processor}, {machine.cores} cores, {machine.python}.",
        "Written by `make bench-capture`, not by hand.",
    ]
    for name, work in _WORK.items():
        if name in options.only:
            print(f"bench: {name}", file=sys.stderr, flush=True)
            lines += ["", *work(options)]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


def _serving(options: argparse.Namespace) -> Iterator[str]:
    yield "## A server"
    yield ""
    yield (
        "Starlette and uvicorn on one core, wrk with 32 connections on another; a body of two rows, an answer of two"
        " numbers. With the middleware and without, turn about; the medians of the turns' own differences. CPU is the"
        " server's, user and system, its writing thread among it."
    )
    for milliseconds in (0.0, _MODEL):
        found = [
            [loaded(mode, seconds=options.seconds, milliseconds=milliseconds) for mode in _MODES]
            for _ in range(options.rounds)
        ]
        yield ""
        yield (
            "**A model that does nothing**"
            if not milliseconds
            else f"**A model that takes {milliseconds:g} ms**"
        )
        yield ""
        yield from _loads(found)


def _loads(found: Sequence[Sequence[Load]]) -> Iterator[str]:
    def each(of: Callable[[Load], float]) -> list[float]:
        return [statistics.median(of(turn[at]) for turn in found) for at in range(2)]

    rows = [
        ["requests/s", *(f"{one:,.0f}" for one in each(lambda load: load.rate))],
        ["CPU µs a request", *(f"{one:.1f}" for one in each(lambda load: load.cpu))],
        ["p50 ms", *(f"{one:.2f}" for one in each(lambda load: load.median))],
        ["p99 ms", *(f"{one:.2f}" for one in each(lambda load: load.p99))],
        ["memory MB", *(f"{one / 2**20:.0f}" for one in each(lambda load: load.peak))],
    ]
    more = [with_.cpu - without.cpu for without, with_ in found]
    rates = [with_.rate / without.rate for without, with_ in found]
    late = [with_.p99 / without.p99 for without, with_ in found]
    yield from table(["", "without", "with"], rows)
    yield ""
    yield (
        f"{statistics.median(more):+.1f} µs CPU a request ({min(more):+.1f} to {max(more):+.1f} over {len(found)}"
        f" turns), {1 - statistics.median(rates):.1%} fewer requests, p99 {statistics.median(late):.2f} times as long."
    )


def _storing(options: argparse.Namespace) -> Iterator[str]:  # noqa: ARG001 (one of several)
    yield "## The store"
    yield ""
    yield "Records a second and core: written to a segment, and sealed from it to Parquet with a sync of every file."
    yield ""
    rows = []
    for kind in KINDS:
        found = sealed(kind)
        sizes = [f"{found[name]:.0f}" for name in ("segment_bytes", "stored_bytes")]
        rows.append([kind, f"{found['written']:,.0f}", f"{found['sealed']:,.0f}", *sizes])
    yield from table(["bodies of 20 values", "written", "sealed", "bytes of segment", "bytes stored"], rows)
    yield ""
    yield f"`sync`, 64 threads that wait for their records to be on the disk: {acknowledged():,.0f} records a second."


def _joining(options: argparse.Namespace) -> Iterator[str]:
    yield f"## Labels: a day of {options.captures:,} captures with {options.labels:,} labels"
    yield ""
    with tempfile.TemporaryDirectory() as folder:
        made(Path(folder), options.captures, options.labels)
        turns = [{way: _joined(way, folder) for way in ("plain", "ours")} for _ in range(options.rounds)]
    ratio = statistics.median(turn["ours"]["cpu"] / turn["plain"]["cpu"] for turn in turns)
    rows = [
        [way, *(f"{min(turn[key][name] for turn in turns):.1f}" for name in ("cpu", "wall"))]
        for key, way in (("plain", "DuckDB's join of the same columns"), ("ours", "a check's"))
    ]
    yield from table(["", "CPU s", "s"], rows)
    yield ""
    yield (
        f"{ratio:.2f} times DuckDB's, which asks neither which of two labels counts nor whether an id is there twice."
    )


def _joined(way: str, folder: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.capture.joined", way, folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


_WORK: Final = {"serving": _serving, "storing": _storing, "joining": _joining}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.capture", description=__doc__)
    option = parser.add_argument
    option("--rounds", type=int, default=9, help="turns, with capture and without")
    option("--seconds", type=int, default=6, help="of load in a turn")
    option("--captures", type=int, default=10_000_000, help="rows to be joined")
    option("--labels", type=int, default=2_000_000, help="labels to be joined")
    option("--only", default=",".join(_WORK), help="which parts")
    option("--out", type=Path, default=_HERE / "CAPTURE.md", help="the page to write")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
