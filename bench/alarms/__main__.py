"""`python -m bench.alarms`: draw the streams, let every tool look, write the page and its picture.

Cells that are finished are kept and not measured again: stop it whenever you like, and start it again.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.alarms import keep
from bench.alarms.cells import OURS, Cell, chosen, plan
from bench.alarms.figure import figure
from bench.alarms.goals import goals, missed
from bench.alarms.keep import Kept
from bench.alarms.peers import PEERS
from bench.alarms.render import page
from bench.alarms.run import Place, run
from bench.alarms.summary import Summary, summarised
from bench.environments import prepare
from bench.machine import this_machine
from bench.measure import CommandError

_BENCH = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a goal that was measured is missed.
    """
    options = _options(arguments)
    folder = options.data / "alarms" / ("quick" if options.quick else "cells")
    everything = plan(quick=options.quick, peers=options.peers)
    wanted = chosen(everything, options.cells) if options.cells else everything
    if not wanted:
        _say(f"no cell is called {options.cells}; there are, for example, {everything[0].name}")
        return 2
    if not options.draw:
        _measure(wanted, folder, options)
    kept = [found for cell in everything if (found := keep.load(folder, cell)) is not None]
    summary = summarised(kept)
    _write(summary, _facts(kept, everything), options.out)
    judged = missed(goals(summary))
    for name in judged:
        _say(f"missed: {name}")
    return 1 if judged else 0


def _measure(wanted: list[Cell], folder: Path, options: argparse.Namespace) -> None:
    left = [cell for cell in wanted if options.again or not _finished(folder, cell)]
    _say(f"{len(wanted)} cells, {len(wanted) - len(left)} of them finished before")
    pythons = _pythons({cell.group for cell in left if cell.group not in OURS}, options)
    with tempfile.TemporaryDirectory(prefix="bench-alarms-") as scratch:
        place = Place(options.data / "alarms", pythons, Path(scratch), options.limit)
        for number, cell in enumerate(left, start=1):
            _run(cell, place, folder, options.workers, f"{number} of {len(left)}, {cell.name}")


def _finished(folder: Path, cell: Cell) -> bool:
    """Whether there are figures; what failed is tried again."""
    kept = keep.load(folder, cell)
    return kept is not None and not kept.why


def _run(cell: Cell, place: Place, folder: Path, workers: int, title: str) -> None:
    begin = said = time.monotonic()

    def progress(done: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= 30:
            said = now
            rest = (now - begin) / done * (cell.streams - done)
            _say(f"{title}: {done} of {cell.streams} baselines, about {rest / 60:.0f} minutes to go")

    found = run(cell, place, workers=workers, progress=progress)
    keep.save(folder, found)
    _say(f"{title}: {found.why or 'done'} in {found.seconds:.0f} s")


def _pythons(groups: set[str], options: argparse.Namespace) -> dict[str, Path]:
    out = {}
    for name in sorted(groups):
        _say(f"installing {name}")
        try:
            out[name], version = prepare(PEERS[name], options.envs, limit=options.limit)
            _say(f"{name} {version}")
        except CommandError as error:
            _say(f"{name}: {error}")
    return out


def _facts(kept: list[Kept], everything: list[Cell]) -> list[str]:
    facts = []
    if missing := len(everything) - len(kept):
        facts.append(f"{missing} of {len(everything)} cells have not been measured.")
    if old := [each for each in kept if each.source not in ("", keep.source())]:
        facts.append(f"{len(old)} cells of Watchkeep are of other code than today's.")
    return facts


def _write(summary: Summary, facts: list[str], out: str) -> None:
    machine = this_machine()
    judged = goals(summary)
    if out == "-":
        print(page(summary, judged, machine=machine, facts=facts, figure=""))
        return
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = target.with_name("alarms.svg")
    picture.write_text(figure(summary), encoding="utf-8")
    text = page(summary, judged, machine=machine, facts=facts, figure=picture.name)
    target.write_text(text, encoding="utf-8")
    document = json.dumps(summary.document(), indent=1, allow_nan=False) + "\n"
    target.with_name("alarms.json").write_text(document, encoding="utf-8")
    _say(f"written: {target}, with {picture.name} and alarms.json beside it")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.alarms", description=__doc__)
    option = parser.add_argument
    option("--cells", help="only cells whose names match; patterns by commas: changed.adult.*,*.rules")
    option("--again", action="store_true", help="measure the cells again, finished or not")
    option("--draw", action="store_true", help="measure nothing: write the page from what is finished")
    option("--peers", action=argparse.BooleanOptionalAction, help="other tools too (yes; quick: no)")
    option("--workers", type=_workers, default=os.cpu_count() or 1, help="processes (as many as cores)")
    option("--out", help="the page to write, - for standard output (bench/ALARMS.md; quick: -)")
    option("--data", type=_absolute, default=_BENCH / "data", help="folder of downloads and finished cells")
    option("--envs", type=_absolute, default=_BENCH / ".envs", help="folder of peers' environments")
    option("--limit", type=float, default=3_600.0, help="seconds a peer may take for one baseline (3600)")
    option("--quick", action="store_true", help="a few streams of one table: to see that it works")
    options = parser.parse_args(arguments)
    options.peers = (not options.quick) if options.peers is None else options.peers
    options.out = options.out or ("-" if options.quick else str(_BENCH / "ALARMS.md"))
    return options


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from 1")
    return int(text)


def _absolute(text: str) -> Path:
    return Path(text).resolve()


def _say(what: str) -> None:
    print(f"bench.alarms: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
