"""A day of captures joined with labels, beside DuckDB's plain join of the same columns."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa

from watchkeep.adapters.captures.labelling import take_labels
from watchkeep.adapters.captures.sealing import parquet
from watchkeep.adapters.sources import open_source
from watchkeep.adapters.sources.joined import JoinedSource
from watchkeep.adapters.sources.labels import LabelRows
from watchkeep.adapters.sources.stored.columns import OWN
from watchkeep.adapters.sources.stored.layout import EPOCH, MARK, Hour
from watchkeep.adapters.state_files import open_shelf
from watchkeep.service.ports import Ask

FEATURES: Final = tuple(f"f{at}" for at in range(10))
_START: Final = datetime(2026, 11, 22, tzinfo=UTC)


def made(folder: Path, captures: int, labels: int) -> None:
    """A day of captures of one endpoint, an hour a file, and labels of some of them, in a folder; once."""
    if (folder / "done").exists():
        return
    random = np.random.default_rng(5)
    shelf = open_shelf(folder / "captures")
    shelf.write(MARK, b'{"version": 1}')
    each = captures // 24
    for hour in range(24):
        start = _START + timedelta(hours=hour)
        numbers = np.arange(hour * each, (hour + 1) * each)
        columns: dict[str, pa.Array] = {name: pa.array(random.normal(size=each)) for name in FEATURES}
        columns["score"] = pa.array(random.random(each))
        ids = pa.array([f"id-{number:012x}" for number in numbers])
        times = (start - EPOCH) // timedelta(microseconds=1) + np.sort(
            random.integers(0, 3_600_000_000, each)
        )
        own = {
            "capture_event_id": ids,
            "capture_inference_id": ids,
            "capture_time": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "capture_row": pa.array(np.zeros(each, np.int32)),
            "capture_rows": pa.array(np.ones(each, np.int32)),
            "capture_status": pa.array(np.full(each, 200, np.int16)),
            "capture_weight": pa.array(np.ones(each)),
        }
        nulls = {part.name: pa.nulls(each, part.type) for part in OWN if part.name not in own}
        table = pa.table(columns | own | nulls)
        shelf.write(f"{Hour('bench', 'A', start).folder}/hour.parquet", parquet(table, frozenset()))
    chosen = random.choice(each * 24, labels, replace=False)
    table = pa.table(
        {"id": [f"id-{number:012x}" for number in chosen], "label": random.integers(0, 2, labels)}
    )
    rows = LabelRows(open_source(table), "id", "label")
    take_labels(open_shelf(folder / "labels"), "bench", rows, now=_START + timedelta(days=1))
    (folder / "done").touch()


def ours(folder: Path) -> int:
    """Rows with a label, read as a check reads them."""
    captures = open_source(f"captures:{folder / 'captures'}#bench")
    labels = open_source(f"labels:{folder / 'labels'}#bench")
    joined = JoinedSource(captures, labels, id="inferenceId", label="label", arrival="arrival")
    found = 0
    for batch in joined.batches(Ask(columns=[*FEATURES, "score", "label"])):
        for name in batch.names:
            column = batch.column(name)
        found += batch.rows - column.null_count if batch.names[-1] == "label" else 0
    return found


def plain(folder: Path) -> int:
    """The same by DuckDB's own join, which asks neither which of two labels counts nor how late one came."""
    features = ", ".join(f"c.{name}" for name in (*FEATURES, "score"))
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    relation = connection.sql(
        f"SELECT {features}, l.label FROM read_parquet('{folder}/captures/**/*.parquet') AS c"
        f" LEFT JOIN read_parquet('{folder}/labels/**/*.parquet') AS l ON c.capture_inference_id = l.inferenceId"
    )
    found = 0
    for batch in relation.to_arrow_reader(1_000_000):
        found += batch.num_rows - batch.column("label").null_count
    return found


if __name__ == "__main__":
    which, folder = sys.argv[1], Path(sys.argv[2])
    start, wall = time.process_time(), time.perf_counter()
    rows = {"ours": ours, "plain": plain}[which](folder)
    print(json.dumps({"rows": rows, "cpu": time.process_time() - start, "wall": time.perf_counter() - wall}))
