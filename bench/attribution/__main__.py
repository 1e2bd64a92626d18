"""`python -m bench.attribution`: what attribution costs, whether it adds up, and when it rings; writes the page."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.attribution.accuracy import added_up, sampled
from bench.attribution.alarms import CHANGES, changed, unchanged
from bench.attribution.budget import asked
from bench.attribution.kept import Shelf
from bench.attribution.render import METHOD, Section, added, alarms, budgets, cost, power, sampling
from bench.attribution.tables import Subject, subject
from bench.machine import this_machine
from bench.measure import ROOT, CommandError, Job, run

_HERE = Path(__file__).resolve().parents[1]
_LIBRARIES = ("lightgbm", "xgboost")
_DEPTHS = {4: 5_000, 0: 1_000}
"""Depth of trees, 0 for what the library does by itself, and rows of a round."""
_PIECE = 50_000
_BUDGETS = (1_000, 10_000, 100_000)
_LIMIT = 4 * 3600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a goal is missed.
    """
    options = _options(arguments)
    options.data.mkdir(parents=True, exist_ok=True)
    shelf = Shelf(options.data / "results", again=tuple(options.again))
    sections = [*_costs(options, shelf), *_exactness(options, shelf), *_looks(options, shelf)]
    machine = this_machine()
    versions = ", ".join(filter(None, map(_installed, ("lightgbm", "xgboost-cpu", "xgboost", "shap"))))
    where = f"{datetime.now(UTC):%Y-%m-%d}; {machine.processor}, {machine.cores} cores; {machine.python}; {versions}"
    parts = ["# Attribution, measured", where + ".", METHOD]
    for section in sections:
        parts += [f"## {section.title}", section.text]
    options.out.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(options.out.read_text("utf-8"))
    return 0 if all(section.met for section in sections) else 1


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def _costs(options: argparse.Namespace, shelf: Shelf) -> list[Section]:
    rounds, whole = [], []
    for library in _LIBRARIES:
        for depth, piece in _DEPTHS.items():
            rows = options.repeat * piece
            turns = ("native", "model", "scan")
            rounds.append((library, depth, piece, _spent(options, shelf, library, depth, rows, piece, turns)))
        if options.rows:
            found = _spent(options, shelf, library, 4, options.rows, _PIECE, ("native", "scan"))
            whole.append((library, 4, _PIECE, found))
    return [cost(rounds, whole)]


def _spent(
    options: argparse.Namespace,
    shelf: Shelf,
    library: str,
    depth: int,
    rows: int,
    piece: int,
    turns: tuple[str, ...],
) -> Any:
    """Seconds of each turn, measured in a process of its own."""
    task = {"library": library, "depth": depth, "rows": rows, "piece": piece, "turns": turns}
    task["seconds"] = 60 * options.minutes
    words = (sys.executable, "-m", "bench.attribution.cost", json.dumps(task), str(options.data))

    def measure() -> Any:
        with tempfile.TemporaryDirectory(prefix="bench-attribution-") as folder:
            output = run(Job(name=library, command=words, limit=_LIMIT), scratch=Path(folder)).output
        return json.loads(output.strip().splitlines()[-1])

    return shelf.get(f"cost-{library}-{depth}-{rows}-{piece}", measure)


def _exactness(options: argparse.Namespace, shelf: Shelf) -> list[Section]:
    def adding() -> Any:
        return [asdict(one) for one in added_up(options.data)]

    def drawing() -> Any:
        return [asdict(one) for one in sampled()]

    def spending() -> Any:
        return [asdict(one) for method in ("permutation", "kernel") for one in asked(method, _BUDGETS)]

    return [
        added(shelf.get("added", adding)),
        sampling(shelf.get("sampled", drawing)),
        budgets(shelf.get("budget", spending)),
    ]


def _looks(options: argparse.Namespace, shelf: Shelf) -> list[Section]:
    quiet: dict[str, Any] = {}
    moved: dict[str, dict[str, Any]] = {}
    for name in options.tables.split(","):
        opened = cache(partial(subject, name, options.data))
        try:
            quiet[name] = shelf.get(f"unchanged-{name}-{options.windows}", partial(_quiet, opened, options))
            moved[name] = {
                change: shelf.get(
                    f"changed-{name}-{change.replace(' ', '-')}-{options.changed}",
                    partial(_moved, opened, change, options),
                )
                for change in CHANGES
            }
        except CommandError as error:
            print(f"{name}: {error}", file=sys.stderr)
    return [alarms(quiet), power(moved)]


def _quiet(opened: Callable[[], Subject], options: argparse.Namespace) -> Any:
    told = unchanged(opened(), options.windows)
    return {
        "says": opened().recipe.says,
        "sizes": {size: asdict(tally) for size, tally in told.items()},
    }


def _moved(opened: Callable[[], Subject], change: str, options: argparse.Namespace) -> Any:
    told = changed(opened(), change, options.changed)
    return {
        "columns": CHANGES[change].columns(opened()),
        "sizes": {size: asdict(tally) for size, tally in told.items()},
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.attribution", description=__doc__)
    option = parser.add_argument
    option("--rows", type=int, default=1_000_000, help="of the long run; 0 for none")
    option("--minutes", type=float, default=30.0, help="of a run, after which no further rows are begun")
    option("--repeat", type=int, default=8, help="rounds of the short ones")
    option("--tables", default="adult,housing,employment")
    option("--windows", type=int, default=1_000, help="without a change, of each table and size")
    option("--changed", type=int, default=20, help="windows with a change, of each table, size and change")
    option(
        "--again",
        nargs="*",
        default=(),
        metavar="WORD",
        help="measure anew what is kept under names that start so: cost, added, sampled, budget, unchanged, changed",
    )
    option("--data", type=Path, default=ROOT / "bench" / "data" / "attribution")
    option("--out", type=Path, default=_HERE / "ATTRIBUTION.md")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
