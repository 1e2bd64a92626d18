"""A year of stored hours: what it costs to judge all of it, and to put in one more.

    python -m bench.year [--folder DIR] [--hours N] [--different N]

Makes hours of 1,000 rows of 100 columns (60 doubles, 20 whole numbers, 20 strings; a fixed seed), scans and stores
them, and stops at 24, 168, 720, 2,190 and 8,760 stored hours to measure in fresh processes: all of them merged and
judged; one more put in; all of them merged and judged again, which has to make anew what the new hour is part of.
Each is done three times, in a process of its own; the table has the medians. A folder that holds some of the hours
already is gone on with.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

import watchkeep as wk
from bench.machine import this_machine

START = datetime(2024, 1, 1, tzinfo=UTC)
STOPS = (24, 168, 720, 2_190, 8_760)
ROWS, SEED, TIMES = 1_000, 20_240, 3
WORDS = pa.array([f"value-{number:03d}" for number in range(200)])


def rows_of(number: int, rows: int = ROWS) -> pa.Table:
    """The rows of an hour: its number is its seed."""
    rng = np.random.default_rng([SEED, number])
    table = {f"real_{at:02d}": pa.array(rng.normal(at, 1 + at % 7, rows)) for at in range(60)}
    table |= {f"whole_{at:02d}": pa.array(rng.poisson(5 + at, rows)) for at in range(20)}
    table |= {f"text_{at:02d}": WORDS.take(pa.array(rng.integers(0, 200, rows))) for at in range(20)}
    return pa.table(table)


def opened(folder: Path) -> tuple[wk.Baseline, wk.States]:
    """The baseline, made where it is not there, and the store."""
    if not (folder / "baseline").exists():
        wk.DataQuality().baseline(rows_of(-1 % 2**32, 20_000)).save(folder / "baseline")
    baseline = wk.load(folder / "baseline")
    return baseline, wk.States(baseline, folder / "states")


def stored(folder: Path) -> int:
    """How many hours are there."""
    try:
        return opened(folder)[1].held().hours
    except FileNotFoundError:
        return 0


def grown(folder: Path, hours: int, different: int) -> list[float]:
    """Put in hours up to so many; gives the seconds of each put."""
    baseline, states = opened(folder)
    seconds = []
    for number in range(stored(folder), hours):
        state = baseline.scan(rows_of(number % different if different else number))
        begin = time.perf_counter()
        states.put(START + timedelta(hours=number), state)
        seconds.append(time.perf_counter() - begin)
    return seconds


def measured(folder: Path, number: int, different: int) -> dict[str, float]:
    """What a fresh process needs: seconds."""
    baseline, states = opened(folder)
    more = baseline.scan(rows_of(number % different if different else number))
    told: dict[str, float] = {}
    for name in ("first", "after"):
        begin = time.perf_counter()
        profile = states.over()
        merged = time.perf_counter()
        baseline.judge(profile)
        done = time.perf_counter()
        told |= {f"{name}_over": merged - begin, f"{name}_judge": done - merged, f"{name}_all": done - begin}
        if name == "first":
            states.put(START + timedelta(hours=number), more)
            told["put"] = time.perf_counter() - done
    return told


def row_of(folder: Path, hours: int, different: int) -> dict[str, float]:
    """Grow the store to so many hours, merge what is past, and measure."""
    begin = time.perf_counter()
    puts = grown(folder, hours, different)
    filled = time.perf_counter()
    _, states = opened(folder)
    upkeep = states.compact()
    compacted = time.perf_counter() - filled
    told = [asked(folder, hours + more, different) for more in range(TIMES)]
    files = [path for path in (folder / "states").rglob("*") if path.is_file()]
    return {
        "hours": hours,
        "filling": filled - begin,
        "put_median": float(np.median(puts)) if puts else math.nan,
        "put_p99": float(np.percentile(puts, 99)) if puts else math.nan,
        "compacting": compacted,
        "merged": upkeep.merged,
        "files": len(files),
        "megabytes": sum(path.stat().st_size for path in files) / 1e6,
        **{name: float(np.median([one[name] for one in told])) for name in told[0]},
    }


def asked(folder: Path, number: int, different: int) -> dict[str, float]:
    """What `measured` gives in a fresh process."""
    command = [sys.executable, "-m", "bench.year", "--folder", str(folder), "--measure", str(number)]
    done = subprocess.run(
        [*command, "--different", str(different)], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def exponent(rows: list[dict[str, float]], name: str) -> float:
    """The slope of cost against hours, both as logarithms."""
    hours, cost = (np.log([row[key] for row in rows]) for key in ("hours", name))
    return float(np.polyfit(hours, cost, 1)[0])


def printed(rows: list[dict[str, float]], different: int) -> None:
    """The table."""
    on = this_machine()
    about = f"{different} different hours, used again and again" if different else "every hour is different"
    print(f"\n{on.processor}, {on.cores} cores, {on.python}, load {on.load} when it ended.")
    print(
        f"{ROWS:,} rows of 100 columns an hour; {about}; files in the page cache; medians of {TIMES} processes.\n"
    )
    print(
        "| hours | files | MB | put, median / 99 % | merging the past | all: merge + judge | one more | all again |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        cells = (
            f"{row['hours']:,.0f}",
            f"{row['files']:,.0f}",
            f"{row['megabytes']:,.0f}",
            f"{1e3 * row['put_median']:.0f} / {1e3 * row['put_p99']:.0f} ms",
            f"{row['compacting']:.1f} s",
            f"{row['first_over']:.2f} + {row['first_judge']:.2f} s",
            f"{1e3 * row['put']:.0f} ms",
            f"{row['after_all']:.2f} s",
        )
        print(f"| {' | '.join(cells)} |")
    if len(rows) > 1:
        words = {
            "first_all": "merge and judge",
            "first_over": "merge",
            "put": "one more",
            "after_all": "merge and judge again",
        }
        slopes = ", ".join(f"{word} {exponent(rows, name):.2f}" for name, word in words.items())
        print(f"\nExponents of cost against hours: {slopes}.")


def main() -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.year")
    parser.add_argument(
        "--folder", type=Path, help="where to keep the states; a temporary folder if not given"
    )
    parser.add_argument("--hours", type=int, default=STOPS[-1], help="how many hours at the most")
    parser.add_argument("--different", type=int, default=0, help="how many hours differ; 0 for all")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        print(json.dumps(measured(given.folder, given.measure, given.different)))
        return 0
    with tempfile.TemporaryDirectory() as spare:
        folder = given.folder or Path(spare)
        rows = []
        first = stored(folder)
        for stop in (stop for stop in STOPS if first <= stop <= given.hours):
            rows.append(row_of(folder, stop, given.different))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        printed(rows, given.different)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
