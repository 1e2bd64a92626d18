"""A Spark cluster of two workers with one core each: our fold, and Spark's own aggregate of the same columns.

Run as a process of its own: `python -m bench.scale.spark FOLDER BASELINE ROUNDS` prints what it measured as JSON.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.scenarios.cluster import Cluster, cluster

from watchkeep.adapters.sources import open_source
from watchkeep.adapters.spark.engine import Spark
from watchkeep.adapters.spark.session import session_of
from watchkeep.app.store import load_baseline
from watchkeep.core.window import Window
from watchkeep.frames.text_values import Dialect
from watchkeep.service.learned import Learned

_TICKS = os.sysconf("SC_CLK_TCK")


def used(running: Cluster) -> float:
    """CPU seconds of the cluster and of this process with its JVM, those of ended children included."""
    sessions = {worker.pid for worker in running.workers} | {os.getsid(0)}
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) in sessions:
            total += sum(map(int, fields[11:15]))
    return total / _TICKS


def measured(running: Cluster, work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of some work."""
    before, started = used(running), time.perf_counter()
    work()
    return time.perf_counter() - started, used(running) - before


def aggregate(session: Any, source: str) -> Callable[[], object]:
    """Spark's own count, min, max, avg and stddev of every column; of texts and times what there is of them."""

    def work() -> object:
        frame = session.read.parquet(source)
        wanted = []
        for name, kind in frame.dtypes:
            own = ["count", "min", "max"]
            own += (
                ["avg", "stddev"]
                if kind in ("double", "float", "bigint", "int", "smallint", "tinyint")
                else []
            )
            wanted += [
                f"{one}(`{name}`) as `{one}_{name}`" for one in own if kind != "boolean" or one == "count"
            ]
        return frame.selectExpr(*wanted).collect()

    return work


def fold(learned: Learned, engine: Spark, source: str) -> Callable[[], object]:
    """Our fold of a source."""
    opened = open_source(source)
    return lambda: learned.scan(opened, window=Window(), dialect=Dialect.DEFAULT, engine=engine)


def main(arguments: Sequence[str]) -> int:
    """Measure, and print it."""
    folder, baseline, rounds = arguments
    learned = load_baseline(Path(baseline)).in_force(Dialect.DEFAULT)
    few = str(min(Path(folder).glob("*.parquet")))
    with tempfile.TemporaryDirectory() as place, cluster(Path(place)) as running:
        session = session_of(running.settings(**{"spark.executor.memory": "900m"}))
        engine = Spark(session)
        works = {
            "aggregate": aggregate(session, folder),
            "fold of files": fold(learned, engine, folder),
            "fold of rows": fold(learned, engine, f"spark.table:parquet.`{folder}`"),
        }
        starts = {
            "aggregate": aggregate(session, few),
            "fold of files": fold(learned, engine, few),
            "fold of rows": fold(learned, engine, f"spark.table:parquet.`{few}`"),
        }
        for work in starts.values():  # each way is warm when it is measured
            work()
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
        for _ in range(int(rounds)):
            for name, work in works.items():
                found[name].append(measured(running, work))
                print(name, found[name][-1], file=sys.stderr, flush=True)
        session.stop()
    told = {
        name: {
            "wall": statistics.median(wall for wall, _ in each),
            "cpu": statistics.median(cpu for _, cpu in each),
            "least": min(cpu for _, cpu in each),
        }
        for name, each in found.items()
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
