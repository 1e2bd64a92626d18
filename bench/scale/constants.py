"""What one window takes beside its rows: judging, merging, keeping its state. Printed as JSON.

Run as a process of its own: `python -m bench.scale.constants FILE BASELINE`.
"""

import json
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from watchkeep.adapters.sources import open_source
from watchkeep.app.store import load_baseline
from watchkeep.constraints.policy import Policy
from watchkeep.core.window import Window
from watchkeep.frames.text_values import Dialect
from watchkeep.profiles.profile import together

ROWS: Final = 36_000
"""Of the window that is judged: an hour of ten requests a second."""


def least(work: Callable[[], object], times: int = 5) -> float:
    """CPU seconds of some work, the least of a few times."""
    found = []
    for _ in range(times):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def main(arguments: Sequence[str]) -> int:
    """Measure, and print it."""
    file, baseline = arguments
    learned = load_baseline(Path(baseline)).in_force(Dialect.DEFAULT)
    rows = pa.Table.from_batches([next(pq.ParquetFile(file).iter_batches(ROWS))])
    profile = learned.scan(open_source(rows), window=Window(), dialect=Dialect.DEFAULT)
    others = [pickle.loads(pickle.dumps(profile)) for _ in range(32)]
    now = datetime.now(UTC)
    told = {
        "judge": least(
            lambda: learned.judge(profile, window=Window(), policy=Policy(), source="bench", created=now)
        ),
        "merge": least(lambda: together(others)) / len(others),
        "state_bytes": len(pickle.dumps(profile)),
        "bytes_per_row": Path(file).stat().st_size / pq.read_metadata(file).num_rows,
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
