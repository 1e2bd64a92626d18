"""`python -m bench`: make the files, measure, write the page and the document beside it."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.environments import PEERS, prepare
from bench.files import TINY_ROWS
from bench.goals import goals, missed
from bench.machine import this_machine
from bench.measure import ROOT, CommandError, Samples, alternate, run
from bench.plan import PEER_ROWS, Place, constants, jobs, preparations, rounds
from bench.render import page
from bench.results import Results, Row, rows_of

_HERE = Path(__file__).resolve().parent
_QUICK_ROWS = (20_000,)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        0, or 1 when a goal that was measured is missed.
    """
    options = _options(arguments)
    sizes = options.rows
    peers: dict[str, str] = {}
    pythons: dict[str, Path] = {}
    machine = this_machine()
    _say("generating the rows")
    words = [sys.executable, "-m", "bench.data", str(options.data), *map(str, (TINY_ROWS, *sizes))]
    subprocess.run(words, check=True, cwd=ROOT)  # apart, so that this process stays small
    if options.peers and min(sizes) <= PEER_ROWS:
        for peer in PEERS:
            _say(f"installing {peer.name}")
            try:
                pythons[peer.name], version = prepare(peer, options.envs, limit=options.limit)
                peers[peer.name] = f"{version}, {peer.does}"
            except CommandError as error:
                peers[peer.name] = str(error)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        place = Place(options.data, Path(scratch), pythons)
        rows: list[Row] = []
        for size in sizes:
            rows += _measure(place, size, options)
        fixed, facts = _constants(place, sizes[0], options)
    results = Results(
        date=datetime.now(UTC).isoformat(timespec="minutes"),
        machine=machine,
        rounds=options.repeat,
        rows=(*fixed, *rows),
        facts=facts,
        peers=peers,
    )
    judged = goals(results)
    _write(page(results, judged), results, options.out)
    for figure in missed(judged):
        _say(f"missed: {figure}")
    return 1 if missed(judged) else 0


def _measure(place: Place, size: int, options: argparse.Namespace) -> list[Row]:
    _say(f"preparing {size:,} rows")
    for job in preparations(place, size):
        try:
            run(job, scratch=place.scratch)
        except CommandError as error:  # the decodes and the peers are worth measuring all the same
            _say(f"{job.name}: {error}")
    _say(f"measuring {size:,} rows")
    listed = jobs(place, size, peers=options.peers, limit=options.limit)
    turns = options.repeat if options.quick else rounds(size, options.repeat)
    return rows_of(listed, alternate(listed, rounds=turns, scratch=place.scratch), size)


def _constants(place: Place, size: int, options: argparse.Namespace) -> tuple[list[Row], dict[str, float]]:
    _say("measuring what needs no rows")
    listed = constants(place, size, hours=24 if options.quick else 720)
    samples = alternate(listed, rounds=options.repeat, scratch=place.scratch)
    facts = {}
    drawn = place.report(size) / "report.html"
    if drawn.exists():
        facts["report.html bytes"] = float(drawn.stat().st_size)
    if not options.quick:  # a day is not the month that the goal is about
        facts |= {f"hourly {name}": value for name, value in _hourly(samples["hourly states"])}
    return rows_of(listed, samples, 0), facts


def _hourly(samples: Samples) -> Iterator[tuple[str, float]]:
    said = [json.loads(cost.output.strip().splitlines()[-1]) for cost in samples.costs]
    for name in ("seconds", "scans"):
        if said:
            yield name, sorted(each[name] for each in said)[len(said) // 2]


def _write(text: str, results: Results, out: str) -> None:
    if out == "-":
        print(text)
        return
    target = Path(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    document = json.dumps(results.document(), indent=1, allow_nan=False) + "\n"
    target.with_name("results.json").write_text(document, encoding="utf-8")
    _say(f"written: {target} and results.json beside it")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    option = parser.add_argument
    option("--rows", type=_sizes, help="sizes, by commas (100000,1000000,10000000; quick: 20000)")
    option(
        "--repeat", type=int, help="rounds of large files; small ones take three times as many (5; quick: 2)"
    )
    option("--peers", action=argparse.BooleanOptionalAction, help="other tools too (yes; quick: no)")
    option("--out", help="the page to write, - for standard output (bench/RESULTS.md; quick: -)")
    option("--data", type=_absolute, default=_HERE / "data", help="folder of generated files")
    option("--envs", type=_absolute, default=_HERE / ".envs", help="folder of peers' environments")
    option("--limit", type=float, default=900.0, help="seconds a peer may take (900)")
    option("--quick", action="store_true", help="a few rows and rounds: to see that it works")
    options = parser.parse_args(arguments)
    quick = options.quick
    options.rows = options.rows or (_QUICK_ROWS if quick else (100_000, 1_000_000, 10_000_000))
    options.repeat = options.repeat or (2 if quick else 5)
    options.peers = (not quick) if options.peers is None else options.peers
    options.out = options.out or ("-" if quick else str(_HERE / "RESULTS.md"))
    return options


def _absolute(text: str) -> Path:
    return Path(text).resolve()


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(sorted({int(part.replace("_", "")) for part in text.split(",")}))
    if sizes[0] <= TINY_ROWS:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected sizes above {TINY_ROWS}")
    return sizes


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
