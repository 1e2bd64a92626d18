"""`python -m bench.scale`: how cost grows, measured; writes bench/SCALE.md and scale.json beside it."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.data import make
from bench.files import TINY_ROWS
from bench.machine import this_machine
from bench.measure import ROOT
from bench.scale.capacity import Constants, Traffic, demand, simulate
from bench.scale.files import wide_few
from bench.scale.local import checked, exponent, learned, point, some
from bench.scale.page import page

_HERE = Path(__file__).resolve().parents[1]
_ROLES = ("--label", "label", "--score", "score", "--prediction", "prediction")
KINDS = {
    "data-quality": (),
    "model-quality": (*_ROLES, "--id", "id"),
    "bias": (*_ROLES, "--id", "id", "--facet", "plan", "--facet", "channel"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, or the parts of it that are named."""
    options = _options(arguments)
    told = json.loads(options.json.read_text()) if options.json.exists() else {}
    told |= {"date": datetime.now(UTC).isoformat(timespec="minutes"), "machine": asdict(this_machine())}
    data = options.data
    files = max(options.files)
    _say(f"generating {files} million rows")
    _module("bench.scale.files", data / "scale", files)
    known = {
        kind: learned(kind, some(data / "scale", 1), data / f"scale-{kind}", *roles)
        for kind, roles in KINDS.items()
    }
    for name, work in (("local", _local), ("spark", _spark), ("curves", _curves), ("capacity", _capacity)):
        if name in options.only:
            _say(name)
            told[name] = work(data, known, options)
            options.json.write_text(json.dumps(told, indent=1) + "\n")
    options.out.write_text(page(told), encoding="utf-8")
    return 0


def _start(data: Path, known: Path, rounds: int) -> float:
    """CPU seconds of a check of a few rows."""
    tiny = make(data, TINY_ROWS).current
    with tempfile.TemporaryDirectory() as scratch:
        costs = checked(known, tiny, threads=1, scratch=Path(scratch), rounds=rounds)
    return min(cost.cpu for cost in costs)


def _local(data: Path, known: dict[str, Path], options: argparse.Namespace) -> dict[str, object]:
    found: dict[str, object] = {"start": (start := _start(data, known["data-quality"], 5))}
    with tempfile.TemporaryDirectory() as scratch:
        for threads in (1, 2):
            listed = []
            for files in options.files:
                rounds = max(1, min(options.rounds, 60 // files))
                source = some(data / "scale", files)
                costs = checked(
                    known["data-quality"],
                    source,
                    threads=threads,
                    scratch=Path(scratch),
                    rounds=rounds,
                    cold=True,
                )
                one = point(files, costs, start)
                _say(
                    f"{files} million rows, {threads}: {one.cpu:.2f} CPU s, {one.wall:.2f} s, {one.peak / 2**20:.0f} MB"
                )
                listed.append([one.size, one.cpu, one.wall, one.peak])
            found[f"threads {threads}"] = listed
    return found


def _spark(data: Path, known: dict[str, Path], options: argparse.Namespace) -> dict[str, object]:
    source = some(data / "scale", options.spark_files)
    said = _module("bench.scale.spark", source, known["data-quality"], options.rounds)
    return {"rows": options.spark_files * 1_000_000, **json.loads(said.splitlines()[-1])}


def _curves(data: Path, known: dict[str, Path], options: argparse.Namespace) -> dict[str, object]:
    found: dict[str, object] = {}
    rounds = options.rounds
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        start = _start(data, known["data-quality"], 3)
        rows = [
            point(
                files,
                checked(
                    known["data-quality"],
                    some(data / "scale", files),
                    threads=1,
                    scratch=scratch,
                    rounds=rounds,
                ),
                start,
            )
            for files in (1, 2, 4, 8, 16)
        ]
        wide = []
        for columns in (10, 20, 40, 80, 160):
            _module("bench.scale.files", data / f"wide-{columns}", 1, columns)
            own = learned("data-quality", data / f"wide-{columns}", data / f"wide-{columns}-known")
            costs = checked(own, data / f"wide-{columns}", threads=1, scratch=scratch, rounds=rounds)
            few = wide_few(data / f"wide-{columns}")
            begin = min(cost.cpu for cost in checked(own, few, threads=1, scratch=scratch, rounds=3))
            wide.append(point(columns, costs, begin))
        monitors = []
        for kind, path in known.items():
            begin = _start(data, path, 3)
            costs = checked(path, some(data / "scale", 4), threads=1, scratch=scratch, rounds=rounds)
            monitors.append({"kind": kind, "cpu_per_million": point(4, costs, begin).cpu / 4})
        for name, points in (("rows", rows), ("columns", wide)):
            found[name] = {
                "points": [[one.size, one.cpu, one.wall, one.peak] for one in points],
                "exponent": exponent(points),
            }
        found["monitors"] = monitors
    return found


def _capacity(data: Path, known: dict[str, Path], options: argparse.Namespace) -> dict[str, object]:
    each = {
        kind: json.loads(
            _module("bench.scale.constants", data / "scale" / "part-0000.parquet", path).splitlines()[-1]
        )
        for kind, path in known.items()
    }
    before = json.loads(options.json.read_text()) if options.json.exists() else {}
    monitors = before.get("curves", {}).get("monitors")
    if not isinstance(monitors, list):
        raise SystemExit("capacity needs the curves: run them first, or together")
    constants = Constants(
        row=sum(one["cpu_per_million"] for one in monitors) / 1e6,
        task=0.05,
        merge=sum(one["merge"] for one in each.values()),
        judge=sum(one["judge"] for one in each.values()),
        bytes_per_row=each["data-quality"]["bytes_per_row"],
        state_bytes=sum(one["state_bytes"] for one in each.values()),
    )
    traffic = Traffic()
    hours = [simulate(constants, traffic, cores) for cores in (32, 48, 64, 96, 128)]
    return {
        "constants": {name: getattr(constants, name) for name in Constants.__slots__},
        "each": each,
        "demand": demand(constants, traffic),
        "hours": [[one.cores, one.busy, one.half, one.most, one.last, one.tasks] for one in hours],
    }


def _module(name: str, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", name, *map(str, words)],
        check=True,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    option = parser.add_argument
    option(
        "--files",
        type=lambda text: [int(part) for part in text.split(",")],
        default=[1, 10, 100],
        help="millions of rows",
    )
    option("--spark-files", type=int, default=20, help="millions of rows for Spark")
    option("--rounds", type=int, default=3, help="rounds, fewer of very many rows")
    option("--only", default="local,spark,curves,capacity", help="which parts")
    option("--data", type=Path, default=_HERE / "data", help="folder of generated files")
    option("--out", type=Path, default=_HERE / "SCALE.md", help="the page to write")
    options = parser.parse_args(arguments)
    options.json = options.out.with_name("scale.json")
    options.only = options.only.split(",")
    return options


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
