"""Merging a month of hourly states and judging it, timed from inside.

    python -m bench.hourly HOURS COLUMNS ROWS

Prints one JSON document: the seconds of merging and judging, those of the scans before, and the status.
"""

import json
import sys
import time

import numpy as np
import pyarrow as pa

import watchkeep as wk


def rows_of_an_hour(rng: np.random.Generator, columns: int, rows: int) -> pa.Table:
    """One hour of rows: of ten columns eight hold numbers, one whole numbers and one strings."""
    words = pa.array([f"value-{number:03d}" for number in range(200)])
    table = {}
    for number in range(columns):
        if number % 10 == 9:
            table[f"text_{number:03d}"] = words.take(pa.array(rng.integers(0, 200, rows)))
        elif number % 10 == 8:
            table[f"count_{number:03d}"] = pa.array(rng.poisson(5, rows))
        else:
            table[f"value_{number:03d}"] = pa.array(rng.normal(number, 1 + number % 7, rows))
    return pa.table(table)


def main(hours: int, columns: int, rows: int) -> int:
    """Scan so many hours, then time the merge of their states and the judgement."""
    rng = np.random.default_rng(720)
    reference = pa.concat_tables(rows_of_an_hour(rng, columns, rows) for _ in range(10))
    baseline = wk.DataQuality().baseline(wk.read(reference))
    begin = time.perf_counter()
    states = [baseline.scan(rows_of_an_hour(rng, columns, rows)) for _ in range(hours)]
    scanned = time.perf_counter()
    merged = states[0]
    for state in states[1:]:
        merged = merged.merge(state)
    report = baseline.judge(merged)
    done = time.perf_counter()
    print(json.dumps({"seconds": done - scanned, "scans": scanned - begin, "status": str(report.status)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*map(int, sys.argv[1:])))
