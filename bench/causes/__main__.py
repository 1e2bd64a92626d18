"""`python -m bench.causes`: break features of real rows, and see what is told to look at first; writes the page."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.causes.page import met, page
from bench.causes.plants import KINDS
from bench.causes.run import Outcome, jobs, outcomes
from bench.machine import this_machine
from bench.measure import ROOT

_BENCH: Final = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a goal is missed.

    Raises:
        CommandError: a table cannot be had.
    """
    options = _options(arguments)
    began = time.perf_counter()
    downloads = options.data / "alarms"  # where the benchmark of alarms has most of them
    todo = jobs(downloads, seeds=options.seeds, quiet=options.quiet, kinds=options.kinds.split(","))
    found: list[Outcome] = []
    for at, some in enumerate(outcomes(todo, downloads, processes=options.processes), start=1):
        found += some
        print(f"\r{at} of {len(todo)} setups, {len(found)} windows", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    raw = options.data / "causes" / "outcomes.json"
    raw.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(asdict(one)) for one in found)
    raw.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    machine = this_machine()
    where = f"{datetime.now(UTC):%Y-%m-%d}; {machine.processor}, {machine.cores} cores; {machine.python}"
    text = page(found, where, time.perf_counter() - began)
    if options.out == "-":
        print(text, end="")
    else:
        Path(options.out).write_text(text, encoding="utf-8")
        print(text, end="")
    return 0 if met(found) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.causes", description=__doc__)
    option = parser.add_argument
    option("--seeds", type=int, default=50, help="cases of each kind")
    option("--quiet", type=int, default=500, help="windows of which nothing is broken")
    option("--kinds", default=",".join(kind.name for kind in KINDS))
    option("--processes", type=int, default=2)
    option("--data", type=Path, default=ROOT / "bench" / "data", help="folder of downloads and raw outcomes")
    option("--out", default=str(_BENCH / "CAUSES.md"), help="- prints the page only")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
